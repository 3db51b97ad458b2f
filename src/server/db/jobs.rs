//! The table `jobs`: what runners do, and which of them does it.

use rusqlite::{Row, named_params};

use super::codec::Json;
use super::{ReadTx, Result, WriteTx};
use crate::model::build::{Job, JobFilter, JobKind, JobStatus, Transition};
use crate::model::id::{JobId, OrganizationId};

/// The columns of a job joined as `j`, as [`from_row`] reads them.
macro_rules! job_columns {
    () => {
        "j.id AS job_id, j.status AS job_status, j.error AS job_error, j.created_at AS job_created_at, \
         j.started_at AS job_started_at, j.ended_at AS job_ended_at, j.log_kept AS job_log_kept"
    };
}
pub(super) use job_columns;

/// Reads the job of a joined row.
pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Job> {
    Ok(Job {
        id: row.get("job_id")?,
        status: row.get("job_status")?,
        error: row.get("job_error")?,
        created_at: row.get("job_created_at")?,
        started_at: row.get("job_started_at")?,
        ended_at: row.get("job_ended_at")?,
        log_kept: row.get("job_log_kept")?,
    })
}

/// Puts a job into the queue.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, id: JobId, kind: JobKind) -> Result<()> {
    tx.execute(
        "INSERT INTO jobs (id, kind, status, error, created_at, runner, is_last)
         VALUES (:id, :kind, 'pending', '', :now, '', :kind = 'build')",
        named_params! { ":id": id, ":kind": kind, ":now": tx.now },
    )?;
    Ok(())
}

/// A job.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: JobId) -> Result<Option<Job>> {
    tx.find(
        concat!("SELECT ", job_columns!(), " FROM jobs j WHERE j.id = :id"),
        named_params! { ":id": id },
        from_row,
    )
}

/// How many workspaces' last builds are of each transition and status; not of those that are deleted.
///
/// # Errors
/// When SQLite fails.
pub fn last_statuses(tx: &ReadTx<'_>) -> Result<Vec<(JobStatus, Transition, i64)>> {
    tx.list(
        "SELECT j.status AS status, b.transition AS transition, count(*) AS n
         FROM jobs j CROSS JOIN builds b ON b.job_id = j.id
         CROSS JOIN workspaces w ON w.id = b.workspace_id
         WHERE j.is_last = 1 AND w.deleted_at IS NULL GROUP BY j.status, b.transition",
        [],
        |row| Ok((row.get("status")?, row.get("transition")?, row.get("n")?)),
    )
}

/// The last jobs of an organization that are wanted, newest first.
///
/// # Errors
/// When SQLite fails.
pub fn recent(
    tx: &ReadTx<'_>,
    organization: OrganizationId,
    wanted: &JobFilter,
) -> Result<Vec<(JobId, JobKind)>> {
    let statuses = wanted.statuses.as_ref();
    let statuses = statuses.map(|all| all.iter().map(|s| s.as_str()).collect::<Vec<_>>());
    tx.list(
        "SELECT j.id AS id, j.kind AS kind FROM jobs j LEFT JOIN builds b ON b.job_id = j.id
         LEFT JOIN workspaces w ON w.id = b.workspace_id
         LEFT JOIN template_versions v ON v.job_id = j.id
         WHERE coalesce(w.organization_id, v.organization_id) = :organization
           AND (:statuses IS NULL OR j.status IN (SELECT value FROM json_each(:statuses)))
           AND (:ids IS NULL OR j.id IN (SELECT value FROM json_each(:ids)))
         ORDER BY j.id DESC LIMIT :limit /* scan: from the newest, by their ids */",
        named_params! {
            ":organization": organization, ":statuses": statuses.map(Json),
            ":ids": wanted.ids.as_ref().map(Json), ":limit": wanted.limit,
        },
        |row| Ok((row.get("id")?, row.get("kind")?)),
    )
}

/// Notes that the workspace of a build has a newer one.
///
/// # Errors
/// When SQLite fails.
pub fn set_past(tx: &WriteTx<'_>, id: JobId) -> Result<()> {
    tx.execute("UPDATE jobs SET is_last = 0 WHERE id = :id", named_params! { ":id": id })?;
    Ok(())
}

/// Gives the oldest waiting job to a runner.
///
/// # Errors
/// When SQLite fails.
pub fn claim(tx: &WriteTx<'_>, runner: &str) -> Result<Option<(JobId, JobKind)>> {
    tx.find(
        "UPDATE jobs SET status = 'running', started_at = :now, heartbeat_at = :now, runner = :runner
         WHERE id = (SELECT id FROM jobs
                     WHERE status IN ('pending', 'running', 'canceling') AND status = 'pending'
                     ORDER BY created_at, id LIMIT 1)
         RETURNING id, kind",
        named_params! { ":now": tx.now, ":runner": runner },
        |row| Ok((row.get("id")?, row.get("kind")?)),
    )
}

/// Notes that a job's runner is alive. Whether the job is still its own.
///
/// # Errors
/// When SQLite fails.
pub fn beat(tx: &WriteTx<'_>, id: JobId) -> Result<bool> {
    let n = tx.execute(
        "UPDATE jobs SET heartbeat_at = :now WHERE id = :id AND status IN ('running', 'canceling')",
        named_params! { ":id": id, ":now": tx.now },
    )?;
    Ok(n > 0)
}

/// Asks the runner of a running job to stop.
///
/// # Errors
/// When SQLite fails.
pub fn set_canceling(tx: &WriteTx<'_>, id: JobId) -> Result<()> {
    tx.execute(
        "UPDATE jobs SET status = 'canceling' WHERE id = :id AND status = 'running'",
        named_params! { ":id": id },
    )?;
    Ok(())
}

/// Ends a job that has not ended. Whether it was so.
///
/// # Errors
/// When SQLite fails.
pub fn end(tx: &WriteTx<'_>, id: JobId, status: JobStatus, error: &str) -> Result<bool> {
    let n = tx.execute(
        "UPDATE jobs SET status = :status, error = :error, ended_at = :now
         WHERE id = :id AND status IN ('pending', 'running', 'canceling')",
        named_params! { ":id": id, ":status": status, ":error": error, ":now": tx.now },
    )?;
    Ok(n > 0)
}

/// Jobs that have a runner, oldest first.
///
/// # Errors
/// When SQLite fails.
pub fn claimed(tx: &ReadTx<'_>) -> Result<Vec<(JobId, JobKind)>> {
    tx.list(
        "SELECT id, kind FROM jobs
         WHERE status IN ('pending', 'running', 'canceling') AND status <> 'pending'
         ORDER BY created_at, id",
        [],
        |row| Ok((row.get("id")?, row.get("kind")?)),
    )
}

/// A waiting job's place in the queue from 1, and how many wait.
///
/// # Errors
/// When SQLite fails.
pub fn queue(tx: &ReadTx<'_>, id: JobId) -> Result<(i64, i64)> {
    let found = tx.find(
        "SELECT count(*) FILTER (WHERE q.created_at < me.created_at
                                    OR (q.created_at = me.created_at AND q.id <= me.id)) AS place,
                count(*) AS size
         FROM jobs me JOIN jobs q
           ON q.status IN ('pending', 'running', 'canceling') AND q.status = 'pending'
         WHERE me.id = :id AND me.status = 'pending'",
        named_params! { ":id": id },
        |row| Ok((row.get("place")?, row.get("size")?)),
    )?;
    Ok(found.unwrap_or((0, 0)))
}
