//! May they: the one place where a decision on a workspace is taken, through `effective_grants`.

use std::collections::{BTreeMap, BTreeSet};

use super::{Actor, App, Error, Result, trail};
use crate::model::audit::{AuditEntry, AuditOutcome};
use crate::model::grant::{self, Action, EffectiveGrant};
use crate::model::id::{UserId, WorkspaceId};
use crate::model::user::SiteRole;
use crate::server::db::{ReadTx, WriteTx, audit, grants, workspaces};

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

/// Asks for the right to read a workspace's past: who may see it, and of a deleted one who owned it
/// and owners of the site. Grants end with the workspace, its history does not.
///
/// # Errors
/// [`Error::NotFound`] otherwise.
pub fn require_history(tx: &ReadTx<'_>, actor: &Actor, workspace: WorkspaceId) -> Result<()> {
    if !workspaces::is_deleted(tx, workspace)? {
        return require(tx, actor, workspace, Action::View);
    }
    let owner = workspaces::owner(tx, workspace)?;
    let own = owner.is_some() && owner == actor.user_id();
    if own || actor.has(SiteRole::Owner) { Ok(()) } else { Err(Error::NotFound("workspace")) }
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

/// What the actor may do with each of these workspaces, now. Roles that hold everywhere are read
/// once, whatever else there is for each workspace that they leave open.
///
/// # Errors
/// When the database fails.
pub(super) fn allowed(
    tx: &ReadTx<'_>,
    actor: &Actor,
    ids: &[WorkspaceId],
) -> Result<BTreeMap<WorkspaceId, Vec<Action>>> {
    let Some(user) = actor.user_id() else { return Ok(BTreeMap::new()) };
    let everywhere = grants::everywhere(tx, user)?;
    let mut all = BTreeMap::new();
    for id in workspaces::living(tx, ids)? {
        let mut may: Vec<Action> = Action::ALL.to_vec();
        if may.iter().any(|a| !everywhere.contains(a)) {
            let held = rights(tx, user, id)?;
            may.retain(|a| grant::may(&held, *a, tx.now));
        }
        all.insert(id, may);
    }
    Ok(all)
}

/// Whether the actor may see every workspace there is.
///
/// # Errors
/// When the database fails.
pub(super) fn sees_all(tx: &ReadTx<'_>, actor: &Actor) -> Result<bool> {
    match actor {
        Actor::System => Ok(true),
        Actor::Agent { .. } => Ok(false),
        Actor::User(caller) => Ok(grants::everywhere(tx, caller.user.id)?.contains(&Action::View)),
    }
}

/// Writes the audit row of a change, in the change's own transaction.
///
/// # Errors
/// When the database fails.
pub fn record(tx: &WriteTx<'_>, actor: &Actor, entry: &AuditEntry) -> Result<()> {
    let who = (&trail::source(actor), trail::username(actor));
    Ok(audit::insert(tx, who, entry, &AuditOutcome::done())?)
}

impl App {
    /// Asks for a right on a workspace.
    ///
    /// # Errors
    /// As [`require`].
    pub async fn may(&self, actor: &Actor, workspace: WorkspaceId, action: Action) -> Result<()> {
        let actor = actor.clone();
        self.db.read(move |tx| require(tx, &actor, workspace, action)).await
    }

    /// What the actor may do with each of these workspaces, now.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn allowed(
        &self,
        actor: &Actor,
        workspaces: Vec<WorkspaceId>,
    ) -> Result<BTreeMap<WorkspaceId, Vec<Action>>> {
        let actor = actor.clone();
        self.db.read(move |tx| allowed(tx, &actor, &workspaces)).await
    }

    /// Which of these users still have a right on these workspaces.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn who_may(
        &self,
        action: Action,
        asked: Vec<(UserId, WorkspaceId)>,
    ) -> Result<BTreeSet<(UserId, WorkspaceId)>> {
        self.db
            .read(move |tx| {
                let mut kept = BTreeSet::new();
                for (user, workspace) in asked {
                    if grant::may(&rights(tx, user, workspace)?, action, tx.now) {
                        kept.insert((user, workspace));
                    }
                }
                Ok(kept)
            })
            .await
    }
}
