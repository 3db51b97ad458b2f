//! The table `recording_blocks`: recordings in stretches that can be read alone.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::id::RecordingId;
use crate::model::recording::Block;

fn from_row(row: &Row<'_>) -> rusqlite::Result<Block> {
    Ok(Block {
        number: row.get("number")?,
        began_ms: row.get("began_ms")?,
        ended_ms: row.get("ended_ms")?,
        hash: row.get("hash")?,
        data: row.get("data")?,
    })
}

/// Writes a block, in place of the one of its number.
///
/// # Errors
/// When SQLite fails.
pub fn put(tx: &WriteTx<'_>, recording: RecordingId, block: &Block) -> Result<()> {
    tx.execute(
        "INSERT INTO recording_blocks (recording_id, number, began_ms, ended_ms, hash, data)
         VALUES (:recording, :number, :began, :ended, :hash, :data)
         ON CONFLICT (recording_id, number) DO UPDATE SET began_ms = excluded.began_ms,
             ended_ms = excluded.ended_ms, hash = excluded.hash, data = excluded.data",
        named_params! {
            ":recording": recording, ":number": block.number, ":began": block.began_ms,
            ":ended": block.ended_ms, ":hash": block.hash, ":data": block.data,
        },
    )?;
    Ok(())
}

/// Whether the database refused a row for what it holds: trying again does not help.
#[must_use]
pub fn is_refusal(error: &super::Error) -> bool {
    matches!(error, super::Error::Sqlite(e)
        if e.sqlite_error_code() == Some(rusqlite::ErrorCode::ConstraintViolation))
}

/// The block that a place is in: the last one that begins no later; else the first.
///
/// # Errors
/// When SQLite fails.
pub fn at(tx: &ReadTx<'_>, recording: RecordingId, at_ms: i64) -> Result<Option<i64>> {
    let number = |row: &Row<'_>| row.get("number");
    let found = tx.find(
        "SELECT number FROM recording_blocks INDEXED BY recording_blocks_by_time
         WHERE recording_id = :recording AND began_ms <= :at
         ORDER BY began_ms DESC, number DESC LIMIT 1",
        named_params! { ":recording": recording, ":at": at_ms },
        number,
    )?;
    if found.is_some() {
        return Ok(found);
    }
    tx.find(
        "SELECT number FROM recording_blocks WHERE recording_id = :recording
         ORDER BY number LIMIT 1",
        named_params! { ":recording": recording },
        number,
    )
}

/// Up to `most` blocks from this number on.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, recording: RecordingId, from: i64, most: u32) -> Result<Vec<Block>> {
    tx.list(
        "SELECT number, began_ms, ended_ms, hash, data FROM recording_blocks
         WHERE recording_id = :recording AND number >= :from ORDER BY number LIMIT :most",
        named_params! { ":recording": recording, ":from": from, ":most": most },
        from_row,
    )
}

/// Removes up to `most` blocks of a recording, the last ones first. Whether there may be more.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, recording: RecordingId, most: usize) -> Result<bool> {
    let n = tx.execute(
        "DELETE FROM recording_blocks WHERE recording_id = :recording AND number IN (
             SELECT number FROM recording_blocks WHERE recording_id = :recording
             ORDER BY number DESC LIMIT :most)",
        named_params! {
            ":recording": recording, ":most": i64::try_from(most).unwrap_or(i64::MAX),
        },
    )?;
    Ok(n == most)
}
