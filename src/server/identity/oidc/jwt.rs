//! Signed tokens: read, and checked with a provider's public key.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Map, Value};

use super::jwks::KeySet;

/// Longest token that is read. One with a person's groups in it may have some kilobytes.
const MAX_TOKEN: usize = 128 << 10;

/// Why a token is not believed.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadToken {
    /// It is no signed token at all.
    #[error("it is not a signed token: {0}")]
    Form(&'static str),
    /// It is signed in a way that is not taken, or not at all.
    #[error(
        "it is signed with {0:?}; taken are RS256 and up, PS256 and up, ES256, ES384 and EdDSA"
    )]
    Algorithm(String),
    /// The provider has no such key.
    #[error("the provider's key set (jwks_uri) has no key that it could be signed with")]
    UnknownKey,
    /// The provider did not sign this.
    #[error("its signature is wrong")]
    Signature,
    /// It says what it should not.
    #[error("{0}")]
    Claim(String),
}

/// How a token may be signed. There is no `none`, and nothing with a shared secret: then whoever
/// knows a public key could sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA, PKCS #1 version 1.5.
    Rs(Hash),
    /// RSA, PSS.
    Ps(Hash),
    /// The curve P-256 with SHA-256.
    Es256,
    /// The curve P-384 with SHA-384.
    Es384,
    /// Ed25519.
    EdDsa,
}

/// A hash under RSA.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hash {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Algorithm {
    /// Reads the name in a header or a key.
    #[must_use]
    pub fn read(name: &str) -> Option<Self> {
        Some(match name {
            "RS256" => Self::Rs(Hash::Sha256),
            "RS384" => Self::Rs(Hash::Sha384),
            "RS512" => Self::Rs(Hash::Sha512),
            "PS256" => Self::Ps(Hash::Sha256),
            "PS384" => Self::Ps(Hash::Sha384),
            "PS512" => Self::Ps(Hash::Sha512),
            "ES256" => Self::Es256,
            "ES384" => Self::Es384,
            "EdDSA" | "Ed25519" => Self::EdDsa,
            _ => return None,
        })
    }
}

/// A token that was read and not yet checked: its claims are not to be had.
#[derive(Clone, Debug)]
pub struct Unchecked {
    /// How it says it is signed.
    pub algorithm: Algorithm,
    /// With which key, by its own word.
    pub kid: Option<String>,
    signed: String,
    signature: Vec<u8>,
    claims: Map<String, Value>,
}

impl Unchecked {
    /// Reads a token.
    ///
    /// # Errors
    /// When it is none, or is not signed in a way that is taken.
    pub fn read(token: &str) -> Result<Self, BadToken> {
        if token.len() > MAX_TOKEN {
            return Err(BadToken::Form("it is too long"));
        }
        let parts =
            || token.rsplit_once('.').and_then(|(s, sig)| Some((s, s.split_once('.')?, sig)));
        let Some((signed, (head, body), signature)) = parts() else {
            return Err(BadToken::Form("it has not three parts"));
        };
        let head = object(head).ok_or(BadToken::Form("its head is no JSON object"))?;
        let text = |name| head.get(name).and_then(Value::as_str);
        // What must be understood is not.
        if head.contains_key("crit") {
            return Err(BadToken::Form("its head has \"crit\""));
        }
        let named = text("alg").unwrap_or_default();
        let algorithm = Algorithm::read(named)
            .ok_or_else(|| BadToken::Algorithm(named.chars().take(16).collect()))?;
        let signature = URL_SAFE_NO_PAD
            .decode(signature)
            .map_err(|_| BadToken::Form("its signature is no base64url"))?;
        Ok(Self {
            algorithm,
            kid: text("kid").map(str::to_owned),
            signed: signed.to_owned(),
            signature,
            claims: object(body).ok_or(BadToken::Form("its body is no JSON object"))?,
        })
    }

    /// The claims, when one of the keys has signed them.
    ///
    /// # Errors
    /// When there is no such key, or it did not.
    pub fn check(&self, keys: &KeySet) -> Result<Map<String, Value>, BadToken> {
        let mut tried = false;
        for key in keys.fitting(self.kid.as_deref(), self.algorithm) {
            tried = true;
            if key.has_signed(self.algorithm, self.signed.as_bytes(), &self.signature) {
                return Ok(self.claims.clone());
            }
        }
        Err(if tried { BadToken::Signature } else { BadToken::UnknownKey })
    }
}

fn object(part: &str) -> Option<Map<String, Value>> {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(part).ok()?).ok()
}
