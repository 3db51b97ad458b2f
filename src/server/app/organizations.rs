//! Use cases on organizations and who belongs to them.

use super::access::record;
use super::{Actor, App, Error, Result, people};
use crate::model::audit::{AuditAction, AuditEntry, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::id::OrganizationId;
use crate::model::name::GroupName;
use crate::model::text;
use crate::model::time::Timestamp;
use crate::model::user::{Organization, SiteRole, User};
use crate::server::db::{ReadTx, memberships, organizations};

/// Members in a list at most.
const MAX_LIST: i64 = 1000;
const MAX_DISPLAY_NAME: usize = 64;
const MAX_DESCRIPTION: usize = 512;

/// What may change of an organization; none leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct UpdateOrganization {
    /// The name in URLs.
    pub name: Option<String>,
    /// The name shown.
    pub display_name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
}

impl App {
    /// An organization by id, name or `default`.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or the actor does not belong to it.
    pub async fn organization(&self, actor: &Actor, key: &str) -> Result<Organization> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db.read(move |tx| find(tx, &actor, &key)).await
    }

    /// Organizations that the actor may see, by name.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn organizations(&self, actor: &Actor) -> Result<Vec<Organization>> {
        let actor = actor.clone();
        let all: Vec<Organization> = self.db.read(organizations::list).await?;
        Ok(all.into_iter().filter(|o| may_see(&actor, o.id)).collect())
    }

    /// The organizations of a user.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a user the actor may not see.
    pub async fn organizations_of(&self, actor: &Actor, user: &str) -> Result<Vec<Organization>> {
        let (actor, user) = (actor.clone(), user.to_owned());
        self.db
            .read(move |tx| {
                let user = people::find(tx, &actor, &user)?;
                let all = organizations::list(tx)?;
                Ok(all.into_iter().filter(|o| user.organizations.contains(&o.id)).collect())
            })
            .await
    }

    /// Changes an organization.
    ///
    /// # Errors
    /// [`Error::Denied`] for who is no owner, [`Error::Invalid`] for what does not fit.
    pub async fn update_organization(
        &self,
        actor: &Actor,
        key: &str,
        cmd: UpdateOrganization,
    ) -> Result<Organization> {
        actor.require_role(&[SiteRole::Owner])?;
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .write(move |tx| {
                let old = find(tx, &actor, &key)?;
                let new = changed(&old, cmd)?;
                organizations::update(tx, &new).map_err(|e| match e.collision() {
                    Some(_) => Error::conflict("there is an organization of this name"),
                    None => e.into(),
                })?;
                let diff = Diff::new()
                    .field("name", &old.name, &new.name)
                    .field("display_name", &old.display_name, &new.display_name)
                    .field("description", &old.description, &new.description);
                let entry = AuditEntry {
                    action: AuditAction::Write,
                    target: AuditTarget::Organization,
                    target_id: new.id.0,
                    target_name: new.name.clone(),
                    diff: diff.to_string(),
                };
                record(tx, &actor, &entry)?;
                tx.emit(Event::Grants);
                Ok(new)
            })
            .await
    }

    /// Members with the time since when, and how many there are in all.
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
        let (actor, key) = (actor.clone(), key.to_owned());
        let limit = limit.clamp(1, MAX_LIST);
        self.db
            .read(move |tx| {
                let organization = find(tx, &actor, &key)?;
                let mut list = memberships::list(tx, organization.id, limit, offset)?;
                list.retain(|(user, _)| people::may_see(&actor, user.id));
                let seen = i64::try_from(list.len()).unwrap_or(i64::MAX);
                let all = SiteRole::ALL.iter().any(|role| actor.has(*role));
                let n = if all { memberships::count(tx, organization.id)? } else { seen };
                Ok((list, n))
            })
            .await
    }
}

/// Finds an organization by id, name or `default`.
pub(super) fn find(tx: &ReadTx<'_>, actor: &Actor, key: &str) -> Result<Organization> {
    let found = match (key, key.parse::<OrganizationId>()) {
        ("default", _) => organizations::find_default(tx)?,
        (_, Ok(id)) => organizations::find(tx, id)?,
        (name, Err(_)) => organizations::find_by_name(tx, name)?,
    };
    found.filter(|o| may_see(actor, o.id)).ok_or(Error::NotFound("organization"))
}

fn may_see(actor: &Actor, organization: OrganizationId) -> bool {
    match actor {
        Actor::System => true,
        Actor::User(caller) => {
            caller.user.has(SiteRole::Owner) || caller.user.organizations.contains(&organization)
        }
        Actor::Agent { .. } => false,
    }
}

fn changed(old: &Organization, cmd: UpdateOrganization) -> Result<Organization> {
    let mut new = old.clone();
    if let Some(name) = cmd.name.filter(|n| *n != old.name) {
        let name = GroupName::parse(&name).map_err(|e| Error::invalid("name", e))?;
        name.as_str().clone_into(&mut new.name);
    }
    if let Some(text) = cmd.display_name {
        new.display_name = line("display_name", &text, MAX_DISPLAY_NAME)?;
    }
    if let Some(text) = cmd.description {
        new.description = bounded("description", &text, MAX_DESCRIPTION)?;
    }
    Ok(new)
}

/// A text of one line and at most `max` characters.
pub(super) fn line(field: &'static str, text: &str, max: usize) -> Result<String> {
    let text = text.trim();
    text::check_line(text, max).map_err(|e| Error::invalid(field, e))?;
    Ok(text.to_owned())
}

fn bounded(field: &'static str, text: &str, max: usize) -> Result<String> {
    let text = text.trim();
    text::check_lines(text, max).map_err(|e| Error::invalid(field, e))?;
    Ok(text.to_owned())
}
