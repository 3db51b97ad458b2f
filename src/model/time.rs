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
    fn durations_use_at_most_two_units() {
        let check = |secs, expected: &str| assert_eq!(words(Duration::from_secs(secs)), expected);
        check(48, "48 s");
        check(90, "1 min 30 s");
        check(19_920, "5 h 32 min");
        check(273_600, "3 d 4 h");
    }
}
