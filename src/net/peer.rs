//! One peer: its tunnel, the ways to it and the streams with it.

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use boringtun::noise::TunnResult;
use boringtun::noise::rate_limiter::RateLimiter;
use boringtun::x25519::{PublicKey, StaticSecret};
use bytes::{Buf as _, BytesMut};

use super::outbox::{self, Outbox, Transmit};
use super::packet::{self, Boot, Control, Header, JUMBO, Port};
use super::path::{Need, Path, Paths, Pong};
use super::quic::{PAYLOAD, Quic};
use super::stack::Stack;
use super::tunnel::{self, Kind, MIN_ROOM, Tunnel, is_newer, kind_and_session};
use crate::clock::Entropy;
use crate::model::peer::{Peer as Spec, PeerKind};

/// Streams used in this time count as busy: their way is watched closely.
const BUSY_FOR: Duration = Duration::from_secs(3);
/// Our own handshake waits this long when the peer has begun one: two at once end each other.
const GIVE_WAY: Duration = Duration::from_secs(1);
/// Handshakes that fail before the tunnel is made anew. boringtun would give up after 90 s.
const MAX_ATTEMPTS: u32 = 18;
/// What all peers share.
pub(super) struct Me {
    pub(super) secret: StaticSecret,
    pub(super) public: PublicKey,
    pub(super) address: Ipv6Addr,
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

pub(super) struct Peer {
    pub(super) spec: Spec,
    pub(super) stack: Stack,
    pub(super) paths: Paths,
    index: u32,
    /// Our life as this peer sees it: another one when it was forgotten meanwhile.
    boot: Boot,
    /// Only while something goes on: a peer that rests holds no keys.
    tunnel: Option<Tunnel>,
    /// The life of the peer that its streams belong to, and the session that told of it last.
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
            stack: Stack::new(Quic::new(&me.entropy), remote),
            paths,
            spec,
            index,
            boot: Boot::new(me.entropy.bytes()),
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
        self.tunnel.as_ref().is_some_and(Tunnel::has_session)
    }

    fn tunnel(&mut self, ctx: &Context<'_>) -> &mut Tunnel {
        let (key, index) = (self.spec.key, self.index);
        self.tunnel.get_or_insert_with(|| Tunnel::new(ctx.me, &key, index, ctx.now))
    }

    fn drop_tunnel(&mut self) {
        self.tunnel = None;
        if let Some((_, session)) = &mut self.life {
            // The next tunnel counts its sessions anew.
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
        if kind != Kind::Init && self.tunnel.is_none() {
            // It may be garbage: only a handshake is worth making keys for.
            return;
        }
        let key = self.spec.key;
        let packet = match self.tunnel(ctx).tunn.decapsulate(path.ip(), datagram, room) {
            TunnResult::Err(error) => {
                tracing::trace!(?error, peer.key = %key, "a datagram was refused");
                return;
            }
            TunnResult::WriteToTunnelV4(..) => return,
            TunnResult::Done => None,
            TunnResult::WriteToNetwork(answer) => {
                ctx.out.push(path, &key, answer);
                if kind == Kind::Init && path != Path::Relay && self.paths.has_relay() {
                    // The address may be one that answers do not reach.
                    ctx.out.push(Path::Relay, &key, answer);
                }
                None
            }
            TunnResult::WriteToTunnelV6(packet, _) => Some(packet.len()),
        };
        self.received += datagram.len() as u64;
        match kind {
            Kind::Init => self.next_handshake = Some(ctx.now + GIVE_WAY),
            Kind::Response | Kind::Data => {
                if self.tunnel(ctx).confirm(session, ctx.now) {
                    self.established(ctx, path);
                }
                self.paths.heard(path, kind == Kind::Response, ctx.now);
            }
            Kind::Cookie => {}
        }
        if let Some(length) = packet {
            let packet = room.split_to(length);
            self.inner(ctx, path, session, packet);
        }
    }

    /// A new session is known to both ends: what comes first in it answers us.
    fn established(&mut self, ctx: &mut Context<'_>, path: Path) {
        self.last_handshake = Some(ctx.now);
        self.attempts = 0;
        self.next_handshake = None;
        self.paths.heard(path, true, ctx.now);
        self.paths.hurry();
        self.stack.retry_connect(ctx.now);
        let (key, mut room) = (self.spec.key, vec![0; JUMBO + MIN_ROOM]);
        while let Some(queued) = self.tunnel(ctx).queued(&mut room) {
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
        if !self.is_same_life(ctx.now, header.boot, session) {
            return;
        }
        packet.advance(packet::HEADER);
        match header.port {
            Port::Control => self.control(ctx, path, &packet),
            Port::Streams => {
                let answer = self.stack.handle_datagram(ctx.now, packet).map(<[u8]>::to_vec);
                if let Some(answer) = answer {
                    self.send(ctx, path, Port::Streams, &answer);
                }
            }
        }
    }

    fn control(&mut self, ctx: &mut Context<'_>, path: Path, payload: &[u8]) {
        match Control::decode(payload) {
            Some(Control::Ping { token }) => {
                let pong = Control::Pong { token, seen_as: path.address() };
                self.send(ctx, path, Port::Control, &pong.encode());
            }
            Some(Control::Pong { token, seen_as }) => {
                let pong = self.paths.pong(path, token, ctx.now);
                *ctx.seen_as = seen_as.filter(|_| pong != Pong::Foreign).or(*ctx.seen_as);
                if pong == Pong::Revived {
                    self.stack.path_changed(ctx.now);
                }
            }
            None => {}
        }
    }

    /// Whether a packet belongs to the life of the peer that we know; a new life that came with a
    /// newer session ends the streams of the old one.
    fn is_same_life(&mut self, now: Instant, boot: Boot, session: u32) -> bool {
        match self.life {
            Some((known, _)) if known == boot => {}
            Some((_, Some(last))) if !is_newer(session, last) => return false,
            Some(_) => {
                tracing::debug!(peer.key = %self.spec.key, "the peer has restarted");
                self.stack.restart(now);
            }
            None => {}
        }
        self.life = Some((boot, Some(session)));
        true
    }

    fn header(&self, me: &Me, port: Port) -> Header {
        Header { source: me.address, target: self.spec.address, boot: self.boot, port }
    }

    /// Sends one packet by a path.
    fn send(&mut self, ctx: &mut Context<'_>, path: Path, port: Port, payload: &[u8]) {
        let header = self.header(ctx.me, port).encode(payload.len());
        let packet = [&header[..], payload].concat();
        let mut room = vec![0; (packet.len() + tunnel::OVERHEAD).max(MIN_ROOM)];
        if let Some(datagram) = self.tunnel(ctx).seal(&packet, &mut room) {
            self.sent += datagram.len() as u64;
            ctx.out.push(path, &self.spec.key, datagram);
        }
    }

    /// The way for stream packets now, if there is one.
    pub(super) fn way(&self) -> Option<Path> {
        self.paths.current().filter(|_| self.has_session())
    }

    /// A batch of stream packets.
    pub(super) fn poll_transmit(&mut self, ctx: &mut Context<'_>) -> Option<Transmit> {
        let path = self.way()?;
        let size = loop {
            ctx.scratch.clear();
            let size = self.stack.poll_transmit(ctx.now, fit, ctx.scratch)?;
            // TCP beneath the relay cuts as it likes: bigger packets would only come in greater lumps.
            if path != Path::Relay || size <= PAYLOAD {
                break size;
            }
        };
        let header = self.header(ctx.me, Port::Streams);
        let tunnel = self.tunnel.as_mut()?;
        let mut batch = ctx.out.batch();
        let mut packet = [0; JUMBO];
        for payload in ctx.scratch.chunks(size) {
            let (head, body) = packet.split_first_chunk_mut::<{ packet::HEADER }>()?;
            *head = header.encode(payload.len());
            body.get_mut(..payload.len())?.copy_from_slice(payload);
            let plain = packet.get(..packet::HEADER + payload.len())?;
            if let Some(datagram) = tunnel.seal(plain, batch.room()) {
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
            tracing::debug!(
                peer.key = %self.spec.key, path = ?self.paths.current(), "the path changed"
            );
            self.stack.path_changed(now);
        }
    }

    fn tick(&mut self, ctx: &mut Context<'_>, need: Need) {
        let (now, key) = (ctx.now, self.spec.key);
        let Some(tunnel) = self.tunnel.as_mut().filter(|tunnel| tunnel.next_tick <= now) else {
            return;
        };
        let mut room = [0; MIN_ROOM];
        match tunnel.tick(now, &mut room) {
            Ok(None) => {}
            Ok(Some(datagram)) => {
                let everywhere = matches!(kind_and_session(datagram), Some((Kind::Init, _)));
                let current = self.paths.current();
                for path in self.paths.all().filter(|path| everywhere || Some(*path) == current) {
                    ctx.out.push(path, &key, datagram);
                }
            }
            Err(tunnel::Expired) => self.drop_tunnel(),
        }
        let answering = self.next_handshake.is_some_and(|at| at > now);
        if need == Need::None && !answering && !self.has_session() {
            self.drop_tunnel();
        }
    }

    /// Starts a handshake by all ways when there is no session, or nothing answers in it.
    fn handshake(&mut self, ctx: &mut Context<'_>, need: Need) {
        let now = ctx.now;
        let young = self.tunnel.as_ref().is_some_and(|tunnel| tunnel.is_young(now));
        let doubted = self.paths.is_silent(now) && !young;
        if self.next_handshake.is_some_and(|at| at > now) {
            return;
        }
        if need == Need::None || (self.has_session() && !doubted) {
            self.attempts = 0;
            self.next_handshake = None;
            return;
        }
        if self.attempts >= MAX_ATTEMPTS {
            self.drop_tunnel();
            self.attempts /= 2;
        }
        self.attempts += 1;
        let first = ctx.me.public.as_bytes() < &self.spec.key.0;
        self.next_handshake = Some(now + retry_after(self.attempts, need, first));
        let (key, mut room) = (self.spec.key, [0; MIN_ROOM]);
        if let Some(datagram) = self.tunnel(ctx).initiate(now, &mut room) {
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

/// How many packets with so much payload fill one UDP send.
fn fit(payload: usize) -> usize {
    (outbox::ROOM / (packet::HEADER + payload + tunnel::OVERHEAD)).max(1)
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
