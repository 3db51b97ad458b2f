//! The table `ssh_keys`: public keys that open the front door.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::id::{SshKeyId, UserId};
use crate::model::time::Timestamp;
use crate::model::user::SshKey;

fn from_row(row: &Row<'_>) -> rusqlite::Result<SshKey> {
    Ok(SshKey {
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        name: row.get("name")?,
        public_key: row.get("public_key")?,
        fingerprint: row.get("fingerprint")?,
        created_at: row.get("created_at")?,
        last_used_at: row.get("last_used_at")?,
    })
}

/// A key by id.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: SshKeyId) -> Result<Option<SshKey>> {
    tx.find(
        "SELECT id, user_id, name, public_key, fingerprint, created_at, last_used_at
         FROM ssh_keys WHERE id = :id",
        named_params! { ":id": id },
        from_row,
    )
}

/// A key by fingerprint.
///
/// # Errors
/// When SQLite fails.
pub fn find_by_fingerprint(tx: &ReadTx<'_>, fingerprint: &str) -> Result<Option<SshKey>> {
    tx.find(
        "SELECT id, user_id, name, public_key, fingerprint, created_at, last_used_at
         FROM ssh_keys WHERE fingerprint = :fingerprint",
        named_params! { ":fingerprint": fingerprint },
        from_row,
    )
}

/// A user's keys, oldest first.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, user: UserId) -> Result<Vec<SshKey>> {
    tx.list(
        "SELECT id, user_id, name, public_key, fingerprint, created_at, last_used_at
         FROM ssh_keys WHERE user_id = :user ORDER BY created_at, id",
        named_params! { ":user": user },
        from_row,
    )
}

/// Writes a new key.
///
/// # Errors
/// When SQLite fails or the key is on file.
pub fn insert(tx: &WriteTx<'_>, key: &SshKey) -> Result<()> {
    tx.execute(
        "INSERT INTO ssh_keys (id, user_id, name, public_key, fingerprint, created_at, last_used_at)
         VALUES (:id, :user, :name, :public_key, :fingerprint, :created_at, :last_used_at)",
        named_params! {
            ":id": key.id, ":user": key.user_id, ":name": key.name,
            ":public_key": key.public_key, ":fingerprint": key.fingerprint,
            ":created_at": key.created_at, ":last_used_at": key.last_used_at,
        },
    )?;
    Ok(())
}

/// Removes a key.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, id: SshKeyId) -> Result<()> {
    tx.execute("DELETE FROM ssh_keys WHERE id = :id", named_params! { ":id": id })?;
    Ok(())
}

/// Removes every key of a user.
///
/// # Errors
/// When SQLite fails.
pub fn delete_all(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute("DELETE FROM ssh_keys WHERE user_id = :user", named_params! { ":user": user })
}

/// Notes a use.
///
/// # Errors
/// When SQLite fails.
pub fn used(tx: &WriteTx<'_>, id: SshKeyId, at: Timestamp) -> Result<()> {
    tx.execute(
        "UPDATE ssh_keys SET last_used_at = :at WHERE id = :id",
        named_params! { ":id": id, ":at": at },
    )?;
    Ok(())
}
