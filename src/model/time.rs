//! Points in time in whole seconds, and how they are written.

use std::time::Duration;

/// Seconds since the Unix epoch, UTC.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
)]
#[serde(transparent)]
pub struct Timestamp(pub i64);

impl Timestamp {
    /// The time `by` later.
    #[must_use]
    pub fn plus(self, by: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(by.as_secs()).unwrap_or(i64::MAX)))
    }

    /// The time since `earlier`; zero when that is in the future.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_secs(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// RFC 3339 in UTC, `2026-11-20T19:00:00Z`.
    #[must_use]
    pub fn rfc3339(self) -> String {
        jiff::Timestamp::from_second(self.0)
            .map_or_else(|_| "0001-01-01T00:00:00Z".to_owned(), |t| t.to_string())
    }

    /// Reads RFC 3339.
    #[must_use]
    pub fn parse_rfc3339(text: &str) -> Option<Self> {
        text.parse::<jiff::Timestamp>().ok().map(|t| Self(t.as_second()))
    }
}

/// The seconds that [`rfc3339_s`] writes: 1970 to 9999.
const WRITTEN: std::ops::Range<i64> = 0..253_402_300_800;

/// A whole second as RFC 3339, written without a detour: a list has hundreds of them. None for a
/// year that is not of four digits, or before 1970.
#[must_use]
pub fn rfc3339_s(s: i64) -> Option<[u8; 20]> {
    if !WRITTEN.contains(&s) {
        return None;
    }
    let (days, rest) = (s / 86_400, s % 86_400);
    // Years begin in March here, so that the day of leap years is the last (days_from_civil).
    let day_of_cycle = days + 719_468;
    let (cycle, day) = (day_of_cycle / 146_097, day_of_cycle % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = cycle * 400 + year + i64::from(month <= 2);
    let mut text = *b"0000-00-00T00:00:00Z";
    let parts = [
        (year / 100, 0),
        (year % 100, 2),
        (month, 5),
        (day, 8),
        (rest / 3_600, 11),
        (rest / 60 % 60, 14),
        (rest % 60, 17),
    ];
    for (value, place) in parts {
        let value = u8::try_from(value).ok()?;
        let (tens, ones) = (b'0' + value / 10, b'0' + value % 10);
        text.get_mut(place..place + 2)?.copy_from_slice(&[tens, ones]);
    }
    Some(text)
}

/// Milliseconds since the Unix epoch as RFC 3339 with a fraction, for log lines.
#[must_use]
pub fn rfc3339_ms(ms: i64) -> String {
    jiff::Timestamp::from_millisecond(ms)
        .map_or_else(|_| "0001-01-01T00:00:00Z".to_owned(), |t| t.to_string())
}

/// A duration in words of at most two units: `48 s`, `5 h 32 min`, `3 d 4 h`.
#[must_use]
pub fn words(duration: Duration) -> String {
    let secs = duration.as_secs();
    let (days, hours, minutes) = (secs / 86_400, secs / 3_600 % 24, secs / 60 % 60);
    match (days, hours, minutes) {
        (0, 0, 0) => format!("{secs} s"),
        (0, 0, m) if secs.is_multiple_of(60) || m >= 10 => format!("{m} min"),
        (0, 0, m) => format!("{m} min {} s", secs % 60),
        (0, h, 0) => format!("{h} h"),
        (0, h, m) => format!("{h} h {m} min"),
        (d, 0, _) => format!("{d} d"),
        (d, h, _) => format!("{d} d {h} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_utc_and_read_back() {
        let t = Timestamp(1_795_000_000);
        assert_eq!(Timestamp::parse_rfc3339(&t.rfc3339()), Some(t));
        assert!(t.rfc3339().ends_with('Z'));
    }

    #[test]
    fn whole_seconds_are_written_as_the_library_writes_them() {
        let check = |s: i64| {
            let text = rfc3339_s(s).unwrap();
            assert_eq!(std::str::from_utf8(&text).unwrap(), Timestamp(s).rfc3339(), "{s}");
        };
        // A step that is coprime to days passes through every month, leap day and hour.
        (0..253_402_300_800).step_by(8_640_007).for_each(check);
        for day in ["2000-02-29", "2024-02-29", "2100-02-28", "2100-03-01", "9999-12-29"] {
            check(Timestamp::parse_rfc3339(&format!("{day}T23:59:59Z")).unwrap().0);
        }
        assert_eq!((rfc3339_s(-1), rfc3339_s(253_402_300_800)), (None, None));
    }

    #[test]
    fn durations_use_at_most_two_units() {
        let check = |secs, expected: &str| assert_eq!(words(Duration::from_secs(secs)), expected);
        check(48, "48 s");
        check(90, "1 min 30 s");
        check(19_920, "5 h 32 min");
        check(273_600, "3 d 4 h");
    }
}
