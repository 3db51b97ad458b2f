//! Groups of the default organization as an identity provider keeps them by SCIM: only those that it made.

use std::collections::BTreeSet;

use super::groups::done;
use super::scim::{MAX_LOOKED_AT, Part};
use super::scim_users::{Change, find as find_user, with_id};
use super::users::default_organization;
use super::{Actor, App, Error, Result};
use crate::model::audit::{AuditAction, Diff};
use crate::model::id::{GroupId, UserId};
use crate::model::scim::filter::Filter;
use crate::model::scim::group::GroupWish;
use crate::model::scim::patch;
use crate::model::scim::schema::GROUP;
use crate::model::scim::{Bad, BadKind, Map};
use crate::model::time::Timestamp;
use crate::model::user::{Group, GroupSource};
use crate::server::app::groups::EVERYONE;
use crate::server::db::scim_groups::{self, ScimGroupRow};
use crate::server::db::{ReadTx, WriteTx, groups};

/// Characters of a name shown, as groups have it.
const MAX_DISPLAY_NAME: usize = 64;

/// Names of members in one entry of the audit log.
const MAX_TOLD: usize = 500;

/// A group as a provider sees it.
#[derive(Clone, Debug)]
pub struct ScimGroup {
    /// Which it is here.
    pub id: GroupId,
    /// What the provider made of it.
    pub wish: GroupWish,
    /// Since when the provider keeps it.
    pub created_at: Timestamp,
    /// When the provider last changed it.
    pub updated_at: Timestamp,
}

impl App {
    /// Groups that a filter finds, oldest first, and how many there are in all. Members are read only
    /// when they are wanted, or asked for.
    ///
    /// # Errors
    /// [`Error::Denied`] for who is no provider, [`Error::Invalid`] when too many would be looked at.
    pub async fn scim_groups(
        &self,
        actor: &Actor,
        (filter, wants_members): (Filter, bool),
        part: Part,
    ) -> Result<(Vec<ScimGroup>, usize)> {
        actor.keeper()?;
        self.db
            .read(move |tx| {
                let (rows, n) = if filter.0.is_empty() {
                    (scim_groups::list(tx, part.limit, part.offset)?, scim_groups::count(tx)?)
                } else {
                    part.of(narrowed(tx, &filter)?)
                };
                let mut all = Vec::new();
                for row in rows {
                    all.push(seen(tx, row, wants_members)?);
                }
                Ok((all, n))
            })
            .await
    }

    /// One group.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what the provider does not keep.
    pub async fn scim_group(&self, actor: &Actor, id: GroupId) -> Result<ScimGroup> {
        actor.keeper()?;
        self.db.read(move |tx| seen(tx, find(tx, id)?.0, true)).await
    }

    /// Makes a group. One that someone here made stays theirs, whatever its name.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what does not fit.
    pub async fn create_scim_group(&self, actor: &Actor, sent: Map) -> Result<ScimGroup> {
        let (wish, actor) = (GroupWish::read(&sent)?, actor.clone());
        self.db
            .write(move |tx| {
                actor.keeper()?;
                let group = create(tx, &actor, &wish)?;
                write(tx, &actor, (group, &BTreeSet::new()), &wish)
            })
            .await
    }

    /// Changes a group and who of the provider's users is in it.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what the provider does not keep, [`Error::Invalid`] for what does not
    /// fit.
    pub async fn change_scim_group(
        &self,
        actor: &Actor,
        id: GroupId,
        change: Change,
    ) -> Result<ScimGroup> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                actor.keeper()?;
                let (row, group) = find(tx, id)?;
                let members = scim_groups::members(tx, id)?;
                let wish = match &change {
                    Change::Whole(sent) => GroupWish::read(sent)?,
                    Change::Parts(operations) => {
                        let before = GroupWish { members: members.clone(), ..row.wish };
                        let mut map = before.to_map("");
                        patch::apply(&GROUP, &mut map, operations)?;
                        GroupWish::of(map)?
                    }
                };
                write(tx, &actor, (group, &members), &wish)
            })
            .await
    }

    /// Removes a group.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what the provider does not keep.
    pub async fn delete_scim_group(&self, actor: &Actor, id: GroupId) -> Result<()> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                actor.keeper()?;
                let (_, group) = find(tx, id)?;
                groups::delete(tx, id)?;
                done(tx, &actor, AuditAction::Delete, &group, &Diff::new())
            })
            .await
    }
}

fn find(tx: &ReadTx<'_>, id: GroupId) -> Result<(ScimGroupRow, Group)> {
    let row = scim_groups::find(tx, id)?.ok_or(Error::NotFound("group"))?;
    Ok((row, groups::find(tx, id)?.ok_or(Error::NotFound("group"))?))
}

fn seen(tx: &ReadTx<'_>, row: ScimGroupRow, wants_members: bool) -> Result<ScimGroup> {
    let ScimGroupRow { group: id, mut wish, created_at, updated_at } = row;
    if wants_members {
        wish.members = scim_groups::members(tx, id)?;
    }
    Ok(ScimGroup { id, wish, created_at, updated_at })
}

/// Every group that a filter finds.
fn narrowed(tx: &ReadTx<'_>, filter: &Filter) -> Result<Vec<ScimGroupRow>> {
    let asks_members =
        filter.0.iter().any(|term| term.path.attribute.eq_ignore_ascii_case("members"));
    let mut found = Vec::new();
    for row in candidates(tx, filter)? {
        let mut wish = row.wish.clone();
        if asks_members {
            wish.members = scim_groups::members(tx, row.group)?;
        }
        if filter.fits(&GROUP, &with_id(row.group, &wish.to_map(""))) {
            found.push(row);
        }
    }
    Ok(found)
}

/// Groups among which are all that a filter finds.
fn candidates(tx: &ReadTx<'_>, filter: &Filter) -> Result<Vec<ScimGroupRow>> {
    if let Some(id) = filter.text("id", None) {
        let Ok(id) = id.parse() else { return Ok(Vec::new()) };
        return Ok(scim_groups::find(tx, id)?.into_iter().collect());
    }
    if let Some(name) = filter.text("displayName", None) {
        return Ok(scim_groups::list_by_name(tx, name)?);
    }
    if let Some(id) = filter.text("externalId", None) {
        return Ok(scim_groups::list_by_external_id(tx, id)?);
    }
    if scim_groups::count(tx)? > MAX_LOOKED_AT {
        let why = "too many groups; ask by displayName or externalId";
        return Err(Bad::new(BadKind::TooMany, why).into());
    }
    Ok(scim_groups::list(tx, MAX_LOOKED_AT, 0)?)
}

fn create(tx: &WriteTx<'_>, actor: &Actor, wish: &GroupWish) -> Result<Group> {
    let organization = default_organization(tx)?;
    let mut free = None;
    for name in wish.names().filter(|name| !name.as_str().eq_ignore_ascii_case(EVERYONE)) {
        if groups::find_by_name(tx, organization, name.as_str())?.is_none() {
            free = Some(name);
            break;
        }
    }
    let taken = || Bad::new(BadKind::Uniqueness, "no name of a group is free that is like this");
    let group = Group {
        id: tx.fresh(),
        organization_id: organization,
        name: free.ok_or_else(taken)?.into_string(),
        display_name: shown(wish),
        source: GroupSource::Oidc,
        created_at: tx.now,
        quota_allowance: 0,
        avatar_url: String::new(),
    };
    groups::insert(tx, &group)?;
    done(tx, actor, AuditAction::Create, &group, &Diff::new())?;
    Ok(group)
}

/// Names for the audit log, of which an entry holds only so many.
fn told(mut names: Vec<String>) -> Vec<String> {
    if let Some(more) = names.len().checked_sub(MAX_TOLD).filter(|more| *more > 0) {
        names.truncate(MAX_TOLD);
        names.push(format!("and {more} more"));
    }
    names
}

fn shown(wish: &GroupWish) -> String {
    wish.display_name.chars().take(MAX_DISPLAY_NAME).collect()
}

/// Makes a group what the provider wants it to be. Whom someone here put in stays.
fn write(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (old, members): (Group, &BTreeSet<UserId>),
    wish: &GroupWish,
) -> Result<ScimGroup> {
    let new = Group { display_name: shown(wish), ..old.clone() };
    if new != old {
        groups::update(tx, &new)?;
    }
    let (mut gone, mut come) = (Vec::new(), Vec::new());
    for id in members.difference(&wish.members) {
        groups::remove(tx, new.id, *id)?;
        gone.push(find_user(tx, *id)?.1.username.to_string());
    }
    for id in wish.members.difference(members) {
        let missing = |_| Bad::value("members.value", format!("{id} is no user of this provider"));
        let user = find_user(tx, *id).map_err(missing)?.1;
        if !user.organizations.contains(&new.organization_id) {
            let why = format!("{} is not in the organization", user.username);
            return Err(Bad::value("members.value", why).into());
        }
        groups::add(tx, new.id, *id)?;
        come.push(user.username.to_string());
    }
    let diff = Diff::new().field("display_name", &old.display_name, &new.display_name).field(
        "members",
        told(gone),
        told(come),
    );
    if !diff.is_empty() {
        done(tx, actor, AuditAction::Write, &new, &diff)?;
    }
    scim_groups::put(tx, new.id, wish)?;
    let (row, _) = find(tx, new.id)?;
    seen(tx, row, true)
}
