//! Whom people who share a workspace may name: members and groups of its organization by their names, and
//! nothing else of them. Programs that share look them up in the lists of members and groups.

use super::group_views::GroupView;
use super::{Actor, App, Result, organizations as places, sharing_rights};
use crate::model::grant::Mode;
use crate::model::id::OrganizationId;
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::time::Timestamp;
use crate::model::user::{Group, GroupSource, LoginType, Organization, User, UserStatus};
use crate::server::db::{ReadTx, groups, memberships, rights};

/// Members in such a list at most; a search finds the others.
const MAX_MEMBERS: i64 = 1000;

impl App {
    /// The members of an organization whose names hold `text`, by their names alone, for who shares a
    /// workspace there and sees no more of them; none for everyone else.
    ///
    /// # Errors
    /// [`super::Error::NotFound`] for an organization that the actor may not see.
    pub async fn nameable_members(
        &self,
        actor: &Actor,
        organization: &str,
        text: &str,
    ) -> Result<Option<(Organization, Vec<User>)>> {
        let (actor, key, text) =
            (actor.clone(), organization.to_owned(), text.trim().to_ascii_lowercase());
        self.db
            .read(move |tx| {
                let place = places::find(tx, &actor, &key)?;
                if !is_sharer(tx, &actor, (place.id, ResourceType::OrganizationMember))? {
                    return Ok(None);
                }
                let all = memberships::named(tx, place.id, &text, MAX_MEMBERS)?;
                let all = all.into_iter().map(|user| by_name(user, place.id)).collect();
                Ok(Some((place, all)))
            })
            .await
    }

    /// The groups of an organization without their members, for who shares a workspace there and does not
    /// see all of them; none for everyone else.
    ///
    /// # Errors
    /// As [`App::nameable_members`].
    pub async fn nameable_groups(
        &self,
        actor: &Actor,
        organization: &str,
    ) -> Result<Option<Vec<GroupView>>> {
        let (actor, key) = (actor.clone(), organization.to_owned());
        self.db
            .read(move |tx| {
                let place = places::find(tx, &actor, &key)?;
                if !is_sharer(tx, &actor, (place.id, ResourceType::Group))? {
                    return Ok(None);
                }
                let mut all = vec![];
                for group in groups::list(tx, place.id)? {
                    let (group, organization) = (group_by_name(group), place.clone());
                    all.push(GroupView { group, organization, members: vec![], total: 0 });
                }
                Ok(Some(all))
            })
            .await
    }
}

/// Whether someone shares a workspace in an organization, and does not see all of its members or groups.
fn is_sharer(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (place, kind): (OrganizationId, ResourceType),
) -> Result<bool> {
    let Some(user) = actor.user_id() else { return Ok(false) };
    let sees_all = actor.may(tx.now, Action::Read, &Object::site(kind).within(place));
    if sees_all {
        return Ok(false);
    }
    // Names are for sharing: who could share nothing as things are sees none.
    match sharing_rights::mode(tx, place)? {
        Mode::None => Ok(false),
        Mode::ServiceAccounts => Ok(rights::shares_in(tx, user, (place, true))?),
        Mode::Everyone => Ok(rights::shares_in(tx, user, (place, false))?),
    }
}

/// A user of whom no more than the name is told, and that it is a program. Each field is named: a new one
/// is told to nobody by itself.
fn by_name(user: User, place: OrganizationId) -> User {
    User {
        id: user.id,
        username: user.username,
        kind: user.kind,
        name: String::new(),
        email: String::new(),
        status: UserStatus::Active,
        login_type: LoginType::Password,
        roles: vec![],
        organizations: vec![place],
        organization_roles: vec![],
        created_at: Timestamp::default(),
        updated_at: Timestamp::default(),
        last_seen_at: None,
    }
}

/// A group of which no more than the names are told.
fn group_by_name(group: Group) -> Group {
    Group {
        id: group.id,
        organization_id: group.organization_id,
        name: group.name,
        display_name: group.display_name,
        source: GroupSource::User,
        quota_allowance: 0,
        avatar_url: group.avatar_url,
        created_at: Timestamp::default(),
    }
}
