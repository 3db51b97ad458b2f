//! The health of machines, as the API has it.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::coder::Time;

/// `GET /machines` and `GET /workspaces/{workspace}/machines`: the machines of running workspaces.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Machines {
    /// The first of them: who is lost, who needs care, and the rest, each by workspace and agent.
    pub machines: Vec<Machine>,
    /// Whether there are more than were looked at.
    pub more: bool,
}

/// A machine that an agent runs on.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Machine {
    /// Its workspace.
    pub workspace_id: Uuid,
    /// OWNER/NAME of that.
    pub workspace: String,
    /// Its agent.
    pub agent_id: Uuid,
    /// That agent's name.
    pub agent: String,
    /// The version of the agent's program.
    pub version: String,
    /// `ok`, `degraded` or `lost`; empty before anything was told.
    pub state: String,
    /// Since when.
    pub since: Option<Time>,
    /// What needs care; of a lost one, what did.
    pub troubles: Vec<Trouble>,
    /// When the figures were told.
    pub heard_at: Option<Time>,
    /// What was told last.
    pub figures: Option<Figures>,
}

/// `POST /workspaces/{workspace}/machines/{agent}/wake`: what was sent to wake a machine. Whether it
/// wakes is seen when its agent connects.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Waking {
    /// Its workspace.
    pub workspace_id: Uuid,
    /// Its agent's name.
    pub agent: String,
    /// The hardware addresses that were called.
    pub cards: Vec<String>,
    /// On which networks.
    pub networks: Vec<String>,
    /// How many machines there were told to send it.
    pub senders: usize,
    /// Whether the server sent it too.
    pub by_server: bool,
}

/// Something that needs care.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Trouble {
    /// `disk`, `inodes`, `memory`, `load`, `temperature`, `throttled`, `under_voltage` or `clock`.
    pub name: String,
    /// What is wrong.
    pub text: String,
    /// What to do about it.
    pub advice: String,
}

/// What a machine said of itself. What is not known is null.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
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
    /// Bytes of memory.
    pub memory_total: u64,
    /// Bytes in use on the disk of its home.
    pub disk_used: u64,
    /// Bytes of that disk.
    pub disk_total: u64,
    /// Inodes in use there.
    pub inodes_used: u64,
    /// Inodes there.
    pub inodes_total: u64,
    /// Its hottest sensor, in degrees Celsius.
    pub temperature: Option<f64>,
    /// Its supply is too weak.
    pub under_voltage: bool,
    /// It has slowed itself down.
    pub throttled: bool,
    /// Seconds since it started.
    pub uptime_s: Option<u64>,
    /// Milliseconds that its clock is ahead of the server's.
    pub clock_ahead_ms: Option<i64>,
    /// `local`, `direct` or `relay`.
    pub path: Option<String>,
    /// The round trip in milliseconds.
    pub latency_ms: Option<f64>,
}

/// `GET /workspaces/{workspace}/machines/history`: how machines were.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Histories {
    /// One a machine, by name.
    pub machines: Vec<History>,
}

/// How a machine was.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct History {
    /// The name of its agent.
    pub agent: String,
    /// Its last changes, the last one last; at most 32.
    pub changes: Vec<Change>,
    /// A day, a point a minute where it was heard.
    pub day: Vec<Point>,
    /// Thirty days, a point a quarter of an hour.
    pub month: Vec<Point>,
}

/// That its health changed.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Change {
    /// When.
    pub at: Time,
    /// Into what.
    pub state: String,
    /// What needed care then.
    pub troubles: Vec<String>,
}

/// A point of a history. Shares are 0 to 1; what is not known is null.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Point {
    /// When it begins.
    pub at: Time,
    /// Minutes in it in which the machine was heard.
    pub minutes: u8,
    /// The share of all cores in use.
    pub cpu: Option<f64>,
    /// What ran or waited to, for each core.
    pub load_per_core: Option<f64>,
    /// The share of its memory.
    pub memory: Option<f64>,
    /// The share of its disk.
    pub disk: Option<f64>,
    /// The share of that disk's inodes.
    pub inodes: Option<f64>,
    /// Degrees Celsius.
    pub temperature: Option<f64>,
    /// Milliseconds that its clock was ahead.
    pub clock_ahead_ms: Option<i64>,
    /// The round trip in milliseconds.
    pub latency_ms: Option<f64>,
    /// How it was reached.
    pub path: Option<String>,
    /// What needed care.
    pub troubles: Vec<String>,
}
