//! Sockets of agents, clients and terminals: upgraded here, served by the fleet.

use axum::extract::ws::{self, CloseFrame, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, header};
use tokio::sync::mpsc;
use tokio::time::{Duration, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::address::ClientAddress;
use super::extract::{Path, Query};
use super::routes::Routes;
use super::{Access, Answer, Problem, State, Who};
use crate::model::id::{AgentId, TerminalId};
use crate::model::user::UserRef;
use crate::server::app::Actor;
use crate::server::fleet::clients::Client;
use crate::server::fleet::socket::{Message, Socket};
use crate::server::fleet::terminal::Attach;
use crate::tasks::{OnPanic, Tasks};
use crate::wire::{MAX_CONTROL_BYTES, MAX_RELAY_BYTES};

/// How often the other end is asked for a sign of life. Shorter than the idle limit of common proxies.
const PING_EVERY: Duration = Duration::from_secs(15);
/// Silence for this long means the connection is lost: two pings.
const DEAD_AFTER: Duration = Duration::from_secs(35);
/// Messages written before a flush, so that datagrams share a packet but none waits long.
const FLUSH_EVERY: usize = 32;
/// Room for one read of a socket whose other end says little: keys, or nothing. Every socket keeps it.
const READ_BUFFER: usize = 4 << 10;
/// Room for one read of a socket that relays datagrams.
const RELAY_READ_BUFFER: usize = 64 << 10;
/// Bytes that may wait to be written.
const WRITE_BUFFER: usize = 4 << 20;

/// How long the serving of a socket may take to end after its other end has gone.
const ENDING: Duration = Duration::from_secs(5);
/// How long a slow reader may take for what was sent before the close.
const LAST_WORDS: Duration = Duration::from_mins(2);

/// Longest name of a client program that is kept.
const MAX_CLIENT_CHARS: usize = 200;

/// Bounds of every socket.
pub fn bounded(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .max_message_size(MAX_CONTROL_BYTES.max(MAX_RELAY_BYTES))
        .max_frame_size(MAX_CONTROL_BYTES.max(MAX_RELAY_BYTES))
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER)
}

/// Bounds of a socket that relays datagrams.
fn relaying(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    bounded(upgrade).read_buffer_size(RELAY_READ_BUFFER)
}

/// The sockets' routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Agent, "/api/v2/workspaceagents/me/rpc", agent)
        .get(Access::User, "/api/v2/workspaceagents/{agent}/coordinate", coordinate)
        .get(Access::User, "/api/v2/workspaceagents/{agent}/pty", pty)
}

async fn agent(state: State, Who(actor): Who, upgrade: WebSocketUpgrade) -> Answer<Response> {
    let Actor::Agent { agent, workspace } = actor else { return Err(Problem::signed_out()) };
    let (fleet, tasks) = (state.fleet, state.tasks);
    Ok(relaying(upgrade).on_upgrade(move |socket| {
        run(socket, tasks, move |s| async move { fleet.serve_agent(agent, workspace, s).await })
    }))
}

async fn coordinate(
    state: State,
    Who(actor): Who,
    Path(agent): Path<AgentId>,
    ClientAddress(ip): ClientAddress,
    upgrade: WebSocketUpgrade,
) -> Answer<Response> {
    let workspace = state.app.agent_to_connect(&actor, agent).await?;
    let client = Client { user: user_ref(&actor)?, agent, workspace, ip };
    let (fleet, tasks) = (state.fleet, state.tasks);
    Ok(relaying(upgrade).on_upgrade(move |socket| {
        run(socket, tasks, move |s| async move { fleet.serve_client(client, s).await })
    }))
}

/// How a browser asks for a terminal, in Coder's words.
#[derive(Debug, serde::Deserialize)]
struct PtyQuery {
    reconnect: TerminalId,
    #[serde(default = "default_width")]
    width: u16,
    #[serde(default = "default_height")]
    height: u16,
    #[serde(default)]
    command: String,
}

fn default_width() -> u16 {
    80
}

fn default_height() -> u16 {
    24
}

async fn pty(
    state: State,
    Who(actor): Who,
    (ClientAddress(ip), headers): (ClientAddress, HeaderMap),
    (Path(agent), Query(query)): (Path<AgentId>, Query<PtyQuery>),
    upgrade: WebSocketUpgrade,
) -> Answer<Response> {
    let workspace = state.app.agent_to_connect(&actor, agent).await?;
    let client = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let attach = Attach {
        user: user_ref(&actor)?,
        workspace,
        agent,
        terminal: query.reconnect,
        cols: query.width,
        rows: query.height,
        command: Some(query.command).filter(|c| !c.is_empty()),
        address: ip.to_string(),
        client: client.chars().take(MAX_CLIENT_CHARS).collect(),
    };
    let (fleet, tasks) = (state.fleet, state.tasks);
    Ok(bounded(upgrade).on_upgrade(move |socket| {
        run(socket, tasks, move |s| async move { fleet.serve_terminal(attach, s).await })
    }))
}

fn user_ref(actor: &Actor) -> Answer<UserRef> {
    let user = &actor.caller()?.user;
    Ok(UserRef { id: user.id, username: user.username.clone() })
}

/// Carries a WebSocket's messages to and from a [`Socket`], which `serve` is given.
pub async fn run<F>(socket: WebSocket, tasks: Tasks, serve: impl FnOnce(Socket) -> F)
where
    F: Future<Output = ()>,
{
    let (fleet_side, arrived, to_send) = Socket::pair();
    let (sink, mut stream) = socket.split();
    // The writer goes on after `serve` returned, so that its last words are sent.
    let (gone, stop) = (CancellationToken::new(), tasks.token());
    let left = gone.clone();
    tasks.spawn_graceful("socket-write", OnPanic::Lose, async move {
        tokio::select! {
            () = write(sink, to_send, stop) => {}
            // Whoever left may have stopped to read as well: nothing waits for them for ever.
            () = async { left.cancelled().await; tokio::time::sleep(ENDING).await } => {}
        }
    });
    let serving = serve(fleet_side);
    tokio::pin!(serving);
    tokio::select! {
        () = read(&mut stream, arrived) => {}
        () = &mut serving => {
            // What arrives at a closed connection resets it, and what is still on its way is lost: the
            // other end closes first.
            let _ = tokio::time::timeout(LAST_WORDS, closed(stream)).await;
            return;
        }
    }
    gone.cancel();
    // Nothing more arrives: what serves sees that and notes the end of its session. What waits to say
    // more is told by the writer's end.
    let _ = tokio::time::timeout(ENDING * 2, serving).await;
}

/// Returns when the other end has closed the socket.
async fn closed(mut stream: SplitStream<WebSocket>) {
    while let Some(Ok(_)) = stream.next().await {}
}

async fn read(stream: &mut SplitStream<WebSocket>, arrived: mpsc::Sender<Message>) {
    // Pongs come every 15 s at least, so each wait is short while the other end lives.
    while let Ok(Some(Ok(message))) = tokio::time::timeout(DEAD_AFTER, stream.next()).await {
        let message = match message {
            ws::Message::Text(text) => Message::Text(text.as_str().to_owned()),
            ws::Message::Binary(bytes) => Message::Binary(bytes),
            ws::Message::Ping(_) | ws::Message::Pong(_) => continue,
            ws::Message::Close(_) => return,
        };
        if arrived.send(message).await.is_err() {
            return;
        }
    }
}

async fn write(
    mut sink: SplitSink<WebSocket, ws::Message>,
    mut to_send: mpsc::Receiver<Message>,
    stop: CancellationToken,
) {
    let mut ping = interval(PING_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let wrote = tokio::select! {
            message = to_send.recv() => match message {
                Some(message) => write_batch(&mut sink, message, &mut to_send).await,
                None => break,
            },
            _ = ping.tick() => sink.send(ws::Message::Ping(bytes::Bytes::new())).await.is_ok(),
            () = stop.cancelled() => break,
        };
        if !wrote {
            return;
        }
    }
    let _ = sink.close().await;
}

async fn write_batch(
    sink: &mut SplitSink<WebSocket, ws::Message>,
    first: Message,
    more: &mut mpsc::Receiver<Message>,
) -> bool {
    let mut next = Some(first);
    for _ in 0..FLUSH_EVERY {
        let Some(message) = next else { break };
        let last = matches!(message, Message::Close { .. });
        if sink.feed(to_axum(message)).await.is_err() || last {
            let _ = sink.flush().await;
            return false;
        }
        next = more.try_recv().ok();
    }
    if let Some(message) = next
        && sink.feed(to_axum(message)).await.is_err()
    {
        return false;
    }
    sink.flush().await.is_ok()
}

fn to_axum(message: Message) -> ws::Message {
    match message {
        Message::Text(text) => ws::Message::Text(text.into()),
        Message::Binary(bytes) => ws::Message::Binary(bytes),
        Message::Close { code, why } => {
            ws::Message::Close(Some(CloseFrame { code, reason: why.into() }))
        }
    }
}
