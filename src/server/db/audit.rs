//! The table `audit`: who did what, written in the transaction of the change.

use rusqlite::named_params;

use super::{Result, WriteTx};
use crate::model::audit::AuditEntry;
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
