//! The table `spent_challenges`: questions that passkeys have answered.

use rusqlite::named_params;

use super::{Result, WriteTx};
use crate::model::secret::TokenHash;
use crate::model::time::Timestamp;

/// Old ones that are forgotten when one is spent.
const SWEPT: i64 = 100;

/// Spends a question; whether it was not spent before. What is too old to be asked is forgotten.
///
/// # Errors
/// When SQLite fails.
pub fn spend(tx: &WriteTx<'_>, hash: TokenHash, ends_at: Timestamp) -> Result<bool> {
    tx.execute(
        "DELETE FROM spent_challenges WHERE hash IN (
             SELECT hash FROM spent_challenges WHERE ends_at < :now ORDER BY ends_at LIMIT :swept)",
        named_params! { ":now": tx.now, ":swept": SWEPT },
    )?;
    let n = tx.execute(
        "INSERT INTO spent_challenges (hash, ends_at) VALUES (:hash, :ends_at)
         ON CONFLICT (hash) DO NOTHING",
        named_params! { ":hash": hash, ":ends_at": ends_at },
    )?;
    Ok(n == 1)
}
