//! The socket of a forwarded SSH agent: each connection to it goes back to the person's own agent.

use std::io;

use tokio_util::sync::{CancellationToken, DropGuard};

use super::Served;
use super::socket::Agents;
use crate::tasks::OnPanic;
use crate::wire::session::Back;

/// A listening socket. It is gone when this is dropped.
pub(super) struct AgentSocket {
    path: String,
    _stop: DropGuard,
}

impl AgentSocket {
    /// Listens on a new socket that only this account can reach.
    pub(super) fn open(served: &Served) -> io::Result<Self> {
        let name = format!("agent-{}", hex::encode(served.inner.entropy.bytes::<8>()));
        let mut agents = Agents::open(&served.inner.config.run_dir, &name)?;
        let stop = CancellationToken::new();
        let socket = Self { path: agents.path(), _stop: stop.clone().drop_guard() };
        let served = served.clone();
        served.tasks().spawn("agent socket", OnPanic::Lose, async move {
            tokio::select! {
                () = accept(&served, &mut agents) => {}
                () = stop.cancelled() => {}
            }
        });
        Ok(socket)
    }

    /// Its path, for `SSH_AUTH_SOCK`.
    pub(super) fn path(&self) -> String {
        self.path.clone()
    }
}

async fn accept(served: &Served, agents: &mut Agents) {
    while let Ok(socket) = agents.accept().await {
        served.pass_back(Back::SshAgent, socket);
    }
}
