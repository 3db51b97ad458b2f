//! The table `tokens`: how long sessions last by their use.

use rusqlite::named_params;

use super::{Result, WriteTx};
use crate::model::id::TokenId;
use crate::model::time::Timestamp;

/// Brings the end of a new session nearer: its first use moves it to where it would have been.
///
/// # Errors
/// When SQLite fails.
pub fn end_unless_used(tx: &WriteTx<'_>, id: TokenId, at: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE tokens SET expires_at = min(expires_at, :at) WHERE id = :id",
        named_params! { ":id": id, ":at": at },
    )?;
    Ok(())
}

/// Notes a use; a session's end slides with it and never comes nearer.
///
/// # Errors
/// When SQLite fails.
pub fn used(tx: &WriteTx<'_>, id: TokenId, at: Timestamp, ip: &str) -> Result<()> {
    tx.execute(
        "UPDATE tokens SET last_used_at = :at, last_used_ip = :ip,
         expires_at = CASE kind WHEN 'session' THEN max(expires_at, :at + lifetime_s)
                      ELSE expires_at END
         WHERE id = :id",
        named_params! { ":id": id, ":at": at, ":ip": ip },
    )?;
    Ok(())
}
