//! The table `totp_factors`: apps that show codes by the clock.

use rusqlite::named_params;

use super::{ReadTx, Result, WriteTx};
use crate::model::id::UserId;
use crate::model::time::Timestamp;

/// An app that shows codes, or is to be set up.
#[derive(Clone, Debug)]
pub struct TotpRow {
    /// The sealed secret.
    pub secret: Vec<u8>,
    /// When the secret was made.
    pub created_at: Timestamp,
    /// When a code of it was first given; until then it is none.
    pub confirmed_at: Option<Timestamp>,
    /// The step of the last code that was used.
    pub last_step: i64,
    /// When that was.
    pub last_used_at: Option<Timestamp>,
}

/// A user's app.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, user: UserId) -> Result<Option<TotpRow>> {
    tx.find(
        "SELECT secret, created_at, confirmed_at, last_step, last_used_at FROM totp_factors
         WHERE user_id = :user",
        named_params! { ":user": user },
        |row| {
            Ok(TotpRow {
                secret: row.get("secret")?,
                created_at: row.get("created_at")?,
                confirmed_at: row.get("confirmed_at")?,
                last_step: row.get("last_step")?,
                last_used_at: row.get("last_used_at")?,
            })
        },
    )
}

/// Keeps a new secret that no code was given of yet, unless there is one that is in use.
///
/// # Errors
/// When SQLite fails.
pub fn begin(tx: &WriteTx<'_>, user: UserId, secret: &[u8]) -> Result<usize> {
    tx.execute(
        "INSERT INTO totp_factors (user_id, secret, created_at, confirmed_at, last_step, last_used_at)
         VALUES (:user, :secret, :now, NULL, 0, NULL)
         ON CONFLICT (user_id) DO UPDATE SET secret = excluded.secret,
         created_at = excluded.created_at WHERE confirmed_at IS NULL",
        named_params! { ":user": user, ":secret": secret, ":now": tx.now },
    )
}

/// Notes that the code of a step was used.
///
/// # Errors
/// When SQLite fails.
pub fn used(tx: &WriteTx<'_>, user: UserId, step: i64) -> Result<()> {
    tx.execute(
        "UPDATE totp_factors SET confirmed_at = coalesce(confirmed_at, :now), last_step = :step,
         last_used_at = :now WHERE user_id = :user",
        named_params! { ":user": user, ":step": step, ":now": tx.now },
    )?;
    Ok(())
}

/// Removes a user's app; how many that were.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute("DELETE FROM totp_factors WHERE user_id = :user", named_params! { ":user": user })
}
