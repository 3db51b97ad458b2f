//! Checks of single attributes of `coder/coder`.

use crate::model::cron;
use crate::provision::provider::schema::Verdict::{self, Bad, Fine};
use crate::provision::provider::value::Value;

fn accept(ok: bool, why: impl FnOnce() -> String) -> Verdict {
    if ok { Fine } else { Bad(why()) }
}

/// Makes a check that the text is one of a few words.
macro_rules! one_of {
    ($($word:literal),+ $(,)?) => {
        |value| $crate::provision::provider::coder::checks::in_words(value, &[$($word),+])
    };
}
pub(super) use one_of;

pub(super) fn in_words(value: &Value, words: &[&str]) -> Verdict {
    accept(words.contains(&value.text()), || {
        format!("expected one of {}, got {:?}", words.join(", "), value.text())
    })
}

/// A URL or a path: anything that parses as a URL reference, empty included.
pub(in crate::provision::provider) fn url(value: &Value) -> Verdict {
    let text = value.text();
    if text.chars().any(char::is_control) {
        return Bad(format!("{text:?} is not a URL: it holds a control character"));
    }
    let escapes = text.split('%').skip(1).all(|rest| {
        let mut digits = rest.chars();
        let hex = |c: Option<char>| c.is_some_and(|c| c.is_ascii_hexdigit());
        hex(digits.next()) && hex(digits.next())
    });
    accept(escapes && !text.starts_with(':'), || format!("{text:?} is not a URL"))
}

/// Not empty.
pub(super) fn not_empty(value: &Value) -> Verdict {
    accept(!value.text().is_empty(), || "must not be empty".to_owned())
}

/// Letters, digits and single hyphens between them, lower case.
pub(super) fn slug(value: &Value) -> Verdict {
    let text = value.text();
    let word =
        |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit());
    accept(text.split('-').all(word), || {
        format!("{text:?}: lower case letters, digits and single hyphens between them are allowed")
    })
}

/// The name of an environment variable.
pub(super) fn env_name(value: &Value) -> Verdict {
    let text = value.text();
    let mut chars = text.chars();
    let ok = chars.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_')
        && chars.all(|c| c.is_ascii_alphanumeric() || c == '_');
    accept(ok, || format!("{text:?} is not the name of an environment variable"))
}

/// The same, or empty.
pub(super) fn env_name_or_empty(value: &Value) -> Verdict {
    if value.text().is_empty() { Fine } else { env_name(value) }
}

/// The path of a secret file: from the root or from the home directory.
pub(super) fn secret_path(value: &Value) -> Verdict {
    let text = value.text();
    let ok = text.is_empty() || text.starts_with('/') || text.starts_with("~/");
    accept(ok, || format!("{text:?} must start with / or ~/"))
}

fn at_most(value: &Value, bytes: usize) -> Verdict {
    let len = value.text().len();
    accept(len <= bytes, || format!("is {len} bytes long; at most {bytes} are allowed"))
}

/// At most 64 bytes.
pub(super) fn short(value: &Value) -> Verdict {
    at_most(value, 64)
}

/// At most 128 bytes.
pub(super) fn sentence(value: &Value) -> Verdict {
    at_most(value, 128)
}

/// At most 2048 bytes.
pub(super) fn long(value: &Value) -> Verdict {
    at_most(value, 2048)
}

/// A URL of at most 256 bytes.
pub(super) fn short_url(value: &Value) -> Verdict {
    let verdict = url(value);
    if verdict == Fine { at_most(value, 256) } else { verdict }
}

/// An absolute path.
pub(super) fn absolute(value: &Value) -> Verdict {
    accept(value.text().starts_with('/'), || format!("{:?} is not absolute", value.text()))
}

/// A UUID.
pub(super) fn uuid(value: &Value) -> Verdict {
    let ok = uuid::Uuid::parse_str(value.text()).is_ok();
    accept(ok, || format!("{:?} is not a UUID", value.text()))
}

fn within(value: &Value, min: i64, max: i64) -> Verdict {
    let n = value.int();
    accept(n.is_some_and(|n| (min..=max).contains(&n)), || match (min, max) {
        (i64::MIN, i64::MAX) => "expected a whole number".to_owned(),
        (_, i64::MAX) => format!("expected a whole number of at least {min}"),
        _ => format!("expected a whole number from {min} to {max}"),
    })
}

/// A whole number.
pub(super) fn whole(value: &Value) -> Verdict {
    within(value, i64::MIN, i64::MAX)
}

/// 0 or more.
pub(super) fn not_negative(value: &Value) -> Verdict {
    within(value, 0, i64::MAX)
}

/// 1 or more.
pub(super) fn positive(value: &Value) -> Verdict {
    within(value, 1, i64::MAX)
}

/// 0 to 100.
pub(super) fn percent(value: &Value) -> Verdict {
    within(value, 0, 100)
}

/// 0, or an hour to a year in seconds.
pub(super) fn time_to_live(value: &Value) -> Verdict {
    accept(matches!(value.int(), Some(0 | 3_600..=31_536_000)), || {
        "must be 0, or from 3600 to 31536000 seconds".to_owned()
    })
}

/// Five or six fields, or a word such as `@daily`; a time zone may stand before them.
pub(super) fn schedule(value: &Value) -> Verdict {
    let text = value.text();
    match cron::check(text) {
        Ok(()) => Fine,
        Err(why) => Bad(format!("{text:?} is not a schedule: {why}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_checked() {
        let check = |check: fn(&Value) -> Verdict, text: &str, ok: bool| {
            assert_eq!(check(&text.into()) == Fine, ok, "{text}");
        };
        check(slug, "code-server-2", true);
        check(slug, "code--server", false);
        check(slug, "Code", false);
        check(url, "", true);
        check(url, "/icon/a%20b.svg", true);
        check(url, "http://h/%zz", false);
        check(url, "a\nb", false);
        check(env_name, "_A1", true);
        check(env_name, "1A", false);
        check(secret_path, "~/x", true);
        check(secret_path, "x", false);
        check(one_of!("a", "b"), "b", true);
        check(one_of!("a", "b"), "c", false);
    }

    #[test]
    fn numbers_are_checked() {
        assert_eq!(percent(&Value::Int(100)), Fine);
        assert_ne!(percent(&Value::Int(101)), Fine);
        assert_ne!(positive(&Value::Float(1.5)), Fine);
        assert_eq!(time_to_live(&Value::Int(0)), Fine);
        assert_ne!(time_to_live(&Value::Int(60)), Fine);
    }
}
