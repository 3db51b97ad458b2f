//! Sealing of secrets in rows: XChaCha20-Poly1305 with the place of the secret as associated data.

use chacha20poly1305::aead::{Aead as _, KeyInit as _, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use zeroize::Zeroizing;

use super::{Error, Result};
use crate::clock::Entropy;

/// The first byte of a sealed value: which form it has.
const FORM: u8 = 1;
const NONCE_BYTES: usize = 24;

/// The key that secrets in the database are sealed with.
#[derive(Clone)]
pub struct Seal {
    key: Zeroizing<[u8; 32]>,
    entropy: Entropy,
}

/// Where a secret stands: it cannot be moved to another row and still open.
#[derive(Clone, Copy, Debug)]
pub struct Place<'a> {
    /// `table.column`.
    pub column: &'static str,
    /// The row's key.
    pub row: &'a str,
}

impl Seal {
    /// Seals with this key.
    #[must_use]
    pub fn new(key: [u8; 32], entropy: Entropy) -> Self {
        Self { key: Zeroizing::new(key), entropy }
    }

    /// Seals `plain` for its place.
    #[must_use]
    pub fn seal(&self, place: Place<'_>, plain: &[u8]) -> Vec<u8> {
        let nonce: [u8; NONCE_BYTES] = self.entropy.bytes();
        let aad = aad(place);
        let sealed = self
            .cipher()
            .encrypt(XNonce::from_slice(&nonce), Payload { msg: plain, aad: &aad })
            .expect("a value below 256 GiB can be sealed");
        let mut out = Vec::with_capacity(1 + NONCE_BYTES + sealed.len());
        out.push(FORM);
        out.extend_from_slice(&nonce);
        out.extend_from_slice(&sealed);
        out
    }

    /// Opens what was sealed for the same place.
    ///
    /// # Errors
    /// When the key is another one or the value was changed or moved.
    pub fn open(&self, place: Place<'_>, sealed: &[u8]) -> Result<Vec<u8>> {
        let unreadable = |why: &str| Error::Unreadable { what: place.column, why: why.to_owned() };
        let Some((&FORM, rest)) = sealed.split_first() else {
            return Err(unreadable("it is not in a sealed form this program knows"));
        };
        let Some((nonce, body)) = rest.split_at_checked(NONCE_BYTES) else {
            return Err(unreadable("it is too short"));
        };
        self.cipher()
            .decrypt(XNonce::from_slice(nonce), Payload { msg: body, aad: &aad(place) })
            .map_err(|_| unreadable("it was sealed with another key, changed or moved"))
    }

    fn cipher(&self) -> XChaCha20Poly1305 {
        XChaCha20Poly1305::new(Key::from_slice(self.key.as_slice()))
    }
}

impl std::fmt::Debug for Seal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Seal(…)")
    }
}

fn aad(place: Place<'_>) -> Vec<u8> {
    format!("{}\u{0}{}", place.column, place.row).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_opens_only_in_its_own_place_with_its_own_key() {
        let seal = Seal::new([7; 32], Entropy::seeded(1));
        let here = Place { column: "states.body", row: "a" };
        let sealed = seal.seal(here, b"token");
        assert_eq!(seal.open(here, &sealed).unwrap(), b"token");
        assert!(seal.open(Place { row: "b", ..here }, &sealed).is_err());
        assert!(Seal::new([8; 32], Entropy::seeded(1)).open(here, &sealed).is_err());
        assert!(seal.open(here, &sealed[..10]).is_err());
        assert!(seal.open(here, b"").is_err());
    }
}
