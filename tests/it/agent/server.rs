//! A server at the wire: it accepts agents' sockets and leaves what is said to the test.

use std::collections::BTreeMap;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU16, AtomicUsize, Ordering};
use std::time::Duration;

use axum::extract::State;
use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use steading::clock::{Clock, Entropy};
use steading::model::peer::{Peer, PeerKey, PeerKind};
use steading::model::resource::ScriptSpec;
use steading::tasks::{OnPanic, Tasks};
use steading::wire::agent::{FromAgent, Manifest, ToAgent};
use tokio::sync::mpsc;

/// What every wait of these tests is bounded by.
pub const PATIENCE: Duration = Duration::from_secs(20);

pub const TOKEN: &str = "agent-secret";

/// Answers agents; each connection is handed to the test.
pub struct Server {
    pub address: SocketAddr,
    pub tries: Arc<AtomicUsize>,
    status: Arc<AtomicU16>,
    connections: mpsc::Receiver<Connection>,
    pub tasks: Tasks,
}

/// One connection of an agent. Dropping it closes the socket.
pub struct Connection {
    pub to: mpsc::Sender<Message>,
    from: mpsc::Receiver<Message>,
}

#[derive(Clone)]
struct Shared {
    tries: Arc<AtomicUsize>,
    status: Arc<AtomicU16>,
    connections: mpsc::Sender<Connection>,
}

impl Server {
    pub async fn start() -> Self {
        let (sender, connections) = mpsc::channel(8);
        let (tries, status) = (Arc::default(), Arc::new(AtomicU16::new(101)));
        let shared =
            Shared { tries: Arc::clone(&tries), status: Arc::clone(&status), connections: sender };
        let path = "/under/api/v2/workspaceagents/me/rpc";
        let router =
            axum::Router::new().route(path, axum::routing::get(upgrade)).with_state(shared);
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let (address, tasks) = (listener.local_addr().unwrap(), Tasks::new());
        tasks.spawn("test server", OnPanic::Lose, async move {
            axum::serve(listener, router).await.unwrap();
        });
        Self { address, tries, status, connections, tasks }
    }

    /// Answers with this status from now on; 101 lets agents in.
    pub fn answer(&self, status: u16) {
        self.status.store(status, Ordering::SeqCst);
    }

    /// The next connection that an agent makes.
    pub async fn connection(&mut self) -> Connection {
        let next = tokio::time::timeout(PATIENCE, self.connections.recv());
        next.await.expect("an agent connects").unwrap()
    }

    /// Starts an agent whose home is `home`.
    pub fn agent(&self, home: &std::path::Path) -> Tasks {
        let text = |path: &std::path::Path| path.to_string_lossy().into_owned();
        let environment = BTreeMap::from([
            ("HOME".to_owned(), text(home)),
            ("PATH".to_owned(), "/usr/bin:/bin".to_owned()),
        ]);
        let options = steading::agent::Options {
            url: format!("http://{}/under", self.address).parse().unwrap(),
            token: TOKEN.to_owned(),
            state_dir: home.join("state"),
            binary: env!("CARGO_BIN_EXE_steading").into(),
            environment,
            bind: "127.0.0.1:0".parse().unwrap(),
            dialer: steading::net::dial::Dialer::default(),
            updates: steading::agent::update::Mode::Never,
        };
        let tasks = self.tasks.child();
        tasks.spawn("agent", OnPanic::Lose, async move {
            steading::agent::run(options, Clock::machine(), Entropy::machine()).await.unwrap();
        });
        tasks
    }
}

async fn upgrade(
    State(shared): State<Shared>,
    headers: HeaderMap,
    socket: WebSocketUpgrade,
) -> Response {
    shared.tries.fetch_add(1, Ordering::SeqCst);
    let status = shared.status.load(Ordering::SeqCst);
    if status != 101 {
        return StatusCode::from_u16(status).unwrap().into_response();
    }
    assert_eq!(headers["coder-session-token"], TOKEN);
    let (to, outgoing) = mpsc::channel(64);
    let (incoming, from) = mpsc::channel(64);
    shared.connections.send(Connection { to, from }).await.unwrap();
    socket.on_upgrade(|socket| carry(socket, outgoing, incoming))
}

async fn carry(
    mut socket: WebSocket,
    mut outgoing: mpsc::Receiver<Message>,
    incoming: mpsc::Sender<Message>,
) {
    loop {
        tokio::select! {
            message = outgoing.recv() => match message {
                Some(message) => if socket.send(message).await.is_err() { return },
                None => return,
            },
            message = socket.recv() => match message {
                Some(Ok(message @ (Message::Text(_) | Message::Binary(_)))) => {
                    if incoming.send(message).await.is_err() { return }
                }
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return,
            },
        }
    }
}

impl Connection {
    pub async fn say(&self, message: &ToAgent) {
        let text = serde_json::to_string(message).unwrap();
        self.to.send(Message::Text(text.into())).await.unwrap();
    }

    /// The next message that is not a relay frame; those go to `relay`.
    pub async fn heard(&mut self, relay: impl Fn(Bytes)) -> FromAgent {
        loop {
            let next = tokio::time::timeout(PATIENCE, self.from.recv());
            match next.await.expect("the agent says something").expect("the agent is there") {
                Message::Text(text) => return serde_json::from_str(&text).unwrap(),
                Message::Binary(frame) => relay(frame),
                other => panic!("{other:?}"),
            }
        }
    }

    /// The next message that `pick` wants.
    pub async fn until<T>(&mut self, mut pick: impl FnMut(FromAgent) -> Option<T>) -> T {
        loop {
            if let Some(found) = pick(self.heard(drop).await) {
                return found;
            }
        }
    }

    /// Waits for the hello and gives the agent's key and endpoints.
    pub async fn hello(&mut self) -> (PeerKey, Vec<SocketAddr>) {
        match self.heard(drop).await {
            FromAgent::Hello { key, endpoints, os, .. } => {
                assert_eq!(os, "linux");
                (key, endpoints)
            }
            other => panic!("not a hello: {other:?}"),
        }
    }
}

/// A peer as the agent is told of it.
pub fn peer(key: PeerKey, kind: PeerKind, address: Ipv6Addr, endpoints: Vec<SocketAddr>) -> Peer {
    Peer { key, kind, address, endpoints, user: None }
}

pub fn manifest(scripts: Vec<ScriptSpec>, peers: Vec<Peer>) -> Manifest {
    Manifest {
        agent_id: uuid::Uuid::from_u128(1).into(),
        agent_name: "main".to_owned(),
        workspace_id: uuid::Uuid::from_u128(2).into(),
        workspace_name: "kiln".to_owned(),
        owner_name: "ada".to_owned(),
        owner_full_name: String::new(),
        owner_email: String::new(),
        access_url: "http://127.0.0.1:7080".to_owned(),
        env: BTreeMap::new(),
        directory: "~/code".to_owned(),
        motd_file: String::new(),
        scripts,
        metadata: vec![],
        apps: vec![],
        scripts_done: false,
        address: "fd7a::2".parse().unwrap(),
        peers,
    }
}

pub fn script(text: &str) -> ScriptSpec {
    ScriptSpec {
        id: uuid::Uuid::from_u128(10).into(),
        log_source_id: uuid::Uuid::from_u128(11).into(),
        display_name: "Start".to_owned(),
        icon: String::new(),
        script: text.to_owned(),
        log_path: String::new(),
        cron: String::new(),
        start_blocks_login: true,
        run_on_start: true,
        run_on_stop: false,
        timeout_s: 0,
    }
}
