//! Settings of an SSH server: its host key, how people prove who they are, limits and algorithms.

use std::borrow::Cow;
use std::time::Duration;

use russh::keys::{Algorithm, EcdsaCurve, HashAlg};
use russh::{Limits, MethodKind, MethodSet, Preferred, cipher, compression, kex, mac};

use super::gate::Who;
use super::keys::KeyPair;
use crate::clock::{Clock, Entropy};
use crate::tasks::Tasks;

/// Bytes a client may send on a channel before it must wait. One round trip of 20 ms at 100 MB/s.
pub const WINDOW_BYTES: u32 = 2 << 20;

/// Longest packet a client may send. OpenSSH sends at most half of it.
pub const MAX_PACKET_BYTES: u32 = 64 << 10;

/// Messages towards the client that wait in the transport, over all channels of a connection.
/// At 32 KiB each, one batch of the transport.
const QUEUED_MESSAGES: usize = 64;

/// Keys a client may try. OpenSSH offers each key of the agent in turn.
const MAX_AUTH_ATTEMPTS: usize = 12;

/// Time to prove who one is.
pub const LOGIN_GRACE: Duration = Duration::from_secs(60);

/// How long a refused key takes at least, so that timing tells nothing.
const REJECTION_TIME: Duration = Duration::from_millis(200);

/// A client is asked whether it lives after this silence, and given up after three questions.
const KEEPALIVE: Duration = Duration::from_secs(30);

/// New keys after so much, or so long. Clients ask earlier: OpenSSH after 1 to 64 GB. What they had
/// on its way when we ask, the transport may take for a flood. All our ciphers last longer. A machine
/// of 32 bits cannot count as far.
const REKEY_BYTES: usize = if usize::BITS > 32 { 32 << 30 } else { 1 << 30 };
const REKEY_TIME: Duration = Duration::from_secs(24 * 60 * 60);

/// How a person proves who they are.
#[derive(Clone, Debug)]
pub enum Auth {
    /// By a public key that the gate knows.
    PublicKey,
    /// They did already: the tunnel leads to nobody else.
    Proven(Who),
}

/// Settings of an SSH server.
pub struct Config {
    /// How people prove who they are.
    pub auth: Auth,
    /// Time.
    pub clock: Clock,
    /// Chance, for session ids.
    pub entropy: Entropy,
    /// Where connections' tasks run.
    pub tasks: Tasks,
    pub(super) transport: std::sync::Arc<russh::server::Config>,
}

impl Config {
    /// Settings with this host key.
    #[must_use]
    pub fn new(
        host_key: &KeyPair,
        auth: Auth,
        clock: Clock,
        entropy: Entropy,
        tasks: Tasks,
    ) -> Self {
        let methods = match &auth {
            Auth::PublicKey => MethodSet::from(&[MethodKind::PublicKey][..]),
            Auth::Proven(_) => MethodSet::from(&[MethodKind::None][..]),
        };
        let transport = russh::server::Config {
            server_id: russh::SshId::Standard(Cow::Borrowed(concat!(
                "SSH-2.0-Steading_",
                env!("CARGO_PKG_VERSION")
            ))),
            methods,
            auth_rejection_time: REJECTION_TIME,
            auth_rejection_time_initial: Some(Duration::ZERO),
            keys: vec![host_key.private().clone()],
            window_size: WINDOW_BYTES,
            maximum_packet_size: MAX_PACKET_BYTES,
            event_buffer_size: QUEUED_MESSAGES,
            preferred: preferred(),
            limits: Limits {
                rekey_write_limit: REKEY_BYTES,
                rekey_read_limit: REKEY_BYTES,
                rekey_time_limit: REKEY_TIME,
            },
            max_auth_attempts: MAX_AUTH_ATTEMPTS,
            inactivity_timeout: None,
            keepalive_interval: Some(KEEPALIVE),
            ..russh::server::Config::default()
        };
        Self { auth, clock, entropy, tasks, transport: std::sync::Arc::new(transport) }
    }
}

/// What current clients speak, and nothing older.
fn preferred() -> Preferred {
    Preferred {
        kex: Cow::Borrowed(&[
            kex::MLKEM768X25519_SHA256,
            kex::CURVE25519,
            kex::CURVE25519_PRE_RFC_8731,
            kex::EXTENSION_SUPPORT_AS_SERVER,
            kex::EXTENSION_OPENSSH_STRICT_KEX_AS_SERVER,
        ]),
        key: Cow::Borrowed(&[
            Algorithm::Ed25519,
            Algorithm::SkEd25519,
            Algorithm::Ecdsa { curve: EcdsaCurve::NistP256 },
            Algorithm::Ecdsa { curve: EcdsaCurve::NistP384 },
            Algorithm::Ecdsa { curve: EcdsaCurve::NistP521 },
            Algorithm::SkEcdsaSha2NistP256,
            Algorithm::Rsa { hash: Some(HashAlg::Sha512) },
            Algorithm::Rsa { hash: Some(HashAlg::Sha256) },
        ]),
        cipher: Cow::Borrowed(&[
            cipher::AES_128_GCM,
            cipher::AES_256_GCM,
            cipher::CHACHA20_POLY1305,
        ]),
        mac: Cow::Borrowed(&[mac::HMAC_SHA256_ETM, mac::HMAC_SHA512_ETM]),
        compression: Cow::Borrowed(&[compression::NONE]),
        ..Preferred::DEFAULT
    }
}
