//! The table `rotation_overrides`: who is on call instead of whoever's turn it is.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::id::{OverrideId, RotationId, UserId};
use crate::model::rotation::Override;
use crate::model::time::Timestamp;

fn from_row(row: &Row<'_>) -> rusqlite::Result<Override> {
    Ok(Override {
        id: row.get("id")?,
        user: row.get("user_id")?,
        from_at: row.get("from_at")?,
        until_at: row.get("until_at")?,
        made_by: row.get("made_by")?,
        reason: row.get("reason")?,
    })
}

/// Those of a rotation that are not over at a time, in the order they were made.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, rotation: RotationId, at: Timestamp) -> Result<Vec<Override>> {
    tx.list(
        "SELECT id, user_id, from_at, until_at, made_by, reason FROM rotation_overrides
         WHERE rotation_id = :rotation AND until_at > :at ORDER BY created_at, id",
        named_params! { ":rotation": rotation, ":at": at },
        from_row,
    )
}

/// Writes a new one.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, rotation: RotationId, new: &Override) -> Result<()> {
    tx.execute(
        "INSERT INTO rotation_overrides (id, rotation_id, user_id, from_at, until_at, made_by,
         reason, created_at)
         VALUES (:id, :rotation, :user, :from_at, :until_at, :made_by, :reason, :now)",
        named_params! {
            ":id": new.id, ":rotation": rotation, ":user": new.user, ":from_at": new.from_at,
            ":until_at": new.until_at, ":made_by": new.made_by, ":reason": new.reason,
            ":now": tx.now,
        },
    )?;
    Ok(())
}

/// Removes one.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, id: OverrideId) -> Result<()> {
    tx.execute("DELETE FROM rotation_overrides WHERE id = :id", named_params! { ":id": id })?;
    Ok(())
}

/// Removes someone's of a rotation.
///
/// # Errors
/// When SQLite fails.
pub fn delete_of(tx: &WriteTx<'_>, rotation: RotationId, user: UserId) -> Result<()> {
    tx.execute(
        "DELETE FROM rotation_overrides WHERE rotation_id = :rotation AND user_id = :user",
        named_params! { ":rotation": rotation, ":user": user },
    )?;
    Ok(())
}

/// Removes those of a rotation that ended before a time.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, rotation: RotationId, before: Timestamp) -> Result<()> {
    tx.execute(
        "DELETE FROM rotation_overrides WHERE rotation_id = :rotation AND until_at < :before",
        named_params! { ":rotation": rotation, ":before": before },
    )?;
    Ok(())
}
