//! The table `identity_grants`: what providers granted, and how long it holds.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::id::{IdentityGrantId, IdentityId};
use crate::model::time::Timestamp;

/// A grant as it is stored.
#[derive(Clone, Debug)]
pub struct GrantRow {
    /// The grant.
    pub id: IdentityGrantId,
    /// Whose.
    pub identity: IdentityId,
    /// The name of the provider's settings.
    pub provider: String,
    /// The provider's session; may be empty.
    pub sid: String,
    /// Sealed; none when none was given.
    pub refresh_token: Option<Vec<u8>>,
    /// When the provider is asked again.
    pub refresh_at: Timestamp,
    /// When it ends, unless the provider renews it.
    pub ends_at: Timestamp,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<GrantRow> {
    Ok(GrantRow {
        id: row.get("id")?,
        identity: row.get("identity_id")?,
        provider: row.get("provider")?,
        sid: row.get("sid")?,
        refresh_token: row.get("refresh_token")?,
        refresh_at: row.get("refresh_at")?,
        ends_at: row.get("ends_at")?,
    })
}

/// A grant by id.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: IdentityGrantId) -> Result<Option<GrantRow>> {
    tx.find(
        "SELECT id, identity_id, provider, sid, refresh_token, refresh_at, ends_at
         FROM identity_grants WHERE id = :id",
        named_params! { ":id": id },
        from_row,
    )
}

/// Grants that are to be renewed: those of open sessions, the longest due first.
///
/// # Errors
/// When SQLite fails.
pub fn due(tx: &ReadTx<'_>, limit: i64) -> Result<Vec<IdentityGrantId>> {
    tx.list(
        "SELECT id FROM identity_grants g
         WHERE refresh_at <= :now AND refresh_token IS NOT NULL
           AND EXISTS (SELECT 1 FROM tokens t
                       WHERE t.identity_grant_id = g.id AND t.expires_at > :now)
         ORDER BY refresh_at LIMIT :limit",
        named_params! { ":now": tx.now, ":limit": limit },
        |row| row.get("id"),
    )
}

/// Grants that have ended.
///
/// # Errors
/// When SQLite fails.
pub fn over(tx: &ReadTx<'_>, limit: i64) -> Result<Vec<GrantRow>> {
    tx.list(
        "SELECT id, identity_id, provider, sid, refresh_token, refresh_at, ends_at
         FROM identity_grants WHERE ends_at <= :now ORDER BY ends_at LIMIT :limit",
        named_params! { ":now": tx.now, ":limit": limit },
        from_row,
    )
}

/// The grants of an identity that a provider's word about its session `sid` concerns: those of that
/// session, and those whose session was never named. All of them when `sid` is empty.
///
/// # Errors
/// When SQLite fails.
pub fn of_session(tx: &ReadTx<'_>, identity: IdentityId, sid: &str) -> Result<Vec<GrantRow>> {
    tx.list(
        "SELECT id, identity_id, provider, sid, refresh_token, refresh_at, ends_at
         FROM identity_grants
         WHERE identity_id = :identity AND (:sid = '' OR sid = :sid OR sid = '')",
        named_params! { ":identity": identity, ":sid": sid },
        from_row,
    )
}

/// The grants of a provider's session, whoever's it is.
///
/// # Errors
/// When SQLite fails.
pub fn of_sid(tx: &ReadTx<'_>, issuer: &str, sid: &str) -> Result<Vec<GrantRow>> {
    tx.list(
        "SELECT g.id, g.identity_id, g.provider, g.sid, g.refresh_token, g.refresh_at, g.ends_at
         FROM identity_grants g JOIN identities i ON i.id = g.identity_id
         WHERE g.sid = :sid AND g.sid <> '' AND i.issuer = :issuer",
        named_params! { ":issuer": issuer, ":sid": sid },
        from_row,
    )
}

/// The grants of a provider.
///
/// # Errors
/// When SQLite fails.
pub fn of_provider(tx: &ReadTx<'_>, provider: &str) -> Result<Vec<GrantRow>> {
    tx.list(
        "SELECT id, identity_id, provider, sid, refresh_token, refresh_at, ends_at
         FROM identity_grants WHERE provider = :provider",
        named_params! { ":provider": provider },
        from_row,
    )
}

/// Whether a grant holds.
///
/// # Errors
/// When SQLite fails.
pub fn holds(tx: &ReadTx<'_>, id: IdentityGrantId) -> Result<bool> {
    let found = tx.find(
        "SELECT 1 FROM identity_grants WHERE id = :id AND ends_at > :now",
        named_params! { ":id": id, ":now": tx.now },
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Whether a session that is open stands on a grant.
///
/// # Errors
/// When SQLite fails.
pub fn is_used(tx: &ReadTx<'_>, id: IdentityGrantId) -> Result<bool> {
    let found = tx.find(
        "SELECT 1 FROM tokens WHERE identity_grant_id = :id AND expires_at > :now LIMIT 1",
        named_params! { ":id": id, ":now": tx.now },
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Writes a new grant.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, grant: &GrantRow) -> Result<()> {
    tx.execute(
        "INSERT INTO identity_grants (id, identity_id, provider, sid, refresh_token, created_at,
         refresh_at, ends_at) VALUES (:id, :identity, :provider, :sid, :refresh_token, :now,
         :refresh_at, :ends_at)",
        named_params! {
            ":id": grant.id, ":identity": grant.identity, ":provider": grant.provider,
            ":sid": grant.sid, ":refresh_token": grant.refresh_token, ":now": tx.now,
            ":refresh_at": grant.refresh_at, ":ends_at": grant.ends_at,
        },
    )?;
    Ok(())
}

/// Writes what changes of a grant when it is renewed.
///
/// # Errors
/// When SQLite fails.
pub fn update(tx: &WriteTx<'_>, grant: &GrantRow) -> Result<()> {
    tx.execute(
        "UPDATE identity_grants SET refresh_token = :refresh_token, refresh_at = :refresh_at,
         ends_at = :ends_at WHERE id = :id",
        named_params! {
            ":id": grant.id, ":refresh_token": grant.refresh_token,
            ":refresh_at": grant.refresh_at, ":ends_at": grant.ends_at,
        },
    )?;
    Ok(())
}

/// Has every grant of an identity renewed at once.
///
/// # Errors
/// When SQLite fails.
pub fn hasten(tx: &WriteTx<'_>, identity: IdentityId) -> Result<usize> {
    tx.execute(
        "UPDATE identity_grants SET refresh_at = :now
         WHERE identity_id = :identity AND refresh_at > :now AND refresh_token IS NOT NULL",
        named_params! { ":identity": identity, ":now": tx.now },
    )
}

/// Has every grant of a provider renewed at once: its rules have changed.
///
/// # Errors
/// When SQLite fails.
pub fn hasten_all(tx: &WriteTx<'_>, provider: &str) -> Result<usize> {
    tx.execute(
        "UPDATE identity_grants SET refresh_at = :now
         WHERE provider = :provider AND refresh_at > :now AND refresh_token IS NOT NULL",
        named_params! { ":provider": provider, ":now": tx.now },
    )
}

/// Ends a grant, and with it its sessions.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, id: IdentityGrantId) -> Result<usize> {
    tx.execute("DELETE FROM identity_grants WHERE id = :id", named_params! { ":id": id })
}
