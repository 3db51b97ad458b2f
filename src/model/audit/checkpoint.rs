//! Checkpoints: signed words on how far the log went, and on what was removed of it for its age.

use ring::signature::{ED25519, Ed25519KeyPair, KeyPair as _, UnparsedPublicKey};

use super::chain::{Finding, Head};
use crate::model::time::Timestamp;
use crate::model::user::define_words;

/// Entries after which the log is signed again, if an hour is not over before.
pub const EVERY_ENTRIES: i64 = 1000;
/// Seconds after which it is, when there was anything.
pub const EVERY_S: i64 = 3600;

/// What a signature begins with, so that it fits nothing else that the key might sign.
const PURPOSE: &[u8] = b"steading audit checkpoint 1\0";

define_words! {
    /// What a checkpoint says.
    CheckpointKind {
        /// The log went so far.
        Mark = "mark",
        /// Entries up to this one were removed for their age: the log begins behind it.
        Cut = "cut",
    }
}

/// What a checkpoint says; all of it is signed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Its number, from 1 and dense.
    pub number: i64,
    /// Whether it marks an end or a beginning.
    pub kind: CheckpointKind,
    /// The entry it is about, and that entry's hash.
    pub head: Head,
    /// Entries that the log held then; for a cut, entries that were removed by it.
    pub n_entries: i64,
    /// When it was made.
    pub at: Timestamp,
}

/// A checkpoint with the key and the signature.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signed {
    /// What it says.
    pub checkpoint: Checkpoint,
    /// The Ed25519 public key of who signed.
    pub key: PublicKey,
    /// The signature over [`Checkpoint::message`].
    pub signature: Vec<u8>,
}

/// An Ed25519 public key.
pub type PublicKey = [u8; 32];

impl Checkpoint {
    /// What is signed: numbers in 8 bytes, most significant first.
    #[must_use]
    pub fn message(&self) -> Vec<u8> {
        let mut message = PURPOSE.to_vec();
        message.extend_from_slice(&self.number.to_be_bytes());
        message.push(match self.kind {
            CheckpointKind::Mark => 0,
            CheckpointKind::Cut => 1,
        });
        message.extend_from_slice(&self.head.seq.to_be_bytes());
        message.extend_from_slice(&self.head.hash);
        message.extend_from_slice(&self.n_entries.to_be_bytes());
        message.extend_from_slice(&self.at.0.to_be_bytes());
        message
    }
}

impl Signed {
    /// Whether the signature is that of the key it names, and the key the one that is trusted.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self, trusted: &PublicKey) -> Result<(), Finding> {
        let wrong = |why| Err(Finding::checkpoint(self.checkpoint.number, why));
        if self.key != *trusted {
            return wrong("is signed with another key");
        }
        let key = UnparsedPublicKey::new(&ED25519, self.key);
        if key.verify(&self.checkpoint.message(), &self.signature).is_err() {
            return wrong("its signature is wrong");
        }
        Ok(())
    }
}

/// The key that signs checkpoints.
pub struct Signer(Ed25519KeyPair);

/// Bytes of the secret that a key is made from.
pub const SEED_BYTES: usize = 32;

impl Signer {
    /// The key of a secret; none when it is not one.
    #[must_use]
    pub fn from_seed(seed: &[u8]) -> Option<Self> {
        Ed25519KeyPair::from_seed_unchecked(seed).ok().map(Self)
    }

    /// The public key.
    #[must_use]
    pub fn public_key(&self) -> PublicKey {
        let mut key = PublicKey::default();
        key.copy_from_slice(self.0.public_key().as_ref());
        key
    }

    /// Signs a checkpoint.
    #[must_use]
    pub fn sign(&self, checkpoint: Checkpoint) -> Signed {
        let signature = self.0.sign(&checkpoint.message()).as_ref().to_vec();
        Signed { checkpoint, key: self.public_key(), signature }
    }
}

/// What verification takes from the checkpoints before it reads the entries: they are looked at by
/// their numbers, and tell where the log begins.
#[derive(Clone, Debug)]
pub struct Reader {
    trusted: Option<PublicKey>,
    number: i64,
    start: Head,
}

impl Reader {
    /// Believes this key; without one, that of the first checkpoint.
    #[must_use]
    pub fn new(trusted: Option<PublicKey>) -> Self {
        Self { trusted, number: 0, start: Head::START }
    }

    /// Takes the next checkpoint.
    ///
    /// # Errors
    /// The checkpoint that is wrong, or missing.
    pub fn take(&mut self, signed: &Signed) -> Result<(), Finding> {
        let Checkpoint { number, kind, head, .. } = signed.checkpoint;
        let expected = self.number.saturating_add(1);
        if number != expected {
            return Err(Finding::checkpoint(expected, "is missing"));
        }
        signed.check(self.trusted.get_or_insert(signed.key))?;
        self.number = number;
        match kind {
            CheckpointKind::Cut if head.seq < self.start.seq => {
                return Err(Finding::checkpoint(number, "goes back behind an earlier one"));
            }
            CheckpointKind::Cut => self.start = head,
            CheckpointKind::Mark => {}
        }
        Ok(())
    }

    /// Where the log begins.
    #[must_use]
    pub fn start(&self) -> Head {
        self.start
    }

    /// How many there were.
    #[must_use]
    pub fn count(&self) -> i64 {
        self.number
    }

    /// The key they are signed with; none when there were none and none was given.
    #[must_use]
    pub fn key(&self) -> Option<PublicKey> {
        self.trusted
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(number: i64, seq: i64) -> Checkpoint {
        Checkpoint {
            number,
            kind: CheckpointKind::Mark,
            head: Head { seq, hash: [7; 32] },
            n_entries: seq,
            at: Timestamp(1_795_000_000),
        }
    }

    #[test]
    fn a_checkpoint_is_good_only_as_it_was_signed() {
        let signer = Signer::from_seed(&[1; SEED_BYTES]).unwrap();
        let other = Signer::from_seed(&[2; SEED_BYTES]).unwrap();
        let good = signer.sign(mark(1, 5));
        let trusted = signer.public_key();
        assert_eq!(good.check(&trusted), Ok(()));
        let changes: [fn(&mut Checkpoint); 6] = [
            |c| c.number += 1,
            |c| c.kind = CheckpointKind::Cut,
            |c| c.head.seq += 1,
            |c| c.head.hash[31] ^= 1,
            |c| c.n_entries -= 1,
            |c| c.at.0 += 1,
        ];
        for change in changes {
            let mut signed = good.clone();
            change(&mut signed.checkpoint);
            assert!(signed.check(&trusted).unwrap_err().why.contains("signature"), "{signed:?}");
        }
        for at in 0..good.signature.len() {
            let mut signed = good.clone();
            signed.signature[at] ^= 1;
            assert!(signed.check(&trusted).is_err(), "byte {at}");
        }
        let forged = other.sign(mark(1, 5));
        assert!(forged.check(&trusted).unwrap_err().why.contains("another key"));
        assert!(Signed { key: trusted, ..forged }.check(&trusted).is_err());
    }

    #[test]
    fn checkpoints_are_dense_and_cuts_only_go_on() {
        let signer = Signer::from_seed(&[1; SEED_BYTES]).unwrap();
        let cut = |number, seq| Checkpoint { kind: CheckpointKind::Cut, ..mark(number, seq) };
        let read = |all: &[Checkpoint]| {
            let mut reader = Reader::new(None);
            all.iter().try_for_each(|c| reader.take(&signer.sign(c.clone())))?;
            Ok::<_, Finding>((reader.start().seq, reader.count()))
        };
        assert_eq!(read(&[]), Ok((0, 0)));
        assert_eq!(read(&[mark(1, 9), cut(2, 4), mark(3, 12)]), Ok((4, 3)));
        assert_eq!(read(&[mark(1, 9), mark(3, 12)]).unwrap_err().number, 2);
        assert_eq!(read(&[cut(1, 9), cut(2, 8)]).unwrap_err().number, 2);
        let mut reader = Reader::new(Some([9; 32]));
        assert!(reader.take(&signer.sign(mark(1, 9))).is_err());
    }
}
