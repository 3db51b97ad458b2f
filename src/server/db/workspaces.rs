//! The table `workspaces`, read together with the last build.

use rusqlite::{Row, named_params};

use super::builds::{self, build_columns};
use super::codec::Json;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{OrganizationId, TemplateId, UserId, WorkspaceId};
use crate::model::user::UserRef;
use crate::model::workspace::Workspace;

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT w.id AS id, w.organization_id AS organization_id, w.name AS name,
                    o.id AS owner_id, o.username AS owner_name, t.id AS template_id,
                    (SELECT CASE a.is_default WHEN 0 THEN a.name ELSE '' END
                     FROM organizations a WHERE a.id = t.organization_id) AS template_home,
                    t.name AS template_name, t.display_name AS template_display_name,
                    t.icon AS template_icon, t.active_version_id AS template_active_version_id,
                    w.created_at AS created_at, w.updated_at AS updated_at,
                    w.last_used_at AS last_used_at, w.autostart_schedule AS autostart_schedule,
                    w.ttl_s AS ttl_s, w.automatic_updates AS automatic_updates, ",
            build_columns!(),
            " FROM workspaces w CROSS JOIN users o ON o.id = w.owner_id
              CROSS JOIN templates t ON t.id = w.template_id
              CROSS JOIN builds b ON b.workspace_id = w.id
                AND b.number = (SELECT max(number) FROM builds WHERE workspace_id = w.id)
              CROSS JOIN jobs j ON j.id = b.job_id CROSS JOIN users i ON i.id = b.initiator_id
              CROSS JOIN template_versions v ON v.id = b.version_id ",
            $tail
        )
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Workspace> {
    Ok(Workspace {
        id: row.get("id")?,
        organization_id: row.get("organization_id")?,
        owner: UserRef { id: row.get("owner_id")?, username: row.get("owner_name")? },
        name: row.get("name")?,
        template_id: row.get("template_id")?,
        template_home: row.get("template_home")?,
        template_name: row.get("template_name")?,
        template_display_name: row.get("template_display_name")?,
        template_icon: row.get("template_icon")?,
        template_active_version_id: row.get("template_active_version_id")?,
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        last_used_at: row.get("last_used_at")?,
        autostart_schedule: row.get("autostart_schedule")?,
        ttl_s: row.get("ttl_s")?,
        automatic_updates: row.get("automatic_updates")?,
        latest_build: builds::from_row(row)?,
    })
}

/// A workspace, also a deleted one. Its build's resources are not filled in.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: WorkspaceId) -> Result<Option<Workspace>> {
    tx.find(select!("WHERE w.id = :id"), named_params! { ":id": id }, from_row)
}

/// These workspaces, in no order. Their builds' resources are not filled in.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, ids: &[WorkspaceId]) -> Result<Vec<Workspace>> {
    tx.list(
        select!("WHERE w.id IN (SELECT value FROM json_each(:ids))"),
        named_params! { ":ids": Json(ids) },
        from_row,
    )
}

/// The id of a user's workspace by its name.
///
/// # Errors
/// When SQLite fails.
pub fn id_by_name(tx: &ReadTx<'_>, owner: UserId, name: &str) -> Result<Option<WorkspaceId>> {
    tx.find(
        "SELECT id FROM workspaces WHERE owner_id = :owner AND name = :name AND deleted_at IS NULL",
        named_params! { ":owner": owner, ":name": name },
        |row| row.get("id"),
    )
}

/// Whose it is, also when it is deleted.
///
/// # Errors
/// When SQLite fails.
pub fn owner(tx: &ReadTx<'_>, id: WorkspaceId) -> Result<Option<UserId>> {
    tx.find("SELECT owner_id FROM workspaces WHERE id = :id", named_params! { ":id": id }, |row| {
        row.get("owner_id")
    })
}

/// Whose it is and where it belongs, also when it is deleted.
///
/// # Errors
/// When SQLite fails.
pub fn belonging(tx: &ReadTx<'_>, id: WorkspaceId) -> Result<Option<(UserId, OrganizationId)>> {
    tx.find(
        "SELECT owner_id, organization_id FROM workspaces WHERE id = :id",
        named_params! { ":id": id },
        |row| Ok((row.get("owner_id")?, row.get("organization_id")?)),
    )
}

/// The names of its owner and of itself.
///
/// # Errors
/// When SQLite fails.
pub fn names(tx: &ReadTx<'_>, id: WorkspaceId) -> Result<Option<(String, String)>> {
    tx.find(
        "SELECT o.username, w.name FROM workspaces w CROSS JOIN users o ON o.id = w.owner_id
         WHERE w.id = :id",
        named_params! { ":id": id },
        |row| Ok((row.get("username")?, row.get("name")?)),
    )
}

/// What it is made from and where that belongs.
///
/// # Errors
/// When SQLite fails.
pub fn template(tx: &ReadTx<'_>, id: WorkspaceId) -> Result<Option<(TemplateId, OrganizationId)>> {
    tx.find(
        "SELECT template_id, organization_id FROM workspaces WHERE id = :id",
        named_params! { ":id": id },
        |row| Ok((row.get("template_id")?, row.get("organization_id")?)),
    )
}

/// Whether it is made from this template.
///
/// # Errors
/// When SQLite fails.
pub fn is_made_from(tx: &ReadTx<'_>, id: WorkspaceId, template: TemplateId) -> Result<bool> {
    let found = tx.find(
        "SELECT template_id = :template AS same FROM workspaces WHERE id = :id",
        named_params! { ":id": id, ":template": template },
        |row| row.get("same"),
    )?;
    Ok(found.unwrap_or(false))
}

/// Whether it is deleted.
///
/// # Errors
/// When SQLite fails.
pub fn is_deleted(tx: &ReadTx<'_>, id: WorkspaceId) -> Result<bool> {
    let found = tx.find(
        "SELECT deleted_at IS NOT NULL AS gone FROM workspaces WHERE id = :id",
        named_params! { ":id": id },
        |row| row.get("gone"),
    )?;
    Ok(found.unwrap_or(true))
}

/// Those of these workspaces that are not deleted.
///
/// # Errors
/// When SQLite fails.
pub fn living(tx: &ReadTx<'_>, ids: &[WorkspaceId]) -> Result<Vec<WorkspaceId>> {
    tx.list(
        "SELECT w.id FROM json_each(:ids) x CROSS JOIN workspaces w ON w.id = x.value
         WHERE w.deleted_at IS NULL",
        named_params! { ":ids": Json(ids) },
        |row| row.get(0),
    )
}

/// Running workspaces whose end has come.
///
/// # Errors
/// When SQLite fails.
pub fn overdue(tx: &ReadTx<'_>) -> Result<Vec<WorkspaceId>> {
    tx.list(
        "SELECT w.id AS id FROM builds b CROSS JOIN workspaces w ON w.id = b.workspace_id
         CROSS JOIN jobs j ON j.id = b.job_id
         WHERE b.deadline_at IS NOT NULL AND b.deadline_at <= :now
           AND w.deleted_at IS NULL AND b.transition = 'start' AND j.status = 'succeeded'
           AND b.number = (SELECT max(number) FROM builds WHERE workspace_id = w.id)
         ORDER BY b.deadline_at LIMIT 1000",
        named_params! { ":now": tx.now },
        |row| row.get("id"),
    )
}

/// Makes a workspace; its first build follows in the same transaction.
///
/// # Errors
/// When SQLite fails; a collision when the name is taken.
pub fn insert(tx: &WriteTx<'_>, w: &NewWorkspace<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO workspaces (id, organization_id, owner_id, name, template_id, ttl_s,
             autostart_schedule, automatic_updates, created_at, updated_at, last_used_at)
         SELECT :id, organization_id, :owner, :name, id, :ttl, :autostart, :updates, :now, :now, :now
         FROM templates WHERE id = :template",
        named_params! {
            ":id": w.id, ":owner": w.owner, ":name": w.name, ":ttl": w.ttl_s,
            ":autostart": w.autostart_schedule, ":updates": w.automatic_updates,
            ":template": w.template, ":now": tx.now,
        },
    )?;
    Ok(())
}

/// A workspace to be made.
#[derive(Debug)]
pub struct NewWorkspace<'a> {
    /// Its id.
    pub id: WorkspaceId,
    /// Whose it is.
    pub owner: UserId,
    /// Its name.
    pub name: &'a crate::model::name::WorkspaceName,
    /// What it is made from.
    pub template: TemplateId,
    /// Seconds it runs; none for no end.
    pub ttl_s: Option<i64>,
    /// When it starts by itself; empty for never.
    pub autostart_schedule: &'a str,
    /// Takes the active version at each start.
    pub automatic_updates: bool,
}

/// Stores the fields that may change: name, schedule, ttl, automatic updates.
///
/// # Errors
/// When SQLite fails; a collision when the name is taken.
pub fn update(tx: &WriteTx<'_>, w: &Workspace) -> Result<()> {
    tx.execute(
        "UPDATE workspaces SET name = :name, autostart_schedule = :autostart, ttl_s = :ttl,
             automatic_updates = :updates, updated_at = :now
         WHERE id = :id",
        named_params! {
            ":id": w.id, ":name": w.name, ":autostart": w.autostart_schedule, ":ttl": w.ttl_s,
            ":updates": w.automatic_updates, ":now": tx.now,
        },
    )?;
    Ok(())
}

/// Makes it another's.
///
/// # Errors
/// When SQLite fails; a collision when they have one of that name.
pub fn set_owner(tx: &WriteTx<'_>, id: WorkspaceId, owner: UserId) -> Result<()> {
    tx.execute(
        "UPDATE workspaces SET owner_id = :owner, updated_at = :now WHERE id = :id",
        named_params! { ":id": id, ":owner": owner, ":now": tx.now },
    )?;
    Ok(())
}

/// Notes that someone is in it, at most once a minute.
///
/// # Errors
/// When SQLite fails.
pub fn touch(tx: &WriteTx<'_>, id: WorkspaceId) -> Result<bool> {
    let n = tx.execute(
        "UPDATE workspaces SET last_used_at = :now
         WHERE id = :id AND last_used_at NOT BETWEEN :now - 59 AND :now",
        named_params! { ":id": id, ":now": tx.now },
    )?;
    Ok(n > 0)
}

/// Makes a tombstone of it: its name is free again.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, id: WorkspaceId) -> Result<()> {
    tx.execute(
        "UPDATE workspaces SET deleted_at = :now WHERE id = :id AND deleted_at IS NULL",
        named_params! { ":id": id, ":now": tx.now },
    )?;
    Ok(())
}
