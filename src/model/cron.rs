//! Schedules of scripts, and when one runs next in the machine's time zone.

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
    /// Reads a schedule of five fields or six, seconds first, a word such as `@daily`, or
    /// `@every 1h30m`. `CRON_TZ=ZONE` may stand before it.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn parse(text: &str) -> Result<Self, BadSchedule> {
        let (zone, when) = split(text);
        let zone = match zone {
            None | Some("" | "Local") => None,
            Some(zone) => Some(TimeZone::get(zone).map_err(|_| no_zone(zone))?),
        };
        Ok(Self { when: When::parse(when)?, zone })
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

/// Whether a schedule can be read where its zone is known.
///
/// # Errors
/// Says what is wrong with the text.
pub fn check(text: &str) -> Result<(), BadSchedule> {
    let (zone, when) = split(text);
    match zone {
        Some(zone) if !is_zone(zone) => Err(no_zone(zone)),
        _ => When::parse(when).map(drop),
    }
}

/// Whether it is a zone's name. Where the machine has no list of zones, its form has to do.
#[must_use]
pub fn is_zone(name: &str) -> bool {
    if matches!(name, "" | "Local") {
        return true;
    }
    if jiff::tz::db().is_definitively_empty() {
        return name.chars().all(|c| c.is_ascii_alphanumeric() || "/_+-".contains(c));
    }
    TimeZone::get(name).is_ok()
}

fn no_zone(name: &str) -> BadSchedule {
    BadSchedule(format!("{name:?} is not a time zone such as \"Europe/Berlin\" or \"UTC\""))
}

/// The zone that is named, if one is, and the rest.
fn split(text: &str) -> (Option<&str>, &str) {
    let text = text.trim();
    let Some(rest) = ["CRON_TZ=", "TZ="].iter().find_map(|p| text.strip_prefix(p)) else {
        return (None, text);
    };
    let (zone, when) = rest.split_once(char::is_whitespace).unwrap_or((rest, ""));
    (Some(zone), when.trim_start())
}

impl When {
    fn parse(text: &str) -> Result<Self, BadSchedule> {
        if let Some(every) = text.strip_prefix("@every ") {
            let bad = || BadSchedule(format!("{every:?} is not a time such as 1h30m"));
            let every = go_duration(every.trim()).ok_or_else(bad)?;
            return Ok(Self::Every(every.max(SignedDuration::from_secs(1))));
        }
        // The parser knows the other words.
        let text = if text == "@midnight" { "@daily" } else { text };
        let parser = CronParser::builder().seconds(Seconds::Optional).build();
        let cron = parser.parse(text).map_err(|e| BadSchedule(e.to_string()))?;
        Ok(Self::Fields(Box::new(cron)))
    }
}

/// `1h30m` or `1.5h`, as Go writes durations, without a sign.
fn go_duration(text: &str) -> Option<SignedDuration> {
    let mut rest = text;
    let mut nanos = 0_u64;
    if rest.is_empty() {
        return None;
    }
    while !rest.is_empty() {
        let unit_at = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, tail) = rest.split_at(unit_at);
        let unit_end = tail.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(tail.len());
        let (unit, next) = tail.split_at(unit_end);
        let one: u64 = match unit {
            "ns" => 1,
            "us" | "µs" | "μs" => 1_000,
            "ms" => 1_000_000,
            "s" => 1_000_000_000,
            "m" => 60_000_000_000,
            "h" => 3_600_000_000_000,
            _ => return None,
        };
        let (whole, part) = number.split_once('.').unwrap_or((number, ""));
        let is_number = |digits: &str| digits.bytes().all(|b| b.is_ascii_digit());
        if whole.len() + part.len() == 0 || !is_number(whole) || !is_number(part) {
            return None;
        }
        let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
        // No unit is longer than this many digits tell apart.
        let part: u64 = format!("{part:0<13.13}").parse().ok()?;
        let part = u128::from(part) * u128::from(one) / 10_u128.pow(13);
        nanos = nanos.checked_add(whole.checked_mul(one)?)?;
        nanos = nanos.checked_add(u64::try_from(part).ok()?)?;
        rest = next;
    }
    SignedDuration::try_from(std::time::Duration::from_nanos(nanos)).ok()
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
        check("@every 1.5h", "2026-11-20T07:59:00Z", "UTC", 5400);
        check("@every 0.5h10m", "2026-11-20T07:59:00Z", "UTC", 2400);
        check("@every 10ms", "2026-11-20T07:59:00Z", "UTC", 1);
        check("TZ=UTC @daily", "2026-11-20T23:59:00Z", "Europe/Berlin", 60);
        check("@midnight", "2026-11-20T23:59:00Z", "UTC", 60);
        // The clocks go forward from 2:00 to 3:00.
        check("0 0 3 * * *", "2026-03-29T00:30:00Z", "Europe/Berlin", 1800);
        assert_eq!(wait("0 0 0 30 2 *", "2026-11-20T08:00:00Z", "UTC"), None);
    }

    #[test]
    fn what_is_checked_can_be_run() {
        for good in [
            "0 0 22 * * *",
            "0 22 * * *",
            " */5 * * * * * ",
            "@yearly",
            "@annually",
            "@monthly",
            "@weekly",
            "@daily",
            "@midnight",
            "@hourly",
            "@every 1h30m",
            "@every .5h",
            "@every 0s",
            "CRON_TZ=Europe/Berlin 0 0 22 * * MON-FRI",
            "TZ=UTC @daily",
            "TZ=Local @daily",
        ] {
            assert_eq!(check(good), Ok(()), "{good}");
            Schedule::parse(good).unwrap();
        }
        for bad in [
            "",
            "every day",
            "0 22 * *",
            "a b c d e f",
            "0 0 25 * * *",
            "@never",
            "@every",
            "@every x",
            "@every 1.2.3h",
            "@every 1h30",
            "@every .h",
            "@every -1h",
            "@every PT1H",
            "@every 1 hour",
            "@every 999999999h",
            "TZ=UTC",
            "TZ=Moon/Base @daily",
        ] {
            let why = check(bad).unwrap_err();
            assert_eq!(Schedule::parse(bad).unwrap_err(), why, "{bad}");
        }
    }
}
