//! The socket of a forwarded SSH agent: each connection to it goes back to the person's own agent.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;

use tokio::net::UnixListener;
use tokio_util::sync::{CancellationToken, DropGuard};

use super::Served;
use crate::tasks::OnPanic;
use crate::wire::session::Back;

/// A socket's path is at most so long on Linux, and a little shorter elsewhere.
const MAX_PATH: usize = 104;

/// A listening socket. It is gone when this is dropped.
pub(super) struct AgentSocket {
    dir: PathBuf,
    _stop: DropGuard,
}

impl AgentSocket {
    /// Listens on a new socket that only this account can reach.
    pub(super) fn open(served: &Served) -> io::Result<Self> {
        let name = format!("agent-{}", hex::encode(served.inner.entropy.bytes::<8>()));
        let usual = served.inner.config.run_dir.join(&name);
        let fits = usual.as_os_str().len() + "/socket".len() < MAX_PATH;
        let dir = if fits { usual } else { std::env::temp_dir().join(format!("steading-{name}")) };
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let stop = CancellationToken::new();
        let socket = Self { dir, _stop: stop.clone().drop_guard() };
        let listener = UnixListener::bind(socket.dir.join("socket"))?;
        let served = served.clone();
        served.tasks().spawn("agent socket", OnPanic::Lose, async move {
            tokio::select! {
                () = accept(&served, &listener) => {}
                () = stop.cancelled() => {}
            }
        });
        Ok(socket)
    }

    /// Its path, for `SSH_AUTH_SOCK`.
    pub(super) fn path(&self) -> String {
        self.dir.join("socket").to_string_lossy().into_owned()
    }
}

impl Drop for AgentSocket {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.dir);
    }
}

async fn accept(served: &Served, listener: &UnixListener) {
    while let Ok((socket, _)) = listener.accept().await {
        served.pass_back(Back::SshAgent, socket);
    }
}
