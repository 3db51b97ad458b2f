//! Waking other machines on this one's networks, when the server asks for it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::log::LogLevel;
use crate::model::waking::{Card, Interface};
use crate::net::lan;

use super::base::Base;

/// Who asks more often than this in the long run is not heard: a server sends no flood through this
/// machine.
const APART: Duration = Duration::from_secs(1);
/// How far that may be run ahead: a person wakes several machines at once.
const AHEAD: Duration = Duration::from_secs(7);

/// Sends what wakes others, now and then.
#[derive(Default)]
pub struct Waker {
    /// When all that was asked would have been sent at the pace of [`APART`].
    done: Mutex<Option<Instant>>,
}

impl Waker {
    /// Sends what wakes these cards. It goes to everyone on a network that this machine is on now, and
    /// nowhere else; what is sent is made here and says nothing but the address of a card. This
    /// machine's log says that it did.
    pub fn wake(&self, base: &Base, cards: &[Card], on: Interface) {
        if !self.may(base.clock.instant()) {
            return tracing::warn!("asked too often to wake another machine");
        }
        let Some(own) = lan::read().interfaces.into_iter().find(|own| own.is_like(on)) else {
            return tracing::warn!(network = on.network(), "asked to wake on another's network");
        };
        let names: Vec<String> = cards.iter().map(ToString::to_string).collect();
        let (names, network) = (names.join(", "), own.network());
        match lan::wake(cards, own) {
            Ok(()) => {
                let text = format!("Woke another machine on {network}: {names}.");
                base.reports.own_line(LogLevel::Info, &text);
            }
            Err(error) => {
                let text = format!("Waking {names} on {network} failed: {error}.");
                base.reports.own_line(LogLevel::Warn, &text);
            }
        }
    }

    fn may(&self, now: Instant) -> bool {
        let mut done = self.done.lock().unwrap_or_else(PoisonError::into_inner);
        let begin = done.map_or(now, |done| done.max(now));
        if begin.saturating_duration_since(now) > AHEAD {
            return false;
        }
        *done = Some(begin + APART);
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn no_flood_is_sent() {
        let (waker, now) = (Waker::default(), Clock::machine().instant());
        let heard = |at| (0..20).filter(|_| waker.may(at)).count();
        assert_eq!(heard(now), 8, "as many as a person wakes at once");
        assert_eq!(heard(now + APART), 1);
        assert_eq!(heard(now), 0, "a time that was");
        assert_eq!(heard(now + 100 * APART), 8);
    }
}
