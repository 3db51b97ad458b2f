//! Times as people say them. UTC in the markup; the script turns them to the browser's zone.

use maud::{Markup, html};

use crate::model::time::{Timestamp, rfc3339_ms, words};

const DAY: i64 = 86_400;

/// A point in time: `today 18:00 UTC`, `Mon 09:00 UTC`, `18 Dec`, `4 Jan 2027`.
#[must_use]
pub fn at(time: Timestamp, now: Timestamp) -> Markup {
    html! { time datetime=(time.rfc3339()) title=(full(time)) data-at { (point(time, now)) } }
}

/// How long ago: `now`, `12 min ago`, `3 d ago`.
#[must_use]
pub fn ago(time: Timestamp, now: Timestamp) -> Markup {
    let text = if now.since(time).as_secs() < 60 {
        "now".to_owned()
    } else {
        format!("{} ago", coarse(time, now))
    };
    html! { time datetime=(time.rfc3339()) title=(full(time)) { (text) } }
}

/// How long until: `in 4 h`; empty when it has passed.
#[must_use]
pub fn until(time: Timestamp, now: Timestamp) -> Markup {
    html! { @if time > now { span class="note" { "in " (coarse(now, time)) } } }
}

/// How long something lasted or has lasted.
#[must_use]
pub fn lasted(from: Timestamp, to: Timestamp) -> String {
    words(to.since(from))
}

/// The time of day of a log line.
#[must_use]
pub fn clock(at_ms: i64) -> Markup {
    let text = rfc3339_ms(at_ms);
    let shown = text.get(11..19).unwrap_or("--:--:--");
    html! { time datetime=(text) data-clock { (shown) } }
}

/// A duration in one unit.
fn coarse(from: Timestamp, to: Timestamp) -> String {
    let text = words(to.since(from));
    text.split(' ').take(2).collect::<Vec<_>>().join(" ")
}

fn full(time: Timestamp) -> String {
    stamp(time).map_or_else(String::new, |t| t.strftime("%-d %b %Y, %H:%M:%S UTC").to_string())
}

fn point(time: Timestamp, now: Timestamp) -> String {
    let (Some(t), Some(n)) = (stamp(time), stamp(now)) else { return time.rfc3339() };
    let days = time.0.div_euclid(DAY) - now.0.div_euclid(DAY);
    let form = match days {
        0 => "today %H:%M UTC",
        -6..=6 => "%a %H:%M UTC",
        _ if t.year() == n.year() => "%-d %b",
        _ => "%-d %b %Y",
    };
    t.strftime(form).to_string()
}

fn stamp(time: Timestamp) -> Option<jiff::Zoned> {
    jiff::Timestamp::from_second(time.0).ok().map(|t| t.to_zoned(jiff::tz::TimeZone::UTC))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_as_exact_as_it_is_near() {
        let now = Timestamp::parse_rfc3339("2026-11-20T14:30:00Z").unwrap();
        let say = |text: &str| point(Timestamp::parse_rfc3339(text).unwrap(), now);
        assert_eq!(say("2026-11-20T18:00:00Z"), "today 18:00 UTC");
        assert_eq!(say("2026-11-16T09:00:00Z"), "Mon 09:00 UTC");
        assert_eq!(say("2026-12-18T09:00:00Z"), "18 Dec");
        assert_eq!(say("2027-01-04T09:00:00Z"), "4 Jan 2027");
        let minute = Timestamp(now.0 - 150);
        assert!(ago(minute, now).into_string().contains("2 min ago"));
    }
}
