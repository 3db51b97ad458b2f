//! The tables `groups` and `group_members`.

use rusqlite::{Row, named_params};

use super::users::{self, select_users};
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{GroupId, IdentityId, OrganizationId, UserId};
use crate::model::identity::Identity;
use crate::model::user::{Group, User};

fn from_row(row: &Row<'_>) -> rusqlite::Result<Group> {
    Ok(Group {
        id: row.get("id")?,
        organization_id: row.get("organization_id")?,
        name: row.get("name")?,
        display_name: row.get("display_name")?,
        source: row.get("source")?,
        quota_allowance: row.get("quota_allowance")?,
        avatar_url: row.get("avatar_url")?,
        created_at: row.get("created_at")?,
    })
}

/// A group by id.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: GroupId) -> Result<Option<Group>> {
    tx.find(
        "SELECT id, organization_id, name, display_name, source, quota_allowance, avatar_url,
             created_at FROM groups WHERE id = :id",
        named_params! { ":id": id },
        from_row,
    )
}

/// A group by name.
///
/// # Errors
/// When SQLite fails.
pub fn find_by_name(
    tx: &ReadTx<'_>,
    organization: OrganizationId,
    name: &str,
) -> Result<Option<Group>> {
    tx.find(
        "SELECT id, organization_id, name, display_name, source, quota_allowance, avatar_url,
             created_at FROM groups
         WHERE organization_id = :organization AND name = :name",
        named_params! { ":organization": organization, ":name": name },
        from_row,
    )
}

/// An organization's groups, by name.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, organization: OrganizationId) -> Result<Vec<Group>> {
    tx.list(
        "SELECT id, organization_id, name, display_name, source, quota_allowance, avatar_url,
             created_at FROM groups
         WHERE organization_id = :organization ORDER BY name",
        named_params! { ":organization": organization },
        from_row,
    )
}

/// The names of the groups a user is in, by name.
///
/// # Errors
/// When SQLite fails.
pub fn list_of(tx: &ReadTx<'_>, user: UserId) -> Result<Vec<Group>> {
    tx.list(
        "SELECT g.id, g.organization_id, g.name, g.display_name, g.source, g.quota_allowance,
                g.avatar_url, g.created_at
         FROM group_members m JOIN groups g ON g.id = m.group_id
         WHERE m.user_id = :user ORDER BY g.name",
        named_params! { ":user": user },
        from_row,
    )
}

/// Writes a new group.
///
/// # Errors
/// When SQLite fails or the name is taken.
pub fn insert(tx: &WriteTx<'_>, group: &Group) -> Result<()> {
    tx.execute(
        "INSERT INTO groups (id, organization_id, name, display_name, created_at, updated_at, source,
             quota_allowance, avatar_url)
         VALUES (:id, :organization, :name, :display_name, :now, :now, :source, :quota, :avatar)",
        named_params! {
            ":id": group.id, ":organization": group.organization_id, ":name": group.name,
            ":display_name": group.display_name, ":now": tx.now, ":source": group.source,
            ":quota": group.quota_allowance, ":avatar": group.avatar_url,
        },
    )?;
    Ok(())
}

/// Writes what may change of a group.
///
/// # Errors
/// When SQLite fails or the name is taken.
pub fn update(tx: &WriteTx<'_>, group: &Group) -> Result<()> {
    tx.execute(
        "UPDATE groups SET name = :name, display_name = :display_name, quota_allowance = :quota,
             avatar_url = :avatar, updated_at = :now
         WHERE id = :id",
        named_params! {
            ":id": group.id, ":name": group.name, ":display_name": group.display_name,
            ":quota": group.quota_allowance, ":avatar": group.avatar_url, ":now": tx.now,
        },
    )?;
    Ok(())
}

/// Removes a group.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, id: GroupId) -> Result<()> {
    tx.execute("DELETE FROM groups WHERE id = :id", named_params! { ":id": id })?;
    Ok(())
}

/// A group's members, by name.
///
/// # Errors
/// When SQLite fails.
pub fn members(tx: &ReadTx<'_>, group: GroupId) -> Result<Vec<User>> {
    tx.list(
        select_users!(
            "FROM group_members s JOIN users u ON u.id = s.user_id
             WHERE s.group_id = :group AND u.status <> 'deleted' ORDER BY u.username"
        ),
        named_params! { ":group": group },
        users::from_row,
    )
}

/// How many members a group has.
///
/// # Errors
/// When SQLite fails.
pub fn count_members(tx: &ReadTx<'_>, group: GroupId) -> Result<i64> {
    let found = tx.find(
        "SELECT count(*) FROM group_members WHERE group_id = :group",
        named_params! { ":group": group },
        |row| row.get(0),
    )?;
    Ok(found.unwrap_or_default())
}

/// Puts a user into a group. Who was put in by a sync is there by someone's hand from now on.
///
/// # Errors
/// When SQLite fails.
pub fn add(tx: &WriteTx<'_>, group: GroupId, user: UserId) -> Result<()> {
    tx.execute(
        "INSERT INTO group_members (group_id, user_id, created_at) VALUES (:group, :user, :now)
         ON CONFLICT DO UPDATE SET identity_id = NULL",
        named_params! { ":group": group, ":user": user, ":now": tx.now },
    )?;
    Ok(())
}

/// The groups a provider's word has put an identity's user into, by name.
///
/// # Errors
/// When SQLite fails.
pub fn list_synced(tx: &ReadTx<'_>, identity: IdentityId) -> Result<Vec<Group>> {
    tx.list(
        "SELECT g.id, g.organization_id, g.name, g.display_name, g.source, g.quota_allowance,
                g.avatar_url, g.created_at
         FROM group_members m JOIN groups g ON g.id = m.group_id
         WHERE m.identity_id = :identity ORDER BY g.name",
        named_params! { ":identity": identity },
        from_row,
    )
}

/// Puts an identity's user into a group, unless they are in it.
///
/// # Errors
/// When SQLite fails.
pub fn add_synced(tx: &WriteTx<'_>, group: GroupId, identity: &Identity) -> Result<bool> {
    let n = tx.execute(
        "INSERT INTO group_members (group_id, user_id, created_at, identity_id)
         VALUES (:group, :user, :now, :identity) ON CONFLICT DO NOTHING",
        named_params! {
            ":group": group, ":user": identity.user_id, ":now": tx.now, ":identity": identity.id,
        },
    )?;
    Ok(n > 0)
}

/// Takes a user out of a group.
///
/// # Errors
/// When SQLite fails.
pub fn remove(tx: &WriteTx<'_>, group: GroupId, user: UserId) -> Result<()> {
    tx.execute(
        "DELETE FROM group_members WHERE group_id = :group AND user_id = :user",
        named_params! { ":group": group, ":user": user },
    )?;
    Ok(())
}

/// Takes a user out of every group of an organization.
///
/// # Errors
/// When SQLite fails.
pub fn remove_from_all(
    tx: &WriteTx<'_>,
    organization: OrganizationId,
    user: UserId,
) -> Result<usize> {
    tx.execute(
        "DELETE FROM group_members WHERE user_id = :user AND group_id IN (
             SELECT id FROM groups WHERE organization_id = :organization)",
        named_params! { ":user": user, ":organization": organization },
    )
}

/// Takes a user out of every group.
///
/// # Errors
/// When SQLite fails.
pub fn remove_all(tx: &WriteTx<'_>, user: UserId) -> Result<usize> {
    tx.execute("DELETE FROM group_members WHERE user_id = :user", named_params! { ":user": user })
}
