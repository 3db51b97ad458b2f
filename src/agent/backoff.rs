//! How long to wait before the next try, as a pure function of what happened so far.

use std::time::Duration;

/// The first wait. Short: mostly the server is only being replaced.
const FIRST: Duration = Duration::from_millis(250);
/// The longest wait after a lost connection. A server that is back is found within this.
const LONGEST: Duration = Duration::from_secs(15);
/// A connection that held for this long was good: the next loss starts from the first wait.
pub const GOOD_AFTER: Duration = Duration::from_secs(10);
/// The first wait after a refusal. An agent is up before the build that made it has ended, and is
/// refused until then: mostly a few hundredths of a second, and a person waits for it. The next waits
/// grow by a quarter.
const FIRST_REFUSED: Duration = Duration::from_millis(20);
/// The longest wait after a refusal: later only a person can change it.
const LONGEST_REFUSED: Duration = Duration::from_secs(60);

/// Counts failures in a row.
#[derive(Clone, Copy, Debug, Default)]
pub struct Backoff {
    failures: u32,
    refusals: i32,
}

impl Backoff {
    /// The wait after a try that held for `held`. `chance` is random: it spreads agents that lost
    /// the same server over the second half of the wait.
    pub fn after(&mut self, held: Duration, chance: u32) -> Duration {
        if held >= GOOD_AFTER {
            self.failures = 0;
        }
        self.refusals = 0;
        let doubled = FIRST.saturating_mul(1 << self.failures.min(16)).min(LONGEST);
        self.failures = self.failures.saturating_add(1);
        jitter(doubled, chance)
    }

    /// The wait after a try that was refused.
    pub fn after_refusal(&mut self, chance: u32) -> Duration {
        self.failures = 0;
        let grown =
            FIRST_REFUSED.mul_f64(1.25_f64.powi(self.refusals.min(64))).min(LONGEST_REFUSED);
        self.refusals = self.refusals.saturating_add(1);
        jitter(grown, chance)
    }
}

/// Between half of `wait` and all of it.
#[must_use]
pub fn jitter(wait: Duration, chance: u32) -> Duration {
    wait / 2 + (wait / 2).mul_f64(f64::from(chance) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_a_bound_and_start_over_after_a_good_connection() {
        let mut backoff = Backoff::default();
        let bad = Duration::from_secs(1);
        let waits: Vec<_> = (0..10).map(|_| backoff.after(bad, u32::MAX)).collect();
        assert_eq!(waits[0], FIRST);
        assert!(waits.is_sorted());
        assert_eq!(waits[9], LONGEST);
        assert_eq!(backoff.after(GOOD_AFTER, u32::MAX), FIRST);
    }

    #[test]
    fn refusals_are_asked_about_often_at_first_and_once_a_minute_later() {
        let mut backoff = Backoff::default();
        let waits: Vec<_> = (0..40).map(|_| backoff.after_refusal(u32::MAX)).collect();
        let first_minute: Duration = waits.iter().take(28).sum();
        assert!(first_minute < Duration::from_secs(60), "{first_minute:?}");
        assert_eq!(waits[39], LONGEST_REFUSED);
        assert_eq!(backoff.after(Duration::ZERO, u32::MAX), FIRST);
        assert_eq!(backoff.after_refusal(u32::MAX), FIRST_REFUSED);
    }

    proptest::proptest! {
        #[test]
        fn a_wait_is_never_zero_and_never_long(tries in 0u32..200, chance: u32) {
            let mut backoff = Backoff::default();
            for _ in 0..tries {
                let wait = backoff.after(Duration::ZERO, chance);
                proptest::prop_assert!(wait >= FIRST / 2 && wait <= LONGEST);
            }
        }
    }
}
