//! Times for people.

use std::time::Duration;

use crate::model::time::words;
use crate::wire::coder::Time;

/// The time in UTC, or `never`.
#[must_use]
pub fn or_never(time: Time) -> String {
    if time == Time::default() { "never".to_owned() } else { time.seconds().rfc3339() }
}

/// A time as RFC 3339 has it; empty for none.
#[must_use]
pub fn at(time: Time) -> String {
    if time == Time::default() { String::new() } else { time.to_string() }
}

/// How long ago, in words; empty for never.
#[must_use]
pub fn ago(time: Time, now_ms: i64) -> String {
    if time == Time::default() {
        return String::new();
    }
    let ms = u64::try_from(now_ms - time.0).unwrap_or(0);
    format!("{} ago", words(Duration::from_millis(ms)))
}
