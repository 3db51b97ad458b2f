//! What files are on this system: who may read them, whether they run, what leads to them. On Windows
//! what lies in a person's profile is theirs alone already, and a file's name says whether it runs.

use std::fs::{DirBuilder, OpenOptions};
use std::io;
use std::path::Path;

/// Options that make a file which only its owner may read.
#[must_use]
pub fn private() -> OpenOptions {
    let mut options = OpenOptions::new();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.write(true);
    options
}

/// Makes a directory, and its parents, that only its owner may enter.
///
/// # Errors
/// When it cannot be made.
pub fn private_dir(path: &Path) -> io::Result<()> {
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.recursive(true).create(path)
}

/// Gives `to` the mode of `like`; a file that is not there is its owner's alone.
///
/// # Errors
/// When it cannot be given.
pub fn same_mode(like: &Path, to: &Path) -> io::Result<()> {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(like).map_or(0o600, |m| m.permissions().mode() & 0o777);
        std::fs::set_permissions(to, std::fs::Permissions::from_mode(mode))
    }
    #[cfg(not(unix))]
    {
        let _ = (like, to);
        Ok(())
    }
}

/// Whether its owner may run it.
#[must_use]
pub fn is_executable(path: &Path) -> bool {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        std::fs::metadata(path).is_ok_and(|m| m.permissions().mode() & 0o100 != 0)
    }
    #[cfg(not(unix))]
    path.extension().is_some_and(|ending| ending.eq_ignore_ascii_case("exe"))
}

/// Makes `at` lead to the file or directory `to`.
///
/// # Errors
/// When it cannot be made; Windows asks for a right that people have in developer mode only.
pub fn link(to: &Path, at: &Path) -> io::Result<()> {
    #[cfg(unix)]
    return std::os::unix::fs::symlink(to, at);
    #[cfg(windows)]
    match to.is_dir() {
        true => std::os::windows::fs::symlink_dir(to, at),
        false => std::os::windows::fs::symlink_file(to, at),
    }
}
