//! SSH public keys as people paste them: one line of `authorized_keys` without options.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use sha2::{Digest as _, Sha256};

/// A public key that was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// `ssh-ed25519 AAAA…`, without the comment.
    pub text: String,
    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    pub fingerprint: String,
    /// What stood behind the key; may be empty.
    pub comment: String,
}

/// Why a text is no public key that may be used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// A private key was pasted.
    #[error("is a private key: keep it to yourself and paste the line of the file ending in .pub")]
    Private,
    /// More than one line.
    #[error("holds several lines; add one key at a time")]
    Lines,
    /// Not the form of a key.
    #[error("is no SSH public key; it looks like `ssh-ed25519 AAAA… comment`")]
    Form,
    /// A kind that is not taken.
    #[error("is of the kind {0}, which is not taken; use ssh-ed25519")]
    Kind(String),
    /// An RSA key that can be broken.
    #[error("is an RSA key of {0} bits; it needs 2048 or more")]
    Weak(usize),
}

/// The longest line that is read: an RSA key of 16384 bits fits.
const MAX_LINE: usize = 8192;

const KINDS: [&str; 7] = [
    "ssh-ed25519",
    "ecdsa-sha2-nistp256",
    "ecdsa-sha2-nistp384",
    "ecdsa-sha2-nistp521",
    "sk-ssh-ed25519@openssh.com",
    "sk-ecdsa-sha2-nistp256@openssh.com",
    "ssh-rsa",
];

impl PublicKey {
    /// Reads one line.
    ///
    /// # Errors
    /// Says what is wrong with it.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let line = text.trim();
        if line.contains("PRIVATE KEY") {
            return Err(BadKey::Private);
        }
        if line.lines().count() > 1 {
            return Err(BadKey::Lines);
        }
        if line.len() > MAX_LINE {
            return Err(BadKey::Form);
        }
        let mut words = line.splitn(3, char::is_whitespace);
        let (Some(kind), Some(body)) = (words.next(), words.next()) else {
            return Err(BadKey::Form);
        };
        let blob = STANDARD.decode(body).map_err(|_| BadKey::Form)?;
        let (named, rest) = field(&blob).ok_or(BadKey::Form)?;
        if named != kind.as_bytes() {
            return Err(BadKey::Form);
        }
        if !KINDS.contains(&kind) {
            return Err(BadKey::Kind(kind.chars().take(64).collect()));
        }
        check_body(kind, rest)?;
        Ok(Self {
            text: format!("{kind} {body}"),
            fingerprint: fingerprint(&blob),
            comment: words.next().unwrap_or_default().trim().to_owned(),
        })
    }
}

/// The fingerprint of a key's blob.
#[must_use]
pub fn fingerprint(blob: &[u8]) -> String {
    format!("SHA256:{}", STANDARD_NO_PAD.encode(Sha256::digest(blob)))
}

/// A length-prefixed field and what follows it.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (len, rest) = bytes.split_first_chunk::<4>()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*len)).ok()?)
}

fn check_body(kind: &str, rest: &[u8]) -> Result<(), BadKey> {
    let (first, rest) = field(rest).ok_or(BadKey::Form)?;
    match kind {
        "ssh-ed25519" if first.len() == 32 && rest.is_empty() => Ok(()),
        "ssh-ed25519" => Err(BadKey::Form),
        "ssh-rsa" => {
            // The exponent came first; the modulus has a zero byte before a high bit.
            let (modulus, _) = field(rest).ok_or(BadKey::Form)?;
            let zeros = modulus.iter().take_while(|b| **b == 0).count();
            let bits = modulus.len().saturating_sub(zeros) * 8;
            if bits < 2048 { Err(BadKey::Weak(bits)) } else { Ok(()) }
        }
        _ if field(rest).is_some() => Ok(()),
        _ => Err(BadKey::Form),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ";

    #[test]
    fn a_key_is_read_with_its_fingerprint_and_comment() {
        let key = PublicKey::parse(&format!("  {KEY} ada@laptop two\n")).unwrap();
        assert_eq!(key.text, KEY);
        assert_eq!(key.comment, "ada@laptop two");
        assert!(key.fingerprint.starts_with("SHA256:") && key.fingerprint.len() == 50);
    }

    #[test]
    fn what_is_no_key_says_why() {
        let bad = |text: &str| PublicKey::parse(text).unwrap_err();
        assert_eq!(bad("-----BEGIN OPENSSH PRIVATE KEY-----\nx"), BadKey::Private);
        assert_eq!(bad(&format!("{KEY}\n{KEY}")), BadKey::Lines);
        assert_eq!(bad("hello"), BadKey::Form);
        assert_eq!(bad("ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIA=="), BadKey::Form);
        assert_eq!(bad(KEY.trim_end_matches("OIeZJ")), BadKey::Form);
    }
}
