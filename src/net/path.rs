//! Which way to a peer: its addresses and the relay are measured by pings, the best is chosen.

use std::collections::VecDeque;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::{Duration, Instant};

/// A way to a peer.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Path {
    /// UDP to this address.
    Direct(SocketAddr),
    /// Through the server.
    Relay,
}

impl Path {
    /// The address of a direct path.
    #[must_use]
    pub fn address(self) -> Option<SocketAddr> {
        match self {
            Self::Direct(address) => Some(address),
            Self::Relay => None,
        }
    }

    /// Its machine.
    pub(super) fn ip(self) -> Option<IpAddr> {
        self.address().map(|address| address.ip())
    }
}

/// How much the ways to a peer are worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Need {
    /// Nothing is going on.
    None,
    /// The way shall stay open (a NAT's mapping), without hurry.
    Kept,
    /// Streams are open.
    Open,
    /// Streams are open, and something was sent just now.
    Busy,
}

/// Addresses that a peer announces and that are tried.
pub const MAX_ANNOUNCED: usize = 16;
/// Addresses learnt from packets; the oldest gives way.
const MAX_LEARNT: usize = 8;
/// A ping that is not answered in this time makes a way dead: with [`RETRY`] and the interval of
/// a busy way it keeps the change to another one below three seconds.
const DEAD_AFTER: Duration = Duration::from_millis(1800);
/// On a way that was slow to answer before: queues of more than two seconds are as bad as death,
/// and a round trip measured across a machine's sleep must not count for hours.
const MAX_PATIENCE: Duration = Duration::from_secs(6);
/// How often an unanswered way is pinged again while it is in use.
const RETRY: Duration = Duration::from_millis(400);
/// Pings of a way that may still be answered: as many as are sent within [`MAX_PATIENCE`].
const MAX_ASKED: usize = 16;
/// How often a way is tried that has never answered or is dead: at first, and later.
const TRY: Duration = Duration::from_secs(1);
const TRY_LATER: Duration = Duration::from_secs(10);
/// Tries at the short interval.
const QUICK_TRIES: u32 = 8;
/// Keeps a NAT's mapping open (the `WireGuard` documentation's number).
const KEEP_ALIVE: Duration = Duration::from_secs(25);
/// The interval of the way in use, with streams open and with something sent just now.
const OPEN_EVERY: Duration = Duration::from_secs(5);
const BUSY_EVERY: Duration = Duration::from_secs(1);
/// Another address must be this much faster: less would flap.
const FASTER_BY: Duration = Duration::from_millis(3);

/// What the answer to a ping means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pong {
    /// It answers nothing that was asked.
    Foreign,
    /// The way works.
    Known,
    /// The way in use works again after a silence.
    Revived,
}

#[derive(Clone, Debug)]
struct Way {
    path: Path,
    announced: bool,
    /// The last pings that may still be answered, the oldest first.
    asked: VecDeque<(u64, Instant)>,
    sent_at: Option<Instant>,
    /// The first ping since the last answer.
    unanswered: Option<Instant>,
    tries: u32,
    answered: bool,
    heard_at: Option<Instant>,
    rtt: Option<Duration>,
}

impl Way {
    fn new(path: Path, announced: bool) -> Self {
        Self {
            path,
            announced,
            asked: VecDeque::new(),
            sent_at: None,
            unanswered: None,
            tries: 0,
            answered: false,
            heard_at: None,
            rtt: None,
        }
    }

    /// How long an answer may take; full queues on the way delay pings too.
    fn patience(&self) -> Duration {
        (self.rtt.unwrap_or_default() * 3).clamp(DEAD_AFTER, MAX_PATIENCE)
    }

    fn is_alive(&self, now: Instant) -> bool {
        let late = |at: Instant| now.saturating_duration_since(at) >= self.patience();
        self.answered && !self.unanswered.is_some_and(late)
    }

    /// When the next ping is due.
    fn due(&self, now: Instant, need: Need, selected: bool) -> Option<Instant> {
        if need == Need::None {
            return None;
        }
        let Some(sent) = self.sent_at else { return Some(now) };
        let every = if selected && self.answered && self.unanswered.is_some() {
            RETRY.max(self.rtt.unwrap_or_default() * 2)
        } else if !self.answered || self.unanswered.is_some() {
            if need == Need::Kept || self.tries > QUICK_TRIES { TRY_LATER } else { TRY }
        } else {
            match need {
                Need::Busy if selected => BUSY_EVERY,
                Need::Open | Need::Busy if selected => OPEN_EVERY,
                Need::Kept | Need::Open | Need::Busy | Need::None => KEEP_ALIVE,
            }
        };
        Some(sent + every)
    }
}

/// 1. Tell it what is heard: [`Paths::heard`], [`Paths::pong`].
/// 2. [`Paths::select`] whenever something changed or was due.
/// 3. Send the pings of [`Paths::poll_ping`]; ask again at [`Paths::poll_timeout`].
#[derive(Debug, Default)]
pub struct Paths {
    ways: Vec<Way>,
    selected: Option<Path>,
}

impl Paths {
    /// Sets the addresses that the peer announces. Learnt ones stay.
    pub fn announce(&mut self, addresses: &[SocketAddr]) {
        let addresses: Vec<SocketAddr> =
            addresses.iter().copied().filter(is_unicast).take(MAX_ANNOUNCED).collect();
        let announced = |path: Path| matches!(path, Path::Direct(a) if addresses.contains(&a));
        let selected = self.selected;
        for way in &mut self.ways {
            way.announced = announced(way.path);
        }
        self.ways.retain(|way| {
            way.announced || way.answered || way.path == Path::Relay || selected == Some(way.path)
        });
        for address in addresses {
            let path = Path::Direct(address);
            if !self.ways.iter().any(|way| way.path == path) {
                self.ways.push(Way::new(path, true));
            }
        }
    }

    /// Whether there is a relay.
    pub fn set_relay(&mut self, present: bool) {
        self.ways.retain(|way| way.path != Path::Relay);
        if present {
            self.ways.push(Way::new(Path::Relay, false));
        } else if self.selected == Some(Path::Relay) {
            self.selected = None;
        }
    }

    /// Whether there is a relay.
    #[must_use]
    pub fn has_relay(&self) -> bool {
        self.all().any(|path| path == Path::Relay)
    }

    /// All ways, for what must arrive by whichever works.
    pub fn all(&self) -> impl Iterator<Item = Path> + '_ {
        self.ways.iter().map(|way| way.path)
    }

    /// An authentic packet came by this path. `both_ways` when it answers one of ours.
    pub fn heard(&mut self, path: Path, both_ways: bool, now: Instant) {
        if !self.ways.iter().any(|way| way.path == path) {
            self.forget_oldest_learnt();
            self.ways.push(Way::new(path, false));
        }
        let Some(way) = self.ways.iter_mut().find(|way| way.path == path) else { return };
        way.heard_at = Some(now);
        if both_ways {
            way.answered = true;
            way.unanswered = None;
            way.tries = 0;
        }
        if self.selected.is_none() {
            self.selected = Some(path);
        }
    }

    fn forget_oldest_learnt(&mut self) {
        let selected = self.selected;
        let learnt =
            |way: &Way| !way.announced && way.path != Path::Relay && selected != Some(way.path);
        if self.ways.iter().filter(|way| learnt(way)).count() < MAX_LEARNT {
            return;
        }
        let oldest = self.ways.iter().filter(|way| learnt(way)).min_by_key(|way| way.heard_at);
        if let Some(path) = oldest.map(|way| way.path) {
            self.ways.retain(|way| way.path != path);
        }
    }

    /// The answer to a ping.
    pub fn pong(&mut self, path: Path, token: u64, now: Instant) -> Pong {
        let Some(way) = self.ways.iter_mut().find(|way| way.path == path) else {
            return Pong::Foreign;
        };
        let Some(n) = way.asked.iter().position(|(asked, _)| *asked == token) else {
            return Pong::Foreign;
        };
        let revived = way.answered && !way.is_alive(now);
        // With it go those from before: they were lost.
        let sent = way.asked.drain(..=n).next_back().map_or(now, |(_, sent)| sent);
        way.rtt = Some(now.saturating_duration_since(sent).min(MAX_PATIENCE));
        way.answered = true;
        way.unanswered = None;
        way.tries = 0;
        if revived && self.selected == Some(path) { Pong::Revived } else { Pong::Known }
    }

    /// The next ping that is due: mark it sent with `token`.
    pub fn poll_ping(
        &mut self,
        now: Instant,
        need: Need,
        token: impl FnOnce() -> u64,
    ) -> Option<(Path, u64)> {
        let selected = self.selected;
        let due = |way: &&mut Way| {
            way.due(now, need, selected == Some(way.path)).is_some_and(|at| at <= now)
        };
        let way = self.ways.iter_mut().find(due)?;
        let token = token();
        if way.asked.len() == MAX_ASKED {
            way.asked.pop_front();
        }
        way.asked.push_back((token, now));
        way.unanswered.get_or_insert(now);
        way.sent_at = Some(now);
        way.tries = way.tries.saturating_add(1);
        Some((way.path, token))
    }

    /// When the next ping is due, or a way is given up.
    #[must_use]
    pub fn poll_timeout(&self, now: Instant, need: Need) -> Option<Instant> {
        let pings =
            self.ways.iter().filter_map(|way| way.due(now, need, self.selected == Some(way.path)));
        let death = self.selected().and_then(|way| way.unanswered.map(|at| at + way.patience()));
        let death = death.filter(|at| *at > now && need != Need::None);
        pings.chain(death).min()
    }

    /// Pings all ways at once: something is wanted after a silence.
    pub fn hurry(&mut self) {
        for way in &mut self.ways {
            way.sent_at = None;
            way.tries = 0;
        }
    }

    /// Chooses; says whether the choice changed.
    pub fn select(&mut self, now: Instant) -> bool {
        let best = self.best(now);
        if best == self.selected || best.is_none() {
            return false;
        }
        self.selected = best;
        true
    }

    fn best(&self, now: Instant) -> Option<Path> {
        let direct = |way: &&Way| matches!(way.path, Path::Direct(_)) && way.is_alive(now);
        let ways = || self.ways.iter().filter(direct);
        let Some(current) = self.selected().filter(direct) else {
            let quickest = ways().min_by_key(|way| way.rtt);
            return quickest.map(|way| way.path).or_else(|| self.without_direct());
        };
        let better = |way: &&Way| match current.unanswered {
            // The peer has moved, when it is heard from elsewhere meanwhile.
            Some(asked) if now.saturating_duration_since(asked) > RETRY => {
                way.heard_at > Some(asked)
            }
            _ => match (current.rtt, way.rtt) {
                (Some(current), Some(other)) => other * 2 + FASTER_BY < current,
                _ => false,
            },
        };
        let other = ways().filter(better).min_by_key(|way| way.rtt);
        Some(other.unwrap_or(current).path)
    }

    /// The relay if there is one; else whatever was heard last, in hope.
    fn without_direct(&self) -> Option<Path> {
        if self.ways.iter().any(|way| way.path == Path::Relay) {
            return Some(Path::Relay);
        }
        let heard = self.ways.iter().filter(|way| way.heard_at.is_some());
        heard.max_by_key(|way| way.heard_at).map(|way| way.path).or(self.selected)
    }

    fn selected(&self) -> Option<&Way> {
        self.ways.iter().find(|way| self.selected == Some(way.path))
    }

    /// The way in use.
    #[must_use]
    pub fn current(&self) -> Option<Path> {
        self.selected
    }

    /// The way in use and its round trip as pings measured it.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        self.selected().and_then(|way| way.rtt)
    }

    /// Whether nothing answers any more: the session itself may be gone at the other end.
    #[must_use]
    pub fn is_silent(&self, now: Instant) -> bool {
        !self.ways.iter().any(|way| way.is_alive(now))
    }
}

/// Whether an address is one machine's: a peer must not make us send to groups.
fn is_unicast(address: &SocketAddr) -> bool {
    let ip = address.ip().to_canonical();
    let broadcast = ip == IpAddr::V4(Ipv4Addr::BROADCAST);
    address.port() != 0 && !ip.is_unspecified() && !ip.is_multicast() && !broadcast
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_lost_ping_is_no_part_of_the_round_trip_of_the_next() {
        let begun = Clock::machine().instant();
        let at = |ms: u64| begun + Duration::from_millis(ms);
        let mut paths = Paths::default();
        paths.set_relay(true);
        let ping = |paths: &mut Paths, ms, token| {
            assert_eq!(paths.poll_ping(at(ms), Need::Busy, || token), Some((Path::Relay, token)));
        };
        ping(&mut paths, 0, 1);
        assert_eq!(paths.pong(Path::Relay, 1, at(20)), Pong::Known);
        paths.heard(Path::Relay, true, at(20));
        // The first of these is lost.
        ping(&mut paths, 1_020, 2);
        ping(&mut paths, 1_420, 3);
        assert_eq!(paths.pong(Path::Relay, 3, at(1_450)), Pong::Known);
        assert_eq!(paths.rtt(), Some(Duration::from_millis(30)));
        assert_eq!(paths.pong(Path::Relay, 2, at(1_460)), Pong::Foreign);
        // An answer that took long is still one, as long as it is waited for.
        for (ms, token) in (2_500..).step_by(400).zip(10..25) {
            ping(&mut paths, ms, token);
        }
        assert_eq!(paths.pong(Path::Relay, 10, at(8_400)), Pong::Revived);
        assert_eq!(paths.rtt(), Some(Duration::from_millis(5_900)));
        // A machine that slept counts no hours.
        assert_eq!(paths.pong(Path::Relay, 11, at(7_200_000)), Pong::Known);
        assert_eq!(paths.rtt(), Some(MAX_PATIENCE));
    }
}
