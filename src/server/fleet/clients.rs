//! Clients of the overlay: a person's own tunnel to one agent, coordinated over their socket.

use std::net::{Ipv6Addr, SocketAddr};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::register::Cause;
use super::socket::{Control, Message, Socket};
use super::{Fleet, lock};
use crate::model::id::{AgentId, IdentityGrantId, UserId, WorkspaceId};
use crate::model::peer::{Peer, PeerKey, PeerKind};
use crate::model::session::{Proof, Shown};
use crate::model::user::UserRef;
use crate::net::Path;
use crate::tasks::OnPanic;
use crate::wire::PROTOCOL;
use crate::wire::agent::ToAgent;
use crate::wire::peer::{FromClient, GRACE, ToClient};

/// Time for the hello after the socket opened.
const HELLO_WITHIN: Duration = Duration::from_secs(10);
/// How often the client's address as the server sees it is looked at, for a direct path.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// A client that is connected, or has its grace to be so again.
pub(super) struct ClientSocket {
    pub(super) user: UserRef,
    pub(super) agent: AgentId,
    pub(super) workspace: WorkspaceId,
    pub(super) shown: Shown,
    pub(super) address: Ipv6Addr,
    pub(super) endpoints: Vec<SocketAddr>,
    pub(super) control: Control,
    pub(super) place: Place,
}

/// A client's place, as long as one socket of it holds it.
#[derive(Clone, Default)]
pub(super) struct Place {
    /// The right ended.
    cut: CancellationToken,
    /// Why.
    cause: Arc<OnceLock<Cause>>,
    /// This place is no more: the client came again and has another, or it left.
    over: CancellationToken,
}

/// Who a client is, as its token proved.
#[derive(Clone, Debug)]
pub struct Client {
    /// The user.
    pub user: UserRef,
    /// Which agent it may reach: the right to connect was checked.
    pub agent: AgentId,
    /// That agent's workspace.
    pub workspace: WorkspaceId,
    /// What its user had shown.
    pub shown: Shown,
}

impl Fleet {
    /// Serves a client's coordination socket until it ends or its right does. Afterwards the client
    /// keeps its place for a while, unless its right ended.
    pub async fn serve_client(&self, client: Client, mut socket: Socket) {
        let hello = tokio::time::timeout(HELLO_WITHIN, read_hello(&mut socket)).await;
        let Ok(Some((key, endpoints))) = hello else { return };
        let Some((peer, place)) = self.enter_client(&client, (key, endpoints), &socket) else {
            let why = "this key is another client's".to_owned();
            socket.control.say(&ToClient::Refused { why });
            return;
        };
        let bell = self.0.relay.connect(key);
        self.introduce(client.agent, &peer);
        let welcome =
            ToClient::Welcome { address: peer.address, peers: self.peers_of(client.agent) };
        if socket.control.say(&welcome) {
            self.pump_client(key, client.agent, &mut socket, (&bell, &place)).await;
        }
        self.0.relay.disconnect(&key, &bell);
        if place.cut.is_cancelled() {
            self.leave_client(key, &place).await;
            let why = place.cause.get().copied().unwrap_or(Cause::Right).told().to_owned();
            socket.control.say(&ToClient::Refused { why });
            return;
        }
        let fleet = self.clone();
        self.0.tasks.spawn("client-grace", OnPanic::Lose, async move {
            tokio::select! {
                () = place.over.cancelled() => return,
                () = place.cut.cancelled() => {}
                () = tokio::time::sleep(GRACE) => {}
            }
            fleet.leave_client(key, &place).await;
        });
    }

    /// Gives a client its place, or its old one again; none when the key is known as another's.
    fn enter_client(
        &self,
        client: &Client,
        (key, endpoints): (PeerKey, Vec<SocketAddr>),
        socket: &Socket,
    ) -> Option<(Peer, Place)> {
        let place = Place::default();
        let entry = ClientSocket {
            user: client.user.clone(),
            agent: client.agent,
            workspace: client.workspace,
            shown: client.shown,
            address: self.0.prefix.client(&key),
            endpoints,
            control: socket.control.clone(),
            place: place.clone(),
        };
        let peer = client_peer(key, &entry);
        let mut clients = lock(&self.0.clients);
        if key == self.0.overlay.key() || self.is_agents_key(&key) {
            return None;
        }
        if let Some(before) = clients.get(&key) {
            if before.user.id != client.user.id || before.agent != client.agent {
                return None;
            }
            before.place.over.cancel();
        }
        clients.insert(key, entry);
        // Under the lock: whoever leaves with this key must not take this peer away.
        self.0.overlay.set_peer(&peer);
        Some((peer, place))
    }

    /// Lets a client and its agent exchange packets, and tells the agent.
    fn introduce(&self, agent: AgentId, client: &Peer) {
        if let Some(agent_key) = self.agent_key(agent) {
            self.0.relay.allow(agent_key, client.key);
        }
        self.tell_agent(agent, &ToAgent::Peers { peers: vec![client.clone()] });
    }

    async fn pump_client(
        &self,
        key: PeerKey,
        agent: AgentId,
        socket: &mut Socket,
        (bell, place): (&Arc<Notify>, &Place),
    ) {
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                () = place.cut.cancelled() => return,
                () = place.over.cancelled() => return,
                () = socket.control.stuck() => return,
                arrived = socket.incoming.recv() => match arrived {
                    Some(Message::Binary(frame)) => self.0.relay.push(&key, frame),
                    Some(Message::Text(text)) => self.client_says(key, agent, &text),
                    Some(Message::Close { .. }) | None => return,
                },
                () = bell.notified() => {
                    while let Some(frame) = self.0.relay.pop(&key) {
                        if !socket.forward(frame, &place.cut).await {
                            return;
                        }
                    }
                }
                _ = look.tick() => self.learn_endpoint(key, agent),
            }
        }
    }

    fn client_says(&self, key: PeerKey, agent: AgentId, text: &str) {
        if let Ok(FromClient::Endpoints { endpoints }) = serde_json::from_str(text) {
            self.move_client(key, agent, endpoints);
        }
    }

    /// The server sees where a client's packets come from: the agent is told, so that both can
    /// open a path through a NAT.
    fn learn_endpoint(&self, key: PeerKey, agent: AgentId) {
        let seen = self.seen_at(&key);
        let Some(seen) = seen else { return };
        let known = lock(&self.0.clients).get(&key).map(|c| c.endpoints.clone());
        if let Some(mut endpoints) = known.filter(|k| !k.contains(&seen)) {
            endpoints.push(seen);
            self.move_client(key, agent, endpoints);
        }
    }

    /// Where a peer's packets come from, when they come directly.
    fn seen_at(&self, key: &PeerKey) -> Option<SocketAddr> {
        match self.0.overlay.status(key)?.path? {
            Path::Direct(address) => Some(address),
            Path::Relay => None,
        }
    }

    fn move_client(&self, key: PeerKey, agent: AgentId, endpoints: Vec<SocketAddr>) {
        let peer = {
            let mut clients = lock(&self.0.clients);
            let Some(client) = clients.get_mut(&key) else { return };
            client.endpoints = endpoints;
            client_peer(key, client)
        };
        self.0.overlay.set_peer(&peer);
        self.tell_agent(agent, &ToAgent::Peers { peers: vec![peer] });
    }

    async fn leave_client(&self, key: PeerKey, place: &Place) {
        if let Some(client) = self.part(key, place) {
            self.end_peer_sessions(client.agent, &client.user, key).await;
        }
    }

    /// Takes a client's place and its tunnel away; none when its place is no more.
    fn part(&self, key: PeerKey, place: &Place) -> Option<ClientSocket> {
        let mut clients = lock(&self.0.clients);
        if place.over.is_cancelled() {
            return None;
        }
        place.over.cancel();
        let client = clients.remove(&key)?;
        // Under the lock, so that the same client comes again only after all of this.
        self.0.relay.forget(key);
        self.0.overlay.remove_peer(&key);
        self.tell_agent(client.agent, &ToAgent::RemovePeer { key });
        Some(client)
    }

    /// Cuts the tunnels that `which` picks, also of clients that are away just now.
    pub(super) fn cut_clients(&self, cause: Cause, which: impl Fn(&ClientSocket) -> bool) {
        let theirs: Vec<(PeerKey, Place)> = lock(&self.0.clients)
            .iter()
            .filter(|(_, c)| which(c))
            .map(|(key, c)| (*key, c.place.clone()))
            .collect();
        for (key, place) in theirs {
            let _ = place.cause.set(cause);
            place.cut.cancel();
            let Some(client) = self.part(key, &place) else { continue };
            let fleet = self.clone();
            self.0.tasks.spawn_graceful("client-cut", OnPanic::Lose, async move {
                fleet.end_peer_sessions(client.agent, &client.user, key).await;
            });
        }
    }

    /// Who has a tunnel to which workspace, and what they had shown.
    pub(super) fn client_rights(&self) -> Vec<(UserId, WorkspaceId, Shown)> {
        lock(&self.0.clients).values().map(|c| (c.user.id, c.workspace, c.shown)).collect()
    }

    /// What those who have a tunnel were let in by.
    pub(super) fn client_proofs(&self) -> Vec<Proof> {
        lock(&self.0.clients).values().filter_map(|c| c.shown.by).collect()
    }

    /// What providers granted for who has a tunnel.
    pub(super) fn client_grants(&self) -> Vec<IdentityGrantId> {
        lock(&self.0.clients).values().filter_map(|c| c.shown.identity_grant).collect()
    }

    /// The user a client's key stands for and what they had shown, when it leads to this agent.
    pub(super) fn client_user(&self, key: &PeerKey, agent: AgentId) -> Option<(UserRef, Shown)> {
        let clients = lock(&self.0.clients);
        let client = clients.get(key).filter(|c| c.agent == agent)?;
        Some((client.user.clone(), client.shown))
    }

    /// The clients of an agent, as it is told of them.
    pub(super) fn client_peers(&self, agent: AgentId) -> Vec<Peer> {
        let clients = lock(&self.0.clients);
        clients.iter().filter(|(_, c)| c.agent == agent).map(|(k, c)| client_peer(*k, c)).collect()
    }

    /// Tells an agent's clients where it is now; after a restart it has another key.
    pub(super) fn agent_moved(&self, agent: AgentId, peer: &Peer) {
        for (key, client) in lock(&self.0.clients).iter().filter(|(_, c)| c.agent == agent) {
            self.0.relay.allow(peer.key, *key);
            client.control.say(&ToClient::Peers { peers: vec![peer.clone()] });
        }
    }

    fn peers_of(&self, agent: AgentId) -> Vec<Peer> {
        let known = {
            let agents = lock(&self.0.agents);
            agents.get(&agent).map(|s| (s.key, s.endpoints.clone()))
        };
        let mut peers = vec![self.server_peer()];
        if let Some((key, mut endpoints)) = known {
            // Where the server itself reaches the agent is worth a try for the client, too.
            let seen = self.seen_at(&key);
            endpoints.extend(seen.filter(|s| !endpoints.contains(s)));
            peers.push(self.agent_peer(agent, key, &endpoints));
        }
        peers
    }
}

fn client_peer(key: PeerKey, client: &ClientSocket) -> Peer {
    Peer {
        key,
        kind: PeerKind::Client,
        address: client.address,
        endpoints: client.endpoints.clone(),
        user: Some(client.user.clone()),
    }
}

async fn read_hello(socket: &mut Socket) -> Option<(PeerKey, Vec<SocketAddr>)> {
    let Some(Message::Text(text)) = socket.incoming.recv().await else { return None };
    match serde_json::from_str(&text) {
        Ok(FromClient::Hello { protocol, key, endpoints }) if protocol <= PROTOCOL => {
            Some((key, endpoints))
        }
        Ok(FromClient::Hello { protocol, .. }) => {
            let why = format!(
                "the client speaks protocol {protocol}, this server {PROTOCOL}; update the server"
            );
            socket.control.say(&ToClient::Refused { why });
            None
        }
        Ok(FromClient::Endpoints { .. }) | Err(_) => None,
    }
}
