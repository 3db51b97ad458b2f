//! When a script on a schedule runs next, in the machine's time zone.

use croner::Cron;
use croner::parser::{CronParser, Seconds};
use jiff::SignedDuration;
use jiff::tz::TimeZone;

/// A schedule of a script.
#[derive(Clone, Debug)]
pub struct Schedule {
    when: When,
    /// The zone that the schedule names; the machine's otherwise.
    zone: Option<TimeZone>,
}

#[derive(Clone, Debug)]
enum When {
    /// Six fields, seconds first. Five fields are read as Unix does.
    Fields(Box<Cron>),
    /// So long after the last run.
    Every(SignedDuration),
}

/// Text that is not a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadSchedule(String);

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, BadSchedule> {
        let text = text.trim();
        let bad = |why: String| BadSchedule(why);
        let prefix = ["CRON_TZ=", "TZ="].iter().find_map(|p| text.strip_prefix(p));
        let (zone, text) = match prefix.and_then(|rest| rest.split_once(' ')) {
            None | Some(("" | "Local", _)) => (None, text),
            Some((zone, _)) => (Some(TimeZone::get(zone).map_err(|e| bad(e.to_string()))?), text),
        };
        let text = if prefix.is_some() {
            text.split_once(' ').map_or("", |(_, fields)| fields.trim())
        } else {
            text
        };
        let when = match text.strip_prefix("@every ") {
            Some(every) => {
                let every: SignedDuration = every.parse().map_err(|e| bad(format!("{e}")))?;
                When::Every(every.max(SignedDuration::from_secs(1)))
            }
            None => {
                let parser = CronParser::builder().seconds(Seconds::Optional).build();
                When::Fields(Box::new(parser.parse(text).map_err(|e| bad(e.to_string()))?))
            }
        };
        Ok(Self { when, zone })
    }

    /// The first run after `now_ms`, in milliseconds since the epoch; none when it never comes.
    #[must_use]
    pub fn next_after(&self, now_ms: i64, zone: &TimeZone) -> Option<i64> {
        let now = jiff::Timestamp::from_millisecond(now_ms).ok()?;
        let next = match &self.when {
            When::Every(every) => now.checked_add(*every).ok()?,
            When::Fields(cron) => {
                let zone = self.zone.as_ref().unwrap_or(zone);
                cron.find_next_occurrence(&now.to_zoned(zone.clone()), false).ok()?.timestamp()
            }
        };
        Some(next.as_millisecond())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(schedule: &str, now: &str, zone: &str) -> Option<i64> {
        let now: jiff::Timestamp = now.parse().unwrap();
        let (now, zone) = (now.as_millisecond(), TimeZone::get(zone).unwrap());
        Schedule::parse(schedule).unwrap().next_after(now, &zone).map(|next| next - now)
    }

    #[test]
    fn the_next_run_is_found_in_the_machines_zone() {
        let check = |schedule, now, zone, secs| {
            assert_eq!(wait(schedule, now, zone), Some(secs * 1000), "{schedule}");
        };
        check("*/10 * * * * *", "2026-11-20T08:00:01Z", "UTC", 9_i64);
        check("0 0 9 * * *", "2026-11-20T07:59:00Z", "Europe/Berlin", 60);
        check("0 9 * * *", "2026-11-20T08:59:00Z", "UTC", 60);
        check("CRON_TZ=Europe/Berlin 0 9 * * *", "2026-11-20T07:59:00Z", "UTC", 60);
        check("@every 1h30m", "2026-11-20T07:59:00Z", "UTC", 5400);
        check("TZ=UTC @daily", "2026-11-20T23:59:00Z", "Europe/Berlin", 60);
        // The clocks go forward from 2:00 to 3:00.
        check("0 0 3 * * *", "2026-03-29T00:30:00Z", "Europe/Berlin", 1800);
        assert_eq!(wait("0 0 0 30 2 *", "2026-11-20T08:00:00Z", "UTC"), None);
    }

    #[test]
    fn what_is_not_a_schedule_is_refused() {
        let check = |text: &str| assert!(Schedule::parse(text).is_err(), "{text}");
        check("every day");
        check("");
        check("0 0 25 * * *");
    }
}
