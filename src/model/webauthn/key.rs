//! Public keys of authenticators (COSE, RFC 9053): ES256, `EdDSA` and RS256.

use ring::signature::{
    ECDSA_P256_SHA256_ASN1, ED25519, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents,
    UnparsedPublicKey,
};

use super::cbor::{self, Value};

/// COSE's numbers of the algorithms, the wanted ones first.
pub const ALGORITHMS: [i64; 3] = [EDDSA, ES256, RS256];

const ES256: i64 = -7;
const EDDSA: i64 = -8;
const RS256: i64 = -257;
/// COSE's numbers of the fields: the kind of key, the algorithm, and three that depend on the kind.
const KIND: Value<'static> = Value::Int(1);
const ALGORITHM: Value<'static> = Value::Int(3);
const FIRST: Value<'static> = Value::Int(-1);
const SECOND: Value<'static> = Value::Int(-2);
const THIRD: Value<'static> = Value::Int(-3);

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key<'a> {
    /// On P-256: both coordinates after a 4.
    Es256([u8; 65]),
    /// On Ed25519.
    EdDsa(&'a [u8]),
    /// RSA of 2048 bits or more, by PKCS #1.
    Rs256 {
        /// The modulus.
        n: &'a [u8],
        /// The exponent.
        e: &'a [u8],
    },
}

impl<'a> Key<'a> {
    /// Reads a key that is all of `bytes`.
    #[must_use]
    pub fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (map, rest) = cbor::read(bytes)?;
        if rest.is_empty() { Self::of(&map) } else { None }
    }

    /// The key that a map describes.
    #[must_use]
    pub fn of(map: &Value<'a>) -> Option<Self> {
        let int = |key| map.get(key).and_then(Value::int);
        let bytes = |key| map.get(key).and_then(Value::bytes);
        match (int(&KIND)?, int(&ALGORITHM)?) {
            (2, ES256) if int(&FIRST)? == 1 => {
                let (x, y) = (bytes(&SECOND)?, bytes(&THIRD)?);
                let point = [&[4], x, y].concat();
                (x.len() == 32).then_some(Self::Es256(point.try_into().ok()?))
            }
            (1, EDDSA) if int(&FIRST)? == 6 => {
                Some(Self::EdDsa(bytes(&SECOND).filter(|x| x.len() == 32)?))
            }
            (3, RS256) => {
                let (n, e) = (bytes(&FIRST)?, bytes(&SECOND)?);
                let fits = (256..=1024).contains(&n.len()) && (1..=8).contains(&e.len());
                fits.then_some(Self::Rs256 { n, e })
            }
            _ => None,
        }
    }

    /// Whether a signature of a message is by this key.
    #[must_use]
    pub fn verifies(&self, message: &[u8], signature: &[u8]) -> bool {
        let verified = match self {
            Self::Es256(point) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point).verify(message, signature)
            }
            Self::EdDsa(key) => UnparsedPublicKey::new(&ED25519, key).verify(message, signature),
            Self::Rs256 { n, e } => RsaPublicKeyComponents { n, e }.verify(
                &RSA_PKCS1_2048_8192_SHA256,
                message,
                signature,
            ),
        };
        verified.is_ok()
    }
}
