//! Listening for HTTP, plain or with TLS, and serving until told to stop.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::ConnectInfo;
use hyper::body::Incoming;
use hyper::rt::Executor;
use hyper::service::{Service as _, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::conn::auto::Builder;
use hyper_util::service::TowerToHyperService;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;
use tokio_util::sync::CancellationToken;

use super::config::Tls;
use super::web::address::PeerAddress;
use crate::net::accept::{Door, Guest};
use crate::tasks::{OnPanic, Tasks};

/// Connections at once, whatever they became; more wait for one to end. An idle `WebSocket` costs
/// 12 KiB, a half-open request 20.
const MOST: usize = 8192;
/// Time for a TLS handshake; more is a client that will not finish one.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// Time for the head of a request, and how long a connection may stay without one: clients open
/// another when they need it.
const HEAD_WITHIN: Duration = Duration::from_secs(20);
/// The largest head, and what is read or held for writing at once. Cookies and tokens are a tenth.
const BUFFER: usize = 64 << 10;
/// A client that takes nothing of what it is sent for so long will not go on. Who reads a kilobyte a
/// second makes room more often.
const TAKES_WITHIN: Duration = Duration::from_secs(30);
/// An HTTP/2 client is asked whether it lives after this silence.
const PING_EVERY: Duration = Duration::from_secs(30);

/// Serves plain HTTP until the group stops.
pub async fn plain(listener: TcpListener, router: Router, tasks: &Tasks) {
    let mut door = Door::new(listener, MOST, "HTTP");
    while let Some((guest, address)) = next(&mut door, tasks).await {
        let connection = serve(guest, address, router.clone(), tasks.clone());
        tasks.spawn_graceful("http-connection", OnPanic::Lose, connection);
    }
}

/// Serves HTTPS until the group stops.
pub async fn tls(listener: TcpListener, acceptor: TlsAcceptor, router: Router, tasks: &Tasks) {
    let mut door = Door::new(listener, MOST, "HTTPS");
    while let Some((guest, address)) = next(&mut door, tasks).await {
        let (acceptor, router, inner) = (acceptor.clone(), router.clone(), tasks.clone());
        tasks.spawn_graceful("https-connection", OnPanic::Lose, async move {
            let shaken = tokio::time::timeout(HANDSHAKE_WITHIN, acceptor.accept(guest));
            let stop = inner.token();
            let shaken = tokio::select! {
                shaken = shaken => shaken,
                () = stop.cancelled() => return,
            };
            if let Ok(Ok(stream)) = shaken {
                serve(stream, address, router, inner).await;
            }
        });
    }
}

/// The next connection; none when it is time to stop.
async fn next(door: &mut Door, tasks: &Tasks) -> Option<(Guest, SocketAddr)> {
    let stop = tasks.token();
    let (guest, address) = tokio::select! {
        () = stop.cancelled() => return None,
        next = door.next() => next,
    };
    guest.give_up_after(TAKES_WITHIN);
    Some((guest, address))
}

/// Serves one connection to its end. What it is doing when the group stops, it finishes.
async fn serve<S>(stream: S, address: SocketAddr, router: Router, tasks: Tasks)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let begun = CancellationToken::new();
    let (asked, inner) = (begun.clone(), TowerToHyperService::new(router));
    let service = service_fn(move |mut request: http::Request<Incoming>| {
        asked.cancel();
        request.extensions_mut().insert(ConnectInfo(PeerAddress(address)));
        inner.call(request)
    });
    let stop = tasks.token();
    let builder = builder(tasks);
    let mut connection =
        pin!(builder.serve_connection_with_upgrades(TokioIo::new(stream), service));
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        // Before it is known which HTTP a client speaks, nothing else limits its time.
        () = silence(&begun) => return,
        () = stop.cancelled() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended early");
    }
}

fn builder(tasks: Tasks) -> Builder<Streams> {
    let mut builder = Builder::new(Streams(tasks));
    builder.http1().timer(TokioTimer::new()).header_read_timeout(HEAD_WITHIN).max_buf_size(BUFFER);
    builder
        .http2()
        .timer(TokioTimer::new())
        .keep_alive_interval(PING_EVERY)
        .enable_connect_protocol();
    builder
}

/// Where the streams of an HTTP/2 connection run.
#[derive(Clone)]
struct Streams(Tasks);

impl<F> Executor<F> for Streams
where
    F: Future<Output = ()> + Send + 'static,
{
    fn execute(&self, stream: F) {
        self.0.spawn_graceful("http2-stream", OnPanic::Lose, stream);
    }
}

/// Ends when there was no request for too long since the connection began.
async fn silence(begun: &CancellationToken) {
    if tokio::time::timeout(HEAD_WITHIN, begun.cancelled()).await.is_ok() {
        std::future::pending::<Infallible>().await;
    }
}

/// Reads certificate and key.
///
/// # Errors
/// Names the file that cannot be read or used.
pub fn acceptor(tls: &Tls) -> anyhow::Result<TlsAcceptor> {
    let named = |path: &Path| format!("Reading {}", path.display());
    let chain: Vec<CertificateDer<'static>> = CertificateDer::pem_file_iter(&tls.cert)
        .with_context(|| named(&tls.cert))?
        .collect::<Result<_, _>>()
        .with_context(|| named(&tls.cert))?;
    let key = PrivateKeyDer::from_pem_file(&tls.key).with_context(|| named(&tls.key))?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .context("Choosing TLS versions")?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .context("Using the certificate with its key")?;
    config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
    Ok(TlsAcceptor::from(Arc::new(config)))
}
