//! The table `lockouts`: failed sign-ins per account and per network.

use rusqlite::named_params;

use super::{ReadTx, Result, WriteTx};
use crate::model::lockout::Failures;
use crate::model::time::Timestamp;

/// The failures of an account or a network.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, subject: &str) -> Result<Option<Failures>> {
    tx.find(
        "SELECT n_failed, failed_at, until_at FROM lockouts WHERE subject = :subject",
        named_params! { ":subject": subject },
        |row| {
            Ok(Failures {
                n: row.get("n_failed")?,
                last: row.get("failed_at")?,
                until: row.get("until_at")?,
            })
        },
    )
}

/// Sets them.
///
/// # Errors
/// When SQLite fails.
pub fn put(tx: &WriteTx<'_>, subject: &str, failures: Failures) -> Result<()> {
    tx.execute(
        "INSERT INTO lockouts (subject, n_failed, failed_at, until_at)
         VALUES (:subject, :n, :last, :until)
         ON CONFLICT (subject) DO UPDATE SET n_failed = excluded.n_failed,
         failed_at = excluded.failed_at, until_at = excluded.until_at",
        named_params! {
            ":subject": subject, ":n": failures.n, ":last": failures.last,
            ":until": failures.until,
        },
    )?;
    Ok(())
}

/// Forgets them.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, subject: &str) -> Result<()> {
    tx.execute(
        "DELETE FROM lockouts WHERE subject = :subject",
        named_params! { ":subject": subject },
    )?;
    Ok(())
}

/// Forgets up to `most` whose last failure was before `at`. Whether there may be more to do.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, at: Timestamp, most: usize) -> Result<bool> {
    let n = tx.execute(
        "DELETE FROM lockouts WHERE subject IN (
             SELECT subject FROM lockouts WHERE failed_at < :at ORDER BY failed_at LIMIT :most)",
        named_params! { ":at": at, ":most": i64::try_from(most).unwrap_or(i64::MAX) },
    )?;
    Ok(n == most)
}
