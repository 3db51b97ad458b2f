//! The tables `request_hooks` and `request_notices`: which program is told of requests, and what it has yet
//! to be told.

use rusqlite::{Row, named_params};

use super::scim_users::bound;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{OrganizationId, UserId};
use crate::model::time::Timestamp;

/// A program as its row has it. What is sealed opens who has the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Kept {
    /// Its address, sealed.
    pub url: Vec<u8>,
    /// The secret that is shared with it, sealed.
    pub secret: Vec<u8>,
    /// An owner of the site has named it.
    pub is_trusted: bool,
    /// Who set it.
    pub set_by: UserId,
    /// When.
    pub set_at: Timestamp,
}

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

fn from_row(row: &Row<'_>) -> rusqlite::Result<Kept> {
    Ok(Kept {
        url: row.get("url")?,
        secret: row.get("secret")?,
        is_trusted: row.get("is_trusted")?,
        set_by: row.get("set_by")?,
        set_at: row.get("set_at")?,
    })
}

/// The program of an organization.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, organization: OrganizationId) -> Result<Option<Kept>> {
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
pub fn put(tx: &WriteTx<'_>, organization: OrganizationId, hook: &Kept) -> Result<()> {
    delete(tx, organization)?;
    tx.execute(
        "INSERT INTO request_hooks (organization_id, url, is_trusted, secret, set_by, set_at)
         VALUES (:organization, :url, :trusted, :secret, :by, :at)",
        named_params! {
            ":organization": organization, ":url": hook.url, ":trusted": hook.is_trusted,
            ":secret": hook.secret, ":by": hook.set_by, ":at": hook.set_at,
        },
    )?;
    Ok(())
}

/// Programs whose address is not sealed yet: it was kept before addresses were. It begins with a letter
/// then, and otherwise with the form of what is sealed.
///
/// # Errors
/// When SQLite fails.
pub fn unsealed(tx: &ReadTx<'_>) -> Result<Vec<(OrganizationId, Vec<u8>)>> {
    tx.list(
        "SELECT organization_id, url FROM request_hooks
         WHERE substr(url, 1, 1) >= x'20' /* scan: a row an organization, at start */",
        [],
        |row| Ok((row.get("organization_id")?, row.get("url")?)),
    )
}

/// Puts the sealed form of an address in its place.
///
/// # Errors
/// When SQLite fails.
pub fn set_sealed(tx: &WriteTx<'_>, organization: OrganizationId, url: &[u8]) -> Result<()> {
    tx.execute(
        "UPDATE request_hooks SET url = :url WHERE organization_id = :organization",
        named_params! { ":organization": organization, ":url": url },
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

/// Organizations whose program is to be told something now, the one that has waited longest first: its
/// oldest notice says when.
///
/// # Errors
/// When SQLite fails.
pub fn due(tx: &ReadTx<'_>, limit: usize) -> Result<Vec<OrganizationId>> {
    tx.list(
        "SELECT h.organization_id FROM request_hooks h
           CROSS JOIN request_notices n ON n.seq = (
             SELECT min(seq) FROM request_notices WHERE organization_id = h.organization_id)
         WHERE n.next_at <= :now ORDER BY n.next_at, n.seq LIMIT :limit
         /* scan: of programs, one an organization at most */",
        named_params! { ":now": tx.now, ":limit": bound(limit) },
        |row| row.get("organization_id"),
    )
}

/// What a program is to be told next.
///
/// # Errors
/// When SQLite fails.
pub fn next(tx: &ReadTx<'_>, organization: OrganizationId) -> Result<Option<Notice>> {
    tx.find(
        "SELECT seq, organization_id, body, tries FROM request_notices
         WHERE organization_id = :organization ORDER BY seq LIMIT 1",
        named_params! { ":organization": organization },
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

/// Removes a notice that was told.
///
/// # Errors
/// When SQLite fails.
pub fn done(tx: &WriteTx<'_>, seq: i64) -> Result<()> {
    tx.execute("DELETE FROM request_notices WHERE seq = :seq", named_params! { ":seq": seq })?;
    Ok(())
}

/// Puts all off that a program is to be told, since it does not take the first of it, and gives up what was
/// tried so often. How many that were.
///
/// # Errors
/// When SQLite fails.
pub fn put_off(
    tx: &WriteTx<'_>,
    organization: OrganizationId,
    (until, most): (Timestamp, u32),
) -> Result<usize> {
    tx.execute(
        "UPDATE request_notices SET tries = tries + 1, next_at = :until
         WHERE organization_id = :organization",
        named_params! { ":organization": organization, ":until": until },
    )?;
    tx.execute(
        "DELETE FROM request_notices WHERE organization_id = :organization AND tries >= :most",
        named_params! { ":organization": organization, ":most": most },
    )
}
