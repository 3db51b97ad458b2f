//! May they: the one place where a decision on a workspace is taken, through `effective_grants`.

use super::{Actor, App, Error, Result};
use crate::model::audit::AuditEntry;
use crate::model::grant::{self, Action, EffectiveGrant};
use crate::model::id::{UserId, WorkspaceId};
use crate::server::db::{ReadTx, WriteTx, audit, grants};

/// Asks for a right on a workspace.
///
/// # Errors
/// [`Error::NotFound`] when the actor may not know the workspace exists, [`Error::Denied`] when
/// they may see it and not do this.
pub fn require(
    tx: &ReadTx<'_>,
    actor: &Actor,
    workspace: WorkspaceId,
    action: Action,
) -> Result<()> {
    let user = match actor {
        Actor::System => return Ok(()),
        Actor::Agent { workspace: own, .. } if *own == workspace && action == Action::View => {
            return Ok(());
        }
        Actor::Agent { .. } => return Err(Error::NotFound("workspace")),
        Actor::User(caller) => caller.user.id,
    };
    let held = rights(tx, user, workspace)?;
    if grant::may(&held, action, tx.now) {
        Ok(())
    } else if grant::may(&held, Action::View, tx.now) {
        Err(Error::Denied(format!("you may see this workspace, not {action} it")))
    } else {
        Err(Error::NotFound("workspace"))
    }
}

impl App {
    /// Whether the actor may do this with a workspace.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn may(&self, actor: &Actor, workspace: WorkspaceId, action: Action) -> Result<bool> {
        let actor = actor.clone();
        let asked: Result<()> =
            self.db.read(move |tx| require(tx, &actor, workspace, action)).await;
        match asked {
            Ok(()) => Ok(true),
            Err(Error::NotFound(_) | Error::Denied(_)) => Ok(false),
            Err(other) => Err(other),
        }
    }
}

/// Every right a user has on a workspace, with its reason and end.
///
/// # Errors
/// When the database fails.
pub fn rights(
    tx: &ReadTx<'_>,
    user: UserId,
    workspace: WorkspaceId,
) -> Result<Vec<EffectiveGrant>> {
    Ok(grants::list(tx, user, workspace)?)
}

/// Writes the audit row of a change, in the change's own transaction.
///
/// # Errors
/// When the database fails.
pub fn record(tx: &WriteTx<'_>, actor: &Actor, entry: &AuditEntry) -> Result<()> {
    Ok(audit::insert(tx, actor.user_id(), actor.ip(), entry)?)
}
