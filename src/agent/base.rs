//! What every part of an agent is handed: who it is, where it keeps things, how it reports.

use std::io::ErrorKind;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, symlink};
use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::clock::{Clock, Entropy};
use crate::tasks::Tasks;

use super::Options;
use super::account::Account;
use super::busy::Busy;
use super::env::SYNC_DIR;
use super::output::Outputs;
use super::reports::Reports;

/// The ground the parts of an agent stand on. Clones are the same.
#[derive(Clone)]
pub struct Base {
    /// The account it runs as.
    pub account: Account,
    /// Its secret, for scripts.
    pub token: String,
    /// Its private directory.
    pub state_dir: PathBuf,
    /// Where it tells what happens.
    pub reports: Reports,
    /// Time.
    pub clock: Clock,
    /// Chance.
    pub entropy: Entropy,
    /// Everything it does at the same time.
    pub tasks: Tasks,
    /// Scripts that run.
    pub busy: Busy,
    /// What scripts print.
    pub outputs: Outputs,
}

impl Base {
    /// Prepares the state directory and finds out who the agent is.
    ///
    /// # Errors
    /// When the state directory cannot be made.
    pub fn prepare(options: &Options, clock: Clock, entropy: Entropy) -> anyhow::Result<Self> {
        let state_dir = state_dir(&options.state_dir, &std::env::temp_dir(), &options.token)?;
        let bin_dir = state_dir.join("bin");
        for name in ["coder", "steading"] {
            link(&options.binary, &bin_dir.join(name)).context("Linking the program")?;
        }
        // What scripts of an earlier life said to each other.
        let _ = std::fs::remove_dir_all(state_dir.join(SYNC_DIR));
        private_dir(&state_dir.join(SYNC_DIR)).context("Making a directory for scripts")?;
        // Scripts of an earlier life of the agent, with what secrets they held.
        let _ = std::fs::remove_dir_all(state_dir.join("scripts"));
        Ok(Self {
            account: Account::of_this_process(
                options.environment.clone(),
                bin_dir,
                options.url.as_str().trim_end_matches('/').to_owned(),
            ),
            token: options.token.clone(),
            state_dir,
            reports: Reports::new(clock.clone()),
            clock,
            entropy,
            tasks: Tasks::new(),
            busy: Busy::default(),
            outputs: Outputs::default(),
        })
    }
}

/// The wanted directory; another one where that cannot be made: a home may be missing or read-only.
/// It is the same one in each life of the agent.
fn state_dir(wanted: &Path, elsewhere: &Path, token: &str) -> anyhow::Result<PathBuf> {
    let Err(error) = private_dir(&wanted.join("bin")) else { return Ok(wanted.to_owned()) };
    let uid = rustix::process::geteuid().as_raw();
    let hash = hex::encode(Sha256::digest(token.as_bytes()));
    let name = format!("steading-agent-{uid}-{}", hash.get(..16).unwrap_or(&hash));
    let instead = elsewhere.join(name);
    tracing::warn!(%error, ?wanted, ?instead, "the state directory cannot be made");
    own_dir(&instead, uid)
        .and_then(|()| private_dir(&instead.join("bin")))
        .with_context(|| format!("Making the state directory {}", instead.display()))?;
    Ok(instead)
}

/// Makes a directory where anyone may make one; one that is there has to be this account's alone.
fn own_dir(path: &Path, uid: u32) -> std::io::Result<()> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => return made,
    }
    let there = path.symlink_metadata()?;
    if there.is_dir() && there.uid() == uid && there.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(std::io::Error::other("what is there may be somebody else's"))
}

/// Makes a directory, and its parents, that only this account may enter.
///
/// # Errors
/// When it cannot be made.
pub fn private_dir(path: &Path) -> std::io::Result<()> {
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(path)
}

fn link(to: &Path, at: &Path) -> std::io::Result<()> {
    if std::fs::read_link(at).is_ok_and(|old| old == to) {
        return Ok(());
    }
    let _ = std::fs::remove_file(at);
    symlink(to, at)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_other_directory_is_the_same_each_time_and_nobody_elses() {
        let dir = tempfile::tempdir().unwrap();
        let made = |token| state_dir(Path::new("/dev/null/state"), dir.path(), token);
        let first = made("a").unwrap();
        assert_eq!(first.parent(), Some(dir.path()));
        assert_eq!(first.metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(made("a").unwrap(), first);
        let other = made("b").unwrap();
        assert_ne!(other, first);

        std::fs::remove_dir_all(&first).unwrap();
        symlink(&other, &first).unwrap();
        assert!(made("a").is_err(), "a link of somebody");
        std::fs::remove_file(&first).unwrap();
        std::fs::DirBuilder::new().mode(0o755).create(&first).unwrap();
        assert!(made("a").is_err(), "open to others");
    }
}
