//! A model-based congestion controller in the manner of BBR (draft-ietf-ccwg-bbr): a path is its
//! delivery rate and its smallest round trip; losses below 2 % a round are not congestion.
//!
//! quinn paces at 1.25 times window over round trip and has no hook for a rate, so every phase is
//! expressed as a window.

mod sampler;

use std::any::Any;
use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use quinn_proto::RttEstimator;
use quinn_proto::congestion::{Controller, ControllerFactory};

use self::sampler::{Sampler, Sent};

/// Rounds that the filters remember: more than one whole probing cycle.
const ROUNDS: usize = 12;
/// A window covers at least this much time: below it timers and batches rule, not the path.
const MIN_SPAN: Duration = Duration::from_millis(2);
/// A smallest round trip older than this is measured again.
const RTT_AGE: Duration = Duration::from_secs(10);
/// How long the window is held low to measure it.
const PROBE_RTT: Duration = Duration::from_millis(200);
/// Of the window, at the start.
const INITIAL_PACKETS: u64 = 32;
/// A window is never smaller than this many packets.
const MIN_PACKETS: u64 = 8;
/// The share of losses in a round that is not taken for congestion.
const LOSS_ALLOWED: f64 = 0.02;

#[derive(Clone, Copy, PartialEq, Debug)]
enum State {
    Startup,
    Drain,
    Cruise,
    Up,
    Down,
    /// Half the bandwidth-delay product, until this time once so little is in flight.
    ProbeRtt(Option<Instant>),
}

/// The best of one round.
#[derive(Clone, Copy, Default)]
struct Best {
    rate: f64,
    burst: u64,
}

/// One round trip's sums.
#[derive(Clone, Copy, Default)]
struct Round {
    end: u64,
    acked: u64,
    lost: u64,
    peak: u64,
}

/// The controller of one connection.
#[derive(Clone)]
pub struct Bbr {
    mtu: u64,
    window: u64,
    /// What an earlier controller had in flight: until the first ACK it must not block the probe
    /// that finds out what became of it.
    inherited: u64,
    random: u64,
    sampler: Sampler,
    rounds: VecDeque<Best>,
    min_rtt: Duration,
    min_rtt_at: Instant,
    probe_min: Duration,
    /// The most that the path's queue took, in flight.
    ceiling: u64,
    round: Round,
    /// Losses seen while no queue stood: the path's own.
    base_loss: f64,
    state: State,
    rounds_in_state: u32,
    cruise_rounds: u32,
    /// The rate has stopped growing: start-up is over.
    full: bool,
    full_rate: f64,
    flat_rounds: u32,
}

impl Bbr {
    fn new(now: Instant, mtu: u16, random: u64) -> Self {
        let mtu = u64::from(mtu);
        Self {
            mtu,
            window: INITIAL_PACKETS * mtu,
            inherited: 0,
            random: random | 1,
            sampler: Sampler::new(now),
            rounds: VecDeque::from([Best::default()]),
            min_rtt: Duration::MAX,
            min_rtt_at: now,
            probe_min: Duration::MAX,
            ceiling: u64::MAX,
            round: Round::default(),
            base_loss: 0.0,
            state: State::Startup,
            rounds_in_state: 0,
            cruise_rounds: 6,
            full: false,
            full_rate: 0.0,
            flat_rounds: 0,
        }
    }

    fn rate(&self) -> f64 {
        self.rounds.iter().map(|best| best.rate).fold(0.0, f64::max)
    }

    fn floor(&self) -> u64 {
        MIN_PACKETS * self.mtu
    }

    /// The bandwidth-delay product.
    fn bdp(&self) -> u64 {
        if self.min_rtt == Duration::MAX {
            return self.initial_window();
        }
        whole(self.rate() * self.min_rtt.max(MIN_SPAN).as_secs_f64()).max(self.floor())
    }

    fn enter(&mut self, state: State) {
        self.state = state;
        self.rounds_in_state = 0;
        // Flows that share a path must not probe in step.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.cruise_rounds = match self.random % 4 {
            0 => 5,
            1 => 6,
            2 => 7,
            _ => 8,
        };
    }

    fn end_round(&mut self, app_limited: bool) {
        self.judge_losses();
        self.rounds_in_state += 1;
        if !app_limited {
            if !self.full {
                if self.rate() >= self.full_rate * 1.25 {
                    self.full_rate = self.rate();
                    self.flat_rounds = 0;
                } else {
                    self.flat_rounds += 1;
                }
            }
            self.age_filters();
        }
        self.round = Round { end: self.sampler.delivered, ..Round::default() };
    }

    /// Losses seen while no queue stood are the path's own: only more than those speak of
    /// congestion, and then what the path itself carries stays allowed.
    fn judge_losses(&mut self) {
        let bdp = self.bdp();
        let Round { acked, lost, peak, .. } = self.round;
        let share = lost as f64 / (acked + lost).max(1) as f64;
        if self.state == State::Cruise && self.rounds_in_state >= 2 && peak <= bdp + bdp / 6 {
            self.base_loss += (share - self.base_loss) / 8.0;
        }
        let too_much = lost > 3 * self.mtu && share > LOSS_ALLOWED + 1.5 * self.base_loss;
        if too_much && (self.state == State::Up || !self.full || peak > bdp + bdp / 8) {
            self.ceiling = (peak * 17 / 20).max(bdp);
            if self.state == State::Startup {
                self.flat_rounds = 3;
            } else if self.state == State::Up {
                self.enter(State::Down);
            }
        } else if self.state == State::Up
            && self.ceiling != u64::MAX
            && peak + peak / 8 >= self.ceiling
        {
            self.ceiling += self.ceiling / 4;
        }
    }

    /// A new round in the filters, unless that would forget the last rate known.
    fn age_filters(&mut self) {
        let forgets = usize::from(self.rounds.len() >= ROUNDS);
        if self.rounds.iter().skip(forgets).any(|best| best.rate > 0.0) {
            if forgets == 1 {
                self.rounds.pop_front();
            }
            self.rounds.push_back(Best::default());
        }
    }

    fn step(&mut self, now: Instant, in_flight: u64, app_limited: bool) {
        let bdp = self.bdp();
        match self.state {
            State::Startup if self.flat_rounds >= 3 => {
                self.full = true;
                self.enter(State::Drain);
            }
            State::Drain | State::Down if in_flight <= bdp || self.rounds_in_state >= 3 => {
                self.enter(State::Cruise);
            }
            State::Cruise if self.rounds_in_state >= self.cruise_rounds && !app_limited => {
                self.enter(State::Up);
            }
            State::Up if self.rounds_in_state >= 2 => self.enter(State::Down),
            State::ProbeRtt(None) if in_flight <= (bdp / 2).max(self.floor()) => {
                self.state = State::ProbeRtt(Some(now + PROBE_RTT.max(self.min_rtt)));
            }
            State::ProbeRtt(Some(until)) if now >= until => {
                if self.probe_min != Duration::MAX {
                    self.min_rtt = self.probe_min;
                }
                self.min_rtt_at = now;
                self.enter(if self.full { State::Cruise } else { State::Startup });
            }
            State::Startup
            | State::Drain
            | State::Cruise
            | State::Up
            | State::Down
            | State::ProbeRtt(_) => {}
        }
        let stale = now.saturating_duration_since(self.min_rtt_at) > RTT_AGE;
        if stale && self.full && !matches!(self.state, State::ProbeRtt(_)) {
            self.probe_min = Duration::MAX;
            self.enter(State::ProbeRtt(None));
        }
    }

    fn set_window(&mut self) {
        let bdp = self.bdp();
        let burst = self.rounds.iter().map(|best| best.burst).max().unwrap_or(0).min(bdp);
        let of = |percent: u64| bdp * percent / 100 + burst;
        let target = match self.state {
            State::Startup => of(290),
            State::Drain => of(80),
            State::Down => of(85).min(self.ceiling),
            State::Cruise => of(125).min((self.ceiling - self.ceiling / 10).max(bdp)),
            State::Up => of(160).min(self.ceiling),
            State::ProbeRtt(_) => bdp / 2,
        };
        let batch = self.sampler.batch;
        if !self.full {
            if self.window < target || self.sampler.delivered < self.initial_window() {
                self.window += batch;
            }
        } else if self.window < target {
            self.window = (self.window + batch).min(target);
        } else {
            self.window = target;
        }
        self.window = self.window.max(self.floor());
    }

    /// What a batch of ACKs says of the path.
    fn sample(&mut self, now: Instant, newest: Sent, in_flight: u64, app_limited: bool) {
        let rtt = now.saturating_duration_since(newest.at);
        self.probe_min = self.probe_min.min(rtt);
        if rtt <= self.min_rtt {
            (self.min_rtt, self.min_rtt_at) = (rtt, now);
        }
        let sampler = &mut self.sampler;
        sampler.first = sampler.first.max(newest.at);
        self.round.acked += sampler.batch;
        self.round.peak = self.round.peak.max(in_flight + sampler.batch);
        let span = now
            .saturating_duration_since(newest.delivered_at)
            .max(newest.at.saturating_duration_since(newest.first));
        let (delivered, batch) = (sampler.delivered - newest.delivered, sampler.batch);
        let known = self.rate();
        let Some(best) = self.rounds.back_mut() else { return };
        best.burst = best.burst.max(batch);
        if span >= self.min_rtt && !span.is_zero() {
            let rate = delivered as f64 / span.as_secs_f64();
            if !app_limited || rate > known {
                best.rate = best.rate.max(rate);
            }
        }
    }
}

impl Controller for Bbr {
    fn on_sent(&mut self, now: Instant, _bytes: u64, _last: u64) {
        self.sampler.sent(now, self.min_rtt);
    }

    fn on_ack(
        &mut self,
        now: Instant,
        sent: Instant,
        bytes: u64,
        _app_limited: bool,
        _rtt: &RttEstimator,
    ) {
        self.sampler.acked(now, sent, bytes);
    }

    fn on_end_acks(
        &mut self,
        now: Instant,
        in_flight: u64,
        app_limited: bool,
        _largest: Option<u64>,
    ) {
        self.sampler.idle = in_flight == 0;
        self.inherited = 0;
        if let Some(newest) = self.sampler.newest.take() {
            self.sample(now, newest, in_flight, app_limited);
            if newest.delivered >= self.round.end {
                self.end_round(app_limited);
            }
            self.step(now, in_flight, app_limited);
            self.set_window();
        }
        self.sampler.batch = 0;
    }

    fn on_congestion_event(&mut self, now: Instant, _sent: Instant, persistent: bool, lost: u64) {
        self.round.lost += lost;
        if persistent {
            let mtu = u16::try_from(self.mtu).unwrap_or(u16::MAX);
            let mut fresh = Self::new(now, mtu, self.random);
            fresh.sampler.sent = std::mem::take(&mut self.sampler.sent);
            fresh.sampler.delivered = self.sampler.delivered;
            fresh.sampler.idle = false;
            fresh.round.end = self.sampler.delivered;
            fresh.window = self.floor();
            *self = fresh;
        }
    }

    fn on_mtu_update(&mut self, mtu: u16) {
        self.mtu = u64::from(mtu);
        self.window = self.window.max(self.floor());
    }

    fn window(&self) -> u64 {
        self.window.saturating_add(self.inherited)
    }

    fn clone_box(&self) -> Box<dyn Controller> {
        Box::new(self.clone())
    }

    fn initial_window(&self) -> u64 {
        INITIAL_PACKETS * self.mtu
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the value is a count of bytes, never negative; a cast saturates"
)]
fn whole(bytes: f64) -> u64 {
    bytes as u64
}

/// Makes controllers.
#[derive(Debug)]
pub struct BbrFactory {
    random: AtomicU64,
    inherited: AtomicU64,
}

impl BbrFactory {
    /// From random bits.
    #[must_use]
    pub fn new(random: u64) -> Self {
        Self { random: AtomicU64::new(random), inherited: AtomicU64::new(0) }
    }

    /// The controller that `replace` makes takes the place of one with this window: so much may be
    /// in flight.
    pub fn replacing(&self, window: u64, replace: impl FnOnce()) {
        self.inherited.store(window, Ordering::Relaxed);
        replace();
        self.inherited.store(0, Ordering::Relaxed);
    }
}

impl ControllerFactory for BbrFactory {
    fn build(self: Arc<Self>, now: Instant, mtu: u16) -> Box<dyn Controller> {
        let random = self.random.fetch_add(0x9e37_79b9_7f4a_7c15, Ordering::Relaxed);
        let inherited = self.inherited.load(Ordering::Relaxed);
        Box::new(Bbr { inherited, ..Bbr::new(now, mtu, random) })
    }
}
