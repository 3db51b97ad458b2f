//! Bytes that one host sends to another, checked as they arrive.

use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::{Incoming, World};
use crate::net::node::StreamRef;
use crate::net::stack::StreamError;

/// How one end of a transfer is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// Not there yet.
    Waiting,
    Open(StreamRef),
    /// Everything was written, or read.
    Complete,
    Failed,
}

impl End {
    pub(super) fn is_over(self) -> bool {
        matches!(self, Self::Complete | Self::Failed)
    }
}

/// A stream's worth of bytes: its number, then a pattern.
#[derive(Debug)]
pub(super) struct Transfer {
    number: u64,
    from: (usize, u32),
    to: (usize, u32),
    length: u64,
    pub(super) sent: u64,
    pub(super) received: u64,
    pub(super) sender: End,
    pub(super) receiver: End,
    write_at: Instant,
}

const HEADER: u64 = 8;
const CHUNK: usize = 16_384;
/// A throttled writer: some hundred kilobytes a second.
const WRITE_EVERY: Duration = Duration::from_millis(50);

impl Transfer {
    pub(super) fn new(world: &World, from: usize, to: usize, length: u64) -> Self {
        Self {
            number: world.transfers.len() as u64,
            from: (from, world.hosts[from].life),
            to: (to, world.hosts[to].life),
            length: length + HEADER,
            sent: 0,
            received: 0,
            sender: End::Waiting,
            receiver: End::Waiting,
            write_at: world.now,
        }
    }

    /// Nothing more will happen: it arrived, or an end has failed and the other knows.
    pub(super) fn is_over(&self) -> bool {
        match self.receiver {
            End::Complete | End::Failed => self.sender.is_over(),
            End::Waiting => self.sender.is_over(),
            End::Open(_) => false,
        }
    }

    /// An end has failed.
    pub(super) fn has_failed(&self) -> bool {
        self.sender == End::Failed || self.receiver == End::Failed
    }

    pub(super) fn is_complete(&self) -> bool {
        self.sender == End::Complete && self.receiver == End::Complete
    }

    fn byte(&self, at: u64) -> u8 {
        match usize::try_from(at) {
            Ok(at) if at < 8 => self.number.to_be_bytes()[at],
            _ => {
                (at.wrapping_mul(2_654_435_761) >> 8).to_le_bytes()[0]
                    ^ self.number.to_le_bytes()[0]
            }
        }
    }

    /// Moves on as far as it can now.
    pub(super) fn work(&mut self, world: &mut World) {
        if world.hosts[self.from.0].life != self.from.1 && !self.sender.is_over() {
            self.sender = End::Failed;
        }
        if world.hosts[self.to.0].life != self.to.1 && !self.receiver.is_over() {
            self.receiver = End::Failed;
        }
        self.send(world);
        self.receive(world);
    }

    fn send(&mut self, world: &mut World) {
        let now = world.now;
        let to = world.hosts[self.to.0].node.key();
        let node = &mut world.hosts[self.from.0].node;
        if self.sender == End::Waiting {
            self.sender = match node.poll_open(&to, now, Waker::noop()) {
                None => End::Failed,
                Some(Poll::Pending) => return,
                Some(Poll::Ready(stream)) => End::Open(stream),
            };
        }
        let End::Open(stream) = self.sender else { return };
        while self.sent < self.length && (!world.throttle || now >= self.write_at) {
            self.write_at = now + WRITE_EVERY;
            let end = self.length.min(self.sent + CHUNK as u64);
            let data: Vec<u8> = (self.sent..end).map(|at| self.byte(at)).collect();
            match node.poll_write(stream, now, Waker::noop(), &data) {
                Poll::Ready(Ok(written)) => self.sent += written as u64,
                Poll::Ready(Err(_)) => {
                    node.release(stream, false, now);
                    self.sender = End::Failed;
                    return;
                }
                Poll::Pending => return,
            }
        }
        if self.sent < self.length {
            return;
        }
        self.sender = if node.finish(stream, now).is_ok() { End::Complete } else { End::Failed };
        node.release(stream, true, now);
    }

    fn receive(&mut self, world: &mut World) {
        let now = world.now;
        let from = world.hosts[self.from.0].node.key();
        let host = &mut world.hosts[self.to.0];
        if self.receiver == End::Waiting {
            let ours =
                |stream: &Incoming| stream.from == from && stream.number == Some(self.number);
            let Some(at) = host.incoming.iter().position(ours) else { return };
            let stream = host.incoming.remove(at).stream;
            self.received = HEADER;
            self.receiver = End::Open(stream);
        }
        let End::Open(stream) = self.receiver else { return };
        let mut room = [0; CHUNK];
        loop {
            match host.node.poll_read(stream, now, Waker::noop(), &mut room) {
                Poll::Ready(Ok(0)) => {
                    assert_eq!(self.received, self.length, "a stream ended before its end");
                    self.receiver = End::Complete;
                    break;
                }
                Poll::Ready(Ok(read)) => {
                    for byte in &room[..read] {
                        assert_eq!(*byte, self.byte(self.received), "bytes arrived changed");
                        self.received += 1;
                    }
                    assert!(self.received <= self.sent.max(HEADER), "more arrived than was sent");
                }
                Poll::Ready(Err(error)) => {
                    assert_ne!(error, StreamError::Closed);
                    self.receiver = End::Failed;
                    break;
                }
                Poll::Pending => return,
            }
        }
        host.node.release(stream, false, now);
    }
}
