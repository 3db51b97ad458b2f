//! What every part of an agent is handed: who it is, where it keeps things, how it reports.

use std::path::{Path, PathBuf};

use anyhow::Context as _;
use sha2::{Digest as _, Sha256};

use crate::clock::{Clock, Entropy};
pub use crate::files::private_dir;
use crate::tasks::Tasks;

use super::Options;
use super::account::Account;
use super::busy::Busy;
use super::env::SYNC_DIR;
use super::output::Outputs;
use super::platform;
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
            platform::name_program(&options.binary, &bin_dir, name)
                .context("Naming the program")?;
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
    let hash = hex::encode(Sha256::digest(token.as_bytes()));
    let account = platform::account();
    let name = format!("steading-agent-{account}-{}", hash.get(..16).unwrap_or(&hash));
    let instead = elsewhere.join(name);
    tracing::warn!(%error, ?wanted, ?instead, "the state directory cannot be made");
    platform::own_dir(&instead)
        .and_then(|()| private_dir(&instead.join("bin")))
        .with_context(|| format!("Making the state directory {}", instead.display()))?;
    Ok(instead)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, symlink};

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
