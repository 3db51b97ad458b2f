//! Files of Windows: owners and modes are made up, and a path begins with a drive. SFTP is told
//! `/C:/Users/ada`, as by OpenSSH there.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, FileTimes, Metadata, OpenOptions};
use std::io;
use std::os::windows::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use crate::ssh::sftp::Attrs;

/// Windows counts tenths of microseconds since 1601.
const TICKS: u64 = 10_000_000;
/// Seconds from then to 1970.
const EPOCH: u64 = 11_644_473_600;
/// What the canonical form of a path begins with.
const VERBATIM: &str = r"\\?\";
/// The same, for one on another machine.
const VERBATIM_SHARE: &str = r"\\?\UNC\";

/// A path of SFTP's: `/C:/Users/ada`, or any that Windows knows.
pub(in crate::agent::sessions) fn path(path: Vec<u8>) -> PathBuf {
    let text = String::from_utf8_lossy(&path);
    let rest = text.strip_prefix('/').unwrap_or(&text);
    let is_drive = |text: &str| {
        let mut chars = text.chars();
        chars.next().is_some_and(|c| c.is_ascii_alphabetic()) && chars.next() == Some(':')
    };
    let local = if is_drive(rest) { rest } else { &text };
    let mut local = local.replace('/', r"\");
    // The drive alone is where one is on it; its root is meant.
    if local.len() == 2 && is_drive(&local) {
        local.push('\\');
    }
    local.into()
}

/// A path as SFTP shows it.
pub(in crate::agent::sessions) fn shown(path: PathBuf) -> Vec<u8> {
    let text = path.to_string_lossy();
    let text = match text.strip_prefix(VERBATIM_SHARE) {
        Some(share) => format!(r"\\{share}"),
        None => text.strip_prefix(VERBATIM).unwrap_or(&text).to_owned(),
    };
    let text = text.replace('\\', "/");
    let is_absolute = text.starts_with('/') || text.get(1..2) == Some(":");
    let start = if is_absolute && !text.starts_with('/') { "/" } else { "" };
    format!("{start}{text}").into_bytes()
}

/// A name as SFTP shows it.
pub(in crate::agent::sessions) fn bytes(name: OsString) -> Vec<u8> {
    in_line(&name)
}

/// What a long line tells of a file besides its attributes: links to it, user and group.
pub(in crate::agent::sessions) fn owners(_: &Metadata) -> (u64, u32, u32) {
    (1, 0, 0)
}

/// A name in a long line.
pub(in crate::agent::sessions) fn in_line(name: &OsStr) -> Vec<u8> {
    name.to_string_lossy().into_owned().into_bytes()
}

/// Opens a file.
pub(in crate::agent::sessions) fn open(
    options: &mut OpenOptions,
    path: &Path,
    _: u32,
) -> io::Result<File> {
    options.open(path)
}

/// Makes a directory.
pub(in crate::agent::sessions) fn make_dir(path: &Path, _: u32) -> io::Result<()> {
    fs::create_dir(path)
}

/// Reads what is there at a place.
pub(in crate::agent::sessions) fn read_at(
    file: &File,
    data: &mut [u8],
    offset: u64,
) -> io::Result<usize> {
    file.seek_read(data, offset)
}

/// Writes at a place.
pub(in crate::agent::sessions) fn write_all_at(
    file: &File,
    mut data: &[u8],
    mut offset: u64,
) -> io::Result<()> {
    while !data.is_empty() {
        let written = file.seek_write(data, offset)?;
        if written == 0 {
            return Err(io::ErrorKind::WriteZero.into());
        }
        data = data.get(written..).unwrap_or_default();
        offset += written as u64;
    }
    Ok(())
}

/// What SFTP tells of a file.
pub(in crate::agent::sessions) fn attrs_of(found: &Metadata) -> Attrs {
    let kind = match (found.is_symlink(), found.is_dir()) {
        (true, _) => 0o120_000,
        (_, true) => 0o040_000,
        (_, false) => 0o100_000,
    };
    let mode = match (found.is_dir(), found.permissions().readonly()) {
        (true, _) => 0o755,
        (false, true) => 0o444,
        (false, false) => 0o644,
    };
    let seconds =
        |ticks: u64| u32::try_from((ticks / TICKS).saturating_sub(EPOCH)).unwrap_or(u32::MAX);
    Attrs {
        size: Some(found.len()),
        owner: Some((0, 0)),
        mode: Some(kind | mode),
        times: Some((seconds(found.last_access_time()), seconds(found.last_write_time()))),
    }
}

/// Changes what is given of an open file, as far as there is such a thing: owners and modes are not.
pub(in crate::agent::sessions) fn change_open(file: &File, attrs: Attrs) -> io::Result<()> {
    if let Some(size) = attrs.size {
        file.set_len(size)?;
    }
    if let Some((accessed, changed)) = attrs.times {
        let at = |seconds: u32| SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.into());
        file.set_times(FileTimes::new().set_accessed(at(accessed)).set_modified(at(changed)))?;
    }
    Ok(())
}

/// Changes what is given of a file.
pub(in crate::agent::sessions) fn change(path: &Path, attrs: Attrs) -> io::Result<()> {
    // A directory cannot be opened to be written to; its times are not worth an error.
    if (attrs.size.is_none() && attrs.times.is_none()) || path.is_dir() {
        return path.metadata().map(drop);
    }
    change_open(&OpenOptions::new().write(true).open(path)?, attrs)
}

/// The figures of the file system that holds a path.
pub(in crate::agent::sessions) fn figures(_: &Path) -> io::Result<Vec<u64>> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The figures of the file system that holds an open file.
pub(in crate::agent::sessions) fn figures_of_open(_: &File) -> io::Result<Vec<u64>> {
    Err(io::ErrorKind::Unsupported.into())
}
