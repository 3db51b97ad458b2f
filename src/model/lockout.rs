//! How long failed sign-ins keep an account or a network waiting.

use std::net::IpAddr;
use std::time::Duration;

use super::time::Timestamp;

/// The failures of one account or one network since its last success.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub n: i64,
    /// The last one.
    pub last: Timestamp,
    /// No attempt counts before this.
    pub until: Timestamp,
}

/// Failures that cost nothing: typing slips.
const FREE_OF_ACCOUNT: i64 = 3;
/// An office shares one address: more slips are innocent there.
const FREE_OF_NETWORK: i64 = 10;
/// The longest wait. A guesser gets a hundred tries a day from it, the person a cup of tea.
const LONGEST: Duration = Duration::from_mins(15);
/// Failures are forgotten after a day without one.
pub const FORGOTTEN_AFTER: Duration = Duration::from_hours(24);

/// Whose failures are counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Counted {
    /// Those on one account.
    Account,
    /// Those from one network.
    Network,
}

impl Failures {
    /// How long to wait before the next attempt; none when it may be made. A clock that jumped back
    /// lengthens no wait beyond the longest.
    #[must_use]
    pub fn wait(&self, now: Timestamp) -> Option<Duration> {
        let left = self.until.since(now).min(LONGEST);
        (!left.is_zero()).then_some(left)
    }

    /// One more failure at `now`.
    #[must_use]
    pub fn one_more(self, counted: Counted, now: Timestamp) -> Self {
        let before = if now.since(self.last) > FORGOTTEN_AFTER { 0 } else { self.n };
        let n = before.saturating_add(1);
        let free = match counted {
            Counted::Account => FREE_OF_ACCOUNT,
            Counted::Network => FREE_OF_NETWORK,
        };
        let until = if n < free { now } else { now.plus(delay(n - free)) };
        Self { n, last: now, until }
    }

    /// One failure fewer: an attempt that was counted turned out well.
    #[must_use]
    pub fn one_fewer(self, now: Timestamp) -> Self {
        Self { n: (self.n - 1).max(0), until: now, ..self }
    }
}

/// 1, 2, 4, 8 and then 15 minutes.
fn delay(doublings: i64) -> Duration {
    let minutes = 1u64 << doublings.clamp(0, 4);
    Duration::from_mins(minutes).min(LONGEST)
}

/// The network of an address: its /24, or its /64.
#[must_use]
pub fn network(ip: IpAddr) -> String {
    match ip.to_canonical() {
        IpAddr::V4(v4) => {
            let [a, b, c, _] = v4.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(v6) => {
            let [a, b, c, d, ..] = v6.segments();
            format!("{a:x}:{b:x}:{c:x}:{d:x}::/64")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_tries_then_growing_waits_up_to_fifteen_minutes() {
        let now = Timestamp(1_000_000);
        let mut failures = Failures::default();
        let mut waits = Vec::new();
        for _ in 0..9 {
            failures = failures.one_more(Counted::Account, now);
            waits.push(failures.wait(now).map_or(0, |w| w.as_secs() / 60));
        }
        assert_eq!(waits, [0, 0, 1, 2, 4, 8, 15, 15, 15]);
    }

    #[test]
    fn a_day_without_failures_forgets_them() {
        let now = Timestamp(1_000_000);
        let mut failures = Failures::default();
        for _ in 0..5 {
            failures = failures.one_more(Counted::Account, now);
        }
        let later = now.plus(Duration::from_hours(25));
        assert_eq!(failures.one_more(Counted::Account, later).wait(later), None);
    }

    #[test]
    fn a_clock_that_jumps_back_lengthens_no_wait() {
        let failures = Failures { n: 4, last: Timestamp(9_000_000), until: Timestamp(9_000_060) };
        assert_eq!(failures.wait(Timestamp(0)), Some(LONGEST));
    }

    #[test]
    fn networks_are_24_or_64_bits() {
        let of = |text: &str| network(text.parse().unwrap());
        assert_eq!(of("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(of("::ffff:192.0.2.77"), "192.0.2.0/24");
        assert_eq!(of("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::/64");
    }
}
