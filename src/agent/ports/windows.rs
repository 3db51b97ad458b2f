//! What listens, as Windows tells it.

use std::collections::BTreeMap;

use listeners::{Listener, Protocol, SocketState};

use super::{LOWEST, MAX_PORTS};
use crate::wire::agent::ListeningPort;

/// Nothing is remembered.
#[derive(Default)]
pub(super) struct Tables {}

impl Tables {
    /// What listens now.
    pub(super) async fn look(&mut self) -> Vec<ListeningPort> {
        // Every process is looked at, which a terminal would notice.
        let all = tokio::task::spawn_blocking(|| listeners::get_all().ok()).await;
        let all = all.ok().flatten().unwrap_or_default();
        let ports: BTreeMap<u16, String> = all.into_iter().filter_map(of).collect();
        let ports = ports.into_iter().take(MAX_PORTS);
        ports.map(|(port, process)| ListeningPort { port, process }).collect()
    }
}

fn of(listener: Listener) -> Option<(u16, String)> {
    let port = listener.socket.port();
    let listens = listener.protocol == Protocol::TCP && listener.state == SocketState::Listen;
    (listens && port >= LOWEST).then_some((port, listener.process.name))
}
