//! A provider's public keys.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::signature as sig;
use serde::Deserialize;

use super::jwt::{Algorithm, Hash};

/// Keys of one provider that are looked at; most have two.
const MAX_KEYS: usize = 64;

/// The keys that a provider signs with now.
#[derive(Clone, Debug, Default)]
pub struct KeySet(Vec<Key>);

/// A public key.
#[derive(Clone, Debug)]
pub struct Key {
    kid: Option<String>,
    /// The only way it is used, when it says so.
    algorithm: Option<Algorithm>,
    material: Material,
}

#[derive(Clone, Debug)]
enum Material {
    Rsa { n: Vec<u8>, e: Vec<u8> },
    P256(Vec<u8>),
    P384(Vec<u8>),
    Ed25519(Vec<u8>),
}

#[derive(Deserialize)]
struct Set {
    keys: Vec<serde_json::Value>,
}

#[derive(Deserialize)]
struct Jwk {
    kty: String,
    #[serde(rename = "use")]
    purpose: Option<String>,
    alg: Option<String>,
    kid: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
}

impl KeySet {
    /// Reads a key set. Keys of other kinds, and for other uses, are passed over.
    #[must_use]
    pub fn read(json: &[u8]) -> Option<Self> {
        let set: Set = serde_json::from_slice(json).ok()?;
        let keys = set.keys.into_iter().take(MAX_KEYS);
        Some(Self(keys.filter_map(|k| Key::read(serde_json::from_value(k).ok()?)).collect()))
    }

    /// How many keys can be used.
    #[must_use]
    pub fn count(&self) -> usize {
        self.0.len()
    }

    /// The keys that a signature may be of. A token that names a key is of that key.
    pub fn fitting(&self, kid: Option<&str>, algorithm: Algorithm) -> impl Iterator<Item = &Key> {
        self.0.iter().filter(move |key| {
            (kid.is_none() || key.kid.as_deref() == kid)
                && key.algorithm.is_none_or(|only| only == algorithm)
                && key.material.fits(algorithm)
        })
    }
}

impl Key {
    fn read(jwk: Jwk) -> Option<Self> {
        if jwk.purpose.is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        let algorithm = match jwk.alg.as_deref() {
            // A key for something else is not used for this.
            Some(named) => Some(Algorithm::read(named)?),
            None => None,
        };
        let bytes = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?.trim_end_matches('=')).ok();
        let point = |x: Vec<u8>, y: Vec<u8>, width: usize| {
            (x.len() == width && y.len() == width).then(|| [&[4], x.as_slice(), &y].concat())
        };
        let material = match (jwk.kty.as_str(), jwk.crv.as_deref()) {
            ("RSA", _) => Material::Rsa { n: bytes(jwk.n)?, e: bytes(jwk.e)? },
            ("EC", Some("P-256")) => Material::P256(point(bytes(jwk.x)?, bytes(jwk.y)?, 32)?),
            ("EC", Some("P-384")) => Material::P384(point(bytes(jwk.x)?, bytes(jwk.y)?, 48)?),
            ("OKP", Some("Ed25519")) => Material::Ed25519(bytes(jwk.x)?),
            _ => return None,
        };
        Some(Self { kid: jwk.kid, algorithm, material })
    }

    /// Whether this key has made the signature.
    #[must_use]
    pub fn has_signed(&self, algorithm: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        let verify = |with: &'static dyn sig::VerificationAlgorithm, key: &[u8]| {
            sig::UnparsedPublicKey::new(with, key).verify(message, signature).is_ok()
        };
        match (&self.material, algorithm) {
            (Material::Rsa { n, e }, Algorithm::Rs(_) | Algorithm::Ps(_)) => {
                // Below 2048 bits no signature is right.
                let n = n.iter().position(|b| *b != 0).and_then(|at| n.get(at..)).unwrap_or(n);
                let key = sig::RsaPublicKeyComponents { n, e };
                rsa(algorithm).is_some_and(|with| key.verify(with, message, signature).is_ok())
            }
            (Material::P256(key), Algorithm::Es256) => verify(&sig::ECDSA_P256_SHA256_FIXED, key),
            (Material::P384(key), Algorithm::Es384) => verify(&sig::ECDSA_P384_SHA384_FIXED, key),
            (Material::Ed25519(key), Algorithm::EdDsa) => verify(&sig::ED25519, key),
            (
                Material::Rsa { .. } | Material::P256(_) | Material::P384(_) | Material::Ed25519(_),
                _,
            ) => false,
        }
    }
}

impl Material {
    fn fits(&self, algorithm: Algorithm) -> bool {
        matches!(
            (self, algorithm),
            (Self::Rsa { .. }, Algorithm::Rs(_) | Algorithm::Ps(_))
                | (Self::P256(_), Algorithm::Es256)
                | (Self::P384(_), Algorithm::Es384)
                | (Self::Ed25519(_), Algorithm::EdDsa)
        )
    }
}

fn rsa(algorithm: Algorithm) -> Option<&'static sig::RsaParameters> {
    Some(match algorithm {
        Algorithm::Rs(Hash::Sha256) => &sig::RSA_PKCS1_2048_8192_SHA256,
        Algorithm::Rs(Hash::Sha384) => &sig::RSA_PKCS1_2048_8192_SHA384,
        Algorithm::Rs(Hash::Sha512) => &sig::RSA_PKCS1_2048_8192_SHA512,
        Algorithm::Ps(Hash::Sha256) => &sig::RSA_PSS_2048_8192_SHA256,
        Algorithm::Ps(Hash::Sha384) => &sig::RSA_PSS_2048_8192_SHA384,
        Algorithm::Ps(Hash::Sha512) => &sig::RSA_PSS_2048_8192_SHA512,
        Algorithm::Es256 | Algorithm::Es384 | Algorithm::EdDsa => return None,
    })
}
