//! Sockets of agents, clients and terminals: upgraded here, served by the fleet.

use axum::extract::ws::{self, CloseFrame, WebSocket, WebSocketUpgrade};
use axum::response::Response;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use http::{HeaderMap, StatusCode, header};
use tokio::sync::mpsc;
use tokio::time::{Duration, MissedTickBehavior, interval};
use tokio_util::sync::CancellationToken;

use super::address::ClientAddress;
use super::extract::{Path, Query};
use super::pages::ssh_address;
use super::routes::Routes;
use super::{Access, Answer, Problem, State, Who};
use crate::model::id::{AgentId, TerminalId};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::terminal::Coming;
use crate::model::user::UserRef;
use crate::server::app::Actor;
use crate::server::fleet::clients::Client;
use crate::server::fleet::coming::{Attach, Showing};
use crate::server::fleet::socket::{Halves, Message, Socket};

use crate::tasks::{OnPanic, Tasks};
use crate::wire::{MAX_CONTROL_BYTES, MAX_RELAY_BYTES};

/// How often the other end is asked for a sign of life. Shorter than the idle limit of common proxies.
const PING_EVERY: Duration = Duration::from_secs(15);
/// Silence for this long means the connection is lost: two pings. So does not reading one message.
const DEAD_AFTER: Duration = Duration::from_secs(35);
/// Messages written before a flush, so that datagrams share a packet but none waits long.
const FLUSH_EVERY: usize = 32;
/// Room for one read of a socket whose other end says little: keys, or nothing. Every socket keeps it.
const READ_BUFFER: usize = 4 << 10;
/// Room for one read of a socket that relays datagrams.
const RELAY_READ_BUFFER: usize = 64 << 10;
/// Bytes that may wait to be written.
const WRITE_BUFFER: usize = 4 << 20;

/// Time for the close to be written.
const CLOSE_WITHIN: Duration = Duration::from_secs(1);
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
        .get(
            Access::may(R::Workspace, A::Ssh),
            "/api/v2/workspaceagents/{agent}/coordinate",
            coordinate,
        )
        .get(Access::may(R::Workspace, A::Ssh), "/api/v2/workspaceagents/{agent}/pty", pty)
}

async fn agent(
    state: State,
    Who(actor): Who,
    ClientAddress(ip): ClientAddress,
    upgrade: WebSocketUpgrade,
) -> Answer<Response> {
    let Actor::Agent { agent, workspace } = actor else { return Err(Problem::signed_out()) };
    let (fleet, tasks) = (state.fleet.clone(), state.tasks.clone());
    Ok(relaying(upgrade).on_upgrade(move |socket| {
        let serve = move |s| async move { fleet.serve_agent(agent, workspace, ip, s).await };
        run(socket, tasks, serve)
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
    let (user, shown) = (user_ref(&actor)?, actor.shown(Some(ip)));
    let client = Client { user, agent, workspace, shown };
    let demanded = state.app.demands_recording(client.user.id, (workspace, shown)).await?;
    if state.app.recording_policy().is_demanded(demanded).is_some() {
        return Err(goes_past(&state));
    }
    let (fleet, tasks) = (state.fleet.clone(), state.tasks.clone());
    Ok(relaying(upgrade).on_upgrade(move |socket| {
        run(socket, tasks, move |s| async move { fleet.serve_client(client, s).await })
    }))
}

/// What whoever wants a tunnel of their own is told where sessions are recorded.
fn goes_past(state: &State) -> Problem {
    let (host, port) = ssh_address(&state.site);
    let port = if port == 22 { String::new() } else { format!("-p {port} ") };
    let why = format!(
        "Sessions in this workspace are recorded, and a tunnel of your own would go past that. Use \
         plain ssh: ssh {port}WORKSPACE@{host}"
    );
    Problem::new(StatusCode::FORBIDDEN, why)
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
    /// To look on, whatever one may.
    #[serde(default)]
    watch: bool,
    /// To be told who is there, as text between the terminal's bytes.
    #[serde(default)]
    seats: bool,
    /// To be drawn for a window that keeps its own size.
    #[serde(default)]
    drawn: bool,
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
    let coming = if query.watch { Coming::Watch } else { Coming::Join };
    let place = state.app.agent_to_join(&actor, agent, coming).await?;
    let client = headers.get(header::USER_AGENT).and_then(|v| v.to_str().ok()).unwrap_or_default();
    let attach = Attach {
        user: user_ref(&actor)?,
        place,
        coming,
        agent,
        terminal: query.reconnect,
        cols: query.width,
        rows: query.height,
        command: Some(query.command).filter(|c| !c.is_empty()),
        address: ip.to_string(),
        client: client.chars().take(MAX_CLIENT_CHARS).collect(),
        shown: actor.shown(Some(ip)),
        showing: match (query.drawn, query.seats) {
            (true, _) => Showing::Drawn,
            (false, true) => Showing::Seats,
            (false, false) => Showing::Plain,
        },
        actor,
    };
    let (fleet, tasks) = (state.fleet.clone(), state.tasks.clone());
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
    let (fleet_side, Halves { arrived, to_send, controls }) = Socket::pair();
    let (mut sink, mut stream) = socket.split();
    let gone = CancellationToken::new();
    let (reader, stop) = (gone.clone(), tasks.token());
    // The writer goes on after `serve` returned, so that its last words are sent.
    tasks.spawn_graceful("socket-write", OnPanic::Lose, async move {
        tokio::select! {
            () = write(&mut sink, to_send, controls, stop) => {}
            () = reader.cancelled() => {}
        }
        let _ = tokio::time::timeout(CLOSE_WITHIN, sink.close()).await;
    });
    let serving = serve(fleet_side);
    tokio::pin!(serving);
    tokio::select! {
        () = read(&mut stream, arrived) => gone.cancel(),
        () = &mut serving => {
            // What arrives at a closed connection resets it, and what is still on its way is lost: the
            // other end closes first.
            let _ = tokio::time::timeout(LAST_WORDS, closed(stream)).await;
            return;
        }
    }
    // Nothing more arrives or leaves: what serves sees that and notes the end of its session.
    serving.await;
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
    sink: &mut SplitSink<WebSocket, ws::Message>,
    mut to_send: mpsc::Receiver<Message>,
    mut controls: mpsc::Receiver<String>,
    stop: CancellationToken,
) {
    let mut ping = interval(PING_EVERY);
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let wrote = tokio::select! {
            // Data comes last: there may always be more of it.
            biased;
            () = stop.cancelled() => break,
            Some(text) = controls.recv() => send(sink, ws::Message::Text(text.into())).await,
            _ = ping.tick() => send(sink, ws::Message::Ping(bytes::Bytes::new())).await,
            message = to_send.recv() => match message {
                Some(message) => write_batch(sink, message, &mut to_send).await,
                None => break,
            },
        };
        if !wrote {
            return;
        }
    }
    while let Ok(text) = controls.try_recv() {
        if !send(sink, ws::Message::Text(text.into())).await {
            return;
        }
    }
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
        if !in_time(sink.feed(to_axum(message))).await || last {
            in_time(sink.flush()).await;
            return false;
        }
        next = more.try_recv().ok();
    }
    if let Some(message) = next
        && !in_time(sink.feed(to_axum(message))).await
    {
        return false;
    }
    in_time(sink.flush()).await
}

async fn send(sink: &mut SplitSink<WebSocket, ws::Message>, message: ws::Message) -> bool {
    in_time(sink.send(message)).await
}

/// Whether the other end took what was written before it is taken for lost.
async fn in_time(writing: impl Future<Output = Result<(), axum::Error>>) -> bool {
    matches!(tokio::time::timeout(DEAD_AFTER, writing).await, Ok(Ok(())))
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
