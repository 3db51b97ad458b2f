//! Connections to the server: plain TCP or TLS, straight or through a proxy.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rustls::CertificateError as Wrong;
use rustls::pki_types::UnixTime;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use super::proxy::{BadProxy, Proxies};
use crate::model::network;
use crate::model::time::Timestamp;

/// Time for name, TCP, TLS and upgrade together. A slow mobile link takes about five seconds.
pub const CONNECT_WITHIN: Duration = Duration::from_secs(15);
/// Longest answer of a proxy to a request for a connection. Most are under 200 bytes.
const MAX_PROXY_ANSWER: usize = 8 << 10;

/// Why there is no connection.
#[derive(Debug, thiserror::Error)]
pub enum ConnectError {
    /// The address is not one of `http`, `https`, `ws` or `wss` with a host.
    #[error("{0} is not an address of a server")]
    Address(String),
    /// The server answered, but not with an upgrade.
    #[error("the server answered {status}: {why}")]
    Refused {
        /// The HTTP status.
        status: u16,
        /// What its body says, shortened.
        why: String,
    },
    /// Nothing came back in time.
    #[error("no answer within {} s", CONNECT_WITHIN.as_secs())]
    TimedOut,
    /// The proxy that the environment names is none.
    #[error(transparent)]
    BadProxy(#[from] BadProxy),
    /// The proxy in between does not make the connection.
    #[error("the proxy {name}: {what}")]
    Proxy {
        /// Which proxy.
        name: String,
        /// What it said, or why it cannot be reached.
        what: String,
    },
    /// The server's certificate does not prove who it is.
    #[error(
        "the certificate of {host} is not taken: {why}. When its authority is your own, name the \
         authority's file in SSL_CERT_FILE"
    )]
    Certificate {
        /// The server.
        host: String,
        /// What is wrong with it.
        why: String,
    },
    /// The server's certificate is not of this time, as this machine's clock has it.
    #[error(
        "the certificate of {host} is not valid now: {why}. Is this machine's clock right? Where there is \
         systemd, timedatectl set-ntp true keeps it so"
    )]
    Clock {
        /// The server.
        host: String,
        /// Since or until when it is, and what time it is here.
        why: String,
    },
    /// What answered is not the server: no server of ours answers with a page, or leads elsewhere.
    #[error(
        "something between here and the server {what}. When that is the sign-in page of \
         this network, open the server's address in a browser there; when a proxy is the way out, name it \
         in HTTPS_PROXY"
    )]
    InBetween {
        /// How it answered.
        what: String,
    },
    /// The server has no other address, and this machine cannot reach one of that kind.
    #[error(
        "{0} is reached by IPv6 alone, and this machine has no way out by IPv6. Give it one, or the \
         server's name an IPv4 address"
    )]
    NoIpv6(String),
    /// The address is in a network that only this machine is in.
    #[error("{0} has no public address")]
    Private(String),
    /// The network or TLS.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// It does not speak WebSocket.
    #[error("opening the WebSocket: {0}")]
    Protocol(String),
}

/// Anything a connection can run over.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Io for T {}

/// A dialled connection, with TLS or without.
pub type BoxIo = Box<dyn Io>;

/// How connections are made. Clones are cheap.
#[derive(Clone, Debug, Default)]
pub struct Dialer {
    proxies: Arc<Proxies>,
}

impl Dialer {
    /// One that goes through these proxies; [`Dialer::default`] through none.
    #[must_use]
    pub fn new(proxies: Proxies) -> Self {
        Self { proxies: Arc::new(proxies) }
    }

    /// Connects to the host of `url`, with TLS for `https` and `wss`. Trust comes from the machine's
    /// certificates, or from `SSL_CERT_FILE`. A proxy is asked for a connection (`CONNECT`) for
    /// either kind: what follows may be a WebSocket, which no proxy passes on in another way.
    ///
    /// # Errors
    /// When there is no host in it, or it cannot be reached.
    pub async fn dial(&self, url: &url::Url) -> Result<BoxIo, ConnectError> {
        let io: BoxIo = match self.proxies.of(url)? {
            Some(proxy) => through(proxy, &authority(url)?).await?,
            None => Box::new(tcp(url).await?),
        };
        if is_tls(url) { tls(url, io).await } else { Ok(io) }
    }

    /// The same for an address that someone else chose: no network that only this machine is in is
    /// reached by it. The name is resolved once, and what was looked at is connected to. What a proxy
    /// reaches is the proxy's to say.
    ///
    /// # Errors
    /// As [`Dialer::dial`], and when the host has no public address.
    pub async fn dial_public(&self, url: &url::Url) -> Result<BoxIo, ConnectError> {
        if self.proxies.of(url)?.is_some() {
            return self.dial(url).await;
        }
        let (host, port) = host_and_port(url)?;
        let found = tokio::net::lookup_host((host, port)).await?;
        let public: Vec<_> = found.filter(|a| network::is_public(a.ip())).collect();
        if public.is_empty() {
            return Err(ConnectError::Private(host.to_owned()));
        }
        let io: BoxIo = Box::new(TcpStream::connect(public.as_slice()).await?);
        if is_tls(url) { tls(url, io).await } else { Ok(io) }
    }
}

/// Without what may be secret: a proxy's address has a name and a password in it.
fn bad(url: &url::Url) -> ConnectError {
    let host = url.host_str().unwrap_or_default();
    ConnectError::Address(format!("{}://{host}", url.scheme()))
}

/// The host without brackets, and the port.
fn host_and_port(url: &url::Url) -> Result<(&str, u16), ConnectError> {
    let host = url.host_str().ok_or_else(|| bad(url))?;
    let default = if is_tls(url) { 443 } else { 80 };
    Ok((host.trim_start_matches('[').trim_end_matches(']'), url.port().unwrap_or(default)))
}

/// Host and port, as a proxy is told them.
fn authority(url: &url::Url) -> Result<String, ConnectError> {
    let (host, port) = host_and_port(url)?;
    Ok(if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") })
}

async fn tcp(url: &url::Url) -> Result<TcpStream, ConnectError> {
    let (host, port) = host_and_port(url)?;
    let found: Vec<SocketAddr> = tokio::net::lookup_host((host, port)).await?.collect();
    let tcp = TcpStream::connect(found.as_slice()).await.map_err(|error| {
        let nowhere =
            matches!(error.kind(), ErrorKind::NetworkUnreachable | ErrorKind::AddrNotAvailable);
        match nowhere && found.iter().all(SocketAddr::is_ipv6) {
            true => ConnectError::NoIpv6(host.to_owned()),
            false => ConnectError::Io(error),
        }
    })?;
    tcp.set_nodelay(true)?;
    Ok(tcp)
}

async fn tls(url: &url::Url, io: BoxIo) -> Result<BoxIo, ConnectError> {
    secure(io, host_and_port(url)?.0, tls_config()?).await
}

/// TLS over a connection to `host`, a name or an address without brackets.
///
/// # Errors
/// When `host` is neither, or what answers does not prove to be it.
pub async fn secure(
    io: BoxIo,
    host: &str,
    config: Arc<rustls::ClientConfig>,
) -> Result<BoxIo, ConnectError> {
    let name = rustls::pki_types::ServerName::try_from(host.to_owned())
        .map_err(|_| ConnectError::Address(host.to_owned()))?;
    let connected = TlsConnector::from(config).connect(name, io).await;
    Ok(Box::new(connected.map_err(|error| from_tls(host.to_owned(), error))?))
}

/// Trust in these authorities alone, PEM; in the machine's without any.
///
/// # Errors
/// When there is no certificate in the text.
pub fn trust(pem: Option<&[u8]>) -> std::io::Result<Arc<rustls::ClientConfig>> {
    use rustls::pki_types::pem::PemObject as _;
    let Some(pem) = pem else { return tls_config() };
    let mut roots = rustls::RootCertStore::empty();
    for certificate in rustls::pki_types::CertificateDer::pem_slice_iter(pem) {
        roots.add(certificate.map_err(std::io::Error::other)?).map_err(std::io::Error::other)?;
    }
    if roots.is_empty() {
        return Err(std::io::Error::other("there is no certificate in it"));
    }
    with_roots(roots)
}

fn with_roots(roots: rustls::RootCertStore) -> std::io::Result<Arc<rustls::ClientConfig>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(std::io::Error::other)?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

fn from_tls(host: String, error: std::io::Error) -> ConnectError {
    let inner = error.get_ref().and_then(|e| e.downcast_ref::<rustls::Error>());
    let Some(rustls::Error::InvalidCertificate(why)) = inner else {
        return ConnectError::Io(error);
    };
    #[expect(clippy::wildcard_enum_match_arm, reason = "not our enum; the rest is for a person")]
    match why {
        Wrong::ExpiredContext { time, not_after } => {
            ConnectError::Clock { host, why: valid("until", *not_after, *time) }
        }
        Wrong::NotValidYetContext { time, not_before } => {
            ConnectError::Clock { host, why: valid("from", *not_before, *time) }
        }
        Wrong::UnknownIssuer => {
            ConnectError::Certificate { host, why: "nobody here knows its issuer".to_owned() }
        }
        other => ConnectError::Certificate { host, why: other.to_string() },
    }
}

/// Until or from when a certificate is valid, and what time it is here.
fn valid(side: &str, end: UnixTime, now: UnixTime) -> String {
    let at =
        |time: UnixTime| Timestamp(i64::try_from(time.as_secs()).unwrap_or(i64::MAX)).rfc3339();
    format!("it is {side} {}, and it is {} here", at(end), at(now))
}

/// A connection to `target` that a proxy has made.
async fn through(proxy: &url::Url, target: &str) -> Result<BoxIo, ConnectError> {
    let told = |what: String| {
        let port = proxy.port_or_known_default().unwrap_or_default();
        let name = format!("{}:{port}", proxy.host_str().unwrap_or_default());
        ConnectError::Proxy { name, what }
    };
    let near = tcp(proxy).await.map_err(|e| told(e.to_string()))?;
    let mut io: BoxIo = Box::new(near);
    if is_tls(proxy) {
        io = tls(proxy, io).await.map_err(|e| told(e.to_string()))?;
    }
    let signed_in = credentials(proxy).map_or_else(String::new, |credentials| {
        format!("Proxy-Authorization: Basic {credentials}\r\n")
    });
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{signed_in}\r\n");
    io.write_all(request.as_bytes()).await?;
    io.flush().await?;
    let answer = head(&mut io).await.map_err(|e| told(e.to_string()))?;
    let status = answer.lines().next().unwrap_or_default();
    match status.split_whitespace().nth(1) {
        Some(code) if code.starts_with('2') => Ok(io),
        _ => Err(told(format!("it answered {status:?}"))),
    }
}

/// Name and password in the proxy's address, as HTTP sends them.
fn credentials(proxy: &url::Url) -> Option<String> {
    use base64::Engine as _;
    let plain = |text: &str| {
        let bytes: Vec<u8> = percent_decoded(text.as_bytes()).collect();
        String::from_utf8_lossy(&bytes).into_owned()
    };
    let (name, password) = (proxy.username(), proxy.password().unwrap_or_default());
    let both = format!("{}:{}", plain(name), plain(password));
    (!name.is_empty()).then(|| base64::engine::general_purpose::STANDARD.encode(both))
}

fn percent_decoded(text: &[u8]) -> impl Iterator<Item = u8> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let (&first, tail) = rest.split_first()?;
        let digits = tail.get(..2).filter(|_| first == b'%');
        let byte = digits.and_then(|d| u8::from_str_radix(std::str::from_utf8(d).ok()?, 16).ok());
        rest = if byte.is_some() { tail.get(2..).unwrap_or_default() } else { tail };
        Some(byte.unwrap_or(first))
    })
}

/// Reads up to the empty line and not a byte further: what follows is the server's.
async fn head(io: &mut BoxIo) -> std::io::Result<String> {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        if head.len() >= MAX_PROXY_ANSWER {
            return Err(std::io::Error::other("its answer is too long"));
        }
        head.push(io.read_u8().await?);
    }
    Ok(String::from_utf8_lossy(&head).into_owned())
}

/// Whether the address is one that TLS is spoken at.
pub(super) fn is_tls(url: &url::Url) -> bool {
    matches!(url.scheme(), "https" | "wss")
}

/// Loaded once, at the first need: reading a machine's certificates takes milliseconds and memory.
fn tls_config() -> std::io::Result<Arc<rustls::ClientConfig>> {
    static CONFIG: OnceLock<Arc<rustls::ClientConfig>> = OnceLock::new();
    if let Some(config) = CONFIG.get() {
        return Ok(config.clone());
    }
    let found = rustls_native_certs::load_native_certs();
    for error in &found.errors {
        tracing::warn!(%error, "a certificate store cannot be read");
    }
    let mut roots = rustls::RootCertStore::empty();
    roots.add_parsable_certificates(found.certs);
    let config = with_roots(roots)?;
    Ok(CONFIG.get_or_init(|| config).clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_is_wrong_is_told_from_a_certificate_that_is() {
        let at = |secs| UnixTime::since_unix_epoch(Duration::from_secs(secs));
        let said = |why| {
            let error = std::io::Error::other(rustls::Error::InvalidCertificate(why));
            from_tls("steading.lan".to_owned(), error).to_string()
        };
        let early = Wrong::NotValidYetContext { time: at(0), not_before: at(1_795_000_000) };
        let (early, other) = (said(early), said(Wrong::UnknownIssuer));
        let since = "it is from 2026-11-18T11:06:40Z, and it is 1970-01-01T00:00:00Z here. Is this";
        assert!(early.contains(since) && early.contains("clock right?"), "{early}");
        assert!(other.contains("SSL_CERT_FILE") && !other.contains("clock"), "{other}");
    }

    #[test]
    fn an_address_is_told_without_what_is_secret() {
        let proxy = "socks5://ada:correct-horse@proxy.test:3128/?key=7".parse().unwrap();
        assert!(bad(&proxy).to_string().contains("socks5://proxy.test"), "{}", bad(&proxy));
        for secret in ["ada", "correct", "key"] {
            assert!(!bad(&proxy).to_string().contains(secret), "{}", bad(&proxy));
        }
    }
}
