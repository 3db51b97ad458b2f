//! Use cases on groups. Everyone is the organization itself and is not stored.

use super::access::record;
pub use super::group_views::GroupView;
use super::group_views::view;
pub(super) use super::group_views::{everyone, shown};
use super::organizations::{self, line};
use super::{Actor, App, Error, Result, people, template_rights};
use crate::model::audit::{AuditAction, AuditEntry, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::id::GroupId;
use crate::model::name::GroupName;
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::quota::MAX_CREDITS;
use crate::model::user::{Group, GroupSource};
use crate::server::db::{ReadTx, WriteTx, groups, organizations as rows};

/// The name of the group that every member of an organization is in.
pub const EVERYONE: &str = "Everyone";
const MAX_DISPLAY_NAME: usize = 64;
const MAX_AVATAR_URL: usize = 256;

/// What a new group is.
#[derive(Clone, Debug, Default)]
pub struct CreateGroup {
    /// Its name.
    pub name: String,
    /// The name shown; may be empty.
    pub display_name: String,
    /// URL or path of a picture; may be empty.
    pub avatar_url: String,
    /// Credits a day that it adds to each member's budget.
    pub quota_allowance: i64,
}

/// What changes of a group.
#[derive(Clone, Debug, Default)]
pub struct UpdateGroup {
    /// The name; none to leave it.
    pub name: Option<String>,
    /// The name shown; none to leave it.
    pub display_name: Option<String>,
    /// URL or path of a picture; none to leave it.
    pub avatar_url: Option<String>,
    /// Credits a day that it adds to each member's budget; none to leave them.
    pub quota_allowance: Option<i64>,
    /// Users to put in, by id or name.
    pub add_users: Vec<String>,
    /// Users to take out, by id or name.
    pub remove_users: Vec<String>,
}

impl App {
    /// The groups of an organization with Everyone first. Members see those they are in.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an organization the actor may not see.
    pub async fn groups(&self, actor: &Actor, organization: &str) -> Result<Vec<GroupView>> {
        let (actor, key) = (actor.clone(), organization.to_owned());
        self.db
            .read(move |tx| {
                let organization = organizations::find(tx, &actor, &key)?;
                let mut all = vec![everyone(tx, &actor, organization.clone())?];
                for group in groups::list(tx, organization.id)? {
                    if let Some(seen) = view(tx, &actor, group, organization.clone())? {
                        all.push(seen);
                    }
                }
                Ok(all)
            })
            .await
    }

    /// A group by id.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or the actor may not see it.
    pub async fn group(&self, actor: &Actor, id: GroupId) -> Result<GroupView> {
        let actor = actor.clone();
        self.db.read(move |tx| find(tx, &actor, id)).await
    }

    /// A group by its organization and name.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or the actor may not see it.
    pub async fn group_named(
        &self,
        actor: &Actor,
        organization: &str,
        name: &str,
    ) -> Result<GroupView> {
        let (actor, keys) = (actor.clone(), (organization.to_owned(), name.to_owned()));
        self.db
            .read(move |tx| {
                let place = organizations::find(tx, &actor, &keys.0)?;
                if keys.1.eq_ignore_ascii_case(EVERYONE) {
                    return everyone(tx, &actor, place);
                }
                let missing = || Error::NotFound("group");
                let group = groups::find_by_name(tx, place.id, &keys.1)?.ok_or_else(missing)?;
                view(tx, &actor, group, place)?.ok_or_else(missing)
            })
            .await
    }

    /// Makes a group.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] for a name that is taken,
    /// [`Error::Invalid`] for what does not fit.
    pub async fn create_group(
        &self,
        actor: &Actor,
        organization: &str,
        cmd: CreateGroup,
    ) -> Result<GroupView> {
        let name = parse_name(&cmd.name)?;
        let display_name = line("display_name", &cmd.display_name, MAX_DISPLAY_NAME)?;
        let avatar_url = line("avatar_url", &cmd.avatar_url, MAX_AVATAR_URL)?;
        let quota_allowance = allowance(cmd.quota_allowance)?;
        actor.require_own()?;
        let (actor, key) = (actor.clone(), organization.to_owned());
        self.db
            .write(move |tx| {
                let organization = organizations::find(tx, &actor, &key)?;
                let place = Object::site(ResourceType::Group).within(organization.id);
                actor.require(tx.now, Action::Create, &place)?;
                let group = Group {
                    id: tx.fresh(),
                    organization_id: organization.id,
                    name,
                    display_name,
                    source: GroupSource::User,
                    quota_allowance,
                    avatar_url,
                    created_at: tx.now,
                };
                groups::insert(tx, &group).map_err(|e| taken(e, &group))?;
                done(tx, &actor, AuditAction::Create, &group, &Diff::new())?;
                Ok(GroupView { group, organization, members: Vec::new(), total: 0 })
            })
            .await
    }

    /// Changes a group and who is in it.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] for Everyone or a name that is taken.
    pub async fn update_group(
        &self,
        actor: &Actor,
        id: GroupId,
        cmd: UpdateGroup,
    ) -> Result<GroupView> {
        actor.require_own()?;
        let actor = actor.clone();
        self.db.write(move |tx| update_in(tx, &actor, (id, &cmd))).await
    }

    /// Removes a group.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] for Everyone.
    pub async fn delete_group(&self, actor: &Actor, id: GroupId) -> Result<()> {
        actor.require_own()?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let group = find_for(tx, &actor, Action::Delete, id)?;
                groups::delete(tx, id)?;
                done(tx, &actor, AuditAction::Delete, &group, &Diff::new())
            })
            .await
    }
}

/// Changes a group and who is in it, in a transaction.
///
/// # Errors
/// As [`App::update_group`].
pub(super) fn update_in(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (id, cmd): (GroupId, &UpdateGroup),
) -> Result<GroupView> {
    if groups::find(tx, id)?.is_none() {
        return update_everyone(tx, actor, id, cmd);
    }
    let old = find_for(tx, actor, Action::Update, id)?;
    let mut new = old.clone();
    if let Some(name) = &cmd.name {
        new.name = parse_name(name)?;
    }
    if new.name != old.name {
        // What a provider calls like the group leads into it.
        template_rights::require_lets_in(tx, actor, (id, old.organization_id))?;
    }
    if let Some(text) = &cmd.display_name {
        new.display_name = line("display_name", text, MAX_DISPLAY_NAME)?;
    }
    if let Some(text) = &cmd.avatar_url {
        new.avatar_url = line("avatar_url", text, MAX_AVATAR_URL)?;
    }
    new.quota_allowance = allowance(cmd.quota_allowance.unwrap_or(new.quota_allowance))?;
    groups::update(tx, &new).map_err(|e| taken(e, &new))?;
    let (added, removed) = change_members(tx, actor, &new, cmd)?;
    let diff = Diff::new()
        .field("name", &old.name, &new.name)
        .field("display_name", &old.display_name, &new.display_name)
        .field("avatar_url", &old.avatar_url, &new.avatar_url)
        .field("quota_allowance", old.quota_allowance, new.quota_allowance)
        .field("members", &removed, &added);
    done(tx, actor, AuditAction::Write, &new, &diff)?;
    find(tx, actor, id)
}

/// Changes what Everyone adds to budgets; nothing else of it can be changed.
fn update_everyone(
    tx: &WriteTx<'_>,
    actor: &Actor,
    id: GroupId,
    cmd: &UpdateGroup,
) -> Result<GroupView> {
    let place = organizations::find(tx, actor, &id.to_string());
    let place = place.map_err(|_| Error::NotFound("group"))?;
    let members = !cmd.add_users.is_empty() || !cmd.remove_users.is_empty();
    let renamed = cmd.name.as_ref().is_some_and(|name| !name.eq_ignore_ascii_case(EVERYONE));
    let shown = [&cmd.display_name, &cmd.avatar_url].into_iter().flatten();
    let old = everyone(tx, actor, place.clone())?;
    actor.require(tx.now, Action::Update, &object(&old.group))?;
    if members || renamed || shown.into_iter().any(|text| !text.is_empty()) {
        return Err(Error::conflict(
            "everyone is in Everyone; only its quota_allowance can be changed",
        ));
    }
    let new = allowance(cmd.quota_allowance.unwrap_or(place.quota_allowance))?;
    rows::set_quota_allowance(tx, place.id, new)?;
    let diff = Diff::new().field("quota_allowance", place.quota_allowance, new);
    done(tx, actor, AuditAction::Write, &old.group, &diff)?;
    find(tx, actor, id)
}

/// Credits a day that a group may add to a budget.
fn allowance(credits: i64) -> Result<i64> {
    if (0..=MAX_CREDITS).contains(&credits) {
        return Ok(credits);
    }
    Err(Error::invalid("quota_allowance", format!("wants 0 to {MAX_CREDITS} credits a day")))
}

fn change_members(
    tx: &WriteTx<'_>,
    actor: &Actor,
    group: &Group,
    cmd: &UpdateGroup,
) -> Result<(Vec<String>, Vec<String>)> {
    let (mut added, mut removed) = (Vec::new(), Vec::new());
    if !cmd.add_users.is_empty() {
        template_rights::require_lets_in(tx, actor, (group.id, group.organization_id))?;
    }
    for key in &cmd.add_users {
        let user = people::find(tx, actor, key)?;
        if !user.organizations.contains(&group.organization_id) {
            let why = format!("{} is not in the organization", user.username);
            return Err(Error::invalid("add_users", why));
        }
        groups::add(tx, group.id, user.id)?;
        added.push(user.username.to_string());
    }
    for key in &cmd.remove_users {
        let user = people::find(tx, actor, key)?;
        groups::remove(tx, group.id, user.id)?;
        removed.push(user.username.to_string());
    }
    Ok((added, removed))
}

/// A group that the actor may see.
pub(super) fn find(tx: &ReadTx<'_>, actor: &Actor, id: GroupId) -> Result<GroupView> {
    let missing = || Error::NotFound("group");
    let Some(group) = groups::find(tx, id)? else {
        let found = organizations::find(tx, actor, &id.to_string()).map_err(|_| missing())?;
        return everyone(tx, actor, found);
    };
    let key = group.organization_id.to_string();
    let organization = organizations::find(tx, actor, &key).map_err(|_| missing())?;
    view(tx, actor, group, organization)?.ok_or_else(missing)
}

/// A group that has a row of its own, to which the actor may do something.
fn find_for(tx: &ReadTx<'_>, actor: &Actor, action: Action, id: GroupId) -> Result<Group> {
    if let Some(group) = groups::find(tx, id)? {
        actor.require(tx.now, action, &object(&group))?;
        return Ok(group);
    }
    match organizations::find(tx, actor, &id.to_string()) {
        Ok(_) => Err(Error::conflict("everyone is in Everyone; it cannot be changed")),
        Err(_) => Err(Error::NotFound("group")),
    }
}

/// A group as a decision looks at it.
pub(super) fn object(group: &Group) -> Object {
    Object::site(ResourceType::Group).id(group.id).within(group.organization_id)
}

pub(super) fn done(
    tx: &WriteTx<'_>,
    actor: &Actor,
    action: AuditAction,
    group: &Group,
    diff: &Diff,
) -> Result<()> {
    let entry = AuditEntry {
        action,
        target: AuditTarget::Group,
        target_id: group.id.0,
        target_name: group.name.clone(),
        organization: Some(group.organization_id),
        diff: diff.to_string(),
    };
    record(tx, actor, &entry)?;
    tx.emit(Event::Grants);
    Ok(())
}

fn parse_name(text: &str) -> Result<String> {
    if text.eq_ignore_ascii_case(EVERYONE) {
        return Err(Error::invalid("name", "is the group of everyone"));
    }
    let name = GroupName::parse(text).map_err(|e| Error::invalid("name", e))?;
    Ok(name.as_str().to_owned())
}

fn taken(error: crate::server::db::Error, group: &Group) -> Error {
    match error.collision() {
        Some(_) => Error::Conflict(format!("there is a group named {}", group.name)),
        None => error.into(),
    }
}
