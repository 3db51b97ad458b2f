//! Weekly windows as people type them: `mon-fri 09:00-17:00 Europe/Berlin`.

use std::collections::BTreeSet;

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use super::policy::condition::Hours;

/// The longest window that is kept.
pub const MAX: usize = 128;
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// Text that is no window.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}; write days, hours and a time zone: mon-fri 09:00-17:00 Europe/Berlin")]
pub struct BadWindow(String);

/// Reads a window: days and spans of days by commas, hours that may go past midnight (they are of the
/// day on which they begin), and a time zone, UTC when it is left out.
///
/// # Errors
/// Says what is wrong with the text.
pub fn parse(text: &str) -> Result<Hours, BadWindow> {
    let bad = |why: String| BadWindow(why);
    if text.len() > MAX {
        return Err(bad("this is too long".to_owned()));
    }
    let mut parts = text.split_ascii_whitespace();
    let (Some(days), Some(hours)) = (parts.next(), parts.next()) else {
        return Err(bad(format!("{text:?} is not a weekly window")));
    };
    let zone = parts.next().unwrap_or("UTC");
    if let Some(more) = parts.next() {
        return Err(bad(format!("{more:?} is not expected after the time zone")));
    }
    let zone = TimeZone::get(zone).map_err(|_| bad(format!("{zone:?} is not a time zone")))?;
    let Some((from, to)) = hours.split_once('-') else {
        return Err(bad(format!("{hours:?} are no hours")));
    };
    let (from, to) = (time(from)?, time(to)?);
    Ok(Hours { zone, days: days_of(days)?, from, to })
}

/// A window as [`parse`] reads it, and as it is kept.
#[must_use]
pub fn words(hours: &Hours) -> String {
    let day = |index: usize| DAYS.get(index).map_or("", |(short, _)| *short);
    let mut spans: Vec<(usize, usize)> = Vec::new();
    for (index, (_, weekday)) in DAYS.iter().enumerate() {
        if !hours.days.contains(weekday) {
            continue;
        }
        match spans.last_mut() {
            Some((_, last)) if *last + 1 == index => *last = index,
            Some(_) | None => spans.push((index, index)),
        }
    }
    let spans: Vec<String> = spans
        .into_iter()
        .map(|(first, last)| match last - first {
            0 => day(first).to_owned(),
            1 => format!("{},{}", day(first), day(last)),
            _ => format!("{}-{}", day(first), day(last)),
        })
        .collect();
    let zone = hours.zone.iana_name().unwrap_or("UTC");
    let time = |time: Time| format!("{:02}:{:02}", time.hour(), time.minute());
    format!("{} {}-{} {zone}", spans.join(","), time(hours.from), time(hours.to))
}

fn time(text: &str) -> Result<Time, BadWindow> {
    let bad = || BadWindow(format!("{text:?} is not a time of day"));
    let (hour, minute) = text.split_once(':').ok_or_else(bad)?;
    let is_number = |part: &str| part.len() <= 2 && part.bytes().all(|b| b.is_ascii_digit());
    if !is_number(hour) || !is_number(minute) {
        return Err(bad());
    }
    let (hour, minute) = (hour.parse().map_err(|_| bad())?, minute.parse().map_err(|_| bad())?);
    // Midnight at the end of a day is the one at the beginning of the next.
    let hour = if (hour, minute) == (24, 0) { 0 } else { hour };
    Time::new(hour, minute, 0, 0).map_err(|_| bad())
}

fn days_of(text: &str) -> Result<Vec<Weekday>, BadWindow> {
    let position = |name: &str| {
        let name = name.to_ascii_lowercase();
        DAYS.iter()
            .position(|(short, _)| *short == name)
            .ok_or_else(|| BadWindow(format!("{name:?} is not a day")))
    };
    let mut chosen = BTreeSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (position(first)?, position(last)?);
        // Past Sunday it goes on with Monday.
        let last = if last < first { last + DAYS.len() } else { last };
        chosen.extend((first..=last).map(|index| index % DAYS.len()));
    }
    let days = DAYS.iter().enumerate().filter(|(index, _)| chosen.contains(index));
    Ok(days.map(|(_, (_, weekday))| *weekday).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_are_read_and_said_again() {
        let same = |text: &str| assert_eq!(words(&parse(text).unwrap()), text);
        same("mon-fri 09:00-17:00 Europe/Berlin");
        same("mon,wed,sat,sun 22:00-06:30 UTC");
        same("mon-sun 00:00-00:00 Asia/Kathmandu");
        let said = |text: &str, as_: &str| assert_eq!(words(&parse(text).unwrap()), as_);
        said("Mon 9:00-24:00", "mon 09:00-00:00 UTC");
        said("fri-mon 8:00-9:30 America/New_York", "mon,fri-sun 08:00-09:30 America/New_York");
        said("mon,mon,tue 8:00-9:00", "mon,tue 08:00-09:00 UTC");
    }

    #[test]
    fn what_is_no_window_is_said() {
        for (text, why) in [
            ("", "not a weekly window"),
            ("mon-fri", "not a weekly window"),
            ("someday 09:00-17:00", "not a day"),
            ("mon 9-17", "not a time of day"),
            ("mon 09:00-25:00", "not a time of day"),
            ("mon 09:00-+7:00", "not a time of day"),
            ("mon 09:00", "are no hours"),
            ("mon 09:00-17:00 Mars/Base", "not a time zone"),
            ("mon 09:00-17:00 UTC now", "not expected"),
        ] {
            let error = parse(text).unwrap_err().to_string();
            assert!(error.contains(why), "{text}: {error}");
        }
    }
}
