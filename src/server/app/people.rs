//! Who may see and change whom: shared by the use cases on users, their tokens and keys.

use super::users::{Sight, UserFilter, page};
use super::{Actor, App, Error, Result, roles};
use crate::model::id::{OrganizationId, UserId};
use crate::model::policy::{Action, Belonging, Object, Permission, ResourceType, Scope, Subject};
use crate::model::time::Timestamp;
use crate::model::user::{SiteRole, User, UserStatus};
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

impl App {
    /// Whether the actor may suspend, rename and remove someone else's account.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn administers(&self, actor: &Actor, user: &User) -> Result<bool> {
        let (actor, user) = (actor.clone(), user.clone());
        let asked = self.db.read(move |tx| require_account(tx, &actor, Action::Update, &user));
        match asked.await {
            Ok(()) => Ok(true),
            Err(Error::Denied(_) | Error::NotFound(_)) => Ok(false),
            Err(other) => Err(other),
        }
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

/// Whom the actor may see more of than the name, by what their roles hold; none for everyone. What
/// their token is limited to is not in it: see [`may_see`].
pub(super) fn sight(actor: &Actor) -> Option<Sight> {
    let caller = match actor {
        Actor::System => return None,
        Actor::Agent { .. } | Actor::Scim(_) | Actor::Program(_) => {
            return Some(Sight { own: None, places: vec![] });
        }
        Actor::User(caller) => caller,
    };
    let (subject, members) = (&caller.subject, ResourceType::OrganizationMember);
    let all = [ResourceType::User, members];
    if all.iter().any(|kind| subject.site.contains(Permission(*kind, Action::Read))) {
        return None;
    }
    let read = Permission(members, Action::Read);
    let reads = |b: &&Belonging| b.held.contains(read) && !b.denied.contains(read);
    let places = subject.organizations.iter().filter(reads).map(|b| b.organization).collect();
    Some(Sight { own: Some(caller.user.id), places })
}

/// A part of the users that a filter asks for, as far as the actor may see them, and how many there are
/// of these.
///
/// # Errors
/// When the database fails.
pub(super) fn seen(tx: &ReadTx<'_>, actor: &Actor, filter: UserFilter) -> Result<(Vec<User>, i64)> {
    let (mut list, n) = page(tx, UserFilter { sight: sight(actor), ..filter })?;
    let found = list.len();
    list.retain(|user| may_see(tx.now, actor, user));
    // A token may be limited to some people, which its search does not count.
    let shown = i64::try_from(list.len()).unwrap_or(i64::MAX);
    let n = if list.len() < found { shown } else { n };
    Ok((list, n))
}

/// Asks for the right to do something to an account. What only its owner should change is changed for
/// them by who holds all that their roles hold: otherwise a user admin could become an owner, or the
/// keeper of an organization, by a new password. Owners are left to owners altogether.
///
/// # Errors
/// [`Error::Denied`] otherwise.
pub fn require_account(tx: &ReadTx<'_>, actor: &Actor, action: Action, user: &User) -> Result<()> {
    actor.require(tx.now, action, &account(user))?;
    let Actor::User(caller) = actor else { return Ok(()) };
    let personal = matches!(action, Action::ReadPersonal | Action::UpdatePersonal);
    if caller.user.id == user.id || !(personal || user.has(SiteRole::Owner)) {
        return Ok(());
    }
    let site = Subject::of(user, &[], Scope::ALL).site;
    let mut is_held = site.is_within(caller.subject.site);
    for held in &user.organization_roles {
        let theirs = roles::permissions(tx, held.organization, &held.role)?;
        is_held &= theirs.is_within(caller.subject.held_in(held.organization));
    }
    if is_held {
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
