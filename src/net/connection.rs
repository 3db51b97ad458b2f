//! One QUIC connection with a peer: its life, and the bytes of its streams.

use std::collections::{BTreeMap, VecDeque};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use quinn_proto::{
    Connection, ConnectionError, ConnectionHandle, Dir, Endpoint, Event, FinishError, ReadError,
    ReadableError, StreamEvent, StreamId, VarInt, WriteError,
};

use super::stack::StreamError;

/// A connection with streams is pinged this often, so that silence means death.
const PING_EVERY: Duration = Duration::from_secs(4);

/// A handshake of one round trip that takes longer has failed.
const CONNECT_WITHIN: Duration = Duration::from_secs(8);

/// Which side began a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Begun {
    Here,
    There,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Life {
    Connecting,
    Connected,
    Lost,
}

/// What a connection has to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Said {
    /// Streams may be opened now that could not before, or the connection is gone.
    Openable,
    /// The peer opened a stream.
    Opened(StreamId),
    /// It ended with streams held.
    Lost,
}

pub(super) struct Conn {
    pub(super) handle: ConnectionHandle,
    pub(super) begun: Begun,
    pub(super) quic: Connection,
    life: Life,
    /// Streams that somebody here still holds.
    held: usize,
    /// The next ping; while connecting, when that is given up.
    next_at: Instant,
    readers: BTreeMap<StreamId, Waker>,
    writers: BTreeMap<StreamId, Waker>,
}

impl Conn {
    pub(super) fn new(
        handle: ConnectionHandle,
        begun: Begun,
        quic: Connection,
        now: Instant,
    ) -> Self {
        Self {
            handle,
            begun,
            quic,
            life: Life::Connecting,
            held: 0,
            next_at: now + CONNECT_WITHIN,
            readers: BTreeMap::new(),
            writers: BTreeMap::new(),
        }
    }

    pub(super) fn is_usable(&self) -> bool {
        self.life == Life::Connected
    }

    pub(super) fn is_connecting(&self) -> bool {
        self.life == Life::Connecting
    }

    pub(super) fn is_lost(&self) -> bool {
        self.life == Life::Lost
    }

    /// Nothing more can come of it, and nobody holds its streams.
    pub(super) fn is_over(&self) -> bool {
        self.is_lost() && self.held == 0 && self.quic.is_drained()
    }

    pub(super) fn has_streams(&mut self) -> bool {
        self.held > 0 || self.has_unsent()
    }

    /// Whether written bytes wait for an acknowledgement.
    pub(super) fn has_unsent(&mut self) -> bool {
        self.quic.streams().send_streams() > 0
    }

    /// Ends it; says whether streams were held.
    pub(super) fn close(&mut self, now: Instant) -> bool {
        let held = !self.is_lost() && self.held > 0;
        self.quic.close(now, VarInt::from_u32(0), bytes::Bytes::new());
        self.lose();
        held
    }

    fn lose(&mut self) {
        self.life = Life::Lost;
        for (_, waker) in std::mem::take(&mut self.readers) {
            waker.wake();
        }
        for (_, waker) in std::mem::take(&mut self.writers) {
            waker.wake();
        }
    }

    /// Whether the tunnel must stay up for it.
    pub(super) fn is_wanted(&mut self) -> bool {
        self.is_connecting() || (self.is_usable() && self.has_streams())
    }

    /// Runs what is due; says whether it was given up.
    pub(super) fn handle_timeout(&mut self, now: Instant) -> bool {
        if self.quic.poll_timeout().is_some_and(|at| at <= now) {
            self.quic.handle_timeout(now);
        }
        if self.next_at > now || self.is_lost() {
            return false;
        }
        self.next_at = now + PING_EVERY;
        if self.is_connecting() {
            self.close(now);
            return true;
        }
        if self.has_streams() {
            self.quic.ping();
        }
        false
    }

    pub(super) fn poll_timeout(&mut self) -> Option<Instant> {
        let next = self.is_wanted().then_some(self.next_at);
        [self.quic.poll_timeout(), next].into_iter().flatten().min()
    }

    /// Exchanges events with the endpoint; collects what the connection has to say.
    pub(super) fn pump(&mut self, endpoint: &mut Endpoint, said: &mut VecDeque<Said>) {
        loop {
            while let Some(event) = self.quic.poll_endpoint_events() {
                if let Some(event) = endpoint.handle_event(self.handle, event) {
                    self.quic.handle_event(event);
                }
            }
            let Some(event) = self.quic.poll() else { return };
            match event {
                Event::Connected => {
                    if self.is_connecting() {
                        self.life = Life::Connected;
                    }
                    said.push_back(Said::Openable);
                }
                Event::ConnectionLost { reason } => self.ended(&reason, said),
                Event::Stream(event) => self.stream_event(&event, said),
                Event::HandshakeDataReady | Event::DatagramReceived | Event::DatagramsUnblocked => {
                }
            }
        }
    }

    fn ended(&mut self, reason: &ConnectionError, said: &mut VecDeque<Said>) {
        tracing::debug!(%reason, "a connection ended");
        if !self.is_lost() && self.held > 0 {
            said.push_back(Said::Lost);
        }
        self.lose();
        said.push_back(Said::Openable);
    }

    fn stream_event(&mut self, event: &StreamEvent, said: &mut VecDeque<Said>) {
        let waker = match event {
            StreamEvent::Opened { .. } => {
                while let Some(id) = self.quic.streams().accept(Dir::Bi) {
                    self.held += 1;
                    said.push_back(Said::Opened(id));
                }
                None
            }
            StreamEvent::Readable { id } => self.readers.remove(id),
            StreamEvent::Writable { id }
            | StreamEvent::Finished { id }
            | StreamEvent::Stopped { id, .. } => self.writers.remove(id),
            StreamEvent::Available { .. } => {
                said.push_back(Said::Openable);
                None
            }
        };
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// A new stream, when the peer allows one more.
    pub(super) fn open(&mut self, now: Instant) -> Option<StreamId> {
        let id = self.quic.streams().open(Dir::Bi)?;
        self.held += 1;
        self.next_at = self.next_at.min(now + PING_EVERY);
        Some(id)
    }

    /// Reads into `out`: how much, zero at the end, and whether the peer must be told of new room.
    pub(super) fn poll_read(
        &mut self,
        id: StreamId,
        waker: &Waker,
        out: &mut [u8],
    ) -> Poll<Result<(usize, bool), StreamError>> {
        let mut stream = self.quic.recv_stream(id);
        let mut chunks = match stream.read(true) {
            Ok(chunks) => chunks,
            // It has been read to its end.
            Err(ReadableError::ClosedStream) => return Poll::Ready(Ok((0, false))),
            Err(ReadableError::IllegalOrderedRead) => return Poll::Ready(Err(StreamError::Closed)),
        };
        let mut read = 0;
        let end = loop {
            let room = out.get_mut(read..).unwrap_or_default();
            if room.is_empty() {
                break Some(Ok(0));
            }
            match chunks.next(room.len()) {
                Ok(Some(chunk)) => {
                    let length = chunk.bytes.len();
                    if let Some(room) = room.get_mut(..length) {
                        room.copy_from_slice(&chunk.bytes);
                    }
                    read += length;
                }
                Ok(None) => break Some(Ok(0)),
                Err(ReadError::Blocked) => break None,
                Err(ReadError::Reset(_)) => break Some(Err(StreamError::Reset)),
            }
        };
        let room = chunks.finalize().should_transmit();
        match end {
            _ if read > 0 => Poll::Ready(Ok((read, room))),
            Some(end) => Poll::Ready(end.map(|read| (read, room))),
            None if self.is_lost() => Poll::Ready(Err(StreamError::Lost)),
            None => {
                self.readers.insert(id, waker.clone());
                Poll::Pending
            }
        }
    }

    /// Takes bytes to send, as many as the windows allow.
    pub(super) fn poll_write(
        &mut self,
        id: StreamId,
        waker: &Waker,
        data: &[u8],
    ) -> Poll<Result<usize, StreamError>> {
        if self.is_lost() {
            return Poll::Ready(Err(StreamError::Lost));
        }
        match self.quic.send_stream(id).write(data) {
            Ok(written) => Poll::Ready(Ok(written)),
            Err(WriteError::Blocked) => {
                self.writers.insert(id, waker.clone());
                Poll::Pending
            }
            Err(WriteError::Stopped(_)) => Poll::Ready(Err(StreamError::Reset)),
            Err(WriteError::ClosedStream) => Poll::Ready(Err(StreamError::Closed)),
        }
    }

    pub(super) fn finish(&mut self, id: StreamId) -> Result<(), StreamError> {
        if self.is_lost() {
            return Err(StreamError::Lost);
        }
        match self.quic.send_stream(id).finish() {
            // A second shutdown is as good as the first.
            Ok(()) | Err(FinishError::ClosedStream) => Ok(()),
            Err(FinishError::Stopped(_)) => Err(StreamError::Reset),
        }
    }

    pub(super) fn release(&mut self, id: StreamId, finished: bool) {
        self.held = self.held.saturating_sub(1);
        self.readers.remove(&id);
        self.writers.remove(&id);
        if self.is_lost() {
            return;
        }
        // Both fail only when the half is closed already.
        let _ = self.quic.recv_stream(id).stop(VarInt::from_u32(0));
        if !finished {
            let _ = self.quic.send_stream(id).reset(VarInt::from_u32(0));
        }
    }
}
