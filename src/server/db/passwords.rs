//! The table `passwords`: Argon2id hashes, apart from the users.

use rusqlite::named_params;

use super::{ReadTx, Result, WriteTx};
use crate::model::id::UserId;

/// A user's hash as a PHC string.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, user: UserId) -> Result<Option<String>> {
    tx.find(
        "SELECT hash FROM passwords WHERE user_id = :user",
        named_params! { ":user": user },
        |row| row.get("hash"),
    )
}

/// Sets a user's hash.
///
/// # Errors
/// When SQLite fails.
pub fn put(tx: &WriteTx<'_>, user: UserId, hash: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO passwords (user_id, hash, changed_at) VALUES (:user, :hash, :now)
         ON CONFLICT (user_id) DO UPDATE SET hash = excluded.hash, changed_at = excluded.changed_at",
        named_params! { ":user": user, ":hash": hash, ":now": tx.now },
    )?;
    Ok(())
}

/// Removes a user's hash.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, user: UserId) -> Result<()> {
    tx.execute("DELETE FROM passwords WHERE user_id = :user", named_params! { ":user": user })?;
    Ok(())
}
