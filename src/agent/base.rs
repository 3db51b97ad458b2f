//! What every part of an agent is handed: who it is, where it keeps things, how it reports.

use std::os::unix::fs::{DirBuilderExt as _, symlink};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::clock::{Clock, Entropy};
use crate::tasks::Tasks;

use super::Options;
use super::account::Account;
use super::env::SYNC_DIR;
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
}

impl Base {
    /// Prepares the state directory and finds out who the agent is.
    ///
    /// # Errors
    /// When the state directory cannot be made.
    pub fn prepare(options: &Options, clock: Clock, entropy: Entropy) -> anyhow::Result<Self> {
        let state_dir = state_dir(&options.state_dir, &entropy)?;
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
        })
    }
}

/// The wanted directory; another one where that cannot be made: a home may be missing or read-only.
fn state_dir(wanted: &Path, entropy: &Entropy) -> anyhow::Result<PathBuf> {
    let Err(error) = private_dir(&wanted.join("bin")) else { return Ok(wanted.to_owned()) };
    let name = format!("steading-agent-{}", hex::encode(entropy.bytes::<8>()));
    let instead = std::env::temp_dir().join(name);
    tracing::warn!(%error, ?wanted, ?instead, "the state directory cannot be made");
    private_dir(&instead.join("bin")).context("Making the state directory")?;
    Ok(instead)
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
