//! Coordination between a client (the CLI) and the server: JSON texts on one WebSocket, whose binary
//! messages are relay frames. `GET /api/v2/workspaceagents/{agent}/coordinate`.

use std::net::{Ipv6Addr, SocketAddr};
use std::time::Duration;

use crate::model::peer::{Peer, PeerKey};

/// How long a client keeps its place when its coordination or the agent's control connection is
/// lost: a server is replaced in seconds, and streams need not end for it. No longer, since who is
/// away cannot be told that a right ended.
pub const GRACE: Duration = Duration::from_secs(20);

/// What a client says.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromClient {
    /// The first message.
    Hello {
        /// [`super::PROTOCOL`].
        protocol: u32,
        /// Its overlay key, made for this connection.
        key: PeerKey,
        /// Where its UDP socket may be reached, as far as it knows.
        endpoints: Vec<SocketAddr>,
    },
    /// Its endpoints changed.
    Endpoints {
        /// The new ones.
        endpoints: Vec<SocketAddr>,
    },
}

/// What the server says to a client.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToClient {
    /// The answer to the hello.
    Welcome {
        /// The address it has on the overlay.
        address: Ipv6Addr,
        /// Peers it may talk to: the agent, and the server (for its reflexive address).
        peers: Vec<Peer>,
    },
    /// A peer changed: new endpoints, or a new key after a restart of the agent.
    Peers {
        /// Each whole.
        peers: Vec<Peer>,
    },
    /// A peer it may not talk to any more.
    RemovePeer {
        /// Which.
        key: PeerKey,
    },
    /// The right to the workspace ended, or never was.
    Refused {
        /// Why.
        why: String,
    },
}
