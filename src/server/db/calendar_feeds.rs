//! The table `calendar_feeds`: the links by which people's calendars follow shifts.

use rusqlite::named_params;

use super::{ReadTx, Result, WriteTx};
use crate::model::id::UserId;
use crate::model::secret::{Token, TokenHash};

/// Whose link it is, if there is one that has the looked-up part, with the hash of the rest.
///
/// # Errors
/// When SQLite fails.
pub fn present(tx: &ReadTx<'_>, public_id: &str) -> Result<Option<(UserId, TokenHash)>> {
    tx.find(
        "SELECT user_id, hash FROM calendar_feeds WHERE public_id = :public_id",
        named_params! { ":public_id": public_id },
        |row| Ok((row.get("user_id")?, row.get("hash")?)),
    )
}

/// Whether someone has a link.
///
/// # Errors
/// When SQLite fails.
pub fn has(tx: &ReadTx<'_>, user: UserId) -> Result<bool> {
    let found = tx.find(
        "SELECT 1 FROM calendar_feeds WHERE user_id = :user",
        named_params! { ":user": user },
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Gives someone a link, in the place of the one they had.
///
/// # Errors
/// When SQLite fails.
pub fn put(tx: &WriteTx<'_>, user: UserId, token: &Token) -> Result<()> {
    tx.execute(
        "INSERT INTO calendar_feeds (user_id, public_id, hash, created_at)
         VALUES (:user, :public_id, :hash, :now)
         ON CONFLICT (user_id) DO UPDATE SET public_id = excluded.public_id, hash = excluded.hash,
         created_at = excluded.created_at",
        named_params! {
            ":user": user, ":public_id": token.public_id(), ":hash": token.hash(), ":now": tx.now,
        },
    )?;
    Ok(())
}

/// Ends someone's link; how many that were.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute("DELETE FROM calendar_feeds WHERE user_id = :user", named_params! { ":user": user })
}
