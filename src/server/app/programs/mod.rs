//! This program for every kind of machine: its own file, and those that the operator put into a
//! directory. Files stay where they lie and are read piece by piece; what travels compressed is
//! compressed once, onto the disk.

mod file;

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use tokio::sync::Mutex;

pub use file::{Part, Program};

use crate::wire::bootstrap::PLATFORMS;
use crate::wire::program::{Mark, Platform, version};

/// On Linux this link opens the program that runs, also when its file was replaced.
const RUNNING: &str = "/proc/self/exe";

/// The programs that are served; clones are the same.
#[derive(Clone)]
pub struct Programs(Arc<Inner>);

struct Inner {
    /// Where the operator puts them.
    dir: PathBuf,
    /// Where what was compressed is kept.
    packed: PathBuf,
    /// What was looked at, and the state in which it was. At most one for each platform.
    known: Mutex<BTreeMap<Platform, (State, Look)>>,
}

/// What is found for a platform.
pub type Look = Result<Arc<Program>, Lack>;

/// Why there is no program for a platform.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Lack {
    /// Nobody put one there.
    Missing,
    /// It is of this other version.
    Version(String),
    /// It is for this other platform.
    Platform(Platform),
    /// It is something else.
    Unknown,
}

/// A file's state: another one means that it was replaced or written.
#[derive(Clone, Debug, PartialEq, Eq)]
struct State {
    device: u64,
    inode: u64,
    len: u64,
    written: (i64, i64),
}

impl State {
    fn of(file: &File) -> io::Result<Self> {
        let of = file.metadata()?;
        if !of.is_file() {
            return Err(io::Error::other("it is no file"));
        }
        let written = (of.mtime(), of.mtime_nsec());
        Ok(Self { device: of.dev(), inode: of.ino(), len: of.len(), written })
    }
}

impl std::fmt::Debug for Programs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Programs").field("dir", &self.0.dir).finish_non_exhaustive()
    }
}

impl Programs {
    /// Those in `dir`, compressed into `packed`. Neither has to be there.
    #[must_use]
    pub fn new(dir: PathBuf, packed: PathBuf) -> Self {
        Self(Arc::new(Inner { dir, packed, known: Mutex::default() }))
    }

    /// The program for a platform. A file in the directory goes before this program's own: it may
    /// be the smaller one without a server in it.
    ///
    /// # Errors
    /// When a file cannot be read.
    pub async fn find(&self, platform: Platform) -> io::Result<Look> {
        // One look at a time: each reads a whole file.
        let mut known = self.0.known.lock().await;
        let dir = self.0.dir.clone();
        let opened = tokio::task::spawn_blocking(move || open(&dir, platform));
        let Some((file, state, is_own)) = opened.await.map_err(io::Error::other)?? else {
            known.remove(&platform);
            return Ok(Err(Lack::Missing));
        };
        if let Some((before, look)) = known.get(&platform)
            && *before == state
        {
            return Ok(look.clone());
        }
        let packed = self.0.packed.clone();
        let looking = tokio::task::spawn_blocking(move || {
            let (program, mark) = Program::read(file, &packed, platform, !is_own)?;
            Ok::<_, io::Error>(if is_own { Ok(Arc::new(program)) } else { fits(program, mark) })
        });
        let look = looking.await.map_err(io::Error::other)??;
        known.insert(platform, (state, look.clone()));
        Ok(look)
    }

    /// Looks at all that are in the directory, and says what is wrong with one.
    pub async fn check(&self) {
        for (os, arch) in PLATFORMS {
            let Some(platform) = Platform::new(os, arch) else { continue };
            let file = self.0.dir.join(platform.file());
            // This program's own file is read when it is asked for.
            if !file.exists() {
                continue;
            }
            say(&file, &self.find(platform).await);
        }
    }
}

fn say(file: &Path, found: &io::Result<Look>) {
    match found {
        Ok(Ok(_)) => tracing::info!(?file, "served to other machines"),
        Ok(Err(lack)) => tracing::warn!(?file, "not served: {lack}"),
        Err(error) => tracing::warn!(?file, %error, "not served: it cannot be read"),
    }
}

impl std::fmt::Display for Lack {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Missing => f.write_str("it is not there"),
            Self::Version(other) => {
                write!(f, "it is version {other}, and this server is {}", version())
            }
            Self::Platform(other) => write!(f, "it is made for {other}"),
            Self::Unknown => f.write_str("it is no program of ours"),
        }
    }
}

/// Opens the file for a platform; says whether it is that of the program that runs.
fn open(dir: &Path, platform: Platform) -> io::Result<Option<(File, State, bool)>> {
    let (file, is_own) = match File::open(dir.join(platform.file())) {
        Ok(file) => (file, false),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            if platform != Platform::OWN {
                return Ok(None);
            }
            let link = Path::new(RUNNING);
            let path = if link.exists() { link.to_owned() } else { std::env::current_exe()? };
            (File::open(path)?, true)
        }
        Err(error) => return Err(error),
    };
    let state = State::of(&file)?;
    Ok(Some((file, state, is_own)))
}

/// Whether a file that was read is the program that is looked for.
fn fits(program: Program, mark: Option<Mark>) -> Look {
    match mark {
        None => Err(Lack::Unknown),
        Some(mark) if mark.platform != program.platform() => Err(Lack::Platform(mark.platform)),
        Some(mark) if mark.version != version() => Err(Lack::Version(mark.version)),
        Some(_) => Ok(Arc::new(program)),
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    fn arm() -> Platform {
        Platform::new("linux", "armv7").unwrap()
    }

    fn with(says: &str) -> Vec<u8> {
        [b"ELF\x01steading program\0", says.as_bytes(), &[0; 300]].concat()
    }

    #[tokio::test]
    async fn a_file_is_served_while_it_fits_and_looked_at_again_when_it_changed() {
        let dir = tempfile::tempdir().unwrap();
        let programs = Programs::new(dir.path().into(), dir.path().join("packed"));
        let file = dir.path().join("steading-linux-armv7");
        let find = async || programs.find(arm()).await.unwrap().map(|p| p.len());
        assert_eq!(find().await, Err(Lack::Missing));
        fs::write(&file, "#!/bin/sh\n").unwrap();
        assert_eq!(find().await, Err(Lack::Unknown));
        fs::write(&file, with("0.0.1\0linux\0armv7\0")).unwrap();
        assert_eq!(find().await, Err(Lack::Version("0.0.1".into())));
        fs::write(&file, with(&format!("{}\0linux\0arm64\0-", version()))).unwrap();
        assert_eq!(find().await, Err(Lack::Platform(Platform::new("linux", "arm64").unwrap())));
        let good = with(&format!("{}\0linux\0armv7\0--", version()));
        fs::write(&file, &good).unwrap();
        assert_eq!(find().await, Ok(good.len() as u64));
        fs::remove_file(&file).unwrap();
        assert_eq!(find().await, Err(Lack::Missing));
    }

    #[tokio::test]
    async fn what_was_compressed_stays_for_the_next_start_and_no_longer_than_its_file() {
        let dir = tempfile::tempdir().unwrap();
        let packed = dir.path().join("packed");
        let programs = || Programs::new(dir.path().into(), packed.clone());
        let file = dir.path().join("steading-linux-armv7");
        let names = || -> Vec<String> {
            let all = fs::read_dir(&packed).unwrap().map(|e| e.unwrap().file_name());
            all.map(|name| name.into_string().unwrap()).collect()
        };
        let write = |more: &str| {
            fs::write(&file, with(&format!("{}\0linux\0armv7\0{more}", version()))).unwrap();
        };
        write("");
        let first = programs().find(arm()).await.unwrap().unwrap();
        assert!(first.packed().await.unwrap().len() < first.len());
        let before = names();
        assert_eq!(before.len(), 1, "{before:?}");
        let again = programs().find(arm()).await.unwrap().unwrap();
        assert!(again.packed().await.is_some());
        assert_eq!(names(), before);
        fs::write(packed.join("linux-arm64-other.gz"), "of another").unwrap();
        write("changed");
        let next = programs().find(arm()).await.unwrap().unwrap();
        assert!(next.packed().await.is_some());
        assert_eq!(names().len(), 2);
        assert!(!names().contains(&before[0]));
    }

    #[tokio::test]
    async fn where_nothing_can_be_kept_nothing_is_compressed() {
        let dir = tempfile::tempdir().unwrap();
        let programs = Programs::new(dir.path().into(), "/dev/null/packed".into());
        let of = format!("{}\0linux\0armv7\0", version());
        fs::write(dir.path().join("steading-linux-armv7"), with(&of)).unwrap();
        let program = programs.find(arm()).await.unwrap().unwrap();
        assert!(program.packed().await.is_none());
    }
}
