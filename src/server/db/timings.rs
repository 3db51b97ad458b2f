//! The table `timings`: how long each step of a job took.

use rusqlite::named_params;

use super::{ReadTx, Result, WriteTx};
use crate::model::build::Timing;
use crate::model::id::JobId;

/// Most steps kept of one job: a template of a thousand resources has three a resource.
const MAX: usize = 4096;

/// Keeps the steps of a job.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, job: JobId, timings: &[Timing]) -> Result<()> {
    let cut = |text: &str, n: usize| text.chars().take(n).collect::<String>();
    for t in timings.iter().take(MAX) {
        tx.execute(
            "INSERT INTO timings (job_id, stage, source, action, resource, started_ms, ended_ms)
             VALUES (:job, :stage, :source, :action, :resource, :started, :ended)",
            named_params! {
                ":job": job, ":stage": cut(&t.stage, 64), ":source": cut(&t.source, 256),
                ":action": cut(&t.action, 64), ":resource": cut(&t.resource, 512),
                ":started": t.started_ms, ":ended": t.ended_ms,
            },
        )?;
    }
    Ok(())
}

/// The steps of a job in order of arrival.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, job: JobId) -> Result<Vec<Timing>> {
    tx.list(
        "SELECT stage, source, action, resource, started_ms, ended_ms FROM timings
         WHERE job_id = :job ORDER BY id",
        named_params! { ":job": job },
        |row| {
            Ok(Timing {
                stage: row.get("stage")?,
                source: row.get("source")?,
                action: row.get("action")?,
                resource: row.get("resource")?,
                started_ms: row.get("started_ms")?,
                ended_ms: row.get("ended_ms")?,
            })
        },
    )
}

/// Removes up to `most` steps of a job; how many there were.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, job: JobId, most: usize) -> Result<usize> {
    tx.execute(
        "DELETE FROM timings WHERE id IN (
             SELECT id FROM timings WHERE job_id = :job ORDER BY id LIMIT :most)",
        named_params! { ":job": job, ":most": i64::try_from(most).unwrap_or(i64::MAX) },
    )
}
