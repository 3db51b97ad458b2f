//! The streams with one peer: QUIC endpoint and connections, fed and drained by bytes.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use quinn_proto::{
    Connection, ConnectionError, ConnectionHandle, DatagramEvent, Dir, Endpoint, Event, Incoming,
    ReadError, ReadableError, StreamEvent, StreamId, VarInt, WriteError,
};

use super::quic::Quic;

/// A connection with streams is pinged this often, so that silence means death.
const PING_EVERY: Duration = Duration::from_secs(4);
/// Connections kept with one peer: one from each side, and lost ones whose streams are still read.
const MAX_CONNECTIONS: usize = 8;
/// Tasks that may wait to open a stream to one peer.
const MAX_OPENERS: usize = 1024;
/// How long a stream may take to open: a handshake that starts at once, some lost packets, and a
/// peer that is just restarting fit in.
pub const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Names a stream: the connection's serial number, and the stream's id in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamAt {
    /// Which connection.
    pub connection: u64,
    /// Which stream in it.
    pub id: StreamId,
}

/// Why a stream cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StreamError {
    /// The other side, or both, are gone.
    #[error("The connection to the peer was lost.")]
    Lost,
    /// The other side does not want this stream any more.
    #[error("The peer closed the stream.")]
    Reset,
    /// This side has closed it.
    #[error("The stream is closed.")]
    Closed,
}

/// What happened to the streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StackEvent {
    /// The peer opened a stream.
    Opened(StreamAt),
    /// A connection with streams ended.
    Lost,
}

/// 1. [`Stack::handle_datagram`] for what the peer sent, the stream calls for what is asked here.
/// 2. [`Stack::handle_timeout`] when [`Stack::poll_timeout`] is due.
/// 3. [`Stack::poll_transmit`] and [`Stack::poll_event`] until they give nothing.
pub struct Stack {
    quic: Quic,
    remote: SocketAddr,
    endpoint: Endpoint,
    connections: BTreeMap<u64, Conn>,
    serials: BTreeMap<usize, u64>,
    next_serial: u64,
    /// Who waits for a stream, and until when: a caller that gave up must not keep the tunnel up.
    openers: Vec<(Instant, Waker)>,
    events: VecDeque<StackEvent>,
    scratch: Vec<u8>,
}

struct Conn {
    handle: ConnectionHandle,
    quic: Connection,
    accepted: bool,
    connected: bool,
    lost: bool,
    /// Streams that somebody here still holds.
    held: usize,
    ping_at: Instant,
    readers: BTreeMap<StreamId, Waker>,
    writers: BTreeMap<StreamId, Waker>,
}

impl Conn {
    fn usable(&self) -> bool {
        self.connected && !self.lost
    }

    fn has_streams(&mut self) -> bool {
        self.held > 0 || self.quic.streams().send_streams() > 0
    }

    fn lose(&mut self) {
        self.lost = true;
        for (_, waker) in std::mem::take(&mut self.readers) {
            waker.wake();
        }
        for (_, waker) in std::mem::take(&mut self.writers) {
            waker.wake();
        }
    }
}

impl Stack {
    /// No connections yet.
    #[must_use]
    pub fn new(quic: Quic, remote: SocketAddr) -> Self {
        let endpoint = quic.endpoint();
        Self {
            quic,
            remote,
            endpoint,
            connections: BTreeMap::new(),
            serials: BTreeMap::new(),
            next_serial: 0,
            openers: Vec::new(),
            events: VecDeque::new(),
            scratch: Vec::new(),
        }
    }

    /// Whether streams are open or asked for: the tunnel must stay up.
    pub fn wanted(&mut self, now: Instant) -> bool {
        self.openers.iter().any(|(until, _)| *until > now)
            || self.connections.values_mut().any(|conn| !conn.lost && conn.has_streams())
    }

    /// Whether written bytes still wait for the peer's acknowledgement.
    pub fn unsent(&mut self) -> bool {
        self.connections.values_mut().any(|c| c.usable() && c.quic.streams().send_streams() > 0)
    }

    /// The smoothed round trip of the connection in use.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.connections.values().find(|conn| conn.usable()).map(|conn| conn.quic.rtt())
    }

    /// The network beneath has changed: what congestion control learnt is of no use.
    pub fn path_changed(&mut self, now: Instant) {
        for conn in self.connections.values_mut().filter(|conn| conn.usable()) {
            conn.quic.path_changed(now);
            conn.quic.ping();
        }
    }

    /// Ends everything at once; streams here fail, and the peer is told if packets still leave.
    pub fn cut(&mut self, now: Instant) {
        for conn in self.connections.values_mut() {
            if conn.held > 0 && !conn.lost {
                self.events.push_back(StackEvent::Lost);
            }
            conn.quic.close(now, VarInt::from_u32(0), bytes::Bytes::new());
            conn.lose();
        }
        self.wake_openers();
    }

    /// Forgets everything about an earlier life of the peer.
    pub fn restart(&mut self, now: Instant) {
        self.cut(now);
        self.connections.clear();
        self.serials.clear();
        self.endpoint = self.quic.endpoint();
    }

    /// A connection whose first packets may have been lost with an earlier tunnel starts again.
    pub fn retry_connect(&mut self, now: Instant) {
        let waiting =
            self.connections.values_mut().filter(|c| !c.connected && !c.lost && !c.accepted);
        for conn in waiting {
            conn.quic.close(now, VarInt::from_u32(0), bytes::Bytes::new());
            conn.lose();
        }
        if !self.openers.is_empty() {
            self.connect(now);
        }
    }

    /// A new stream; `tunnel` says whether packets can leave yet.
    pub fn poll_open(&mut self, now: Instant, tunnel: bool, waker: &Waker) -> Poll<StreamAt> {
        let usable = self.connections.iter_mut().filter(|(_, conn)| conn.usable());
        for (serial, conn) in usable {
            if let Some(id) = conn.quic.streams().open(Dir::Bi) {
                conn.held += 1;
                conn.ping_at = conn.ping_at.min(now + PING_EVERY);
                return Poll::Ready(StreamAt { connection: *serial, id });
            }
        }
        self.openers.retain(|(until, other)| *until > now && !other.will_wake(waker));
        if self.openers.len() < MAX_OPENERS {
            self.openers.push((now + OPEN_TIMEOUT, waker.clone()));
        }
        if tunnel && !self.connections.values().any(|conn| !conn.lost) {
            self.connect(now);
        }
        Poll::Pending
    }

    fn connect(&mut self, now: Instant) {
        match self.endpoint.connect(now, self.quic.client(), self.remote, "peer") {
            Ok((handle, quic)) => self.add(now, handle, quic, false),
            Err(error) => tracing::debug!(%error, "a connection could not be started"),
        }
    }

    fn add(&mut self, now: Instant, handle: ConnectionHandle, quic: Connection, accepted: bool) {
        let serial = self.next_serial;
        self.next_serial += 1;
        self.serials.insert(handle.0, serial);
        let conn = Conn {
            handle,
            quic,
            accepted,
            connected: false,
            lost: false,
            held: 0,
            ping_at: now + PING_EVERY,
            readers: BTreeMap::new(),
            writers: BTreeMap::new(),
        };
        self.connections.insert(serial, conn);
        self.pump(serial);
    }

    /// A QUIC datagram from the peer; gives one to send at once, if any.
    pub fn handle_datagram(&mut self, now: Instant, data: BytesMut) -> Option<&[u8]> {
        self.scratch.clear();
        let event = self.endpoint.handle(now, self.remote, None, None, data, &mut self.scratch)?;
        match event {
            DatagramEvent::ConnectionEvent(handle, event) => {
                let serial = *self.serials.get(&handle.0)?;
                self.connections.get_mut(&serial)?.quic.handle_event(event);
                self.pump(serial);
                None
            }
            DatagramEvent::NewConnection(incoming) => {
                self.accept(now, incoming);
                None
            }
            DatagramEvent::Response(transmit) => self.scratch.get(..transmit.size),
        }
    }

    fn accept(&mut self, now: Instant, incoming: Incoming) {
        // A peer has one connection to us. A second one means that it has given up the first.
        for conn in self.connections.values_mut().filter(|conn| conn.accepted && !conn.lost) {
            if conn.held > 0 {
                self.events.push_back(StackEvent::Lost);
            }
            conn.quic.close(now, VarInt::from_u32(0), bytes::Bytes::new());
            conn.lose();
        }
        if self.connections.len() >= MAX_CONNECTIONS {
            self.endpoint.ignore(incoming);
            return;
        }
        self.scratch.clear();
        match self.endpoint.accept(incoming, now, &mut self.scratch, None) {
            Ok((handle, quic)) => self.add(now, handle, quic, true),
            Err(error) => tracing::debug!(error = %error.cause, "a connection was not accepted"),
        }
    }

    /// Runs what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let serials: Vec<u64> = self.connections.keys().copied().collect();
        for serial in serials {
            let Some(conn) = self.connections.get_mut(&serial) else { continue };
            if conn.quic.poll_timeout().is_some_and(|at| at <= now) {
                conn.quic.handle_timeout(now);
            }
            if conn.ping_at <= now {
                conn.ping_at = now + PING_EVERY;
                if conn.usable() && conn.has_streams() {
                    conn.quic.ping();
                }
            }
            self.pump(serial);
        }
    }

    /// When [`Stack::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        let due = self.connections.values_mut().filter_map(|conn| {
            let ping = (conn.usable() && conn.has_streams()).then_some(conn.ping_at);
            [conn.quic.poll_timeout(), ping].into_iter().flatten().min()
        });
        due.min()
    }

    /// Datagrams to send, appended to the empty `out`: how long each is but the last.
    pub fn poll_transmit(&mut self, now: Instant, max: usize, out: &mut Vec<u8>) -> Option<usize> {
        let mut found = None;
        for (serial, conn) in &mut self.connections {
            if let Some(transmit) = conn.quic.poll_transmit(now, max, out) {
                found = Some((*serial, transmit.segment_size.unwrap_or(transmit.size)));
                break;
            }
        }
        let (serial, segment) = found?;
        self.pump(serial);
        Some(segment)
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<StackEvent> {
        self.events.pop_front()
    }

    /// Handles what a connection has to say, and forgets it when nobody needs it.
    fn pump(&mut self, serial: u64) {
        let mut open = false;
        let Some(conn) = self.connections.get_mut(&serial) else { return };
        loop {
            while let Some(event) = conn.quic.poll_endpoint_events() {
                if let Some(event) = self.endpoint.handle_event(conn.handle, event) {
                    conn.quic.handle_event(event);
                }
            }
            let Some(event) = conn.quic.poll() else { break };
            match event {
                Event::Connected => {
                    conn.connected = true;
                    open = true;
                }
                Event::ConnectionLost { reason } => {
                    let idle = reason == ConnectionError::TimedOut && !conn.has_streams();
                    tracing::debug!(%reason, "a connection ended");
                    if !conn.lost && !idle && conn.held > 0 {
                        self.events.push_back(StackEvent::Lost);
                    }
                    conn.lose();
                    open = true;
                }
                Event::Stream(event) => {
                    open |= stream_event(conn, serial, event, &mut self.events);
                }
                Event::HandshakeDataReady | Event::DatagramReceived | Event::DatagramsUnblocked => {
                }
            }
        }
        if conn.quic.is_drained() && conn.lost {
            if self.serials.get(&conn.handle.0) == Some(&serial) {
                self.serials.remove(&conn.handle.0);
            }
            if conn.held == 0 {
                self.connections.remove(&serial);
            }
        }
        if open {
            self.wake_openers();
        }
    }

    fn wake_openers(&mut self) {
        for (_, waker) in std::mem::take(&mut self.openers) {
            waker.wake();
        }
    }
}

/// Returns whether a stream may be opened now that could not before.
fn stream_event(
    conn: &mut Conn,
    serial: u64,
    event: StreamEvent,
    events: &mut VecDeque<StackEvent>,
) -> bool {
    let wake = |waker: Option<Waker>| waker.map_or((), Waker::wake);
    match event {
        StreamEvent::Opened { .. } => {
            while let Some(id) = conn.quic.streams().accept(Dir::Bi) {
                conn.held += 1;
                events.push_back(StackEvent::Opened(StreamAt { connection: serial, id }));
            }
        }
        StreamEvent::Readable { id } => wake(conn.readers.remove(&id)),
        StreamEvent::Writable { id } | StreamEvent::Finished { id } => {
            wake(conn.writers.remove(&id));
        }
        StreamEvent::Stopped { id, .. } => wake(conn.writers.remove(&id)),
        StreamEvent::Available { .. } => return true,
    }
    false
}

/// Calls for one stream.
impl Stack {
    /// Reads into `out`; zero bytes at the end of the stream.
    pub fn poll_read(
        &mut self,
        at: StreamAt,
        waker: &Waker,
        out: &mut [u8],
    ) -> Poll<Result<usize, StreamError>> {
        let Some(conn) = self.connections.get_mut(&at.connection) else {
            return Poll::Ready(Err(StreamError::Lost));
        };
        let mut stream = conn.quic.recv_stream(at.id);
        let mut chunks = match stream.read(true) {
            Ok(chunks) => chunks,
            // A stream that has been read to its end.
            Err(ReadableError::ClosedStream) => return Poll::Ready(Ok(0)),
            Err(ReadableError::IllegalOrderedRead) => return Poll::Ready(Err(StreamError::Closed)),
        };
        let mut read = 0;
        let end = loop {
            let Some(room) = out.get_mut(read..).filter(|room| !room.is_empty()) else {
                break None;
            };
            match chunks.next(room.len()) {
                Ok(Some(chunk)) => {
                    for (to, from) in room.chunks_mut(chunk.bytes.len()).zip([&chunk.bytes]) {
                        to.copy_from_slice(from);
                    }
                    read += chunk.bytes.len();
                }
                Ok(None) => break Some(Ok(0)),
                Err(ReadError::Blocked) => break None,
                Err(ReadError::Reset(_)) => break Some(Err(StreamError::Reset)),
            }
        };
        let _ = chunks.finalize();
        match end {
            _ if read > 0 => Poll::Ready(Ok(read)),
            Some(end) => Poll::Ready(end),
            None if out.is_empty() => Poll::Ready(Ok(0)),
            None if conn.lost => Poll::Ready(Err(StreamError::Lost)),
            None => {
                conn.readers.insert(at.id, waker.clone());
                Poll::Pending
            }
        }
    }

    /// Takes bytes to send, as many as the windows allow.
    pub fn poll_write(
        &mut self,
        at: StreamAt,
        waker: &Waker,
        data: &[u8],
    ) -> Poll<Result<usize, StreamError>> {
        let Some(conn) = self.connections.get_mut(&at.connection).filter(|conn| !conn.lost) else {
            return Poll::Ready(Err(StreamError::Lost));
        };
        match conn.quic.send_stream(at.id).write(data) {
            Ok(written) => Poll::Ready(Ok(written)),
            Err(WriteError::Blocked) => {
                conn.writers.insert(at.id, waker.clone());
                Poll::Pending
            }
            Err(WriteError::Stopped(_)) => Poll::Ready(Err(StreamError::Reset)),
            Err(WriteError::ClosedStream) => Poll::Ready(Err(StreamError::Closed)),
        }
    }

    /// Nothing more will be written.
    ///
    /// # Errors
    /// When the connection is lost, or the peer does not want the stream any more.
    pub fn finish(&mut self, at: StreamAt) -> Result<(), StreamError> {
        let Some(conn) = self.connections.get_mut(&at.connection).filter(|conn| !conn.lost) else {
            return Err(StreamError::Lost);
        };
        match conn.quic.send_stream(at.id).finish() {
            // A second shutdown is as good as the first.
            Ok(()) | Err(quinn_proto::FinishError::ClosedStream) => Ok(()),
            Err(quinn_proto::FinishError::Stopped(_)) => Err(StreamError::Reset),
        }
    }

    /// Nobody here holds the stream any more: what is not finished is reset.
    pub fn release(&mut self, at: StreamAt, finished: bool) {
        let Some(conn) = self.connections.get_mut(&at.connection) else { return };
        conn.held = conn.held.saturating_sub(1);
        conn.readers.remove(&at.id);
        conn.writers.remove(&at.id);
        if !conn.lost {
            let _ = conn.quic.recv_stream(at.id).stop(VarInt::from_u32(0));
            if !finished {
                let _ = conn.quic.send_stream(at.id).reset(VarInt::from_u32(0));
            }
        }
        self.pump(at.connection);
    }
}
