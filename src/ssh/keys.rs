//! SSH keys as text: public keys that people put on file, and Ed25519 key pairs that we make.

use russh::keys::ssh_key::private::{Ed25519Keypair, Ed25519PrivateKey, KeypairData};
use russh::keys::ssh_key::{LineEnding, public::KeyData};
use russh::keys::{HashAlg, PrivateKey, ssh_key};

use crate::clock::Entropy;

/// Longest line of a public key. RSA with 16,384 bits needs 2,800 characters.
const MAX_LINE: usize = 8 << 10;

/// A public key that may log in. Two are equal when only their comments differ.
#[derive(Clone, Debug)]
pub struct PublicKey(ssh_key::PublicKey);

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.0.key_data() == other.0.key_data()
    }
}

impl Eq for PublicKey {}

/// Text that is not a public key we accept.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKey {
    /// Nothing there.
    #[error("is empty")]
    Empty,
    /// Several lines, or far too much.
    #[error("must be one line, as in an id_ed25519.pub file")]
    NotOneLine,
    /// A private key.
    #[error("is a private key; give the public one, whose file ends in .pub")]
    Private,
    /// A kind of key we do not accept.
    #[error("is of kind {0}, which is not accepted; use ssh-ed25519, ecdsa, rsa or a security key")]
    Kind(String),
    /// An RSA key that is too short to be safe.
    #[error("is an RSA key of {0} bits; at least 2048 are needed")]
    Weak(usize),
    /// Something else.
    #[error("is not a public key, as in an id_ed25519.pub file")]
    Unreadable,
}

impl PublicKey {
    /// Reads a line as in `id_ed25519.pub` or `authorized_keys`; options before the key are not
    /// accepted.
    ///
    /// # Errors
    /// When it is none, or of a kind that is not accepted.
    pub fn parse(text: &str) -> Result<Self, BadKey> {
        let line = text.trim();
        if line.is_empty() {
            return Err(BadKey::Empty);
        }
        if line.contains("PRIVATE KEY") {
            return Err(BadKey::Private);
        }
        if line.contains(['\n', '\r']) || line.len() > MAX_LINE {
            return Err(BadKey::NotOneLine);
        }
        let kind = line.split_whitespace().next().unwrap_or_default();
        if kind == "ssh-dss" || kind.contains("-cert-v01@") {
            return Err(BadKey::Kind(kind.to_owned()));
        }
        let key = ssh_key::PublicKey::from_openssh(line).map_err(|_| BadKey::Unreadable)?;
        Self::accept(key)
    }

    /// A key that a client offers.
    pub(super) fn offered(key: &ssh_key::PublicKey) -> Result<Self, BadKey> {
        Self::accept(key.clone())
    }

    fn accept(key: ssh_key::PublicKey) -> Result<Self, BadKey> {
        match key.key_data() {
            KeyData::Ed25519(_)
            | KeyData::Ecdsa(_)
            | KeyData::SkEd25519(_)
            | KeyData::SkEcdsaSha2NistP256(_) => Ok(Self(key)),
            KeyData::Rsa(rsa) => match rsa.key_size() {
                bits if bits < 2048 => Err(BadKey::Weak(bits as usize)),
                _ => Ok(Self(key)),
            },
            KeyData::Dsa(_) | KeyData::Certificate(_) | KeyData::Other(_) | _ => {
                Err(BadKey::Kind(key.algorithm().as_str().to_owned()))
            }
        }
    }

    /// `ssh-ed25519 AAAA…`, without the comment: the same text for the same key.
    #[must_use]
    pub fn to_line(&self) -> String {
        let plain = ssh_key::PublicKey::new(self.0.key_data().clone(), "");
        plain.to_openssh().unwrap_or_default()
    }

    /// The comment; empty when there is none.
    #[must_use]
    pub fn comment(&self) -> String {
        self.0.comment().as_str_lossy().trim().to_owned()
    }

    /// The kind, for example `ssh-ed25519`.
    #[must_use]
    pub fn kind(&self) -> String {
        self.0.algorithm().as_str().to_owned()
    }

    /// `SHA256:…`, as `ssh-keygen -l` prints it.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        self.0.fingerprint(HashAlg::Sha256).to_string()
    }
}

/// An Ed25519 key pair: a server's host key, or one made for a person who has none.
#[derive(Clone)]
pub struct KeyPair(PrivateKey);

impl KeyPair {
    /// Makes one.
    #[must_use]
    pub fn generate(entropy: &Entropy, comment: &str) -> Self {
        let pair = Ed25519Keypair::from(Ed25519PrivateKey::from_bytes(&entropy.bytes()));
        let key = PrivateKey::new(KeypairData::Ed25519(pair), comment.to_owned())
            .expect("an unencrypted key pair is always accepted");
        Self(key)
    }

    /// Reads OpenSSH's private key format, without a passphrase.
    ///
    /// # Errors
    /// When it is something else.
    pub fn from_openssh(text: &str) -> Result<Self, BadKeyPair> {
        let key = PrivateKey::from_openssh(text).map_err(|_| BadKeyPair::Unreadable)?;
        match key.key_data() {
            KeypairData::Ed25519(_) => Ok(Self(key)),
            KeypairData::Encrypted(_) => Err(BadKeyPair::Encrypted),
            KeypairData::Ecdsa(_)
            | KeypairData::Rsa(_)
            | KeypairData::Dsa(_)
            | KeypairData::SkEcdsaSha2NistP256(_)
            | KeypairData::SkEd25519(_)
            | KeypairData::Other(_)
            | _ => Err(BadKeyPair::NotEd25519),
        }
    }

    /// The private key in OpenSSH's format, as `id_ed25519` holds it.
    #[must_use]
    pub fn to_openssh(&self) -> zeroize::Zeroizing<String> {
        self.0.to_openssh(LineEnding::LF).expect("an Ed25519 key pair can be written")
    }

    /// The public half.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey(self.0.public_key().clone())
    }

    pub(super) fn private(&self) -> &PrivateKey {
        &self.0
    }
}

/// Text that is not a key pair of ours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadKeyPair {
    /// Not in OpenSSH's format.
    #[error("is not a private key in OpenSSH's format")]
    Unreadable,
    /// With a passphrase.
    #[error("is a private key with a passphrase")]
    Encrypted,
    /// Of another kind.
    #[error("is not an Ed25519 key")]
    NotEd25519,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAILM+rvN+ot98qgEN796jTiQfZfG1KaT0PtFDJ/XFSqti ada@laptop";

    #[test]
    fn a_line_is_read_with_its_comment() {
        let key = PublicKey::parse(&format!("  {ED25519}\n")).unwrap();
        assert_eq!((key.kind().as_str(), key.comment().as_str()), ("ssh-ed25519", "ada@laptop"));
        assert_eq!(key.fingerprint(), "SHA256:UCUiLr7Pjs9wFFJMDByLgc3NrtdU344OgUM45wZPcIQ");
        assert_eq!(key.to_line(), ED25519.rsplit_once(' ').unwrap().0);
        assert_eq!(PublicKey::parse(&key.to_line()).unwrap(), key);
    }

    #[test]
    fn what_is_no_key_says_why() {
        let check =
            |text: &str, error: BadKey| assert_eq!(PublicKey::parse(text).unwrap_err(), error);
        check(" \n", BadKey::Empty);
        check("hello", BadKey::Unreadable);
        check("ssh-ed25519 AAAA", BadKey::Unreadable);
        check(&format!("{ED25519}\n{ED25519}"), BadKey::NotOneLine);
        check("ssh-dss AAAAB3NzaC1kc3MAAA", BadKey::Kind("ssh-dss".to_owned()));
        let pair = KeyPair::generate(&Entropy::seeded(1), "");
        check(&pair.to_openssh(), BadKey::Private);
    }

    #[test]
    fn a_pair_survives_its_text() {
        let pair = KeyPair::generate(&Entropy::seeded(7), "made for ada");
        let read = KeyPair::from_openssh(&pair.to_openssh()).unwrap();
        assert_eq!(read.public(), pair.public());
        assert_eq!(read.public().comment(), "made for ada");
        assert_eq!(KeyPair::from_openssh("x").err(), Some(BadKeyPair::Unreadable));
    }
}
