//! From figures to a verdict, so that it does not flap: each trouble begins above one mark and ends
//! below a lower one, some only when they are told twice in a row, and who changes too often is
//! heard less.

use std::collections::BTreeSet;
use std::time::Duration;

use super::{Change, Figures, State, Trouble};
use crate::model::time::Timestamp;

/// Where a trouble begins and where it is over.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// It begins above this.
    pub from: f64,
    /// It is over below this.
    pub to: f64,
}

/// Shares of the disk of its home: with less room programs begin to fail.
pub const DISK: Band = Band { from: 0.90, to: 0.85 };
/// Shares of its inodes.
pub const INODES: Band = Band { from: 0.90, to: 0.85 };
/// Shares of its memory that are in use, without what may be dropped.
pub const MEMORY: Band = Band { from: 0.95, to: 0.90 };
/// What runs or waits to, for each core: a build fills every core, and may do so.
pub const LOAD: Band = Band { from: 4.0, to: 3.0 };
/// Degrees Celsius where the sensor says nothing else: small boards slow down at 80.
pub const TEMPERATURE: Band = Band { from: 80.0, to: 75.0 };
/// Milliseconds that its clock is off: beyond a slow network, and before tokens and certificates fail.
pub const CLOCK: Band = Band { from: 30_000.0, to: 15_000.0 };

/// Reports that come sooner after the last one do not count: agents tell every 30 seconds.
pub const REPORTS_APART: Duration = Duration::from_secs(2);

/// Changes in a day after which a machine is heard less: its state is doubtful, and each change is an
/// entry of the audit log.
pub const MANY_CHANGES: usize = 20;
/// The day in which they are counted.
const COUNTED_FOR: Duration = Duration::from_hours(24);
/// How long such a machine's state stays at least.
pub const HELD_FOR: Duration = Duration::from_hours(1);

impl Trouble {
    /// Whether it has to be told twice in a row: what passes in a moment is no trouble.
    const fn is_settled_by_two(self) -> bool {
        match self {
            Self::Disk | Self::Inodes | Self::Temperature => false,
            Self::Memory | Self::Load | Self::Throttled | Self::UnderVoltage | Self::Clock => true,
        }
    }

    /// Whether figures say that it is there; none in the band between.
    fn is_told(self, figures: &Figures) -> Option<bool> {
        let within = |band: Band, value: Option<f64>| match value {
            Some(value) if value > band.from => Some(true),
            Some(value) if value >= band.to => None,
            // A figure that is not told any more troubles nobody.
            Some(_) | None => Some(false),
        };
        match self {
            Self::Disk => within(DISK, figures.disk()),
            Self::Inodes => within(INODES, figures.inodes()),
            Self::Memory => within(MEMORY, figures.memory()),
            Self::Load => within(LOAD, figures.load_a_core()),
            Self::Temperature => within(heat(figures.temperature_mark), figures.temperature),
            Self::Throttled => Some(figures.throttled),
            Self::UnderVoltage => Some(figures.under_voltage),
            Self::Clock => within(CLOCK, figures.ahead_ms.map(millis)),
        }
    }
}

/// When it is too hot, by what the sensor says of itself.
fn heat(mark: Option<f64>) -> Band {
    mark.map_or(TEMPERATURE, |from| Band { from, to: from - (TEMPERATURE.from - TEMPERATURE.to) })
}

#[expect(clippy::cast_precision_loss, reason = "compared with marks of seconds")]
fn millis(ahead: i64) -> f64 {
    ahead.unsigned_abs() as f64
}

/// What is thought of a machine.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// Nothing was heard of it for too long.
    pub is_lost: bool,
    /// What needs care; of a lost one, what did when it was last heard.
    pub troubles: BTreeSet<Trouble>,
    /// What was told otherwise once, and counts when it is told so again.
    pub turning: BTreeSet<Trouble>,
}

impl Verdict {
    /// The state that this is.
    #[must_use]
    pub fn state(&self) -> State {
        match (self.is_lost, self.troubles.is_empty()) {
            (true, _) => State::Lost,
            (false, false) => State::Degraded,
            (false, true) => State::Ok,
        }
    }

    /// What is thought after a report: who tells something is not lost.
    #[must_use]
    pub fn heard(&self, figures: &Figures) -> Self {
        let mut next =
            Self { is_lost: false, troubles: self.troubles.clone(), turning: BTreeSet::new() };
        for trouble in Trouble::ALL {
            let was = self.troubles.contains(trouble);
            let is = trouble.is_told(figures).unwrap_or(was);
            if is == was {
                continue;
            }
            if trouble.is_settled_by_two() && !self.turning.contains(trouble) {
                next.turning.insert(*trouble);
            } else if is {
                next.troubles.insert(*trouble);
            } else {
                next.troubles.remove(trouble);
            }
        }
        next
    }

    /// What is thought after a silence that was too long.
    #[must_use]
    pub fn lost(&self) -> Self {
        Self { is_lost: true, troubles: self.troubles.clone(), turning: BTreeSet::new() }
    }
}

/// Whether a machine with these changes may change again now.
#[must_use]
pub fn may_change(changes: &[Change], now: Timestamp) -> bool {
    let Some(last) = changes.last() else { return true };
    let many = changes.len().checked_sub(MANY_CHANGES).and_then(|at| changes.get(at));
    let often = many.is_some_and(|first| now.since(first.at) < COUNTED_FOR);
    !often || now.since(last.at) >= HELD_FOR
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn disk(percent: u64) -> Figures {
        Figures { disk_used: percent, disk_total: 100, ..Figures::default() }
    }

    fn after(reports: &[Figures]) -> Verdict {
        reports.iter().fold(Verdict::default(), |verdict, figures| verdict.heard(figures))
    }

    #[test]
    fn a_disk_is_full_above_one_mark_and_free_below_another() {
        let states: Vec<State> = [80, 90, 91, 88, 85, 84, 88, 95]
            .iter()
            .scan(Verdict::default(), |verdict, percent| {
                *verdict = verdict.heard(&disk(*percent));
                Some(verdict.state())
            })
            .collect();
        use State::{Degraded as D, Ok as K};
        assert_eq!(states, [K, K, D, D, D, K, K, D]);
    }

    #[test]
    fn what_passes_in_a_moment_is_no_trouble() {
        let full = Figures { memory_used: 99, memory_total: 100, ..Figures::default() };
        let empty = Figures { memory_used: 10, ..full };
        assert_eq!(after(&[full, empty, full, empty]).state(), State::Ok);
        assert_eq!(after(&[full, full]).troubles, BTreeSet::from([Trouble::Memory]));
        assert_eq!(after(&[full, full, empty, full]).state(), State::Degraded);
        assert_eq!(after(&[full, full, empty, empty]).state(), State::Ok);
        let off = |ahead| Figures { ahead_ms: Some(ahead), ..Figures::default() };
        assert_eq!(after(&[off(-31_000), off(-31_000)]).troubles, [Trouble::Clock].into());
        assert_eq!(after(&[off(29_000), off(29_000)]).state(), State::Ok);
        assert_eq!(after(&[off(i64::MIN), off(i64::MAX)]).state(), State::Degraded);
    }

    #[test]
    fn each_trouble_is_told_by_figures_of_its_own() {
        let calm = Figures { cores: 4.0, ..Figures::default() };
        let told = [
            (Figures { inodes_used: 95, inodes_total: 100, ..calm }, Trouble::Inodes),
            (Figures { load: Some(17.0), ..calm }, Trouble::Load),
            (Figures { temperature: Some(80.1), ..calm }, Trouble::Temperature),
            (
                Figures { temperature: Some(96.0), temperature_mark: Some(95.0), ..calm },
                Trouble::Temperature,
            ),
            (Figures { throttled: true, ..calm }, Trouble::Throttled),
            (Figures { under_voltage: true, ..calm }, Trouble::UnderVoltage),
        ];
        for (figures, trouble) in told {
            assert_eq!(after(&[figures, figures]).troubles, BTreeSet::from([trouble]));
            assert_eq!(after(&[figures, figures, calm, calm]).state(), State::Ok);
        }
        let warm = Figures { temperature: Some(94.0), temperature_mark: Some(95.0), ..calm };
        assert_eq!(after(&[warm, warm]).state(), State::Ok, "a desktop that compiles");
        let wrong = Figures { cpu: f64::NAN, load: Some(f64::NAN), ..Figures::default() };
        assert_eq!(after(&[wrong, wrong]).state(), State::Ok);
    }

    #[test]
    fn a_lost_machine_is_back_when_it_is_heard_with_what_it_has() {
        let lost = after(&[disk(95)]).lost();
        assert_eq!(lost.state(), State::Lost);
        assert_eq!(lost.heard(&disk(88)).state(), State::Degraded);
        assert_eq!(lost.heard(&disk(20)).state(), State::Ok);
    }

    proptest! {
        #[test]
        fn within_the_bands_nothing_changes(
            begin in 0_u64..=100,
            walk in proptest::collection::vec((85_u64..=90, 75.0..=80.0_f64, 900_u64..=950), 1..50),
        ) {
            let first = Figures { temperature: Some(90.0), ..disk(begin) };
            let verdict = after(&[first, first]);
            for (disk_used, temperature, memory_used) in walk {
                let figures = Figures {
                    temperature: Some(temperature), memory_used, memory_total: 1000, ..disk(disk_used)
                };
                prop_assert_eq!(&verdict.heard(&figures), &verdict);
            }
        }

        #[test]
        fn a_machine_that_changes_all_the_time_is_heard_some_times_a_day(
            steps in proptest::collection::vec((30_i64..600, any::<bool>()), 1..2000),
        ) {
            let mut health = super::super::Health::unheard(
                "main", uuid::Uuid::from_u128(1).into(), Timestamp(0));
            let (mut now, mut days) = (Timestamp(0), std::collections::BTreeMap::new());
            for (step, full) in steps {
                now = Timestamp(now.0 + step);
                let next = health.verdict.heard(&disk(if full { 99 } else { 1 }));
                if health.take(next, now) {
                    *days.entry(now.0 / 86_400).or_insert(0_usize) += 1;
                }
                prop_assert!(health.changes.len() <= super::super::MAX_CHANGES);
            }
            prop_assert!(days.values().all(|n| *n <= MANY_CHANGES + 24));
        }
    }
}
