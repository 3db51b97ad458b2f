//! What a node wants sent: datagrams in batches that serve as one UDP send or one relay frame.

use std::collections::VecDeque;

use bytes::Bytes;

use super::path::Path;
use super::relay::{self, HEADER};
use crate::model::peer::PeerKey;

/// Handshakes and pings that may wait for the socket or the relay; the oldest gives way.
const MAX_WAITING: usize = 256;
/// What one UDP send may carry.
pub(super) const ROOM: usize = 65_000;
/// Room of a batch: one UDP send, and the frame's header.
const BATCH: usize = HEADER + ROOM;
/// Unused batches kept: as many as one turn of the driver sends.
const MAX_POOLED: usize = 16;

/// Datagrams for one peer, equal in size but for the last.
#[derive(Debug)]
pub struct Transmit {
    /// Where to.
    pub path: Path,
    /// The size of each datagram but the last.
    pub segment: usize,
    frame: Vec<u8>,
    end: usize,
}

impl Transmit {
    /// The datagrams, back to back.
    #[must_use]
    pub fn datagrams(&self) -> &[u8] {
        self.frame.get(HEADER..self.end).unwrap_or_default()
    }

    /// As a frame for the relay.
    #[must_use]
    pub fn into_frame(mut self) -> Bytes {
        self.frame.truncate(self.end);
        Bytes::from(self.frame)
    }
}

/// Which ways can take something now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ready {
    /// The UDP socket.
    pub direct: bool,
    /// The relay's connection.
    pub relay: bool,
}

impl Ready {
    /// Everything.
    pub const ALL: Self = Self { direct: true, relay: true };

    /// Whether this path can take something.
    #[must_use]
    pub fn takes(self, path: Path) -> bool {
        match path {
            Path::Direct(_) => self.direct,
            Path::Relay => self.relay,
        }
    }
}

/// Single datagrams that wait, and the buffers of batches.
#[derive(Debug, Default)]
pub(super) struct Outbox {
    direct: VecDeque<Transmit>,
    relay: VecDeque<Transmit>,
    pool: Vec<Vec<u8>>,
}

impl Outbox {
    /// Queues one datagram.
    pub(super) fn push(&mut self, path: Path, key: &PeerKey, datagram: &[u8]) {
        let mut frame = Vec::with_capacity(HEADER + datagram.len());
        frame.resize(HEADER, 0);
        frame.extend_from_slice(datagram);
        let end = frame.len();
        self.queue(finish(path, key, datagram.len(), frame, end));
    }

    /// Queues a batch.
    pub(super) fn queue(&mut self, transmit: Transmit) {
        let queue = match transmit.path {
            Path::Direct(_) => &mut self.direct,
            Path::Relay => &mut self.relay,
        };
        if queue.len() >= MAX_WAITING {
            queue.pop_front();
        }
        queue.push_back(transmit);
    }

    /// What may leave now.
    pub(super) fn pop(&mut self, ready: Ready) -> Option<Transmit> {
        let direct = if ready.direct { self.direct.pop_front() } else { None };
        direct.or_else(|| if ready.relay { self.relay.pop_front() } else { None })
    }

    /// Forgets what waits for a relay that is gone.
    pub(super) fn clear_relay(&mut self) {
        self.relay.clear();
    }

    /// An empty batch to be filled.
    pub(super) fn batch(&mut self) -> Batch {
        let frame = self.pool.pop().unwrap_or_else(|| vec![0; BATCH]);
        Batch { frame, end: HEADER, segment: 0 }
    }

    /// Takes back the buffer of a batch that was sent.
    pub(super) fn recycle(&mut self, transmit: Transmit) {
        if transmit.frame.len() == BATCH && self.pool.len() < MAX_POOLED {
            self.pool.push(transmit.frame);
        }
    }
}

fn finish(path: Path, key: &PeerKey, segment: usize, mut frame: Vec<u8>, end: usize) -> Transmit {
    let size = u16::try_from(segment).expect("a datagram is no longer than the tunnel's MTU");
    relay::write_header(&mut frame, key, size);
    Transmit { path, segment, frame, end }
}

/// Datagrams being put together.
pub(super) struct Batch {
    frame: Vec<u8>,
    end: usize,
    segment: usize,
}

impl Batch {
    /// Room for the next datagram.
    pub(super) fn room(&mut self) -> &mut [u8] {
        self.frame.get_mut(self.end..).unwrap_or_default()
    }

    /// `size` bytes of the room are a datagram now.
    pub(super) fn add(&mut self, size: usize) {
        self.segment = self.segment.max(size);
        self.end += size;
    }

    /// The batch, when it holds anything.
    pub(super) fn finish(self, path: Path, key: &PeerKey) -> Option<Transmit> {
        (self.segment > 0).then(|| finish(path, key, self.segment, self.frame, self.end))
    }
}
