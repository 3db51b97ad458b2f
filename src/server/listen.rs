//! Listening for HTTP, plain or with TLS, and serving until told to stop.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use axum::Router;
use axum::extract::connect_info::Connected;
use axum::serve::{IncomingStream, Listener};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::config::Tls;
use super::web::address::PeerAddress;
use crate::tasks::{OnPanic, Tasks};

/// Time for a TLS handshake; more is a client that will not finish one.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// Handshakes that are done and wait to be served.
const HANDSHAKEN: usize = 64;

/// Serves plain HTTP until `stop`.
///
/// # Errors
/// When the socket fails.
pub async fn plain(
    listener: TcpListener,
    router: Router,
    stop: CancellationToken,
) -> anyhow::Result<()> {
    let service = router.into_make_service_with_connect_info::<PeerAddress>();
    axum::serve(NoDelay(listener), service)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
        .context("Serving HTTP")
}

/// Serves HTTPS until `stop`.
///
/// # Errors
/// When the socket fails.
pub async fn tls(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    router: Router,
    tasks: &Tasks,
) -> anyhow::Result<()> {
    let stop = tasks.token();
    let (address, (done, ready)) = (listener.local_addr()?, mpsc::channel(HANDSHAKEN));
    let inner = tasks.clone();
    tasks.spawn("tls-accept", OnPanic::Stop, async move {
        accept(listener, acceptor, done, inner).await;
    });
    let service = router.into_make_service_with_connect_info::<PeerAddress>();
    axum::serve(Handshaken { ready, address }, service)
        .with_graceful_shutdown(stop.cancelled_owned())
        .await
        .context("Serving HTTPS")
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

async fn accept(
    listener: TcpListener,
    acceptor: TlsAcceptor,
    done: mpsc::Sender<(TlsStream<TcpStream>, SocketAddr)>,
    tasks: Tasks,
) {
    loop {
        let Ok((stream, address)) = listener.accept().await else {
            // Out of file descriptors, most likely: those in use come back.
            tokio::time::sleep(Duration::from_millis(100)).await;
            continue;
        };
        let _ = stream.set_nodelay(true);
        let (acceptor, done) = (acceptor.clone(), done.clone());
        tasks.spawn("tls-handshake", OnPanic::Lose, async move {
            let shaken = tokio::time::timeout(HANDSHAKE_WITHIN, acceptor.accept(stream)).await;
            if let Ok(Ok(stream)) = shaken {
                let _ = done.send((stream, address)).await;
            }
        });
    }
}

struct NoDelay(TcpListener);

impl Listener for NoDelay {
    type Io = TcpStream;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (TcpStream, SocketAddr) {
        let (stream, address) = Listener::accept(&mut self.0).await;
        let _ = stream.set_nodelay(true);
        (stream, address)
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        self.0.local_addr()
    }
}

struct Handshaken {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    address: SocketAddr,
}

impl Listener for Handshaken {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, SocketAddr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // The accepting task has stopped, and the server with it.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<SocketAddr> {
        Ok(self.address)
    }
}

impl Connected<IncomingStream<'_, NoDelay>> for PeerAddress {
    fn connect_info(stream: IncomingStream<'_, NoDelay>) -> Self {
        Self(*stream.remote_addr())
    }
}

impl Connected<IncomingStream<'_, Handshaken>> for PeerAddress {
    fn connect_info(stream: IncomingStream<'_, Handshaken>) -> Self {
        Self(*stream.remote_addr())
    }
}
