//! The files of an update: the program, a new one beside it, and the one before.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use crate::agent::platform;

/// The program's file and those beside it, in one directory so that each takes another's place at
/// once.
#[derive(Clone, Debug)]
pub struct Place {
    /// The program.
    pub program: PathBuf,
    /// A newer one that was fetched.
    pub new: PathBuf,
    /// The one before, while the new one is on trial.
    pub old: PathBuf,
}

impl Place {
    /// Around the file of this program.
    #[must_use]
    pub fn of(program: &Path) -> Self {
        let beside = |ending: &str| {
            // Where a name says what a file is, that stays at its end.
            let suffix = std::env::consts::EXE_SUFFIX;
            let stem = if suffix.is_empty() { program.file_name() } else { program.file_stem() };
            let mut name = stem.map(OsString::from).unwrap_or_default();
            name.push(ending);
            name.push(suffix);
            program.with_file_name(name)
        };
        Self { program: program.to_owned(), new: beside(".new"), old: beside(".old") }
    }

    /// Whether another program can be put in place of this one at all.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        let dir = self.program.parent().unwrap_or(Path::new("/"));
        platform::is_writable(dir)
    }

    /// Puts the new program in place, and keeps the one before, which runs: it may get another name, but
    /// not be replaced. For a moment there is none.
    ///
    /// # Errors
    /// When that cannot be done; nothing has changed then.
    #[cfg(windows)]
    pub fn put(&self) -> io::Result<()> {
        // That of the program that runs all this time may still be there.
        let _ =
            std::fs::remove_file(&self.old).or_else(|_| std::fs::rename(&self.old, self.aside()));
        std::fs::rename(&self.program, &self.old)?;
        std::fs::rename(&self.new, &self.program).inspect_err(|_| {
            let _ = std::fs::rename(&self.old, &self.program);
        })
    }

    /// Puts the one before in place again.
    ///
    /// # Errors
    /// When that cannot be done.
    #[cfg(windows)]
    pub fn take_back(&self) -> io::Result<()> {
        let aside = self.aside();
        let _ = std::fs::remove_file(&aside);
        std::fs::rename(&self.program, &aside)?;
        std::fs::rename(&self.old, &self.program).inspect_err(|_| {
            let _ = std::fs::rename(&aside, &self.program);
        })
    }

    /// A name for what runs and has to be out of the way.
    #[cfg(windows)]
    fn aside(&self) -> PathBuf {
        self.program.with_extension(format!("{}.exe", std::process::id()))
    }

    /// Puts the new program in place, and keeps the one before. At no moment is there none.
    ///
    /// # Errors
    /// When that cannot be done; nothing has changed then.
    #[cfg(unix)]
    pub fn put(&self) -> io::Result<()> {
        let _ = std::fs::remove_file(&self.old);
        std::fs::hard_link(&self.program, &self.old)
            .or_else(|_| std::fs::copy(&self.program, &self.old).map(|_| ()))?;
        std::fs::rename(&self.new, &self.program)
    }

    /// Puts the one before in place again.
    ///
    /// # Errors
    /// When that cannot be done.
    #[cfg(unix)]
    pub fn take_back(&self) -> io::Result<()> {
        std::fs::rename(&self.old, &self.program)
    }

    /// Removes the one before: the new one is well.
    pub fn keep(&self) {
        let _ = std::fs::remove_file(&self.old);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_change_places_and_back() {
        let dir = tempfile::tempdir().unwrap();
        let place = Place::of(&dir.path().join("coder"));
        let read = |path: &Path| std::fs::read_to_string(path).ok();
        std::fs::write(&place.program, "before").unwrap();
        assert!(place.put().is_err(), "there is no new one");
        assert_eq!(read(&place.program).as_deref(), Some("before"));
        std::fs::write(&place.new, "after").unwrap();
        place.put().unwrap();
        assert_eq!(read(&place.program).as_deref(), Some("after"));
        place.take_back().unwrap();
        assert_eq!(read(&place.program).as_deref(), Some("before"));
        assert_eq!(read(&place.old), None);
    }
}
