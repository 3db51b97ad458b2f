//! The `WireGuard` tunnel with one peer: boringtun, its timers, and which sessions are known.

use std::sync::Arc;
use std::time::{Duration, Instant};

use boringtun::noise::{Tunn, TunnResult};
use boringtun::x25519::PublicKey;

use super::peer::Me;
use crate::model::peer::PeerKey;

/// Bytes that `WireGuard` adds to a packet.
pub(super) const OVERHEAD: usize = 32;
/// boringtun asks for this much room, whatever it writes.
pub(super) const MIN_ROOM: usize = 148;
/// boringtun's timers count in seconds.
const TICK: Duration = Duration::from_secs(1);
/// A session as young as this is not doubted because pings are not answered yet.
const GRACE: Duration = Duration::from_secs(2);

/// What a datagram is by its first byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Init,
    Response,
    Cookie,
    Data,
}

/// What a datagram is, and our index of the session that it names; without meaning for an
/// [`Kind::Init`], which names none of ours.
pub(super) fn kind_and_session(datagram: &[u8]) -> Option<(Kind, u32)> {
    let (kind, at) = match datagram.first()? {
        1 => (Kind::Init, 4),
        // It names the sender's index first.
        2 => (Kind::Response, 8),
        3 => (Kind::Cookie, 4),
        4 => (Kind::Data, 4),
        _ => return None,
    };
    let index: [u8; 4] = datagram.get(at..at + 4)?.try_into().ok()?;
    Some((kind, u32::from_le_bytes(index)))
}

/// Whether a session was begun after another: boringtun counts them in the last byte.
pub(super) fn is_newer(session: u32, than: u32) -> bool {
    let ahead = session.wrapping_sub(than) & 0xff;
    ahead != 0 && ahead < 0x80
}

pub(super) struct Tunnel {
    pub(super) tunn: Tunn,
    /// The newest session that both ends are known to hold: our index of it.
    session: Option<u32>,
    established: Option<Instant>,
    pub(super) next_tick: Instant,
}

impl Tunnel {
    pub(super) fn new(me: &Me, peer: &PeerKey, index: u32, now: Instant) -> Self {
        let limiter = Some(Arc::clone(&me.unlimited));
        let peer = PublicKey::from(peer.0);
        let tunn = Tunn::new(me.secret.clone(), peer, None, None, index, limiter);
        Self { tunn, session: None, established: None, next_tick: now }
    }

    /// Whether packets can be sealed now.
    pub(super) fn has_session(&self) -> bool {
        self.tunn.time_since_last_handshake().is_some()
    }

    /// Whether the session is too young to be doubted.
    pub(super) fn is_young(&self, now: Instant) -> bool {
        self.established.is_some_and(|at| now.saturating_duration_since(at) < GRACE)
    }

    /// An authentic packet of this session came in; says whether it is the first of a new one.
    pub(super) fn confirm(&mut self, session: u32, now: Instant) -> bool {
        let new = self.session.is_none_or(|known| is_newer(session, known));
        if new {
            self.session = Some(session);
            self.established = Some(now);
        }
        new
    }

    /// Encrypts a packet into `room`.
    pub(super) fn seal<'a>(&mut self, packet: &[u8], room: &'a mut [u8]) -> Option<&'a [u8]> {
        datagram(self.tunn.encapsulate(packet, room))
    }

    /// A packet that waited for a session.
    pub(super) fn queued<'a>(&mut self, room: &'a mut [u8]) -> Option<&'a [u8]> {
        datagram(self.tunn.decapsulate(None, &[], room))
    }

    /// The first message of a handshake.
    pub(super) fn initiate<'a>(&mut self, now: Instant, room: &'a mut [u8]) -> Option<&'a [u8]> {
        // boringtun stamps with the time of its last tick, which may be long ago.
        let _ = self.tunn.update_timers(room);
        self.next_tick = now + TICK;
        datagram(self.tunn.format_handshake_initiation(room, true))
    }

    /// Runs boringtun's timers when due: new keys every two minutes, old ones forgotten. An error
    /// when it gave up.
    pub(super) fn tick<'a>(
        &mut self,
        now: Instant,
        room: &'a mut [u8],
    ) -> Result<Option<&'a [u8]>, Expired> {
        self.next_tick = now + TICK;
        let result = self.tunn.update_timers(room);
        if matches!(result, TunnResult::Err(_)) { Err(Expired) } else { Ok(datagram(result)) }
    }
}

/// The tunnel has to be made anew.
pub(super) struct Expired;

fn datagram(result: TunnResult<'_>) -> Option<&[u8]> {
    match result {
        TunnResult::WriteToNetwork(datagram) => Some(datagram),
        TunnResult::Done
        | TunnResult::Err(_)
        | TunnResult::WriteToTunnelV4(..)
        | TunnResult::WriteToTunnelV6(..) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sessions_are_newer_across_the_wrap() {
        assert!(is_newer(0x0001_0002, 0x0001_0001));
        assert!(is_newer(0x0001_0000, 0x0001_00ff));
        assert!(!is_newer(0x0001_00ff, 0x0001_0000));
        assert!(!is_newer(7, 7));
    }
}
