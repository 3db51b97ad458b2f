//! A client of Coder's API: one kept connection, typed answers, errors a person can act on.

use std::time::Duration;

use anyhow::Context as _;
use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, StatusCode, header};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::client::conn::http1::{SendRequest, handshake};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::headers::TOKEN;
use crate::model::factor::Ask;
use crate::net::dial::{ConnectError, Dialer};
use crate::tasks::{OnPanic, Tasks};
use crate::wire::coder;

/// Time for an answer to come whole. A template's archive of 100 MiB over 2 MB/s takes a minute.
const ANSWER_WITHIN: Duration = Duration::from_secs(120);
/// Longest answer read. A template's archive is at most 100 MiB.
const MAX_ANSWER: usize = 128 << 20;
/// Longest part of an answer that is no JSON which is shown.
const MAX_SHOWN: usize = 200;

/// An answer that is not a success.
#[derive(Clone, Debug, thiserror::Error)]
#[error("{}", self.describe())]
pub struct Refused {
    /// The HTTP status.
    pub status: StatusCode,
    /// What the server says.
    pub error: coder::Error,
    /// Which server.
    pub server: String,
    /// Whether the request came with a token.
    pub with_token: bool,
}

impl Refused {
    fn describe(&self) -> String {
        let mut text = self.error.message.clone();
        // The detail says in a sentence what the fields say one by one.
        let word = self.error.detail.starts_with("mfa_");
        let says_more = self.error.validations.is_empty() && self.error.detail != text && !word;
        if says_more && !self.error.detail.is_empty() {
            text.push_str(&format!("\n{}", self.error.detail));
        }
        for wrong in &self.error.validations {
            text.push_str(&format!("\n  {}: {}", wrong.field, wrong.detail));
        }
        if self.error.detail == Ask::Factor.code() {
            text.push_str(
                "\nRun the command at a terminal, which asks for it, or give an API token.",
            );
        }
        if self.status == StatusCode::UNAUTHORIZED && self.with_token {
            text.push_str(&format!("\nSign in again with `steading login {}`.", self.server));
        }
        text
    }
}

/// The status of a refusal somewhere in an error; none when it is another kind of error.
#[must_use]
pub fn status_of(error: &anyhow::Error) -> Option<StatusCode> {
    error.downcast_ref::<Refused>().map(|r| r.status)
}

/// What a refusal somewhere in an error says beside its message.
#[must_use]
pub fn detail_of(error: &anyhow::Error) -> Option<&str> {
    error.downcast_ref::<Refused>().map(|r| r.error.detail.as_str())
}

/// A refusal told in other words; its status stays.
#[must_use]
pub fn retold(error: anyhow::Error, message: String) -> anyhow::Error {
    match error.downcast::<Refused>() {
        Ok(mut refused) => {
            refused.error = coder::Error { message, detail: String::new(), validations: vec![] };
            refused.into()
        }
        Err(other) => other,
    }
}

/// A client for one server.
pub struct Client {
    base: url::Url,
    headers: HeaderMap,
    dialer: Dialer,
    kept: tokio::sync::Mutex<Option<SendRequest<Full<Bytes>>>>,
    tasks: Tasks,
}

impl Client {
    /// A client that has not connected yet.
    #[must_use]
    pub fn new(base: url::Url, headers: HeaderMap, dialer: Dialer, tasks: Tasks) -> Self {
        Self { base, headers, dialer, kept: tokio::sync::Mutex::new(None), tasks }
    }

    /// How the server is connected to.
    #[must_use]
    pub fn dialer(&self) -> &Dialer {
        &self.dialer
    }

    /// The server's address.
    #[must_use]
    pub fn server(&self) -> &url::Url {
        &self.base
    }

    /// The address without the closing slash, as people write it.
    #[must_use]
    pub fn server_text(&self) -> &str {
        self.base.as_str().trim_end_matches('/')
    }

    /// The headers of each request.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// The whole address of a path, which may have a query of its own; `query` pairs are escaped.
    #[must_use]
    pub fn address(&self, path: &str, query: &[(&str, &str)]) -> url::Url {
        let mut url = self.base.clone();
        let (path, own) = path.split_once('?').map_or((path, None), |(path, q)| (path, Some(q)));
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        url.set_query(own);
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        url
    }

    /// `GET`, read as JSON.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn get<T: DeserializeOwned>(&self, path: &str) -> anyhow::Result<T> {
        self.query(path, &[]).await
    }

    /// `GET` with a query, read as JSON.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn query<T: DeserializeOwned>(
        &self,
        path: &str,
        query: &[(&str, &str)],
    ) -> anyhow::Result<T> {
        let url = self.address(path, query);
        read(path, &self.send(Method::GET, &url, None).await?)
    }

    /// `GET`, as it is.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn bytes(&self, path: &str) -> anyhow::Result<Bytes> {
        self.send(Method::GET, &self.address(path, &[]), None).await
    }

    /// `GET` of any length, handed on in parts.
    ///
    /// # Errors
    /// When the server cannot be reached, refuses, or stops in the middle, or `each` fails.
    pub async fn download(
        &self,
        path: &str,
        query: &[(&str, &str)],
        mut each: impl FnMut(&[u8]) -> anyhow::Result<()>,
    ) -> anyhow::Result<()> {
        let url = self.address(path, query);
        let begin = async {
            // Its own connection: the answer may be left in the middle.
            let mut sender = self.connect().await?;
            sender.ready().await?;
            Ok(sender.send_request(self.request(Method::GET, &url, None)?).await?)
        };
        let late = || anyhow::anyhow!("nothing came for {} s", ANSWER_WITHIN.as_secs());
        let begun = tokio::time::timeout(ANSWER_WITHIN, begin).await;
        let response = begun.unwrap_or_else(|_| Err(late())).map_err(|e| self.unreached(&e))?;
        let status = response.status();
        let mut body = response.into_body();
        if !status.is_success() {
            let collected = Limited::new(body, MAX_ANSWER).collect().await;
            let bytes = collected.map_err(|e| anyhow::anyhow!("{e}"))?.to_bytes();
            return Err(self.refusal(status, &url, &bytes).into());
        }
        loop {
            let frame = tokio::time::timeout(ANSWER_WITHIN, body.frame()).await;
            let Some(frame) = frame.map_err(|_| late())? else { return Ok(()) };
            let frame = frame.context("The answer broke off in the middle")?;
            frame.data_ref().map_or(Ok(()), |part| each(part))?;
        }
    }

    /// Sends JSON and reads JSON.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn call<B: Serialize, T: DeserializeOwned>(
        &self,
        method: Method,
        path: &str,
        body: &B,
    ) -> anyhow::Result<T> {
        read(path, &self.tell_for_answer(method, path, body).await?)
    }

    /// Sends JSON; the answer does not matter.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn tell<B: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: &B,
    ) -> anyhow::Result<()> {
        self.tell_for_answer(method, path, body).await.map(drop)
    }

    /// `DELETE`.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn delete(&self, path: &str) -> anyhow::Result<()> {
        self.send(Method::DELETE, &self.address(path, &[]), None).await.map(drop)
    }

    /// `POST` or `PUT` of something that is not JSON.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn upload(
        &self,
        method: Method,
        path: &str,
        kind: &'static str,
        body: Bytes,
    ) -> anyhow::Result<Bytes> {
        self.send(method, &self.address(path, &[]), Some((kind, body))).await
    }

    async fn tell_for_answer<B: Serialize>(
        &self,
        method: Method,
        path: &str,
        body: &B,
    ) -> anyhow::Result<Bytes> {
        let json = Bytes::from(serde_json::to_vec(body)?);
        self.send(method, &self.address(path, &[]), Some(("application/json", json))).await
    }

    async fn send(
        &self,
        method: Method,
        url: &url::Url,
        body: Option<(&'static str, Bytes)>,
    ) -> anyhow::Result<Bytes> {
        let exchange = self.exchange(method, url, body);
        let answered = tokio::time::timeout(ANSWER_WITHIN, exchange).await;
        let answered = answered.unwrap_or_else(|_| {
            Err(anyhow::anyhow!("no answer came within {} s", ANSWER_WITHIN.as_secs()))
        });
        let (status, bytes) = answered.map_err(|error| self.unreached(&error))?;
        if status.is_success() {
            return Ok(bytes);
        }
        Err(self.refusal(status, url, &bytes).into())
    }

    fn unreached(&self, error: &anyhow::Error) -> anyhow::Error {
        let refused = std::io::ErrorKind::ConnectionRefused;
        let is_refused = matches!(
            error.downcast_ref::<ConnectError>(),
            Some(ConnectError::Io(io)) if io.kind() == refused
        );
        let hint = if is_refused { " Is the server running there?" } else { "" };
        anyhow::anyhow!("{} cannot be reached: {error:#}.{hint}", self.server_text())
    }

    fn refusal(&self, status: StatusCode, url: &url::Url, body: &[u8]) -> Refused {
        let error = serde_json::from_slice::<coder::Error>(body).ok();
        let error = error.filter(|e| !e.message.is_empty()).unwrap_or_else(|| {
            let text: String = String::from_utf8_lossy(body).chars().take(MAX_SHOWN).collect();
            coder::Error {
                message: format!("{url} answered {status}"),
                detail: text.trim().to_owned(),
                validations: vec![],
            }
        });
        let with_token = self.headers.contains_key(TOKEN);
        Refused { status, error, server: self.server_text().to_owned(), with_token }
    }

    async fn exchange(
        &self,
        method: Method,
        url: &url::Url,
        body: Option<(&'static str, Bytes)>,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let mut kept = self.kept.lock().await;
        let mut sender = match kept.take() {
            Some(sender) if !sender.is_closed() => sender,
            Some(_) | None => self.connect().await?,
        };
        sender.ready().await?;
        let response = sender.send_request(self.request(method, url, body)?).await?;
        let status = response.status();
        let collected = Limited::new(response.into_body(), MAX_ANSWER).collect().await;
        let bytes = collected.map_err(|e| anyhow::anyhow!("{e}"))?.to_bytes();
        *kept = Some(sender);
        Ok((status, bytes))
    }

    fn request(
        &self,
        method: Method,
        url: &url::Url,
        body: Option<(&'static str, Bytes)>,
    ) -> anyhow::Result<Request<Full<Bytes>>> {
        let host = url.host_str().context("the address has no host")?;
        let host = url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"));
        let target = url
            .query()
            .map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let (kind, bytes) = body.map_or((None, Bytes::new()), |(k, b)| (Some(k), b));
        let mut request = Request::builder().method(method).uri(target).body(Full::new(bytes))?;
        let headers = request.headers_mut();
        headers.extend(self.headers.clone());
        headers.insert(header::HOST, host.parse()?);
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        if let Some(kind) = kind {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        }
        Ok(request)
    }

    async fn connect(&self) -> anyhow::Result<SendRequest<Full<Bytes>>> {
        let io = self.dialer.dial(&self.base).await?;
        let (sender, connection) = handshake(TokioIo::new(io)).await?;
        self.tasks.spawn("http connection", OnPanic::Lose, async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "the connection to the server ended");
            }
        });
        Ok(sender)
    }
}

/// How this program names itself to servers.
pub const USER_AGENT: &str = concat!("steading/", env!("CARGO_PKG_VERSION"));

fn read<T: DeserializeOwned>(path: &str, bytes: &[u8]) -> anyhow::Result<T> {
    serde_json::from_slice(bytes).with_context(|| {
        let text: String = String::from_utf8_lossy(bytes).chars().take(MAX_SHOWN).collect();
        format!("Reading the answer of {path}, which begins with {text:?}")
    })
}

/// A path's segment, escaped.
#[must_use]
pub fn segment(text: &str) -> String {
    text.bytes()
        .map(|b| match b {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' | b'@' => {
                char::from(b).to_string()
            }
            other => format!("%{other:02X}"),
        })
        .collect()
}
