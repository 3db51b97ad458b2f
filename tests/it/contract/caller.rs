//! Calls over a real socket, as a client's own HTTP library makes them.

use std::time::Duration;

use bytes::Bytes;
use futures_util::StreamExt as _;
use http::{HeaderMap, Method, Request, StatusCode};
use http_body_util::{BodyExt as _, Full};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest as _;

/// How long the first word of a stream may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// Someone with a token, at a server.
pub struct Caller {
    pub url: String,
    pub token: String,
    http: Client<HttpConnector, Full<Bytes>>,
}

/// What came back.
pub struct Answer {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Bytes,
}

impl Answer {
    /// The body as JSON.
    #[track_caller]
    pub fn json(&self) -> Value {
        assert_eq!(self.headers["content-type"], "application/json", "{}", self.text());
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).chars().take(2000).collect()
    }

    /// The answer, if the status is the expected one.
    #[track_caller]
    pub fn expect(self, status: u16) -> Self {
        assert_eq!(self.status.as_u16(), status, "{}", self.text());
        self
    }
}

impl Caller {
    pub fn new(url: &str, token: &str) -> Self {
        let http = Client::builder(TokioExecutor::new()).build_http();
        Self { url: url.to_owned(), token: token.trim().to_owned(), http }
    }

    fn request(&self, method: &str, path: &str) -> http::request::Builder {
        let method = if method == "SSE" { Method::GET } else { method.parse().unwrap() };
        Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.url))
            .header("Coder-Session-Token", &self.token)
            .header("User-Agent", "coder contract")
    }

    /// A call, with what is sent and further headers.
    pub async fn call(
        &self,
        (method, path): (&str, &str),
        body: Option<Bytes>,
        headers: &[(&str, &str)],
    ) -> Answer {
        let mut request = self.request(method, path);
        if body.as_ref().is_some_and(|b| b.starts_with(b"{") || b.starts_with(b"[")) {
            request = request.header("Content-Type", "application/json");
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let request = request.body(Full::new(body.unwrap_or_default())).unwrap();
        let response = self.http.request(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let body = body.collect().await.unwrap().to_bytes();
        Answer { status: parts.status, headers: parts.headers, body }
    }

    pub async fn get(&self, path: &str) -> Answer {
        self.call(("GET", path), None, &[]).await
    }

    /// A JSON body.
    pub async fn send(&self, method: &str, path: &str, body: Value) -> Answer {
        self.call((method, path), Some(body.to_string().into()), &[]).await
    }

    /// The first event of a stream: its name and its data.
    pub async fn event(&self, path: &str) -> (String, Value) {
        let request = self.request("SSE", path).header("Accept", "text/event-stream");
        let request = request.body(Full::new(Bytes::new())).unwrap();
        let mut response = self.http.request(request).await.unwrap();
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let mut text = String::new();
        let read = async {
            loop {
                let frame = response.body_mut().frame().await.unwrap().unwrap();
                text.push_str(std::str::from_utf8(&frame.into_data().unwrap()).unwrap());
                if let Some(event) = text.split_once("\n\n").and_then(|(event, _)| data_of(event)) {
                    return event;
                }
                if let Some((_, rest)) = text.split_once("\n\n") {
                    text = rest.to_owned();
                }
            }
        };
        tokio::time::timeout(PATIENCE, read).await.unwrap()
    }

    /// A WebSocket.
    pub async fn socket(&self, path: &str) -> Watched {
        let url = format!("{}{path}", self.url.replacen("http", "ws", 1));
        let mut request = url.into_client_request().unwrap();
        request.headers_mut().insert("Coder-Session-Token", self.token.parse().unwrap());
        let address = self.url.trim_start_matches("http://");
        let stream = tokio::net::TcpStream::connect(address).await.unwrap();
        let opened = tokio_tungstenite::client_async(request, stream).await;
        Watched(opened.unwrap_or_else(|e| panic!("{path}: {e}")).0)
    }
}

fn data_of(event: &str) -> Option<(String, Value)> {
    let line = |name: &str| event.lines().find_map(|line| line.strip_prefix(name));
    let data = serde_json::from_str(line("data: ")?).unwrap();
    Some((line("event: ").unwrap_or_default().to_owned(), data))
}

/// A socket that is read.
pub struct Watched(WebSocketStream<tokio::net::TcpStream>);

impl Watched {
    /// The next message that is no ping of the stream's own.
    pub async fn next(&mut self) -> Value {
        let read = async {
            loop {
                let message = self.0.next().await.expect("the socket stays open").unwrap();
                let Message::Text(text) = message else { continue };
                let value: Value = serde_json::from_str(&text).unwrap();
                if value["type"] != "ping" {
                    return value;
                }
            }
        };
        tokio::time::timeout(PATIENCE, read).await.expect("something is said")
    }

    /// Whether nothing ends it for a moment.
    pub async fn stays_open(&mut self) -> bool {
        let moment = Duration::from_millis(500);
        loop {
            match tokio::time::timeout(moment, self.0.next()).await {
                Err(_) => return true,
                Ok(Some(Ok(message))) if !message.is_close() => {}
                Ok(_) => return false,
            }
        }
    }
}
