//! A WebSocket to the server: kept alive, and given up when silent.

use std::time::Duration;

use bytes::Bytes;
use futures_util::stream::{SplitSink, SplitStream};
use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::mpsc;
use tokio::time::{MissedTickBehavior, interval, timeout};
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;
use tokio_tungstenite::tungstenite::error::ProtocolError;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;
use tokio_tungstenite::tungstenite::{self, Error as WsError};
use tokio_tungstenite::{WebSocketStream, client_async_with_config};

use super::dial::{self, BoxIo, CONNECT_WITHIN, ConnectError, Dialer};
use crate::wire::{MAX_CONTROL_BYTES, MAX_RELAY_BYTES};

/// How often the other end is asked for a sign of life. Shorter than the idle limit of common proxies.
pub const PING_EVERY: Duration = Duration::from_secs(15);
/// Silence, or a write that does not get through, for this long means the connection is lost: two pings.
pub const DEAD_AFTER: Duration = Duration::from_secs(30);
/// Room for one read. Small, since an idle agent keeps it for its whole life.
const READ_BUFFER: usize = 16 << 10;
/// Messages written before a flush, so that datagrams share a packet but none waits long.
const FLUSH_EVERY: usize = 32;
/// Longest part of a refusal's body that is shown.
const MAX_WHY: usize = 300;

/// What crosses the socket; control frames are dealt with here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Message {
    /// A control message, JSON.
    Text(String),
    /// A relay frame.
    Binary(Bytes),
}

/// Why a connection is over.
#[derive(Debug, thiserror::Error)]
pub enum Lost {
    /// The other end closed it.
    #[error("the server closed the connection")]
    Closed,
    /// Nothing was heard for [`DEAD_AFTER`].
    #[error("nothing was heard for {} s", DEAD_AFTER.as_secs())]
    Silent,
    /// The network, or the other end broke the protocol.
    #[error("{0}")]
    Broken(String),
}

type Socket = WebSocketStream<BoxIo>;

/// The sending half.
pub struct Outgoing(SplitSink<Socket, tungstenite::Message>);

/// The receiving half.
pub struct Incoming(SplitStream<Socket>);

impl Dialer {
    /// Opens a WebSocket. `url` may start with `http` or `ws`, with or without `s`.
    ///
    /// # Errors
    /// When the server cannot be reached or does not want it.
    pub async fn connect(
        &self,
        url: &url::Url,
        headers: &http::HeaderMap,
    ) -> Result<(Outgoing, Incoming), ConnectError> {
        let connected = timeout(CONNECT_WITHIN, self.try_connect(url, headers)).await;
        connected.map_err(|_| ConnectError::TimedOut)?
    }

    async fn try_connect(
        &self,
        url: &url::Url,
        headers: &http::HeaderMap,
    ) -> Result<(Outgoing, Incoming), ConnectError> {
        let io = self.dial(url).await?;
        let mut ws_url = url.clone();
        let scheme = if dial::is_tls(url) { "wss" } else { "ws" };
        ws_url.set_scheme(scheme).map_err(|()| ConnectError::Address(url.to_string()))?;
        let mut request = ws_url.as_str().into_client_request().map_err(from_handshake)?;
        for (name, value) in headers {
            request.headers_mut().insert(name.clone(), value.clone());
        }
        let limit = MAX_CONTROL_BYTES.max(MAX_RELAY_BYTES);
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BUFFER)
            .max_write_buffer_size(4 * limit)
            .max_message_size(Some(limit))
            .max_frame_size(Some(limit));
        let (socket, _) =
            client_async_with_config(request, io, Some(config)).await.map_err(from_handshake)?;
        let (out, incoming) = socket.split();
        Ok((Outgoing(out), Incoming(incoming)))
    }
}

fn from_handshake(error: WsError) -> ConnectError {
    #[expect(clippy::wildcard_enum_match_arm, reason = "not our enum; the rest is for a person")]
    match error {
        WsError::Http(response) => {
            let (status, headers) = (response.status(), response.headers());
            let text = |name| headers.get(name).and_then(|v| v.to_str().ok()).unwrap_or_default();
            let is_page = text(http::header::CONTENT_TYPE).starts_with("text/html");
            if is_page && status.is_server_error() {
                let why = "what stands before the server does not reach it".to_owned();
                return ConnectError::Refused { status: status.as_u16(), why };
            }
            // Nothing that the server says here is a page.
            if status.is_redirection() || is_page {
                let to: String = text(http::header::LOCATION).chars().take(MAX_WHY).collect();
                let to = if to.is_empty() { to } else { format!(" and leads to {to}") };
                let what = format!("answered {}{to}", status.as_u16());
                return ConnectError::InBetween { what };
            }
            let body = response.body().as_deref().unwrap_or_default();
            let why: String = String::from_utf8_lossy(body).chars().take(MAX_WHY).collect();
            ConnectError::Refused { status: status.as_u16(), why }
        }
        WsError::Io(error) => ConnectError::Io(error),
        WsError::Protocol(ProtocolError::WrongHttpVersion) => {
            ConnectError::InBetween { what: "answered in an old version of HTTP".to_owned() }
        }
        other => ConnectError::Protocol(other.to_string()),
    }
}

impl Outgoing {
    /// Sends one message at once.
    ///
    /// # Errors
    /// When the connection is over.
    pub async fn send(&mut self, message: Message) -> Result<(), Lost> {
        within(self.0.send(to_ws(message))).await
    }

    /// Writes what comes through `queue`, and pings, until the connection is lost. Ends with
    /// [`Lost::Closed`] when the queue's senders are gone.
    pub async fn run(mut self, mut queue: mpsc::Receiver<Message>) -> Lost {
        let mut ping = interval(PING_EVERY);
        ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let done = tokio::select! {
                message = queue.recv() => match message {
                    Some(first) => self.write_batch(first, &mut queue).await,
                    None => {
                        let _ = within(self.0.close()).await;
                        return Lost::Closed;
                    }
                },
                _ = ping.tick() => within(self.0.send(tungstenite::Message::Ping(Bytes::new()))).await,
            };
            if let Err(lost) = done {
                return lost;
            }
        }
    }

    async fn write_batch(
        &mut self,
        first: Message,
        queue: &mut mpsc::Receiver<Message>,
    ) -> Result<(), Lost> {
        within(self.0.feed(to_ws(first))).await?;
        for _ in 1..FLUSH_EVERY {
            let Ok(next) = queue.try_recv() else { break };
            within(self.0.feed(to_ws(next))).await?;
        }
        within(self.0.flush()).await
    }
}

async fn within<F: Future<Output = Result<(), WsError>>>(write: F) -> Result<(), Lost> {
    match timeout(DEAD_AFTER, write).await {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(from_stream(&error)),
        Err(_) => Err(Lost::Silent),
    }
}

fn from_stream(error: &WsError) -> Lost {
    if matches!(error, WsError::ConnectionClosed | WsError::AlreadyClosed) {
        return Lost::Closed;
    }
    Lost::Broken(error.to_string())
}

fn to_ws(message: Message) -> tungstenite::Message {
    match message {
        Message::Text(text) => tungstenite::Message::Text(text.into()),
        Message::Binary(bytes) => tungstenite::Message::Binary(bytes),
    }
}

impl Incoming {
    /// Waits for the next message. May be dropped and called again: nothing is lost by it.
    ///
    /// # Errors
    /// When the connection is over, or silent for [`DEAD_AFTER`].
    pub async fn next(&mut self) -> Result<Message, Lost> {
        use tungstenite::Message as Ws;
        loop {
            let next = timeout(DEAD_AFTER, self.0.next()).await.map_err(|_| Lost::Silent)?;
            match next {
                Some(Ok(Ws::Text(text))) => return Ok(Message::Text(text.as_str().to_owned())),
                Some(Ok(Ws::Binary(bytes))) => return Ok(Message::Binary(bytes)),
                Some(Ok(Ws::Close(_))) | None => return Err(Lost::Closed),
                Some(Ok(Ws::Ping(_) | Ws::Pong(_) | Ws::Frame(_))) => {}
                Some(Err(error)) => return Err(from_stream(&error)),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    use tokio::net::TcpListener;

    use super::*;

    async fn answering(answer: &'static str) -> url::Url {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let tasks = crate::tasks::Tasks::new();
        tasks.spawn("server", crate::tasks::OnPanic::Lose, async move {
            let (mut io, _) = listener.accept().await.unwrap();
            let mut request = [0; 1024];
            let _ = io.read(&mut request).await;
            io.write_all(answer.as_bytes()).await.unwrap();
        });
        format!("http://{address}/x").parse().unwrap()
    }

    #[tokio::test]
    async fn a_refusal_is_told_with_its_status() {
        let url = answering("HTTP/1.1 401 Unauthorized\r\nContent-Length: 2\r\n\r\nno").await;
        match Dialer::default().connect(&url, &http::HeaderMap::new()).await {
            Err(ConnectError::Refused { status: 401, .. }) => {}
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("connected"),
        }
    }

    #[tokio::test]
    async fn a_proxy_without_its_server_is_no_sign_in_page() {
        let page =
            "HTTP/1.1 502 Bad Gateway\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno";
        match Dialer::default().connect(&answering(page).await, &http::HeaderMap::new()).await {
            Err(ConnectError::Refused { status: 502, why }) => {
                assert_eq!(why, "what stands before the server does not reach it");
            }
            Err(other) => panic!("{other:?}"),
            Ok(_) => panic!("connected"),
        }
    }

    #[tokio::test]
    async fn a_networks_sign_in_page_is_no_word_of_the_server() {
        let portal =
            "HTTP/1.1 302 Found\r\nLocation: http://login.test/\r\nContent-Length: 0\r\n\r\n";
        let page =
            "HTTP/1.1 403 Forbidden\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nno";
        let old = "HTTP/1.0 200 OK\r\n\r\n<html>";
        let to = "302 and leads to http://login.test/. ";
        for (answer, says) in [(portal, to), (page, "403. "), (old, "old version of HTTP")] {
            let url = answering(answer).await;
            match Dialer::default().connect(&url, &http::HeaderMap::new()).await {
                Err(error @ ConnectError::InBetween { .. }) => {
                    assert!(error.to_string().contains(says), "{error}");
                }
                Err(other) => panic!("{other:?}"),
                Ok(_) => panic!("connected"),
            }
        }
    }

    #[tokio::test]
    async fn messages_and_pings_cross() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/x", listener.local_addr().unwrap()).parse().unwrap();
        let tasks = crate::tasks::Tasks::new();
        tasks.spawn("server", crate::tasks::OnPanic::Lose, async move {
            let (io, _) = listener.accept().await.unwrap();
            let mut socket = tokio_tungstenite::accept_async(io).await.unwrap();
            while let Some(Ok(message)) = socket.next().await {
                if message.is_text() || message.is_binary() {
                    socket.send(message).await.unwrap();
                }
            }
        });
        let connected = Dialer::default().connect(&url, &http::HeaderMap::new()).await;
        let (out, mut incoming) = connected.unwrap();
        let (queue, messages) = mpsc::channel(4);
        tasks.spawn("writer", crate::tasks::OnPanic::Lose, async move {
            out.run(messages).await;
        });
        for message in [Message::Text("a".into()), Message::Binary(Bytes::from_static(b"b"))] {
            queue.send(message.clone()).await.unwrap();
            assert_eq!(incoming.next().await.unwrap(), message);
        }
        drop(queue);
        assert!(matches!(incoming.next().await, Err(Lost::Closed)));
    }
}
