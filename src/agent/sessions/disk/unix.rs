//! Files with owners and modes; a path is bytes.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, Metadata, OpenOptions};
use std::io;
use std::os::unix::ffi::{OsStrExt as _, OsStringExt as _};
use std::os::unix::fs::{DirBuilderExt as _, FileExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Gid, Mode, Timespec, Timestamps, Uid};

use crate::ssh::sftp::Attrs;

/// A path of SFTP's.
pub(in crate::agent::sessions) fn path(path: Vec<u8>) -> PathBuf {
    OsString::from_vec(path).into()
}

/// A path as SFTP shows it.
pub(in crate::agent::sessions) fn shown(path: PathBuf) -> Vec<u8> {
    bytes(path.into_os_string())
}

/// A name as SFTP shows it.
pub(in crate::agent::sessions) fn bytes(name: OsString) -> Vec<u8> {
    name.into_vec()
}

/// What a long line tells of a file besides its attributes: links to it, user and group.
pub(in crate::agent::sessions) fn owners(found: &Metadata) -> (u64, u32, u32) {
    (found.nlink(), found.uid(), found.gid())
}

/// A name in a long line.
pub(in crate::agent::sessions) fn in_line(name: &OsStr) -> Vec<u8> {
    name.as_bytes().to_vec()
}

/// Opens a file; one that is made gets this mode.
pub(in crate::agent::sessions) fn open(
    options: &mut OpenOptions,
    path: &Path,
    mode: u32,
) -> io::Result<File> {
    options.mode(mode).open(path)
}

/// Makes a directory of this mode.
pub(in crate::agent::sessions) fn make_dir(path: &Path, mode: u32) -> io::Result<()> {
    fs::DirBuilder::new().mode(mode).create(path)
}

/// Reads what is there at a place.
pub(in crate::agent::sessions) fn read_at(
    file: &File,
    data: &mut [u8],
    offset: u64,
) -> io::Result<usize> {
    file.read_at(data, offset)
}

/// Writes at a place.
pub(in crate::agent::sessions) fn write_all_at(
    file: &File,
    data: &[u8],
    offset: u64,
) -> io::Result<()> {
    file.write_all_at(data, offset)
}

/// What SFTP tells of a file.
pub(in crate::agent::sessions) fn attrs_of(found: &Metadata) -> Attrs {
    let seconds = |at: i64| u32::try_from(at.max(0)).unwrap_or(u32::MAX);
    Attrs {
        size: Some(found.len()),
        owner: Some((found.uid(), found.gid())),
        mode: Some(found.mode()),
        times: Some((seconds(found.atime()), seconds(found.mtime()))),
    }
}

fn stamps((accessed, changed): (u32, u32)) -> Timestamps {
    let at = |seconds: u32| Timespec { tv_sec: i64::from(seconds), tv_nsec: 0 };
    Timestamps { last_access: at(accessed), last_modification: at(changed) }
}

/// Changes what is given of an open file.
pub(in crate::agent::sessions) fn change_open(file: &File, attrs: Attrs) -> io::Result<()> {
    if let Some(size) = attrs.size {
        file.set_len(size)?;
    }
    if let Some(mode) = attrs.mode {
        rustix::fs::fchmod(file, Mode::from_raw_mode(mode & 0o7777))?;
    }
    if let Some((user, group)) = attrs.owner {
        rustix::fs::fchown(file, Some(Uid::from_raw(user)), Some(Gid::from_raw(group)))?;
    }
    if let Some(times) = attrs.times {
        rustix::fs::futimens(file, &stamps(times))?;
    }
    Ok(())
}

/// Changes what is given of a file.
pub(in crate::agent::sessions) fn change(path: &Path, attrs: Attrs) -> io::Result<()> {
    if let Some(size) = attrs.size {
        OpenOptions::new().write(true).open(path)?.set_len(size)?;
    }
    if let Some(mode) = attrs.mode {
        rustix::fs::chmod(path, Mode::from_raw_mode(mode & 0o7777))?;
    }
    if let Some((user, group)) = attrs.owner {
        rustix::fs::chown(path, Some(Uid::from_raw(user)), Some(Gid::from_raw(group)))?;
    }
    if let Some(times) = attrs.times {
        rustix::fs::utimensat(CWD, path, &stamps(times), AtFlags::empty())?;
    }
    Ok(())
}

/// The figures of the file system that holds a path.
pub(in crate::agent::sessions) fn figures(path: &Path) -> io::Result<Vec<u64>> {
    Ok(all_of(&rustix::fs::statvfs(path)?))
}

/// The figures of the file system that holds an open file.
pub(in crate::agent::sessions) fn figures_of_open(file: &File) -> io::Result<Vec<u64>> {
    Ok(all_of(&rustix::fs::fstatvfs(file)?))
}

fn all_of(found: &rustix::fs::StatVfs) -> Vec<u64> {
    vec![
        found.f_bsize,
        found.f_frsize,
        found.f_blocks,
        found.f_bfree,
        found.f_bavail,
        found.f_files,
        found.f_ffree,
        found.f_favail,
        found.f_fsid,
        found.f_flag.bits() & 3,
        found.f_namemax,
    ]
}
