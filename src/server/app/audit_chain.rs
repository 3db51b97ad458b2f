//! The audit log's checkpoints, what is removed of it for its age, and its verification.

use std::path::Path;

use anyhow::Context as _;

use super::retention::AUDIT_ROWS;
use super::settings::{kept_key, sealed_secret};
use super::{Actor, App, Error, Result};
use crate::clock::{Clock, Entropy};
use crate::model::audit::chain::{Finding, Head};
use crate::model::audit::checkpoint::{
    Checkpoint, CheckpointKind, EVERY_ENTRIES, EVERY_S, PublicKey, Reader, SEED_BYTES, Signed,
    Signer,
};
use crate::model::audit::verify::{Known, Verifier, Whole};
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::time::Timestamp;
use crate::server::db::seal::Seal;
use crate::server::db::{Db, ReadTx, WriteTx, audit, audit_checkpoints};
use crate::wire::audit as wire;

/// The setting that holds the secret of the key that signs checkpoints.
const KEY: &str = "audit_key";
/// Checkpoints in a list at most.
pub const MAX_CHECKPOINTS: i64 = 1000;

/// What verification found.
#[derive(Clone, Debug)]
pub struct Verified {
    /// The log as it is, or the first thing that is wrong with it.
    pub log: std::result::Result<Whole, Finding>,
    /// Checkpoints that were found good.
    pub n_checkpoints: i64,
    /// The key they are signed with; none where there are none.
    pub key: Option<PublicKey>,
}

impl Verified {
    /// As it is told, to who gave a checkpoint or did not.
    #[must_use]
    pub fn told(&self, with_anchor: bool) -> wire::Verification {
        let told = wire::Verification {
            checkpoints: self.n_checkpoints,
            public_key: self.key.map(hex::encode).unwrap_or_default(),
            ..wire::Verification::default()
        };
        match &self.log {
            Ok(whole) => wire::Verification {
                ok: true,
                first: whole.removed + 1,
                last: whole.head.seq,
                hash: hex::encode(whole.head.hash),
                anchored: with_anchor.then_some(whole.is_anchored),
                ..told
            },
            Err(found) => wire::Verification {
                finding: Some(wire::Finding {
                    number: found.number,
                    id: found.id.clone(),
                    what: found.what.clone(),
                    why: found.why.clone(),
                }),
                ..told
            },
        }
    }
}

impl App {
    async fn signer(&self) -> Result<Signer> {
        let seed = self.secret(KEY, |e| e.bytes::<SEED_BYTES>().to_vec()).await?;
        Signer::from_seed(&seed)
            .context("the key of the audit log cannot be used")
            .map_err(Error::Internal)
    }

    /// Signs how far the log has come, if that is due: after so many entries, or after an hour with
    /// any. With `now`, at once. Whether it did.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn checkpoint_pass(&self, now: bool) -> Result<bool> {
        if !self.db.read(move |tx| is_due(tx, now)).await? {
            return Ok(false);
        }
        let signer = self.signer().await?;
        self.db.write(move |tx| mark(tx, &signer, now)).await
    }

    /// Removes some entries that are older than `before`, and signs that. Whether there may be more.
    pub(super) async fn forget_audit(&self, before: Timestamp) -> Result<bool> {
        let signer = self.signer().await?;
        self.db.write(move |tx| cut(tx, &signer, before)).await
    }

    /// Checkpoints after a number, in order. Who asks for all of them gets one for the last entry too:
    /// they are about to be kept elsewhere.
    ///
    /// # Errors
    /// [`Error::Denied`] for who is neither owner nor auditor.
    pub async fn checkpoints(&self, actor: &Actor, after: i64) -> Result<Vec<Signed>> {
        require_reader(self.clock.now(), actor)?;
        if after == 0 {
            self.checkpoint_pass(true).await?;
        }
        Ok(self.db.read(|tx| audit_checkpoints::list(tx, after, MAX_CHECKPOINTS)).await?)
    }

    /// Verifies the whole log, and that it goes on from `anchor`, if there is one.
    ///
    /// # Errors
    /// [`Error::Denied`] for who is neither owner nor auditor, [`Error::Unavailable`] while someone
    /// else does the same: it reads everything.
    pub async fn verify_audit(&self, actor: &Actor, anchor: Option<Head>) -> Result<Verified> {
        require_reader(self.clock.now(), actor)?;
        let permit = self.verifying.clone().try_acquire_owned().map_err(|_| {
            Error::Unavailable("the log is being verified; try again in a moment".to_owned())
        })?;
        let key = self.signer().await?.public_key();
        self.db
            .read_large(move |tx| {
                let _permit = permit;
                verify(tx, Some(key), anchor)
            })
            .await
    }
}

/// Who may read the log.
pub(super) fn require_reader(now: Timestamp, actor: &Actor) -> Result<()> {
    actor.require(now, Action::Read, &Object::site(ResourceType::AuditLog))
}

fn is_due(tx: &ReadTx<'_>, now: bool) -> Result<bool> {
    let head = audit::head(tx)?;
    let last = audit_checkpoints::last(tx)?.map(|signed| signed.checkpoint);
    let (seq, at) = last.map_or((0, Timestamp(0)), |last| (last.head.seq, last.at));
    // A clock that went back must not put it off.
    let is_old = tx.now.0.saturating_sub(at.0) >= EVERY_S || tx.now < at;
    Ok(head.seq > seq && (now || is_old || head.seq - seq >= EVERY_ENTRIES))
}

fn mark(tx: &WriteTx<'_>, signer: &Signer, now: bool) -> Result<bool> {
    if !is_due(tx, now)? {
        return Ok(false);
    }
    let last = audit_checkpoints::last(tx)?;
    let head = audit::head(tx)?;
    let signed = signer.sign(Checkpoint {
        number: last.map_or(1, |last| last.checkpoint.number + 1),
        kind: CheckpointKind::Mark,
        head,
        n_entries: head.seq - audit::first(tx)? + 1,
        at: tx.now,
    });
    audit_checkpoints::put(tx, &signed)?;
    Ok(true)
}

/// Cuts follow each other in small steps: as long as the last checkpoint is one, it goes on.
fn cut(tx: &WriteTx<'_>, signer: &Signer, before: Timestamp) -> Result<bool> {
    let Some((head, removed)) = audit::forget(tx, before, AUDIT_ROWS)? else { return Ok(false) };
    let last = audit_checkpoints::last(tx)?.map(|signed| signed.checkpoint);
    let (number, n_entries) = match last {
        Some(last) if last.kind == CheckpointKind::Cut => (last.number, last.n_entries + removed),
        Some(last) => (last.number + 1, removed),
        None => (1, removed),
    };
    let kind = CheckpointKind::Cut;
    let signed = signer.sign(Checkpoint { number, kind, head, n_entries, at: tx.now });
    audit_checkpoints::put(tx, &signed)?;
    Ok(removed == AUDIT_ROWS)
}

/// Reads the checkpoints, then every entry, one at a time. What checkpoints know is kept meanwhile:
/// 48 bytes for each thousand entries.
fn verify(tx: &ReadTx<'_>, key: Option<PublicKey>, anchor: Option<Head>) -> Result<Verified> {
    let (mut reader, mut known) = (Reader::new(key), Vec::new());
    let read = audit_checkpoints::walk(tx, |signed| {
        reader.take(signed)?;
        let Checkpoint { number, head, .. } = signed.checkpoint;
        known.push(Known { number, head });
        Ok(())
    })?;
    let log = match read {
        Ok(()) => follow(tx, Verifier::new(reader.start(), known, anchor))?,
        Err(found) => Err(found),
    };
    Ok(Verified { log, n_checkpoints: reader.count(), key: reader.key() })
}

fn follow(tx: &ReadTx<'_>, mut verifier: Verifier) -> Result<std::result::Result<Whole, Finding>> {
    if let Err(found) = verifier.begin() {
        return Ok(Err(found));
    }
    let read = audit::walk(tx, |values, stored| verifier.take(values, stored))?;
    Ok(match read {
        Ok(()) => verifier.finish(),
        Err(found) if found.number == 0 => Err(Finding::entry(verifier.next_seq(), found.why)),
        Err(found) => Err(found),
    })
}

/// How a log is verified without its server.
#[derive(Clone, Debug, Default)]
pub struct Offline {
    /// The key to believe; else the deployment's own, as far as it can be read, else the one that
    /// the first checkpoint names.
    pub key: Option<PublicKey>,
    /// The key that secrets are sealed with, when the server is given one.
    pub master_key: Option<[u8; 32]>,
    /// Where the log was when a checkpoint was kept elsewhere.
    pub anchor: Option<Head>,
}

/// Verifies the log in a database, which is not changed, and its indices.
///
/// # Errors
/// When the file is no database of ours, or of another version, or cannot be opened.
pub fn verify_file(
    file: &Path,
    (clock, entropy): (&Clock, Entropy),
    how: &Offline,
) -> Result<Verified> {
    Db::look(file, clock, |tx| {
        let own = own_key(tx, how.master_key, entropy)?;
        let mut verified = verify(tx, how.key.or(own), how.anchor)?;
        if let (Ok(_), Some(found)) = (&verified.log, audit::check_indices(tx)?) {
            verified.log = Err(found);
        }
        Ok(verified)
    })
}

/// The deployment's own key; none where its secret cannot be read.
fn own_key(
    tx: &ReadTx<'_>,
    master_key: Option<[u8; 32]>,
    entropy: Entropy,
) -> Result<Option<PublicKey>> {
    let Some(master_key) = master_key.map_or_else(|| kept_key(tx), |key| Ok(Some(key)))? else {
        return Ok(None);
    };
    let seed = sealed_secret(tx, &Seal::new(master_key, entropy), KEY)?;
    Ok(seed.and_then(|seed| Signer::from_seed(&seed)).map(|signer| signer.public_key()))
}
