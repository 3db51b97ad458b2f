//! How long a command that was interrupted is waited for.

use std::time::{Duration, Instant};

/// A wait that has begun. What works is waited for longer than what has only to write its state;
/// the time for that begins when the work has ended.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    begun: Instant,
    idle_since: Option<Instant>,
}

/// How long a command may take.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    /// In all, while it works.
    pub work: Duration,
    /// Once nothing is under way.
    pub idle: Duration,
}

impl Patience {
    pub(super) fn new(now: Instant) -> Self {
        Self { begun: now, idle_since: None }
    }

    /// How long it has been waited for.
    pub(super) fn took(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.begun)
    }

    /// Whether it is to be killed.
    pub(super) fn is_over(&mut self, now: Instant, works: bool, limits: Limits) -> bool {
        if works {
            self.idle_since = None;
            return self.took(now) >= limits.work;
        }
        let since = *self.idle_since.get_or_insert(now);
        now.saturating_duration_since(since) >= limits.idle
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn the_time_to_write_begins_when_the_work_has_ended() {
        let begun = Clock::machine().instant();
        let at = |secs: u64| begun + Duration::from_secs(secs);
        let limits = Limits { work: Duration::from_secs(120), idle: Duration::from_secs(15) };
        let mut patience = Patience::new(begun);
        assert!(!patience.is_over(at(0), true, limits));
        assert!(!patience.is_over(at(60), true, limits));
        assert!(!patience.is_over(at(60), false, limits), "it has just ended its work");
        assert!(!patience.is_over(at(74), false, limits));
        assert!(!patience.is_over(at(75), true, limits), "it works again");
        assert!(!patience.is_over(at(119), false, limits));
        assert!(patience.is_over(at(134), false, limits));
        assert!(patience.is_over(at(135), true, limits));
    }
}
