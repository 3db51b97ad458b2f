//! Agents, their apps, scripts, logs, metadata and ports.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Time, shapes};

shapes! {
    /// An agent of a resource.
    pub struct Agent {
        pub id: Uuid,
        pub parent_id: Option<Uuid>,
        pub created_at: Time,
        pub updated_at: Time,
        pub first_connected_at: Option<Time>,
        pub last_connected_at: Option<Time>,
        pub disconnected_at: Option<Time>,
        pub started_at: Option<Time>,
        pub ready_at: Option<Time>,
        pub status: String,
        pub lifecycle_state: String,
        pub name: String,
        pub resource_id: Uuid,
        pub instance_id: String,
        pub architecture: String,
        pub environment_variables: BTreeMap<String, String>,
        pub operating_system: String,
        pub logs_length: i64,
        pub logs_overflowed: bool,
        pub directory: String,
        pub expanded_directory: String,
        pub version: String,
        pub api_version: String,
        pub apps: Vec<App>,
        pub latency: BTreeMap<String, RegionLatency>,
        pub connection_timeout_seconds: i64,
        pub troubleshooting_url: String,
        pub subsystems: Vec<String>,
        pub health: AgentHealth,
        pub display_apps: Vec<String>,
        pub log_sources: Vec<LogSource>,
        pub scripts: Vec<Script>,
        /// `blocking` or `non-blocking`.
        pub startup_script_behavior: String,
        /// No script is waited for; read by older clients.
        pub login_before_ready: bool,
    }

    /// How far a relay is from an agent.
    pub struct RegionLatency {
        pub preferred: bool,
        pub latency_ms: f64,
    }

    /// Whether an agent is well, and why not.
    pub struct AgentHealth {
        pub healthy: bool,
        pub reason: String,
    }

    /// An app.
    pub struct App {
        pub id: Uuid,
        pub url: String,
        pub external: bool,
        pub slug: String,
        pub display_name: String,
        pub command: String,
        pub icon: String,
        pub subdomain: bool,
        pub subdomain_name: String,
        pub sharing_level: String,
        pub healthcheck: AppHealthcheck,
        pub health: String,
        pub group: String,
        pub hidden: bool,
        pub open_in: String,
        pub tooltip: String,
        pub statuses: Vec<serde_json::Value>,
    }

    /// How an app is asked whether it is well.
    pub struct AppHealthcheck {
        pub url: String,
        pub interval: i64,
        pub threshold: i64,
    }

    /// A script of an agent; a timeout in seconds.
    pub struct Script {
        pub id: Uuid,
        pub log_source_id: Uuid,
        pub log_path: String,
        pub script: String,
        pub cron: String,
        pub run_on_start: bool,
        pub run_on_stop: bool,
        pub start_blocks_login: bool,
        pub timeout: i64,
        pub display_name: String,
    }

    /// Where lines of an agent's log come from.
    pub struct LogSource {
        pub workspace_agent_id: Uuid,
        pub id: Uuid,
        pub created_at: Time,
        pub display_name: String,
        pub icon: String,
    }

    /// A line of an agent's log. Followed over a WebSocket: a list of lines a message.
    pub struct AgentLog {
        pub id: i64,
        pub created_at: Time,
        pub output: String,
        pub level: String,
        pub source_id: Uuid,
    }

    /// A fact an agent finds out on an interval; the VS Code extension needs every field.
    pub struct AgentMetadata {
        pub result: MetadataResult,
        pub description: MetadataDescription,
    }

    /// What was found; the age in seconds.
    pub struct MetadataResult {
        pub collected_at: Time,
        pub age: i64,
        pub value: String,
        pub error: String,
    }

    /// How it is found; interval and timeout in seconds.
    pub struct MetadataDescription {
        pub display_name: String,
        pub key: String,
        pub script: String,
        pub interval: i64,
        pub timeout: i64,
    }

    /// `GET /workspaceagents/{agent}/listening-ports`.
    pub struct ListeningPorts {
        pub ports: Vec<ListeningPort>,
    }

    /// A port something listens on.
    pub struct ListeningPort {
        pub process_name: String,
        pub network: String,
        pub port: u16,
    }

    /// `GET /workspaceagents/{agent}/connection`. Relays are the server itself, so the map is empty.
    pub struct ConnectionInfo {
        pub derp_map: serde_json::Value,
        pub derp_force_websockets: bool,
        pub disable_direct_connections: bool,
        pub hostname_suffix: String,
    }

    /// `GET /workspaces/{workspace}/external-agent/{agent}/credentials`.
    pub struct ExternalAgentCredentials {
        pub command: String,
        pub agent_token: String,
    }
}
