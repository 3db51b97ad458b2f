//! Use cases on who belongs to an organization.

use super::access::record;
use super::users::{Crowd, UserFilter};
use super::{Actor, App, Error, Result, organizations, people, roles as role_cases, shifts, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::id::OrganizationId;
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::time::Timestamp;
use crate::model::user::{Organization, User};
use crate::server::db::{WriteTx, grants, groups, memberships, roles, template_grants, users};

impl App {
    /// Members whom the actor may see with the time since when, and how many there are of these.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an organization the actor may not see.
    pub async fn members(
        &self,
        actor: &Actor,
        key: &str,
        limit: i64,
        offset: i64,
    ) -> Result<(Vec<(User, Timestamp)>, i64)> {
        self.find_members(actor, key, UserFilter { limit, offset, ..UserFilter::default() }).await
    }

    /// The members among those that a search asks for.
    ///
    /// # Errors
    /// As [`App::members`].
    pub async fn find_members(
        &self,
        actor: &Actor,
        key: &str,
        filter: UserFilter,
    ) -> Result<(Vec<(User, Timestamp)>, i64)> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .read(move |tx| {
                let place = organizations::find(tx, &actor, &key)?.id;
                let of = Some(Crowd::Organization(place));
                let (list, n) = people::seen(tx, &actor, UserFilter { of, ..filter })?;
                let since = |user: User| {
                    let since = memberships::since(tx, place, user.id)?;
                    Ok(since.map(|since| (user, since)))
                };
                let list: Result<Vec<Option<_>>> = list.into_iter().map(since).collect();
                Ok((list?.into_iter().flatten().collect(), n))
            })
            .await
    }

    /// A member, with the time since when.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or the actor may not see them.
    pub async fn member(
        &self,
        actor: &Actor,
        (organization, user): (&str, &str),
    ) -> Result<(Organization, User, Timestamp)> {
        let (actor, keys) = (actor.clone(), (organization.to_owned(), user.to_owned()));
        self.db
            .read(move |tx| {
                let place = organizations::find(tx, &actor, &keys.0)?;
                let user = people::find_member(tx, &actor, &keys.1, place.id)?;
                let since = memberships::since(tx, place.id, user.id)?;
                Ok((place, user, since.ok_or(Error::NotFound("member"))?))
            })
            .await
    }

    /// Makes a user a member.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] for who is one.
    pub async fn add_member(
        &self,
        actor: &Actor,
        organization: &str,
        user: &str,
    ) -> Result<(Organization, User)> {
        actor.require_own()?;
        let (actor, keys) = (actor.clone(), (organization.to_owned(), user.to_owned()));
        self.db
            .write(move |tx| {
                let place = organizations::find(tx, &actor, &keys.0)?;
                actor.require(tx.now, Action::Create, &object(place.id))?;
                // Whoever keeps an organization's members may name who is to become one.
                let user = people::find(tx, &Actor::System, &keys.1)?;
                if user.organizations.contains(&place.id) {
                    return Err(Error::Conflict(format!("{} is a member", user.username)));
                }
                memberships::insert(tx, place.id, user.id)?;
                let diff = Diff::new().field("organization", "", place.name.as_str());
                written(tx, &actor, (AuditAction::Create, &user, place.id), &diff)?;
                let user = users::find(tx, user.id)?.ok_or(Error::NotFound("user"))?;
                Ok((place, user))
            })
            .await
    }

    /// Ends a membership: with it go the user's groups and roles there, and what they reach by them.
    /// Their workspaces stay, for whoever keeps the organization.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::NotFound`] for who is no member.
    pub async fn remove_member(&self, actor: &Actor, organization: &str, user: &str) -> Result<()> {
        actor.require_own()?;
        let (actor, keys) = (actor.clone(), (organization.to_owned(), user.to_owned()));
        self.db
            .write(move |tx| {
                let place = organizations::find(tx, &actor, &keys.0)?;
                let user = people::find_member(tx, &actor, &keys.1, place.id)?;
                actor.require(tx.now, Action::Delete, &object(place.id).id(user.id))?;
                if actor.user_id() != Some(user.id) {
                    // With it go the roles there, which not everyone may take.
                    let old = role_cases::held_by(&user, place.id);
                    role_cases::require_change(tx, &actor, (place.id, &user), (&old, &[]))?;
                }
                leave(tx, &actor, (&place, &user), Diff::new())
            })
            .await
    }
}

/// Ends a membership with all that it gave; `diff` is what is to be said of it besides.
///
/// # Errors
/// When the database fails.
pub(super) fn leave(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (place, user): (&Organization, &User),
    diff: Diff,
) -> Result<()> {
    roles::replace_in(tx, place.id, user.id, &[])?;
    groups::remove_from_all(tx, place.id, user.id)?;
    template_grants::remove_user(tx, place.id, user.id)?;
    grants::remove_user(tx, place.id, user.id)?;
    memberships::delete(tx, place.id, user.id)?;
    let rotations = shifts::leave(tx, user.id, Some(place.id))?;
    let diff = diff.field("organization", place.name.as_str(), "");
    let diff = diff.field("rotations", rotations, Vec::new());
    written(tx, actor, (AuditAction::Delete, user, place.id), &diff)
}

/// Members of an organization as a decision looks at them.
fn object(organization: OrganizationId) -> Object {
    Object::site(ResourceType::OrganizationMember).within(organization)
}

/// Records that a membership began or ended.
///
/// # Errors
/// When the database fails.
pub(super) fn written(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (action, user, place): (AuditAction, &User, OrganizationId),
    diff: &Diff,
) -> Result<()> {
    let target = AuditTarget::OrganizationMember;
    let entry = trail::entry(action, target, user.id.0, user.username.as_str());
    record(tx, actor, &trail::with(trail::within(entry, place), diff))?;
    tx.emit(Event::User(user.id));
    tx.emit(Event::Grants);
    Ok(())
}
