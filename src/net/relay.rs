//! The relay: its frame (a peer's key, a segment size, `WireGuard` datagrams) and the queues of the server.

use std::collections::{BTreeMap, VecDeque};

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::model::peer::PeerKey;

/// A frame as it crosses a `WebSocket`: [`HEADER`] bytes, then datagrams.
pub type RelayFrame = Bytes;

/// 32 bytes of key and a segment size in two. To the relay the key names the receiver, from the
/// relay it names the sender: the server sets it from the connection that the frame came by.
pub const HEADER: usize = 34;
/// A batch of datagrams is at most what one UDP send with segmentation may carry.
pub const MAX_FRAME: usize = HEADER + 65_535;
/// Frames that may wait for one peer. Some megabytes: more would only add delay to a slow link.
pub const MAX_QUEUED_FRAMES: usize = 64;
/// Bytes that may wait for one peer; many small frames must not count as little as few big ones.
pub const MAX_QUEUED_BYTES: usize = 2 << 20;

/// Writes a header into the first [`HEADER`] bytes of `frame`.
pub(super) fn write_header(frame: &mut [u8], key: &PeerKey, segment: u16) {
    let mut header = [0; HEADER];
    header[..32].copy_from_slice(&key.0);
    header[32..].copy_from_slice(&segment.to_be_bytes());
    if let Some(room) = frame.first_chunk_mut::<HEADER>() {
        *room = header;
    }
}

/// A frame of `datagrams`, each `segment` bytes long but for the last.
#[must_use]
pub fn encode(key: &PeerKey, segment: u16, datagrams: &[u8]) -> RelayFrame {
    let mut frame = BytesMut::with_capacity(HEADER + datagrams.len());
    frame.put_bytes(0, HEADER);
    write_header(&mut frame, key, segment);
    frame.put_slice(datagrams);
    frame.freeze()
}

/// What a frame holds: the key, the segment size (never zero) and the datagrams; `None` when it is
/// not a frame.
#[must_use]
pub fn decode(frame: &[u8]) -> Option<(PeerKey, usize, &[u8])> {
    let (header, datagrams) = frame.split_first_chunk::<HEADER>()?;
    let (key, segment) = header.split_first_chunk::<32>()?;
    let segment = usize::from(u16::from_be_bytes(segment.try_into().ok()?));
    let fits = frame.len() <= MAX_FRAME && segment > 0 && !datagrams.is_empty();
    fits.then_some((PeerKey(*key), segment, datagrams))
}

/// What became of a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It waits for its receiver; call [`RelayQueues::pop`] for that peer.
    Queued(PeerKey),
    /// It was malformed, not allowed, or its receiver is not here.
    Dropped,
}

/// The relay of the server: frames that wait for each connected peer. It holds no keys and opens
/// nothing.
///
/// 1. [`RelayQueues::connect`] and [`RelayQueues::disconnect`] when a peer's socket comes and goes.
/// 2. [`RelayQueues::push`] for each frame that comes in.
/// 3. [`RelayQueues::pop`] for the receiver until it gives `None`.
#[derive(Debug, Default)]
pub struct RelayQueues {
    peers: BTreeMap<PeerKey, Queue>,
}

#[derive(Debug, Default)]
struct Queue {
    frames: VecDeque<RelayFrame>,
    bytes: usize,
    dropped: u64,
}

impl RelayQueues {
    /// No peers.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A peer's socket is here; what waited for an earlier one is gone.
    pub fn connect(&mut self, key: PeerKey) {
        self.peers.insert(key, Queue::default());
    }

    /// A peer's socket is gone, and what waited for it.
    pub fn disconnect(&mut self, key: &PeerKey) {
        self.peers.remove(key);
    }

    /// Whether a peer's socket is here.
    #[must_use]
    pub fn is_connected(&self, key: &PeerKey) -> bool {
        self.peers.contains_key(key)
    }

    /// Takes a frame from the socket of `from`; `may` says whether two peers may exchange frames.
    /// A full queue loses its oldest frames: what is inside is retransmitted anyway.
    pub fn push(
        &mut self,
        from: &PeerKey,
        frame: RelayFrame,
        may: impl FnOnce(&PeerKey, &PeerKey) -> bool,
    ) -> Verdict {
        let Some((to, _, _)) = decode(&frame) else { return Verdict::Dropped };
        if !may(from, &to) {
            return Verdict::Dropped;
        }
        let Some(queue) = self.peers.get_mut(&to) else { return Verdict::Dropped };
        queue.push(readdress(frame, from));
        Verdict::Queued(to)
    }

    /// The next frame for a peer.
    pub fn pop(&mut self, key: &PeerKey) -> Option<RelayFrame> {
        let queue = self.peers.get_mut(key)?;
        let frame = queue.frames.pop_front()?;
        queue.bytes -= frame.len();
        Some(frame)
    }

    /// How many frames for a peer were dropped because it did not take them.
    #[must_use]
    pub fn dropped(&self, key: &PeerKey) -> u64 {
        self.peers.get(key).map_or(0, |queue| queue.dropped)
    }
}

impl Queue {
    fn push(&mut self, frame: RelayFrame) {
        self.bytes += frame.len();
        self.frames.push_back(frame);
        while self.frames.len() > MAX_QUEUED_FRAMES || self.bytes > MAX_QUEUED_BYTES {
            let Some(oldest) = self.frames.pop_front() else { break };
            self.bytes -= oldest.len();
            self.dropped += 1;
        }
    }
}

/// The same frame with the key of its sender, without a copy when nobody else holds it.
fn readdress(frame: RelayFrame, from: &PeerKey) -> RelayFrame {
    let mut frame = frame.try_into_mut().unwrap_or_else(|shared| BytesMut::from(&*shared));
    if let Some(key) = frame.first_chunk_mut::<32>() {
        *key = from.0;
    }
    frame.freeze()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ADA: PeerKey = PeerKey([1; 32]);
    const BOB: PeerKey = PeerKey([2; 32]);

    proptest! {
        #[test]
        fn frames_round_trip(key: [u8; 32], segment in 1u16.., data in prop::collection::vec(any::<u8>(), 1..3000)) {
            let frame = encode(&PeerKey(key), segment, &data);
            prop_assert_eq!(decode(&frame), Some((PeerKey(key), usize::from(segment), &*data)));
        }

        #[test]
        fn any_bytes_decode_without_a_panic(data in prop::collection::vec(any::<u8>(), 0..100)) {
            let _ = decode(&data);
        }
    }

    #[test]
    fn the_receiver_sees_the_true_sender() {
        let mut relay = RelayQueues::new();
        relay.connect(BOB);
        let verdict = relay.push(&ADA, encode(&BOB, 5, b"hello"), |_, _| true);
        assert_eq!(verdict, Verdict::Queued(BOB));
        assert_eq!(decode(&relay.pop(&BOB).unwrap()), Some((ADA, 5, &b"hello"[..])));
        assert_eq!(relay.pop(&BOB), None);
    }

    #[test]
    fn who_may_not_or_is_not_here_gets_nothing() {
        let mut relay = RelayQueues::new();
        relay.connect(BOB);
        let frame = || encode(&BOB, 5, b"hello");
        assert_eq!(relay.push(&ADA, frame(), |_, _| false), Verdict::Dropped);
        relay.disconnect(&BOB);
        assert_eq!(relay.push(&ADA, frame(), |_, _| true), Verdict::Dropped);
    }

    #[test]
    fn a_slow_receiver_loses_the_oldest() {
        let mut relay = RelayQueues::new();
        relay.connect(BOB);
        for n in 0..=u16::try_from(MAX_QUEUED_FRAMES).unwrap() {
            relay.push(&ADA, encode(&BOB, n + 1, b"x"), |_, _| true);
        }
        assert_eq!(relay.dropped(&BOB), 1);
        assert_eq!(decode(&relay.pop(&BOB).unwrap()).unwrap().1, 2);
        for _ in 0..1000 {
            relay.push(&ADA, encode(&BOB, 1400, &[0; 60_000]), |_, _| true);
        }
        let waiting: usize = std::iter::from_fn(|| relay.pop(&BOB)).map(|f| f.len()).sum();
        assert!(waiting <= MAX_QUEUED_BYTES);
    }
}
