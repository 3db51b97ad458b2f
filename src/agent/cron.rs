//! When a script on a schedule runs next, in the machine's time zone.

use croner::Cron;
use croner::parser::{CronParser, Seconds};
use jiff::tz::TimeZone;

/// A schedule of a script: six fields, seconds first. Five fields are read as Unix does.
#[derive(Clone, Debug)]
pub struct Schedule(Cron);

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
        let parser = CronParser::builder().seconds(Seconds::Optional).build();
        parser.parse(text.trim()).map(Self).map_err(|e| BadSchedule(e.to_string()))
    }

    /// The first run after `now_ms`, in milliseconds since the epoch; none when it never comes.
    #[must_use]
    pub fn next_after(&self, now_ms: i64, zone: &TimeZone) -> Option<i64> {
        let now = jiff::Timestamp::from_millisecond(now_ms).ok()?.to_zoned(zone.clone());
        let next = self.0.find_next_occurrence(&now, false).ok()?;
        Some(next.timestamp().as_millisecond())
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
