//! The table `charters`: the reviewed word on who may at most what.

use rusqlite::{Row, named_params};

use super::{ReadTx, Result, WriteTx};
use crate::model::id::{OrganizationId, UserId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::model::user::UserRef;

/// A charter as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CharterRow {
    /// Where it holds.
    pub organization: OrganizationId,
    /// For this workspace alone; none for all of the organization's.
    pub workspace: Option<WorkspaceId>,
    /// Its text.
    pub text: String,
    /// Who wrote it.
    pub set_by: UserRef,
    /// When.
    pub set_at: Timestamp,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<CharterRow> {
    Ok(CharterRow {
        organization: row.get("organization_id")?,
        workspace: row.get("workspace_id")?,
        text: row.get("text")?,
        set_by: UserRef { id: row.get("set_by")?, username: row.get("username")? },
        set_at: row.get("set_at")?,
    })
}

/// The charter of an organization, or of a workspace there.
///
/// # Errors
/// When SQLite fails.
pub fn find(
    tx: &ReadTx<'_>,
    organization: OrganizationId,
    workspace: Option<WorkspaceId>,
) -> Result<Option<CharterRow>> {
    tx.find(
        "SELECT c.organization_id, c.workspace_id, c.text, c.set_by, u.username, c.set_at
         FROM charters c JOIN users u ON u.id = c.set_by
         WHERE c.organization_id = :organization AND c.workspace_id IS :workspace",
        named_params! { ":organization": organization, ":workspace": workspace },
        from_row,
    )
}

/// Every charter.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>) -> Result<Vec<CharterRow>> {
    tx.list(
        "SELECT c.organization_id, c.workspace_id, c.text, c.set_by, u.username, c.set_at
         FROM charters c /* scan: a review is against all of them */ JOIN users u ON u.id = c.set_by",
        [],
        from_row,
    )
}

/// Sets the charter of an organization, or of a workspace there; an empty text removes it.
///
/// # Errors
/// When SQLite fails.
pub fn put(
    tx: &WriteTx<'_>,
    (organization, workspace): (OrganizationId, Option<WorkspaceId>),
    (text, by): (&str, UserId),
) -> Result<()> {
    tx.execute(
        "DELETE FROM charters WHERE organization_id = :organization AND workspace_id IS :workspace",
        named_params! { ":organization": organization, ":workspace": workspace },
    )?;
    if text.is_empty() {
        return Ok(());
    }
    tx.execute(
        "INSERT INTO charters (organization_id, workspace_id, text, set_by, set_at)
         VALUES (:organization, :workspace, :text, :by, :now)",
        named_params! {
            ":organization": organization, ":workspace": workspace, ":text": text, ":by": by,
            ":now": tx.now,
        },
    )?;
    Ok(())
}
