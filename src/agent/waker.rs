//! Waking other machines on this one's networks, when the server asks for it.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use crate::model::log::LogLevel;
use crate::model::waking::{Card, Interface};
use crate::net::lan;

use super::base::Base;

/// Who asks more often than this is not heard: a server sends no flood through this machine.
const APART: Duration = Duration::from_secs(1);

/// Sends what wakes others, now and then.
#[derive(Default)]
pub struct Waker {
    last: Mutex<Option<Instant>>,
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
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if last.is_some_and(|last| now.saturating_duration_since(last) < APART) {
            return false;
        }
        *last = Some(now);
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
        assert!(waker.may(now));
        for ms in [0, 1, 999] {
            assert!(!waker.may(now + Duration::from_millis(ms)), "{ms} ms");
        }
        assert!(waker.may(now + APART));
        assert!(!waker.may(now), "a time that was");
    }
}
