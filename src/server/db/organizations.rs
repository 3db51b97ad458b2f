//! The table `organizations`.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
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
    })
}

/// An organization by id.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: OrganizationId) -> Result<Option<Organization>> {
    tx.find(
        "SELECT id, name, display_name, description, is_default, created_at, updated_at
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
        "SELECT id, name, display_name, description, is_default, created_at, updated_at
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
        "SELECT id, name, display_name, description, is_default, created_at, updated_at
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
        "SELECT id, name, display_name, description, is_default, created_at, updated_at
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
         updated_at) VALUES (:id, :name, :display_name, :description, :is_default, :now, :now)",
        named_params! {
            ":id": organization.id, ":name": organization.name,
            ":display_name": organization.display_name,
            ":description": organization.description, ":is_default": organization.is_default,
            ":now": tx.now,
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
         description = :description, updated_at = :now WHERE id = :id",
        named_params! {
            ":id": organization.id, ":name": organization.name,
            ":display_name": organization.display_name,
            ":description": organization.description, ":now": tx.now,
        },
    )?;
    Ok(())
}
