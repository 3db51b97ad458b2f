//! Unix sockets.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tokio::net::{UnixListener, UnixStream};

/// A socket's path is at most so long on Linux, and a little shorter elsewhere.
const MAX_PATH: usize = 104;

/// Connects to one.
pub(in crate::agent::sessions) async fn connect(path: &str) -> io::Result<UnixStream> {
    UnixStream::connect(path).await
}

/// A listening Unix socket. Its file is removed with it.
pub(in crate::agent::sessions) struct Socket {
    listener: UnixListener,
    path: PathBuf,
}

impl Socket {
    pub(in crate::agent::sessions) async fn bind(path: &str) -> io::Result<Self> {
        let path = Path::new(path);
        let bound = UnixListener::bind(path);
        let listener = match bound {
            Err(e) if e.kind() == io::ErrorKind::AddrInUse && is_stale(path).await => {
                std::fs::remove_file(path)?;
                UnixListener::bind(path)?
            }
            other => other?,
        };
        Ok(Self { listener, path: path.to_owned() })
    }

    /// The next connection.
    pub(in crate::agent::sessions) async fn accept(&mut self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }
}

/// Whether nobody listens on a socket's file any more: its listener was killed.
async fn is_stale(path: &Path) -> bool {
    let connected = UnixStream::connect(path).await;
    connected.is_err_and(|e| e.kind() == io::ErrorKind::ConnectionRefused)
}

impl Drop for Socket {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.path);
    }
}

/// The socket of a forwarded SSH agent, in a directory of its own.
pub(in crate::agent::sessions) struct Agents {
    dir: PathBuf,
    listener: UnixListener,
}

impl Agents {
    /// Listens on a new socket that only this account can reach.
    pub(in crate::agent::sessions) fn open(run_dir: &Path, name: &str) -> io::Result<Self> {
        let usual = run_dir.join(name);
        let fits = usual.as_os_str().len() + "/socket".len() < MAX_PATH;
        let dir = if fits { usual } else { std::env::temp_dir().join(format!("steading-{name}")) };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        match UnixListener::bind(dir.join("socket")) {
            Ok(listener) => Ok(Self { dir, listener }),
            Err(error) => {
                let _ = std::fs::remove_dir_all(&dir);
                Err(error)
            }
        }
    }

    /// Its path, for `SSH_AUTH_SOCK`.
    pub(in crate::agent::sessions) fn path(&self) -> String {
        self.dir.join("socket").to_string_lossy().into_owned()
    }

    /// The next connection.
    pub(in crate::agent::sessions) async fn accept(&mut self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }
}

impl Drop for Agents {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}
