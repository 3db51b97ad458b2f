//! What `login` keeps: the server's address and the session, each in a file only its owner reads.

use std::io::Write as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::args::{Globals, Surroundings};
use crate::files;

/// The directory with the files `url` and `session`.
#[derive(Clone, Debug)]
pub struct Config(PathBuf);

impl Config {
    /// The directory given, else the one there is: ours, or Coder's when only that is there.
    #[must_use]
    pub fn locate(globals: &Globals, around: &Surroundings) -> Self {
        if let Some(given) = &globals.global_config {
            return Self(given.clone());
        }
        let base = around
            .config_home
            .clone()
            .or_else(|| around.home.as_ref().map(|h| h.join(".config")))
            .unwrap_or_else(|| PathBuf::from("."));
        let (ours, theirs) = (base.join("steading"), base.join("coderv2"));
        let signed_in = |dir: &Path| dir.join("session").is_file();
        if !signed_in(&ours) && signed_in(&theirs) { Self(theirs) } else { Self(ours) }
    }

    /// The directory itself.
    #[must_use]
    pub fn dir(&self) -> &Path {
        &self.0
    }

    /// The stored address.
    #[must_use]
    pub fn url(&self) -> Option<String> {
        self.read("url")
    }

    /// The stored session token.
    #[must_use]
    pub fn session(&self) -> Option<String> {
        self.read("session")
    }

    fn read(&self, name: &str) -> Option<String> {
        let text = std::fs::read_to_string(self.0.join(name)).ok()?;
        Some(text.trim().to_owned()).filter(|t| !t.is_empty())
    }

    /// Stores address and session.
    ///
    /// # Errors
    /// When the directory cannot be written.
    pub fn store(&self, url: &str, session: &str) -> anyhow::Result<()> {
        let doing = || format!("Storing the session in {}", self.0.display());
        files::private_dir(&self.0).with_context(doing)?;
        self.write("url", url).with_context(doing)?;
        self.write("session", session).with_context(doing)
    }

    /// Writes beside the file and renames, so that a reader never sees half of it.
    fn write(&self, name: &str, text: &str) -> std::io::Result<()> {
        let part = self.0.join(format!(".{name}.{}", std::process::id()));
        let mut file = files::private().create(true).truncate(true).open(&part)?;
        file.write_all(text.as_bytes())?;
        std::fs::rename(part, self.0.join(name))
    }

    /// Forgets the session; the address stays, for the next `login`.
    ///
    /// # Errors
    /// When the file is there and cannot be removed.
    pub fn forget(&self) -> anyhow::Result<()> {
        let file = self.0.join("session");
        match std::fs::remove_file(&file) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                Err(error).with_context(|| format!("Removing {}", file.display()))
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn at(dir: &Path) -> Config {
        let globals = Globals { global_config: Some(dir.join("steading")), ..Globals::default() };
        Config::locate(&globals, &Surroundings::default())
    }

    #[test]
    fn what_is_stored_is_read_back_and_private() {
        let dir = tempfile::tempdir().unwrap();
        let config = at(dir.path());
        config.store("http://x", "a-b").unwrap();
        assert_eq!(config.url().as_deref(), Some("http://x"));
        assert_eq!(config.session().as_deref(), Some("a-b"));
        let mode = std::fs::metadata(config.dir().join("session")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        config.forget().unwrap();
        config.forget().unwrap();
        assert_eq!((config.session(), config.url().is_some()), (None, true));
    }

    #[test]
    fn a_session_of_coders_cli_is_found() {
        let dir = tempfile::tempdir().unwrap();
        let around =
            Surroundings { config_home: Some(dir.path().to_owned()), ..Surroundings::default() };
        let located = || Config::locate(&Globals::default(), &around).dir().to_owned();
        assert!(located().ends_with("steading"));
        std::fs::create_dir(dir.path().join("coderv2")).unwrap();
        std::fs::write(dir.path().join("coderv2/session"), "a-b").unwrap();
        assert!(located().ends_with("coderv2"));
    }
}
