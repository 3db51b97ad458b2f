//! Recordings as they are made: begun, written in stretches while the session lasts, and ended.

use super::access::record;
use super::{Actor, App, Error, Result, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::id::RecordingId;
use crate::model::recording::ledger::Change;
use crate::model::recording::{
    Block, Extent, Hash, NewRecording, Policy, Recording, RecordingStatus,
};
use crate::model::time::Timestamp;
use crate::server::db::{WriteTx, recording_blocks, recordings};

/// Recordings that one step at the start marks as interrupted.
const STEP: u32 = 100;

/// What came since the last time.
#[derive(Clone, Debug, Default)]
pub struct Growth {
    /// Blocks, the last of which may be written again as it grows.
    pub blocks: Vec<Block>,
    /// What changed in the list of commands.
    pub changes: Vec<Change>,
    /// How far it has come.
    pub extent: Extent,
    /// The hash of the last block.
    pub hash: Hash,
}

impl App {
    /// What the operator chose about recordings.
    #[must_use]
    pub fn recording_policy(&self) -> &Policy {
        &self.policy.recording
    }

    /// Begins a recording. The row is the record of it; its end is told in the audit log.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn begin_recording(&self, new: NewRecording) -> Result<Recording> {
        self.db
            .write(move |tx| {
                recordings::insert(tx, &new)?;
                recordings::find(tx, new.id)?.ok_or(Error::NotFound("recording"))
            })
            .await
    }

    /// Writes what came since the last time.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the recording does not last any more, and when the database fails.
    pub async fn grow_recording(&self, recording: &Recording, growth: Growth) -> Result<()> {
        let recording = recording.clone();
        self.db.write(move |tx| grow(tx, &recording, &growth)).await
    }

    /// Writes the last of a recording and ends it, with its hash in the audit log.
    ///
    /// # Errors
    /// As [`App::grow_recording`].
    pub async fn end_recording(
        &self,
        recording: &Recording,
        growth: Growth,
        exit_code: Option<i64>,
    ) -> Result<()> {
        let recording = recording.clone();
        self.db
            .write(move |tx| {
                grow(tx, &recording, &growth)?;
                end(tx, recording.id, RecordingStatus::Complete, (tx.now, exit_code))
            })
            .await
    }

    /// Marks recordings that an earlier life of the server left open: what was written of them stands.
    /// To be called at start. Returns how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn end_left_recordings(&self) -> Result<usize> {
        let mut n = 0;
        loop {
            let marked = self
                .db
                .write(|tx| {
                    let left = recordings::running(tx, STEP)?;
                    for id in &left {
                        let found = recordings::find(tx, *id)?;
                        let recording = found.ok_or(Error::NotFound("recording"))?;
                        let length_s = recording.extent.length_ms / 1000;
                        let last = Timestamp(recording.began_at.0.saturating_add(length_s));
                        end(tx, *id, RecordingStatus::Interrupted, (last, None))?;
                    }
                    Ok::<_, Error>(left.len())
                })
                .await?;
            n += marked;
            if marked == 0 {
                return Ok(n);
            }
        }
    }
}

fn grow(tx: &WriteTx<'_>, recording: &Recording, growth: &Growth) -> Result<()> {
    if !recordings::grew(tx, recording.id, growth.extent, &growth.hash)? {
        return Err(Error::NotFound("recording"));
    }
    for block in &growth.blocks {
        recording_blocks::put(tx, recording.id, block)?;
    }
    for change in &growth.changes {
        crate::server::db::commands::change(tx, recording, change)?;
    }
    Ok(())
}

fn end(
    tx: &WriteTx<'_>,
    id: RecordingId,
    status: RecordingStatus,
    ended: (Timestamp, Option<i64>),
) -> Result<()> {
    if !recordings::end(tx, id, status, ended)? {
        return Err(Error::NotFound("recording"));
    }
    let recording = recordings::find(tx, id)?.ok_or(Error::NotFound("recording"))?;
    told(tx, &Actor::System, AuditAction::Create, &recording)
}

/// Enters what became of a recording into the audit log, with the hash that it has.
pub(super) fn told(
    tx: &WriteTx<'_>,
    actor: &Actor,
    action: AuditAction,
    recording: &Recording,
) -> Result<()> {
    let extent = recording.extent;
    let diff = Diff::new()
        .field("user", "", recording.user.username.as_str())
        .field("workspace", "", &recording.workspace_name)
        .field("kind", "", recording.kind.as_str())
        .field("status", "", recording.status.as_str())
        .field("length_ms", 0, extent.length_ms)
        .field("bytes", 0, extent.bytes)
        .field("lost_bytes", 0, extent.lost_bytes)
        .field("hash", "", &hex::encode(recording.hash));
    let name = format!("{} in {}", recording.user.username, recording.workspace_name);
    let entry = trail::entry(action, AuditTarget::Recording, recording.id.0, &name);
    record(tx, actor, &trail::with(entry, &diff))
}
