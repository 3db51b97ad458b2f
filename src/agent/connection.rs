//! The connection to the server: one WebSocket after another, for as long as the agent lives.

use std::net::SocketAddr;
use std::time::Duration;

use http::{HeaderMap, HeaderValue};
use tokio::sync::{mpsc, watch};
use tokio::time::sleep;

use crate::model::log::LogLevel;
use crate::net::dial::{ConnectError, Dialer};
use crate::net::websocket::{Incoming, Message, Outgoing};
use crate::net::{RelayFrame, RelayInput};
use crate::wire::PROTOCOL;
use crate::wire::agent::{FromAgent, ToAgent};
use crate::wire::program;

use super::Options;
use super::backoff::{Backoff, GOOD_AFTER};
use super::base::Base;
use super::hardware;
use super::local::{self, Offer};
use super::peers::Peers;
use super::update::Updates;
use super::waker::Waker;
use super::work::Work;

/// Something is said at least this often: a third of the silence after which an agent counts as gone.
const HEARTBEAT: Duration = Duration::from_secs(10);
/// Messages that wait for the socket. Few: what waits longer waits in the reports, where it may be replaced.
const MAX_QUEUED: usize = 16;
/// Relay frames that wait for the socket; a batch of datagrams each. More would be delay, not speed.
const MAX_RELAYED: usize = 64;

/// The parts of an agent that a connection joins.
pub struct Connection {
    /// Where the server is.
    url: url::Url,
    /// How the agent signs in.
    headers: HeaderMap,
    /// How the server is connected to.
    dialer: Dialer,
    /// The ground.
    base: Base,
    /// Who may talk to it.
    peers: std::sync::Arc<Peers>,
    /// What it does.
    work: Work,
    /// Newer programs.
    updates: Updates,
    /// The directory of sessions, as the server was told.
    directory: std::sync::Mutex<String>,
    /// What wakes other machines.
    waker: Waker,
}

/// Why there is no connection, or not any more.
#[derive(Debug, thiserror::Error)]
enum End {
    /// The server does not want this agent.
    #[error("the server refuses this agent: {0}")]
    Refused(String),
    /// Anything that may be over soon.
    #[error("{0}")]
    Lost(String),
}

impl Connection {
    /// Prepares the way to the server.
    ///
    /// # Errors
    /// When the URL or the token cannot be used.
    pub fn new(
        options: &Options,
        base: Base,
        peers: std::sync::Arc<Peers>,
        (work, updates): (Work, Updates),
    ) -> anyhow::Result<Self> {
        let mut url = options.url.clone();
        let path = format!("{}/api/v2/workspaceagents/me/rpc", url.path().trim_end_matches('/'));
        url.set_path(&path);
        let mut token = HeaderValue::from_str(&options.token)?;
        token.set_sensitive(true);
        let headers =
            HeaderMap::from_iter([(http::HeaderName::from_static("coder-session-token"), token)]);
        let directory = std::sync::Mutex::new(base.account.path("").display().to_string());
        let (dialer, waker) = (options.dialer.clone(), Waker::default());
        Ok(Self { url, headers, dialer, base, peers, work, updates, directory, waker })
    }

    /// Connects, and connects again. Never returns.
    pub async fn run(&self) {
        let mut backoff = Backoff::default();
        let mut told = String::new();
        loop {
            let (end, held) = match self.connect().await {
                Ok(halves) => {
                    let began = self.base.clock.instant();
                    let end = self.stay(halves).await;
                    (end, self.base.clock.instant().saturating_duration_since(began))
                }
                Err(end) => (end, Duration::ZERO),
            };
            let chance = u32::from_le_bytes(self.base.entropy.bytes());
            let wait = match &end {
                End::Refused(_) => {
                    // The server does not vouch for these people any more.
                    self.peers.remove_all();
                    backoff.after_refusal(chance)
                }
                End::Lost(_) => {
                    self.peers.be_alone();
                    backoff.after(held, chance)
                }
            };
            // A server may be away for days: the same news is told once.
            let news = end.to_string();
            if held >= GOOD_AFTER || news != told {
                tracing::warn!(%end, "not connected; trying again");
                told = news;
            }
            sleep(wait).await;
        }
    }

    async fn connect(&self) -> Result<(Outgoing, Incoming), End> {
        match self.dialer.connect(&self.url, &self.headers).await {
            Ok(halves) => Ok(halves),
            Err(ConnectError::Refused { status: status @ (401 | 403 | 410), why }) => {
                Err(End::Refused(format!("{status} {why}")))
            }
            Err(other) => Err(End::Lost(other.to_string())),
        }
    }

    /// Speaks and listens until the connection is lost.
    async fn stay(&self, (outgoing, incoming): (Outgoing, Incoming)) -> End {
        tracing::info!(url = %self.url, "connected");
        let (queue, messages) = mpsc::channel(MAX_QUEUED);
        let (to_relay, relayed) = mpsc::channel(MAX_RELAYED);
        let relay = self.peers.overlay().attach_relay(to_relay);
        self.base.reports.reconnected();
        let (offers, offered) = watch::channel(None);
        // Reading and writing do not wait for each other: both ends may be full at the same time.
        tokio::select! {
            lost = outgoing.run(messages) => End::Lost(lost.to_string()),
            end = self.listen(incoming, &relay, &offers) => end,
            () = local::keep(offered, &self.base, &self.peers) => End::Lost("the connection was closed".to_owned()),
            () = self.speak(queue, relayed) => End::Lost("the connection was closed".to_owned()),
        }
    }

    async fn listen(
        &self,
        mut incoming: Incoming,
        relay: &RelayInput,
        offers: &watch::Sender<Offer>,
    ) -> End {
        let mut agent = None;
        loop {
            match incoming.next().await {
                Ok(Message::Binary(frame)) => relay.push(frame),
                Ok(Message::Text(text)) => match serde_json::from_str(&text) {
                    Ok(ToAgent::Refused { why }) => return End::Refused(why),
                    // Who we are is in the manifest, which comes first.
                    Ok(ToAgent::Local { way }) => {
                        offers.send_replace(agent.map(|agent| (way, agent)));
                    }
                    Ok(message) => {
                        if let ToAgent::Manifest { manifest } = &message {
                            agent = Some(manifest.agent_id);
                        }
                        self.handle(message);
                    }
                    // A newer server may say more than this agent knows.
                    Err(error) => tracing::warn!(%error, "a message that cannot be read"),
                },
                Err(lost) => return End::Lost(lost.to_string()),
            }
        }
    }

    fn handle(&self, message: ToAgent) {
        match message {
            ToAgent::Manifest { mut manifest } => {
                self.peers.replace(manifest.address, std::mem::take(&mut manifest.peers));
                self.peers.configure(&self.base.account, &manifest);
                self.learn_directory(&manifest.directory);
                self.work.take(&manifest);
                self.updates.connected();
            }
            ToAgent::Update { update } => self.updates.offered(update),
            ToAgent::Peers { peers } => self.peers.update(peers),
            ToAgent::RemovePeer { key } => self.peers.remove(&key),
            ToAgent::CutSession { session } => self.peers.sessions().cut(session),
            ToAgent::EndTerminal { terminal } => self.peers.sessions().end_terminal(terminal),
            ToAgent::Wake { cards, on } => self.waker.wake(&self.base, &cards, on),
            ToAgent::LogsStored { seq } => self.base.reports.logs_stored(seq),
            ToAgent::Shutdown => {
                self.base.reports.own_line(LogLevel::Info, "The workspace is being stopped.");
                self.work.shut_down();
            }
            ToAgent::Told { text } => {
                tracing::warn!(text, "the server says");
                self.base.reports.own_line(LogLevel::Warn, &text);
            }
            // The caller does what they ask for.
            ToAgent::Refused { .. } | ToAgent::Local { .. } => {}
        }
    }

    /// Says hello, then what there is to tell. Ends when the queue's reader is gone.
    async fn speak(&self, queue: mpsc::Sender<Message>, mut relayed: mpsc::Receiver<RelayFrame>) {
        let mut endpoints = self.endpoints();
        if queue.send(text(&self.hello(endpoints.clone()))).await.is_err() {
            return;
        }
        // What peers see of us is known a moment after the first packets.
        let mut wait = Duration::from_secs(1);
        let mut beat = std::pin::pin!(sleep(wait));
        // A place in the queue first: a report that is taken is a report that is sent.
        while let Ok(place) = queue.reserve().await {
            tokio::select! {
                report = self.base.reports.next() => place.send(text(&report)),
                Some(frame) = relayed.recv() => place.send(Message::Binary(frame)),
                () = &mut beat => {
                    let now = self.endpoints();
                    let message = if now == endpoints {
                        FromAgent::Heartbeat
                    } else {
                        FromAgent::Endpoints { endpoints: now.clone() }
                    };
                    place.send(text(&message));
                    endpoints = now;
                    wait = (wait * 2).min(HEARTBEAT);
                    beat.set(sleep(wait));
                }
            }
        }
    }

    fn hello(&self, endpoints: Vec<SocketAddr>) -> FromAgent {
        FromAgent::Hello {
            protocol: PROTOCOL,
            version: program::version().to_owned(),
            key: self.peers.overlay().key(),
            endpoints,
            expanded_directory: self.lock_directory().clone(),
            os: program::OS.to_owned(),
            arch: program::ARCH.to_owned(),
            place: local::place(),
            clients: self.peers.held(),
            tells_terminal_ends: true,
            updates: self.updates.are_wanted(),
            machine: hardware::machine(),
        }
    }

    fn learn_directory(&self, template: &str) {
        let expanded = self.base.account.path(template).display().to_string();
        let mut known = self.lock_directory();
        if *known != expanded {
            known.clone_from(&expanded);
            self.base.reports.event(FromAgent::Directory { expanded });
        }
    }

    fn endpoints(&self) -> Vec<SocketAddr> {
        let mut all = self.peers.overlay().endpoints();
        all.sort_unstable();
        all
    }

    fn lock_directory(&self) -> std::sync::MutexGuard<'_, String> {
        self.directory.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

fn text(message: &FromAgent) -> Message {
    Message::Text(serde_json::to_string(message).expect("a message is plain data"))
}
