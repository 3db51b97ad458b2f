//! The table `shifts` and the view `on_shift`: who is on call when, as far as it is planned.

use rusqlite::{Row, named_params};

use super::scim_users::bound;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{RotationId, UserId};
use crate::model::rotation::{HORIZON, Stored};
use crate::model::time::Timestamp;

fn from_row(row: &Row<'_>) -> rusqlite::Result<Stored> {
    Ok(Stored {
        user: row.get("user_id")?,
        from_at: row.get("from_at")?,
        until_at: row.get("until_at")?,
        is_override: row.get("is_override")?,
    })
}

/// The shift of a rotation that covers a time, as it was planned.
///
/// # Errors
/// When SQLite fails.
pub fn at(tx: &ReadTx<'_>, rotation: RotationId, at: Timestamp) -> Result<Option<Stored>> {
    let last = tx.find(
        "SELECT user_id, from_at, until_at, is_override FROM shifts
         WHERE rotation_id = :rotation AND from_at <= :at ORDER BY from_at DESC LIMIT 1",
        named_params! { ":rotation": rotation, ":at": at },
        from_row,
    )?;
    Ok(last.filter(|shift| at < shift.until_at))
}

/// Who is on call now, and until when: an active user who belongs to the organization.
///
/// # Errors
/// When SQLite fails.
pub fn on_shift(tx: &ReadTx<'_>, rotation: RotationId) -> Result<Option<(UserId, Timestamp)>> {
    tx.find(
        "SELECT user_id, until_at FROM on_shift
         WHERE rotation_id = :rotation AND from_at <= :now AND until_at > :now
         ORDER BY from_at DESC LIMIT 1",
        named_params! { ":rotation": rotation, ":now": tx.now },
        |row| Ok((row.get("user_id")?, row.get("until_at")?)),
    )
}

/// The shifts of a rotation that lie in a time or reach into it, in order.
///
/// # Errors
/// When SQLite fails.
pub fn list(
    tx: &ReadTx<'_>,
    rotation: RotationId,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<Stored>> {
    let mut all: Vec<Stored> = at(tx, rotation, from)?.into_iter().collect();
    all.extend(tx.list(
        "SELECT user_id, from_at, until_at, is_override FROM shifts
         WHERE rotation_id = :rotation AND from_at > :from AND from_at < :until ORDER BY from_at",
        named_params! { ":rotation": rotation, ":from": from, ":until": until },
        from_row,
    )?);
    Ok(all)
}

/// How far the shifts of a rotation are planned.
///
/// # Errors
/// When SQLite fails.
pub fn planned_until(tx: &ReadTx<'_>, rotation: RotationId) -> Result<Timestamp> {
    let found = tx.find(
        "SELECT planned_until_at FROM rotations WHERE id = :rotation",
        named_params! { ":rotation": rotation },
        |row| row.get("planned_until_at"),
    )?;
    Ok(found.unwrap_or_default())
}

/// Puts new shifts in the place of all that lie behind `tx.now`. One that is under way ends now, or
/// goes on as the first of the new ones.
///
/// # Errors
/// When SQLite fails.
pub fn replace(
    tx: &WriteTx<'_>,
    rotation: RotationId,
    (new, until): (&[Stored], Timestamp),
) -> Result<()> {
    tx.execute(
        "DELETE FROM shifts WHERE rotation_id = :rotation AND from_at >= :now",
        named_params! { ":rotation": rotation, ":now": tx.now },
    )?;
    tx.execute(
        "UPDATE shifts SET until_at = :now
         WHERE rotation_id = :rotation AND from_at < :now AND until_at > :now",
        named_params! { ":rotation": rotation, ":now": tx.now },
    )?;
    for shift in new {
        tx.execute(
            "INSERT INTO shifts (rotation_id, from_at, until_at, user_id, is_override)
             VALUES (:rotation, :from_at, :until_at, :user, :is_override)
             ON CONFLICT (rotation_id, from_at) DO UPDATE SET until_at = excluded.until_at",
            named_params! {
                ":rotation": rotation, ":from_at": shift.from_at, ":until_at": shift.until_at,
                ":user": shift.user, ":is_override": shift.is_override,
            },
        )?;
    }
    tx.execute(
        "UPDATE rotations SET planned_until_at = :until WHERE id = :rotation",
        named_params! { ":rotation": rotation, ":until": until },
    )?;
    Ok(())
}

/// Removes shifts of a rotation that began before a time.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, rotation: RotationId, before: Timestamp) -> Result<()> {
    tx.execute(
        "DELETE FROM shifts WHERE rotation_id = :rotation AND from_at < :before",
        named_params! { ":rotation": rotation, ":before": before },
    )?;
    Ok(())
}

/// Rotations that are planned less far than `until`, at most `most`.
///
/// # Errors
/// When SQLite fails.
pub fn due(tx: &ReadTx<'_>, until: Timestamp, most: usize) -> Result<Vec<RotationId>> {
    tx.list(
        "SELECT id FROM rotations WHERE planned_until_at < :until
         ORDER BY planned_until_at LIMIT :most",
        named_params! { ":until": until, ":most": bound(most) },
        |row| row.get("id"),
    )
}

/// Lets a rotation that cannot be planned be due again when those are that are planned now.
///
/// # Errors
/// When SQLite fails.
pub fn put_off(tx: &WriteTx<'_>, rotation: RotationId) -> Result<()> {
    tx.execute(
        "UPDATE rotations SET planned_until_at = :until WHERE id = :rotation",
        named_params! { ":rotation": rotation, ":until": tx.now.plus(HORIZON) },
    )?;
    Ok(())
}

/// Rotations with a shift to come of someone who may not be on call any more.
///
/// # Errors
/// When SQLite fails.
pub fn unfit(tx: &ReadTx<'_>) -> Result<Vec<RotationId>> {
    tx.list(
        "SELECT p.rotation_id
         FROM (SELECT rotation_id, user_id FROM rotation_members WHERE left_at IS NULL
               UNION SELECT rotation_id, user_id FROM rotation_overrides WHERE until_at > :now) p
           JOIN rotations r ON r.id = p.rotation_id
         WHERE NOT EXISTS (
             SELECT 1 FROM memberships m JOIN users u ON u.id = m.user_id
             WHERE m.organization_id = r.organization_id AND m.user_id = p.user_id
               AND u.status IN ('active', 'dormant'))
           AND EXISTS (
             SELECT 1 FROM shifts s
             WHERE s.user_id = p.user_id AND s.until_at > :now AND s.rotation_id = p.rotation_id)
         GROUP BY p.rotation_id
         /* scan: of who is in a rotation, and nobody else */",
        named_params! { ":now": tx.now },
        |row| row.get("rotation_id"),
    )
}
