//! The control channel between agent and server: JSON texts on one WebSocket, whose binary
//! messages are relay frames of the overlay. `GET /api/v2/workspaceagents/me/rpc`.

use std::collections::BTreeMap;
use std::net::{Ipv6Addr, SocketAddr};

use crate::model::agent::{Lifecycle, MetadataValue};
use crate::model::app::{AppHealth, HealthCheck};
use crate::model::id::{
    AgentId, AppId, LogSourceId, ScriptId, SessionId, TerminalId, UserId, WorkspaceId,
};
use crate::model::log::LogLevel;
use crate::model::peer::{Peer, PeerKey};
use crate::model::resource::{MetadataSpec, ScriptSpec};
use crate::model::session::SessionKind;
use crate::model::waking::{Card, Interface};

use super::local::LocalWay;

/// The source of the agent's own log lines; no script has it.
pub const OWN_LOG_SOURCE: LogSourceId = LogSourceId(uuid::Uuid::nil());

/// What an agent says.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum FromAgent {
    /// The first message of a connection.
    Hello {
        /// [`super::PROTOCOL`].
        protocol: u32,
        /// The program's version.
        version: String,
        /// Its overlay key: made when the process starts, kept over reconnects.
        key: PeerKey,
        /// Where its UDP socket may be reached, as far as it knows.
        endpoints: Vec<SocketAddr>,
        /// The directory with `~` resolved, as far as it knows: the home directory before the
        /// first manifest.
        expanded_directory: String,
        /// `linux`.
        os: String,
        /// `amd64`.
        arch: String,
        /// Where it runs (`net::local::place`); empty when it cannot tell.
        #[serde(default)]
        place: String,
        /// Clients whose tunnels it carries on from an earlier connection.
        #[serde(default)]
        clients: Vec<HeldClient>,
        /// Whether it says when a terminal ended. Older ones do not.
        #[serde(default)]
        tells_terminal_ends: bool,
        /// It replaces its program when it is offered a newer one.
        #[serde(default)]
        updates: bool,
        /// The machine it runs on.
        #[serde(default)]
        machine: Machine,
    },
    /// Its endpoints changed.
    Endpoints {
        /// The new ones.
        endpoints: Vec<SocketAddr>,
    },
    /// The manifest's directory with `~` resolved, when the hello said another one.
    Directory {
        /// The path on its machine.
        expanded: String,
    },
    /// It is alive. Every ten seconds, when nothing else is said.
    Heartbeat,
    /// How far its scripts are.
    Lifecycle {
        /// The state.
        state: Lifecycle,
        /// Milliseconds since the epoch.
        at_ms: i64,
    },
    /// Log lines; kept by the agent until acknowledged.
    Logs {
        /// Grows with each batch over the life of the agent's process, which its key names; what
        /// the acknowledgement names. A batch may come again on a later connection.
        seq: u64,
        /// At most 1,000.
        lines: Vec<AgentLine>,
    },
    /// What metadata commands printed.
    Metadata {
        /// One a key.
        values: Vec<MetadataValue>,
    },
    /// What health checks found.
    AppHealth {
        /// By app.
        apps: BTreeMap<AppId, AppHealth>,
    },
    /// A script ended.
    ScriptDone {
        /// Which.
        script: ScriptId,
        /// `start`, `stop` or `cron`.
        stage: String,
        /// Milliseconds since the epoch.
        started_ms: i64,
        /// Milliseconds since the epoch.
        ended_ms: i64,
        /// The exit code; -1 when it was killed.
        exit_code: i32,
        /// Whether it took too long.
        timed_out: bool,
    },
    /// Load of the machine and what is in use, every 30 seconds.
    Stats {
        /// The figures.
        stats: Stats,
    },
    /// Ports that something listens on, when they change.
    Ports {
        /// At most 256.
        ports: Vec<ListeningPort>,
    },
    /// A session of a peer began that did not come through the server.
    SessionBegan {
        /// Its id, chosen by the peer.
        session: SessionId,
        /// Whose tunnel it came by.
        peer: PeerKey,
        /// Through what.
        kind: SessionKind,
    },
    /// Such a session ended.
    SessionEnded {
        /// Which.
        session: SessionId,
        /// Bytes to the person.
        bytes_out: u64,
        /// Bytes from the person.
        bytes_in: u64,
    },
    /// What ran in a terminal has ended.
    TerminalEnded {
        /// Which.
        terminal: TerminalId,
    },
}

/// The machine that an agent runs on.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Machine {
    /// What it calls itself.
    pub name: String,
    /// The same for each start of it, and another for a machine with a copy of its disk. Empty when
    /// it cannot tell.
    pub print: String,
    /// The hardware addresses of its network cards, `dc:a6:32:00:00:01`, so that it can be woken. Older
    /// agents do not tell them, nor do those on other systems than Linux and macOS.
    #[serde(default)]
    pub cards: Vec<String>,
    /// Its addresses on the networks of those, `192.168.1.20/24`. Who tells them wakes others there when
    /// it is told to.
    #[serde(default)]
    pub interfaces: Vec<String>,
}

/// A client that an agent carries on while its connection is made again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct HeldClient {
    /// Its key.
    pub key: PeerKey,
    /// On whose behalf it talks.
    pub user: UserId,
}

/// A log line on its way.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AgentLine {
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// How loud.
    pub level: LogLevel,
    /// Where it comes from.
    pub source: LogSourceId,
    /// The text.
    pub output: String,
}

/// Load of the agent's machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Stats {
    /// Share of all cores in use, 0 to 1.
    pub cpu: f64,
    /// Cores it may use.
    pub cores: f64,
    /// Bytes of memory in use.
    pub memory_used: u64,
    /// Bytes of memory it may use.
    pub memory_total: u64,
    /// Bytes in use on the disk of the home directory.
    pub disk_used: u64,
    /// Bytes of that disk.
    pub disk_total: u64,
    /// Inodes in use on that disk.
    #[serde(default)]
    pub inodes_used: u64,
    /// Inodes of that disk; 0 where it has no fixed number of them.
    #[serde(default)]
    pub inodes_total: u64,
    /// Programs that ran or waited to, as a mean of the last minute; none in a container.
    #[serde(default)]
    pub load: Option<f64>,
    /// The sensor that is nearest to its mark, in degrees Celsius; none in a container.
    #[serde(default)]
    pub temperature: Option<f64>,
    /// Its supply voltage is too low now.
    #[serde(default)]
    pub under_voltage: bool,
    /// From which temperature on that sensor's part slows down or fails; not told by older agents, and
    /// where the sensor does not say.
    #[serde(default)]
    pub temperature_mark: Option<f64>,
    /// It has slowed itself down now.
    #[serde(default)]
    pub throttled: bool,
    /// Seconds since the machine started; 0 when it cannot tell.
    #[serde(default)]
    pub uptime_s: u64,
    /// What its clock says as this is sent, in milliseconds since the epoch; 0 of older agents.
    #[serde(default)]
    pub clock_ms: i64,
    /// Sessions now.
    pub sessions: u32,
    /// Bytes received since the last report.
    pub rx_bytes: u64,
    /// Bytes sent since the last report.
    pub tx_bytes: u64,
}

/// A port that something listens on.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ListeningPort {
    /// The port.
    pub port: u16,
    /// The program; empty when not known.
    pub process: String,
}

/// A program that is newer than an agent's.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Update {
    /// Its version.
    pub version: String,
    /// Its path on the server, `/bin/steading-linux-armv7`.
    pub path: String,
    /// How many bytes it is.
    pub bytes: u64,
    /// Its SHA-256, in hex.
    pub sha256: String,
}

/// What the server says to an agent.
#[derive(Clone, Debug, PartialEq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ToAgent {
    /// What the agent is to do; the answer to its hello.
    Manifest {
        /// All of it.
        manifest: Box<Manifest>,
    },
    /// Peers it may talk to from now on, or that changed.
    Peers {
        /// Each whole.
        peers: Vec<Peer>,
    },
    /// A peer it may not talk to any more: everything of it is cut at once.
    RemovePeer {
        /// Which.
        key: PeerKey,
    },
    /// A session to end at once.
    CutSession {
        /// Which.
        session: SessionId,
    },
    /// A terminal to end at once, with what runs in it.
    EndTerminal {
        /// Which.
        terminal: TerminalId,
    },
    /// Log batches up to this one are stored.
    LogsStored {
        /// The last batch.
        seq: u64,
    },
    /// The agent may not connect: its workspace was stopped or its token replaced. It asks again
    /// only once a minute: it cannot know whether someone will change their mind.
    Refused {
        /// Why.
        why: String,
    },
    /// Something that who looks after its machine should know, for its log.
    Told {
        /// The text.
        text: String,
    },
    /// It runs on the server's machine: how it keeps a spare connection there, on which the server
    /// opens what it would open on the overlay.
    Local {
        /// Where.
        way: LocalWay,
    },
    /// The server has a newer program for it.
    Update {
        /// Which.
        update: Update,
    },
    /// A machine on one of its networks sleeps: it sends there what wakes these cards, and nothing else.
    Wake {
        /// The network cards; at most eight.
        cards: Vec<Card>,
        /// An address of its own on the network.
        on: Interface,
    },
    /// The workspace is being stopped: run the stop scripts, then report `off`.
    Shutdown,
}

/// What an agent is and is to do.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Manifest {
    /// Its id.
    pub agent_id: AgentId,
    /// Its name.
    pub agent_name: String,
    /// Its workspace.
    pub workspace_id: WorkspaceId,
    /// That workspace's name.
    pub workspace_name: String,
    /// Whose it is.
    pub owner_name: String,
    /// Their full name; may be empty. For Git.
    pub owner_full_name: String,
    /// Their e-mail address; may be empty. For Git.
    pub owner_email: String,
    /// Where the server is reached.
    pub access_url: String,
    /// Environment of sessions and scripts.
    pub env: BTreeMap<String, String>,
    /// Where sessions start; empty for the home directory.
    pub directory: String,
    /// A file shown at login; may be empty.
    pub motd_file: String,
    /// What it runs.
    pub scripts: Vec<ScriptSpec>,
    /// What it reports.
    pub metadata: Vec<MetadataSpec>,
    /// What it asks whether it is well.
    pub apps: Vec<AppCheck>,
    /// The start scripts of this build ran already (in an earlier life of the agent).
    pub scripts_done: bool,
    /// The address it has on the overlay.
    pub address: Ipv6Addr,
    /// Peers it may talk to; the server is among them.
    pub peers: Vec<Peer>,
}

/// An app to be asked whether it is well.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct AppCheck {
    /// Which.
    pub id: AppId,
    /// How.
    pub healthcheck: HealthCheck,
}
