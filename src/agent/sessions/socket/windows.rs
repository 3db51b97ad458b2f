//! Named pipes, by which programs of Windows do what others do by Unix sockets: the SSH agent's among
//! them.

use std::io;
use std::path::Path;

use tokio::net::windows::named_pipe::{
    ClientOptions, NamedPipeClient, NamedPipeServer, ServerOptions,
};

/// What the path of every pipe begins with.
const PIPES: &str = r"\\.\pipe\";

/// Connects to one.
pub(in crate::agent::sessions) async fn connect(path: &str) -> io::Result<NamedPipeClient> {
    ClientOptions::new().open(named(path)?)
}

fn named(path: &str) -> io::Result<&str> {
    match path.starts_with(PIPES) {
        true => Ok(path),
        false => Err(io::Error::other("on Windows only pipes have such a path")),
    }
}

/// A pipe that is listened on.
pub(in crate::agent::sessions) struct Socket {
    next: NamedPipeServer,
    path: String,
}

impl Socket {
    /// Listens on a new one.
    pub(in crate::agent::sessions) async fn bind(path: &str) -> io::Result<Self> {
        let path = named(path)?.to_owned();
        let next = ServerOptions::new().first_pipe_instance(true).create(&path)?;
        Ok(Self { next, path })
    }

    /// The next connection.
    pub(in crate::agent::sessions) async fn accept(&mut self) -> io::Result<NamedPipeServer> {
        self.next.connect().await?;
        // There is always one to connect to: else whoever comes is told that there is no such pipe.
        let fresh = ServerOptions::new().create(&self.path)?;
        Ok(std::mem::replace(&mut self.next, fresh))
    }
}

/// The pipe of a forwarded SSH agent. Others may read from such a pipe by the system's own rules, but
/// not write, and an agent is asked first.
pub(in crate::agent::sessions) struct Agents(Socket);

impl Agents {
    /// Listens on a new one.
    pub(in crate::agent::sessions) fn open(_: &Path, name: &str) -> io::Result<Self> {
        let path = format!("{PIPES}steading-{name}");
        let next = ServerOptions::new().first_pipe_instance(true).create(&path)?;
        Ok(Self(Socket { next, path }))
    }

    /// Its path, for `SSH_AUTH_SOCK`.
    pub(in crate::agent::sessions) fn path(&self) -> String {
        self.0.path.clone()
    }

    /// The next connection.
    pub(in crate::agent::sessions) async fn accept(&mut self) -> io::Result<NamedPipeServer> {
        self.0.accept().await
    }
}
