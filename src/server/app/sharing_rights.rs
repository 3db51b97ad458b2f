//! What whoever shares a workspace may give and take back: no more than they have.

use super::sharing::NewGrant;
use super::{Actor, Error, Result, access};
use crate::model::grant::{self, EffectiveGrant, Grant, Limits, Mode, Recipient};
use crate::model::id::{GrantId, OrganizationId, UserId, WorkspaceId};
use crate::model::policy::Context;
use crate::model::user::UserKind;
use crate::model::verb::{Verb, Verbs};
use crate::model::window;
use crate::server::db::{ReadTx, groups, organizations, rotations, settings, users, workspaces};

/// The longest reason.
const MAX_REASON: usize = 512;
/// Networks of one grant at most.
const MAX_NETWORKS: usize = 16;
/// The longest that a grant with an end lasts: ten years. One without an end lasts until it is taken back.
const MAX_S: i64 = 10 * 366 * 86_400;
/// The setting that is there while the operator has turned sharing off.
pub(super) const OFF: &str = "sharing_off";

/// Someone who may share a workspace.
pub(super) struct Sharer<'a> {
    /// Who.
    pub actor: &'a Actor,
    /// What.
    pub workspace: WorkspaceId,
    /// Whose it is.
    pub owner: UserId,
    /// Where it belongs.
    pub organization: OrganizationId,
    /// Every right of theirs on it.
    held: Vec<EffectiveGrant>,
}

impl<'a> Sharer<'a> {
    /// Asks for the right to share.
    pub(super) fn of(tx: &ReadTx<'_>, actor: &'a Actor, workspace: WorkspaceId) -> Result<Self> {
        access::require(tx, actor, workspace, Verb::Share)?;
        let (owner, organization) =
            workspaces::belonging(tx, workspace)?.ok_or(Error::NotFound("workspace"))?;
        let held = match actor {
            Actor::User(caller) => {
                if caller.user.kind == UserKind::Service {
                    return Err(Error::denied("a service account shares nothing by itself"));
                }
                // A token passes on no more than it may do itself.
                let mut held = access::rights(tx, caller.user.id, workspace)?;
                held.retain(|right| {
                    access::require_scope(actor, workspace, right.verb.actions()).is_ok()
                });
                held
            }
            Actor::Agent { .. } | Actor::Scim(_) | Actor::Program(_) | Actor::System => vec![],
        };
        Ok(Self { actor, workspace, owner, organization, held })
    }

    /// Who shares, when it is a user.
    pub(super) fn user(&self) -> Option<UserId> {
        self.actor.user_id()
    }

    /// Asks for a right to share that is nobody's grant: it lasts, and can be lent to others.
    pub(super) fn require_by_no_grant(&self, tx: &ReadTx<'_>) -> Result<()> {
        match self.basis(tx, [Verb::Share].into_iter().collect())? {
            None => Ok(()),
            Some(_) => Err(Error::denied("who has a workspace by a share names nobody for it")),
        }
    }

    /// By which grant they may pass these on; none when by no grant.
    pub(super) fn basis(&self, tx: &ReadTx<'_>, verbs: Verbs) -> Result<Option<GrantId>> {
        if self.user().is_none() {
            return Ok(None);
        }
        grant::basis(&self.held, verbs, &self.actor.context(tx.now)).map_err(|lacking| {
            let why = if lacking.contains(Verb::Share) {
                "who has a workspace by a share cannot let others share it".to_owned()
            } else {
                format!("you do not have this yourself: {lacking}")
            };
            Error::Denied(why)
        })
    }
}

/// Asks for the right to grant these verbs to someone, and says by which grant the sharer has them.
pub(super) fn require_new(
    tx: &ReadTx<'_>,
    sharer: &Sharer<'_>,
    (to, verbs): (Recipient, Verbs),
) -> Result<Option<GrantId>> {
    let place = (sharer.owner, sharer.organization);
    require_mode(tx, place)?;
    let under = sharer.basis(tx, verbs)?;
    if verbs.contains(Verb::Share) || verbs.contains(Verb::Delete) {
        sharer.actor.require_fresh(tx.now)?;
    }
    require_recipient(tx, place, (sharer.user(), to))?;
    Ok(under)
}

/// By which grant someone may pass these on who is not there, as things are now. Nothing is known of where
/// they are nor of their second factor: a right that asks for one of these gives nothing here.
pub(super) fn basis_of_absent(
    tx: &ReadTx<'_>,
    (user, workspace): (UserId, WorkspaceId),
    verbs: Verbs,
) -> Result<Option<GrantId>> {
    let held = access::rights(tx, user, workspace)?;
    let context = Context { now: tx.now, ip: None, mfa_at: None, conditions: &[] };
    grant::basis(&held, verbs, &context)
        .map_err(|lacking| Error::Denied(format!("they do not have this themselves: {lacking}")))
}

/// Asks whether someone's workspace may be shared at all, as the mode of its organization is.
pub(super) fn require_mode(
    tx: &ReadTx<'_>,
    (owner, organization): (UserId, OrganizationId),
) -> Result<()> {
    let owner = users::find(tx, owner)?.ok_or(Error::NotFound("workspace"))?;
    match mode(tx, organization)? {
        Mode::None => Err(Error::denied("workspaces are not shared in this organization")),
        Mode::ServiceAccounts if owner.kind != UserKind::Service => {
            let why = "only workspaces of service accounts are shared in this organization";
            Err(Error::denied(why))
        }
        Mode::Everyone | Mode::ServiceAccounts => Ok(()),
    }
}

/// Asks whether something may be granted to someone on a workspace that another one shares.
pub(super) fn require_recipient(
    tx: &ReadTx<'_>,
    (owner, organization): (UserId, OrganizationId),
    (by, to): (Option<UserId>, Recipient),
) -> Result<()> {
    match to {
        Recipient::Everyone => {}
        Recipient::Rotation(id) => {
            let found = rotations::find(tx, id)?;
            if found.is_none_or(|one| one.organization_id != organization) {
                return Err(Error::invalid(
                    "rotation",
                    format!("{id} is no rotation of the workspace's organization"),
                ));
            }
        }
        Recipient::User(id) if id == owner => {
            return Err(Error::invalid("user", "is the owner, who may do anything already"));
        }
        Recipient::User(id) => {
            require_member(tx, organization, id)?;
            if by == Some(id) {
                return Err(Error::invalid("user", "is yourself: someone else has to grant it"));
            }
        }
        Recipient::Group(id) => {
            let found = groups::find(tx, id)?;
            if found.is_none_or(|group| group.organization_id != organization) {
                return Err(Error::invalid(
                    "group",
                    format!("{id} is no group of the workspace's organization"),
                ));
            }
        }
    }
    Ok(())
}

/// Asks whether someone may be given something in an organization.
pub(super) fn require_member(
    tx: &ReadTx<'_>,
    organization: OrganizationId,
    id: UserId,
) -> Result<()> {
    let found = users::find(tx, id)?
        .filter(|user| user.status.may_act() && user.organizations.contains(&organization));
    if found.is_some() {
        return Ok(());
    }
    Err(Error::invalid("user", format!("{id} is no member of the workspace's organization")))
}

/// Asks for the right to take a grant back: of what one could give, and not the one that one stands on.
pub(super) fn require_end(tx: &ReadTx<'_>, sharer: &Sharer<'_>, grant: &Grant) -> Result<()> {
    let stands_on = sharer
        .held
        .iter()
        .any(|right| right.grant_id == Some(grant.id) && right.verb == Verb::Share);
    match sharer.basis(tx, grant.verbs) {
        Ok(None) => Ok(()),
        Ok(Some(_)) | Err(Error::Denied(_)) if stands_on => Err(Error::conflict(
            "you share by this grant yourself; leave the workspace, or let its owner take it back",
        )),
        Ok(Some(_)) => Ok(()),
        Err(Error::Denied(_)) if grant.granted_by == sharer.user() => Ok(()),
        Err(error) => Err(error),
    }
}

/// Whose workspaces may be shared in an organization, as things are: nobody's while the operator has
/// turned it off.
pub(super) fn mode(tx: &ReadTx<'_>, organization: OrganizationId) -> Result<Mode> {
    if is_off(tx)? {
        return Ok(Mode::None);
    }
    Ok(organizations::sharing(tx, organization)?)
}

/// Whether the operator has turned sharing off.
pub(super) fn is_off(tx: &ReadTx<'_>) -> Result<bool> {
    Ok(settings::find(tx, OFF)?.is_some())
}

/// Whether what is asked for fits.
pub(super) fn check(tx: &ReadTx<'_>, new: &NewGrant) -> Result<()> {
    let Limits { from, until, hours, networks, .. } = &new.limits;
    if new.verbs.is_empty() {
        return Err(Error::invalid("verbs", "names nothing that may be done"));
    }
    if let Some(until) = until {
        if *until <= tx.now {
            return Err(Error::invalid("until", "is not in the future"));
        }
        if until <= from {
            return Err(Error::invalid("until", "is not after its beginning"));
        }
        if until.0 - tx.now.0 > MAX_S {
            return Err(Error::invalid("until", "is more than ten years away"));
        }
    }
    if from.0 - tx.now.0 > MAX_S {
        return Err(Error::invalid("from", "is more than ten years away"));
    }
    if !hours.is_empty() {
        window::parse(hours).map_err(|bad| Error::invalid("window", bad.to_string()))?;
    }
    if networks.len() > MAX_NETWORKS {
        return Err(Error::invalid("networks", format!("are more than {MAX_NETWORKS}")));
    }
    if new.reason.chars().count() > MAX_REASON {
        return Err(Error::invalid("reason", format!("is longer than {MAX_REASON} characters")));
    }
    Ok(())
}
