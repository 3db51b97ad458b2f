//! How handoffs, lengths and restrictions are written: `mon 09:00`, `1w`, `mon-fri 18:00-08:00`.

use std::fmt;
use std::str::FromStr;

use super::{Handoff, Length, Restriction, Unit};
use crate::model::week::{DAILY, DAY_MINUTES, DAYS, Days, TimeOfDay, day};

/// The longest turn in hours: twelve weeks.
const MAX_HOURS: i64 = 12 * 168;

/// What is wrong with a text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadText(&'static str);

const BAD_HANDOFF: BadText = BadText("must be a time such as 09:00 or mon 09:00");
const BAD_LENGTH: BadText = BadText("must be hours, days or weeks, such as 12h, 1d or 2w");
const TOO_LONG: BadText = BadText("must be an hour to twelve weeks");
const BAD_RESTRICTION: BadText = BadText("must be hours such as mon-fri 18:00-08:00");

impl FromStr for Handoff {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let words: Vec<&str> = text.split_whitespace().collect();
        let (weekday, time) = match words.as_slice() {
            [time] => (None, *time),
            [weekday, time] => (Some(day(weekday).ok_or(BAD_HANDOFF)?), *time),
            _ => return Err(BAD_HANDOFF),
        };
        let minute = minute(time).filter(|m| *m < DAY_MINUTES).ok_or(BAD_HANDOFF)?;
        Ok(Self { weekday, minute })
    }
}

impl fmt::Display for Handoff {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(day) = self.weekday.and_then(|d| DAYS.get(usize::from(d))) {
            write!(f, "{day} ")?;
        }
        TimeOfDay(self.minute).fmt(f)
    }
}

impl FromStr for Length {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let text = text.trim();
        let (number, unit) =
            text.split_at_checked(text.len().saturating_sub(1)).ok_or(BAD_LENGTH)?;
        let unit = match unit {
            "h" => Unit::Hours,
            "d" => Unit::Days,
            "w" => Unit::Weeks,
            _ => return Err(BAD_LENGTH),
        };
        if number.is_empty() || !number.bytes().all(|b| b.is_ascii_digit()) {
            return Err(BAD_LENGTH);
        }
        let length = Self { n: number.parse().map_err(|_| TOO_LONG)?, unit };
        if (1..=MAX_HOURS).contains(&length.hours()) { Ok(length) } else { Err(TOO_LONG) }
    }
}

impl fmt::Display for Length {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let unit = match self.unit {
            Unit::Hours => 'h',
            Unit::Days => 'd',
            Unit::Weeks => 'w',
        };
        write!(f, "{}{unit}", self.n)
    }
}

impl FromStr for Restriction {
    type Err = BadText;

    fn from_str(text: &str) -> Result<Self, BadText> {
        let read = || {
            let (on, hours) = text.trim().split_once(char::is_whitespace)?;
            let (from, until) = hours.trim().split_once('-')?;
            let (from, until) = (minute(from.trim())?, minute(until.trim())?);
            (from < DAY_MINUTES).then_some(Self { days: Days::parse(on).ok()?.0, from, until })
        };
        read().ok_or(BAD_RESTRICTION)
    }
}

impl fmt::Display for Restriction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let days = Days(self.days);
        let names = if days == DAILY { "daily".to_owned() } else { days.to_string() };
        write!(f, "{names} {}-{}", TimeOfDay(self.from), TimeOfDay(self.until))
    }
}

fn minute(text: &str) -> Option<u16> {
    TimeOfDay::parse(text).map(|time| time.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        fn check<T: FromStr<Err = BadText> + fmt::Display>(text: &str, again: &str) {
            let read: T = text.parse().unwrap_or_else(|e| panic!("{text}: {e}"));
            assert_eq!(read.to_string(), again);
            assert_eq!(again.parse::<T>().unwrap().to_string(), again);
        }
        check::<Handoff>("Mon 09:00", "mon 09:00");
        check::<Handoff>(" 0:30 ", "00:30");
        check::<Length>("1w", "1w");
        check::<Length>("12h", "12h");
        check::<Restriction>("mon-fri 18:00-08:00", "mon-fri 18:00-08:00");
        check::<Restriction>("fri-mon 09:00 - 24:00", "mon,fri-sun 09:00-24:00");
        check::<Restriction>("daily 00:00-24:00", "daily 00:00-24:00");
    }

    #[test]
    fn what_is_no_such_thing_is_refused() {
        for text in ["", "9", "24:00", "mon", "mon 09:00 x", "moon 09:00", "09:60", "+9:00"] {
            assert_eq!(text.parse::<Handoff>(), Err(BAD_HANDOFF), "{text}");
        }
        for text in ["", "h", "1", "1m", "0h", "13w", "1.5d", "-1d", "99999w", "1ü"] {
            text.parse::<Length>().unwrap_err();
        }
        for text in ["", "mon", "mon 9-17", "mon 09:00", "mon-x 09:00-17:00", "mon 24:00-25:00"] {
            assert_eq!(text.parse::<Restriction>(), Err(BAD_RESTRICTION), "{text}");
        }
    }
}
