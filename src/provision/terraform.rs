//! Finding Terraform or OpenTofu, and whether it will do.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::AsyncReadExt as _;

use super::Settings;
use super::job::Failure;

/// The oldest that works: graphs and plans as they are read here.
const OLDEST: (u32, u32) = (1, 5);

/// Names of the program, the first that is found is taken.
const NAMES: [&str; 2] = ["terraform", "tofu"];

/// How long it may take to tell its version, on the busiest machine.
const VERSION_PATIENCE: Duration = Duration::from_secs(60);
/// Longest answer about its version.
const MAX_VERSION_BYTES: u64 = 64 << 10;

/// A Terraform that will do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Terraform {
    pub path: PathBuf,
    /// `Terraform 1.11.4`.
    pub words: String,
    file: File,
}

/// Which file a program is: it changes when the program is replaced.
#[derive(Clone, Debug, PartialEq, Eq)]
struct File {
    inode: (u64, u64),
    size: u64,
    changed: (i64, i64),
}

/// Finds the program; asks it for its version the first time and after it was replaced.
#[derive(Clone, Default)]
pub(super) struct Finder(Arc<Mutex<Option<Terraform>>>);

impl Finder {
    pub(super) async fn find(&self, settings: &Settings) -> Result<Terraform, Failure> {
        let path = locate(settings)?;
        let file = File::at(&path)?;
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner).clone();
        if let Some(known) = known.filter(|known| known.path == path && known.file == file) {
            return Ok(known);
        }
        let words = ask(settings, &path).await?;
        let found = Terraform { path, words, file };
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Some(found.clone());
        Ok(found)
    }
}

impl File {
    fn at(path: &Path) -> Result<Self, Failure> {
        let metadata = std::fs::metadata(path)
            .map_err(|e| missing(&format!("{} cannot be read: {e}", path.display())))?;
        Ok(Self {
            inode: (metadata.dev(), metadata.ino()),
            size: metadata.len(),
            changed: (metadata.ctime(), metadata.ctime_nsec()),
        })
    }
}

/// What it prints about its version, and nothing but the first of it.
async fn printed(mut command: tokio::process::Command) -> std::io::Result<Vec<u8>> {
    let mut child = command.spawn()?;
    let mut out = Vec::new();
    if let Some(from) = child.stdout.take() {
        from.take(MAX_VERSION_BYTES).read_to_end(&mut out).await?;
    }
    Ok(out)
}

/// Asks the program at `path` for its version.
async fn ask(settings: &Settings, path: &Path) -> Result<String, Failure> {
    let refuse =
        |why: String| Failure::NoTerraform(format!("{} cannot be used: {why}", path.display()));
    let mut command = tokio::process::Command::new(path);
    command
        .args(["version", "-json"])
        .env_clear()
        .env("PATH", &settings.search_path)
        .env("CHECKPOINT_DISABLE", "1")
        .env("TF_CLI_CONFIG_FILE", "/dev/null")
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .kill_on_drop(true);
    let patience = VERSION_PATIENCE.min(settings.time_limit);
    let printed = tokio::time::timeout(patience, printed(command))
        .await
        .map_err(|_| {
            let time = crate::model::time::words(patience);
            refuse(format!("it did not tell its version within {time}"))
        })?
        .map_err(|e| refuse(e.to_string()))?;
    let answer: serde_json::Value = serde_json::from_slice(&printed)
        .map_err(|_| refuse("it does not tell its version".to_owned()))?;
    let version = answer
        .get("terraform_version")
        .and_then(serde_json::Value::as_str)
        .ok_or_else(|| refuse("it does not tell its version".to_owned()))?;
    if parse(version).is_none_or(|v| v < OLDEST) {
        return Err(refuse(format!(
            "it is version {version}; {}.{} or newer is needed",
            OLDEST.0, OLDEST.1
        )));
    }
    let is_tofu = path.file_name().is_some_and(|n| n.to_string_lossy().contains("tofu"));
    let name = if is_tofu { "OpenTofu" } else { "Terraform" };
    Ok(format!("{name} {version}"))
}

fn parse(version: &str) -> Option<(u32, u32)> {
    let mut parts = version.split('.');
    Some((parts.next()?.parse().ok()?, parts.next()?.parse().ok()?))
}

fn locate(settings: &Settings) -> Result<PathBuf, Failure> {
    if let Some(path) = &settings.terraform {
        return if is_program(path) {
            Ok(path.clone())
        } else {
            Err(missing(&format!("There is no program at {}", path.display())))
        };
    }
    let dirs = settings.search_path.split(':').filter(|dir| !dir.is_empty());
    dirs.flat_map(|dir| NAMES.map(|name| Path::new(dir).join(name)))
        .find(|path| is_program(path))
        .ok_or_else(|| missing("Neither terraform nor tofu is on the server's PATH"))
}

fn missing(what: &str) -> Failure {
    Failure::NoTerraform(format!(
        "{what}. Install Terraform {}.{} or newer (https://developer.hashicorp.com/terraform/install) \
         or OpenTofu (https://opentofu.org/docs/intro/install), or name it with --terraform",
        OLDEST.0, OLDEST.1
    ))
}

fn is_program(path: &Path) -> bool {
    std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        assert!(parse("1.11.4").unwrap() >= OLDEST);
        assert!(parse("1.4.6").unwrap() < OLDEST);
        assert!(parse("0.15.0").unwrap() < OLDEST);
        assert_eq!(parse("x"), None);
    }
}
