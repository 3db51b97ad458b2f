//! The way to a server on the same machine: a spare connection to its socket, on which it opens what
//! it would open on the overlay.

use std::sync::Arc;
use std::time::Duration;

use tokio::net::UnixStream;
use tokio::sync::watch;

use crate::model::id::AgentId;
pub(super) use crate::net::local::place;
use crate::net::local::{self, State};
use crate::tasks::OnPanic;
use crate::wire::local::LocalWay;

use super::base::Base;
use super::peers::Peers;

/// How long until it is tried again after a refusal. Sessions come by the overlay meanwhile.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// What the server offered last on this connection, and as whom.
pub(super) type Offer = Option<(LocalWay, AgentId)>;

/// Keeps a spare connection by the last offer for as long as it is polled. Sessions that began stay
/// when it is dropped.
pub(super) async fn keep(mut offers: watch::Receiver<Offer>, base: &Base, peers: &Arc<Peers>) {
    loop {
        let offer = offers.borrow_and_update().clone();
        let spares = async {
            let Some((way, agent)) = offer else { return std::future::pending().await };
            loop {
                keep_by(&way, agent, base, peers).await;
                // The server may have been out of room for strangers.
                tokio::time::sleep(AGAIN_AFTER).await;
            }
        };
        tokio::select! {
            changed = offers.changed() => if changed.is_err() { return },
            () = spares => {}
        }
    }
}

/// Dials one spare after the other. Returns when the server is not there, or does not know us.
async fn keep_by(way: &LocalWay, agent: AgentId, base: &Base, peers: &Arc<Peers>) {
    loop {
        let stream = match local::dial(way, agent).await {
            Ok(stream) => stream,
            Err(error) => return tracing::debug!(%error, "sessions come by the overlay"),
        };
        if !talks(&stream).await {
            return tracing::debug!("the server wants no spare connection");
        }
        let Some(peer) = peers.server() else { return };
        let sessions = peers.sessions().clone();
        base.tasks.spawn("session", OnPanic::Lose, async move {
            sessions.serve(Box::new(stream), peer).await;
        });
    }
}

/// Waits until the server opens something; false when it closed the connection.
async fn talks(stream: &UnixStream) -> bool {
    loop {
        if stream.readable().await.is_err() {
            return false;
        }
        match local::look(stream) {
            State::Talks => return true,
            State::Ended => return false,
            // Readiness may be told for nothing.
            State::Quiet => {}
        }
    }
}
