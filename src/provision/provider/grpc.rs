//! gRPC as Terraform uses it: unary calls over HTTP/2, a five-byte frame and one trailer.

use std::convert::Infallible;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use http_body_util::BodyExt as _;
use hyper::body::{Body, Bytes, Frame, Incoming};
use hyper::{HeaderMap, Request, Response};
use hyper_util::rt::TokioIo;
use prost::Message as _;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio_util::sync::CancellationToken;

use super::Provider;
use super::calls::{Connection, Status, UNIMPLEMENTED};
use super::proto::HealthAnswer;
use crate::tasks::{OnPanic, Tasks};

/// Largest call accepted. Terraform's own limit is as large; a template of a thousand resources
/// stays under a megabyte a call.
const MAX_CALL_BYTES: usize = 64 << 20;

/// Streams at once on one connection: Terraform walks ten resources at a time by default.
const MAX_STREAMS: u32 = 256;

/// Serves one connection until it ends. `shutdown` is cancelled when Terraform asks for the end.
pub(super) async fn serve<I>(
    io: I,
    provider: Arc<Provider>,
    tasks: &Tasks,
    shutdown: CancellationToken,
) where
    I: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let connection = Arc::new(Connection::new(provider));
    let asked = shutdown.clone();
    let service = hyper::service::service_fn(move |request| {
        let (connection, asked) = (Arc::clone(&connection), asked.clone());
        async move { Ok::<_, Infallible>(answer(request, &connection, &asked).await) }
    });
    let http = hyper::server::conn::http2::Builder::new(Executor(tasks.clone()))
        .max_concurrent_streams(MAX_STREAMS)
        .serve_connection(TokioIo::new(io), service);
    tokio::pin!(http);
    let ended = tokio::select! {
        ended = &mut http => ended,
        () = shutdown.cancelled() => {
            http.as_mut().graceful_shutdown();
            http.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection of terraform ended");
    }
}

/// Runs hyper's streams in the group of the job.
#[derive(Clone)]
struct Executor(Tasks);

impl<F> hyper::rt::Executor<F> for Executor
where
    F: Future + Send + 'static,
    F::Output: Send,
{
    fn execute(&self, stream: F) {
        self.0.spawn("provider-call", OnPanic::Lose, async move {
            stream.await;
        });
    }
}

async fn answer(
    request: Request<Incoming>,
    connection: &Connection,
    shutdown: &CancellationToken,
) -> Response<Reply> {
    let path = request.uri().path().to_owned();
    let result = match path.as_str() {
        "/plugin.GRPCController/Shutdown" => {
            shutdown.cancel();
            Ok(vec![])
        }
        "/grpc.health.v1.Health/Check" => Ok(HealthAnswer { status: 1 }.encode_to_vec()),
        other => match other
            .strip_prefix("/tfplugin5.Provider/")
            .or_else(|| other.strip_prefix("/tfplugin6.Provider/"))
        {
            Some(method) => match message_of(request).await {
                Ok(body) => connection.call(method, &body).await,
                Err(status) => Err(status),
            },
            None => Err(Status { code: UNIMPLEMENTED, message: format!("no service at {other}") }),
        },
    };
    reply(result)
}

/// The one message of a call, without its frame.
async fn message_of(request: Request<Incoming>) -> Result<Bytes, Status> {
    let bad = |message: String| Status { code: 13, message };
    let body = http_body_util::Limited::new(request.into_body(), MAX_CALL_BYTES)
        .collect()
        .await
        .map_err(|e| bad(e.to_string()))?
        .to_bytes();
    match body.first() {
        Some(0) if body.len() >= FRAME => Ok(body.slice(FRAME..)),
        Some(0) | None => Err(bad("the call's frame is cut short".to_owned())),
        Some(_) => Err(bad("compressed calls are not supported".to_owned())),
    }
}

/// One byte for compression, four for the length.
const FRAME: usize = 5;

fn reply(result: Result<Vec<u8>, Status>) -> Response<Reply> {
    let mut response = Response::new(Reply { data: None, trailers: None });
    let headers = response.headers_mut();
    headers.insert("content-type", http::HeaderValue::from_static("application/grpc"));
    match result {
        Ok(message) => {
            let length = u32::try_from(message.len()).unwrap_or(u32::MAX);
            let mut frame = Vec::with_capacity(message.len() + FRAME);
            frame.push(0);
            frame.extend_from_slice(&length.to_be_bytes());
            frame.extend_from_slice(&message);
            let ok = http::HeaderValue::from_static("0");
            let trailers =
                HeaderMap::from_iter([(http::HeaderName::from_static("grpc-status"), ok)]);
            *response.body_mut() = Reply { data: Some(frame.into()), trailers: Some(trailers) };
        }
        Err(status) => {
            headers.insert("grpc-status", status.code.into());
            // A header holds printable ASCII, and gRPC reads % as an escape.
            let text: String = status
                .message
                .chars()
                .map(|c| if c == '%' || !(' '..='~').contains(&c) { ' ' } else { c })
                .collect();
            if let Ok(text) = http::HeaderValue::from_str(&text) {
                headers.insert("grpc-message", text);
            }
        }
    }
    response
}

/// A reply's body: at most one frame, then the trailers.
struct Reply {
    data: Option<Bytes>,
    trailers: Option<HeaderMap>,
}

impl Body for Reply {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if let Some(data) = self.data.take() {
            return Poll::Ready(Some(Ok(Frame::data(data))));
        }
        Poll::Ready(self.trailers.take().map(|trailers| Ok(Frame::trailers(trailers))))
    }

    fn is_end_stream(&self) -> bool {
        self.data.is_none() && self.trailers.is_none()
    }
}
