//! Passkeys: what an authenticator says when one is made and used (Web Authentication, level 2).
//!
//! Who made an authenticator is not asked (attestation `none`), so that statements about that are
//! read and passed over.

pub mod cbor;
pub mod key;

#[cfg(test)]
mod tests;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use url::{Host, Url};

use self::cbor::Value;
use self::key::Key;

/// The longest id of a credential (section 4).
pub const MAX_CREDENTIAL_ID: usize = 1023;
/// The longest public key that is kept; RSA of 8192 bits has 1050 bytes.
pub const MAX_KEY: usize = 1200;
/// Most bytes of each thing that a browser sends.
pub const MAX_PART: usize = 8 << 10;

const PRESENT: u8 = 0x01;
const VERIFIED: u8 = 0x04;
const HAS_CREDENTIAL: u8 = 0x40;
const HAS_EXTENSIONS: u8 = 0x80;

/// The site that passkeys are for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rp {
    /// Its host.
    pub id: String,
    /// Where its pages are, as browsers write it.
    pub origin: String,
}

impl Rp {
    /// The site that is reached at `access_url`; none where browsers make no passkeys: at an address
    /// without a name, and without TLS anywhere but on `localhost`.
    #[must_use]
    pub fn of(access_url: &str) -> Option<Self> {
        let url = Url::parse(access_url).ok()?;
        let Host::Domain(host) = url.host()? else { return None };
        let is_local = host == "localhost" || host.ends_with(".localhost");
        (url.scheme() == "https" || is_local)
            .then(|| Self { id: host.to_owned(), origin: url.origin().ascii_serialization() })
    }
}

/// What is wrong with what a browser sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// It is not of the form that the standard gives.
    #[error("what the browser sent of the passkey cannot be read")]
    Unreadable,
    /// It is for something else than what was asked.
    #[error("the passkey answered another question")]
    Kind,
    /// Another site asked for it.
    #[error("the passkey was asked for by another site")]
    Origin,
    /// The passkey is another site's.
    #[error("the passkey is for another site")]
    Site,
    /// Nobody touched the authenticator.
    #[error("nobody was there to use the passkey")]
    Absent,
    /// The authenticator did not find out who used it.
    #[error("the passkey did not ask for a finger, a face or a PIN")]
    Unverified,
    /// The key is of a kind that is not known here.
    #[error("the passkey has a key of a kind that is not known here")]
    Key,
    /// It was not signed by the passkey.
    #[error("the signature is not the passkey's")]
    Signature,
    /// It was used less often than it said before: there are two of it.
    #[error("the passkey's counter went back: it may have been copied")]
    Counter,
}

/// What the browser says of a question that it put to an authenticator.
#[derive(Clone, Debug)]
pub struct ClientData {
    /// The question.
    pub challenge: Vec<u8>,
    hash: [u8; 32],
}

#[derive(serde::Deserialize)]
struct ClientDataJson {
    #[serde(rename = "type")]
    kind: String,
    challenge: String,
    origin: String,
    #[serde(rename = "crossOrigin", default)]
    cross_origin: bool,
}

impl ClientData {
    /// Reads what a browser says of a passkey that was made.
    ///
    /// # Errors
    /// With the first thing that is wrong.
    pub fn of_made(rp: &Rp, json: &[u8]) -> Result<Self, Flaw> {
        Self::read(rp, "webauthn.create", json)
    }

    /// Reads what a browser says of a passkey that was used.
    ///
    /// # Errors
    /// With the first thing that is wrong.
    pub fn of_used(rp: &Rp, json: &[u8]) -> Result<Self, Flaw> {
        Self::read(rp, "webauthn.get", json)
    }

    fn read(rp: &Rp, kind: &str, json: &[u8]) -> Result<Self, Flaw> {
        let read: ClientDataJson =
            serde_json::from_slice(bounded(json)?).map_err(|_| Flaw::Unreadable)?;
        if read.kind != kind {
            return Err(Flaw::Kind);
        }
        if read.origin != rp.origin || read.cross_origin {
            return Err(Flaw::Origin);
        }
        let challenge = URL_SAFE_NO_PAD.decode(&read.challenge).map_err(|_| Flaw::Unreadable)?;
        Ok(Self { challenge, hash: Sha256::digest(json).into() })
    }
}

/// A passkey that was made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Made {
    /// What it is found by.
    pub credential_id: Vec<u8>,
    /// Its public key, as COSE has it.
    pub key: Vec<u8>,
    /// How often it was used.
    pub counter: u32,
}

/// Reads the passkey that an authenticator has made.
///
/// # Errors
/// With the first thing that is wrong.
pub fn made(rp: &Rp, attestation: &[u8]) -> Result<Made, Flaw> {
    let (object, rest) = cbor::read(bounded(attestation)?).ok_or(Flaw::Unreadable)?;
    let is_whole = rest.is_empty()
        && matches!(object.get(&Value::Text("fmt")), Some(Value::Text(_)))
        && matches!(object.get(&Value::Text("attStmt")), Some(Value::Map(_)));
    let data = object.get(&Value::Text("authData")).and_then(Value::bytes);
    let said = Said::read(rp, data.filter(|_| is_whole).ok_or(Flaw::Unreadable)?)?;
    let (credential_id, key) = said.credential.ok_or(Flaw::Unreadable)?;
    if key.len() > MAX_KEY || Key::parse(key).is_none() {
        return Err(Flaw::Key);
    }
    Ok(Made { credential_id: credential_id.to_vec(), key: key.to_vec(), counter: said.counter })
}

/// What an authenticator says of a passkey that was used.
#[derive(Clone, Copy, Debug)]
pub struct Use<'a> {
    /// The authenticator's data.
    pub data: &'a [u8],
    /// Its signature of that, and of the browser's.
    pub signature: &'a [u8],
}

/// What is known of a passkey.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// Its public key.
    pub key: &'a [u8],
    /// How often it was used.
    pub counter: u32,
}

/// What a use of a passkey proves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Used {
    /// How often it was used now.
    pub counter: u32,
    /// The authenticator found out who used it.
    pub verified: bool,
}

/// Checks that a passkey was used, here and by whom it belongs to.
///
/// # Errors
/// With the first thing that is wrong.
pub fn used(rp: &Rp, client: &ClientData, known: Known<'_>, seen: Use<'_>) -> Result<Used, Flaw> {
    let said = Said::read(rp, bounded(seen.data)?)?;
    let key = Key::parse(known.key).ok_or(Flaw::Key)?;
    let message = [seen.data, &client.hash].concat();
    if !key.verifies(&message, bounded(seen.signature)?) {
        return Err(Flaw::Signature);
    }
    // Those that do not count say 0 for ever.
    if (said.counter > 0 || known.counter > 0) && said.counter <= known.counter {
        return Err(Flaw::Counter);
    }
    Ok(Used { counter: said.counter, verified: said.verified })
}

type Credential<'a> = (&'a [u8], &'a [u8]);

/// An authenticator's data (section 6.1).
struct Said<'a> {
    counter: u32,
    verified: bool,
    /// The id and the key of the passkey that was made.
    credential: Option<Credential<'a>>,
}

impl<'a> Said<'a> {
    fn read(rp: &Rp, data: &'a [u8]) -> Result<Self, Flaw> {
        let (site, rest) = data.split_at_checked(32).ok_or(Flaw::Unreadable)?;
        let ([flags, c0, c1, c2, c3], mut rest) =
            rest.split_first_chunk::<5>().ok_or(Flaw::Unreadable)?;
        if !bool::from(Sha256::digest(rp.id.as_bytes()).ct_eq(site)) {
            return Err(Flaw::Site);
        }
        if flags & PRESENT == 0 {
            return Err(Flaw::Absent);
        }
        let mut credential = None;
        if flags & HAS_CREDENTIAL != 0 {
            let (found, more) = attested(rest).ok_or(Flaw::Unreadable)?;
            (credential, rest) = (Some(found), more);
        }
        if flags & HAS_EXTENSIONS != 0 {
            let (_, more) = cbor::read(rest).ok_or(Flaw::Unreadable)?;
            rest = more;
        }
        if !rest.is_empty() {
            return Err(Flaw::Unreadable);
        }
        let counter = u32::from_be_bytes([*c0, *c1, *c2, *c3]);
        Ok(Self { counter, verified: flags & VERIFIED != 0, credential })
    }
}

/// The id and the key of a passkey that was made, and what follows.
fn attested(data: &[u8]) -> Option<(Credential<'_>, &[u8])> {
    let (_maker, rest) = data.split_at_checked(16)?;
    let (len, rest) = rest.split_first_chunk::<2>()?;
    let len = usize::from(u16::from_be_bytes(*len));
    let (id, rest) = rest.split_at_checked(len)?;
    let (_, more) = cbor::read(rest)?;
    let (key, _) = rest.split_at_checked(rest.len() - more.len())?;
    (1..=MAX_CREDENTIAL_ID).contains(&len).then_some(((id, key), more))
}

fn bounded(bytes: &[u8]) -> Result<&[u8], Flaw> {
    if bytes.len() <= MAX_PART { Ok(bytes) } else { Err(Flaw::Unreadable) }
}
