//! The table `organizations`.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::grant::Mode;
use crate::model::id::OrganizationId;
use crate::model::user::Organization;

fn from_row(row: &Row<'_>) -> rusqlite::Result<Organization> {
    Ok(Organization {
        id: row.get("id")?,
        name: row.get("name")?,
        display_name: row.get("display_name")?,
        description: row.get("description")?,
        is_default: row.get("is_default")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        quota_allowance: row.get("quota_allowance")?,
        icon: row.get("icon")?,
    })
}

/// An organization by id.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: OrganizationId) -> Result<Option<Organization>> {
    tx.find(
        "SELECT id, name, display_name, description, is_default, created_at, updated_at,
                quota_allowance, icon
         FROM organizations WHERE id = :id",
        named_params! { ":id": id },
        from_row,
    )
}

/// An organization by name.
///
/// # Errors
/// When SQLite fails.
pub fn find_by_name(tx: &ReadTx<'_>, name: &str) -> Result<Option<Organization>> {
    tx.find(
        "SELECT id, name, display_name, description, is_default, created_at, updated_at,
                quota_allowance, icon
         FROM organizations WHERE name = :name",
        named_params! { ":name": name },
        from_row,
    )
}

/// The organization of the start.
///
/// # Errors
/// When SQLite fails.
pub fn find_default(tx: &ReadTx<'_>) -> Result<Option<Organization>> {
    tx.find(
        "SELECT id, name, display_name, description, is_default, created_at, updated_at,
                quota_allowance, icon
         FROM organizations WHERE is_default = 1",
        [],
        from_row,
    )
}

/// Every organization, by name.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>) -> Result<Vec<Organization>> {
    tx.list(
        "SELECT id, name, display_name, description, is_default, created_at, updated_at,
                quota_allowance, icon
         FROM organizations ORDER BY name",
        [],
        from_row,
    )
}

/// Writes a new organization.
///
/// # Errors
/// When SQLite fails or the name is taken.
pub fn insert(tx: &WriteTx<'_>, organization: &Organization) -> Result<()> {
    tx.execute(
        "INSERT INTO organizations (id, name, display_name, description, is_default, created_at,
         updated_at, icon)
         VALUES (:id, :name, :display_name, :description, :is_default, :now, :now, :icon)",
        named_params! {
            ":id": organization.id, ":name": organization.name,
            ":display_name": organization.display_name,
            ":description": organization.description, ":is_default": organization.is_default,
            ":now": tx.now, ":icon": organization.icon,
        },
    )?;
    Ok(())
}

/// Writes what may change of an organization.
///
/// # Errors
/// When SQLite fails or the name is taken.
pub fn update(tx: &WriteTx<'_>, organization: &Organization) -> Result<()> {
    tx.execute(
        "UPDATE organizations SET name = :name, display_name = :display_name,
         description = :description, icon = :icon, updated_at = :now WHERE id = :id",
        named_params! {
            ":id": organization.id, ":name": organization.name,
            ":display_name": organization.display_name,
            ":description": organization.description, ":now": tx.now,
            ":icon": organization.icon,
        },
    )?;
    Ok(())
}

/// Writes what Everyone adds to each member's budget.
///
/// # Errors
/// When SQLite fails.
pub fn set_quota_allowance(tx: &WriteTx<'_>, id: OrganizationId, allowance: i64) -> Result<()> {
    tx.execute(
        "UPDATE organizations SET quota_allowance = :allowance, updated_at = :now WHERE id = :id",
        named_params! { ":id": id, ":allowance": allowance, ":now": tx.now },
    )?;
    Ok(())
}

/// How many templates and workspaces there are in it.
///
/// # Errors
/// When SQLite fails.
pub fn contents(tx: &ReadTx<'_>, id: OrganizationId) -> Result<(i64, i64)> {
    let found = tx.find(
        "SELECT (SELECT count(*) FROM templates
                 WHERE organization_id = :id AND deleted_at IS NULL) AS templates,
                (SELECT count(*) FROM workspaces
                 WHERE organization_id = :id AND deleted_at IS NULL) AS workspaces
         /* scan: organizations are rarely deleted */",
        named_params! { ":id": id },
        |row| Ok((row.get("templates")?, row.get("workspaces")?)),
    )?;
    Ok(found.unwrap_or_default())
}

/// Whether there is or was anything in it: what is deleted stays as a tombstone.
///
/// # Errors
/// When SQLite fails.
pub fn is_used(tx: &ReadTx<'_>, id: OrganizationId) -> Result<bool> {
    let found = tx.find(
        "SELECT 1 WHERE EXISTS (SELECT 1 FROM template_versions WHERE organization_id = :id)
           OR EXISTS (SELECT 1 FROM templates WHERE organization_id = :id)
         /* scan: organizations are rarely deleted, and templates are few */",
        named_params! { ":id": id },
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Removes an organization that was never used, with its groups and roles.
///
/// # Errors
/// When SQLite fails or something belongs to it.
pub fn delete(tx: &WriteTx<'_>, id: OrganizationId) -> Result<usize> {
    tx.execute(
        "DELETE FROM organizations WHERE id = :id
         /* scan: organizations are rarely deleted; SQLite looks whether something belongs to it */",
        named_params! { ":id": id },
    )
}

/// Whose workspaces may be shared in an organization.
///
/// # Errors
/// When SQLite fails.
pub fn sharing(tx: &ReadTx<'_>, id: OrganizationId) -> Result<Mode> {
    let found = tx.find(
        "SELECT sharing FROM organizations WHERE id = :id",
        named_params! { ":id": id },
        |row| row.get("sharing"),
    )?;
    Ok(found.unwrap_or(Mode::None))
}

/// Sets whose workspaces may be shared in an organization.
///
/// # Errors
/// When SQLite fails.
pub fn set_sharing(tx: &WriteTx<'_>, id: OrganizationId, mode: Mode) -> Result<()> {
    tx.execute(
        "UPDATE organizations SET sharing = :mode, updated_at = :now WHERE id = :id",
        named_params! { ":id": id, ":mode": mode, ":now": tx.now },
    )?;
    Ok(())
}
