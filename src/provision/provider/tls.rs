//! The TLS of a provider that Terraform started: a certificate made for this one connection.

use std::sync::Arc;

use anyhow::Context as _;
use base64::Engine as _;
use tokio_rustls::rustls::{self, pki_types::PrivatePkcs8KeyDer};

/// A configuration, and its certificate as the handshake line carries it. The client's certificate
/// is not asked for: the socket is in a directory that only this user can enter.
pub(super) fn server() -> anyhow::Result<(Arc<rustls::ServerConfig>, String)> {
    let key = rcgen::KeyPair::generate().context("Making a key")?;
    let mut params = rcgen::CertificateParams::new(vec!["localhost".to_owned()])?;
    params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
    let certificate = params.self_signed(&key).context("Making a certificate")?.der().clone();
    let line = base64::engine::general_purpose::STANDARD_NO_PAD.encode(&certificate);
    let private = PrivatePkcs8KeyDer::from(key.serialize_der()).into();
    let crypto = Arc::new(rustls::crypto::ring::default_provider());
    let mut config = rustls::ServerConfig::builder_with_provider(crypto)
        .with_protocol_versions(&[&rustls::version::TLS13])?
        .with_no_client_auth()
        .with_single_cert(vec![certificate], private)?;
    // Go's gRPC refuses a connection that did not agree on HTTP/2.
    config.alpn_protocols = vec![b"h2".to_vec()];
    Ok((Arc::new(config), line))
}
