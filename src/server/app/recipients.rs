//! Whom a workspace is shared with: names become people and groups, and Coder's lists of roles.

use super::groups::{self as group_cases, GroupView};
use super::sharing::MAX_AT_ONCE;
use super::sharing_rights::Sharer;
use super::{Actor, App, Error, Result};
use crate::model::grant::Recipient;
use crate::model::id::{GroupId, OrganizationId, RotationId, UserId, WorkspaceId};
use crate::model::user::{User, UserRef};
use crate::model::verb::{Preset, Verbs};
use crate::server::db::{ReadTx, grants, groups, memberships, organizations, rotations, users};

/// What Everyone is called.
pub(super) const EVERYONE: &str = "Everyone";
/// People and groups whom the picker offers at most.
const MAX_OFFERED: i64 = 100;

/// Whom a workspace may be shared with.
#[derive(Clone, Debug, Default)]
pub struct Offered {
    /// Members of its organization, by name.
    pub users: Vec<UserRef>,
    /// Its organization's groups, Everyone first.
    pub groups: Vec<(GroupId, String)>,
    /// Its organization's rotations.
    pub rotations: Vec<(RotationId, String)>,
}

/// Whom someone names, by names or ids.
#[derive(Clone, Debug, Default)]
pub struct Named {
    /// People and service accounts.
    pub users: Vec<String>,
    /// Groups.
    pub groups: Vec<String>,
    /// Rotations.
    pub rotations: Vec<String>,
}

/// With whom a workspace is shared, in Coder's roles.
#[derive(Clone, Debug, Default)]
pub struct WorkspaceAcl {
    /// People and service accounts.
    pub users: Vec<(User, Preset)>,
    /// Groups.
    pub groups: Vec<(GroupView, Preset)>,
}

impl App {
    /// Whom a workspace may be shared with: members whose names hold `text`, and groups.
    ///
    /// # Errors
    /// As [`App::grants`].
    pub async fn sharing_offered(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        text: &str,
    ) -> Result<Offered> {
        let (actor, text) = (actor.clone(), text.to_ascii_lowercase());
        self.db
            .read(move |tx| {
                let sharer = Sharer::of(tx, &actor, id)?;
                let members = memberships::named(tx, sharer.organization, &text, MAX_OFFERED)?;
                let others = members.into_iter().filter(|user| user.id != sharer.owner);
                let users = others.map(|u| UserRef { id: u.id, username: u.username }).collect();
                let mut all = vec![(GroupId(sharer.organization.0), EVERYONE.to_owned())];
                let found = groups::list(tx, sharer.organization)?.into_iter();
                all.extend(found.map(|group| (group.id, group.name)));
                all.retain(|(_, name)| name.to_ascii_lowercase().contains(&text));
                all.truncate(usize::try_from(MAX_OFFERED).unwrap_or_default());
                let found = rotations::list(tx, sharer.organization)?.into_iter();
                let rotations = found.map(|one| (one.id, one.name.to_string()));
                let rotations =
                    rotations.filter(|(_, name)| name.to_ascii_lowercase().contains(&text));
                let rotations = rotations.collect();
                Ok(Offered { users, groups: all, rotations })
            })
            .await
    }

    /// The people and groups of these names or ids, as whoever shares the workspace may name them.
    ///
    /// # Errors
    /// As [`App::grants`]; [`Error::Invalid`] for a name that nobody has.
    pub async fn recipients(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        named: Named,
    ) -> Result<Vec<Recipient>> {
        if named.users.len() + named.groups.len() + named.rotations.len() > MAX_AT_ONCE {
            let why = format!("name 1 to {MAX_AT_ONCE} people and groups");
            return Err(Error::invalid("grants", why));
        }
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let sharer = Sharer::of(tx, &actor, id)?;
                let mut found = vec![];
                for key in &named.users {
                    found.push(Recipient::User(member(tx, sharer.organization, key)?));
                }
                for key in &named.rotations {
                    let rotation = rotations::find_by_name(tx, sharer.organization, key)?;
                    let rotation = rotation.ok_or_else(|| {
                        Error::invalid("rotations", format!("there is no rotation {key:?} here"))
                    })?;
                    found.push(Recipient::Rotation(rotation.id));
                }
                for key in &named.groups {
                    let group = group_by_key(tx, Some(sharer.organization), key)?;
                    let group = group.filter(|group| is_of(tx, sharer.organization, *group));
                    let group = group.ok_or_else(|| {
                        Error::invalid("groups", format!("there is no group {key:?} here"))
                    })?;
                    found.push(recipient(sharer.organization, group));
                }
                Ok(found)
            })
            .await
    }

    /// With whom a workspace is shared now, in Coder's roles: the widest that gives no more than they
    /// have. Who has less than its least is in [`App::grants`] alone.
    ///
    /// # Errors
    /// As [`App::grants`].
    pub async fn workspace_acl(&self, actor: &Actor, id: WorkspaceId) -> Result<WorkspaceAcl> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let sharer = Sharer::of(tx, &actor, id)?;
                let missing = || Error::NotFound("organization");
                let place = organizations::find(tx, sharer.organization)?.ok_or_else(missing)?;
                let mut held: std::collections::BTreeMap<Recipient, Verbs> = Default::default();
                for grant in grants::list(tx, id)? {
                    if grant.limits.from <= tx.now {
                        let verbs = held.entry(grant.to).or_default();
                        *verbs = verbs.and(grant.verbs);
                    }
                }
                let mut acl = WorkspaceAcl::default();
                for (to, verbs) in held {
                    let Some(role) = verbs.role() else { continue };
                    match to {
                        Recipient::User(user) => {
                            acl.users.extend(users::find(tx, user)?.map(|user| (user, role)));
                        }
                        Recipient::Group(group) => {
                            let Some(group) = groups::find(tx, group)? else { continue };
                            let view = group_cases::shown(tx, &actor, group, place.clone())?;
                            acl.groups.push((view, role));
                        }
                        // Coder has no rotations.
                        Recipient::Rotation(_) => {}
                        Recipient::Everyone => {
                            let view = group_cases::everyone(tx, &actor, place.clone())?;
                            acl.groups.push((view, role));
                        }
                    }
                }
                Ok(acl)
            })
            .await
    }
}

/// To whom a grant to a group's id is: an organization's own id stands for everyone of it.
#[must_use]
pub fn recipient(organization: OrganizationId, group: GroupId) -> Recipient {
    if group.0 == organization.0 { Recipient::Everyone } else { Recipient::Group(group) }
}

/// Whether a group is one of an organization: nobody learns of those of others.
fn is_of(tx: &ReadTx<'_>, organization: OrganizationId, group: GroupId) -> bool {
    group.0 == organization.0
        || groups::find(tx, group)
            .is_ok_and(|found| found.is_some_and(|group| group.organization_id == organization))
}

/// A member of a workspace's organization by name or id, for who may name whom it is about.
///
/// # Errors
/// [`Error::Invalid`] for a name that nobody there has.
pub(super) fn member(tx: &ReadTx<'_>, organization: OrganizationId, key: &str) -> Result<UserId> {
    let found = match key.parse::<UserId>() {
        Ok(id) => users::find(tx, id)?,
        Err(_) => users::find_by_name(tx, key)?,
    };
    let found = found.filter(|user| user.organizations.contains(&organization));
    found.map(|user| user.id).ok_or_else(|| {
        Error::invalid(
            "users",
            format!("there is no member {key:?} in the workspace's organization"),
        )
    })
}

/// A group by name or id, in an organization, or in the one that is named before a slash; the
/// organization of the start where none is said. Its organization's id for Everyone.
///
/// # Errors
/// When the database fails.
pub(super) fn group_by_key(
    tx: &ReadTx<'_>,
    organization: Option<OrganizationId>,
    key: &str,
) -> Result<Option<GroupId>> {
    if let Ok(id) = key.parse::<GroupId>() {
        return Ok(Some(id));
    }
    let (place, name) = match key.split_once('/') {
        Some((place, name)) => (organizations::find_by_name(tx, place)?.map(|o| o.id), name),
        None => match organization {
            Some(id) => (Some(id), key),
            None => (organizations::find_default(tx)?.map(|o| o.id), key),
        },
    };
    let Some(place) = place else { return Ok(None) };
    if name.eq_ignore_ascii_case(EVERYONE) {
        return Ok(Some(GroupId(place.0)));
    }
    Ok(groups::find_by_name(tx, place, name)?.map(|group| group.id))
}
