//! Which sessions are recorded, and how: `[recording]` in the file.

use std::time::Duration;

use anyhow::{Context as _, bail};
use toml::Value;

use super::super::nearest;
use super::super::settings::Layers;
use crate::model::recording::{Policy, WhenFull};

/// The name of the table.
const TABLE: &str = "recording";
/// What may stand in it.
const KEYS: [&str; 5] = ["sessions", "input", "when_full", "keep_days", "keep_bytes"];
/// Seconds of a day.
const DAY_S: u64 = 86_400;
/// A hundred years, which is for ever.
const MAX_DAYS: u64 = 36_500;

/// Reads the settings; nothing is recorded when there are none.
///
/// # Errors
/// Names what is wrong in them.
pub(super) fn policy(layers: &mut Layers<'_>) -> anyhow::Result<Policy> {
    let told = layers.section(TABLE)?.unwrap_or_default();
    let policy = read(&told).context("In [recording]")?;
    for (key, value) in &told {
        let shown = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        layers.note(format!("{TABLE}.{key}"), shown, "file".to_owned());
    }
    Ok(policy)
}

fn read(told: &toml::Table) -> anyhow::Result<Policy> {
    let mut policy = Policy::default();
    for (key, value) in told {
        match key.as_str() {
            "sessions" => policy.sessions = is_on(key, value)?,
            "input" => policy.input = is_on(key, value)?,
            "when_full" => {
                let word = value.as_str().and_then(WhenFull::from_word);
                policy.when_full = word.context("when_full may be \"continue\" or \"end\"")?;
            }
            "keep_days" => {
                let days = number(key, value)?;
                if days > MAX_DAYS {
                    bail!("keep_days may be at most {MAX_DAYS}; 0 keeps recordings for ever");
                }
                policy.keep = Duration::from_secs(days * DAY_S);
            }
            "keep_bytes" => policy.keep_bytes = number(key, value)?,
            other => {
                let hint = nearest::hint(other, KEYS.into_iter());
                bail!("there is no setting {other:?}.{hint}");
            }
        }
    }
    Ok(policy)
}

fn is_on(key: &str, value: &Value) -> anyhow::Result<bool> {
    match (value.as_str(), value.as_bool()) {
        (Some("on"), _) | (_, Some(true)) => Ok(true),
        (Some("off"), _) | (_, Some(false)) => Ok(false),
        _ => bail!("{key} may be \"on\" or \"off\""),
    }
}

fn number(key: &str, value: &Value) -> anyhow::Result<u64> {
    let number = value.as_integer().and_then(|n| u64::try_from(n).ok());
    number.with_context(|| format!("{key} wants a number, 0 or more"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_told_is_read_and_what_is_wrong_is_named() {
        let read = |text: &str| read(&text.parse::<toml::Table>().unwrap());
        assert_eq!(read("").unwrap(), Policy::default());
        let told = "sessions = \"on\"\ninput = \"off\"\nwhen_full = \"end\"\nkeep_days = 2\nkeep_bytes = 0";
        let expected = Policy {
            sessions: true,
            input: false,
            when_full: WhenFull::End,
            keep: Duration::from_hours(48),
            keep_bytes: 0,
        };
        assert_eq!(read(told).unwrap(), expected);
        for (text, why) in [
            ("sessions = \"yes\"", "\"on\" or \"off\""),
            ("when_full = 3", "\"continue\" or \"end\""),
            ("keep_days = -1", "0 or more"),
            ("keep_days = 99999", "at most"),
            ("keep_day = 1", "keep_days"),
        ] {
            let said = format!("{:#}", read(text).unwrap_err());
            assert!(said.contains(why), "{text}: {said}");
        }
    }
}
