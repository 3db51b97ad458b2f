//! The audit log beyond Coder's API: checkpoints, verification, lines of an export.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::coder::Time;
use crate::model::audit::chain::Head;
use crate::model::audit::checkpoint::{Checkpoint, CheckpointKind, PublicKey, Signed};
use crate::model::time::Timestamp;

/// A line of an export: an entry with everything that its hash covers.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// Its place in the chain.
    pub seq: i64,
    /// Its id.
    pub id: Uuid,
    /// When.
    pub time: Time,
    /// What kind of actor did it.
    pub actor: String,
    /// The user, if it was one.
    pub user_id: Option<Uuid>,
    /// The user's name now; the hash covers the id.
    pub username: String,
    /// The agent, if it was one.
    pub agent_id: Option<Uuid>,
    /// The token they showed.
    pub token_id: Option<Uuid>,
    /// From where.
    pub ip: String,
    /// What the client calls itself.
    pub user_agent: String,
    /// The request it was done in.
    pub request_id: Option<Uuid>,
    /// What was done.
    pub action: String,
    /// To what kind of thing.
    pub resource_type: String,
    /// The thing.
    pub resource_id: Uuid,
    /// Its name then.
    pub resource_target: String,
    /// Where it belongs.
    pub organization_id: Option<Uuid>,
    /// Why a build was made.
    pub build_reason: Option<String>,
    /// What came of it, as HTTP has it.
    pub status_code: u16,
    /// Why it was denied.
    pub reason: String,
    /// What changed.
    pub diff: serde_json::Value,
    /// The hash of this entry and all before it, in hex.
    pub hash: String,
}

/// A checkpoint.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignedCheckpoint {
    /// Its number, from 1 and dense.
    pub number: i64,
    /// `mark`: the log went so far; `cut`: it begins behind this entry.
    pub kind: CheckpointKind,
    /// The entry it is about.
    pub seq: i64,
    /// That entry's hash, in hex.
    pub hash: String,
    /// Entries that the log held then; for a cut, entries that were removed.
    pub n_entries: i64,
    /// When it was made, in seconds since 1970.
    pub made_at: i64,
    /// The Ed25519 key of who signed, in hex.
    pub public_key: String,
    /// The signature, in hex.
    pub signature: String,
}

impl From<&Signed> for SignedCheckpoint {
    fn from(signed: &Signed) -> Self {
        let Signed { checkpoint, key, signature } = signed;
        Self {
            number: checkpoint.number,
            kind: checkpoint.kind,
            seq: checkpoint.head.seq,
            hash: hex::encode(checkpoint.head.hash),
            n_entries: checkpoint.n_entries,
            made_at: checkpoint.at.0,
            public_key: hex::encode(key),
            signature: hex::encode(signature),
        }
    }
}

impl SignedCheckpoint {
    /// Reads what is written in hex; none when it is not.
    #[must_use]
    pub fn read(&self) -> Option<Signed> {
        let checkpoint = Checkpoint {
            number: self.number,
            kind: self.kind,
            head: Head { seq: self.seq, hash: read_hash(&self.hash)? },
            n_entries: self.n_entries,
            at: Timestamp(self.made_at),
        };
        let signature = hex::decode(&self.signature).ok()?;
        Some(Signed { checkpoint, key: read_hash(&self.public_key)?, signature })
    }
}

/// A hash or a key in hex.
#[must_use]
pub fn read_hash(text: &str) -> Option<PublicKey> {
    hex::decode(text.trim()).ok()?.try_into().ok()
}

/// What verification found.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Verification {
    /// Nothing is wrong.
    pub ok: bool,
    /// Entries from this one on are there; 1 unless older ones were removed for their age.
    pub first: i64,
    /// The last entry; 0 for none.
    pub last: i64,
    /// Its hash, in hex: whoever notes it can tell later whether anything before it was changed.
    pub hash: String,
    /// Checkpoints that were found good.
    pub checkpoints: i64,
    /// The Ed25519 key they are signed with, in hex; empty for none.
    pub public_key: String,
    /// Whether the checkpoint given was found in the log; none when none was given.
    pub anchored: Option<bool>,
    /// The first thing that is wrong.
    pub finding: Option<Finding>,
}

/// Something that is wrong with the log.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Finding {
    /// The number of the entry or checkpoint.
    pub number: i64,
    /// The entry's id, as far as it can be read.
    pub id: String,
    /// What it is, in words.
    pub what: String,
    /// What is wrong with it.
    pub why: String,
}

/// What a verification is asked with.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Anchor {
    /// The entry of a checkpoint that was kept elsewhere; 0 for none.
    pub seq: i64,
    /// Its hash, in hex.
    pub hash: String,
}
