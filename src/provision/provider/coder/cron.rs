//! Schedules: six fields for scripts, five for presets, and whether two of a preset overlap.

use std::collections::BTreeSet;

use croner::parser::{CronParser, Seconds};

/// Words for whole schedules.
const WORDS: [&str; 7] =
    ["@yearly", "@annually", "@monthly", "@weekly", "@daily", "@midnight", "@hourly"];

/// Checks a schedule of six fields, seconds first, or a word.
///
/// # Errors
/// Says what is wrong, and for five fields what was probably meant.
pub(super) fn check_six(text: &str) -> Result<(), String> {
    if WORDS.contains(&text) || text.strip_prefix("@every ").is_some_and(is_go_duration) {
        return Ok(());
    }
    let fields = text.split_whitespace().count();
    if fields == 5 {
        return Err(format!(
            "{text:?} has five fields; six are needed, seconds first, such as \"0 {text}\""
        ));
    }
    let parser = CronParser::builder().seconds(Seconds::Required).build();
    parser.parse(text).map(drop).map_err(|e| format!("{text:?} is not a schedule: {e}"))
}

/// `1h30m`, as Go writes durations.
fn is_go_duration(text: &str) -> bool {
    let units = ["ns", "us", "ms", "s", "m", "h"];
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.trim_start_matches(|c: char| c.is_ascii_digit() || c == '.');
        let unit_end = digits.find(|c: char| c.is_ascii_digit()).unwrap_or(digits.len());
        let (unit, after) = digits.split_at(unit_end);
        if digits.len() == rest.len() || !units.contains(&unit) {
            return false;
        }
        rest = after;
    }
    !text.is_empty()
}

/// Five fields of a preset's schedule: hours in which it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Hours {
    hours: BTreeSet<u32>,
    days: Field,
    months: BTreeSet<u32>,
    weekdays: Field,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Field {
    any: bool,
    values: BTreeSet<u32>,
}

impl Hours {
    /// Reads five fields: `*`, numbers, ranges and lists; the minute has to be `*`.
    ///
    /// # Errors
    /// Says which field is wrong.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(format!("{text:?} has {} fields; five are needed", fields.len()));
        };
        if *minute != "*" {
            return Err(format!(
                "{text:?}: the minute has to be *, schedules hold for whole hours"
            ));
        }
        let field = |what, given, min, max| {
            Field::parse(given, min, max).ok_or_else(|| {
                format!("{text:?}: the {what} {given:?} is not *, a number, a range or a list from {min} to {max}")
            })
        };
        Ok(Self {
            hours: field("hour", hours, 0, 23)?.values,
            days: field("day of the month", days, 1, 31)?,
            months: field("month", months, 1, 12)?.values,
            weekdays: field("day of the week", weekdays, 0, 6)?,
        })
    }

    /// Whether there is an hour in which both hold.
    pub(super) fn overlaps(&self, other: &Self) -> bool {
        let meet = |a: &BTreeSet<u32>, b: &BTreeSet<u32>| a.intersection(b).next().is_some();
        let weekdays = meet(&self.weekdays.values, &other.weekdays.values);
        let days = meet(&self.days.values, &other.days.values);
        let days_meet = if self.days.any || other.days.any {
            weekdays
        } else if self.weekdays.any || other.weekdays.any {
            days
        } else {
            days || weekdays
        };
        days_meet && meet(&self.months, &other.months) && meet(&self.hours, &other.hours)
    }
}

impl Field {
    fn parse(text: &str, min: u32, max: u32) -> Option<Self> {
        if text == "*" {
            return Some(Self { any: true, values: (min..=max).collect() });
        }
        let mut values = BTreeSet::new();
        for part in text.split(',') {
            let (from, to) = part.split_once('-').unwrap_or((part, part));
            let (from, to): (u32, u32) = (from.parse().ok()?, to.parse().ok()?);
            if from < min || to > max || from > to {
                return None;
            }
            values.extend(from..=to);
        }
        Some(Self { any: false, values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scripts_have_six_fields_or_a_word() {
        for good in ["0 0 22 * * *", "*/5 * * * * *", "@daily", "@every 1h30m"] {
            assert_eq!(check_six(good), Ok(()), "{good}");
        }
        for bad in ["", "0 22 * * *", "a b c d e f", "0 0 25 * * *", "@never", "@every x"] {
            assert!(check_six(bad).is_err(), "{bad}");
        }
        assert!(check_six("0 22 * * *").unwrap_err().contains("\"0 0 22 * * *\""));
    }

    fn overlap(a: &str, b: &str) -> bool {
        Hours::parse(a).unwrap().overlaps(&Hours::parse(b).unwrap())
    }

    #[test]
    fn schedules_overlap_in_months_days_and_hours() {
        assert!(!overlap("* 8-12 * * 1-5", "* 13-18 * * 1-5"));
        assert!(overlap("* 8-13 * * 1-5", "* 13-18 * * 1-5"));
        assert!(!overlap("* 8-18 * * 1-5", "* 8-18 * * 0,6"));
        assert!(!overlap("* 8-18 * 1-6 *", "* 8-18 * 7-12 *"));
        assert!(overlap("* 8-18 1-15 * 1", "* 8-18 16-31 * 1"));
        assert!(!overlap("* 8-18 1-15 * 1", "* 8-18 16-31 * 2"));
    }

    #[test]
    fn presets_schedule_whole_hours() {
        for bad in ["0 8 * * *", "* 8 * *", "* 24 * * *", "* 8-6 * * *", "* */2 * * *", "* 8 * * 7"]
        {
            assert!(Hours::parse(bad).is_err(), "{bad}");
        }
    }
}
