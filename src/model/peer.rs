//! Peers of the overlay: keys, addresses the server assigns, endpoints.

use std::net::{Ipv6Addr, SocketAddr};

use super::user::{UserRef, define_words};

/// A WireGuard public key. As text: base64, as `wg` prints it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PeerKey(pub [u8; 32]);

impl std::fmt::Display for PeerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        use base64::Engine as _;
        f.write_str(&base64::engine::general_purpose::STANDARD.encode(self.0))
    }
}

impl std::fmt::Debug for PeerKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        std::fmt::Display::fmt(self, f)
    }
}

/// Text that is not a peer's key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("is not a WireGuard public key (32 bytes in base64)")]
pub struct BadPeerKey;

impl std::str::FromStr for PeerKey {
    type Err = BadPeerKey;

    fn from_str(text: &str) -> Result<Self, BadPeerKey> {
        use base64::Engine as _;
        let bytes =
            base64::engine::general_purpose::STANDARD.decode(text).map_err(|_| BadPeerKey)?;
        bytes.try_into().map(Self).map_err(|_| BadPeerKey)
    }
}

impl serde::Serialize for PeerKey {
    fn serialize<S: serde::Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

impl<'de> serde::Deserialize<'de> for PeerKey {
    fn deserialize<D: serde::Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        let text = <std::borrow::Cow<'de, str>>::deserialize(d)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

define_words! {
    /// What a peer is.
    PeerKind {
        /// The server.
        Server = "server",
        /// An agent.
        Agent = "agent",
        /// A CLI.
        Client = "client",
    }
}

/// What one peer is told about another it may talk to.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Peer {
    /// Its key.
    pub key: PeerKey,
    /// What it is.
    pub kind: PeerKind,
    /// The address the server gave it; packets from it must carry this one.
    pub address: Ipv6Addr,
    /// Where it may be reached by UDP; may be empty: then the relay.
    pub endpoints: Vec<SocketAddr>,
    /// On whose behalf it talks; absent for the server and for agents.
    pub user: Option<UserRef>,
}
