//! The tables `request_hooks` and `request_notices`: which program is told of requests, and what it has yet
//! to be told.

use rusqlite::{Row, named_params};

use super::scim_users::bound;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::OrganizationId;
use crate::model::request::Hook;
use crate::model::time::Timestamp;

/// Something that a program has yet to be told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Its number: notices are told in their order.
    pub seq: i64,
    /// Whose program.
    pub organization: OrganizationId,
    /// What, as JSON.
    pub body: String,
    /// How often it was tried.
    pub tries: u32,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<(Hook, Vec<u8>)> {
    let hook = Hook {
        url: row.get("url")?,
        is_trusted: row.get("is_trusted")?,
        set_by: row.get("set_by")?,
        set_at: row.get("set_at")?,
    };
    Ok((hook, row.get("secret")?))
}

/// The program of an organization, with the sealed secret that is shared with it.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, organization: OrganizationId) -> Result<Option<(Hook, Vec<u8>)>> {
    tx.find(
        "SELECT url, is_trusted, set_by, set_at, secret FROM request_hooks
         WHERE organization_id = :organization",
        named_params! { ":organization": organization },
        from_row,
    )
}

/// Sets the program of an organization in the place of the one there was.
///
/// # Errors
/// When SQLite fails.
pub fn put(
    tx: &WriteTx<'_>,
    organization: OrganizationId,
    (hook, sealed): (&Hook, &[u8]),
) -> Result<()> {
    delete(tx, organization)?;
    tx.execute(
        "INSERT INTO request_hooks (organization_id, url, is_trusted, secret, set_by, set_at)
         VALUES (:organization, :url, :trusted, :secret, :by, :at)",
        named_params! {
            ":organization": organization, ":url": hook.url, ":trusted": hook.is_trusted,
            ":secret": sealed, ":by": hook.set_by, ":at": hook.set_at,
        },
    )?;
    Ok(())
}

/// Removes the program of an organization, and what it has yet to be told.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, organization: OrganizationId) -> Result<()> {
    tx.execute(
        "DELETE FROM request_hooks WHERE organization_id = :organization",
        named_params! { ":organization": organization },
    )?;
    Ok(())
}

/// How many notices of an organization wait.
///
/// # Errors
/// When SQLite fails.
pub fn waiting(tx: &ReadTx<'_>, organization: OrganizationId) -> Result<usize> {
    let n: Option<i64> = tx.find(
        "SELECT count(*) FROM request_notices WHERE organization_id = :organization",
        named_params! { ":organization": organization },
        |row| row.get(0),
    )?;
    Ok(usize::try_from(n.unwrap_or_default()).unwrap_or(usize::MAX))
}

/// Writes something that a program is to be told.
///
/// # Errors
/// When SQLite fails.
pub fn push(tx: &WriteTx<'_>, organization: OrganizationId, body: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO request_notices (organization_id, body, tries, next_at)
         VALUES (:organization, :body, 0, :now)",
        named_params! { ":organization": organization, ":body": body, ":now": tx.now },
    )?;
    Ok(())
}

/// Notices whose time has come, what has waited longest coming first.
///
/// # Errors
/// When SQLite fails.
pub fn due(tx: &ReadTx<'_>, limit: usize) -> Result<Vec<Notice>> {
    tx.list(
        "SELECT seq, organization_id, body, tries FROM request_notices
         WHERE next_at <= :now ORDER BY next_at, seq LIMIT :limit",
        named_params! { ":now": tx.now, ":limit": bound(limit) },
        |row| {
            Ok(Notice {
                seq: row.get("seq")?,
                organization: row.get("organization_id")?,
                body: row.get("body")?,
                tries: row.get("tries")?,
            })
        },
    )
}

/// Removes a notice: it was told, or is given up.
///
/// # Errors
/// When SQLite fails.
pub fn done(tx: &WriteTx<'_>, seq: i64) -> Result<()> {
    tx.execute("DELETE FROM request_notices WHERE seq = :seq", named_params! { ":seq": seq })?;
    Ok(())
}

/// Puts a notice off that could not be told.
///
/// # Errors
/// When SQLite fails.
pub fn put_off(tx: &WriteTx<'_>, seq: i64, until: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE request_notices SET tries = tries + 1, next_at = :until WHERE seq = :seq",
        named_params! { ":seq": seq, ":until": until },
    )?;
    Ok(())
}
