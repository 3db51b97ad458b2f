//! The table `scim_groups`: groups that an identity provider keeps.

use std::collections::BTreeSet;

use rusqlite::{Row, named_params};

use super::scim_users::bound;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{GroupId, UserId};
use crate::model::scim::group::GroupWish;
use crate::model::time::Timestamp;

/// A group that a provider keeps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ScimGroupRow {
    /// Which it is here.
    pub group: GroupId,
    /// What the provider wants it to be; its members are read apart.
    pub wish: GroupWish,
    /// Since when it keeps it.
    pub created_at: Timestamp,
    /// When it last changed it.
    pub updated_at: Timestamp,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<ScimGroupRow> {
    Ok(ScimGroupRow {
        group: row.get("group_id")?,
        wish: GroupWish {
            display_name: row.get("display_name")?,
            external_id: row.get("external_id")?,
            members: BTreeSet::new(),
        },
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
    })
}

/// What [`from_row`] reads.
macro_rules! select_scim_groups {
    ($rest:literal) => {
        concat!(
            "SELECT group_id, display_name, external_id, created_at, updated_at FROM scim_groups ",
            $rest
        )
    };
}

/// A group by id.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, group: GroupId) -> Result<Option<ScimGroupRow>> {
    tx.find(
        select_scim_groups!("WHERE group_id = :group"),
        named_params! { ":group": group },
        from_row,
    )
}

/// Groups by the provider's name.
///
/// # Errors
/// When SQLite fails.
pub fn list_by_name(tx: &ReadTx<'_>, name: &str) -> Result<Vec<ScimGroupRow>> {
    tx.list(
        select_scim_groups!("WHERE display_name = :name ORDER BY group_id LIMIT 100"),
        named_params! { ":name": name },
        from_row,
    )
}

/// Groups by the provider's own id; it may give one to several.
///
/// # Errors
/// When SQLite fails.
pub fn list_by_external_id(tx: &ReadTx<'_>, id: &str) -> Result<Vec<ScimGroupRow>> {
    tx.list(
        select_scim_groups!(
            "WHERE external_id = :id AND external_id <> '' ORDER BY group_id LIMIT 100"
        ),
        named_params! { ":id": id },
        from_row,
    )
}

/// Groups, oldest first.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, limit: usize, offset: usize) -> Result<Vec<ScimGroupRow>> {
    tx.list(
        select_scim_groups!(
            "ORDER BY group_id LIMIT :limit OFFSET :offset /* scan: in the order of the key */"
        ),
        named_params! { ":limit": bound(limit), ":offset": bound(offset) },
        from_row,
    )
}

/// How many there are.
///
/// # Errors
/// When SQLite fails.
pub fn count(tx: &ReadTx<'_>) -> Result<usize> {
    let sql = "SELECT count(*) AS n FROM scim_groups /* scan: of the table alone */";
    let n = tx.find(sql, [], |row| row.get::<_, i64>("n"))?;
    Ok(usize::try_from(n.unwrap_or(0)).unwrap_or(0))
}

/// Who of those whom the provider keeps is in a group.
///
/// # Errors
/// When SQLite fails.
pub fn members(tx: &ReadTx<'_>, group: GroupId) -> Result<BTreeSet<UserId>> {
    let all = tx.list(
        "SELECT m.user_id FROM group_members m JOIN scim_users s ON s.user_id = m.user_id
         WHERE m.group_id = :group",
        named_params! { ":group": group },
        |row| row.get("user_id"),
    )?;
    Ok(all.into_iter().collect())
}

/// Writes what a provider wants a group to be; its members are rows of their own.
///
/// # Errors
/// When SQLite fails.
pub fn put(tx: &WriteTx<'_>, group: GroupId, wish: &GroupWish) -> Result<()> {
    tx.execute(
        "INSERT INTO scim_groups (group_id, display_name, external_id, created_at, updated_at)
         VALUES (:group, :display_name, :external_id, :now, :now)
         ON CONFLICT (group_id) DO UPDATE SET display_name = excluded.display_name,
         external_id = excluded.external_id, updated_at = excluded.updated_at",
        named_params! {
            ":group": group, ":display_name": wish.display_name,
            ":external_id": wish.external_id, ":now": tx.now,
        },
    )?;
    Ok(())
}
