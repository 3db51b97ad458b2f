//! Groups as they are shown: with their organization, and as many of their members as may be seen.

use super::groups::{EVERYONE, find, object};
use super::users::{Crowd, UserFilter};
use super::{Actor, App, Result, people};
use crate::model::id::GroupId;
use crate::model::policy::Action;
use crate::model::user::{Group, GroupSource, Organization, User};
use crate::server::db::{ReadTx, groups, memberships};

/// Members of a group in a list at most.
const MAX_LIST: i64 = 1000;

/// A group with its organization and members.
#[derive(Clone, Debug)]
pub struct GroupView {
    /// The group.
    pub group: Group,
    /// Where it belongs.
    pub organization: Organization,
    /// Who is in it, as far as the actor may see them.
    pub members: Vec<User>,
    /// How many are in it, seen or not.
    pub total: i64,
}

impl GroupView {
    /// Whether it is the group of everyone in its organization.
    #[must_use]
    pub fn is_everyone(&self) -> bool {
        self.group.id.0 == self.organization.id.0
    }
}

impl App {
    /// The groups of every organization that the actor may see.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn all_groups(&self, actor: &Actor) -> Result<Vec<GroupView>> {
        let mut all = Vec::new();
        for place in self.organizations(actor).await? {
            all.extend(self.groups(actor, &place.id.to_string()).await?);
        }
        Ok(all)
    }

    /// The members of a group among those that a search asks for, as far as they may be seen, and how
    /// many there are of these.
    ///
    /// # Errors
    /// [`Error::NotFound`](super::Error::NotFound) for a group the actor may not see.
    pub async fn group_members(
        &self,
        actor: &Actor,
        id: GroupId,
        filter: UserFilter,
    ) -> Result<(Vec<User>, i64)> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let view = find(tx, &actor, id)?;
                let of = if view.is_everyone() {
                    Crowd::Organization(view.organization.id)
                } else {
                    Crowd::Group(id)
                };
                people::seen(tx, &actor, UserFilter { of: Some(of), ..filter })
            })
            .await
    }
}

fn count(members: &[User]) -> i64 {
    i64::try_from(members.len()).unwrap_or(i64::MAX)
}

/// Group lists are personal data: admins see all of them, members the names of their own groups.
pub(super) fn view(
    tx: &ReadTx<'_>,
    actor: &Actor,
    group: Group,
    organization: Organization,
) -> Result<Option<GroupView>> {
    let mut members = groups::members(tx, group.id)?;
    let total = count(&members);
    let all = actor.may(tx.now, Action::Read, &object(&group));
    let inside = members.iter().any(|u| actor.user_id() == Some(u.id));
    members.retain(|u| people::may_see(tx.now, actor, u));
    Ok((all || inside).then_some(GroupView { group, organization, members, total }))
}

/// A group, to whoever may know that it is there: its members as far as they may be seen.
pub(super) fn shown(
    tx: &ReadTx<'_>,
    actor: &Actor,
    group: Group,
    organization: Organization,
) -> Result<GroupView> {
    let mut members = groups::members(tx, group.id)?;
    let total = count(&members);
    members.retain(|u| people::may_see(tx.now, actor, u));
    Ok(GroupView { group, organization, members, total })
}

/// Everyone of an organization, as far as they may be seen.
pub(super) fn everyone(
    tx: &ReadTx<'_>,
    actor: &Actor,
    organization: Organization,
) -> Result<GroupView> {
    let of = Some(Crowd::Organization(organization.id));
    let (members, _) =
        people::seen(tx, actor, UserFilter { of, limit: MAX_LIST, ..UserFilter::default() })?;
    let total = memberships::count(tx, organization.id)?;
    let group = Group {
        id: GroupId(organization.id.0),
        organization_id: organization.id,
        name: EVERYONE.to_owned(),
        display_name: String::new(),
        source: GroupSource::User,
        quota_allowance: organization.quota_allowance,
        avatar_url: String::new(),
        created_at: organization.created_at,
    };
    Ok(GroupView { group, organization, members, total })
}
