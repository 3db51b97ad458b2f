//! How much of how much.

use maud::{Markup, html};

/// A quantity read out of what a template's metadata command printed: `5.2/8 GB`, `38%`.
#[derive(Clone, Debug, PartialEq)]
pub struct Share {
    /// How much, of 100.
    pub percent: f64,
}

/// Finds a share in a text: a percentage, or a fraction of two numbers with the same unit.
#[must_use]
pub fn share(text: &str) -> Option<Share> {
    let within = |percent: f64| (0.0..=100.0).contains(&percent).then_some(Share { percent });
    if let Some((before, _)) = text.split_once('%') {
        return before.split_whitespace().last()?.parse().ok().and_then(within);
    }
    let (used, all) = text.split_once('/').or_else(|| text.split_once(" of "))?;
    let (used, used_unit) = number(used)?;
    let (all, unit) = number(all)?;
    let same = used_unit.is_empty() || used_unit == unit;
    (same && all > 0.0).then(|| used / all * 100.0).and_then(within)
}

/// A number and the unit that follows it.
fn number(text: &str) -> Option<(f64, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (digits, rest) = text.split_at_checked(end)?;
    let unit = rest.split_whitespace().next().unwrap_or_default();
    digits.parse().ok().map(|n| (n, unit))
}

/// A fact with a meter when it is a share of something.
#[must_use]
pub fn gauge(id: &str, label: &str, value: &str) -> Markup {
    html! {
        div class="gauge" id=(id) {
            span { (label) } span { (value) }
            @if let Some(share) = share(value) {
                meter min="0" max="100" low="75" high="92" optimum="0" value=(format!("{:.1}", share.percent)) aria-label=(label) { (value) }
            }
        }
    }
}

/// A number with a comma before each group of three digits.
#[must_use]
pub fn grouped(n: i64) -> String {
    let digits = n.unsigned_abs().to_string();
    let mut text = String::from(if n < 0 { "-" } else { "" });
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Bytes in the largest unit that keeps them above one.
#[must_use]
pub fn bytes(n: i64) -> String {
    let units = ["B", "KB", "MB", "GB", "TB"];
    #[expect(clippy::cast_precision_loss, reason = "shown with one digit after the point")]
    let mut size = n.max(0) as f64;
    let mut unit = "B";
    for next in units {
        unit = next;
        if size < 1000.0 {
            break;
        }
        if next != "TB" {
            size /= 1000.0;
        }
    }
    if unit == "B" || size >= 100.0 {
        format!("{size:.0} {unit}")
    } else {
        format!("{size:.1} {unit}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_read_from_what_commands_print() {
        let percent = |text: &str| share(text).map(|s| format!("{:.0}", s.percent));
        assert_eq!(percent("38%").as_deref(), Some("38"));
        assert_eq!(percent("5.2/8 GB").as_deref(), Some("65"));
        assert_eq!(percent("2.0 of 8.0 GiB").as_deref(), Some("25"));
        assert_eq!(percent("17.4 GB / 20 GB (87%)").as_deref(), None);
        assert_eq!(percent("512 MB/8 GB"), None);
        assert_eq!(percent("0.31 0.20 0.18"), None);
        assert_eq!(percent("9/0"), None);
    }

    #[test]
    fn bytes_have_one_digit_while_small() {
        assert_eq!(bytes(12), "12 B");
        assert_eq!(bytes(1_500), "1.5 KB");
        assert_eq!(bytes(17_400_000_000), "17.4 GB");
        assert_eq!(bytes(9_000_000_000_000_000), "9000 TB");
    }
}
