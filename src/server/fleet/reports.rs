//! What agents report, handed to the use cases; and the manifest they are answered with.

use std::net::Ipv6Addr;

use super::faults::Faults;
use super::{Fleet, limits, lock};
use crate::model::agent::{AgentLogLine, ScriptRun};
use crate::model::id::{AgentId, SessionId, WorkspaceId};
use crate::model::peer::{Peer, PeerKey};
use crate::model::session::{EndReason, NewSession, SessionKind};
use crate::model::user::UserRef;
use crate::server::app::Result;
use crate::server::app::agents::AgentBrief;
use crate::wire::agent::{AgentLine, AppCheck, FromAgent, Manifest, ToAgent};

/// Most sessions at once that an agent may name of those that did not come through the server:
/// far more than people have open at one workspace.
const MAX_PEER_SESSIONS: usize = 1024;

impl Fleet {
    /// Stores a report. Returns what the agent is told back.
    pub(super) async fn report(
        &self,
        agent: AgentId,
        key: PeerKey,
        message: FromAgent,
        faults: &mut Faults,
    ) -> Result<Option<ToAgent>> {
        let app = &self.0.app;
        match limits::within(message, self.0.clock.now_ms(), faults) {
            FromAgent::Hello { .. } => faults.note("a second hello"),
            FromAgent::Endpoints { endpoints } => self.move_agent(agent, key, &endpoints),
            FromAgent::Directory { expanded } => app.agent_directory(agent, &expanded).await?,
            FromAgent::Heartbeat => self.heard(agent, None),
            FromAgent::Stats { stats } => self.take_stats(agent, &stats),
            FromAgent::Lifecycle { state, at_ms } => {
                app.agent_lifecycle(agent, state, at_ms).await?;
            }
            FromAgent::Logs { seq, lines } => {
                let lines = lines.into_iter().map(line).collect();
                let seq = app.agent_logs(agent, (key.to_string(), seq), lines).await?;
                return Ok(Some(ToAgent::LogsStored { seq }));
            }
            FromAgent::Metadata { values } => {
                if app.put_agent_metadata(agent, values).await? > 0 {
                    faults.note("metadata that its template does not name");
                }
            }
            FromAgent::AppHealth { apps } => {
                if app.agent_apps(agent, apps).await? > 0 {
                    faults.note("the health of apps that are not its own");
                }
            }
            FromAgent::ScriptDone { script, stage, started_ms, ended_ms, exit_code, timed_out } => {
                let run = ScriptRun { script, stage, started_ms, ended_ms, exit_code, timed_out };
                app.agent_script_done(agent, run).await?;
            }
            FromAgent::Ports { ports } => {
                if let Some(socket) = lock(&self.0.agents).get_mut(&agent) {
                    socket.ports = ports;
                }
            }
            FromAgent::SessionBegan { session, peer, kind } => {
                if !self.peer_session_began(agent, session, peer, kind) {
                    faults.note("a session that is not its own to name");
                }
            }
            FromAgent::SessionEnded { session, bytes_out, bytes_in } => {
                self.peer_session_ended(agent, session, (bytes_out, bytes_in)).await;
            }
            FromAgent::TerminalEnded { terminal } => self.terminal_ended((agent, terminal)),
        }
        Ok(None)
    }

    fn move_agent(&self, agent: AgentId, key: PeerKey, endpoints: &[std::net::SocketAddr]) {
        if let Some(socket) = lock(&self.0.agents).get_mut(&agent) {
            endpoints.clone_into(&mut socket.endpoints);
        }
        let peer = self.agent_peer(agent, key, endpoints);
        self.0.overlay.set_peer(&peer);
        self.agent_moved(agent, &peer);
    }

    /// A session that came by a client's own tunnel: the agent says so, the coordination says who.
    /// Whether that can be.
    fn peer_session_began(
        &self,
        agent: AgentId,
        session: SessionId,
        peer: PeerKey,
        kind: SessionKind,
    ) -> bool {
        // Told again after the agent's connection was made again; or another's.
        if let Some(known) = self.0.register.find(session) {
            return known.agent == agent;
        }
        if self.0.register.pick(|live| live.agent == agent).len() >= MAX_PEER_SESSIONS {
            return false;
        }
        let Some((user, shown)) = self.client_user(&peer, agent) else {
            return false;
        };
        let Some(workspace) = self.workspace_of(agent) else { return false };
        let new = NewSession {
            shown,
            // Who has to be recorded gets no tunnel.
            is_recorded: false,
            user_id: user.id,
            workspace_id: workspace,
            agent_id: agent,
            kind,
            address: shown.ip.map(|ip| ip.to_string()).unwrap_or_default(),
            client: "steading".to_owned(),
        };
        self.begin(session, new);
        true
    }

    async fn peer_session_ended(&self, agent: AgentId, session: SessionId, bytes: (u64, u64)) {
        let Some(live) = self.0.register.find(session).filter(|l| l.agent == agent) else { return };
        live.sent(usize::try_from(bytes.0).unwrap_or(usize::MAX));
        live.received(usize::try_from(bytes.1).unwrap_or(usize::MAX));
        self.end(session, EndReason::Closed).await;
    }

    /// Ends what a client that went away had open, when the agent did not say so first.
    pub(super) async fn end_peer_sessions(&self, agent: AgentId, user: &UserRef, key: PeerKey) {
        tracing::debug!(agent.id = %agent, peer = %key, "a client left");
        let own = |l: &super::register::Live| {
            l.agent == agent && l.user == user.id && l.kind == SessionKind::Tunnel
        };
        for live in self.0.register.pick(own) {
            self.end(live.id, EndReason::Lost).await;
        }
    }

    fn workspace_of(&self, agent: AgentId) -> Option<WorkspaceId> {
        lock(&self.0.agents).get(&agent).map(|s| s.workspace)
    }
}

/// The manifest of an agent that may connect.
pub(super) fn manifest(
    brief: AgentBrief,
    access_url: &str,
    address: Ipv6Addr,
    peers: Vec<Peer>,
) -> Manifest {
    let AgentBrief { agent, workspace, owner, scripts_done } = brief;
    let checks = agent.apps.into_iter().filter_map(|app| {
        let healthcheck = app.spec.healthcheck?;
        Some(AppCheck { id: app.spec.id, healthcheck })
    });
    Manifest {
        agent_id: agent.id,
        agent_name: agent.spec.name,
        workspace_id: workspace.id,
        workspace_name: workspace.name.to_string(),
        owner_name: owner.username.to_string(),
        owner_full_name: owner.name,
        owner_email: owner.email,
        access_url: access_url.to_owned(),
        env: agent.spec.env,
        directory: agent.spec.directory,
        motd_file: agent.spec.motd_file,
        scripts: agent.spec.scripts,
        metadata: agent.spec.metadata,
        apps: checks.collect(),
        scripts_done,
        address,
        peers,
    }
}

/// A log line as it is stored; its id is given then.
fn line(line: AgentLine) -> AgentLogLine {
    AgentLogLine {
        id: 0,
        at_ms: line.at_ms,
        level: line.level,
        source_id: line.source,
        output: line.output,
    }
}
