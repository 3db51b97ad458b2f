//! Where the things of audit entries are today, for whoever looks at the log and may open them.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Actor, Error, Result, access, builds, groups, people, templates, versions};
use crate::model::audit::shown::Thing;
use crate::model::audit::{AuditRow, AuditTarget};
use crate::model::id::{TokenId, WorkspaceId};
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::user::{Organization, TokenEntry, User, UserStatus};
use crate::model::verb::Verb;
use crate::model::workspace::Workspace;
use crate::server::db::{
    ReadTx, groups as group_rows, organizations, tokens, users, workspaces as workspace_rows,
};

/// Whoever looks at entries, with what was looked up for the ones before.
pub(super) struct Looker<'a, 'c> {
    tx: &'a ReadTx<'c>,
    actor: &'a Actor,
    tokens: BTreeMap<TokenId, Option<TokenEntry>>,
    things: BTreeMap<(AuditTarget, Uuid), Option<Thing>>,
}

impl<'a, 'c> Looker<'a, 'c> {
    /// Has looked up nothing yet.
    pub(super) fn new(tx: &'a ReadTx<'c>, actor: &'a Actor) -> Self {
        Self { tx, actor, tokens: BTreeMap::new(), things: BTreeMap::new() }
    }

    /// Whether someone's page opens.
    pub(super) fn sees(&self, user: &User) -> bool {
        user.status != UserStatus::Deleted && people::may_see(self.tx.now, self.actor, user)
    }

    /// A token, while it lasts.
    pub(super) fn token(&mut self, id: Option<TokenId>) -> Result<Option<TokenEntry>> {
        let Some(id) = id else { return Ok(None) };
        if let Some(known) = self.tokens.get(&id) {
            return Ok(known.clone());
        }
        let found = tokens::find_by_id(self.tx, id)?;
        self.tokens.insert(id, found.clone());
        Ok(found)
    }

    /// The thing of an entry, where its page opens.
    pub(super) fn thing(
        &mut self,
        row: &AuditRow,
        place: Option<&Organization>,
    ) -> Result<Option<Thing>> {
        let key = (row.entry.target, row.entry.target_id);
        if key.1.is_nil() {
            return Ok(None);
        }
        if let Some(known) = self.things.get(&key) {
            return Ok(known.clone());
        }
        let found = seen(self.look_up(row, place))?.flatten();
        self.things.insert(key, found.clone());
        Ok(found)
    }

    fn look_up(&self, row: &AuditRow, place: Option<&Organization>) -> Result<Option<Thing>> {
        let (tx, actor, id) = (self.tx, self.actor, row.entry.target_id);
        // Pages of an organization are those of the one that exists from the start.
        let is_paged = place.is_some_and(|place| place.is_default);
        Ok(match row.entry.target {
            AuditTarget::Workspace => {
                self.workspace(id.into())?.map(|w| Thing::Workspace(w.owner.username, w.name))
            }
            AuditTarget::WorkspaceBuild => {
                let build = builds::find(tx, actor, id.into())?;
                let found = self.workspace(build.workspace_id)?;
                found.map(|w| Thing::Build(w.owner.username, w.name, build.number))
            }
            AuditTarget::Template => {
                let template = templates::find(tx, actor, id.into())?;
                Some(Thing::Template(template.home, template.name))
            }
            AuditTarget::TemplateVersion => {
                let version = versions::find(tx, actor, id.into())?;
                let template = version.template_id.map(|id| templates::find(tx, actor, id));
                template.transpose()?.map(|t| Thing::Version(t.home, t.name, version.name))
            }
            AuditTarget::Group if is_paged => group_rows::find(tx, id.into())?
                .filter(|g| actor.may(tx.now, Action::Read, &groups::object(g)))
                .map(|g| Thing::Group(g.name)),
            AuditTarget::User => {
                let user = users::find(tx, id.into())?.filter(|user| self.sees(user));
                user.map(|user| Thing::User(user.username))
            }
            AuditTarget::OrganizationMember if is_paged => self.member(id)?,
            AuditTarget::CustomRole if is_paged => self.role(row)?,
            AuditTarget::Group
            | AuditTarget::ApiKey
            | AuditTarget::GitSshKey
            | AuditTarget::Organization
            | AuditTarget::Invitation
            | AuditTarget::Recording
            | AuditTarget::Request
            | AuditTarget::BreakGlass
            | AuditTarget::OrganizationMember
            | AuditTarget::CustomRole
            | AuditTarget::Rotation
            | AuditTarget::Setting => None,
        })
    }

    /// A workspace whose page opens: a deleted one has none.
    fn workspace(&self, id: WorkspaceId) -> Result<Option<Workspace>> {
        if workspace_rows::is_deleted(self.tx, id)? {
            return Ok(None);
        }
        access::require(self.tx, self.actor, id, Verb::View)?;
        Ok(workspace_rows::find(self.tx, id)?)
    }

    fn member(&self, id: Uuid) -> Result<Option<Thing>> {
        let Some(place) = organizations::find_default(self.tx)? else { return Ok(None) };
        let object = Object::site(ResourceType::OrganizationMember).within(place.id);
        if !self.actor.may(self.tx.now, Action::Read, &object) {
            return Ok(None);
        }
        let user = users::find(self.tx, id.into())?;
        let user = user.filter(|u| u.organizations.contains(&place.id) && self.sees(u));
        Ok(user.map(|user| Thing::Member(user.username)))
    }

    fn role(&self, row: &AuditRow) -> Result<Option<Thing>> {
        let Some(place) = organizations::find_default(self.tx)? else { return Ok(None) };
        let object = Object::site(ResourceType::AssignOrgRole).within(place.id);
        let Ok(name) = row.entry.target_name.parse() else { return Ok(None) };
        if !self.actor.may(self.tx.now, Action::Read, &object) {
            return Ok(None);
        }
        let role = crate::server::db::roles::find(self.tx, place.id, &name)?;
        let same = role.filter(|role| role.id.0 == row.entry.target_id);
        Ok(same.map(|role| Thing::Role(role.name.to_string())))
    }
}

/// What was found, if the actor may know of it.
fn seen<T>(found: Result<T>) -> Result<Option<T>> {
    match found {
        Ok(found) => Ok(Some(found)),
        Err(Error::NotFound(_) | Error::Denied(_)) => Ok(None),
        Err(other) => Err(other),
    }
}
