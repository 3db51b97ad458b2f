//! The table `providers`: ways to sign in that were set up on their page.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::id::UserId;
use crate::model::provider::ProviderKind;
use crate::model::time::Timestamp;

/// A way to sign in as it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProviderRow {
    /// Its name, as identities have it.
    pub name: String,
    /// What kind.
    pub kind: ProviderKind,
    /// JSON with the keys of the file, without the secret.
    pub settings: String,
    /// Sealed; none when there is none.
    pub secret: Option<Vec<u8>>,
    /// Who changed it last.
    pub changed_by: Option<UserId>,
    /// When.
    pub changed_at: Timestamp,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<ProviderRow> {
    Ok(ProviderRow {
        name: row.get("name")?,
        kind: row.get("kind")?,
        settings: row.get("settings")?,
        secret: row.get("secret")?,
        changed_by: row.get("changed_by")?,
        changed_at: row.get("changed_at")?,
    })
}

/// Every one, by name.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>) -> Result<Vec<ProviderRow>> {
    tx.list(
        "SELECT name, kind, settings, secret, changed_by, changed_at FROM providers ORDER BY name
         /* scan: a row is one way to sign in, and all are read at the start and after a change */",
        [],
        from_row,
    )
}

/// The one of a name.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, name: &str) -> Result<Option<ProviderRow>> {
    tx.find(
        "SELECT name, kind, settings, secret, changed_by, changed_at FROM providers
         WHERE name = :name",
        named_params! { ":name": name },
        from_row,
    )
}

/// Writes one, over the one of its name.
///
/// # Errors
/// When SQLite fails.
pub fn put(tx: &WriteTx<'_>, row: &ProviderRow) -> Result<()> {
    tx.execute(
        "INSERT INTO providers (name, kind, settings, secret, changed_by, changed_at)
         VALUES (:name, :kind, :settings, :secret, :by, :at)
         ON CONFLICT (name) DO UPDATE SET settings = excluded.settings, secret = excluded.secret,
         changed_by = excluded.changed_by, changed_at = excluded.changed_at",
        named_params! {
            ":name": row.name, ":kind": row.kind, ":settings": row.settings,
            ":secret": row.secret, ":by": row.changed_by, ":at": row.changed_at,
        },
    )?;
    Ok(())
}

/// Removes one; how many that were.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, name: &str) -> Result<usize> {
    tx.execute("DELETE FROM providers WHERE name = :name", named_params! { ":name": name })
}

/// How many people came by the provider `name` and have no other way in: neither another provider
/// among `others`, a JSON array of names, nor a password that they may use.
///
/// # Errors
/// When SQLite fails.
pub fn count_stranded(
    tx: &ReadTx<'_>,
    name: &str,
    (others, passwords_on): (&str, bool),
) -> Result<i64> {
    let found = tx.find(
        "SELECT count(DISTINCT i.user_id) AS n FROM identities i JOIN users u ON u.id = i.user_id
         WHERE i.provider = :name AND u.status IN ('active', 'dormant')
           AND NOT EXISTS (SELECT 1 FROM json_each(:others) j
                           JOIN identities o ON o.provider = j.value AND o.user_id = u.id)
           AND NOT (u.login_type = 'password'
                    AND EXISTS (SELECT 1 FROM passwords p WHERE p.user_id = u.id)
                    AND (:passwords OR EXISTS (
                         SELECT 1 FROM role_bindings b WHERE b.user_id = u.id AND b.role = 'owner'
                           AND b.organization_id IS NULL)))
         /* scan: of the names of the other providers */",
        named_params! { ":name": name, ":others": others, ":passwords": passwords_on },
        |row| row.get("n"),
    )?;
    Ok(found.unwrap_or_default())
}

/// How many owners can sign in by a password, or by a provider among `others`, a JSON array of names.
///
/// # Errors
/// When SQLite fails.
pub fn count_owners_who_come(tx: &ReadTx<'_>, others: &str) -> Result<i64> {
    let found = tx.find(
        "SELECT count(DISTINCT u.id) AS n FROM role_bindings b JOIN users u ON u.id = b.user_id
         WHERE b.role = 'owner' AND b.organization_id IS NULL AND u.kind = 'person'
           AND u.status IN ('active', 'dormant')
           AND ((u.login_type = 'password'
                 AND EXISTS (SELECT 1 FROM passwords p WHERE p.user_id = u.id))
                OR EXISTS (SELECT 1 FROM json_each(:others) j
                           JOIN identities o ON o.provider = j.value AND o.user_id = u.id))
         /* scan: of the names of the other providers */",
        named_params! { ":others": others },
        |row| row.get("n"),
    )?;
    Ok(found.unwrap_or_default())
}
