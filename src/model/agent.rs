//! Agents as they are now: connection, lifecycle, and the resources around them.

use super::app::{AppHealth, AppSpec};
use super::health::State;
use super::id::{AgentId, ResourceId, ScriptId};
use super::resource::{AgentSpec, ResourceMetadata};
use super::time::Timestamp;
use super::user::define_words;

define_words! {
    /// Whether an agent can be reached.
    ConnectionStatus {
        /// Was not there yet.
        Connecting = "connecting",
        /// Is there.
        Connected = "connected",
        /// Was there.
        Disconnected = "disconnected",
        /// Did not come in time.
        Timeout = "timeout",
    }
    /// How far an agent's scripts are, in Coder's words.
    Lifecycle {
        /// Not heard of.
        Created = "created",
        /// Start scripts run.
        Starting = "starting",
        /// A start script took too long.
        StartTimeout = "start_timeout",
        /// A start script failed.
        StartError = "start_error",
        /// Start scripts are done.
        Ready = "ready",
        /// Stop scripts run.
        ShuttingDown = "shutting_down",
        /// A stop script took too long.
        ShutdownTimeout = "shutdown_timeout",
        /// A stop script failed.
        ShutdownError = "shutdown_error",
        /// Stop scripts are done.
        Off = "off",
    }
}

/// How long an agent may be silent before it counts as gone. Three heartbeats of ten seconds.
pub const SILENCE: std::time::Duration = std::time::Duration::from_secs(30);

/// A resource of a build, with its agents as they are now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resource {
    /// Its id.
    pub id: ResourceId,
    /// When the build made it.
    pub created_at: Timestamp,
    /// `docker_container`.
    pub kind: String,
    /// `workspace`.
    pub name: String,
    /// Is not listed.
    pub hide: bool,
    /// URL or path of an icon; may be empty.
    pub icon: String,
    /// Credits a day.
    pub daily_cost: i64,
    /// What the template says about it.
    pub metadata: Vec<ResourceMetadata>,
    /// The agents inside it.
    pub agents: Vec<Agent>,
}

/// An agent: what was declared, and what was heard.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Agent {
    /// Its id.
    pub id: AgentId,
    /// What Terraform declared; its token is not filled in.
    pub spec: AgentSpec,
    /// When the build made it.
    pub created_at: Timestamp,
    /// When it first connected.
    pub first_connected_at: Option<Timestamp>,
    /// When it was last heard.
    pub last_connected_at: Option<Timestamp>,
    /// When it went away.
    pub disconnected_at: Option<Timestamp>,
    /// How far its scripts are.
    pub lifecycle: Lifecycle,
    /// When its start scripts began.
    pub started_at: Option<Timestamp>,
    /// When its start scripts ended.
    pub ready_at: Option<Timestamp>,
    /// The program's version; empty before it connected.
    pub version: String,
    /// The directory as the machine has it, `~` resolved; empty before it connected.
    pub expanded_directory: String,
    /// How its machine is; none before it told.
    pub health: Option<State>,
    /// The apps with what their health checks found.
    pub apps: Vec<App>,
}

/// An app: what was declared, and what its health check found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct App {
    /// What Terraform declared.
    pub spec: AppSpec,
    /// What was found.
    pub health: AppHealth,
}

impl Agent {
    /// Whether it can be reached at `now`.
    #[must_use]
    pub fn status(&self, now: Timestamp) -> ConnectionStatus {
        let timeout = std::time::Duration::from_secs(u64::from(self.spec.connection_timeout_s));
        match (self.last_connected_at, self.disconnected_at) {
            (None, _) if !timeout.is_zero() && now.since(self.created_at) > timeout => {
                ConnectionStatus::Timeout
            }
            (None, _) => ConnectionStatus::Connecting,
            (Some(last), Some(gone)) if gone >= last => ConnectionStatus::Disconnected,
            (Some(last), _) if now.since(last) > SILENCE => ConnectionStatus::Disconnected,
            (Some(_), _) => ConnectionStatus::Connected,
        }
    }

    /// Why it is not well at `now`; empty when it is.
    #[must_use]
    pub fn trouble(&self, now: Timestamp) -> &'static str {
        match (self.status(now), self.lifecycle) {
            (ConnectionStatus::Timeout, _) => "the agent did not connect in time",
            (ConnectionStatus::Disconnected, _) => "the agent is not connected",
            (_, Lifecycle::StartTimeout) => "a start script takes too long",
            (_, Lifecycle::StartError) => "a start script failed",
            (ConnectionStatus::Connecting, _) => "the agent has not connected yet",
            (ConnectionStatus::Connected, _) => "",
        }
    }
}

/// A second machine that came with the token of one that is here, and was refused: two cannot be one
/// agent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Clash {
    /// What the one that is here calls itself, and its address.
    pub here: String,
    /// The same of the other.
    pub other: String,
    /// When that came last.
    pub at: Timestamp,
}

/// A fact an agent found out.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MetadataValue {
    /// Which one.
    pub key: String,
    /// What the command printed, at most 2 KiB.
    pub value: String,
    /// Why it failed; empty otherwise.
    pub error: String,
    /// When it ran.
    pub collected_at: Timestamp,
}

/// A run of a script that ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScriptRun {
    /// Which script.
    pub script: ScriptId,
    /// `start`, `stop` or `cron`.
    pub stage: String,
    /// Milliseconds since the epoch.
    pub started_ms: i64,
    /// Milliseconds since the epoch.
    pub ended_ms: i64,
    /// The exit code; -1 when it was killed.
    pub exit_code: i32,
    /// Whether it took too long.
    pub timed_out: bool,
}

/// A line of an agent's log as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentLogLine {
    /// Grows with each line of the agent.
    pub id: i64,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// How loud.
    pub level: super::log::LogLevel,
    /// Where it comes from.
    pub source_id: super::id::LogSourceId,
    /// The text.
    pub output: String,
}
