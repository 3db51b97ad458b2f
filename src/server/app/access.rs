//! May they: the one place where a decision on a workspace is taken, through `effective_grants`.

use std::collections::BTreeMap;

use super::{Actor, App, Error, Result, template_rights, trail};
use crate::model::audit::{AuditEntry, AuditOutcome};
use crate::model::grant::{self, EffectiveGrant};
use crate::model::id::{GrantId, UserId, WorkspaceId};
use crate::model::policy::{
    Action as PolicyAction, Context, Denied, Object, Permission, ResourceType, Scope, Subject,
};
use crate::model::session::Shown;
use crate::model::time::Timestamp;
use crate::model::user::{HeldRole, OrganizationRole, User};
use crate::model::verb::Verb;
use crate::server::db::{ReadTx, WriteTx, audit, break_glass, rights as rows, roles, workspaces};

/// Asks for a right on a workspace.
///
/// # Errors
/// [`Error::NotFound`] when the actor may not know the workspace exists, [`Error::Denied`] when
/// they may see it and not do this.
pub fn require(tx: &ReadTx<'_>, actor: &Actor, workspace: WorkspaceId, verb: Verb) -> Result<()> {
    let user = match actor {
        Actor::System => return Ok(()),
        Actor::Agent { workspace: own, .. } if *own == workspace && verb == Verb::View => {
            return Ok(());
        }
        Actor::Agent { .. } | Actor::Scim(_) | Actor::Program(_) => {
            return Err(Error::NotFound("workspace"));
        }
        Actor::User(caller) => {
            require_scope(actor, workspace, verb.actions())?;
            caller.user.id
        }
    };
    let (held, context) = (rights(tx, user, workspace)?, actor.context(tx.now));
    if grant::may(&held, verb, &context) {
        return Ok(());
    }
    // Who was granted it knows of it, and is told when and from where it may be used.
    match grant::unmet(&held, verb, &context).or_else(|| grant::unmet(&held, Verb::View, &context))
    {
        Some(limit) => Err(Error::Denied(limit.to_string())),
        None if grant::may(&held, Verb::View, &context) => {
            Err(Error::Denied(format!("you may see this workspace, not {verb} it")))
        }
        None => Err(Error::NotFound("workspace")),
    }
}

/// Asks for the right to read a workspace's past: who may see it, and of a deleted one who owned it
/// and owners of the site. Grants end with the workspace, its history does not.
///
/// # Errors
/// [`Error::NotFound`] otherwise.
pub fn require_history(tx: &ReadTx<'_>, actor: &Actor, workspace: WorkspaceId) -> Result<()> {
    if !workspaces::is_deleted(tx, workspace)? {
        return require(tx, actor, workspace, Verb::View);
    }
    let Some((owner, organization)) = workspaces::belonging(tx, workspace)? else {
        return Err(Error::NotFound("workspace"));
    };
    let object = Object::site(ResourceType::Workspace).id(workspace).of(owner).within(organization);
    actor.require(tx.now, PolicyAction::Read, &object)
}

/// Asks for the right to change the template that a workspace is made from: who has it may see and
/// replace what Terraform keeps of the workspace.
///
/// # Errors
/// [`Error::Denied`] otherwise.
pub(super) fn require_author(tx: &ReadTx<'_>, actor: &Actor, workspace: WorkspaceId) -> Result<()> {
    let of = workspaces::template(tx, workspace)?.ok_or(Error::NotFound("workspace"))?;
    let object = template_rights::object(tx, actor, of)?;
    actor.require(tx.now, PolicyAction::Update, &object)
}

/// Asks whether what the caller came with is for this workspace and has one of these actions.
///
/// # Errors
/// [`Error::NotFound`] for another workspace's token, [`Error::Denied`] for one with less.
pub(super) fn require_scope(
    actor: &Actor,
    workspace: WorkspaceId,
    actions: &[PolicyAction],
) -> Result<()> {
    let Actor::User(caller) = actor else { return Ok(()) };
    let (kind, scope) = (ResourceType::Workspace, &caller.subject.scope);
    if !scope.reaches(kind, Some(workspace.into())) {
        return Err(Error::NotFound(kind.noun()));
    }
    let has = |action: &PolicyAction| scope.has(Permission(kind, *action));
    match actions.first() {
        Some(action) if !actions.iter().any(has) => {
            Err(Error::Denied(Denied::Scope(Permission(kind, *action)).to_string()))
        }
        Some(_) | None => Ok(()),
    }
}

/// Who asks, with what their roles hold now and what they came with is limited to.
///
/// # Errors
/// When the database fails.
pub(super) fn subject(tx: &ReadTx<'_>, user: &User, scope: Scope) -> Result<Subject> {
    let is_custom = |held: &HeldRole| OrganizationRole::from_word(held.role.as_str()).is_none();
    let custom = if user.organization_roles.iter().any(is_custom) {
        roles::custom_permissions(tx, user.id)?
    } else {
        Vec::new()
    };
    Ok(Subject::of(user, &custom, scope))
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
    Ok(rows::list(tx, user, workspace)?)
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
) -> Result<BTreeMap<WorkspaceId, Vec<Verb>>> {
    let Actor::User(caller) = actor else { return Ok(BTreeMap::new()) };
    let (user, context) = (caller.user.id, actor.context(tx.now));
    let everywhere = rows::everywhere(tx, user)?;
    let mut all = BTreeMap::new();
    for id in workspaces::living(tx, ids)? {
        let mut may: Vec<Verb> = Verb::ALL.to_vec();
        may.retain(|verb| require_scope(actor, id, verb.actions()).is_ok());
        if may.iter().any(|a| !everywhere.contains(a)) {
            let held = rights(tx, user, id)?;
            may.retain(|a| grant::may(&held, *a, &context));
        }
        all.insert(id, may);
    }
    Ok(all)
}

/// The grants by which a user would see a workspace, but not at this hour, from there, or like this.
///
/// # Errors
/// When the database fails.
pub(super) fn closed(tx: &ReadTx<'_>, actor: &Actor, user: UserId) -> Result<Vec<GrantId>> {
    let (limited, context) = (rows::limited(tx, user)?, actor.context(tx.now));
    let unmet = limited.into_iter().filter(|right| right.check(&context).is_err());
    Ok(unmet.filter_map(|right| right.grant_id).collect())
}

/// Whether the actor may see every workspace there is.
///
/// # Errors
/// When the database fails.
pub(super) fn sees_all(tx: &ReadTx<'_>, actor: &Actor) -> Result<bool> {
    match actor {
        Actor::System => Ok(true),
        Actor::Agent { .. } | Actor::Scim(_) | Actor::Program(_) => Ok(false),
        Actor::User(caller) => {
            let every = caller.subject.scope.reaches(ResourceType::Workspace, None);
            Ok(every && rows::everywhere(tx, caller.user.id)?.contains(&Verb::View))
        }
    }
}

/// Writes the audit row of a change, in the change's own transaction.
///
/// # Errors
/// When the database fails.
pub fn record(tx: &WriteTx<'_>, actor: &Actor, entry: &AuditEntry) -> Result<()> {
    Ok(audit::insert(tx, &trail::source(actor), entry, &AuditOutcome::done())?)
}

/// A right that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kept {
    /// When the last of it ends; none for no end.
    pub until: Option<Timestamp>,
    /// Whether what is done by it is to be recorded.
    pub is_recorded: bool,
}

impl App {
    /// Asks for a right on a workspace.
    ///
    /// # Errors
    /// As [`require`].
    pub async fn may(&self, actor: &Actor, workspace: WorkspaceId, action: Verb) -> Result<()> {
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
    ) -> Result<BTreeMap<WorkspaceId, Vec<Verb>>> {
        let actor = actor.clone();
        self.db.read(move |tx| allowed(tx, &actor, &workspaces)).await
    }

    /// Whether the rights by which someone opens a session demand that it is recorded.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn demands_recording(
        &self,
        user: UserId,
        right: (WorkspaceId, Shown),
    ) -> Result<bool> {
        self.demands_recording_by(Verb::Connect, user, right).await
    }

    /// The same of whoever comes by another right.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn demands_recording_by(
        &self,
        right: Verb,
        user: UserId,
        (workspace, shown): (WorkspaceId, Shown),
    ) -> Result<bool> {
        self.db
            .read(move |tx| {
                let Shown { ip, mfa_at, .. } = shown;
                let context = Context { now: tx.now, ip, mfa_at, conditions: &[] };
                // Who let themselves in is recorded, whatever other rights they have.
                Ok(break_glass::stands(tx, user, workspace)?
                    || grant::is_recorded(&rights(tx, user, workspace)?, right, &context))
            })
            .await
    }

    /// Which of these users still have a right on these workspaces, by what they had shown.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn who_may(
        &self,
        action: Verb,
        asked: Vec<(UserId, WorkspaceId, Shown)>,
    ) -> Result<BTreeMap<(UserId, WorkspaceId, Shown), Kept>> {
        self.db
            .read(move |tx| {
                let mut kept = BTreeMap::new();
                for one @ (user, workspace, shown) in asked {
                    let Shown { ip, mfa_at, .. } = shown;
                    let context = Context { now: tx.now, ip, mfa_at, conditions: &[] };
                    let rights = rights(tx, user, workspace)?;
                    let held: Vec<_> = grant::held(&rights, action, &context).collect();
                    if !held.is_empty() {
                        let ends: Option<Vec<Timestamp>> = held.iter().map(|g| g.until).collect();
                        let until = ends.and_then(|ends| ends.into_iter().max());
                        let is_recorded = held.iter().all(|right| right.is_recorded)
                            || break_glass::stands(tx, user, workspace)?;
                        kept.insert(one, Kept { until, is_recorded });
                    }
                }
                Ok(kept)
            })
            .await
    }
}
