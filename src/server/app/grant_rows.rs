//! Writing a grant, whoever asked and by whatever way: so many stand on a workspace, and so many are kept.

use super::sharing::NewGrant;
use super::{Error, Result};
use crate::model::grant::Grant;
use crate::model::id::{GrantId, UserId, WorkspaceId};
use crate::server::db::{ReadTx, WriteTx, grants};

/// Grants that stand on one workspace at most.
const MAX_GRANTS: usize = 500;
/// Grants kept for one workspace, those that ended included; the oldest of those go first.
const MAX_KEPT: usize = 2 * MAX_GRANTS;

/// Asks whether one more grant may stand on a workspace.
///
/// # Errors
/// [`Error::Conflict`] otherwise.
pub(super) fn require_room(tx: &ReadTx<'_>, id: WorkspaceId) -> Result<()> {
    if grants::count(tx, id)? < MAX_GRANTS {
        return Ok(());
    }
    let why = format!("a workspace has at most {MAX_GRANTS} grants; share it with a group");
    Err(Error::conflict(why))
}

/// Writes a grant by someone, held by them under another grant or by none. Whether they may was asked
/// before.
///
/// # Errors
/// As [`require_room`].
pub(super) fn put(
    tx: &WriteTx<'_>,
    (workspace, by, under): (WorkspaceId, Option<UserId>, Option<GrantId>),
    new: NewGrant,
) -> Result<Grant> {
    let grant = Grant {
        id: tx.fresh(),
        workspace_id: workspace,
        to: new.to,
        verbs: new.verbs,
        limits: new.limits,
        reason: new.reason,
        granted_by: by,
        granted_at: tx.now,
        via: new.via,
        under,
        ended: None,
    };
    insert(tx, &grant)?;
    Ok(grant)
}

/// Writes a grant as it is.
///
/// # Errors
/// As [`require_room`].
pub(super) fn insert(tx: &WriteTx<'_>, grant: &Grant) -> Result<()> {
    require_room(tx, grant.workspace_id)?;
    grants::forget_surplus(tx, grant.workspace_id, MAX_KEPT)?;
    Ok(grants::insert(tx, grant)?)
}
