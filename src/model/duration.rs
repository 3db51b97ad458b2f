//! Durations as people type them: `90s`, `8h`, `1h30m`, `30d`.

use std::time::Duration;

/// Text that is not a duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration; write it as 90s, 8h, 1h30m or 30d")]
pub struct BadDuration(String);

/// Reads a duration. A bare `0` is zero.
///
/// # Errors
/// When the text is not one.
pub fn parse(text: &str) -> Result<Duration, BadDuration> {
    let bad = || BadDuration(text.to_owned());
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let mut rest = text.trim();
    let mut total = Duration::ZERO;
    if rest.is_empty() {
        return Err(bad());
    }
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit()).ok_or_else(bad)?;
        let (number, tail) = rest.split_at(digits);
        let unit_len = tail.find(|c: char| !c.is_ascii_alphabetic()).unwrap_or(tail.len());
        let (unit, next) = tail.split_at(unit_len);
        let number: u32 = number.parse().map_err(|_| bad())?;
        let one = match unit {
            "ms" => Duration::from_millis(1),
            "s" => Duration::from_secs(1),
            "m" => Duration::from_secs(60),
            "h" => Duration::from_secs(3_600),
            "d" => Duration::from_secs(86_400),
            "w" => Duration::from_secs(604_800),
            _ => return Err(bad()),
        };
        total = total.checked_add(one.checked_mul(number).ok_or_else(bad)?).ok_or_else(bad)?;
        rest = next;
    }
    Ok(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_sums_of_numbers_with_units() {
        let check = |text: &str, secs: Option<u64>| {
            assert_eq!(parse(text).ok(), secs.map(Duration::from_secs), "{text}");
        };
        check("90s", Some(90));
        check("1h30m", Some(5_400));
        check("720h0m0s", Some(2_592_000));
        check("30d", Some(2_592_000));
        check("0", Some(0));
        check("8", None);
        check("h", None);
        check("", None);
        check("1x", None);
    }
}
