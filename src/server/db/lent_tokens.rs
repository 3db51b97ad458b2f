//! Tokens of the table `tokens` that are lent to workspaces: `kind` is `workspace`.

use rusqlite::named_params;

use super::{Result, WriteTx};
use crate::model::id::{TokenId, UserId, WorkspaceId};
use crate::model::secret::Token;
use crate::model::time::Timestamp;

/// Lends a token to a workspace in the name of its owner.
///
/// # Errors
/// When SQLite fails.
pub fn insert(
    tx: &WriteTx<'_>,
    token: &Token,
    (owner, workspace): (UserId, WorkspaceId),
    expires_at: Timestamp,
) -> Result<()> {
    tx.execute(
        "INSERT INTO tokens (id, public_id, hash, user_id, kind, name, workspace_id, created_at,
             expires_at, lifetime_s, last_used_ip)
         VALUES (:id, :public, :hash, :owner, 'workspace', '', :workspace, :now, :until,
             :until - :now, '')",
        named_params! {
            ":id": tx.fresh::<TokenId>(), ":public": token.public_id(), ":hash": token.hash(),
            ":owner": owner, ":workspace": workspace, ":now": tx.now, ":until": expires_at,
        },
    )?;
    Ok(())
}

/// Takes every token back that was lent to a workspace.
///
/// # Errors
/// When SQLite fails.
pub fn take_back(tx: &WriteTx<'_>, workspace: WorkspaceId) -> Result<()> {
    tx.execute(
        "DELETE FROM tokens WHERE workspace_id = :workspace AND kind = 'workspace'",
        named_params! { ":workspace": workspace },
    )?;
    Ok(())
}
