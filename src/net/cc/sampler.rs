//! What left when, and what ACKs say about the rate at which it was delivered.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Records of what left when; a second or more of sending at full speed.
const MAX_SENT: usize = 1 << 15;

/// What was known when a batch of packets left.
#[derive(Clone, Copy)]
pub(super) struct Sent {
    pub(super) at: Instant,
    pub(super) first: Instant,
    pub(super) delivered: u64,
    pub(super) delivered_at: Instant,
}

/// The rate sampler: what left when, and the newest of it that a batch of ACKs confirms.
#[derive(Clone)]
pub(super) struct Sampler {
    pub(super) sent: VecDeque<Sent>,
    pub(super) newest: Option<Sent>,
    pub(super) batch: u64,
    pub(super) delivered: u64,
    pub(super) delivered_at: Instant,
    pub(super) first: Instant,
    pub(super) idle: bool,
}

impl Sampler {
    pub(super) fn new(now: Instant) -> Self {
        Self {
            sent: VecDeque::new(),
            newest: None,
            batch: 0,
            delivered: 0,
            delivered_at: now,
            first: now,
            idle: true,
        }
    }

    pub(super) fn sent(&mut self, now: Instant, min_rtt: Duration) {
        if self.idle {
            self.idle = false;
            (self.first, self.delivered_at) = (now, now);
        }
        if self.sent.back().is_some_and(|sent| sent.at >= now) {
            return;
        }
        let rounds = if min_rtt == Duration::MAX { Duration::ZERO } else { 4 * min_rtt };
        let old = Duration::from_secs(1) + rounds;
        while self.sent.len() > MAX_SENT
            || self.sent.front().is_some_and(|s| now.saturating_duration_since(s.at) > old)
        {
            self.sent.pop_front();
        }
        self.sent.push_back(Sent {
            at: now,
            first: self.first,
            delivered: self.delivered,
            delivered_at: self.delivered_at,
        });
    }

    pub(super) fn acked(&mut self, now: Instant, sent: Instant, bytes: u64) {
        self.delivered += bytes;
        self.delivered_at = now;
        self.batch += bytes;
        let Ok(at) = self.sent.binary_search_by(|s| s.at.cmp(&sent)) else { return };
        if self.newest.is_none_or(|newest| newest.at < sent) {
            self.newest = self.sent.get(at).copied();
        }
    }
}
