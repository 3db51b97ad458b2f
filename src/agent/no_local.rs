//! The way to a server on the same machine, where there is none: no server runs on Windows.

use std::sync::Arc;

use tokio::sync::watch;

use crate::model::id::AgentId;
use crate::wire::local::LocalWay;

use super::base::Base;
use super::peers::Peers;

/// What the server offered last on this connection, and as whom.
pub(super) type Offer = Option<(LocalWay, AgentId)>;

/// Nothing, to tell the server where this process is.
pub(super) fn place() -> String {
    String::new()
}

/// Waits. Sessions come by the overlay.
pub(super) async fn keep(_: watch::Receiver<Offer>, _: &Base, _: &Arc<Peers>) {
    std::future::pending().await
}
