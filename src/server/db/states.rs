//! The table `states`: what exists after a build, as Terraform wrote it. Bodies are sealed.

use rusqlite::named_params;

use super::{ReadTx, Result, WriteTx};
use crate::model::id::{BuildId, WorkspaceId};

/// Where a state stands, for its seal.
pub const COLUMN: &str = "states.body";

/// Stores the state after a build, in place of one stored before.
///
/// # Errors
/// When SQLite fails.
pub fn put(tx: &WriteTx<'_>, build: BuildId, sealed: &[u8]) -> Result<()> {
    tx.execute(
        "INSERT INTO states (build_id, body, created_at) VALUES (:build, :body, :now)
         ON CONFLICT (build_id) DO UPDATE SET body = excluded.body, created_at = excluded.created_at",
        named_params! { ":build": build, ":body": sealed, ":now": tx.now },
    )?;
    Ok(())
}

/// The state after a build, sealed.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, build: BuildId) -> Result<Option<Vec<u8>>> {
    tx.find(
        "SELECT body FROM states WHERE build_id = :build",
        named_params! { ":build": build },
        |row| row.get("body"),
    )
}

/// The state of the newest build of a workspace that has one, sealed, with that build.
///
/// # Errors
/// When SQLite fails.
pub fn newest(tx: &ReadTx<'_>, workspace: WorkspaceId) -> Result<Option<(BuildId, Vec<u8>)>> {
    tx.find(
        "SELECT s.build_id AS build_id, s.body AS body
         FROM builds b CROSS JOIN states s ON s.build_id = b.id
         WHERE b.workspace_id = :workspace ORDER BY b.number DESC LIMIT 1",
        named_params! { ":workspace": workspace },
        |row| Ok((row.get("build_id")?, row.get("body")?)),
    )
}
