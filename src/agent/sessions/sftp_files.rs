//! The file work behind SFTP: what is asked for, done with blocking calls.

use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions, ReadDir};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::{Settings, disk, sftp_list};
use crate::model::time::Timestamp;
use crate::ssh::sftp::{Ask, Attrs, Code, MAX_DATA, MAX_PACKET, Name, OnPath, Reply};

/// Open files and directories of one client. OpenSSH's `sftp` has two at a time, editors a few dozen.
const MAX_HANDLES: usize = 256;

/// Entries of a directory in one reply: with the longest names they fit a packet.
const LISTED_AT_ONCE: usize = 128;

/// The files of one client.
pub(super) struct Files {
    settings: Arc<Settings>,
    now: Timestamp,
    handles: BTreeMap<u32, Handle>,
    next: u32,
}

enum Handle {
    File { file: File, appends: bool },
    Dir(ReadDir),
}

impl Files {
    pub(super) fn new(settings: Arc<Settings>, now: Timestamp) -> Self {
        Self { settings, now, handles: BTreeMap::new(), next: 0 }
    }

    /// Does what is asked for.
    pub(super) fn answer(&mut self, ask: Ask) -> Reply {
        self.try_answer(ask).unwrap_or_else(|error| refusal(&error))
    }

    fn try_answer(&mut self, ask: Ask) -> io::Result<Reply> {
        let done = |()| Reply::Status(Code::Ok, String::new());
        match ask {
            Ask::Init => Ok(Reply::Version),
            Ask::Open { path, flags, attrs } => self.open(&self.path(path), flags, attrs),
            Ask::Close { handle } => {
                self.handles.remove(&handle).map(|_| done(())).ok_or_else(no_handle)
            }
            Ask::Read { handle, offset, len } => self.read(handle, offset, len),
            Ask::Write { handle, offset, data } => self.write(handle, offset, &data).map(done),
            Ask::Readdir { handle } => self.list(handle),
            Ask::Fstat { handle } => {
                Ok(Reply::Attrs(disk::attrs_of(&self.file(handle)?.metadata()?)))
            }
            Ask::Fsetstat { handle, attrs } => {
                disk::change_open(self.file(handle)?, attrs).map(done)
            }
            Ask::Fsync { handle } => self.file(handle)?.sync_all().map(done),
            Ask::Fstatvfs { handle } => {
                disk::figures_of_open(self.file(handle)?).map(Reply::Figures)
            }
            Ask::Opendir { path } => {
                let dir = fs::read_dir(self.path(path))?;
                self.keep(Handle::Dir(dir))
            }
            Ask::Limits => {
                let (packet, data) = (MAX_PACKET as u64, MAX_DATA as u64);
                Ok(Reply::Figures(vec![packet, data, data, MAX_HANDLES as u64]))
            }
            Ask::Unknown => Ok(Reply::Status(Code::Unsupported, "not offered".to_owned())),
            Ask::On(on) => self.on_path(on),
        }
    }

    fn on_path(&self, on: OnPath) -> io::Result<Reply> {
        match on {
            OnPath::Stat { path, follow } => {
                let path = self.path(path);
                let found = if follow { fs::metadata(path) } else { fs::symlink_metadata(path) };
                return Ok(Reply::Attrs(disk::attrs_of(&found?)));
            }
            OnPath::Realpath { path, expand } => return self.real_path(path, expand),
            OnPath::Readlink { path } => return Ok(one_name(fs::read_link(self.path(path))?)),
            OnPath::Statvfs { path } => {
                return disk::figures(&self.path(path)).map(Reply::Figures);
            }
            OnPath::Setstat { path, attrs } => disk::change(&self.path(path), attrs)?,
            OnPath::Remove { path } => fs::remove_file(self.path(path))?,
            OnPath::Mkdir { path, attrs } => {
                disk::make_dir(&self.path(path), attrs.mode.unwrap_or(0o777) & 0o7777)?;
            }
            OnPath::Rmdir { path } => fs::remove_dir(self.path(path))?,
            OnPath::Rename { from, to, replace } => {
                rename(&self.path(from), &self.path(to), replace)?;
            }
            OnPath::Symlink { target, path } => {
                crate::files::link(&disk::path(target), &self.path(path))?;
            }
            OnPath::Hardlink { from, to } => fs::hard_link(self.path(from), self.path(to))?,
        }
        Ok(Reply::Status(Code::Ok, String::new()))
    }

    fn path(&self, path: Vec<u8>) -> PathBuf {
        self.settings.directory.join(disk::path(path))
    }

    fn real_path(&self, path: Vec<u8>, expand: bool) -> io::Result<Reply> {
        let path = match path.strip_prefix(b"~") {
            Some(rest) if expand && (rest.is_empty() || rest.starts_with(b"/")) => {
                let home = self.settings.env.get("HOME").map_or("/", String::as_str);
                [home.as_bytes(), rest].concat()
            }
            Some(_) | None => path,
        };
        let path = self.path(path);
        let real = match (fs::canonicalize(&path), path.parent(), path.file_name()) {
            // What is about to be made is not there yet.
            (Err(e), Some(parent), Some(name)) if e.kind() == io::ErrorKind::NotFound => {
                fs::canonicalize(parent).map_or(path.clone(), |p| p.join(name))
            }
            (real, _, _) => real?,
        };
        Ok(one_name(real))
    }

    fn open(&mut self, path: &Path, flags: u32, attrs: Attrs) -> io::Result<Reply> {
        let has = |bit: u32| flags & bit != 0;
        let appends = has(4);
        let mut options = OpenOptions::new();
        options
            .read(has(1))
            .write(has(2) && !appends)
            .append(appends)
            .truncate(has(16) && !appends)
            .create(has(8) && !has(32))
            .create_new(has(8) && has(32));
        let file = disk::open(&mut options, path, attrs.mode.unwrap_or(0o666) & 0o7777)?;
        self.keep(Handle::File { file, appends })
    }

    fn keep(&mut self, handle: Handle) -> io::Result<Reply> {
        if self.handles.len() >= MAX_HANDLES {
            return Err(io::Error::other("too many open files"));
        }
        self.next = self.next.wrapping_add(1);
        self.handles.insert(self.next, handle);
        Ok(Reply::Handle(self.next))
    }

    fn file(&self, handle: u32) -> io::Result<&File> {
        match self.handles.get(&handle) {
            Some(Handle::File { file, .. }) => Ok(file),
            Some(Handle::Dir(_)) | None => Err(no_handle()),
        }
    }

    fn read(&self, handle: u32, offset: u64, len: u32) -> io::Result<Reply> {
        let mut data = vec![0; (len as usize).min(MAX_DATA)];
        let read = disk::read_at(self.file(handle)?, &mut data, offset)?;
        if read == 0 {
            return Ok(Reply::Status(Code::Eof, String::new()));
        }
        data.truncate(read);
        Ok(Reply::Data(data.into()))
    }

    fn write(&self, handle: u32, offset: u64, data: &[u8]) -> io::Result<()> {
        match self.handles.get(&handle) {
            Some(Handle::File { file, appends: false }) => disk::write_all_at(file, data, offset),
            Some(Handle::File { file, appends: true }) => io::Write::write_all(&mut &*file, data),
            Some(Handle::Dir(_)) | None => Err(no_handle()),
        }
    }

    fn list(&mut self, handle: u32) -> io::Result<Reply> {
        let now = self.now;
        let Some(Handle::Dir(dir)) = self.handles.get_mut(&handle) else { return Err(no_handle()) };
        let mut names = Vec::new();
        for entry in dir.take(LISTED_AT_ONCE) {
            let entry = entry?;
            // An entry that is gone by now is not there.
            let Ok(found) = entry.metadata() else { continue };
            let name = entry.file_name();
            let long = sftp_list::line(&name, &found, now);
            names.push(Name { name: disk::bytes(name), long, attrs: disk::attrs_of(&found) });
        }
        if names.is_empty() {
            return Ok(Reply::Status(Code::Eof, String::new()));
        }
        Ok(Reply::Names(names))
    }
}

fn no_handle() -> io::Error {
    io::Error::other("no such handle")
}

fn one_name(path: PathBuf) -> Reply {
    let name = disk::shown(path);
    Reply::Names(vec![Name { long: name.clone(), name, attrs: Attrs::default() }])
}

fn refusal(error: &io::Error) -> Reply {
    let kind = error.kind();
    let code = if kind == io::ErrorKind::NotFound {
        Code::NoSuchFile
    } else if kind == io::ErrorKind::PermissionDenied {
        Code::PermissionDenied
    } else {
        Code::Failure
    };
    Reply::Status(code, error.to_string())
}

/// Version 3 never renames over something; a hard link fails where something is.
fn rename(from: &Path, to: &Path, replace: bool) -> io::Result<()> {
    if replace {
        return fs::rename(from, to);
    }
    if fs::symlink_metadata(from)?.is_file() && fs::hard_link(from, to).is_ok() {
        return fs::remove_file(from);
    }
    match fs::symlink_metadata(to) {
        Ok(_) => Err(io::ErrorKind::AlreadyExists.into()),
        Err(_) => fs::rename(from, to),
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::OsString;
    use std::os::unix::ffi::OsStringExt as _;

    use super::*;

    fn files(dir: &Path) -> Files {
        let mut settings = Settings { directory: dir.to_owned(), ..Settings::default() };
        settings.env.insert("HOME".to_owned(), "/home/ada".to_owned());
        Files::new(Arc::new(settings), Timestamp(0))
    }

    fn code(reply: &Reply) -> Code {
        let Reply::Status(code, _) = reply else { panic!("not a status: {reply:?}") };
        *code
    }

    #[test]
    fn a_file_is_written_read_and_listed() {
        let dir = tempfile::tempdir().unwrap();
        let mut files = files(dir.path());
        let attrs = Attrs { mode: Some(0o640), ..Attrs::default() };
        let open = Ask::Open { path: b"a".to_vec(), flags: 2 | 8, attrs };
        let Reply::Handle(handle) = files.answer(open) else { panic!("not opened") };
        let write = Ask::Write { handle, offset: 2, data: "xyz".into() };
        assert_eq!(code(&files.answer(write)), Code::Ok);
        assert_eq!(code(&files.answer(Ask::Close { handle })), Code::Ok);
        assert_eq!(code(&files.answer(Ask::Close { handle })), Code::Failure);
        assert_eq!(fs::read(dir.path().join("a")).unwrap(), b"\0\0xyz");
        let Reply::Handle(list) = files.answer(Ask::Opendir { path: vec![] }) else { panic!() };
        let Reply::Names(names) = files.answer(Ask::Readdir { handle: list }) else { panic!() };
        assert_eq!((names[0].name.as_slice(), names[0].attrs.size), (&b"a"[..], Some(5)));
        assert_eq!(names[0].attrs.mode.map(|m| m & 0o777), Some(0o640));
        assert_eq!(code(&files.answer(Ask::Readdir { handle: list })), Code::Eof);
    }

    #[test]
    fn only_a_posix_rename_replaces() {
        let dir = tempfile::tempdir().unwrap();
        fs::write(dir.path().join("a"), "a").unwrap();
        fs::write(dir.path().join("b"), "b").unwrap();
        let mut files = files(dir.path());
        let rename =
            |replace| Ask::On(OnPath::Rename { from: b"a".to_vec(), to: b"b".to_vec(), replace });
        assert_eq!(code(&files.answer(rename(false))), Code::Failure);
        assert_eq!(fs::read(dir.path().join("b")).unwrap(), b"b");
        assert_eq!(code(&files.answer(rename(true))), Code::Ok);
        assert_eq!(fs::read(dir.path().join("b")).unwrap(), b"a");
        assert_eq!(code(&files.answer(rename(true))), Code::NoSuchFile);
    }

    #[test]
    fn paths_are_resolved_as_far_as_they_are_there() {
        let dir = tempfile::tempdir().unwrap();
        let real = dir.path().canonicalize().unwrap();
        let mut files = files(dir.path());
        let mut resolve = |path: &str, expand| {
            let ask = Ask::On(OnPath::Realpath { path: path.into(), expand });
            let Reply::Names(names) = files.answer(ask) else { panic!("no path") };
            PathBuf::from(OsString::from_vec(names[0].name.clone()))
        };
        assert_eq!(resolve(".", false), real);
        assert_eq!(resolve("new", false), real.join("new"));
        assert_eq!(resolve("~", false), real.join("~"));
        assert_eq!(resolve("~/x", true), Path::new("/home/ada/x"));
    }
}
