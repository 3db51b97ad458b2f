//! What Terraform made for a build: resources, and the agents declared inside them.

use std::collections::BTreeMap;

use super::app::AppSpec;
use super::id::{AgentId, LogSourceId, ResourceId, ScriptId};

/// A resource as Terraform declared it, for one build or one import.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ResourceSpec {
    /// Made new for each build.
    pub id: ResourceId,
    /// Terraform's address without indices of modules' instances.
    pub address: String,
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
    /// `cx22`, where the provider says so; may be empty.
    pub instance_type: String,
    /// What the template says about it.
    pub metadata: Vec<ResourceMetadata>,
    /// The agents inside it.
    pub agents: Vec<AgentSpec>,
}

/// A fact about a resource (`coder_metadata`).
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ResourceMetadata {
    /// Its name.
    pub key: String,
    /// Its value; absent when null.
    pub value: Option<String>,
    /// Is hidden until asked for.
    pub sensitive: bool,
}

/// An agent as Terraform declared it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AgentSpec {
    /// Its id, from Terraform's state: the same in builds that keep the agent.
    pub id: AgentId,
    /// Its name, unique in the workspace.
    pub name: String,
    /// `linux`, `darwin`, `windows`.
    pub os: String,
    /// `amd64`, `arm64`, `armv7`.
    pub arch: String,
    /// Where sessions start; empty for the home directory.
    pub directory: String,
    /// Environment of sessions and scripts, `coder_env` merged in.
    pub env: BTreeMap<String, String>,
    /// The secret it connects with; empty for instance identity, and in imports.
    pub token: String,
    /// The cloud's id of the machine, for instance identity; empty otherwise.
    pub instance_id: String,
    /// Seconds until a silent agent counts as timed out.
    pub connection_timeout_s: u32,
    /// Where to read about troubles; may be empty.
    pub troubleshooting_url: String,
    /// A file shown at login; may be empty.
    pub motd_file: String,
    /// Which buttons the page shows.
    pub display_apps: DisplayApps,
    /// The place in the list.
    pub order: i64,
    /// `all` or `no_user_data`.
    pub api_key_scope: String,
    /// Someone else runs it (`coder_external_agent`).
    pub external: bool,
    /// What it exposes.
    pub apps: Vec<AppSpec>,
    /// What it runs.
    pub scripts: Vec<ScriptSpec>,
    /// What it reports on an interval.
    pub metadata: Vec<MetadataSpec>,
}

/// Which of the built-in ways in the page shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "five independent switches of the template's author"
)]
pub struct DisplayApps {
    /// VS Code.
    pub vscode: bool,
    /// VS Code Insiders.
    pub vscode_insiders: bool,
    /// The terminal page.
    pub web_terminal: bool,
    /// The SSH lines.
    pub ssh_helper: bool,
    /// The list of ports.
    pub port_forwarding_helper: bool,
}

impl Default for DisplayApps {
    fn default() -> Self {
        Self {
            vscode: true,
            vscode_insiders: false,
            web_terminal: true,
            ssh_helper: true,
            port_forwarding_helper: true,
        }
    }
}

/// Something an agent runs at start, at stop or on a schedule.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ScriptSpec {
    /// Made new for each build.
    pub id: ScriptId,
    /// Where its log lines are filed under.
    pub log_source_id: LogSourceId,
    /// The name shown.
    pub display_name: String,
    /// URL or path of an icon; may be empty.
    pub icon: String,
    /// The text, run by the user's shell.
    pub script: String,
    /// Where its output goes on the workspace's disk; may be empty.
    pub log_path: String,
    /// Six fields, seconds first; empty for none.
    pub cron: String,
    /// People wait for it.
    pub start_blocks_login: bool,
    /// Runs when the agent starts.
    pub run_on_start: bool,
    /// Runs before the agent stops.
    pub run_on_stop: bool,
    /// Seconds it may take; 0 for no limit.
    pub timeout_s: u32,
}

/// A fact that an agent finds out on an interval.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct MetadataSpec {
    /// Its name, unique in the agent.
    pub key: String,
    /// The name shown.
    pub display_name: String,
    /// The command whose output is the value.
    pub script: String,
    /// Seconds between two runs.
    pub interval_s: u32,
    /// Seconds a run may take.
    pub timeout_s: u32,
    /// The place in the list.
    pub order: i64,
}
