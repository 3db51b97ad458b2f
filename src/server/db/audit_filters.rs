//! The table `audit_filters`: searches in the audit log that people keep under a name.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::audit::saved::{FilterText, SavedFilter};
use crate::model::id::{AuditFilterId, UserId};
use crate::model::user::UserRef;

/// What [`from_row`] reads.
macro_rules! select_filters {
    ($rest:literal) => {
        concat!(
            "SELECT f.id, f.user_id, u.username, f.name, f.query, f.is_shared
             FROM audit_filters f JOIN users u ON u.id = f.user_id ",
            $rest
        )
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<SavedFilter> {
    Ok(SavedFilter {
        id: row.get("id")?,
        owner: UserRef { id: row.get("user_id")?, username: row.get("username")? },
        name: row.get("name")?,
        query: row.get("query")?,
        is_shared: row.get("is_shared")?,
    })
}

/// One by id.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: AuditFilterId) -> Result<Option<SavedFilter>> {
    tx.find(select_filters!("WHERE f.id = :id"), named_params! { ":id": id }, from_row)
}

/// Someone's own, by name.
///
/// # Errors
/// When SQLite fails.
pub fn list_of(tx: &ReadTx<'_>, user: UserId, limit: i64) -> Result<Vec<SavedFilter>> {
    tx.list(
        select_filters!("WHERE f.user_id = :user ORDER BY f.name LIMIT :limit"),
        named_params! { ":user": user, ":limit": limit },
        from_row,
    )
}

/// Those that others share, by name.
///
/// # Errors
/// When SQLite fails.
pub fn list_shared(tx: &ReadTx<'_>, but: UserId, limit: i64) -> Result<Vec<SavedFilter>> {
    tx.list(
        select_filters!(
            "WHERE f.is_shared = 1 AND f.user_id <> :but ORDER BY f.name, f.id LIMIT :limit"
        ),
        named_params! { ":but": but, ":limit": limit },
        from_row,
    )
}

/// Writes a new one.
///
/// # Errors
/// When SQLite fails, or its owner has one of this name.
pub fn insert(
    tx: &WriteTx<'_>,
    id: AuditFilterId,
    (user, text): (UserId, &FilterText),
) -> Result<()> {
    tx.execute(
        "INSERT INTO audit_filters (id, user_id, name, query, is_shared, created_at, updated_at)
         VALUES (:id, :user, :name, :query, :is_shared, :now, :now)",
        named_params! {
            ":id": id, ":user": user, ":name": text.name, ":query": text.query,
            ":is_shared": text.is_shared, ":now": tx.now,
        },
    )?;
    Ok(())
}

/// Writes what it is now.
///
/// # Errors
/// When SQLite fails, or its owner has another one of this name.
pub fn update(tx: &WriteTx<'_>, id: AuditFilterId, text: &FilterText) -> Result<usize> {
    tx.execute(
        "UPDATE audit_filters SET name = :name, query = :query, is_shared = :is_shared,
         updated_at = :now WHERE id = :id",
        named_params! {
            ":id": id, ":name": text.name, ":query": text.query, ":is_shared": text.is_shared,
            ":now": tx.now,
        },
    )
}

/// Removes one.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, id: AuditFilterId) -> Result<usize> {
    tx.execute("DELETE FROM audit_filters WHERE id = :id", named_params! { ":id": id })
}

/// Removes all of someone's.
///
/// # Errors
/// When SQLite fails.
pub fn delete_of(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute("DELETE FROM audit_filters WHERE user_id = :user", named_params! { ":user": user })
}
