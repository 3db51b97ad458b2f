//! The table `favorites`: workspaces that someone wants to find first.

use rusqlite::named_params;

use super::{ReadTx, Result, WriteTx};
use crate::model::id::{UserId, WorkspaceId};

/// Someone's, in no order; not those that are deleted.
///
/// # Errors
/// When SQLite fails.
pub fn of(tx: &ReadTx<'_>, user: UserId) -> Result<Vec<WorkspaceId>> {
    tx.list(
        "SELECT f.workspace_id FROM favorites f CROSS JOIN workspaces w ON w.id = f.workspace_id
         WHERE f.user_id = :user AND w.deleted_at IS NULL",
        named_params! { ":user": user },
        |row| row.get(0),
    )
}

/// Makes a workspace one of someone's, or not.
///
/// # Errors
/// When SQLite fails.
pub fn set(tx: &WriteTx<'_>, user: UserId, workspace: WorkspaceId, is_one: bool) -> Result<()> {
    let sql = if is_one {
        "INSERT INTO favorites (user_id, workspace_id) VALUES (:user, :workspace)
         ON CONFLICT (user_id, workspace_id) DO NOTHING"
    } else {
        "DELETE FROM favorites WHERE user_id = :user AND workspace_id = :workspace"
    };
    tx.execute(sql, named_params! { ":user": user, ":workspace": workspace })?;
    Ok(())
}
