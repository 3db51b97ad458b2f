//! The table `audit`: who did what, written in the transaction of the change.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::audit::{AuditAction, AuditEntry, AuditRow, AuditTarget};
use crate::model::id::{AuditId, UserId};

/// Writes an entry.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, user: Option<UserId>, ip: &str, entry: &AuditEntry) -> Result<()> {
    tx.execute(
        "INSERT INTO audit (id, at, user_id, ip, action, target, target_id, target_name, diff)
         VALUES (:id, :at, :user, :ip, :action, :target, :target_id, :target_name, :diff)",
        named_params! {
            ":id": tx.fresh::<AuditId>(),
            ":at": tx.now,
            ":user": user,
            ":ip": ip,
            ":action": entry.action,
            ":target": entry.target,
            ":target_id": entry.target_id.to_string(),
            ":target_name": entry.target_name,
            ":diff": entry.diff,
        },
    )?;
    Ok(())
}

/// Action, kind of thing and user to narrow a list to.
pub type Narrow = (Option<AuditAction>, Option<AuditTarget>, Option<UserId>);

/// Entries, newest first.
///
/// # Errors
/// When SQLite fails.
pub fn list(
    tx: &ReadTx<'_>,
    (action, target, user): Narrow,
    limit: i64,
    offset: i64,
) -> Result<Vec<AuditRow>> {
    tx.list(
        "SELECT id, at, user_id, ip, action, target, target_id, target_name, diff FROM audit
         WHERE (:action IS NULL OR action = :action) AND (:target IS NULL OR target = :target)
         AND (:user IS NULL OR user_id = :user)
         ORDER BY at DESC, id DESC LIMIT :limit OFFSET :offset",
        named_params! {
            ":action": action, ":target": target, ":user": user, ":limit": limit,
            ":offset": offset,
        },
        from_row,
    )
}

/// How many [`list`] would give without limit.
///
/// # Errors
/// When SQLite fails.
pub fn count(tx: &ReadTx<'_>, (action, target, user): Narrow) -> Result<i64> {
    let n = tx.find(
        "SELECT count(*) AS n FROM audit
         WHERE (:action IS NULL OR action = :action) AND (:target IS NULL OR target = :target)
         AND (:user IS NULL OR user_id = :user) /* scan: an owner counts now and then */",
        named_params! { ":action": action, ":target": target, ":user": user },
        |row| row.get("n"),
    )?;
    Ok(n.unwrap_or(0))
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<AuditRow> {
    let target_id: String = row.get("target_id")?;
    Ok(AuditRow {
        id: row.get("id")?,
        at: row.get("at")?,
        user_id: row.get("user_id")?,
        ip: row.get("ip")?,
        entry: AuditEntry {
            action: row.get("action")?,
            target: row.get("target")?,
            target_id: target_id.parse().unwrap_or_default(),
            target_name: row.get("target_name")?,
            diff: row.get("diff")?,
        },
    })
}
