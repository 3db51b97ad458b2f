//! Who may see and change whom: shared by the use cases on users, their tokens and keys.

use super::{Actor, Error, Result};
use crate::model::id::{OrganizationId, UserId};
use crate::model::policy::{Action, Object, ResourceType, Scope, Subject};
use crate::model::time::Timestamp;
use crate::model::user::{User, UserStatus};
use crate::server::db::{self, ReadTx, users};

/// Finds a user by `me`, id or name, if the actor may know them.
///
/// # Errors
/// [`Error::NotFound`] when there is none or the actor may not see them.
pub fn find(tx: &ReadTx<'_>, actor: &Actor, key: &str) -> Result<User> {
    let found = match (key, key.parse::<UserId>()) {
        ("me", _) => users::find(tx, actor.caller()?.user.id)?,
        (_, Ok(id)) => users::find(tx, id)?,
        (name, Err(_)) => users::find_by_name(tx, name)?,
    };
    found
        .filter(|u| u.status != UserStatus::Deleted)
        // Who asks knows of themselves, whatever their token is limited to.
        .filter(|u| actor.user_id() == Some(u.id) || may_see(tx.now, actor, u))
        .ok_or(Error::NotFound("user"))
}

/// Finds a member of an organization by `me`, id or name, if the actor may know them.
///
/// # Errors
/// [`Error::NotFound`] when there is none or the actor may not see them.
pub fn find_member(
    tx: &ReadTx<'_>,
    actor: &Actor,
    key: &str,
    organization: OrganizationId,
) -> Result<User> {
    let user = find(tx, actor, key)?;
    if user.organizations.contains(&organization) {
        Ok(user)
    } else {
        Err(Error::NotFound("member"))
    }
}

/// An account as a decision looks at it.
#[must_use]
pub fn account(user: &User) -> Object {
    Object::site(ResourceType::User).id(user.id).of(user.id)
}

/// Whether the actor may see more of a user than the name: by the account, or as someone who sees
/// the members of an organization.
#[must_use]
pub fn may_see(now: Timestamp, actor: &Actor, user: &User) -> bool {
    let member = Object::site(ResourceType::OrganizationMember).id(user.id).of(user.id);
    let member_of = |id: &OrganizationId| actor.may(now, Action::Read, &member.within(*id));
    actor.may(now, Action::Read, &account(user)) || user.organizations.iter().any(member_of)
}

/// Asks for the right to do something to an account: one's own, or one whose roles hold nothing that
/// the actor's do not. Otherwise a user admin could become an owner by an owner's password.
///
/// # Errors
/// [`Error::Denied`] otherwise.
pub fn require_account(now: Timestamp, actor: &Actor, action: Action, user: &User) -> Result<()> {
    actor.require(now, action, &account(user))?;
    let Actor::User(caller) = actor else { return Ok(()) };
    let theirs = Subject::of(user, &[], Scope::ALL).site;
    if caller.user.id == user.id || theirs.is_within(caller.subject.site) {
        return Ok(());
    }
    Err(Error::Denied(format!("{} holds roles that you do not hold", user.username)))
}

/// Says which of a user's names is taken; other errors stay what they are.
pub(super) fn taken(error: db::Error, user: &User) -> Error {
    match error.collision() {
        Some(what) if what.contains("username") => {
            Error::Conflict(format!("there is a user named {}", user.username))
        }
        Some(what) if what.contains("email") => {
            Error::Conflict(format!("there is a user with the address {}", user.email))
        }
        Some(_) | None => error.into(),
    }
}
