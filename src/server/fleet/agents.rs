//! The control channel of one agent: its hello, its manifest, then reports and relay frames.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::clients::ClientSocket;
use super::clones::Seat;
use super::faults::Faults;
use super::hello::Hello;
use super::limits;
use super::socket::{Control, Message, Socket};
use super::{Fleet, lock};
use crate::model::agent::{Clash, SILENCE};
use crate::model::id::{AgentId, UserId, WorkspaceId};
use crate::model::peer::{Peer, PeerKey, PeerKind};
use crate::model::session::Shown;
use crate::wire::agent::{FromAgent, HeldClient, ListeningPort, Manifest, ToAgent};

/// Most clients that are taken over from an agent's hello: more than people at one workspace. Those
/// beyond end with the agent's own grace.
const MAX_HELD: usize = 256;

/// A connected agent.
pub(super) struct AgentSocket {
    pub(super) key: PeerKey,
    pub(super) workspace: WorkspaceId,
    pub(super) endpoints: Vec<SocketAddr>,
    pub(super) control: Control,
    /// What something listens on there, as it said last.
    pub(super) ports: Vec<ListeningPort>,
    /// Clients that it carries on from an earlier connection. They may never come to this server,
    /// and their rights are watched all the same.
    held: Vec<HeldClient>,
    tells_terminal_ends: bool,
    /// The machine it runs on.
    pub(super) seat: Seat,
    /// Another machine that came with its token.
    pub(super) clash: Option<Clash>,
    /// Machines that came with its token and that it was told of.
    pub(super) told_of: BTreeSet<String>,
    /// Ends this socket: another one of the agent came, or it may not be here any more.
    pub(super) end: CancellationToken,
}

impl Fleet {
    /// Serves an agent's socket until it ends. The agent's token was checked already.
    pub async fn serve_agent(
        &self,
        agent: AgentId,
        workspace: WorkspaceId,
        address: IpAddr,
        mut socket: Socket,
    ) {
        let hello = Hello::read(&mut socket).await;
        let mut faults = Faults::of(agent);
        let Some(hello) = hello else {
            return faults.note("no hello of this version came first");
        };
        let hello = hello.within(&mut faults);
        // Asked again at the entry, where nobody comes in between; here before anything is written.
        if self.is_anothers_key(&hello.key, workspace) {
            return refuse_key(&socket, &mut faults);
        }
        let mut seat = Seat { machine: hello.machine.clone(), address, spot: None };
        if let Some(why) = self.clash((agent, hello.key), &seat).await {
            socket.control.say(&ToAgent::Refused { why });
            return;
        }
        let (manifest, is_external) = match self.manifest(agent, &hello).await {
            Ok(found) => found,
            Err(error) => {
                let why = error.to_string();
                tracing::info!(agent.id = %agent, why, "an agent was refused");
                socket.control.say(&ToAgent::Refused { why });
                return;
            }
        };
        seat.spot = is_external.then(|| limits::spot(&hello.machine, address));
        self.keep_spot(agent, &seat).await;
        let Some(end) = self.enter_agent((agent, workspace), &hello, seat, socket.control.clone())
        else {
            return refuse_key(&socket, &mut faults);
        };
        let bell = self.0.relay.connect(hello.key);
        let manifest = Box::new(manifest);
        let local = self.0.local.offer((agent, hello.key), &hello.place, &self.0.entropy);
        let told = socket.control.say(&ToAgent::Manifest { manifest })
            && local.is_none_or(|way| socket.control.say(&ToAgent::Local { way }));
        if told {
            tracing::info!(agent.id = %agent, version = hello.version, "an agent connected");
            self.tell_clients(agent, &hello);
            self.changed();
            if is_external {
                self.offer_update((hello.updates, &hello.version), &socket.control).await;
            }
            self.pump_agent((agent, hello.key), &mut socket, (&bell, &end), faults).await;
        }
        self.0.relay.disconnect(&hello.key, &bell);
        self.leave_agent(agent, &end).await;
    }

    /// What it is to do, and whether it is an external one.
    async fn manifest(
        &self,
        agent: AgentId,
        hello: &Hello,
    ) -> super::super::app::Result<(Manifest, bool)> {
        let app = &self.0.app;
        app.agent_connected(agent, &hello.version, &hello.directory).await?;
        let brief = app.agent_brief(agent).await?;
        let mut peers = vec![self.server_peer()];
        peers.extend(self.client_peers(agent));
        let (is_external, url) = (brief.agent.spec.external, &app.policy.access_url);
        let manifest = super::reports::manifest(brief, url, self.0.prefix.agent(agent), peers);
        Ok((manifest, is_external))
    }

    fn enter_agent(
        &self,
        (agent, workspace): (AgentId, WorkspaceId),
        hello: &Hello,
        seat: Seat,
        control: Control,
    ) -> Option<CancellationToken> {
        let end = CancellationToken::new();
        let socket = AgentSocket {
            key: hello.key,
            workspace,
            endpoints: hello.endpoints.clone(),
            control,
            ports: Vec::new(),
            held: hello.clients.iter().take(MAX_HELD).copied().collect(),
            tells_terminal_ends: hello.tells_terminal_ends,
            seat,
            clash: None,
            told_of: BTreeSet::new(),
            end: end.clone(),
        };
        // Both locks: nobody else takes the key between the look and the entry.
        let clients = lock(&self.0.clients);
        let mut agents = lock(&self.0.agents);
        if self.is_taken(&hello.key, workspace, &clients, &agents) {
            return None;
        }
        let before = agents.insert(agent, socket);
        drop((clients, agents));
        if let Some(before) = before {
            if before.key != hello.key {
                // Where it still runs it waits a minute, and does not take the place back at once.
                let why = "another agent began with this token on this machine".to_owned();
                before.control.say(&ToAgent::Refused { why });
                self.0.overlay.remove_peer(&before.key);
                // Its terminals ended with the process.
                self.forget_terminals(agent);
            }
            before.end.cancel();
        }
        self.0.overlay.set_peer(&self.agent_peer(agent, hello.key, &hello.endpoints));
        Some(end)
    }

    /// What others are told about an agent.
    pub(super) fn agent_peer(
        &self,
        agent: AgentId,
        key: PeerKey,
        endpoints: &[SocketAddr],
    ) -> Peer {
        Peer {
            key,
            kind: PeerKind::Agent,
            address: self.0.prefix.agent(agent),
            endpoints: endpoints.to_vec(),
            user: None,
        }
    }

    /// Whether the key is the server's, a client's, or that of an agent of another workspace. Who
    /// takes another's key would be told what is the other's, and cut it off.
    pub(super) fn is_anothers_key(&self, key: &PeerKey, workspace: WorkspaceId) -> bool {
        let clients = lock(&self.0.clients);
        self.is_taken(key, workspace, &clients, &lock(&self.0.agents))
    }

    fn is_taken(
        &self,
        key: &PeerKey,
        workspace: WorkspaceId,
        clients: &BTreeMap<PeerKey, ClientSocket>,
        agents: &BTreeMap<AgentId, AgentSocket>,
    ) -> bool {
        let is_other = |socket: &AgentSocket| socket.key == *key && socket.workspace != workspace;
        *key == self.0.overlay.key() || clients.contains_key(key) || agents.values().any(is_other)
    }

    /// Whether an agent has this key.
    pub(super) fn is_agents_key(&self, key: &PeerKey) -> bool {
        lock(&self.0.agents).values().any(|socket| socket.key == *key)
    }

    async fn pump_agent(
        &self,
        (agent, key): (AgentId, PeerKey),
        socket: &mut Socket,
        (bell, end): (&Arc<Notify>, &CancellationToken),
        mut faults: Faults,
    ) {
        loop {
            tokio::select! {
                () = end.cancelled() => return,
                () = socket.control.stuck() => return,
                arrived = tokio::time::timeout(SILENCE, socket.incoming.recv()) => match arrived {
                    Ok(Some(Message::Binary(frame))) => self.0.relay.push(&key, frame),
                    Ok(Some(Message::Text(text))) => {
                        if !self.hear((agent, key), &text, &socket.control, &mut faults).await {
                            return;
                        }
                    }
                    Ok(Some(Message::Close { .. }) | None) | Err(_) => return,
                },
                () = bell.notified() => {
                    while let Some(frame) = self.0.relay.pop(&key) {
                        if !socket.forward(frame, end).await {
                            return;
                        }
                    }
                }
            }
        }
    }

    /// One control message of an agent. Returns whether the socket goes on.
    async fn hear(
        &self,
        (agent, key): (AgentId, PeerKey),
        text: &str,
        control: &Control,
        faults: &mut Faults,
    ) -> bool {
        let Ok(message) = serde_json::from_str::<FromAgent>(text) else {
            faults.note("something that this version does not know");
            return true;
        };
        match self.report(agent, key, message, faults).await {
            Ok(None) => true,
            Ok(Some(answer)) => control.say(&answer),
            Err(error) => {
                faults.note(&format!("not stored: {error}"));
                // The agent keeps what was not acknowledged and sends it again.
                !matches!(error, super::super::app::Error::NotFound(_))
            }
        }
    }

    async fn leave_agent(&self, agent: AgentId, end: &CancellationToken) {
        // A newer socket of the same agent cancelled this one and stays.
        if end.is_cancelled() {
            return;
        }
        end.cancel();
        let gone = {
            let mut agents = lock(&self.0.agents);
            match agents.get(&agent) {
                Some(socket) if socket.end.is_cancelled() => agents.remove(&agent),
                Some(_) | None => None,
            }
        };
        if let Some(gone) = gone {
            self.0.local.rest(agent, gone.key);
            self.forget_terminals(agent);
            tracing::info!(agent.id = %agent, "an agent's control connection ended");
            self.changed();
            self.miss(agent);
            if let Err(error) = self.0.app.agent_disconnected(agent).await {
                tracing::warn!(agent.id = %agent, %error, "that an agent left was not stored");
            }
        }
    }

    /// Ends an agent that may not be here any more: its workspace was stopped or rebuilt.
    pub(super) fn dismiss_agent(&self, agent: AgentId, why: &str) {
        self.0.local.dismiss(agent);
        let Some(socket) = lock(&self.0.agents).remove(&agent) else { return };
        socket.control.say(&ToAgent::Refused { why: why.to_owned() });
        socket.end.cancel();
        self.0.overlay.remove_peer(&socket.key);
        self.forget_terminals(agent);
        self.changed();
    }

    /// Whom agents carry on, and in which workspace.
    pub(super) fn held_rights(&self) -> Vec<(UserId, WorkspaceId, Shown)> {
        let agents = lock(&self.0.agents);
        let held = agents.values().flat_map(|s| s.held.iter().map(|h| (h.user, s.workspace)));
        // What they had shown is not known after a restart.
        held.map(|(user, workspace)| (user, workspace, Shown::default())).collect()
    }

    /// Has a workspace's agents end what they carry on for a user.
    pub(super) fn cut_held(&self, user: UserId, workspace: WorkspaceId) {
        let mut agents = lock(&self.0.agents);
        for socket in agents.values_mut().filter(|socket| socket.workspace == workspace) {
            for held in socket.held.extract_if(.., |held| held.user == user) {
                socket.control.say(&ToAgent::RemovePeer { key: held.key });
            }
        }
    }

    /// Tells an agent something, if it is connected.
    pub(super) fn tell_agent(&self, agent: AgentId, message: &ToAgent) {
        if let Some(socket) = lock(&self.0.agents).get(&agent) {
            socket.control.say(message);
        }
    }

    /// The connected agents.
    pub(super) fn connected_agents(&self) -> Vec<(AgentId, WorkspaceId)> {
        lock(&self.0.agents).iter().map(|(id, s)| (*id, s.workspace)).collect()
    }

    /// The overlay key of a connected agent.
    pub(super) fn agent_key(&self, agent: AgentId) -> Option<PeerKey> {
        lock(&self.0.agents).get(&agent).map(|s| s.key)
    }

    /// Whether an agent says when a terminal ended; an older one does not.
    pub(super) fn tells_terminal_ends(&self, agent: AgentId) -> bool {
        lock(&self.0.agents).get(&agent).is_some_and(|s| s.tells_terminal_ends)
    }

    /// Whether an agent's control connection is here.
    #[must_use]
    pub fn is_connected(&self, agent: AgentId) -> bool {
        lock(&self.0.agents).contains_key(&agent)
    }

    /// The ports that something listens on at an agent; none when it is not connected.
    #[must_use]
    pub fn listening_ports(&self, agent: AgentId) -> Vec<ListeningPort> {
        lock(&self.0.agents).get(&agent).map(|s| s.ports.clone()).unwrap_or_default()
    }

    fn tell_clients(&self, agent: AgentId, hello: &Hello) {
        let peer = self.agent_peer(agent, hello.key, &hello.endpoints);
        self.agent_moved(agent, &peer);
    }
}

fn refuse_key(socket: &Socket, faults: &mut Faults) {
    faults.note("a key that is another's");
    let why = "this key is another's; start the agent again".to_owned();
    socket.control.say(&ToAgent::Refused { why });
}
