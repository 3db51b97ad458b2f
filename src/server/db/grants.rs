//! The views `effective_grants` and `everywhere_grants`: who may do what on which workspace, and why.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result};
use crate::model::grant::{EffectiveGrant, Verb};
use crate::model::id::{UserId, WorkspaceId};

fn from_row(row: &Row<'_>) -> rusqlite::Result<EffectiveGrant> {
    Ok(EffectiveGrant {
        user_id: row.get("user_id")?,
        verb: row.get("verb")?,
        reason: row.get("reason")?,
        until: row.get("until_at")?,
    })
}

/// Every right of a user on a workspace.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, user: UserId, workspace: WorkspaceId) -> Result<Vec<EffectiveGrant>> {
    tx.list(
        "SELECT user_id, verb, reason, until_at FROM effective_grants
         WHERE user_id = :user AND workspace_id = :workspace",
        named_params! { ":user": user, ":workspace": workspace },
        from_row,
    )
}

/// What a user may do on every workspace there is, by their roles on the site.
///
/// # Errors
/// When SQLite fails.
pub fn everywhere(tx: &ReadTx<'_>, user: UserId) -> Result<Vec<Verb>> {
    tx.list(
        "SELECT DISTINCT verb FROM everywhere_grants
         WHERE user_id = :user AND organization_id IS NULL",
        named_params! { ":user": user },
        |row| row.get(0),
    )
}
