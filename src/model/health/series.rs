//! The history of a machine: a point a minute for a day, one a quarter of an hour for a month, in
//! blocks of bytes that are used again, so that none takes more room than all of them.

use super::{Figures, Path, Trouble};
use crate::model::time::Timestamp;
use crate::model::user::define_words;

define_words! {
    /// How far apart points are.
    Step {
        /// A minute.
        Minute = "minute",
        /// A quarter of an hour.
        Quarter = "quarter",
    }
}

impl Step {
    /// Seconds from one point to the next.
    #[must_use]
    pub const fn secs(self) -> i64 {
        match self {
            Self::Minute => 60,
            Self::Quarter => 900,
        }
    }

    /// Seconds that one block spans: half an hour, or half a day. Blocks are small enough for a page of
    /// SQLite to hold several.
    #[must_use]
    pub const fn block_secs(self) -> i64 {
        match self {
            Self::Minute => 1_800,
            Self::Quarter => 43_200,
        }
    }

    /// Blocks that there are: one more than are shown whole, for the one that is begun.
    const fn blocks(self) -> i64 {
        match self {
            Self::Minute => 49,
            Self::Quarter => 61,
        }
    }

    /// Seconds that are kept.
    #[must_use]
    pub const fn kept_secs(self) -> i64 {
        (self.blocks() - 1) * self.block_secs()
    }

    /// The bytes of a full block. A clock that is set back adds points to a block that has them, until
    /// it holds as many again.
    #[must_use]
    pub const fn max_bytes(self) -> usize {
        match self {
            Self::Minute => 2 * 30 * BYTES,
            Self::Quarter => 2 * 48 * BYTES,
        }
    }

    /// When the point that holds `at` begins.
    #[must_use]
    pub const fn begin(self, at: Timestamp) -> Timestamp {
        Timestamp(at.0.div_euclid(self.secs()) * self.secs())
    }

    /// When the block that holds `at` begins.
    #[must_use]
    pub const fn block(self, at: Timestamp) -> Timestamp {
        Timestamp(at.0.div_euclid(self.block_secs()) * self.block_secs())
    }

    /// The place of the block that holds `at`: after the last one comes the first again.
    #[must_use]
    pub const fn slot(self, at: Timestamp) -> i64 {
        at.0.div_euclid(self.block_secs()).rem_euclid(self.blocks())
    }
}

/// A point of a machine's history.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// When it begins.
    pub at: Timestamp,
    /// Minutes in which the machine was heard.
    pub minutes: u8,
    /// The share of all cores in use.
    pub cpu: Option<f64>,
    /// What ran or waited to, for each core.
    pub load: Option<f64>,
    /// The share of its memory.
    pub memory: Option<f64>,
    /// The share of its disk.
    pub disk: Option<f64>,
    /// The share of that disk's inodes.
    pub inodes: Option<f64>,
    /// Degrees Celsius.
    pub temperature: Option<f64>,
    /// Milliseconds that its clock was ahead.
    pub ahead_ms: Option<i64>,
    /// The round trip in milliseconds.
    pub latency_ms: Option<f64>,
    /// How it was reached.
    pub path: Option<Path>,
    /// What needed care.
    pub troubles: Vec<Trouble>,
}

/// Bytes of a point as it is stored.
const BYTES: usize = 22;
/// Stands for a figure that is not known.
const NONE: u16 = u16::MAX;
/// Stands for a clock that is not known.
const NO_CLOCK: i32 = i32::MIN;

impl Point {
    /// The point of a minute.
    #[must_use]
    pub fn of(at: Timestamp, figures: &Figures, troubles: Vec<Trouble>) -> Self {
        Self {
            at: Step::Minute.begin(at),
            minutes: 1,
            cpu: Some(figures.cpu),
            load: figures.load_a_core(),
            memory: figures.memory(),
            disk: figures.disk(),
            inodes: figures.inodes(),
            temperature: figures.temperature,
            ahead_ms: figures.ahead_ms,
            latency_ms: figures.latency_ms,
            path: figures.path,
            troubles,
        }
    }

    /// One point of several that begin at or after `at`: work as a mean, what may run out or be wrong
    /// as the worst of them. None of none.
    #[must_use]
    pub fn fold(at: Timestamp, points: &[Self]) -> Option<Self> {
        let last = points.last()?;
        let most = |of: fn(&Self) -> Option<f64>| points.iter().filter_map(of).reduce(f64::max);
        let clock = points.iter().filter_map(|p| p.ahead_ms).max_by_key(|ms| ms.unsigned_abs());
        let minutes = points.iter().fold(0_u8, |sum, p| sum.saturating_add(p.minutes));
        let had = |t: &&Trouble| points.iter().any(|p| p.troubles.contains(t));
        Some(Self {
            at,
            minutes,
            cpu: mean(points, |p| p.cpu),
            load: mean(points, |p| p.load),
            memory: most(|p| p.memory),
            disk: most(|p| p.disk),
            inodes: most(|p| p.inodes),
            temperature: most(|p| p.temperature),
            ahead_ms: clock,
            latency_ms: mean(points, |p| p.latency_ms),
            path: last.path,
            troubles: Trouble::ALL.iter().filter(had).copied().collect(),
        })
    }

    /// The bytes that are stored of it.
    #[must_use]
    pub fn encode(&self, step: Step) -> [u8; BYTES] {
        let place = (self.at.0 - step.block(self.at).0) / step.secs();
        let thousandth = |share: Option<f64>| scaled(share, 1000.0);
        let figures = [
            thousandth(self.cpu),
            scaled(self.load, 100.0),
            thousandth(self.memory),
            thousandth(self.disk),
            thousandth(self.inodes),
            // From -100 degrees on, in tenths.
            scaled(self.temperature.map(|t| t + 100.0), 10.0),
            scaled(self.latency_ms, 10.0),
        ];
        let clock = self.ahead_ms.map_or(NO_CLOCK, |ms| {
            let most = i64::from(i32::MAX);
            i32::try_from(ms.clamp(-most, most)).unwrap_or(NO_CLOCK)
        });
        let path = self.path.map_or(0, |path| 1 + index(Path::ALL, path));
        let had = |t: &Trouble| 1_u8 << index(Trouble::ALL, *t);
        let mut bytes = [0; BYTES];
        let rest = [path, self.troubles.iter().map(had).fold(0, |all, bit| all | bit)];
        let all = [u8::try_from(place).unwrap_or(u8::MAX), self.minutes]
            .into_iter()
            .chain(figures.into_iter().flat_map(u16::to_le_bytes))
            .chain(clock.to_le_bytes())
            .chain(rest);
        bytes.iter_mut().zip(all).for_each(|(to, from)| *to = from);
        bytes
    }

    /// The points of a block, in their order. What is not one is passed over: a history is no reason
    /// to fail.
    #[must_use]
    pub fn decode(step: Step, block: Timestamp, bytes: &[u8]) -> Vec<Self> {
        let (records, _) = bytes.as_chunks::<BYTES>();
        let points = records.iter().filter_map(|record| Self::read(step, block, record));
        let by_time: std::collections::BTreeMap<_, _> = points.map(|p| (p.at, p)).collect();
        by_time.into_values().collect()
    }

    fn read(step: Step, block: Timestamp, record: &[u8; BYTES]) -> Option<Self> {
        let u16_at = |n: usize| {
            record
                .get(n..)
                .and_then(|rest| rest.first_chunk())
                .map_or(NONE, |b| u16::from_le_bytes(*b))
        };
        let figure = |n, by: f64| Some(u16_at(n)).filter(|v| *v != NONE).map(|v| f64::from(v) / by);
        let [place, minutes] = *record.first_chunk()?;
        let [path, troubles] = *record.last_chunk()?;
        let clock = i32::from_le_bytes(*record.get(16..)?.first_chunk()?);
        let at = Timestamp(block.0 + i64::from(place) * step.secs());
        let had = |t: &&Trouble| troubles & (1 << index(Trouble::ALL, **t)) != 0;
        Some(Self {
            at: Some(at).filter(|at| step.block(*at) == block)?,
            minutes,
            cpu: figure(2, 1000.0),
            load: figure(4, 100.0),
            memory: figure(6, 1000.0),
            disk: figure(8, 1000.0),
            inodes: figure(10, 1000.0),
            temperature: figure(12, 1.0).map(|tenths| (tenths - 1000.0) / 10.0),
            latency_ms: figure(14, 10.0),
            ahead_ms: Some(clock).filter(|c| *c != NO_CLOCK).map(i64::from),
            path: path.checked_sub(1).and_then(|n| Path::ALL.get(usize::from(n)).copied()),
            troubles: Trouble::ALL.iter().filter(had).copied().collect(),
        })
    }
}

fn mean(points: &[Point], of: impl Fn(&Point) -> Option<f64>) -> Option<f64> {
    let told = points.iter().filter_map(|p| Some((of(p)?, f64::from(p.minutes.max(1)))));
    let (sum, weight) = told.fold((0.0, 0.0), |(sum, all), (v, w)| (sum + v * w, all + w));
    (weight > 0.0).then(|| sum / weight)
}

/// A figure as a whole number of its parts, as far as there is room.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "it is held within the range, and NaN becomes 0"
)]
fn scaled(value: Option<f64>, by: f64) -> u16 {
    value.map_or(NONE, |v| (v * by).round().clamp(0.0, f64::from(NONE - 1)) as u16)
}

fn index<T: PartialEq + Copy>(all: &[T], one: T) -> u8 {
    all.iter().position(|t| *t == one).and_then(|n| u8::try_from(n).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn point(at: i64) -> Point {
        let figures = Figures {
            cpu: 0.25,
            cores: 4.0,
            load: Some(1.5),
            memory_used: 1,
            memory_total: 4,
            disk_used: 94,
            disk_total: 100,
            temperature: Some(84.7),
            ahead_ms: Some(-1_234),
            path: Some(Path::Relay),
            latency_ms: Some(12.5),
            ..Figures::default()
        };
        Point::of(Timestamp(at), &figures, vec![Trouble::Disk, Trouble::Clock])
    }

    #[test]
    fn a_point_is_read_as_it_was_written() {
        let at = 1_795_000_000;
        for step in [Step::Minute, Step::Quarter] {
            let one = Point { at: step.begin(Timestamp(at)), load: Some(0.38), ..point(at) };
            let block = step.block(one.at);
            assert_eq!(Point::decode(step, block, &one.encode(step)), [one]);
        }
        let none = Point::fold(Timestamp(0), &[Point { minutes: 0, ..empty(0) }]).unwrap();
        assert_eq!(Point::decode(Step::Minute, Timestamp(0), &none.encode(Step::Minute)), [none]);
    }

    fn empty(at: i64) -> Point {
        Point {
            cpu: None,
            load: None,
            memory: None,
            disk: None,
            temperature: None,
            ahead_ms: None,
            latency_ms: None,
            path: None,
            troubles: vec![],
            ..point(at)
        }
    }

    #[test]
    fn a_quarter_has_the_mean_of_work_and_the_worst_of_the_rest() {
        let one = Point { cpu: Some(0.1), temperature: Some(60.0), ahead_ms: Some(5), ..point(0) };
        let two = Point { cpu: Some(0.3), troubles: vec![Trouble::Load], ..point(60) };
        let both = Point::fold(Timestamp(0), &[one, two, empty(120)]).unwrap();
        assert_eq!((both.minutes, both.temperature, both.ahead_ms), (3, Some(84.7), Some(-1_234)));
        assert!((both.cpu.unwrap() - 0.2).abs() < 1e-9);
        assert_eq!(both.troubles, [Trouble::Disk, Trouble::Load, Trouble::Clock]);
        assert_eq!(Point::fold(Timestamp(0), &[]), None);
    }

    #[test]
    fn a_day_and_a_month_fit_into_the_blocks() {
        for (step, span) in [(Step::Minute, 86_400), (Step::Quarter, 30 * 86_400)] {
            assert_eq!(step.kept_secs(), span);
            let now = 1_795_000_123;
            let slots: std::collections::BTreeSet<i64> =
                (now - span..=now).step_by(60).map(|at| step.slot(Timestamp(at))).collect();
            assert_eq!(slots.len(), usize::try_from(step.blocks()).unwrap());
            assert_eq!(*slots.last().unwrap(), step.blocks() - 1);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_a_reason_to_fail(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
            for step in [Step::Minute, Step::Quarter] {
                let block = step.block(Timestamp(1_795_000_000));
                let points = Point::decode(step, block, &bytes);
                prop_assert!(points.iter().all(|p| step.block(p.at) == block));
                prop_assert!(points.windows(2).all(|pair| pair[0].at < pair[1].at));
            }
        }
    }
}
