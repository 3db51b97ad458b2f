//! Days of the week and times of day as people write them: `mon-fri`, `sat,sun`, `09:00`.

use std::fmt;

/// The days as they are written, Monday first.
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
/// Every day of the week.
pub const DAILY: Days = Days(0x7f);
/// Minutes of a day.
pub const DAY_MINUTES: u16 = 24 * 60;

/// Days of the week: the lowest bit is Monday.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Days(pub u8);

/// A time of day in minutes after midnight.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay(pub u16);

/// A day by its name, Monday as 0.
#[must_use]
pub fn day(text: &str) -> Option<u8> {
    let place = DAYS.iter().position(|day| day.eq_ignore_ascii_case(text))?;
    u8::try_from(place).ok()
}

impl Days {
    /// Reads `mon`, `mon-fri`, `sat,sun`, `daily`. Past Sunday a span goes on with Monday.
    ///
    /// # Errors
    /// With the word that is no day.
    pub fn parse(text: &str) -> Result<Self, &str> {
        if text.eq_ignore_ascii_case("daily") {
            return Ok(DAILY);
        }
        text.split(',').try_fold(Self::default(), |Self(all), part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            let (first, last) = (day(first).ok_or(first)?, day(last).ok_or(last)?);
            let n = (last + 7 - first) % 7;
            Ok(Self((0..=n).fold(all, |all, i| all | 1 << ((first + i) % 7))))
        })
    }

    /// Whether a day is among them, Monday as 0.
    #[must_use]
    pub const fn contains(self, day: u8) -> bool {
        (self.0 >> day) & 1 == 1
    }
}

/// Three days or more in a row are a span.
impl fmt::Display for Days {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_in = |day: usize| u8::try_from(day).is_ok_and(|day| self.contains(day));
        let mut comma = "";
        for (at, name) in DAYS.iter().enumerate().filter(|(at, _)| is_in(*at)) {
            let goes_on = is_in(at + 1);
            let is_second = at > 0 && is_in(at - 1);
            let is_inner = is_second && goes_on;
            if is_inner {
                continue;
            }
            let is_end_of_span = is_second && at > 1 && is_in(at - 2);
            f.write_str(if is_end_of_span { "-" } else { comma })?;
            f.write_str(name)?;
            comma = ",";
        }
        Ok(())
    }
}

impl TimeOfDay {
    /// Reads `9:00` and `09:00`; `24:00` is the end of a day.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hours, minutes) = text.split_once(':')?;
        let is_number = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
        if hours.len() > 2 || minutes.len() != 2 || !is_number(hours) || !is_number(minutes) {
            return None;
        }
        let (hours, minutes): (u16, u16) = (hours.parse().ok()?, minutes.parse().ok()?);
        let all = hours * 60 + minutes;
        (minutes < 60 && all <= DAY_MINUTES).then_some(Self(all))
    }
}

impl fmt::Display for TimeOfDay {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}:{:02}", self.0 / 60, self.0 % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_set_of_days_is_read_as_it_is_written() {
        for set in 1..=DAILY.0 {
            assert_eq!(Days::parse(&Days(set).to_string()), Ok(Days(set)));
        }
        let said = |text: &str, again: &str| {
            assert_eq!(Days::parse(text).map(|days| days.to_string()), Ok(again.to_owned()));
        };
        said("Mon", "mon");
        said("mon,tue", "mon,tue");
        said("mon,tue,wed,fri", "mon-wed,fri");
        said("fri-mon", "mon,fri-sun");
        said("daily", "mon-sun");
        for (text, word) in [("", ""), ("mon-", ""), ("mon,x", "x"), ("someday", "someday")] {
            assert_eq!(Days::parse(text), Err(word));
        }
    }

    #[test]
    fn a_time_of_day_is_read_and_written() {
        let said = |text: &str| TimeOfDay::parse(text).map(|time| time.to_string());
        assert_eq!(said("9:05").as_deref(), Some("09:05"));
        assert_eq!(said("24:00").as_deref(), Some("24:00"));
        for text in ["", "9", "9:5", "24:01", "09:60", "+9:00", ":00", "009:00", "9:00:00"] {
            assert_eq!(said(text), None, "{text}");
        }
    }
}
