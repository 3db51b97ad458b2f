//! What an agent remembers of an update over the end of its process: a file in its state directory.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::agent::output::Left;

/// The file's name.
const FILE: &str = "update.json";
/// A new program may be started so often before it is taken back: it ends before it connects.
const MAX_STARTS: u32 = 3;
/// A version that was taken back is tried again after this long, then after twice as long, and so
/// on: the server may have been away just then.
const AGAIN_AFTER: Duration = Duration::from_secs(60 * 60);
/// The longest such pause.
const AGAIN_AT_LAST: Duration = Duration::from_secs(24 * 60 * 60);

/// An update that is on trial, or was taken back.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Record {
    /// The version that was put in place.
    pub version: String,
    /// How often it was started.
    pub starts: u32,
    /// How often it was taken back.
    pub failures: u32,
    /// When that was last, in milliseconds since the epoch; none while it is on trial.
    pub failed_at_ms: Option<i64>,
    /// What the program before has left open for the next in its process.
    #[serde(default)]
    pub left: Option<Leaving>,
}

/// What one program leaves to the next.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Leaving {
    /// The process; in any other one these are not open.
    process: u32,
    /// What scripts print into.
    pipes: Vec<Left>,
}

impl Record {
    /// Reads it; none when there is none, or nothing that can be read.
    #[must_use]
    pub fn read(state_dir: &Path) -> Option<Self> {
        serde_json::from_slice(&std::fs::read(path(state_dir)).ok()?).ok()
    }

    /// Writes it, whole or not at all.
    ///
    /// # Errors
    /// When that cannot be done.
    pub fn write(&self, state_dir: &Path) -> io::Result<()> {
        let part = path(state_dir).with_extension("part");
        std::fs::write(&part, serde_json::to_vec(self)?)?;
        std::fs::rename(part, path(state_dir))
    }

    /// A new version is put in place, after what is known of earlier tries.
    #[must_use]
    pub fn trial(version: &str, before: Option<&Self>) -> Self {
        let failures = before.filter(|b| b.version == version).map_or(0, |b| b.failures);
        Self { version: version.to_owned(), starts: 0, failures, failed_at_ms: None, left: None }
    }

    /// It was taken back.
    #[must_use]
    pub fn failed(self, now_ms: i64) -> Self {
        let failures = self.failures.saturating_add(1);
        Self { failures, failed_at_ms: Some(now_ms), ..self }
    }

    /// With what this program leaves open.
    #[must_use]
    pub fn leaving(self, pipes: Vec<Left>) -> Self {
        Self { left: Some(Leaving { process: std::process::id(), pipes }), ..self }
    }

    /// What the program before left open in this process, once.
    pub fn take_left(&mut self) -> Vec<Left> {
        let left = self.left.take().filter(|left| left.process == std::process::id());
        left.map(|left| left.pipes).unwrap_or_default()
    }

    /// Whether this version is on trial.
    #[must_use]
    pub fn is_trial_of(&self, version: &str) -> bool {
        self.failed_at_ms.is_none() && self.version == version
    }

    /// Whether it was started so often that it cannot be well.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        self.starts > MAX_STARTS
    }

    /// Whether a version may be put in place now.
    #[must_use]
    pub fn allows(&self, version: &str, now_ms: i64) -> bool {
        let Some(failed_at) = self.failed_at_ms.filter(|_| self.version == version) else {
            return true;
        };
        let doubled = 2_u32.saturating_pow(self.failures.saturating_sub(1));
        let pause = AGAIN_AFTER.saturating_mul(doubled).min(AGAIN_AT_LAST);
        let past = u64::try_from(now_ms.saturating_sub(failed_at)).unwrap_or(0);
        Duration::from_millis(past) >= pause
    }
}

/// Forgets an update: it is well.
pub fn forget(state_dir: &Path) {
    let _ = std::fs::remove_file(path(state_dir));
}

fn path(state_dir: &Path) -> PathBuf {
    state_dir.join(FILE)
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: i64 = 3_600_000;

    #[test]
    fn a_version_that_failed_is_tried_again_after_ever_longer() {
        let first = Record::trial("1.0.1", None);
        assert!(first.is_trial_of("1.0.1") && !first.is_trial_of("1.0.0"));
        let failed = first.failed(0);
        assert!(!failed.is_trial_of("1.0.1"));
        assert!(!failed.allows("1.0.1", HOUR - 1) && failed.allows("1.0.1", HOUR));
        assert!(failed.allows("1.0.2", 0), "another one may be better");
        let again = Record::trial("1.0.1", Some(&failed)).failed(HOUR);
        assert!(!again.allows("1.0.1", 2 * HOUR) && again.allows("1.0.1", 3 * HOUR));
        let often = Record { failures: 40, ..again };
        assert!(often.allows("1.0.1", 25 * HOUR));
        assert!(!often.allows("1.0.1", -HOUR), "the clock was set back");
    }

    #[test]
    fn it_is_remembered() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(Record::read(dir.path()), None);
        let record = Record { starts: 4, ..Record::trial("1.0.1", None) };
        record.write(dir.path()).unwrap();
        assert_eq!(Record::read(dir.path()), Some(record.clone()));
        assert!(record.is_hopeless());
        forget(dir.path());
        assert_eq!(Record::read(dir.path()), None);
    }
}
