//! The table `templates`.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::id::{OrganizationId, TemplateId, VersionId};
use crate::model::template::Template;
use crate::model::user::UserRef;

/// Most templates a list holds.
const MAX: u32 = 1000;

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT t.id AS id, t.organization_id AS organization_id, t.name AS name,
                    (SELECT CASE o.is_default WHEN 0 THEN o.name ELSE '' END
                     FROM organizations o WHERE o.id = t.organization_id) AS home,
                    t.display_name AS display_name, t.description AS description, t.icon AS icon,
                    t.active_version_id AS active_version_id, v.name AS active_version_name,
                    u.id AS creator_id, u.username AS creator_name, t.created_at AS created_at,
                    t.updated_at AS updated_at, t.deprecation AS deprecation,
                    t.default_ttl_s AS default_ttl_s,
                    (SELECT count(*) FROM workspaces w
                     WHERE w.template_id = t.id AND w.deleted_at IS NULL) AS n_workspaces
             FROM templates t CROSS JOIN template_versions v ON v.id = t.active_version_id
             CROSS JOIN users u ON u.id = t.created_by ",
            $tail
        )
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Template> {
    Ok(Template {
        id: row.get("id")?,
        organization_id: row.get("organization_id")?,
        home: row.get("home")?,
        name: row.get("name")?,
        display_name: row.get("display_name")?,
        description: row.get("description")?,
        icon: row.get("icon")?,
        active_version_id: row.get("active_version_id")?,
        active_version_name: row.get("active_version_name")?,
        created_by: UserRef { id: row.get("creator_id")?, username: row.get("creator_name")? },
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        deprecation: row.get("deprecation")?,
        default_ttl_s: row.get("default_ttl_s")?,
        n_workspaces: row.get("n_workspaces")?,
    })
}

/// A template that is not deleted.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: TemplateId) -> Result<Option<Template>> {
    tx.find(
        select!("WHERE t.id = :id AND t.deleted_at IS NULL"),
        named_params! { ":id": id },
        from_row,
    )
}

/// A template by its name.
///
/// # Errors
/// When SQLite fails.
pub fn by_name(tx: &ReadTx<'_>, org: OrganizationId, name: &str) -> Result<Option<Template>> {
    tx.find(
        select!("WHERE t.organization_id = :org AND t.name = :name AND t.deleted_at IS NULL"),
        named_params! { ":org": org, ":name": name },
        from_row,
    )
}

/// All templates by organization and name.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>) -> Result<Vec<Template>> {
    tx.list(
        select!("WHERE t.deleted_at IS NULL ORDER BY t.organization_id, t.name LIMIT :max"),
        named_params! { ":max": MAX },
        from_row,
    )
}

/// Whether an organization has a template, or one that is not deprecated.
///
/// # Errors
/// When SQLite fails.
pub fn any(tx: &ReadTx<'_>, org: OrganizationId, deprecated_too: bool) -> Result<bool> {
    let found = tx.find(
        "SELECT 1 FROM templates WHERE organization_id = :org AND deleted_at IS NULL
         AND (:all OR deprecation = '') LIMIT 1",
        named_params! { ":org": org, ":all": deprecated_too },
        |row| row.get::<_, i64>(0),
    )?;
    Ok(found.is_some())
}

/// Makes a template.
///
/// # Errors
/// When SQLite fails; a collision when the name is taken.
pub fn insert(tx: &WriteTx<'_>, t: &Template) -> Result<()> {
    tx.execute(
        "INSERT INTO templates (id, organization_id, name, display_name, description, icon,
             active_version_id, deprecation, default_ttl_s, created_by, created_at, updated_at)
         VALUES (:id, :org, :name, :display_name, :description, :icon,
             :version, :deprecation, :ttl, :by, :now, :now)",
        named_params! {
            ":id": t.id, ":org": t.organization_id, ":name": t.name,
            ":display_name": t.display_name, ":description": t.description, ":icon": t.icon,
            ":version": t.active_version_id, ":deprecation": t.deprecation,
            ":ttl": t.default_ttl_s, ":by": t.created_by.id, ":now": tx.now,
        },
    )?;
    Ok(())
}

/// Stores the fields that may change.
///
/// # Errors
/// When SQLite fails; a collision when the name is taken.
pub fn update(tx: &WriteTx<'_>, t: &Template) -> Result<()> {
    tx.execute(
        "UPDATE templates SET name = :name, display_name = :display_name, icon = :icon,
             description = :description, deprecation = :deprecation, default_ttl_s = :ttl,
             updated_at = :now
         WHERE id = :id",
        named_params! {
            ":id": t.id, ":name": t.name, ":display_name": t.display_name, ":icon": t.icon,
            ":description": t.description, ":deprecation": t.deprecation, ":ttl": t.default_ttl_s,
            ":now": tx.now,
        },
    )?;
    Ok(())
}

/// Chooses the version that new workspaces use.
///
/// # Errors
/// When SQLite fails.
pub fn set_active(tx: &WriteTx<'_>, id: TemplateId, version: VersionId) -> Result<()> {
    tx.execute(
        "UPDATE templates SET active_version_id = :version, updated_at = :now WHERE id = :id",
        named_params! { ":id": id, ":version": version, ":now": tx.now },
    )?;
    Ok(())
}

/// Makes a tombstone of it.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, id: TemplateId) -> Result<()> {
    tx.execute(
        "UPDATE templates SET deleted_at = :now WHERE id = :id",
        named_params! { ":id": id, ":now": tx.now },
    )?;
    Ok(())
}
