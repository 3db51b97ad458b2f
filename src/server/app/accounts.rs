//! Writing accounts: shared by the use cases that make, change and end them.

use super::access::record;
use super::people::taken;
use super::{Actor, Error, Result, factors, members, service_accounts, shifts};
use crate::model::audit::{AuditAction, AuditEntry, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::id::OrganizationId;
use crate::model::user::{LoginType, SiteRole, User, UserStatus};
use crate::server::db::{
    self, ReadTx, WriteTx, audit_filters, calendar_feeds, grants, groups, identities, invitations,
    memberships, organizations, passwords, roles, scim_users, ssh_keys, template_grants, tokens,
    users,
};

/// The organization that new users join.
///
/// # Errors
/// When the deployment was never started.
pub(super) fn default_organization(tx: &ReadTx<'_>) -> Result<OrganizationId> {
    let found = organizations::find_default(tx)?;
    found.map(|o| o.id).ok_or(Error::NotFound("organization"))
}

/// Writes a new user of the organizations that are named, or of the default one.
///
/// # Errors
/// [`Error::Conflict`] for a name or address that is taken.
pub(super) fn insert(
    tx: &WriteTx<'_>,
    actor: &Actor,
    mut user: User,
    hash: Option<String>,
    action: AuditAction,
) -> Result<User> {
    let start = default_organization(tx)?;
    if user.organizations.is_empty() {
        user.organizations = vec![start];
    }
    users::insert(tx, &user).map_err(|e| taken(e, &user))?;
    if let Some(hash) = hash {
        passwords::put(tx, user.id, &hash)?;
    }
    for organization in &user.organizations {
        memberships::insert(tx, *organization, user.id)?;
    }
    roles::replace(tx, user.id, &user.roles)?;
    let diff = Diff::new().field("username", "", user.username.as_str());
    let diff = diff.field("email", "", user.email.as_str());
    let elsewhere =
        if user.login_type == LoginType::Password { "" } else { user.login_type.as_str() };
    let diff = diff.field("login_type", "", elsewhere);
    record(tx, actor, &entry(action, &user, &diff))?;
    for place in user.organizations.iter().filter(|id| **id != start) {
        let Some(place) = organizations::find(tx, *place)? else { continue };
        let diff = Diff::new().field("organization", "", place.name.as_str());
        members::written(tx, actor, (AuditAction::Create, &user, place.id), &diff)?;
    }
    tx.emit(Event::User(user.id));
    Ok(user)
}

/// Suspends a user, which ends their sessions, or lets them act again.
///
/// # Errors
/// [`Error::Conflict`] for oneself and the last owner.
pub(super) fn set_status(
    tx: &WriteTx<'_>,
    actor: &Actor,
    old: &User,
    active: bool,
) -> Result<User> {
    let status = if active { UserStatus::Active } else { UserStatus::Suspended };
    if active {
        service_accounts::require_answered(tx, old)?;
    } else {
        require_dispensable(tx, actor, old, "suspend")?;
        tokens::delete_sessions(tx, old.id, None)?;
    }
    let new = User { status, ..old.clone() };
    users::update(tx, &new)?;
    tx.emit(Event::Grants);
    let new = changed(tx, actor, old, &new)?;
    if active {
        service_accounts::back(tx, &new)?;
    } else {
        service_accounts::left(tx, &new)?;
    }
    Ok(new)
}

pub(super) fn changed(tx: &WriteTx<'_>, actor: &Actor, old: &User, new: &User) -> Result<User> {
    let diff = Diff::new()
        .field("username", old.username.as_str(), new.username.as_str())
        .field("name", &old.name, &new.name)
        .field("email", &old.email, &new.email)
        .field("status", old.status, new.status)
        .field("rbac_roles", &old.roles, &new.roles);
    if !diff.is_empty() {
        record(tx, actor, &entry(AuditAction::Write, new, &diff))?;
        tx.emit(Event::User(new.id));
    }
    Ok(User { updated_at: tx.now, ..new.clone() })
}

pub(super) fn bury(tx: &WriteTx<'_>, actor: &Actor, user: &User) -> Result<()> {
    users::update(tx, &User { status: UserStatus::Deleted, ..user.clone() })?;
    passwords::delete(tx, user.id)?;
    factors::delete_all(tx, user.id)?;
    tokens::delete_all(tx, user.id)?;
    ssh_keys::delete_all(tx, user.id)?;
    identities::delete_all(tx, user.id)?;
    scim_users::delete(tx, user.id)?;
    invitations::delete_of(tx, user.id)?;
    audit_filters::delete_of(tx, user.id)?;
    roles::delete_all(tx, user.id)?;
    groups::remove_all(tx, user.id)?;
    template_grants::remove_all(tx, user.id)?;
    grants::remove_all(tx, user.id)?;
    memberships::delete_all(tx, user.id)?;
    calendar_feeds::delete(tx, user.id)?;
    let rotations = shifts::leave(tx, user.id, None)?;
    let diff = Diff::new().field("rotations", rotations, Vec::new());
    record(tx, actor, &entry(AuditAction::Delete, user, &diff))?;
    tx.emit(Event::User(user.id));
    tx.emit(Event::Grants);
    db::service_accounts::delete(tx, user.id)?;
    service_accounts::left(tx, user)
}

/// Nobody shuts out themselves or the last owner.
pub(super) fn require_dispensable(
    tx: &ReadTx<'_>,
    actor: &Actor,
    user: &User,
    verb: &str,
) -> Result<()> {
    if actor.user_id() == Some(user.id) {
        return Err(Error::Conflict(format!("you cannot {verb} yourself")));
    }
    if user.has(SiteRole::Owner) { require_other_owner(tx, user) } else { Ok(()) }
}

pub(super) fn require_other_owner(tx: &ReadTx<'_>, user: &User) -> Result<()> {
    if roles::count_other_owners(tx, user.id)? == 0 {
        return Err(Error::conflict("there must be an owner; make someone else one first"));
    }
    Ok(())
}

pub(super) fn entry(action: AuditAction, user: &User, diff: &Diff) -> AuditEntry {
    AuditEntry {
        action,
        target: AuditTarget::User,
        target_id: user.id.0,
        target_name: user.username.to_string(),
        organization: None,
        diff: diff.to_string(),
    }
}
