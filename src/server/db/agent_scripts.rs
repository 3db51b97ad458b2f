//! The table `agent_scripts`: scripts of agents that ended.

use rusqlite::named_params;

use super::{ReadTx, Result, WriteTx};
use crate::model::agent::ScriptRun;
use crate::model::id::AgentId;

/// Runs kept of one agent: a cron script every minute fills this in a day and a half.
const MAX: i64 = 2000;

/// Keeps a run and drops the oldest beyond the limit.
///
/// # Errors
/// When SQLite fails or the stage is not one.
pub fn insert(tx: &WriteTx<'_>, agent: AgentId, run: &ScriptRun) -> Result<()> {
    tx.execute(
        "INSERT INTO agent_scripts (agent_id, script_id, stage, started_ms, ended_ms, exit_code,
             timed_out)
         VALUES (:agent, :script, :stage, :started, :ended, :code, :timed_out)",
        named_params! {
            ":agent": agent, ":script": run.script, ":stage": run.stage,
            ":started": run.started_ms, ":ended": run.ended_ms, ":code": run.exit_code,
            ":timed_out": run.timed_out,
        },
    )?;
    tx.execute(
        "UPDATE agents SET log_kept = 1 WHERE id = :agent AND log_kept = 0",
        named_params! { ":agent": agent },
    )?;
    tx.execute(
        "DELETE FROM agent_scripts WHERE agent_id = :agent AND stage = 'cron' AND id <= (
             SELECT id FROM agent_scripts WHERE agent_id = :agent
             ORDER BY id DESC LIMIT 1 OFFSET :max)",
        named_params! { ":agent": agent, ":max": MAX },
    )?;
    Ok(())
}

/// Removes up to `most` runs of an agent; how many there were.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, agent: AgentId, most: usize) -> Result<usize> {
    tx.execute(
        "DELETE FROM agent_scripts WHERE id IN (
             SELECT id FROM agent_scripts WHERE agent_id = :agent ORDER BY id LIMIT :most)",
        named_params! { ":agent": agent, ":most": i64::try_from(most).unwrap_or(i64::MAX) },
    )
}

/// The runs of an agent's scripts at start and stop, in order.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, agent: AgentId) -> Result<Vec<ScriptRun>> {
    tx.list(
        "SELECT script_id, stage, started_ms, ended_ms, exit_code, timed_out FROM agent_scripts
         WHERE agent_id = :agent AND stage IN ('start', 'stop') ORDER BY id LIMIT 1000",
        named_params! { ":agent": agent },
        |row| {
            Ok(ScriptRun {
                script: row.get("script_id")?,
                stage: row.get("stage")?,
                started_ms: row.get("started_ms")?,
                ended_ms: row.get("ended_ms")?,
                exit_code: row.get("exit_code")?,
                timed_out: row.get("timed_out")?,
            })
        },
    )
}
