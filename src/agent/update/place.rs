//! The files of an update: the program, a new one beside it, and the one before.

use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

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
            let mut name = program.file_name().map(OsString::from).unwrap_or_default();
            name.push(ending);
            program.with_file_name(name)
        };
        Self { program: program.to_owned(), new: beside(".new"), old: beside(".old") }
    }

    /// Whether another program can be put in place of this one at all.
    #[must_use]
    pub fn is_ours(&self) -> bool {
        let dir = self.program.parent().unwrap_or(Path::new("/"));
        rustix::fs::access(dir, rustix::fs::Access::WRITE_OK).is_ok()
    }

    /// Puts the new program in place, and keeps the one before. At no moment is there none.
    ///
    /// # Errors
    /// When that cannot be done; nothing has changed then.
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
