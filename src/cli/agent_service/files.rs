//! The files of a service, below the machine's root or, for a test or an image, below another
//! directory, in which nothing is started.

use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Where files are written. Paths are relative to it.
pub(super) struct Tree {
    root: PathBuf,
    /// Whether it is the machine's own: then its programs are run.
    pub(super) is_live: bool,
}

impl Tree {
    pub(super) fn at(root: Option<&Path>) -> Self {
        let is_live = root.is_none();
        Self { root: root.unwrap_or(Path::new("/")).to_owned(), is_live }
    }

    pub(super) fn path(&self, path: &str) -> PathBuf {
        self.root.join(path)
    }

    pub(super) fn has(&self, path: &str) -> bool {
        self.path(path).symlink_metadata().is_ok()
    }

    pub(super) fn read(&self, path: &str) -> anyhow::Result<Option<String>> {
        match std::fs::read_to_string(self.path(path)) {
            Ok(text) => Ok(Some(text)),
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).with_context(|| format!("Reading /{path}")),
        }
    }

    /// Writes a file in place of what is there. It never has more rights than in the end: it may hold
    /// a token.
    pub(super) fn write(&self, path: &str, text: &str, mode: u32) -> anyhow::Result<()> {
        self.put(path, mode, |file| file.write_all(text.as_bytes()))
    }

    /// Copies a program. The one that is there may run.
    pub(super) fn copy(&self, program: &Path, path: &str) -> anyhow::Result<()> {
        let mut from = std::fs::File::open(program)
            .with_context(|| format!("Reading {}", program.display()))?;
        self.put(path, 0o755, |file| std::io::copy(&mut from, file).map(drop))
    }

    fn put(
        &self,
        path: &str,
        mode: u32,
        fill: impl FnOnce(&mut std::fs::File) -> std::io::Result<()>,
    ) -> anyhow::Result<()> {
        let to = self.path(path);
        let new = to.with_extension("new");
        let write = || -> std::io::Result<()> {
            if let Some(parent) = to.parent() {
                std::fs::create_dir_all(parent)?;
            }
            let _ = std::fs::remove_file(&new);
            let mut options = std::fs::OpenOptions::new();
            let mut file = options.write(true).create_new(true).mode(mode).open(&new)?;
            // Whatever mask whoever installs has.
            file.set_permissions(std::fs::Permissions::from_mode(mode))?;
            fill(&mut file)?;
            file.sync_all()?;
            std::fs::rename(&new, &to)
        };
        write().with_context(|| format!("Writing /{path}"))
    }

    /// Makes a directory, and those it is in. One that is there gets these rights.
    pub(super) fn make_dir(&self, path: &str, mode: u32) -> anyhow::Result<()> {
        let at = self.path(path);
        std::fs::create_dir_all(&at)
            .and_then(|()| std::fs::set_permissions(&at, std::fs::Permissions::from_mode(mode)))
            .with_context(|| format!("Making /{path}"))
    }

    /// Gives a file or a directory to a user and a group.
    pub(super) fn own(&self, path: &str, [user, group]: [u32; 2]) -> anyhow::Result<()> {
        chown(self.path(path), Some(user), Some(group))
            .with_context(|| format!("Giving away /{path}"))
    }

    /// Makes a link, unless something of that name is there.
    pub(super) fn link(&self, path: &str, to: &str) -> anyhow::Result<()> {
        let at = self.path(path);
        if let Some(parent) = at.parent() {
            std::fs::create_dir_all(parent).with_context(|| format!("Making /{path}"))?;
        }
        match symlink(to, &at) {
            Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                Err(error).with_context(|| format!("Making /{path}"))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Removes a link, if it is the one that leads there.
    pub(super) fn unlink(&self, path: &str, to: &str) -> anyhow::Result<()> {
        if std::fs::read_link(self.path(path)).is_ok_and(|is| is == Path::new(to)) {
            self.remove(path)?;
        }
        Ok(())
    }

    pub(super) fn remove(&self, path: &str) -> anyhow::Result<()> {
        gone(std::fs::remove_file(self.path(path))).with_context(|| format!("Removing /{path}"))
    }

    pub(super) fn remove_dir(&self, path: &str) -> anyhow::Result<()> {
        gone(std::fs::remove_dir_all(self.path(path))).with_context(|| format!("Removing /{path}"))
    }

    /// Runs one of the machine's programs to its end; does nothing below another root.
    pub(super) fn run(&self, program: &str, args: &[&str]) -> anyhow::Result<()> {
        if self.is_live { self.ask(program, args).map(drop) } else { Ok(()) }
    }

    /// What one of this machine's programs prints.
    pub(super) fn ask(&self, program: &str, args: &[&str]) -> anyhow::Result<String> {
        anyhow::ensure!(
            self.is_live,
            "{program} knows this machine, not what lies below another root"
        );
        let what = || format!("{program} {}", args.join(" "));
        let run = std::process::Command::new(program).args(args).output().with_context(what)?;
        let said = String::from_utf8_lossy(&run.stderr);
        anyhow::ensure!(run.status.success(), "`{}` failed: {}", what(), said.trim());
        Ok(String::from_utf8_lossy(&run.stdout).into_owned())
    }
}

/// What is not there is removed already.
fn gone(removed: std::io::Result<()>) -> std::io::Result<()> {
    match removed {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        other => other,
    }
}
