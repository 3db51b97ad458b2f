//! One peer: its tunnel, the ways to it and the streams with it.

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use boringtun::noise::rate_limiter::RateLimiter;
use boringtun::noise::{Tunn, TunnResult};
use boringtun::x25519::{PublicKey, StaticSecret};
use bytes::{Buf as _, BytesMut};

use super::outbox::{Outbox, Transmit};
use super::packet::{self, Boot, Control, Header, MTU, Port};
use super::path::{Need, Path, Paths};
use super::quic::Quic;
use super::stack::Stack;
use crate::clock::Entropy;
use crate::model::peer::{Peer as Spec, PeerKind};

/// Bytes that `WireGuard` adds to a packet.
const TUNNEL: usize = 32;
/// boringtun asks for this much room, whatever it writes.
const MIN_ROOM: usize = 148;
/// boringtun's timers count in seconds.
const TICK: Duration = Duration::from_secs(1);
/// Streams used in this time count as busy: their way is watched closely.
const BUSY_FOR: Duration = Duration::from_secs(3);
/// A session as young as this is not doubted because pings are not answered yet.
const SESSION_GRACE: Duration = Duration::from_secs(2);
/// Handshakes that fail before the tunnel is made anew. boringtun would give up after 90 s.
const MAX_ATTEMPTS: u32 = 18;
/// Datagrams in a batch: at the tunnel's MTU they fill one UDP send.
pub(super) const MAX_SEGMENTS: usize = 44;

/// What all peers share.
pub(super) struct Me {
    pub(super) secret: StaticSecret,
    pub(super) public: PublicKey,
    pub(super) address: Ipv6Addr,
    pub(super) boot: Boot,
    pub(super) quic: Quic,
    pub(super) entropy: Entropy,
    /// boringtun counts handshakes per tunnel; the node has counted them before.
    pub(super) unlimited: Arc<RateLimiter>,
}

/// What a peer works with for the time of a call.
pub(super) struct Context<'a> {
    pub(super) now: Instant,
    pub(super) me: &'a Me,
    pub(super) out: &'a mut Outbox,
    pub(super) scratch: &'a mut Vec<u8>,
    pub(super) seen_as: &'a mut Option<SocketAddr>,
}

struct Tunnel {
    tunn: Tunn,
    /// The newest session that both ends are known to hold: our index of it.
    session: Option<u32>,
    established: Option<Instant>,
    next_tick: Instant,
}

pub(super) struct Peer {
    pub(super) spec: Spec,
    pub(super) stack: Stack,
    pub(super) paths: Paths,
    index: u32,
    tunnel: Option<Tunnel>,
    /// The life of the peer that its streams belong to, and the session that told of it.
    life: Option<(Boot, Option<u32>)>,
    used_at: Option<Instant>,
    attempts: u32,
    next_handshake: Option<Instant>,
    pub(super) last_handshake: Option<Instant>,
    pub(super) sent: u64,
    pub(super) received: u64,
}

impl Peer {
    pub(super) fn new(spec: Spec, index: u32, me: &Me, relay: bool) -> Self {
        let remote = SocketAddr::from((spec.address, Port::Streams as u16));
        let mut paths = Paths::default();
        paths.announce(&spec.endpoints);
        paths.set_relay(relay);
        Self {
            stack: Stack::new(me.quic.clone(), remote),
            paths,
            spec,
            index,
            tunnel: None,
            life: None,
            used_at: None,
            attempts: 0,
            next_handshake: None,
            last_handshake: None,
            sent: 0,
            received: 0,
        }
    }

    fn need(&mut self, now: Instant) -> Need {
        if self.stack.wanted(now) {
            let used = |at: Instant| now.saturating_duration_since(at) < BUSY_FOR;
            return if self.used_at.is_some_and(used) { Need::Busy } else { Need::Open };
        }
        match self.spec.kind {
            // The server tells each node how it is seen from outside, and is the first to be asked.
            PeerKind::Server if !self.spec.endpoints.is_empty() => Need::Kept,
            PeerKind::Server | PeerKind::Agent | PeerKind::Client => Need::None,
        }
    }

    /// A stream is in use. Says whether the timers must be looked at again.
    pub(super) fn touch(&mut self, now: Instant) -> bool {
        let before = self.used_at.replace(now);
        before.is_none_or(|at| now.saturating_duration_since(at) >= BUSY_FOR)
    }

    pub(super) fn has_session(&self) -> bool {
        let tunn = self.tunnel.as_ref().map(|tunnel| &tunnel.tunn);
        tunn.is_some_and(|tunn| tunn.time_since_last_handshake().is_some())
    }

    fn tunnel(&mut self, me: &Me, now: Instant) -> &mut Tunnel {
        let peer = PublicKey::from(self.spec.key.0);
        let index = self.index;
        self.tunnel.get_or_insert_with(|| {
            let limiter = Some(Arc::clone(&me.unlimited));
            let tunn = Tunn::new(me.secret.clone(), peer, None, None, index, limiter);
            Tunnel { tunn, session: None, established: None, next_tick: now }
        })
    }

    fn drop_tunnel(&mut self) {
        self.tunnel = None;
        if let Some((_, session)) = &mut self.life {
            *session = None;
        }
    }

    /// One datagram that is addressed to this peer's tunnel. `room` holds what is inside: it must
    /// be longer than the datagram, and gives the decrypted packet away.
    pub(super) fn input(
        &mut self,
        ctx: &mut Context<'_>,
        path: Path,
        datagram: &[u8],
        room: &mut BytesMut,
    ) {
        let Some((kind, session)) = kind_and_session(datagram) else { return };
        let (key, now) = (self.spec.key, ctx.now);
        let tunnel = self.tunnel(ctx.me, now);
        let source = match path {
            Path::Direct(address) => Some(address.ip()),
            Path::Relay => None,
        };
        let packet = match tunnel.tunn.decapsulate(source, datagram, room) {
            TunnResult::Err(error) => {
                tracing::trace!(?error, peer.key = %key, "a datagram was refused");
                return;
            }
            TunnResult::WriteToTunnelV4(..) => return,
            TunnResult::Done => None,
            TunnResult::WriteToNetwork(answer) => {
                ctx.out.push(path, &key, answer);
                if kind == HANDSHAKE_INIT && path != Path::Relay {
                    // The address may be one that answers do not reach.
                    self.paths.all().filter(|way| *way == Path::Relay).for_each(|relay| {
                        ctx.out.push(relay, &key, answer);
                    });
                }
                None
            }
            TunnResult::WriteToTunnelV6(packet, _) => Some(packet.len()),
        };
        self.received += datagram.len() as u64;
        match kind {
            HANDSHAKE_INIT => {
                // Two handshakes at once would end each other.
                self.next_handshake = Some(now + TICK);
            }
            HANDSHAKE_RESPONSE => self.established(ctx, path, session),
            DATA => {
                let tunnel = self.tunnel(ctx.me, now);
                if tunnel.session.is_none_or(|known| newer(session, known)) {
                    self.established(ctx, path, session);
                }
                self.paths.heard(path, false, now);
            }
            _ => {}
        }
        if let Some(length) = packet {
            let packet = room.split_to(length);
            self.inner(ctx, path, session, packet);
        }
    }

    /// A new session is known to both ends.
    fn established(&mut self, ctx: &mut Context<'_>, path: Path, session: u32) {
        let now = ctx.now;
        let tunnel = self.tunnel(ctx.me, now);
        tunnel.session = Some(session);
        tunnel.established = Some(now);
        self.last_handshake = Some(now);
        self.attempts = 0;
        self.next_handshake = None;
        self.paths.heard(path, true, now);
        self.paths.hurry();
        self.stack.retry_connect(now);
        let (key, tunnel) = (self.spec.key, self.tunnel(ctx.me, now));
        let mut room = vec![0; MTU + MIN_ROOM];
        while let TunnResult::WriteToNetwork(queued) = tunnel.tunn.decapsulate(None, &[], &mut room)
        {
            ctx.out.push(path, &key, queued);
        }
    }

    /// A packet out of the tunnel.
    fn inner(&mut self, ctx: &mut Context<'_>, path: Path, session: u32, mut packet: BytesMut) {
        let Some(header) = Header::decode(&packet) else { return };
        if header.source != self.spec.address || header.target != ctx.me.address {
            tracing::debug!(
                peer.key = %self.spec.key, packet.source = %header.source,
                "a packet with another address than the peer's was dropped"
            );
            return;
        }
        if !self.same_life(ctx.now, header.boot, session) {
            return;
        }
        packet.advance(packet::HEADER);
        match header.port {
            Port::Control => match Control::decode(&packet) {
                Some(Control::Ping { token }) => {
                    let seen_as = match path {
                        Path::Direct(address) => Some(address),
                        Path::Relay => None,
                    };
                    let pong = Control::Pong { token, seen_as }.encode();
                    self.send(ctx, path, Port::Control, &pong);
                }
                Some(Control::Pong { token, seen_as }) => {
                    if self.paths.pong(path, token, ctx.now) && seen_as.is_some() {
                        *ctx.seen_as = seen_as;
                    }
                }
                None => {}
            },
            Port::Streams => {
                let answer = self.stack.handle_datagram(ctx.now, packet).map(<[u8]>::to_vec);
                if let Some(answer) = answer {
                    self.send(ctx, path, Port::Streams, &answer);
                }
            }
        }
    }

    /// Whether a packet belongs to the life of the peer that we know; a new life that came with a
    /// newer session ends the streams of the old one.
    fn same_life(&mut self, now: Instant, boot: Boot, session: u32) -> bool {
        match self.life {
            Some((known, _)) if known == boot => {
                self.life = Some((boot, Some(session)));
                true
            }
            Some((_, Some(last))) if !newer(session, last) => false,
            Some(_) => {
                tracing::debug!(peer.key = %self.spec.key, "the peer has restarted");
                self.stack.restart(now);
                self.life = Some((boot, Some(session)));
                true
            }
            None => {
                self.life = Some((boot, Some(session)));
                true
            }
        }
    }

    /// Sends one packet by a path.
    fn send(&mut self, ctx: &mut Context<'_>, path: Path, port: Port, payload: &[u8]) {
        let header = header(ctx.me, &self.spec, port).encode(payload.len());
        let packet = [&header[..], payload].concat();
        let mut room = vec![0; (packet.len() + TUNNEL).max(MIN_ROOM)];
        let key = self.spec.key;
        let tunnel = self.tunnel(ctx.me, ctx.now);
        if let TunnResult::WriteToNetwork(datagram) = tunnel.tunn.encapsulate(&packet, &mut room) {
            self.sent += datagram.len() as u64;
            ctx.out.push(path, &key, datagram);
        }
    }

    /// The way for stream packets now, if there is one.
    pub(super) fn way(&self) -> Option<Path> {
        self.paths.current().filter(|_| self.has_session())
    }

    /// A batch of stream packets.
    pub(super) fn poll_transmit(&mut self, ctx: &mut Context<'_>) -> Option<Transmit> {
        let path = self.way()?;
        ctx.scratch.clear();
        let size = self.stack.poll_transmit(ctx.now, MAX_SEGMENTS, ctx.scratch)?;
        let header = header(ctx.me, &self.spec, Port::Streams);
        let tunnel = self.tunnel.as_mut()?;
        let mut batch = ctx.out.batch();
        let mut packet = [0; MTU];
        for payload in ctx.scratch.chunks(size) {
            let length = packet::HEADER + payload.len();
            let Some((head, body)) = packet.split_first_chunk_mut::<{ packet::HEADER }>() else {
                break;
            };
            *head = header.encode(payload.len());
            let Some(body) = body.get_mut(..payload.len()) else { break };
            body.copy_from_slice(payload);
            let plain = packet.get(..length).unwrap_or_default();
            if let TunnResult::WriteToNetwork(datagram) =
                tunnel.tunn.encapsulate(plain, batch.room())
            {
                let size = datagram.len();
                self.sent += size as u64;
                batch.add(size);
            }
        }
        batch.finish(path, &self.spec.key)
    }

    /// When to settle again.
    pub(super) fn deadline(&mut self, now: Instant) -> Option<Instant> {
        let need = self.need(now);
        let tick = self.tunnel.as_ref().map(|tunnel| tunnel.next_tick);
        let ways = if self.has_session() { self.paths.poll_timeout(now, need) } else { None };
        let handshake = self.next_handshake.filter(|_| need != Need::None);
        [self.stack.poll_timeout(), tick, handshake, ways].into_iter().flatten().min()
    }

    /// Does what is due.
    pub(super) fn settle(&mut self, ctx: &mut Context<'_>) {
        let now = ctx.now;
        if self.stack.poll_timeout().is_some_and(|at| at <= now) {
            self.stack.handle_timeout(now);
        }
        let need = self.need(now);
        self.tick(ctx, need);
        self.handshake(ctx, need);
        if self.has_session() {
            self.pings(ctx, need);
        }
        if self.paths.select(now) {
            tracing::debug!(peer.key = %self.spec.key, path = ?self.paths.current(), "the path changed");
            self.stack.path_changed(now);
        }
    }

    /// boringtun's own timers: new keys every two minutes, old ones forgotten.
    fn tick(&mut self, ctx: &mut Context<'_>, need: Need) {
        let (now, key) = (ctx.now, self.spec.key);
        let Some(tunnel) = self.tunnel.as_mut().filter(|tunnel| tunnel.next_tick <= now) else {
            return;
        };
        tunnel.next_tick = now + TICK;
        let mut room = [0; MIN_ROOM];
        match tunnel.tunn.update_timers(&mut room) {
            TunnResult::WriteToNetwork(datagram) => {
                let handshake = datagram.first() == Some(&HANDSHAKE_INIT);
                let current = self.paths.current();
                for path in self.paths.all().filter(|path| handshake || Some(*path) == current) {
                    ctx.out.push(path, &key, datagram);
                }
            }
            TunnResult::Err(_) => self.drop_tunnel(),
            TunnResult::Done
            | TunnResult::WriteToTunnelV4(..)
            | TunnResult::WriteToTunnelV6(..) => {}
        }
        let resting = need == Need::None && self.next_handshake.is_none_or(|at| at <= now);
        if resting && !self.has_session() {
            self.drop_tunnel();
        }
    }

    /// Starts a handshake by all ways when there is no session, or nothing answers in it.
    fn handshake(&mut self, ctx: &mut Context<'_>, need: Need) {
        let now = ctx.now;
        let young = |at: Instant| now.saturating_duration_since(at) < SESSION_GRACE;
        let established = self.tunnel.as_ref().and_then(|tunnel| tunnel.established);
        let doubted = self.paths.silent(now) && !established.is_some_and(young);
        if need == Need::None || (self.has_session() && !doubted) {
            self.attempts = 0;
            self.next_handshake = self.next_handshake.filter(|at| *at > now);
            return;
        }
        if self.next_handshake.is_some_and(|at| at > now) {
            return;
        }
        if self.attempts >= MAX_ATTEMPTS {
            self.drop_tunnel();
            self.attempts = 5;
        }
        self.attempts += 1;
        self.next_handshake = Some(
            now + retry_after(self.attempts, need, ctx.me.public.as_bytes() < &self.spec.key.0),
        );
        let key = self.spec.key;
        let tunnel = self.tunnel(ctx.me, now);
        let mut room = [0; MIN_ROOM];
        // Its stamps count from the last tick, which may be long ago.
        let _ = tunnel.tunn.update_timers(&mut room);
        tunnel.next_tick = now + TICK;
        let started = tunnel.tunn.format_handshake_initiation(&mut room, true);
        if let TunnResult::WriteToNetwork(datagram) = started {
            for path in self.paths.all() {
                ctx.out.push(path, &key, datagram);
            }
        }
    }

    fn pings(&mut self, ctx: &mut Context<'_>, need: Need) {
        let entropy = ctx.me.entropy.clone();
        let token = || u64::from_be_bytes(entropy.bytes());
        while let Some((path, token)) = self.paths.poll_ping(ctx.now, need, token) {
            self.send(ctx, path, Port::Control, &Control::Ping { token }.encode());
        }
    }
}

const HANDSHAKE_INIT: u8 = 1;
const HANDSHAKE_RESPONSE: u8 = 2;
const DATA: u8 = 4;

/// The message's type, and our index of the session that it names.
fn kind_and_session(datagram: &[u8]) -> Option<(u8, u32)> {
    let kind = *datagram.first()?;
    // A response names its sender first.
    let at = if kind == HANDSHAKE_RESPONSE { 8 } else { 4 };
    let index: [u8; 4] = datagram.get(at..at + 4)?.try_into().ok()?;
    Some((kind, u32::from_le_bytes(index)))
}

/// Whether a session was begun after another: boringtun counts them in the last byte.
fn newer(session: u32, than: u32) -> bool {
    let ahead = session.wrapping_sub(than) & 0xff;
    ahead != 0 && ahead < 0x80
}

/// Both ends may start at the same moment and must not go on in step.
fn retry_after(attempts: u32, need: Need, first: bool) -> Duration {
    let millis = match attempts {
        0..=5 => 1000,
        6..=10 => 3000,
        _ if need == Need::Kept => 30_000,
        _ => 5000,
    };
    Duration::from_millis(if first { millis } else { millis * 7 / 5 })
}

fn header(me: &Me, to: &Spec, port: Port) -> Header {
    Header { source: me.address, target: to.address, boot: me.boot, port }
}
