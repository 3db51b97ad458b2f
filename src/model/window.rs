//! Weekly windows as people type them: `mon-fri 09:00-17:00 Europe/Berlin`.

use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;

use super::policy::condition::Hours;
use super::week::{DAY_MINUTES, Days, TimeOfDay};

/// The longest window that is kept.
pub const MAX: usize = 128;

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
    Ok(Hours { zone, days: self::days(days)?, from, to })
}

/// A window as [`parse`] reads it, and as it is kept.
#[must_use]
pub fn words(hours: &Hours) -> String {
    let days = hours.days.iter().fold(0, |all, day| all | 1 << day.to_monday_zero_offset());
    let zone = hours.zone.iana_name().unwrap_or("UTC");
    let time = |time: Time| format!("{:02}:{:02}", time.hour(), time.minute());
    format!("{} {}-{} {zone}", Days(days), time(hours.from), time(hours.to))
}

fn time(text: &str) -> Result<Time, BadWindow> {
    let bad = || BadWindow(format!("{text:?} is not a time of day"));
    // Midnight at the end of a day is the one at the beginning of the next.
    let minute = TimeOfDay::parse(text).ok_or_else(bad)?.0 % DAY_MINUTES;
    let part = |n: u16| i8::try_from(n).unwrap_or_default();
    Time::new(part(minute / 60), part(minute % 60), 0, 0).map_err(|_| bad())
}

fn days(text: &str) -> Result<Vec<Weekday>, BadWindow> {
    let days = Days::parse(text).map_err(|word| BadWindow(format!("{word:?} is not a day")))?;
    let week = (0..7).filter_map(|day| Weekday::from_monday_zero_offset(day).ok());
    Ok(week.filter(|day| days.contains(day.to_monday_zero_offset().unsigned_abs())).collect())
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
