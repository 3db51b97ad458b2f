//! The table `recovery_codes`: hashes of codes that are good once.

use rusqlite::named_params;

use super::{ReadTx, Result, WriteTx};
use crate::model::id::UserId;
use crate::model::secret::TokenHash;

/// How many a user has left.
///
/// # Errors
/// When SQLite fails.
pub fn count(tx: &ReadTx<'_>, user: UserId) -> Result<usize> {
    let n: Option<i64> = tx.find(
        "SELECT count(*) AS n FROM recovery_codes WHERE user_id = :user",
        named_params! { ":user": user },
        |row| row.get("n"),
    )?;
    Ok(usize::try_from(n.unwrap_or_default()).unwrap_or_default())
}

/// Gives a user these codes and no others.
///
/// # Errors
/// When SQLite fails.
pub fn replace(tx: &WriteTx<'_>, user: UserId, hashes: &[TokenHash]) -> Result<()> {
    delete_all(tx, user)?;
    for hash in hashes {
        tx.execute(
            "INSERT INTO recovery_codes (user_id, hash, created_at) VALUES (:user, :hash, :now)",
            named_params! { ":user": user, ":hash": hash, ":now": tx.now },
        )?;
    }
    Ok(())
}

/// Takes a code away; whether it was there.
///
/// # Errors
/// When SQLite fails.
pub fn spend(tx: &WriteTx<'_>, user: UserId, hash: TokenHash) -> Result<bool> {
    let n = tx.execute(
        "DELETE FROM recovery_codes WHERE user_id = :user AND hash = :hash",
        named_params! { ":user": user, ":hash": hash },
    )?;
    Ok(n == 1)
}

/// Removes a user's codes.
///
/// # Errors
/// When SQLite fails.
pub fn delete_all(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute("DELETE FROM recovery_codes WHERE user_id = :user", named_params! { ":user": user })
}
