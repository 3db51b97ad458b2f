//! Schedules of presets, and whether two of a preset overlap.

use std::collections::BTreeSet;

const MONTHS: [&str; 12] =
    ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const WEEKDAYS: [&str; 7] = ["sun", "mon", "tue", "wed", "thu", "fri", "sat"];

/// Five fields of a preset's schedule: hours in which it holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hours {
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
    /// Reads five fields: `*`, numbers, names, ranges, steps and lists; the minute has to be `*`.
    ///
    /// # Errors
    /// Says which field is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let fields: Vec<&str> = text.split_whitespace().collect();
        let [minute, hours, days, months, weekdays] = fields.as_slice() else {
            return Err(format!("{text:?} has {} fields; five are needed", fields.len()));
        };
        if *minute != "*" {
            return Err(format!(
                "{text:?}: the minute has to be *, schedules hold for whole hours"
            ));
        }
        let field = |what, given, (min, max), names| {
            Field::parse(given, min, max, names).ok_or_else(|| {
                format!("{text:?}: the {what} {given:?} is not *, a number, a range, a step or a list from {min} to {max}")
            })
        };
        Ok(Self {
            hours: field("hour", hours, (0, 23), &[])?.values,
            days: field("day of the month", days, (1, 31), &[])?,
            months: field("month", months, (1, 12), &MONTHS)?.values,
            weekdays: field("day of the week", weekdays, (0, 6), &WEEKDAYS)?,
        })
    }

    /// Whether there is an hour in which both hold.
    pub fn overlaps(&self, other: &Self) -> bool {
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
    /// `names` are words for the numbers from `min` on.
    fn parse(text: &str, min: u32, max: u32, names: &[&str]) -> Option<Self> {
        let number = |word: &str| {
            let named = names.iter().position(|name| name.eq_ignore_ascii_case(word));
            let named = named.and_then(|i| Some(min + u32::try_from(i).ok()?));
            named.or_else(|| word.parse().ok())
        };
        let mut values = BTreeSet::new();
        for part in text.split(',') {
            let (range, step) = match part.split_once('/') {
                Some((range, step)) => (range, step.parse().ok().filter(|step| *step > 0)?),
                None => (part, 1),
            };
            let (from, to) = match range.split_once('-') {
                Some((from, to)) => (number(from)?, number(to)?),
                None if matches!(range, "*" | "?") => (min, max),
                None => (number(range)?, if step == 1 { number(range)? } else { max }),
            };
            if from < min || to > max || from > to {
                return None;
            }
            values.extend((from..=to).step_by(usize::try_from(step).ok()?));
        }
        Some(Self { any: matches!(text, "*" | "?"), values })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert!(!overlap("* 8-18 * * MON-FRI", "* 8-18 * * sat,sun"));
        assert!(!overlap("* */2 * * *", "* 1-23/2 * * *"));
        assert!(overlap("* */2 * jan *", "* 3/3 * 1-6 *"));
    }

    #[test]
    fn presets_schedule_whole_hours() {
        for bad in ["0 8 * * *", "* 8 * *", "* 24 * * *", "* 8-6 * * *", "* */0 * * *", "* 8 * * 7"]
        {
            assert!(Hours::parse(bad).is_err(), "{bad}");
        }
    }
}
