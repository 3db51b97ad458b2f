//! The streams with one peer: QUIC endpoint and connections, fed and drained by bytes.

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use bytes::BytesMut;
use quinn_proto::{Connection, ConnectionHandle, DatagramEvent, Endpoint, Incoming, StreamId};

use super::connection::{Begun, Conn, Said};
use super::quic::Quic;

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
    connection: u64,
    id: StreamId,
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
    said: VecDeque<Said>,
    scratch: Vec<u8>,
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
            said: VecDeque::new(),
            scratch: Vec::new(),
        }
    }

    /// Whether streams are open or asked for: the tunnel must stay up.
    pub fn wanted(&mut self, now: Instant) -> bool {
        self.openers.iter().any(|(until, _)| *until > now)
            || self.connections.values_mut().any(Conn::is_wanted)
    }

    /// Whether written bytes still wait for the peer's acknowledgement.
    pub fn unsent(&mut self) -> bool {
        self.connections.values_mut().any(|conn| conn.is_usable() && conn.has_unsent())
    }

    /// The smoothed round trip of the connection in use.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.connections.values().find(|conn| conn.is_usable()).map(|conn| conn.quic.rtt())
    }

    /// The network beneath has changed: what congestion control learnt is of no use.
    pub fn path_changed(&mut self, now: Instant) {
        for conn in self.connections.values_mut().filter(|conn| conn.is_usable()) {
            self.quic.path_changed(&mut conn.quic, now);
        }
    }

    /// Ends everything at once; streams here fail, and the peer is told if packets still leave.
    pub fn cut(&mut self, now: Instant) {
        for conn in self.connections.values_mut() {
            if conn.close(now) {
                self.events.push_back(StackEvent::Lost);
            }
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
        let waiting = |conn: &&mut Conn| conn.is_connecting() && conn.begun == Begun::Here;
        for conn in self.connections.values_mut().filter(waiting) {
            conn.close(now);
        }
        if self.openers.iter().any(|(until, _)| *until > now) {
            self.connect(now);
        }
    }

    /// A new stream; `tunnel` says whether packets can leave yet.
    pub fn poll_open(&mut self, now: Instant, tunnel: bool, waker: &Waker) -> Poll<StreamAt> {
        for (serial, conn) in self.connections.iter_mut().filter(|(_, conn)| conn.is_usable()) {
            if let Some(id) = conn.open(now) {
                return Poll::Ready(StreamAt { connection: *serial, id });
            }
        }
        self.openers.retain(|(until, other)| *until > now && !other.will_wake(waker));
        if self.openers.len() < MAX_OPENERS {
            self.openers.push((now + OPEN_TIMEOUT, waker.clone()));
        }
        if tunnel {
            self.connect(now);
        }
        Poll::Pending
    }

    /// Begins a connection, unless there is one.
    fn connect(&mut self, now: Instant) {
        // One that the peer has begun may come to nothing.
        let ours = |conn: &Conn| conn.begun == Begun::Here && conn.is_connecting();
        if self.connections.values().any(|conn| conn.is_usable() || ours(conn)) {
            return;
        }
        match self.endpoint.connect(now, self.quic.client(), self.remote, "peer") {
            Ok((handle, quic)) => self.add(now, handle, quic, Begun::Here),
            Err(error) => tracing::debug!(%error, "a connection could not be started"),
        }
    }

    fn add(&mut self, now: Instant, handle: ConnectionHandle, quic: Connection, begun: Begun) {
        let serial = self.next_serial;
        self.next_serial += 1;
        self.serials.insert(handle.0, serial);
        self.connections.insert(serial, Conn::new(handle, begun, quic, now));
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
        let earlier = |conn: &&mut Conn| conn.begun == Begun::There && !conn.is_lost();
        for conn in self.connections.values_mut().filter(earlier) {
            if conn.close(now) {
                self.events.push_back(StackEvent::Lost);
            }
        }
        if self.connections.len() >= MAX_CONNECTIONS {
            // What is left unread there is lost with it.
            let oldest =
                self.connections.iter().find(|(_, conn)| conn.is_lost() && conn.quic.is_drained());
            let Some(serial) = oldest.map(|(serial, _)| *serial) else {
                self.endpoint.ignore(incoming);
                return;
            };
            self.connections.remove(&serial);
        }
        self.scratch.clear();
        match self.endpoint.accept(incoming, now, &mut self.scratch, None) {
            Ok((handle, quic)) => self.add(now, handle, quic, Begun::There),
            Err(error) => tracing::debug!(error = %error.cause, "a connection was not accepted"),
        }
    }

    /// Runs what is due.
    pub fn handle_timeout(&mut self, now: Instant) {
        let serials: Vec<u64> = self.connections.keys().copied().collect();
        for serial in serials {
            let late =
                self.connections.get_mut(&serial).is_some_and(|conn| conn.handle_timeout(now));
            self.pump(serial);
            if late {
                self.wake_openers();
            }
        }
    }

    /// When [`Stack::handle_timeout`] is due.
    #[must_use]
    pub fn poll_timeout(&mut self) -> Option<Instant> {
        self.connections.values_mut().filter_map(Conn::poll_timeout).min()
    }

    /// Datagrams to send, appended to the empty `out`: how long each is but the last. `fit` says
    /// how many of a size may be sent at once.
    pub fn poll_transmit(
        &mut self,
        now: Instant,
        fit: impl Fn(usize) -> usize,
        out: &mut Vec<u8>,
    ) -> Option<usize> {
        let (serial, transmit) = self.connections.iter_mut().find_map(|(serial, conn)| {
            let most = fit(conn.quic.current_mtu().into());
            conn.quic.poll_transmit(now, most, out).map(|transmit| (*serial, transmit))
        })?;
        self.pump(serial);
        Some(transmit.segment_size.unwrap_or(transmit.size))
    }

    /// What happened.
    pub fn poll_event(&mut self) -> Option<StackEvent> {
        self.events.pop_front()
    }

    /// Hears what a connection has to say, and forgets it when nobody needs it.
    fn pump(&mut self, serial: u64) {
        let Some(conn) = self.connections.get_mut(&serial) else { return };
        conn.pump(&mut self.endpoint, &mut self.said);
        if conn.quic.is_drained() && self.serials.get(&conn.handle.0) == Some(&serial) {
            // The endpoint may give the handle to another connection.
            self.serials.remove(&conn.handle.0);
        }
        if conn.is_over() {
            self.connections.remove(&serial);
        }
        while let Some(said) = self.said.pop_front() {
            match said {
                Said::Openable => self.wake_openers(),
                Said::Lost => self.events.push_back(StackEvent::Lost),
                Said::Opened(id) => {
                    self.events.push_back(StackEvent::Opened(StreamAt { connection: serial, id }));
                }
            }
        }
    }

    fn wake_openers(&mut self) {
        for (_, waker) in std::mem::take(&mut self.openers) {
            waker.wake();
        }
    }
}

/// Calls for one stream.
impl Stack {
    /// Reads into `out`: how much, zero at the end, and whether the peer must be told of new room.
    pub fn poll_read(
        &mut self,
        at: StreamAt,
        waker: &Waker,
        out: &mut [u8],
    ) -> Poll<Result<(usize, bool), StreamError>> {
        match self.connections.get_mut(&at.connection) {
            Some(conn) => conn.poll_read(at.id, waker, out),
            None => Poll::Ready(Err(StreamError::Lost)),
        }
    }

    /// Takes bytes to send, as many as the windows allow.
    pub fn poll_write(
        &mut self,
        at: StreamAt,
        waker: &Waker,
        data: &[u8],
    ) -> Poll<Result<usize, StreamError>> {
        match self.connections.get_mut(&at.connection) {
            Some(conn) => conn.poll_write(at.id, waker, data),
            None => Poll::Ready(Err(StreamError::Lost)),
        }
    }

    /// Nothing more will be written.
    ///
    /// # Errors
    /// When the connection is lost, or the peer does not want the stream any more.
    pub fn finish(&mut self, at: StreamAt) -> Result<(), StreamError> {
        self.connections.get_mut(&at.connection).ok_or(StreamError::Lost)?.finish(at.id)
    }

    /// Nobody here holds the stream any more: what is not finished is reset.
    pub fn release(&mut self, at: StreamAt, finished: bool) {
        if let Some(conn) = self.connections.get_mut(&at.connection) {
            conn.release(at.id, finished);
            self.pump(at.connection);
        }
    }
}
