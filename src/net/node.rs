//! A node without sockets or clocks: many peers, demultiplexed by what their datagrams say.

mod demux;
mod streams;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use boringtun::noise::rate_limiter::RateLimiter;
use boringtun::x25519::{PublicKey, StaticSecret};

use super::outbox::{Outbox, Ready, Transmit};
use super::path::Path;
use super::peer::{Context, Me, Peer};
use super::stack::{StackEvent, StreamAt};
use crate::clock::Entropy;
use crate::model::peer::{Peer as Spec, PeerKey};

/// Handshakes a second that are worked on without proof of the sender's address; each costs some
/// 0.2 ms. Beyond that the sender must return a cookie.
const HANDSHAKES_PER_SECOND: u64 = 200;
/// Addresses by which we were seen that are remembered.
const MAX_SEEN: usize = 4;
/// The part of a session's index that names the peer.
const INDEX_BITS: u32 = 24;

/// Names a stream of a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamRef {
    peer: u32,
    at: StreamAt,
}

/// What happened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeEvent {
    /// A peer opened a stream.
    Opened(PeerKey, StreamRef),
    /// The connection with a peer ended while streams were open.
    Lost(PeerKey),
}

/// How a peer is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerStatus {
    /// The way in use; `None` before there is a session.
    pub path: Option<Path>,
    /// The round trip to it.
    pub rtt: Option<Duration>,
    /// Bytes sent to it, as they left.
    pub tx_bytes: u64,
    /// Bytes received from it.
    pub rx_bytes: u64,
    /// How long ago the last handshake was.
    pub last_handshake: Option<Duration>,
}

/// A node of the overlay. (boringtun alone reads the clock and chance by itself: for the ages of
/// keys, and to make them.)
///
/// 1. Feed it: [`Node::input`], the calls about peers and streams, [`Node::handle_timeout`] when
///    [`Node::poll_timeout`] is due.
/// 2. Send what [`Node::poll_transmit`] gives, and return it by [`Node::recycle`].
/// 3. Take [`Node::poll_event`] until it gives nothing.
pub struct Node {
    me: Me,
    limiter: RateLimiter,
    peers: BTreeMap<u32, Slot>,
    by_key: BTreeMap<PeerKey, u32>,
    timers: BTreeSet<(Instant, u32)>,
    dirty: VecDeque<u32>,
    out: Outbox,
    events: VecDeque<NodeEvent>,
    scratch: Vec<u8>,
    seen: VecDeque<SocketAddr>,
    relay: bool,
    next_index: u32,
}

struct Slot {
    peer: Peer,
    deadline: Option<Instant>,
    dirty: bool,
}

impl Node {
    /// A node without peers.
    #[must_use]
    pub fn new(secret: [u8; 32], address: Ipv6Addr, entropy: &Entropy) -> Self {
        let secret = StaticSecret::from(secret);
        let public = PublicKey::from(&secret);
        let me = Me {
            public,
            secret,
            address,
            entropy: entropy.clone(),
            unlimited: Arc::new(RateLimiter::new(&public, u64::MAX)),
        };
        Self {
            me,
            limiter: RateLimiter::new(&public, HANDSHAKES_PER_SECOND),
            peers: BTreeMap::new(),
            by_key: BTreeMap::new(),
            timers: BTreeSet::new(),
            dirty: VecDeque::new(),
            out: Outbox::default(),
            events: VecDeque::new(),
            scratch: Vec::new(),
            seen: VecDeque::new(),
            relay: false,
            next_index: u32::from_be_bytes(entropy.bytes()) >> 8,
        }
    }

    /// Simulated time passes too quickly for a limit by the machine's clock.
    #[cfg(test)]
    pub(super) fn unlimited(&mut self) {
        self.limiter = RateLimiter::new(&self.me.public, u64::MAX);
    }

    /// Our public key.
    #[must_use]
    pub fn key(&self) -> PeerKey {
        PeerKey(self.me.public.to_bytes())
    }

    /// Sets our address.
    pub fn set_address(&mut self, address: Ipv6Addr) {
        self.me.address = address;
    }

    /// Addresses by which peers have seen us, newest first.
    pub fn seen_as(&self) -> impl Iterator<Item = SocketAddr> + '_ {
        self.seen.iter().copied()
    }

    /// Adds a peer or changes it; its streams go on unless its address is another.
    pub fn set_peer(&mut self, spec: &Spec, now: Instant) {
        if spec.key == self.key() {
            return;
        }
        let known = self.by_key.get(&spec.key).copied();
        if let Some(slot) = known.and_then(|index| self.peers.get_mut(&index))
            && slot.peer.spec.address == spec.address
        {
            slot.peer.paths.announce(&spec.endpoints);
            slot.peer.spec = spec.clone();
        } else {
            self.remove_peer(&spec.key, now);
            let index = self.free_index();
            let peer = Peer::new(spec.clone(), index, &self.me, self.relay);
            self.peers.insert(index, Slot { peer, deadline: None, dirty: false });
            self.by_key.insert(spec.key, index);
        }
        if let Some(index) = self.by_key.get(&spec.key).copied() {
            self.with(index, now, |_, _| ());
        }
    }

    fn free_index(&mut self) -> u32 {
        loop {
            self.next_index = (self.next_index + 1) & ((1 << INDEX_BITS) - 1);
            if !self.peers.contains_key(&self.next_index) {
                return self.next_index;
            }
        }
    }

    /// Cuts every stream with a peer and forgets it.
    pub fn remove_peer(&mut self, key: &PeerKey, now: Instant) {
        let Some(index) = self.by_key.remove(key) else { return };
        let Some(mut slot) = self.peers.remove(&index) else { return };
        if let Some(at) = slot.deadline {
            self.timers.remove(&(at, index));
        }
        slot.peer.stack.cut(now);
        while let Some(StackEvent::Opened(_) | StackEvent::Lost) = slot.peer.stack.poll_event() {}
        self.flush(&mut slot.peer, now);
        self.events.retain(|event| !matches!(event, NodeEvent::Opened(from, _) if from == key));
        self.events.push_back(NodeEvent::Lost(*key));
    }

    /// Queues the last packets of a peer that will not be asked again.
    fn flush(&mut self, peer: &mut Peer, now: Instant) {
        let mut ctx = Context {
            now,
            me: &self.me,
            out: &mut self.out,
            scratch: &mut self.scratch,
            seen_as: &mut None,
        };
        if let Some(last) = peer.poll_transmit(&mut ctx) {
            ctx.out.queue(last);
        }
    }

    /// Tells every peer that we leave; all streams fail.
    pub fn close(&mut self, now: Instant) {
        let keys: Vec<PeerKey> = self.by_key.keys().copied().collect();
        for key in keys {
            self.remove_peer(&key, now);
        }
    }

    /// Whether written bytes still wait for an acknowledgement.
    pub fn unsent(&mut self) -> bool {
        self.peers.values_mut().any(|slot| slot.peer.stack.unsent())
    }

    /// Whether there is a relay.
    pub fn set_relay(&mut self, present: bool, now: Instant) {
        self.relay = present;
        self.out.clear_relay();
        let indices: Vec<u32> = self.peers.keys().copied().collect();
        for index in indices {
            self.with(index, now, |peer, _| peer.paths.set_relay(present));
        }
    }

    /// When [`Node::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.timers.first().map(|(at, _)| *at)
    }

    /// Runs what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        while let Some((at, index)) = self.timers.first().copied()
            && at <= now
        {
            self.timers.remove(&(at, index));
            if let Some(slot) = self.peers.get_mut(&index) {
                slot.deadline = None;
            }
            self.with(index, now, |_, _| ());
        }
    }

    /// Works with a peer, then settles its timers, events and packets.
    fn with<T>(
        &mut self,
        index: u32,
        now: Instant,
        work: impl FnOnce(&mut Peer, &mut Context<'_>) -> T,
    ) -> Option<T> {
        let slot = self.peers.get_mut(&index)?;
        let mut seen_as = None;
        let mut ctx = Context {
            now,
            me: &self.me,
            out: &mut self.out,
            scratch: &mut self.scratch,
            seen_as: &mut seen_as,
        };
        // Whoever slept sees first what ended meanwhile, then what waited in the socket: a round
        // trip measured across the sleep would slow everything down.
        if slot.deadline.is_some_and(|at| at <= now) {
            slot.peer.settle(&mut ctx);
        }
        let result = work(&mut slot.peer, &mut ctx);
        slot.peer.settle(&mut ctx);
        let deadline = slot.peer.deadline(now);
        let key = slot.peer.spec.key;
        while let Some(event) = slot.peer.stack.poll_event() {
            self.events.push_back(match event {
                StackEvent::Opened(at) => NodeEvent::Opened(key, StreamRef { peer: index, at }),
                StackEvent::Lost => NodeEvent::Lost(key),
            });
        }
        reschedule(&mut self.timers, index, slot, deadline);
        if !slot.dirty {
            slot.dirty = true;
            self.dirty.push_back(index);
        }
        if let Some(address) = seen_as {
            self.learn(address);
        }
        Some(result)
    }

    fn learn(&mut self, address: SocketAddr) {
        if self.seen.front() != Some(&address) {
            self.seen.retain(|known| *known != address);
            self.seen.push_front(address);
            self.seen.truncate(MAX_SEEN);
        }
    }

    /// What to send, by a way that is ready.
    pub fn poll_transmit(&mut self, now: Instant, ready: Ready) -> Option<Transmit> {
        if let Some(waiting) = self.out.pop(ready) {
            return Some(waiting);
        }
        for _ in 0..self.dirty.len() {
            let index = self.dirty.pop_front()?;
            let Some(slot) = self.peers.get_mut(&index) else { continue };
            if slot.peer.way().is_some_and(|path| !ready.takes(path)) {
                self.dirty.push_back(index);
                continue;
            }
            let mut ctx = Context {
                now,
                me: &self.me,
                out: &mut self.out,
                scratch: &mut self.scratch,
                seen_as: &mut None,
            };
            if let Some(transmit) = slot.peer.poll_transmit(&mut ctx) {
                self.dirty.push_back(index);
                return Some(transmit);
            }
            slot.dirty = false;
            let deadline = slot.peer.deadline(now);
            reschedule(&mut self.timers, index, slot, deadline);
        }
        None
    }

    /// Whether [`Node::poll_transmit`] has something to do.
    #[must_use]
    pub fn has_work(&self) -> bool {
        !self.dirty.is_empty() || !self.events.is_empty()
    }

    /// Returns a batch that was sent.
    pub fn recycle(&mut self, transmit: Transmit) {
        self.out.recycle(transmit);
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<NodeEvent> {
        self.events.pop_front()
    }

    /// How a peer is doing.
    #[must_use]
    pub fn status(&self, key: &PeerKey, now: Instant) -> Option<PeerStatus> {
        let peer = &self.peers.get(self.by_key.get(key)?)?.peer;
        Some(PeerStatus {
            path: peer.way(),
            rtt: peer.paths.rtt().or_else(|| peer.stack.rtt()),
            tx_bytes: peer.sent,
            rx_bytes: peer.received,
            last_handshake: peer.last_handshake.map(|at| now.saturating_duration_since(at)),
        })
    }

    /// What is being tried to reach a peer, for a person to read; `None` when it is unknown.
    #[must_use]
    pub fn tried(&self, key: &PeerKey) -> Option<String> {
        let peer = &self.peers.get(self.by_key.get(key)?)?.peer;
        let ways: Vec<String> = peer
            .paths
            .all()
            .map(|path| match path {
                Path::Direct(address) => address.to_string(),
                Path::Relay => "the relay".to_owned(),
            })
            .collect();
        let reached = if peer.has_session() { "the tunnel is up" } else { "no answer" };
        Some(if ways.is_empty() {
            "no address is known and there is no relay".to_owned()
        } else {
            format!("tried {}: {reached}", ways.join(", "))
        })
    }
}

fn reschedule(
    timers: &mut BTreeSet<(Instant, u32)>,
    index: u32,
    slot: &mut Slot,
    deadline: Option<Instant>,
) {
    if slot.deadline == deadline {
        return;
    }
    if let Some(old) = slot.deadline {
        timers.remove(&(old, index));
    }
    if let Some(new) = deadline {
        timers.insert((new, index));
    }
    slot.deadline = deadline;
}
