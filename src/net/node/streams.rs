//! The calls for streams of a node.

use std::task::{Poll, Waker};
use std::time::Instant;

use super::super::stack::StreamError;
use super::{Node, StreamRef};
use crate::model::peer::PeerKey;

/// Calls for streams.
impl Node {
    /// Opens a stream to a peer; `None` when the peer is unknown.
    pub fn poll_open(
        &mut self,
        key: &PeerKey,
        now: Instant,
        waker: &Waker,
    ) -> Option<Poll<StreamRef>> {
        let index = *self.by_key.get(key)?;
        self.with(index, now, |peer, _| {
            peer.touch(now);
            let tunnel = peer.has_session();
            peer.stack.poll_open(now, tunnel, waker).map(|at| StreamRef { peer: index, at })
        })
    }

    /// Reads into `out`; zero bytes at the end of the stream.
    pub fn poll_read(
        &mut self,
        stream: StreamRef,
        now: Instant,
        waker: &Waker,
        out: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        let Some(slot) = self.peers.get_mut(&stream.peer) else {
            return Poll::Ready(Err(StreamError::Lost));
        };
        let read = slot.peer.stack.poll_read(stream.at, waker, out);
        let Poll::Ready(Ok((size, room))) = read else {
            return read.map_ok(|(size, _)| size);
        };
        self.used(stream.peer, now, room);
        Poll::Ready(Ok(size))
    }

    /// Takes bytes to send.
    pub fn poll_write(
        &mut self,
        stream: StreamRef,
        now: Instant,
        waker: &Waker,
        data: &[u8],
    ) -> Poll<Result<usize, StreamError>> {
        let Some(slot) = self.peers.get_mut(&stream.peer) else {
            return Poll::Ready(Err(StreamError::Lost));
        };
        let written = slot.peer.stack.poll_write(stream.at, waker, data);
        if let Poll::Ready(Ok(1..)) = written {
            self.used(stream.peer, now, true);
        }
        written
    }

    /// A stream of this peer was used; `send` when there is something to send now.
    fn used(&mut self, index: u32, now: Instant, send: bool) {
        let Some(slot) = self.peers.get_mut(&index) else { return };
        if slot.peer.touch(now) {
            self.with(index, now, |_, _| ());
        } else if send && !slot.dirty {
            slot.dirty = true;
            self.dirty.push_back(index);
        }
    }

    /// Nothing more will be written.
    ///
    /// # Errors
    /// When the connection is lost, or the peer does not want the stream any more.
    pub fn finish(&mut self, stream: StreamRef, now: Instant) -> Result<(), StreamError> {
        let finished = self.with(stream.peer, now, |peer, _| peer.stack.finish(stream.at));
        finished.unwrap_or(Err(StreamError::Lost))
    }

    /// Nobody here holds the stream any more.
    pub fn release(&mut self, stream: StreamRef, finished: bool, now: Instant) {
        self.with(stream.peer, now, |peer, _| peer.stack.release(stream.at, finished));
    }
}
