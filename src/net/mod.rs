//! The overlay: `WireGuard` between peers, streams in QUIC inside it, UDP or a relay beneath.

#[cfg(unix)]
pub mod accept;
mod cc;
mod connection;
pub mod dial;
mod driver;
pub mod lan;
#[cfg(unix)]
pub mod local;
pub mod node;
mod null;
pub mod outbox;
pub mod packet;
pub mod path;
mod peer;
pub mod proxy;
mod quic;
pub mod relay;
#[cfg(test)]
mod sim;
mod socket;
pub mod stack;
mod stream;
#[cfg(test)]
mod tests;
mod tunnel;
pub mod websocket;

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::Poll;

use tokio::sync::{Mutex, broadcast, mpsc};

use self::driver::Shared;
use self::node::{Node, StreamRef};
use self::socket::Socket;
use self::stack::OPEN_TIMEOUT;
use crate::clock::{Clock, Entropy};
use crate::model::peer::{Peer, PeerKey};
use crate::tasks::{OnPanic, Tasks};

pub use self::node::PeerStatus;
pub use self::path::Path;
pub use self::relay::RelayFrame;
pub use self::stream::Stream;

/// Streams that peers opened and nobody has accepted yet; one more is refused.
const MAX_INCOMING: usize = 1024;
/// Losses that a slow listener of [`Overlay::lost`] may be behind.
const MAX_LOST: usize = 256;

/// What a node is started with.
#[derive(Clone)]
pub struct OverlayConfig {
    /// Our private key.
    pub secret: [u8; 32],
    /// Where the UDP socket is bound; an IPv6 wildcard takes IPv4 too.
    pub bind: SocketAddr,
    /// Our address on the overlay; see [`Overlay::set_address`].
    pub address: Ipv6Addr,
}

/// A node of the overlay. Clones are handles of the same node; it runs until its tasks stop.
#[derive(Clone)]
pub struct Overlay {
    shared: Arc<Shared>,
    incoming: Arc<Mutex<mpsc::Receiver<(PeerKey, StreamRef)>>>,
    key: PeerKey,
}

/// Why no stream could be opened.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// The peer was never set, or was removed.
    #[error("The peer is not known on the overlay.")]
    Unknown,
    /// Nothing answered in time.
    #[error("The peer did not answer within 10 seconds: {tried}.")]
    Timeout {
        /// What was tried.
        tried: String,
    },
    /// The node has stopped.
    #[error("The overlay has stopped.")]
    Stopped,
}

impl Overlay {
    /// Binds the socket and starts the node's task.
    ///
    /// # Errors
    /// When the socket cannot be bound.
    #[expect(
        clippy::unused_async,
        reason = "it must be called on the runtime that drives the socket"
    )]
    pub async fn start(
        config: OverlayConfig,
        clock: Clock,
        entropy: Entropy,
        tasks: &Tasks,
    ) -> anyhow::Result<Self> {
        let socket = Socket::bind(config.bind)?;
        let node = Node::new(config.secret, config.address, &entropy);
        let key = node.key();
        let (lost, _) = broadcast::channel(MAX_LOST);
        let (sender, receiver) = mpsc::channel(MAX_INCOMING);
        let shared = Arc::new(Shared::new(node, clock, socket, lost));
        let run = driver::run(Arc::clone(&shared), sender, tasks.token());
        tasks.spawn_graceful("overlay", OnPanic::Stop, run);
        Ok(Self { shared, incoming: Arc::new(Mutex::new(receiver)), key })
    }

    /// Our public key.
    #[must_use]
    pub fn key(&self) -> PeerKey {
        self.key
    }

    /// Where the UDP socket is bound.
    #[must_use]
    pub fn local_addr(&self) -> SocketAddr {
        self.shared.socket.local()
    }

    /// Sets our address: agents and clients learn theirs from the server.
    pub fn set_address(&self, address: Ipv6Addr) {
        self.shared.node().set_address(address);
    }

    /// Where we may be reached by UDP, to be announced: addresses of this machine, then those by
    /// which peers have seen us.
    #[must_use]
    pub fn endpoints(&self) -> Vec<SocketAddr> {
        let mut all = self.shared.socket.endpoints();
        for seen in self.shared.node().seen_as() {
            if !all.contains(&seen) {
                all.push(seen);
            }
        }
        all
    }

    /// Adds a peer, or changes its endpoints, kind or person. Its streams go on, unless its
    /// address is another. A peer of the kind `server` is kept connected.
    pub fn set_peer(&self, peer: &Peer) {
        let now = self.shared.clock.instant();
        self.shared.node().set_peer(peer, now);
        self.shared.wake.notify_one();
    }

    /// Forgets a peer and cuts every stream with it at once.
    pub fn remove_peer(&self, key: &PeerKey) {
        let now = self.shared.clock.instant();
        self.shared.node().remove_peer(key, now);
        self.shared.wake.notify_one();
    }

    /// Uses a relay for peers that cannot be reached directly: frames to it leave by `to_relay`,
    /// frames from it come in by [`RelayInput::push`]. It replaces an earlier relay.
    #[must_use = "dropping the input detaches the relay"]
    pub fn attach_relay(&self, to_relay: mpsc::Sender<RelayFrame>) -> RelayInput {
        let id = self.shared.attach_relay(to_relay);
        RelayInput { shared: Arc::clone(&self.shared), id }
    }

    /// Opens a stream, connecting first when needed.
    ///
    /// # Errors
    /// When the peer is unknown, does not answer within [`OPEN_TIMEOUT`], or the node has stopped.
    pub async fn open(&self, key: &PeerKey) -> Result<Stream, OpenError> {
        let opened = tokio::time::timeout(
            OPEN_TIMEOUT,
            std::future::poll_fn(|cx| {
                if self.shared.stopped.load(Ordering::Acquire) {
                    return Poll::Ready(Err(OpenError::Stopped));
                }
                let now = self.shared.clock.instant();
                let opened = self.shared.node().poll_open(key, now, cx.waker());
                self.shared.wake.notify_one();
                opened.map_or(Poll::Ready(Err(OpenError::Unknown)), |opened| opened.map(Ok))
            }),
        );
        match opened.await {
            Ok(opened) => Ok(Stream::new(Arc::clone(&self.shared), opened?)),
            Err(_) => {
                let tried = self.shared.node().tried(key).ok_or(OpenError::Unknown)?;
                Err(OpenError::Timeout { tried })
            }
        }
    }

    /// The next stream that a peer opened; `None` when the node has stopped.
    pub async fn accept(&self) -> Option<(PeerKey, Stream)> {
        let (key, stream) = self.incoming.lock().await.recv().await?;
        Some((key, Stream::new(Arc::clone(&self.shared), stream)))
    }

    /// How a peer is doing; `None` when it is unknown.
    #[must_use]
    pub fn status(&self, key: &PeerKey) -> Option<PeerStatus> {
        let now = self.shared.clock.instant();
        self.shared.node().status(key, now)
    }

    /// Peers whose connection ended while streams were open, or that were removed.
    #[must_use]
    pub fn lost(&self) -> broadcast::Receiver<PeerKey> {
        self.shared.lost.subscribe()
    }
}

/// Takes the frames that the relay sends; dropping it detaches the relay.
pub struct RelayInput {
    shared: Arc<Shared>,
    id: u64,
}

impl RelayInput {
    /// One frame from the relay. It is worked on here and now: nothing waits in a queue.
    #[expect(clippy::needless_pass_by_value, reason = "a frame is handed over")]
    pub fn push(&self, frame: RelayFrame) {
        let now = self.shared.clock.instant();
        self.shared.node().input_frame(&frame, now);
        self.shared.wake.notify_one();
    }
}

impl Drop for RelayInput {
    fn drop(&mut self) {
        self.shared.detach_relay(self.id);
    }
}
