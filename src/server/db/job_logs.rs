//! The table `job_logs`: the logs of builds and imports, within their limit.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx, timings};
use crate::model::id::JobId;
use crate::model::log::{self, LogLevel, LogLine, LogSource, StoredLine};
use crate::model::time::Timestamp;

/// What an empty line counts towards the limit, so that empty lines are not free.
const LINE_COST: usize = 16;
/// Longest name of a stage, in characters.
const MAX_STAGE: usize = 128;

/// Keeps lines of a job, as long as its log is within the limit; the line after the last says so.
///
/// # Errors
/// When SQLite fails.
pub fn append(tx: &WriteTx<'_>, job: JobId, lines: &[LogLine]) -> Result<()> {
    let mut size = size(tx, job)?;
    for line in lines {
        if size > log::MAX_BUILD_LOG_BYTES {
            break;
        }
        let output = log::clip(&line.output);
        size += output.len().max(LINE_COST);
        if size > log::MAX_BUILD_LOG_BYTES {
            let words = "The log is longer than 8 MiB; what follows is not kept.".to_owned();
            let source = LogSource::Daemon;
            let last = LogLine { level: LogLevel::Warn, source, output: words, ..line.clone() };
            insert(tx, job, &last)?;
        } else {
            insert(tx, job, &LogLine { output, ..line.clone() })?;
        }
    }
    tx.execute(
        "UPDATE jobs SET n_log_bytes = :size WHERE id = :job",
        named_params! { ":job": job, ":size": i64::try_from(size).unwrap_or(i64::MAX) },
    )?;
    Ok(())
}

fn size(tx: &WriteTx<'_>, job: JobId) -> Result<usize> {
    let found: Option<i64> = tx.find(
        "SELECT n_log_bytes FROM jobs WHERE id = :job",
        named_params! { ":job": job },
        |row| row.get("n_log_bytes"),
    )?;
    Ok(usize::try_from(found.unwrap_or_default()).unwrap_or_default())
}

fn insert(tx: &WriteTx<'_>, job: JobId, line: &LogLine) -> Result<()> {
    let stage: String = line.stage.chars().take(MAX_STAGE).collect();
    tx.execute(
        "INSERT INTO job_logs (job_id, at_ms, source, level, stage, output)
         VALUES (:job, :at, :source, :level, :stage, :output)",
        named_params! {
            ":job": job, ":at": line.at_ms, ":source": line.source, ":level": line.level,
            ":stage": stage, ":output": line.output,
        },
    )?;
    Ok(())
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<StoredLine> {
    Ok(StoredLine {
        id: row.get("id")?,
        line: LogLine {
            at_ms: row.get("at_ms")?,
            source: row.get("source")?,
            level: row.get("level")?,
            stage: row.get("stage")?,
            output: row.get("output")?,
        },
    })
}

/// The last lines up to the one with id `upto`, oldest first.
///
/// # Errors
/// When SQLite fails.
pub fn last(tx: &ReadTx<'_>, job: JobId, upto: i64, limit: u32) -> Result<Vec<StoredLine>> {
    let mut lines = tx.list(
        "SELECT id, at_ms, source, level, stage, output FROM job_logs
         WHERE job_id = :job AND id <= :upto ORDER BY id DESC LIMIT :limit",
        named_params! { ":job": job, ":upto": upto, ":limit": limit },
        from_row,
    )?;
    lines.reverse();
    Ok(lines)
}

/// How many lines there are before the one with id `id`.
///
/// # Errors
/// When SQLite fails.
pub fn count_before(tx: &ReadTx<'_>, job: JobId, id: i64) -> Result<u64> {
    let n: Option<i64> = tx.find(
        "SELECT count(*) AS n FROM job_logs WHERE job_id = :job AND id < :id",
        named_params! { ":job": job, ":id": id },
        |row| row.get("n"),
    )?;
    Ok(n.and_then(|n| u64::try_from(n).ok()).unwrap_or_default())
}

/// Lines after the one with id `after`, oldest first.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, job: JobId, after: i64, limit: u32) -> Result<Vec<StoredLine>> {
    tx.list(
        "SELECT id, at_ms, source, level, stage, output FROM job_logs
         WHERE job_id = :job AND id > :after ORDER BY id LIMIT :limit",
        named_params! { ":job": job, ":after": after, ":limit": limit },
        from_row,
    )
}

/// Removes up to `most` lines and timings of the jobs that ended first before `before`. Whether there
/// may be more to do.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, before: Timestamp, most: usize) -> Result<bool> {
    let mut left = most;
    while left > 0 {
        let job: Option<JobId> = tx.find(
            "SELECT id FROM jobs WHERE log_kept = 1 AND ended_at < :before
             ORDER BY ended_at LIMIT 1",
            named_params! { ":before": before },
            |row| row.get(0),
        )?;
        let Some(job) = job else { return Ok(false) };
        left = left.saturating_sub(delete(tx, job, left)?);
        left = left.saturating_sub(timings::delete(tx, job, left)?);
        if left > 0 {
            tx.execute(
                "UPDATE jobs SET log_kept = 0 WHERE id = :job",
                named_params! { ":job": job },
            )?;
            left -= 1;
        }
    }
    Ok(true)
}

fn delete(tx: &WriteTx<'_>, job: JobId, most: usize) -> Result<usize> {
    tx.execute(
        "DELETE FROM job_logs WHERE id IN (
             SELECT id FROM job_logs WHERE job_id = :job ORDER BY id LIMIT :most)",
        named_params! { ":job": job, ":most": i64::try_from(most).unwrap_or(i64::MAX) },
    )
}
