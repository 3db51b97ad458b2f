//! The UDP socket of a node: batches out by segmentation, batches in by coalescing.

use std::io::{self, IoSliceMut};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::task::{Context, Poll};

use anyhow::Context as _;
use quinn_udp::{BATCH_SIZE, RecvMeta, Transmit, UdpSockRef, UdpSocketState};
use tokio::io::Interest;

/// Kernel buffers: some 30 ms at a gigabit, for a task that is not woken at once. The system's
/// own limits may give less.
const SEND_BUFFER: usize = 4 << 20;
const RECEIVE_BUFFER: usize = 4 << 20;
/// What one receive may bring: coalesced datagrams up to UDP's limit.
const RECEIVE_SIZE: usize = 65_536;
/// Receives in one call: more than this rarely wait.
const RECEIVES: usize = if BATCH_SIZE < 4 { BATCH_SIZE } else { 4 };

/// A bound socket.
pub(super) struct Socket {
    io: tokio::net::UdpSocket,
    state: UdpSocketState,
    local: SocketAddr,
    is_v6: bool,
}

/// Room for one round of receives.
pub(super) struct ReceiveRoom {
    bytes: Vec<u8>,
    metas: Vec<RecvMeta>,
}

impl ReceiveRoom {
    pub(super) fn new() -> Self {
        Self { bytes: vec![0; RECEIVES * RECEIVE_SIZE], metas: vec![RecvMeta::default(); RECEIVES] }
    }
}

impl Socket {
    /// Binds; an IPv6 wildcard takes IPv4 too.
    pub(super) fn bind(at: SocketAddr) -> anyhow::Result<Self> {
        let domain = socket2::Domain::for_address(at);
        let socket = socket2::Socket::new(domain, socket2::Type::DGRAM, None)
            .context("Creating the overlay's UDP socket")?;
        if at.is_ipv6() && at.ip().is_unspecified() {
            socket.set_only_v6(false).context("Allowing IPv4 on the overlay's socket")?;
        }
        socket.set_nonblocking(true).context("Preparing the overlay's UDP socket")?;
        socket.bind(&at.into()).with_context(|| format!("Binding the overlay to udp://{at}"))?;
        let socket = std::net::UdpSocket::from(socket);
        let state = UdpSocketState::new(UdpSockRef::from(&socket))
            .context("Preparing the overlay's UDP socket")?;
        // Smaller buffers than asked for are slower, not wrong.
        let _ = state.set_send_buffer_size(UdpSockRef::from(&socket), SEND_BUFFER);
        let _ = state.set_recv_buffer_size(UdpSockRef::from(&socket), RECEIVE_BUFFER);
        let io = tokio::net::UdpSocket::from_std(socket).context("Watching the UDP socket")?;
        let local = io.local_addr().context("Asking for the overlay's UDP address")?;
        Ok(Self { io, state, local, is_v6: at.is_ipv6() })
    }

    /// Where it is bound.
    pub(super) fn local(&self) -> SocketAddr {
        self.local
    }

    /// Sends datagrams; `false` when the socket is full and nothing was sent. Other failures lose
    /// the datagrams, as a network may.
    pub(super) fn send(&self, to: SocketAddr, data: &[u8], segment: usize) -> bool {
        let Some(destination) = self.reachable(to) else { return true };
        let batch = self.state.max_gso_segments().max(1) * segment.max(1);
        for part in data.chunks(batch) {
            let transmit = Transmit {
                destination,
                ecn: None,
                contents: part,
                segment_size: (segment < part.len()).then_some(segment),
                src_ip: None,
            };
            let sent = self.io.try_io(Interest::WRITABLE, || {
                self.state.try_send(UdpSockRef::from(&self.io), &transmit)
            });
            match sent {
                Ok(()) => {}
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                Err(error) => {
                    tracing::trace!(%error, to = %to, "a datagram could not be sent");
                    return true;
                }
            }
        }
        true
    }

    /// The address in the socket's own family.
    fn reachable(&self, to: SocketAddr) -> Option<SocketAddr> {
        match (to.ip(), self.is_v6) {
            (IpAddr::V4(ip), true) => {
                let wildcard = self.local.ip().is_unspecified();
                wildcard.then(|| SocketAddr::from((ip.to_ipv6_mapped(), to.port())))
            }
            (IpAddr::V6(_), false) => None,
            (IpAddr::V4(_), false) | (IpAddr::V6(_), true) => Some(to),
        }
    }

    /// Ready when there may be something to receive.
    pub(super) fn poll_readable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.io.poll_recv_ready(cx)
    }

    /// Ready when something may be sent again.
    pub(super) async fn writable(&self) {
        // An error shows again with the next send.
        let _ = self.io.writable().await;
    }

    /// Receives what is there, handing out (source, bytes, segment size); `false` when nothing was.
    pub(super) fn receive(
        &self,
        room: &mut ReceiveRoom,
        mut take: impl FnMut(SocketAddr, &[u8], usize),
    ) -> bool {
        let ReceiveRoom { bytes, metas } = room;
        let received = {
            let mut buffers: Vec<IoSliceMut<'_>> =
                bytes.chunks_mut(RECEIVE_SIZE).map(IoSliceMut::new).collect();
            self.io.try_io(Interest::READABLE, || {
                self.state.recv(UdpSockRef::from(&self.io), &mut buffers, metas)
            })
        };
        let Ok(count) = received else { return false };
        for (meta, bytes) in metas.iter().take(count).zip(bytes.chunks(RECEIVE_SIZE)) {
            let source = SocketAddr::new(meta.addr.ip().to_canonical(), meta.addr.port());
            if let Some(data) = bytes.get(..meta.len).filter(|data| !data.is_empty()) {
                take(source, data, meta.stride);
            }
        }
        true
    }

    /// Addresses of this machine by which the socket may be reached.
    pub(super) fn endpoints(&self) -> Vec<SocketAddr> {
        if !self.local.ip().is_unspecified() {
            return vec![self.local];
        }
        let mut found = Vec::new();
        // Connecting a UDP socket sends nothing; it makes the system choose a source address.
        let outside: [(SocketAddr, SocketAddr); 2] = [
            ((Ipv4Addr::UNSPECIFIED, 0).into(), (Ipv4Addr::new(192, 0, 2, 1), 9).into()),
            (
                (Ipv6Addr::UNSPECIFIED, 0).into(),
                (Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1), 9).into(),
            ),
        ];
        for (from, to) in outside {
            if from.is_ipv6() && !self.is_v6 {
                continue;
            }
            let source = std::net::UdpSocket::bind(from)
                .and_then(|socket| socket.connect(to).and_then(|()| socket.local_addr()));
            if let Ok(source) = source
                && !source.ip().is_unspecified()
            {
                found.push(SocketAddr::new(source.ip(), self.local.port()));
            }
        }
        // Peers on this very machine, which may have no network at all.
        found.push(SocketAddr::from((Ipv4Addr::LOCALHOST, self.local.port())));
        found
    }
}
