//! The table `agent_metadata`: what agents' metadata commands printed last.

use rusqlite::named_params;

use super::{ReadTx, Result, WriteTx};
use crate::model::agent::MetadataValue;
use crate::model::id::AgentId;

/// Longest value and error, in characters (as Coder keeps them).
const MAX: usize = 2048;

/// Stores a value in place of the last one.
///
/// # Errors
/// When SQLite fails.
pub fn put(tx: &WriteTx<'_>, agent: AgentId, value: &MetadataValue) -> Result<()> {
    let cut = |text: &str| text.chars().take(MAX).collect::<String>();
    tx.execute(
        "INSERT INTO agent_metadata (agent_id, key, value, error, collected_at)
         VALUES (:agent, :key, :value, :error, :at)
         ON CONFLICT (agent_id, key) DO UPDATE
         SET value = excluded.value, error = excluded.error, collected_at = excluded.collected_at",
        named_params! {
            ":agent": agent, ":key": value.key, ":value": cut(&value.value),
            ":error": cut(&value.error), ":at": value.collected_at,
        },
    )?;
    Ok(())
}

/// The values of an agent by key.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, agent: AgentId) -> Result<Vec<MetadataValue>> {
    tx.list(
        "SELECT key, value, error, collected_at FROM agent_metadata
         WHERE agent_id = :agent ORDER BY key LIMIT 1000",
        named_params! { ":agent": agent },
        |row| {
            Ok(MetadataValue {
                key: row.get("key")?,
                value: row.get("value")?,
                error: row.get("error")?,
                collected_at: row.get("collected_at")?,
            })
        },
    )
}
