//! Use cases on roles in organizations: who holds which, and the custom ones.
//!
//! Nobody gives or takes what they do not hold, and nobody changes what they stand on themselves.

use super::access::record;
use super::organizations::{self, line};
use super::provider_rules::AllRules;
use super::{Actor, App, Error, Result, people, place_roles, trail};
use crate::model::audit::{AuditAction, AuditEntry, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::id::OrganizationId;
use crate::model::name::RoleName;
use crate::model::policy::{Action, Object, Permission, Permissions, ResourceType, role};
use crate::model::user::{CustomRole, HeldRole, Organization, OrganizationRole, SiteRole, User};
use crate::server::db::{ReadTx, WriteTx, roles, users};

/// The word for whoever belongs to an organization, which is no row.
const MEMBER: &str = "organization-member";
/// What built-in names begin with.
const BUILT_IN: &str = "organization-";
/// Custom roles of an organization at most.
const MAX_ROLES: usize = 100;
const MAX_DISPLAY_NAME: usize = 64;

/// A role as who may give it sees it.
#[derive(Clone, Debug)]
pub struct RoleView {
    /// Its name.
    pub name: String,
    /// The name shown.
    pub display_name: String,
    /// What it holds in its organization.
    pub permissions: Permissions,
    /// Whether the program knows it by itself.
    pub built_in: bool,
    /// Whether the actor may give it to others.
    pub assignable: bool,
}

/// What a custom role is made from.
#[derive(Clone, Debug)]
pub struct PutRole {
    /// Its name.
    pub name: String,
    /// The name shown; empty for the name.
    pub display_name: String,
    /// What it holds.
    pub permissions: Permissions,
}

impl App {
    /// The roles of an organization: built-in ones first, then custom ones by name.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an organization the actor may not see.
    pub async fn organization_roles(&self, actor: &Actor, key: &str) -> Result<Vec<RoleView>> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .read(move |tx| {
                let place = organizations::find(tx, &actor, &key)?.id;
                actor.require(tx.now, Action::Read, &object(place))?;
                let gives = actor.may(tx.now, Action::Assign, &object(place));
                let assignable = |p| gives && require_held(&actor, place, p).is_ok();
                let built_in = OrganizationRole::ALL
                    .iter()
                    .map(|r| built_in(*r))
                    .map(|role| RoleView { assignable: assignable(role.permissions), ..role });
                let custom = roles::list(tx, place)?
                    .into_iter()
                    .map(custom)
                    .map(|role| RoleView { assignable: assignable(role.permissions), ..role });
                Ok(built_in.chain(custom).collect())
            })
            .await
    }

    /// Gives a member exactly these roles in an organization.
    ///
    /// # Errors
    /// [`Error::Denied`] for a role that holds what the actor does not, [`Error::Conflict`] for the
    /// actor's own roles, [`Error::Invalid`] for one there is not.
    pub async fn set_member_roles(
        &self,
        actor: &Actor,
        (organization, user): (&str, &str),
        names: Vec<String>,
    ) -> Result<(Organization, User)> {
        actor.require_own()?;
        let (actor, keys) = (actor.clone(), (organization.to_owned(), user.to_owned()));
        let rules = self.rules();
        self.db.write(move |tx| set_in(tx, &actor, &rules, ((&keys.0, &keys.1), names))).await
    }

    /// Makes a custom role, or with `known` changes the one of this name.
    ///
    /// # Errors
    /// [`Error::Denied`] for permissions that the actor does not hold, [`Error::Conflict`] for a name
    /// that is taken or a role of the actor's own, [`Error::Invalid`] for a name that does not fit.
    pub async fn put_role(
        &self,
        actor: &Actor,
        organization: &str,
        (cmd, change): (PutRole, bool),
    ) -> Result<(OrganizationId, RoleView)> {
        actor.require_own()?;
        let name = parse_name(&cmd.name)?;
        let display_name = line("display_name", &cmd.display_name, MAX_DISPLAY_NAME)?;
        let (actor, key) = (actor.clone(), organization.to_owned());
        self.db
            .write(move |tx| {
                let place = organizations::find(tx, &actor, &key)?.id;
                let action = if change { Action::Update } else { Action::Create };
                actor.require(tx.now, action, &object(place))?;
                let old = roles::find(tx, place, &name)?;
                let new = CustomRole {
                    id: old.as_ref().map_or_else(|| tx.fresh(), |old| old.id),
                    organization_id: place,
                    name: old.as_ref().map_or(name, |old| old.name.clone()),
                    display_name,
                    permissions: cmd.permissions,
                };
                require_put(tx, &actor, (old.as_ref(), &new), change)?;
                actor.require_fresh(tx.now)?;
                roles::put(tx, &new)?;
                let words = |p: Permissions| p.iter().map(|p| p.to_string()).collect::<Vec<_>>();
                let before = old.as_ref().map_or(Permissions::EMPTY, |old| old.permissions);
                let diff =
                    Diff::new().field("org_permissions", words(before), words(new.permissions));
                let done = if change { AuditAction::Write } else { AuditAction::Create };
                written(tx, &actor, &trail::with(entry(done, &new), &diff))?;
                Ok((place, custom(new)))
            })
            .await
    }

    /// Removes a custom role, and takes it from whoever holds it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, [`Error::Conflict`] for one of the actor's own.
    pub async fn delete_role(&self, actor: &Actor, organization: &str, name: &str) -> Result<()> {
        actor.require_own()?;
        let name = RoleName::parse(name).map_err(|_| Error::NotFound("role"))?;
        let (actor, key) = (actor.clone(), organization.to_owned());
        self.db
            .write(move |tx| {
                let place = organizations::find(tx, &actor, &key)?.id;
                actor.require(tx.now, Action::Delete, &object(place))?;
                let role = roles::find(tx, place, &name)?.ok_or(Error::NotFound("role"))?;
                require_not_own(&actor, &role)?;
                actor.require_fresh(tx.now)?;
                roles::delete(tx, &role)?;
                written(tx, &actor, &entry(AuditAction::Delete, &role))
            })
            .await
    }
}

/// Gives a member exactly these roles in an organization, in a transaction.
///
/// # Errors
/// As [`App::set_member_roles`].
pub(super) fn set_in(
    tx: &WriteTx<'_>,
    actor: &Actor,
    rules: &AllRules,
    ((organization, user), names): ((&str, &str), Vec<String>),
) -> Result<(Organization, User)> {
    let place = organizations::find(tx, actor, organization)?;
    let user = people::find_member(tx, actor, user, place.id)?;
    let old = held_by(&user, place.id);
    let new = known(tx, place.id, names)?;
    require_change(tx, actor, (place.id, &user), (&old, &new))?;
    place_roles::require_free(tx, rules, (place.id, &user), &new)?;
    actor.require_fresh(tx.now)?;
    roles::replace_in(tx, place.id, user.id, &new)?;
    let diff = Diff::new().field("roles", &old, &new);
    let (name, target) = (user.username.as_str(), AuditTarget::OrganizationMember);
    let entry = trail::entry(AuditAction::Write, target, user.id.0, name);
    record(tx, actor, &trail::with(trail::within(entry, place.id), &diff))?;
    tx.emit(Event::User(user.id));
    tx.emit(Event::Grants);
    let user = users::find(tx, user.id)?.ok_or(Error::NotFound("user"))?;
    Ok((place, user))
}

/// The roles on the site, and whether the actor may give each to others.
#[must_use]
pub fn site_roles(now: crate::model::time::Timestamp, actor: &Actor) -> Vec<(SiteRole, bool)> {
    let gives = actor.may(now, Action::Assign, &Object::site(ResourceType::AssignRole));
    SiteRole::ALL.iter().map(|role| (*role, gives)).collect()
}

fn object(organization: OrganizationId) -> Object {
    Object::site(ResourceType::AssignOrgRole).within(organization)
}

fn built_in(role: OrganizationRole) -> RoleView {
    let words: Vec<String> = role.as_str().split('-').map(capital).collect();
    RoleView {
        name: role.to_string(),
        display_name: words.join(" "),
        permissions: role::of_organization(role),
        built_in: true,
        assignable: false,
    }
}

fn capital(word: &str) -> String {
    let mut rest = word.chars();
    rest.next().map(|first| first.to_uppercase().chain(rest).collect()).unwrap_or_default()
}

fn custom(role: CustomRole) -> RoleView {
    RoleView {
        name: role.name.to_string(),
        display_name: role.display_name,
        permissions: role.permissions,
        built_in: false,
        assignable: false,
    }
}

/// Asks whether the actor holds all of these permissions in an organization.
fn require_held(actor: &Actor, organization: OrganizationId, these: Permissions) -> Result<()> {
    let Actor::User(caller) = actor else { return Ok(()) };
    let held = caller.subject.held_in(organization);
    let missing: Option<Permission> = these.iter().find(|p| !held.contains(*p));
    missing.map_or(Ok(()), |permission| {
        Err(Error::Denied(format!("you do not hold {permission} here, and so cannot give it")))
    })
}

fn require_put(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (old, new): (Option<&CustomRole>, &CustomRole),
    change: bool,
) -> Result<()> {
    match (old, change) {
        (Some(_), false) => {
            return Err(Error::Conflict(format!("there is a role named {}", new.name)));
        }
        (None, true) => return Err(Error::NotFound("role")),
        (Some(old), true) => {
            require_not_own(actor, old)?;
            require_held(actor, new.organization_id, old.permissions)?;
        }
        (None, false) if roles::list(tx, new.organization_id)?.len() >= MAX_ROLES => {
            return Err(Error::Conflict(format!(
                "there are {MAX_ROLES} roles, and no more may be"
            )));
        }
        (None, false) => {}
    }
    require_held(actor, new.organization_id, new.permissions)
}

/// Nobody changes a role that they hold themselves.
fn require_not_own(actor: &Actor, role: &CustomRole) -> Result<()> {
    let Actor::User(caller) = actor else { return Ok(()) };
    let own = HeldRole { organization: role.organization_id, role: role.name.clone() };
    if caller.user.organization_roles.contains(&own) {
        return Err(Error::conflict("you hold this role; someone else has to change it"));
    }
    Ok(())
}

/// Asks for the right to change what a member holds from `old` to `new`.
pub(super) fn require_change(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (place, user): (OrganizationId, &User),
    (old, new): (&[RoleName], &[RoleName]),
) -> Result<()> {
    if actor.user_id() == Some(user.id) {
        return Err(Error::conflict("your own roles are changed by someone else"));
    }
    require_may_give(tx, actor, place, (old, new))
}

/// Asks for the right to give and to take what `old` and `new` do not have in common.
pub(super) fn require_may_give(
    tx: &ReadTx<'_>,
    actor: &Actor,
    place: OrganizationId,
    (old, new): (&[RoleName], &[RoleName]),
) -> Result<()> {
    let given = new.iter().filter(|role| !old.contains(role)).map(|role| (Action::Assign, role));
    let taken = old.iter().filter(|role| !new.contains(role)).map(|role| (Action::Unassign, role));
    for (action, role) in given.chain(taken) {
        actor.require(tx.now, action, &object(place))?;
        require_held(actor, place, permissions(tx, place, role)?)?;
    }
    Ok(())
}

/// What a role holds in its organization.
pub(super) fn permissions(
    tx: &ReadTx<'_>,
    place: OrganizationId,
    role: &RoleName,
) -> Result<Permissions> {
    if let Some(built_in) = OrganizationRole::from_word(role.as_str()) {
        return Ok(role::of_organization(built_in));
    }
    Ok(roles::find(tx, place, role)?.map_or(Permissions::EMPTY, |role| role.permissions))
}

pub(super) fn held_by(user: &User, place: OrganizationId) -> Vec<RoleName> {
    let there = user.organization_roles.iter().filter(|held| held.organization == place);
    there.map(|held| held.role.clone()).collect()
}

/// The names of roles as they are stored, sorted and without doubles.
pub(super) fn known(
    tx: &ReadTx<'_>,
    place: OrganizationId,
    names: Vec<String>,
) -> Result<Vec<RoleName>> {
    let mut all = Vec::new();
    for name in names.into_iter().filter(|name| name != MEMBER) {
        let missing = || Error::invalid("roles", format!("there is no role {name:?}"));
        let parsed = RoleName::parse(&name).map_err(|_| missing())?;
        if OrganizationRole::from_word(&name).is_some() {
            all.push(parsed);
        } else {
            all.push(roles::find(tx, place, &parsed)?.ok_or_else(missing)?.name);
        }
    }
    all.sort_unstable();
    all.dedup();
    Ok(all)
}

fn parse_name(text: &str) -> Result<RoleName> {
    let name = RoleName::parse(text.trim()).map_err(|e| Error::invalid("name", e))?;
    let lower = name.as_str().to_ascii_lowercase();
    if lower.starts_with(BUILT_IN) || SiteRole::from_word(&lower).is_some() {
        return Err(Error::invalid("name", "is the name of a built-in role"));
    }
    Ok(name)
}

fn entry(action: AuditAction, role: &CustomRole) -> AuditEntry {
    let entry = trail::entry(action, AuditTarget::CustomRole, role.id.0, role.name.as_str());
    trail::within(entry, role.organization_id)
}

fn written(tx: &WriteTx<'_>, actor: &Actor, entry: &AuditEntry) -> Result<()> {
    record(tx, actor, entry)?;
    tx.emit(Event::Grants);
    Ok(())
}
