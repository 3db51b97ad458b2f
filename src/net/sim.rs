//! Nodes in virtual time over a simulated network: what is lost, late or twice depends on a seed.
//!
//! boringtun reads the machine's clock by itself. Here it sees hardly any time pass, so its own
//! timers (new keys after two minutes) stay silent; all that the overlay adds runs in virtual time.

mod stories;
mod transfer;
mod walk;

use std::collections::BTreeMap;
use std::net::{Ipv6Addr, SocketAddr};
use std::task::{Poll, Waker};
use std::time::{Duration, Instant};

use super::node::{Node, NodeEvent, StreamRef};
use super::outbox::Ready;
use super::path::Path;
use super::relay::{self, RelayQueues, Verdict};
use crate::clock::{Clock, Entropy};
use crate::model::peer::{Peer, PeerKey, PeerKind};

use transfer::Transfer;

/// A small generator, so that a run depends on its seed alone.
struct Rng(Entropy);

impl Rng {
    fn below(&self, end: u64) -> u64 {
        u64::from_be_bytes(self.0.bytes()) % end
    }

    fn chance(&self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

/// What the network does to datagrams.
#[derive(Clone, Copy)]
struct Weather {
    direct: bool,
    relay: bool,
    /// In percent.
    loss: u64,
    twice: u64,
    delay_ms: u64,
    jitter_ms: u64,
    /// The longest datagram that passes.
    longest: usize,
}

const FAIR: Weather = Weather {
    direct: true,
    relay: true,
    loss: 0,
    twice: 0,
    delay_ms: 10,
    jitter_ms: 0,
    longest: 1452,
};

struct Host {
    node: Node,
    secret: [u8; 32],
    address: Ipv6Addr,
    socket: SocketAddr,
    life: u32,
    incoming: Vec<Incoming>,
    lost: Vec<PeerKey>,
    launched: u64,
}

/// A stream that was opened by a peer, and the transfer's number once it was read.
struct Incoming {
    from: PeerKey,
    stream: StreamRef,
    number: Option<u64>,
}

impl Host {
    fn read_numbers(&mut self, now: Instant) {
        let node = &mut self.node;
        self.incoming.retain_mut(|incoming| {
            let mut header = [0; 8];
            if incoming.number.is_some() {
                return true;
            }
            match node.poll_read(incoming.stream, now, Waker::noop(), &mut header) {
                // It is written at once, so it arrives in one packet.
                Poll::Ready(Ok(8)) => incoming.number = Some(u64::from_be_bytes(header)),
                Poll::Pending => {}
                Poll::Ready(_) => {
                    node.release(incoming.stream, false, now);
                    return false;
                }
            }
            true
        });
    }
}

enum Flight {
    Direct { from: SocketAddr, to: SocketAddr, datagram: Vec<u8> },
    Relayed { to: usize, frame: relay::RelayFrame },
}

struct World {
    now: Instant,
    start: Instant,
    rng: Rng,
    weather: Weather,
    hosts: Vec<Host>,
    flights: BTreeMap<(Instant, u64), Flight>,
    launched: u64,
    queues: RelayQueues,
    transfers: Vec<Transfer>,
    /// Writers give little at a time, so that a long stream costs little.
    throttle: bool,
}

impl World {
    fn new(hosts: usize, seed: u64) -> Self {
        let now = Clock::machine().instant();
        let rng = Rng(Entropy::seeded(seed));
        let mut world = Self {
            now,
            start: now,
            rng,
            weather: FAIR,
            hosts: Vec::new(),
            flights: BTreeMap::new(),
            launched: 0,
            queues: RelayQueues::new(),
            transfers: Vec::new(),
            throttle: false,
        };
        for n in 0..hosts {
            let secret = world.rng.0.bytes();
            let address = Ipv6Addr::new(0xfd00, 0, 0, 0, 0, 0, 0, u16::try_from(n + 1).unwrap());
            let node = world.node(secret, address);
            world.queues.connect(node.key());
            let socket = SocketAddr::from(([10, 0, 0, u8::try_from(n + 1).unwrap()], 4000));
            let (incoming, lost) = (Vec::new(), Vec::new());
            world.hosts.push(Host {
                node,
                secret,
                address,
                socket,
                life: 0,
                incoming,
                lost,
                launched: 0,
            });
        }
        world
    }

    fn node(&self, secret: [u8; 32], address: Ipv6Addr) -> Node {
        let mut node = Node::new(secret, address, &self.rng.0);
        node.unlimited();
        node.set_relay(true, self.now);
        node
    }

    fn spec(&self, host: usize, with_endpoint: bool) -> Peer {
        let host = &self.hosts[host];
        let endpoints = if with_endpoint { vec![host.socket] } else { vec![] };
        let (key, address) = (host.node.key(), host.address);
        Peer { key, kind: PeerKind::Agent, address, endpoints, user: None }
    }

    /// Each is told of the other.
    fn introduce(&mut self, a: usize, b: usize) {
        let (spec_a, spec_b) = (self.spec(a, true), self.spec(b, true));
        self.hosts[a].node.set_peer(&spec_b, self.now);
        self.hosts[b].node.set_peer(&spec_a, self.now);
    }

    fn introduce_all(&mut self) {
        for a in 0..self.hosts.len() {
            for b in 0..a {
                self.introduce(a, b);
            }
        }
    }

    /// The process ends without a word and starts again with the same key.
    fn restart(&mut self, host: usize) {
        let node = self.node(self.hosts[host].secret, self.hosts[host].address);
        let host = &mut self.hosts[host];
        host.node = node;
        host.life += 1;
        host.incoming.clear();
    }

    /// Another address of the network, which nobody is told of.
    fn roam(&mut self, host: usize) {
        let socket = &mut self.hosts[host].socket;
        socket.set_port(socket.port() + 1);
    }

    fn status(&self, at: usize, of: usize) -> super::PeerStatus {
        self.hosts[at].node.status(&self.hosts[of].node.key(), self.now).unwrap()
    }

    fn launched_by(&self, host: usize) -> u64 {
        self.hosts[host].launched
    }

    fn elapsed(&self) -> Duration {
        self.now - self.start
    }

    /// Begins to send bytes; gives the transfer's place.
    fn send(&mut self, from: usize, to: usize, length: u64) -> usize {
        let transfer = Transfer::new(self, from, to, length);
        self.transfers.push(transfer);
        self.transfers.len() - 1
    }

    /// Sends bytes, again when that fails, and runs until they are there.
    fn deliver(&mut self, from: usize, to: usize, length: u64, within: Duration) {
        let (end, first) = (self.now + within, self.transfers.len());
        while self.now < end {
            let sent = self.send(from, to, length);
            let attempt = (end - self.now).min(Duration::from_secs(10));
            self.run_until(attempt, |world| {
                let transfer = &world.transfers[sent];
                transfer.is_complete() || transfer.has_failed()
            });
            if self.transfers[sent].is_complete() {
                return;
            }
        }
        let (here, there) = (self.status(from, to), self.status(to, from));
        panic!("not in {within:?}: {:?}\n{here:?}\n{there:?}", &self.transfers[first..]);
    }

    /// Runs for a time.
    fn run(&mut self, time: Duration) {
        let end = self.now + time;
        self.run_until(time, |world| world.now >= end);
    }

    /// Runs until a condition holds; says whether it did in time.
    fn run_until(&mut self, time: Duration, done: impl Fn(&Self) -> bool) -> bool {
        let end = self.now + time;
        loop {
            self.work();
            if done(self) {
                return true;
            }
            if self.now >= end {
                return false;
            }
            let writer = self.throttle.then(|| self.now + Duration::from_millis(50));
            let timers = self.hosts.iter().filter_map(|host| host.node.poll_timeout());
            let arrival = self.flights.keys().next().map(|(at, _)| *at);
            let next = timers.chain(arrival).chain(writer).min().unwrap_or(end).min(end);
            // A timer that is due at once must not stop the world.
            self.now = next.max(self.now + Duration::from_micros(10));
            self.arrive();
            for host in &mut self.hosts {
                host.node.handle_timeout(self.now);
            }
        }
    }

    fn arrive(&mut self) {
        while let Some(entry) = self.flights.first_entry()
            && entry.key().0 <= self.now
        {
            match entry.remove() {
                Flight::Direct { from, to, datagram } => {
                    if let Some(host) = self.hosts.iter_mut().find(|host| host.socket == to) {
                        host.node.input(Path::Direct(from), &datagram, datagram.len(), self.now);
                    }
                }
                Flight::Relayed { to, frame } => self.hosts[to].node.input_frame(&frame, self.now),
            }
        }
    }

    /// Lets streams and nodes do what they can now.
    fn work(&mut self) {
        for host in &mut self.hosts {
            host.read_numbers(self.now);
        }
        let mut transfers = std::mem::take(&mut self.transfers);
        for transfer in &mut transfers {
            transfer.work(self);
        }
        self.transfers = transfers;
        for index in 0..self.hosts.len() {
            while let Some(sent) = self.hosts[index].node.poll_transmit(self.now, Ready::ALL) {
                match sent.path {
                    Path::Direct(to) => {
                        let from = self.hosts[index].socket;
                        for datagram in sent.datagrams().chunks(sent.segment) {
                            let datagram = datagram.to_vec();
                            self.launch(|| Flight::Direct { from, to, datagram: datagram.clone() });
                        }
                        self.hosts[index].launched += 1;
                        self.hosts[index].node.recycle(sent);
                    }
                    Path::Relay => {
                        self.hosts[index].launched += 1;
                        self.relay(index, sent.into_frame());
                    }
                }
            }
            while let Some(event) = self.hosts[index].node.poll_event() {
                let host = &mut self.hosts[index];
                match event {
                    NodeEvent::Opened(from, stream) => {
                        host.incoming.push(Incoming { from, stream, number: None });
                    }
                    NodeEvent::Lost(key) => host.lost.push(key),
                }
            }
        }
    }

    fn relay(&mut self, from: usize, frame: relay::RelayFrame) {
        let key = self.hosts[from].node.key();
        let Verdict::Queued(to) = self.queues.push(&key, frame, |_, _| true) else { return };
        while let Some(frame) = self.queues.pop(&to) {
            let Some(to) = self.hosts.iter().position(|host| host.node.key() == to) else { return };
            self.launch(|| Flight::Relayed { to, frame: frame.clone() });
        }
    }

    fn launch(&mut self, flight: impl Fn() -> Flight) {
        let weather = self.weather;
        let passes = match flight() {
            Flight::Direct { datagram, .. } => weather.direct && datagram.len() <= weather.longest,
            Flight::Relayed { .. } => weather.relay,
        };
        let copies = 1 + usize::from(self.rng.chance(weather.twice));
        for _ in 0..copies {
            if !passes || self.rng.chance(weather.loss) {
                continue;
            }
            let delay = weather.delay_ms + self.rng.below(weather.jitter_ms + 1);
            self.launched += 1;
            let at = self.now + Duration::from_millis(delay);
            self.flights.insert((at, self.launched), flight());
        }
    }
}
