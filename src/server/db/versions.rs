//! The table `template_versions`.

use rusqlite::{Row, named_params};

use super::codec::Json;
use super::jobs::{self, job_columns};
use super::{ReadTx, Result, WriteTx, files};
use crate::model::id::{FileId, JobId, OrganizationId, TemplateId, UserId, VersionId};
use crate::model::template::{Imported, Version};
use crate::model::user::UserRef;

/// A version to be made, its import still to be run.
#[derive(Debug)]
pub struct NewVersion<'a> {
    /// Its id.
    pub id: VersionId,
    /// Its template, if that exists.
    pub template_id: Option<TemplateId>,
    /// Where it belongs.
    pub organization_id: OrganizationId,
    /// Its name.
    pub name: &'a str,
    /// What changed.
    pub message: &'a str,
    /// Its archive.
    pub file_id: FileId,
    /// The import.
    pub job_id: JobId,
    /// The values given, sealed.
    pub variables: &'a [u8],
    /// Who pushed it.
    pub created_by: UserId,
}

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT v.id AS id, v.template_id AS template_id, v.organization_id AS organization_id,
                    v.name AS name, v.message AS message, v.file_id AS file_id,
                    u.id AS creator_id, u.username AS creator_name, v.created_at AS created_at,
                    v.updated_at AS updated_at, v.archived AS archived,
                    coalesce(v.imported ->> '$.readme', '') AS readme,
                    coalesce(v.imported ->> '$.has_external_agent', 0) AS has_external_agent, ",
            job_columns!(),
            " FROM template_versions v CROSS JOIN jobs j ON j.id = v.job_id
              CROSS JOIN users u ON u.id = v.created_by ",
            $tail
        )
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Version> {
    Ok(Version {
        id: row.get("id")?,
        template_id: row.get("template_id")?,
        organization_id: row.get("organization_id")?,
        name: row.get("name")?,
        message: row.get("message")?,
        file_id: row.get("file_id")?,
        job: jobs::from_row(row)?,
        created_by: UserRef { id: row.get("creator_id")?, username: row.get("creator_name")? },
        created_at: row.get("created_at")?,
        updated_at: row.get("updated_at")?,
        archived: row.get("archived")?,
        readme: row.get("readme")?,
        has_external_agent: row.get("has_external_agent")?,
    })
}

/// A version.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: VersionId) -> Result<Option<Version>> {
    tx.find(select!("WHERE v.id = :id"), named_params! { ":id": id }, from_row)
}

/// The version whose import this job is.
///
/// # Errors
/// When SQLite fails.
pub fn by_job(tx: &ReadTx<'_>, job: JobId) -> Result<Option<Version>> {
    tx.find(select!("WHERE v.job_id = :job"), named_params! { ":job": job }, from_row)
}

/// The newest version of a file that no template has, whose import goes on or went well.
///
/// # Errors
/// When SQLite fails.
pub fn loose(tx: &ReadTx<'_>, file: FileId) -> Result<Option<Version>> {
    tx.find(
        select!(
            "WHERE v.template_id IS NULL AND v.file_id = :file
               AND j.status IN ('pending', 'running', 'succeeded') ORDER BY v.id DESC LIMIT 1"
        ),
        named_params! { ":file": file },
        from_row,
    )
}

/// A version of a template by its name.
///
/// # Errors
/// When SQLite fails.
pub fn by_name(tx: &ReadTx<'_>, template: TemplateId, name: &str) -> Result<Option<Version>> {
    tx.find(
        select!("WHERE v.template_id = :template AND v.name = :name"),
        named_params! { ":template": template, ":name": name },
        from_row,
    )
}

/// The version pushed before this one.
///
/// # Errors
/// When SQLite fails.
pub fn before(tx: &ReadTx<'_>, template: TemplateId, id: VersionId) -> Result<Option<Version>> {
    tx.find(
        select!("WHERE v.template_id = :template AND v.id < :id ORDER BY v.id DESC LIMIT 1"),
        named_params! { ":template": template, ":id": id },
        from_row,
    )
}

/// Versions of a template, newest first.
///
/// # Errors
/// When SQLite fails.
pub fn list(
    tx: &ReadTx<'_>,
    template: TemplateId,
    (limit, offset): (u32, u32),
) -> Result<Vec<Version>> {
    tx.list(
        select!(
            "WHERE v.template_id = :template ORDER BY v.created_at DESC, v.id DESC
             LIMIT :limit OFFSET :offset"
        ),
        named_params! { ":template": template, ":limit": limit, ":offset": offset },
        from_row,
    )
}

/// How many versions a template has.
///
/// # Errors
/// When SQLite fails.
pub fn count(tx: &ReadTx<'_>, template: TemplateId) -> Result<i64> {
    let n = tx.find(
        "SELECT count(*) AS n FROM template_versions WHERE template_id = :template",
        named_params! { ":template": template },
        |row| row.get("n"),
    )?;
    Ok(n.unwrap_or_default())
}

/// What the import found; empty before it.
///
/// # Errors
/// When SQLite fails.
pub fn imported(tx: &ReadTx<'_>, id: VersionId) -> Result<Option<Imported>> {
    tx.find(
        "SELECT imported FROM template_versions WHERE id = :id",
        named_params! { ":id": id },
        |row| row.get("imported").map(|Json(found)| found),
    )
}

/// The values given for variables, sealed.
///
/// # Errors
/// When SQLite fails.
pub fn variables(tx: &ReadTx<'_>, id: VersionId) -> Result<Option<Vec<u8>>> {
    tx.find(
        "SELECT variables FROM template_versions WHERE id = :id",
        named_params! { ":id": id },
        |row| row.get("variables"),
    )
}

/// Makes a version.
///
/// # Errors
/// When SQLite fails; a collision when the name is taken.
pub fn insert(tx: &WriteTx<'_>, v: &NewVersion<'_>) -> Result<()> {
    tx.execute(
        "INSERT INTO template_versions (id, template_id, organization_id, name, message, file_id,
             job_id, variables, imported, archived, created_by, created_at, updated_at)
         VALUES (:id, :template, :org, :name, :message, :file,
             :job, :variables, '{}', 0, :by, :now, :now)",
        named_params! {
            ":id": v.id, ":template": v.template_id, ":org": v.organization_id, ":name": v.name,
            ":message": v.message, ":file": v.file_id, ":job": v.job_id,
            ":variables": v.variables, ":by": v.created_by, ":now": tx.now,
        },
    )?;
    files::set_used(tx, v.file_id)
}

/// Stores what the import found.
///
/// # Errors
/// When SQLite fails.
pub fn set_imported(tx: &WriteTx<'_>, id: VersionId, imported: &Imported) -> Result<()> {
    tx.execute(
        "UPDATE template_versions SET imported = :imported, updated_at = :now WHERE id = :id",
        named_params! { ":id": id, ":imported": Json(imported), ":now": tx.now },
    )?;
    Ok(())
}

/// Gives a first version its template.
///
/// # Errors
/// When SQLite fails; a collision when the template has a version of its name.
pub fn attach(tx: &WriteTx<'_>, id: VersionId, template: TemplateId) -> Result<()> {
    tx.execute(
        "UPDATE template_versions SET template_id = :template, updated_at = :now WHERE id = :id",
        named_params! { ":id": id, ":template": template, ":now": tx.now },
    )?;
    Ok(())
}

/// Stores the fields that may change: name, message, archived.
///
/// # Errors
/// When SQLite fails; a collision when the name is taken.
pub fn update(tx: &WriteTx<'_>, v: &Version) -> Result<()> {
    tx.execute(
        "UPDATE template_versions
         SET name = :name, message = :message, archived = :archived, updated_at = :now
         WHERE id = :id",
        named_params! {
            ":id": v.id, ":name": v.name, ":message": v.message, ":archived": v.archived,
            ":now": tx.now,
        },
    )?;
    Ok(())
}

/// Versions of a template that may be archived: ended, not the active one, in no workspace's last
/// build; imported well only when `all`.
///
/// # Errors
/// When SQLite fails.
pub fn archivable(tx: &ReadTx<'_>, template: TemplateId, all: bool) -> Result<Vec<Version>> {
    tx.list(
        select!(
            "WHERE v.template_id = :template AND v.archived = 0
               AND (j.status IN ('failed', 'canceled') OR (:all AND j.status = 'succeeded'))
               AND NOT EXISTS (SELECT 1 FROM templates t WHERE t.active_version_id = v.id
                                                           AND t.id = v.template_id)
               AND NOT EXISTS (SELECT 1 FROM builds b JOIN workspaces w ON w.id = b.workspace_id
                               WHERE b.version_id = v.id AND w.deleted_at IS NULL
                                 AND b.number = (SELECT max(number) FROM builds
                                                 WHERE workspace_id = w.id))
             ORDER BY v.id LIMIT 1000"
        ),
        named_params! { ":template": template, ":all": all },
        from_row,
    )
}
