//! The overlay towards one agent: introduced by the server over a WebSocket that also relays, made
//! again when it is lost while streams go on.

use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use anyhow::{Context as _, anyhow, bail};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use super::client::Client;
use super::context::Context;
use super::output::Output;
use crate::model::peer::{Peer, PeerKey, PeerKind};
use crate::net::dial::ConnectError;
use crate::net::websocket::{Incoming, Lost, Message};
use crate::net::{OpenError, Overlay, OverlayConfig, PeerStatus, RelayFrame, Stream};
use crate::tasks::{OnPanic, Tasks};
use crate::wire::PROTOCOL;
use crate::wire::peer::{FromClient, ToClient};

/// Messages that wait for the socket. A relay frame is up to 64 KiB, so 4 MiB at most.
const QUEUE: usize = 64;
/// The first pause before the server is tried again, doubled up to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
/// A restarted server is back in seconds; people wait for it.
const LAST_PAUSE: Duration = Duration::from_secs(3);
/// How often our own addresses are looked at: networks change when a laptop is moved.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// How long the server is waited for before the first introduction is given up.
const INTRODUCED_WITHIN: Duration = Duration::from_secs(30);
/// Longer than this a person wants to know what is waited for.
const SILENT_FOR: Duration = Duration::from_secs(3);
/// How long an agent that restarts is waited for.
const AGENT_WITHIN: Duration = Duration::from_secs(120);

/// What is known of the agent.
#[derive(Clone, Debug, PartialEq, Eq)]
enum State {
    /// The server has not introduced it yet; why not, if it is known.
    Waiting(String),
    /// It has this key.
    Known(PeerKey),
    /// The right to it ended, or never was.
    Refused(String),
}

/// A way to one agent. Clones share it; it lasts until its tasks stop.
#[derive(Clone)]
pub struct Tunnel {
    overlay: Overlay,
    state: watch::Receiver<State>,
    out: Output,
    /// Whether it was said that the agent is waited for: once, however many streams wait.
    told: Arc<AtomicBool>,
}

impl Tunnel {
    /// Starts a node of the overlay and has it introduced to the agent, in the background.
    ///
    /// # Errors
    /// When no UDP socket can be made.
    pub async fn start(ctx: &Context, client: Arc<Client>, agent: Uuid) -> anyhow::Result<Self> {
        let overlay = node(ctx).await?;
        let (set_state, state) = watch::channel(State::Waiting("the server was not asked".into()));
        let coordination = Coordination {
            client,
            path: format!("/api/v2/workspaceagents/{agent}/coordinate"),
            overlay: overlay.clone(),
            state: set_state,
            direct: !ctx.globals.disable_direct_connections,
            tasks: ctx.tasks.clone(),
        };
        ctx.tasks.spawn("coordination", OnPanic::Stop, coordination.run());
        Ok(Self { overlay, state, out: ctx.out.clone(), told: Arc::default() })
    }

    /// Opens a stream to the agent. An agent that restarts, or is introduced late, is waited for.
    ///
    /// # Errors
    /// When the server refuses, or nothing answers in time.
    pub async fn open(&self) -> anyhow::Result<Stream> {
        let mut state = self.state.clone();
        let attempts = async {
            loop {
                let key = known(&mut state).await?;
                match self.overlay.open(&key).await {
                    Ok(stream) => return Ok(stream),
                    Err(OpenError::Stopped) => bail!("The connection is being closed."),
                    // A new key may have come meanwhile, or comes soon.
                    Err(error) => {
                        tracing::debug!(%error, "the agent was not reached");
                        let now = state.borrow_and_update().clone();
                        if now == State::Known(key) {
                            let _ = tokio::time::timeout(LAST_PAUSE, state.changed()).await;
                        }
                    }
                }
            }
        };
        tokio::pin!(attempts);
        let opened = match tokio::time::timeout(SILENT_FOR, &mut attempts).await {
            Ok(opened) => opened,
            Err(_) => {
                self.tell();
                let opened = tokio::time::timeout(AGENT_WITHIN, attempts).await;
                opened.unwrap_or_else(|_| {
                    Err(anyhow!(
                        "The workspace did not answer within {} s. `steading show` tells whether \
                         its agent is connected.",
                        AGENT_WITHIN.as_secs()
                    ))
                })
            }
        };
        if opened.is_ok() {
            self.told.store(false, Ordering::Relaxed);
        }
        opened
    }

    fn tell(&self) {
        if !self.told.swap(true, Ordering::Relaxed) {
            let line = "The workspace does not answer yet; waiting for it. Ctrl-C ends the wait.";
            self.out.note(line);
        }
    }

    /// How the way to the agent is; none before there is one.
    #[must_use]
    pub fn status(&self) -> Option<PeerStatus> {
        match &*self.state.borrow() {
            State::Known(key) => self.overlay.status(key),
            State::Waiting(_) | State::Refused(_) => None,
        }
    }

    /// The node, for streams that the agent opens.
    #[must_use]
    pub fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// Ends when the right to the workspace has ended; says why.
    pub async fn refused(&self) -> String {
        let mut state = self.state.clone();
        let refused = state.wait_for(|s| matches!(s, State::Refused(_))).await;
        match refused.as_deref() {
            Ok(State::Refused(why)) => why.clone(),
            Ok(State::Waiting(_) | State::Known(_)) | Err(_) => "the connection was closed".into(),
        }
    }
}

/// Waits for the introduction.
async fn known(state: &mut watch::Receiver<State>) -> anyhow::Result<PeerKey> {
    let settled = async { state.wait_for(|s| !matches!(s, State::Waiting(_))).await.is_ok() };
    if tokio::time::timeout(INTRODUCED_WITHIN, settled).await == Ok(false) {
        bail!("The connection is being closed.");
    }
    let now = state.borrow().clone();
    match now {
        State::Known(key) => Ok(key),
        State::Refused(why) => bail!("The server does not let you in: {why}"),
        State::Waiting(why) => {
            bail!("The server did not introduce the workspace in time: {why}")
        }
    }
}

/// A node with a key made for this run of the program.
async fn node(ctx: &Context) -> anyhow::Result<Overlay> {
    let config = |bind| OverlayConfig {
        secret: ctx.entropy.bytes(),
        bind,
        // The server gives the real one with its welcome.
        address: Ipv6Addr::UNSPECIFIED,
    };
    let start =
        |bind| Overlay::start(config(bind), ctx.clock.clone(), ctx.entropy.clone(), &ctx.tasks);
    let both = SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0));
    match start(both).await {
        Ok(overlay) => Ok(overlay),
        // IPv6 may be switched off.
        Err(_) => start(SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)))
            .await
            .context("Making a UDP socket for the tunnel"),
    }
}

/// Keeps the node introduced.
struct Coordination {
    client: Arc<Client>,
    path: String,
    overlay: Overlay,
    state: watch::Sender<State>,
    direct: bool,
    tasks: Tasks,
}

impl Coordination {
    async fn run(self) {
        let mut pause = FIRST_PAUSE;
        loop {
            let (introduced, error) = match self.try_once().await {
                Ok(introduced) => introduced,
                Err(Ended::Refused(why)) => {
                    self.state.send_replace(State::Refused(why));
                    return;
                }
                Err(Ended::Failed(why)) => (false, why),
            };
            tracing::debug!(error, "the coordination was lost");
            self.state.send_if_modified(|state| match state {
                State::Waiting(why) => {
                    *why = error;
                    true
                }
                State::Known(_) | State::Refused(_) => false,
            });
            pause = if introduced { FIRST_PAUSE } else { (pause * 2).min(LAST_PAUSE) };
            tokio::time::sleep(pause).await;
        }
    }

    /// One socket from its opening to its loss. Says whether the server introduced us on it.
    async fn try_once(&self) -> Result<(bool, String), Ended> {
        let url = self.client.address(&self.path, &[]);
        let connected = self.client.dialer().connect(&url, self.client.headers()).await;
        let (out, incoming) = connected.map_err(|e| ended(&e))?;
        let (queue, messages) = mpsc::channel(QUEUE);
        let tasks = self.tasks.child();
        let _socket = tasks.token().drop_guard();
        tasks.spawn("coordination socket", OnPanic::Lose, async move {
            out.run(messages).await;
        });
        let endpoints = self.endpoints();
        let hello = FromClient::Hello {
            protocol: PROTOCOL,
            key: self.overlay.key(),
            endpoints: endpoints.clone(),
        };
        say(&queue, &hello).await;
        self.listen(incoming, queue, endpoints).await
    }

    async fn listen(
        &self,
        mut incoming: Incoming,
        queue: mpsc::Sender<Message>,
        mut endpoints: Vec<SocketAddr>,
    ) -> Result<(bool, String), Ended> {
        let (to_relay, mut frames) = mpsc::channel::<RelayFrame>(QUEUE);
        let relay = self.overlay.attach_relay(to_relay);
        let mut introduced = false;
        let mut look = tokio::time::interval(LOOK_EVERY);
        loop {
            tokio::select! {
                message = incoming.next() => match message {
                    Ok(Message::Binary(frame)) => relay.push(frame),
                    Ok(Message::Text(text)) => introduced |= self.told(&text)?,
                    Err(Lost::Closed) if !introduced => {
                        return Ok((false, "the server closed the connection".to_owned()));
                    }
                    Err(lost) => return Ok((introduced, lost.to_string())),
                },
                Some(frame) = frames.recv() => {
                    // A socket that does not keep up loses datagrams, as any network does.
                    let _ = queue.try_send(Message::Binary(frame));
                }
                _ = look.tick() => {
                    let now = self.endpoints();
                    if now != endpoints {
                        endpoints.clone_from(&now);
                        say(&queue, &FromClient::Endpoints { endpoints: now }).await;
                    }
                }
            }
        }
    }

    fn endpoints(&self) -> Vec<SocketAddr> {
        if self.direct { self.overlay.endpoints() } else { vec![] }
    }

    /// Does what the server says. Gives whether it was the welcome.
    fn told(&self, text: &str) -> Result<bool, Ended> {
        let said: ToClient = serde_json::from_str(text)
            .map_err(|e| Ended::Failed(format!("the server said something unknown: {e}")))?;
        match said {
            ToClient::Welcome { address, peers } => {
                self.overlay.set_address(address);
                self.set_peers(peers);
                Ok(true)
            }
            ToClient::Peers { peers } => {
                self.set_peers(peers);
                Ok(false)
            }
            ToClient::RemovePeer { key } => {
                self.overlay.remove_peer(&key);
                self.state.send_if_modified(|state| {
                    let was = *state == State::Known(key);
                    if was {
                        *state = State::Waiting("the agent is away".to_owned());
                    }
                    was
                });
                Ok(false)
            }
            ToClient::Refused { why } => Err(Ended::Refused(why)),
        }
    }

    fn set_peers(&self, peers: Vec<Peer>) {
        for mut peer in peers {
            if !self.direct {
                peer.endpoints.clear();
            }
            self.overlay.set_peer(&peer);
            if peer.kind == PeerKind::Agent {
                self.state.send_if_modified(|state| self.is_now(state, peer.key));
            }
        }
    }

    /// The agent's key; one of before is forgotten, and with it the streams of that life.
    fn is_now(&self, state: &mut State, key: PeerKey) -> bool {
        match state {
            State::Known(before) if *before == key => return false,
            State::Known(before) => self.overlay.remove_peer(before),
            State::Waiting(_) | State::Refused(_) => {}
        }
        *state = State::Known(key);
        true
    }
}

/// Why there is no socket.
enum Ended {
    /// For good.
    Refused(String),
    /// For now.
    Failed(String),
}

fn ended(error: &ConnectError) -> Ended {
    match error {
        ConnectError::Refused { status: 401 | 403 | 404, why } => {
            let parsed = serde_json::from_str::<crate::wire::coder::Error>(why);
            Ended::Refused(parsed.map_or_else(|_| error.to_string(), |e| e.message))
        }
        ConnectError::Address(_)
        | ConnectError::Refused { .. }
        | ConnectError::BadProxy(_)
        | ConnectError::Proxy { .. }
        | ConnectError::Certificate { .. }
        | ConnectError::Clock { .. }
        | ConnectError::InBetween { .. }
        | ConnectError::NoIpv6(_)
        | ConnectError::TimedOut
        | ConnectError::Private(_)
        | ConnectError::Io(_)
        | ConnectError::Protocol(_) => Ended::Failed(error.to_string()),
    }
}

async fn say(queue: &mpsc::Sender<Message>, message: &FromClient) {
    let text = serde_json::to_string(message).expect("what a client says is plain JSON");
    let _ = queue.send(Message::Text(text)).await;
}
