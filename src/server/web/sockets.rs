//! WebSockets of agents, clients and terminals: upgraded here, served by the fleet.

use axum::extract::ws::{self, CloseFrame, WebSocket, WebSocketUpgrade};
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio::time::{Duration, MissedTickBehavior, interval};

use crate::server::fleet::socket::{Message, Socket};
use crate::tasks::{OnPanic, Tasks};
use crate::wire::{MAX_CONTROL_BYTES, MAX_RELAY_BYTES};

/// How often the other end is asked for a sign of life. Shorter than the idle limit of common proxies.
const PING_EVERY: Duration = Duration::from_secs(15);
/// Silence for this long means the connection is lost: two pings.
const DEAD_AFTER: Duration = Duration::from_secs(35);
/// Messages written before a flush, so that datagrams share a packet but none waits long.
const FLUSH_EVERY: usize = 32;
/// Room for one read of the socket.
const READ_BUFFER: usize = 64 << 10;
/// Bytes that may wait to be written.
const WRITE_BUFFER: usize = 4 << 20;

/// Bounds of every socket.
#[must_use]
pub fn bounded(upgrade: WebSocketUpgrade) -> WebSocketUpgrade {
    upgrade
        .max_message_size(MAX_CONTROL_BYTES.max(MAX_RELAY_BYTES))
        .max_frame_size(MAX_CONTROL_BYTES.max(MAX_RELAY_BYTES))
        .read_buffer_size(READ_BUFFER)
        .write_buffer_size(0)
        .max_write_buffer_size(WRITE_BUFFER)
}

/// Carries a WebSocket's messages to and from a [`Socket`], which `serve` is given.
pub async fn run<F>(socket: WebSocket, tasks: Tasks, serve: impl FnOnce(Socket) -> F)
where
    F: Future<Output = ()>,
{
    let (fleet_side, arrived, to_send) = Socket::pair();
    let (sink, stream) = socket.split();
    // The writer goes on after `serve` returned, so that its last words are sent.
    tasks.spawn_graceful("socket-write", OnPanic::Lose, write(sink, to_send, tasks.token()));
    tokio::select! {
        () = read(stream, arrived) => {}
        () = serve(fleet_side) => {}
    }
}

async fn read(mut stream: SplitStream<WebSocket>, arrived: mpsc::Sender<Message>) {
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
    stop: tokio_util::sync::CancellationToken,
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
