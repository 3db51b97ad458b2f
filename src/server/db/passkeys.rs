//! The table `passkeys`: public keys of authenticators.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::factor::Passkey;
use crate::model::id::{PasskeyId, UserId};
use crate::model::webauthn::Made;

/// A passkey with what its use is checked by.
#[derive(Clone, Debug)]
pub struct PasskeyRow {
    /// Its id.
    pub id: PasskeyId,
    /// Whose.
    pub user: UserId,
    /// The name it was given.
    pub name: String,
    /// What the authenticator calls it.
    pub credential_id: Vec<u8>,
    /// Its public key, as COSE has it.
    pub public_key: Vec<u8>,
    /// How often it was used, as it says itself.
    pub counter: u32,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<PasskeyRow> {
    Ok(PasskeyRow {
        id: row.get("id")?,
        user: row.get("user_id")?,
        name: row.get("name")?,
        credential_id: row.get("credential_id")?,
        public_key: row.get("public_key")?,
        counter: row.get("counter")?,
    })
}

/// Whether anyone has one.
///
/// # Errors
/// When SQLite fails.
pub fn any(tx: &ReadTx<'_>) -> Result<bool> {
    let found = tx.find("SELECT 1 FROM passkeys ORDER BY id LIMIT 1", [], |_| Ok(()))?;
    Ok(found.is_some())
}

/// The passkey that an authenticator calls so.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, credential_id: &[u8]) -> Result<Option<PasskeyRow>> {
    tx.find(
        "SELECT id, user_id, name, credential_id, public_key, counter FROM passkeys
         WHERE credential_id = :credential",
        named_params! { ":credential": credential_id },
        from_row,
    )
}

/// A user's passkeys, the oldest first.
///
/// # Errors
/// When SQLite fails.
pub fn list_of(tx: &ReadTx<'_>, user: UserId) -> Result<Vec<Passkey>> {
    tx.list(
        "SELECT id, name, created_at, last_used_at FROM passkeys WHERE user_id = :user
         ORDER BY created_at, id",
        named_params! { ":user": user },
        |row| {
            Ok(Passkey {
                id: row.get("id")?,
                name: row.get("name")?,
                created_at: row.get("created_at")?,
                last_used_at: row.get("last_used_at")?,
            })
        },
    )
}

/// What authenticators call a user's passkeys.
///
/// # Errors
/// When SQLite fails.
pub fn credentials_of(tx: &ReadTx<'_>, user: UserId) -> Result<Vec<Vec<u8>>> {
    tx.list(
        "SELECT credential_id FROM passkeys WHERE user_id = :user ORDER BY created_at, id",
        named_params! { ":user": user },
        |row| row.get("credential_id"),
    )
}

/// Writes a new passkey.
///
/// # Errors
/// When SQLite fails, or there is one that is called so.
pub fn insert(
    tx: &WriteTx<'_>,
    id: PasskeyId,
    (user, name): (UserId, &str),
    made: &Made,
) -> Result<()> {
    tx.execute(
        "INSERT INTO passkeys (id, user_id, credential_id, public_key, counter, name, created_at,
         last_used_at) VALUES (:id, :user, :credential, :key, :counter, :name, :now, NULL)",
        named_params! {
            ":id": id, ":user": user, ":credential": made.credential_id, ":key": made.key,
            ":counter": made.counter, ":name": name, ":now": tx.now,
        },
    )?;
    Ok(())
}

/// Notes a use.
///
/// # Errors
/// When SQLite fails.
pub fn used(tx: &WriteTx<'_>, id: PasskeyId, counter: u32) -> Result<()> {
    tx.execute(
        "UPDATE passkeys SET counter = :counter, last_used_at = :now WHERE id = :id",
        named_params! { ":id": id, ":counter": counter, ":now": tx.now },
    )?;
    Ok(())
}

/// Gives one of a user's passkeys another name; how many that were.
///
/// # Errors
/// When SQLite fails.
pub fn rename(tx: &WriteTx<'_>, user: UserId, id: PasskeyId, name: &str) -> Result<usize> {
    tx.execute(
        "UPDATE passkeys SET name = :name WHERE id = :id AND user_id = :user",
        named_params! { ":id": id, ":user": user, ":name": name },
    )
}

/// Removes one of a user's passkeys; how many that were.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, user: UserId, id: PasskeyId) -> Result<usize> {
    tx.execute(
        "DELETE FROM passkeys WHERE id = :id AND user_id = :user",
        named_params! { ":id": id, ":user": user },
    )
}

/// Removes a user's passkeys; how many that were.
///
/// # Errors
/// When SQLite fails.
pub fn delete_all(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute("DELETE FROM passkeys WHERE user_id = :user", named_params! { ":user": user })
}
