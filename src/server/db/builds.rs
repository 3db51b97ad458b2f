//! The table `builds`.

use rusqlite::{Row, named_params};

use super::jobs;
use super::{ReadTx, Result, WriteTx};
use crate::model::build::{Build, BuildReason, Transition};
use crate::model::id::{BuildId, JobId, TemplateId, UserId, VersionId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::model::user::UserRef;

/// The columns of a build `b`, its job `j`, initiator `i` and version `v`, as [`from_row`] reads them.
macro_rules! build_columns {
    () => {
        concat!(
            "b.id AS build_id, b.workspace_id AS build_workspace_id, b.number AS number,
             b.transition AS transition, b.reason AS reason, i.id AS initiator_id,
             i.username AS initiator_name, v.id AS version_id, v.name AS version_name,
             b.daily_cost AS daily_cost, b.refused_cost AS refused_cost,
             b.deadline_at AS deadline_at,
             coalesce(v.imported ->> '$.has_external_agent', 0) AS has_external_agent, ",
            crate::server::db::jobs::job_columns!()
        )
    };
}
pub(super) use build_columns;

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT ",
            build_columns!(),
            " FROM builds b CROSS JOIN jobs j ON j.id = b.job_id
              CROSS JOIN users i ON i.id = b.initiator_id
              CROSS JOIN template_versions v ON v.id = b.version_id ",
            $tail
        )
    };
}

/// The last build of someone's workspaces that are made from a template.
///
/// # Errors
/// When SQLite fails.
pub fn last_of(tx: &ReadTx<'_>, owner: UserId, template: TemplateId) -> Result<Option<BuildId>> {
    tx.find(
        "SELECT b.id AS id FROM workspaces w CROSS JOIN builds b ON b.workspace_id = w.id
         WHERE w.owner_id = :owner AND w.deleted_at IS NULL AND w.template_id = :template
         ORDER BY b.created_at DESC, b.id DESC LIMIT 1",
        named_params! { ":owner": owner, ":template": template },
        |row| row.get("id"),
    )
}

/// Reads the build of a joined row; its resources are not filled in.
pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Build> {
    Ok(Build {
        id: row.get("build_id")?,
        workspace_id: row.get("build_workspace_id")?,
        number: row.get("number")?,
        transition: row.get("transition")?,
        reason: row.get("reason")?,
        initiator: UserRef { id: row.get("initiator_id")?, username: row.get("initiator_name")? },
        version_id: row.get("version_id")?,
        version_name: row.get("version_name")?,
        job: jobs::from_row(row)?,
        daily_cost: row.get("daily_cost")?,
        refused_cost: row.get("refused_cost")?,
        deadline: row.get("deadline_at")?,
        has_external_agent: row.get("has_external_agent")?,
        resources: vec![],
    })
}

/// A build to be made.
#[derive(Debug)]
pub struct NewBuild {
    /// Its id.
    pub id: BuildId,
    /// Its workspace.
    pub workspace_id: WorkspaceId,
    /// Its number.
    pub number: i64,
    /// What it does.
    pub transition: Transition,
    /// Why.
    pub reason: BuildReason,
    /// Who asked.
    pub initiator_id: UserId,
    /// What it uses.
    pub version_id: VersionId,
    /// Its run.
    pub job_id: JobId,
    /// Delete the record only.
    pub orphan: bool,
    /// For a stop: a start follows.
    pub then_start: bool,
}

/// A build.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: BuildId) -> Result<Option<Build>> {
    tx.find(select!("WHERE b.id = :id"), named_params! { ":id": id }, from_row)
}

/// The build whose run this job is.
///
/// # Errors
/// When SQLite fails.
pub fn by_job(tx: &ReadTx<'_>, job: JobId) -> Result<Option<Build>> {
    tx.find(select!("WHERE b.job_id = :job"), named_params! { ":job": job }, from_row)
}

/// A build of a workspace by its number.
///
/// # Errors
/// When SQLite fails.
pub fn by_number(tx: &ReadTx<'_>, workspace: WorkspaceId, number: i64) -> Result<Option<Build>> {
    tx.find(
        select!("WHERE b.workspace_id = :workspace AND b.number = :number"),
        named_params! { ":workspace": workspace, ":number": number },
        from_row,
    )
}

/// The last build of a workspace.
///
/// # Errors
/// When SQLite fails.
pub fn last(tx: &ReadTx<'_>, workspace: WorkspaceId) -> Result<Option<Build>> {
    tx.find(
        select!("WHERE b.workspace_id = :workspace ORDER BY b.number DESC LIMIT 1"),
        named_params! { ":workspace": workspace },
        from_row,
    )
}

/// The last build of a workspace that did what it should: it says whether the workspace runs.
///
/// # Errors
/// When SQLite fails.
pub fn last_good(tx: &ReadTx<'_>, workspace: WorkspaceId) -> Result<Option<Build>> {
    tx.find(
        select!(
            "WHERE b.workspace_id = :workspace AND j.status = 'succeeded'
             ORDER BY b.number DESC LIMIT 1"
        ),
        named_params! { ":workspace": workspace },
        from_row,
    )
}

/// Builds of a workspace, newest first.
///
/// # Errors
/// When SQLite fails.
pub fn list(
    tx: &ReadTx<'_>,
    workspace: WorkspaceId,
    (limit, offset): (u32, u32),
) -> Result<Vec<Build>> {
    tx.list(
        select!(
            "WHERE b.workspace_id = :workspace ORDER BY b.number DESC LIMIT :limit OFFSET :offset"
        ),
        named_params! { ":workspace": workspace, ":limit": limit, ":offset": offset },
        from_row,
    )
}

/// Whether a build only deletes the record.
///
/// # Errors
/// When SQLite fails.
pub fn is_orphan(tx: &ReadTx<'_>, id: BuildId) -> Result<bool> {
    let found =
        tx.find("SELECT orphan FROM builds WHERE id = :id", named_params! { ":id": id }, |row| {
            row.get("orphan")
        })?;
    Ok(found.unwrap_or_default())
}

/// Whether a start is to follow a stop.
///
/// # Errors
/// When SQLite fails.
pub fn is_then_start(tx: &ReadTx<'_>, id: BuildId) -> Result<bool> {
    let found = tx.find(
        "SELECT then_start FROM builds WHERE id = :id",
        named_params! { ":id": id },
        |row| row.get("then_start"),
    )?;
    Ok(found.unwrap_or_default())
}

/// Makes a build.
///
/// # Errors
/// When SQLite fails; a collision when the number is taken.
pub fn insert(tx: &WriteTx<'_>, b: &NewBuild) -> Result<()> {
    tx.execute(
        "INSERT INTO builds (id, workspace_id, number, transition, reason, initiator_id, version_id,
             job_id, orphan, then_start, daily_cost, created_at)
         VALUES (:id, :workspace, :number, :transition, :reason, :initiator, :version,
             :job, :orphan, :then_start, 0, :now)",
        named_params! {
            ":id": b.id, ":workspace": b.workspace_id, ":number": b.number,
            ":transition": b.transition, ":reason": b.reason, ":initiator": b.initiator_id,
            ":version": b.version_id, ":job": b.job_id, ":orphan": b.orphan,
            ":then_start": b.then_start, ":now": tx.now,
        },
    )?;
    // The one before is history: neither what is due nor what a status finds is looked for in it.
    let before: Option<JobId> = tx.find(
        "UPDATE builds SET deadline_at = NULL
         WHERE workspace_id = :workspace AND number = :number - 1 RETURNING job_id",
        named_params! { ":workspace": b.workspace_id, ":number": b.number },
        |row| row.get("job_id"),
    )?;
    if let Some(job) = before {
        jobs::set_past(tx, job)?;
    }
    Ok(())
}

/// Stores what a build costs a day.
///
/// # Errors
/// When SQLite fails.
pub fn set_cost(tx: &WriteTx<'_>, id: BuildId, daily_cost: i64) -> Result<()> {
    tx.execute(
        "UPDATE builds SET daily_cost = :cost WHERE id = :id",
        named_params! { ":id": id, ":cost": daily_cost },
    )?;
    Ok(())
}

/// Notes what the owner's budget had no room for.
///
/// # Errors
/// When SQLite fails.
pub fn set_refused_cost(tx: &WriteTx<'_>, id: BuildId, planned: i64) -> Result<()> {
    tx.execute(
        "UPDATE builds SET refused_cost = :planned WHERE id = :id",
        named_params! { ":id": id, ":planned": planned },
    )?;
    Ok(())
}

/// Stores when the workspace stops by itself.
///
/// # Errors
/// When SQLite fails.
pub fn set_deadline(tx: &WriteTx<'_>, id: BuildId, at: Option<Timestamp>) -> Result<()> {
    tx.execute(
        "UPDATE builds SET deadline_at = :at WHERE id = :id",
        named_params! { ":id": id, ":at": at },
    )?;
    Ok(())
}
