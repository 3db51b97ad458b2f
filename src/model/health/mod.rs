//! The health of machines that agents run on: figures, and what follows from them.

pub mod judge;
pub mod said;
pub mod series;

use super::id::AgentId;
use super::time::Timestamp;
use super::user::define_words;

use judge::Verdict;
use series::Point;

define_words! {
    /// How a machine is.
    State {
        /// As it should be.
        Ok = "ok",
        /// Something about it needs care.
        Degraded = "degraded",
        /// Nothing was heard of it for too long.
        Lost = "lost",
    }
    /// What needs care.
    Trouble {
        /// The disk of its home is almost full.
        Disk = "disk",
        /// That disk can hold hardly any more files.
        Inodes = "inodes",
        /// Its memory is almost used up.
        Memory = "memory",
        /// More wants to run than it has cores for.
        Load = "load",
        /// It is too hot.
        Temperature = "temperature",
        /// It has slowed itself down.
        Throttled = "throttled",
        /// Its supply is too weak.
        UnderVoltage = "under_voltage",
        /// Its clock is off.
        Clock = "clock",
    }
    /// How a machine is reached from the server.
    Path {
        /// It is the server's own.
        Local = "local",
        /// By a socket of its own.
        Direct = "direct",
        /// Through the server's relay.
        Relay = "relay",
    }
}

/// What a machine said of itself at one time, and what was seen of it then.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub struct Figures {
    /// The share of all cores in use, 0 to 1.
    pub cpu: f64,
    /// Cores it may use.
    pub cores: f64,
    /// Programs that ran or waited to, as a mean of a minute.
    pub load: Option<f64>,
    /// Bytes of memory in use.
    pub memory_used: u64,
    /// Bytes of memory it may use; 0 when not known.
    pub memory_total: u64,
    /// Bytes in use on the disk of its home.
    pub disk_used: u64,
    /// Bytes of that disk; 0 when not known.
    pub disk_total: u64,
    /// Inodes in use there.
    pub inodes_used: u64,
    /// Inodes there; 0 where there is no fixed number of them.
    pub inodes_total: u64,
    /// The sensor that is nearest to its mark, in degrees Celsius.
    pub temperature: Option<f64>,
    /// That mark; none where it is that of small boards.
    pub temperature_mark: Option<f64>,
    /// Its supply voltage is too low.
    pub under_voltage: bool,
    /// It has slowed itself down.
    pub throttled: bool,
    /// Seconds since it started; none when it cannot tell.
    pub uptime_s: Option<u64>,
    /// Milliseconds by which its clock is ahead of the server's.
    pub ahead_ms: Option<i64>,
    /// How it is reached.
    pub path: Option<Path>,
    /// The round trip to it, in milliseconds.
    pub latency_ms: Option<f64>,
}

impl Figures {
    /// The share of its memory that is in use.
    #[must_use]
    pub fn memory(&self) -> Option<f64> {
        share(self.memory_used, self.memory_total)
    }

    /// The share of its disk that is in use.
    #[must_use]
    pub fn disk(&self) -> Option<f64> {
        share(self.disk_used, self.disk_total)
    }

    /// The share of that disk's inodes that are in use.
    #[must_use]
    pub fn inodes(&self) -> Option<f64> {
        share(self.inodes_used, self.inodes_total)
    }

    /// What runs or waits to, for each core.
    #[must_use]
    pub fn load_a_core(&self) -> Option<f64> {
        self.load.filter(|_| self.cores > 0.0).map(|load| load / self.cores)
    }
}

/// A part of a whole, 0 to 1; none of nothing.
#[expect(clippy::cast_precision_loss, reason = "nobody has 8 PiB to the byte")]
#[must_use]
pub fn share(used: u64, total: u64) -> Option<f64> {
    (total > 0).then(|| (used as f64 / total as f64).clamp(0.0, 1.0))
}

/// That a machine's health changed.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// Into what.
    pub state: State,
    /// What needed care then.
    pub troubles: Vec<Trouble>,
}

/// Changes that are kept of a machine: a page of them.
pub const MAX_CHANGES: usize = 32;

/// The health of a machine as it is kept. It stays with the name of the agent in its workspace: each
/// build has other agents, and a machine that someone else runs stays the same one.
#[derive(Clone, Debug, PartialEq)]
pub struct Health {
    /// The agent's name.
    pub name: String,
    /// The agent that told of it last.
    pub agent: AgentId,
    /// What follows from it.
    pub verdict: Verdict,
    /// Since when its state is this one.
    pub since: Timestamp,
    /// What was told last.
    pub figures: Option<Figures>,
    /// When that was.
    pub heard_at: Timestamp,
    /// The minute of the last point of its history.
    pub point_at: Option<Timestamp>,
    /// At most [`MAX_CHANGES`], the last one last.
    pub changes: Vec<Change>,
}

/// A machine with how it was.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// How it is.
    pub health: Health,
    /// The points of the last day, a minute apart where it was heard.
    pub day: Vec<Point>,
    /// The points of the last thirty days, a quarter of an hour apart; none when they were not asked for.
    pub month: Vec<Point>,
}

impl Health {
    /// Of a machine that nothing was heard of.
    #[must_use]
    pub fn unheard(name: &str, agent: AgentId, now: Timestamp) -> Self {
        Self {
            name: name.to_owned(),
            agent,
            verdict: Verdict::default(),
            since: now,
            figures: None,
            heard_at: now,
            point_at: None,
            changes: vec![],
        }
    }

    /// Takes a verdict. Whether something changed that people are to know.
    pub fn take(&mut self, verdict: Verdict, now: Timestamp) -> bool {
        let (old, new) = (self.verdict.state(), verdict.state());
        let is_news = old != new || self.verdict.troubles != verdict.troubles;
        if is_news && !judge::may_change(&self.changes, now) {
            return false;
        }
        if old != new {
            self.since = now;
        }
        if is_news {
            let troubles = verdict.troubles.iter().copied().collect();
            self.changes.push(Change { at: now, state: new, troubles });
            let more = self.changes.len().saturating_sub(MAX_CHANGES);
            self.changes.drain(..more);
        }
        self.verdict = verdict;
        is_news
    }
}
