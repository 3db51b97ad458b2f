//! Autostart schedules: five cron fields with an optional time zone, as Coder writes them.

/// Longest schedule kept.
const MAX: usize = 128;

/// Why a text is not a schedule.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct BadSchedule(String);

/// Checks `CRON_TZ=Europe/Berlin 30 9 * * 1-5`: minute, hour, any day of the month, any month, weekdays.
///
/// # Errors
/// Says what is wrong with the text and what would fit.
pub fn check(text: &str) -> Result<(), BadSchedule> {
    let bad = |why: &str| Err(BadSchedule(why.to_owned()));
    if text.len() > MAX {
        return bad("is too long");
    }
    let (zone, fields) = match text.strip_prefix("CRON_TZ=") {
        Some(rest) => rest.split_once(' ').unwrap_or((rest, "")),
        None => ("UTC", text),
    };
    if jiff::tz::TimeZone::get(zone).is_err() {
        return bad(&format!("{zone:?} is not a time zone; write one such as Europe/Berlin"));
    }
    let parts: Vec<&str> = fields.split_whitespace().collect();
    let &[_, _, "*", "*", _] = parts.as_slice() else {
        return bad("wants five fields, minute hour * * weekday, such as 30 9 * * 1-5");
    };
    match croner::parser::CronParser::new().parse(fields) {
        Ok(_) => Ok(()),
        Err(e) => bad(&format!("cannot be read: {e}")),
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn schedules_name_a_minute_an_hour_and_weekdays() {
        let check = |text: &str, ok: bool| assert_eq!(super::check(text).is_ok(), ok, "{text}");
        check("CRON_TZ=Europe/Berlin 30 9 * * 1-5", true);
        check("0 8 * * *", true);
        check("0 8 * * MON,FRI", true);
        check("CRON_TZ=Mars/Base 0 8 * * *", false);
        check("0 8 1 * *", false);
        check("61 8 * * *", false);
        check("0 8 * *", false);
        check("", false);
    }
}
