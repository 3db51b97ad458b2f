//! What templates' own lists let people do: whoever asks, a workspace's owner, and whoever gives.

use super::{Actor, Error, Result, access};
use crate::model::id::{GroupId, OrganizationId, TemplateId, WorkspaceId};
use crate::model::policy::{
    self, Action, Context, Object, Permission, Permissions, ResourceType, Scope,
};
use crate::model::template::TemplateRole;
use crate::model::user::User;
use crate::server::db::{ReadTx, template_grants, templates, users, workspaces};

/// A template as a decision looks at it, with what its list grants to who asks.
pub(super) fn object(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (template, place): (TemplateId, OrganizationId),
) -> Result<Object> {
    let granted = match actor.user_id() {
        Some(user) => granted(&template_grants::held(tx, user, template)?),
        None => Permissions::EMPTY,
    };
    Ok(Object::site(ResourceType::Template).id(template).within(place).granting(granted))
}

/// What the lists of any templates grant to who asks.
pub(super) fn granted_anywhere(tx: &ReadTx<'_>, actor: &Actor) -> Result<Permissions> {
    let Some(user) = actor.user_id() else { return Ok(Permissions::EMPTY) };
    let roles: Vec<TemplateRole> = template_grants::held_by(tx, user)?.into_values().collect();
    Ok(granted(&roles))
}

fn granted(roles: &[TemplateRole]) -> Permissions {
    roles.iter().fold(Permissions::EMPTY, |all, role| all.union(role.permissions()))
}

/// Asks whether the actor holds what these roles on a template let people do: nobody gives or takes
/// what they do not hold.
///
/// # Errors
/// [`Error::Denied`] otherwise.
pub(super) fn require_held(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (object, roles): (&Object, &[TemplateRole]),
) -> Result<()> {
    let of_template = Permissions::EMPTY.and_every(&[ResourceType::Template]);
    for Permission(kind, action) in granted(roles).intersection(of_template).iter() {
        if !actor.may(tx.now, action, object) {
            return Err(Error::Denied(format!(
                "you do not hold {kind}:{action} on this template, and so can neither give nor take it"
            )));
        }
    }
    Ok(())
}

/// Asks whether the actor may let people into a group: what it keeps, they keep by it. Using a
/// template is what groups are for, and is theirs to give who keep the groups.
///
/// # Errors
/// [`Error::Denied`] when it keeps a template that the actor does not.
pub(super) fn require_lets_in(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (group, place): (GroupId, OrganizationId),
) -> Result<()> {
    for (id, name, role) in template_grants::of_group(tx, place, Some(group))? {
        if role != TemplateRole::Admin {
            continue;
        }
        require_held(tx, actor, (&object(tx, actor, (id, place))?, &[role])).map_err(|_| {
            Error::Denied(format!(
                "the group keeps the template {name}, which you do not; whoever keeps it can let \
                 people into the group"
            ))
        })?;
    }
    Ok(())
}

/// Asks whether a workspace's owner may use its template: without that it is not started, whoever
/// asks for it.
///
/// # Errors
/// [`Error::Conflict`] otherwise.
pub(super) fn require_owner_use(tx: &ReadTx<'_>, workspace: WorkspaceId) -> Result<()> {
    let missing = || Error::NotFound("workspace");
    let owner = workspaces::owner(tx, workspace)?.ok_or_else(missing)?;
    let owner = users::find(tx, owner)?.ok_or_else(missing)?;
    let (template, place) = workspaces::template(tx, workspace)?.ok_or_else(missing)?;
    if may_use(tx, &owner, (template, place))? {
        return Ok(());
    }
    let name = templates::find(tx, template)?.map(|t| t.label().to_owned());
    Err(Error::Conflict(format!(
        "{} may not use the template {} any more, so the workspace is not started; it can be stopped \
         and deleted, and whoever keeps the template can let its owner use it again",
        owner.username,
        name.unwrap_or_default()
    )))
}

/// Whether someone may use a template.
///
/// # Errors
/// When the database fails.
pub(super) fn may_use(
    tx: &ReadTx<'_>,
    user: &User,
    (id, place): (TemplateId, OrganizationId),
) -> Result<bool> {
    if !user.status.may_act() {
        return Ok(false);
    }
    let subject = access::subject(tx, user, Scope::ALL)?;
    let granted = granted(&template_grants::held(tx, user.id, id)?);
    let object = Object::site(ResourceType::Template).id(id).within(place).granting(granted);
    let context = Context { now: tx.now, ip: None, mfa_at: None, conditions: &[] };
    Ok(policy::decide(&subject, Action::Use, &object, &context).is_ok())
}
