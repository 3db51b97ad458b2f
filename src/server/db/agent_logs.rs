//! The tables `agent_logs` and `agent_log_batches`: logs of agents, each batch stored once.

use rusqlite::named_params;

use super::{ReadTx, Result, WriteTx, agent_scripts};
use crate::model::agent::AgentLogLine;
use crate::model::id::AgentId;
use crate::model::log::{self, LogLevel};
use crate::model::time::Timestamp;

/// What an empty line counts towards the limit, so that empty lines are not free.
const LINE_COST: usize = 16;

/// The last batch stored of one life of an agent's process; none before the first.
///
/// # Errors
/// When SQLite fails.
pub fn last_batch(tx: &ReadTx<'_>, agent: AgentId, life: &str) -> Result<Option<i64>> {
    tx.find(
        "SELECT seq FROM agent_log_batches WHERE agent_id = :agent AND life = :life",
        named_params! { ":agent": agent, ":life": life },
        |row| row.get("seq"),
    )
}

/// Notes that a batch is stored.
///
/// # Errors
/// When SQLite fails.
pub fn set_batch(tx: &WriteTx<'_>, agent: AgentId, life: &str, seq: i64) -> Result<()> {
    tx.execute(
        "INSERT INTO agent_log_batches (agent_id, life, seq) VALUES (:agent, :life, :seq)
         ON CONFLICT (agent_id, life) DO UPDATE SET seq = excluded.seq",
        named_params! { ":agent": agent, ":life": life, ":seq": seq },
    )?;
    Ok(())
}

/// Keeps lines as long as the log is within its limit; the line after the last says so.
/// The ids of the lines are chosen by the table.
///
/// # Errors
/// When SQLite fails.
pub fn append(tx: &WriteTx<'_>, agent: AgentId, lines: &[AgentLogLine]) -> Result<()> {
    let mut size = size(tx, agent)?;
    for line in lines {
        if size > log::MAX_AGENT_LOG_BYTES {
            break;
        }
        let output = log::clip(&line.output);
        size += output.len().max(LINE_COST);
        if size > log::MAX_AGENT_LOG_BYTES {
            let output = "The log is longer than 1 MiB; what follows is not kept.".to_owned();
            insert(tx, agent, &AgentLogLine { level: LogLevel::Warn, output, ..line.clone() })?;
        } else {
            insert(tx, agent, &AgentLogLine { output, ..line.clone() })?;
        }
    }
    tx.execute(
        "UPDATE agents SET n_log_bytes = :size, log_kept = 1 WHERE id = :agent",
        named_params! { ":agent": agent, ":size": i64::try_from(size).unwrap_or(i64::MAX) },
    )?;
    Ok(())
}

/// Bytes kept of an agent's log; above the limit it has overflowed.
///
/// # Errors
/// When SQLite fails.
pub fn size(tx: &ReadTx<'_>, agent: AgentId) -> Result<usize> {
    let found: Option<i64> = tx.find(
        "SELECT n_log_bytes FROM agents WHERE id = :agent",
        named_params! { ":agent": agent },
        |row| row.get("n_log_bytes"),
    )?;
    Ok(usize::try_from(found.unwrap_or_default()).unwrap_or_default())
}

fn insert(tx: &WriteTx<'_>, agent: AgentId, line: &AgentLogLine) -> Result<()> {
    tx.execute(
        "INSERT INTO agent_logs (agent_id, at_ms, level, source_id, output)
         VALUES (:agent, :at, :level, :source, :output)",
        named_params! {
            ":agent": agent, ":at": line.at_ms, ":level": line.level, ":source": line.source_id,
            ":output": line.output,
        },
    )?;
    Ok(())
}

/// Lines after the one with id `after`, oldest first.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, agent: AgentId, after: i64, limit: u32) -> Result<Vec<AgentLogLine>> {
    tx.list(
        "SELECT id, at_ms, level, source_id, output FROM agent_logs
         WHERE agent_id = :agent AND id > :after ORDER BY id LIMIT :limit",
        named_params! { ":agent": agent, ":after": after, ":limit": limit },
        |row| {
            Ok(AgentLogLine {
                id: row.get("id")?,
                at_ms: row.get("at_ms")?,
                level: row.get("level")?,
                source_id: row.get("source_id")?,
                output: row.get("output")?,
            })
        },
    )
}

/// Removes up to `most` lines and runs of scripts of the oldest agents that were not heard since
/// `before`. Whether there may be more to do.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, before: Timestamp, most: usize) -> Result<bool> {
    let limit = i64::try_from(most).unwrap_or(i64::MAX);
    let silent: Vec<AgentId> = tx.list(
        "SELECT id FROM agents WHERE log_kept = 1 AND created_at < :before
           AND coalesce(last_connected_at, created_at) < :before
         ORDER BY created_at LIMIT :limit",
        named_params! { ":before": before, ":limit": limit },
        |row| row.get(0),
    )?;
    let mut left = most;
    for agent in silent {
        left = left.saturating_sub(delete(tx, agent, left)?);
        left = left.saturating_sub(agent_scripts::delete(tx, agent, left)?);
        if left == 0 {
            return Ok(true);
        }
        tx.execute(
            "UPDATE agents SET log_kept = 0, n_log_bytes = 0 WHERE id = :agent",
            named_params! { ":agent": agent },
        )?;
        left -= 1;
    }
    Ok(left == 0)
}

fn delete(tx: &WriteTx<'_>, agent: AgentId, most: usize) -> Result<usize> {
    tx.execute(
        "DELETE FROM agent_logs WHERE id IN (
             SELECT id FROM agent_logs WHERE agent_id = :agent ORDER BY id LIMIT :most)",
        named_params! { ":agent": agent, ":most": i64::try_from(most).unwrap_or(i64::MAX) },
    )
}
