//! Use cases on organizations.

use super::access::record;
use super::{Actor, App, Error, Result, people, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::id::OrganizationId;
use crate::model::name::{GroupName, RoleName};
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::text;
use crate::model::user::{Contents, Organization, OrganizationRole};
use crate::server::db::{self, ReadTx, WriteTx, memberships, organizations, roles};

const MAX_DISPLAY_NAME: usize = 64;
const MAX_DESCRIPTION: usize = 512;
const MAX_ICON: usize = 256;

/// What may change of an organization; none leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct UpdateOrganization {
    /// The name in URLs.
    pub name: Option<String>,
    /// The name shown.
    pub display_name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// URL or path of a picture.
    pub icon: Option<String>,
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
        let now = self.clock.now();
        Ok(all.into_iter().filter(|o| actor.may(now, Action::Read, &object(o))).collect())
    }

    /// The organization to whose pages someone is led who has named none, and whether they may see
    /// others besides: that of the start, or the first that they may see; none for who sees none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn home_of(&self, actor: &Actor) -> Result<(Option<Organization>, bool)> {
        let mut seen = self.organizations(actor).await?;
        let several = seen.len() > 1;
        let at = seen.iter().position(|o| o.is_default).unwrap_or_default();
        let home = (at < seen.len()).then(|| seen.swap_remove(at));
        Ok((home, several))
    }

    /// An organization that the actor may see, and whether they may see others besides.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or the actor does not belong to it.
    pub async fn organization_of_many(
        &self,
        actor: &Actor,
        key: &str,
    ) -> Result<(Organization, bool)> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .read(move |tx| {
                let found = find(tx, &actor, &key)?;
                let all = organizations::list(tx)?;
                let mut others = all.iter().filter(|o| o.id != found.id);
                let is_seen = |o: &Organization| actor.may(tx.now, Action::Read, &object(o));
                let is_one_of_many = others.any(is_seen);
                Ok((found, is_one_of_many))
            })
            .await
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
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .write(move |tx| {
                let old = find(tx, &actor, &key)?;
                actor.require(tx.now, Action::Update, &object(&old))?;
                let new = changed(&old, cmd)?;
                organizations::update(tx, &new).map_err(taken)?;
                let diff = Diff::new()
                    .field("name", &old.name, &new.name)
                    .field("display_name", &old.display_name, &new.display_name)
                    .field("description", &old.description, &new.description)
                    .field("icon", &old.icon, &new.icon);
                written(tx, &actor, AuditAction::Write, (&new, &diff))?;
                Ok(new)
            })
            .await
    }

    /// Makes an organization. Who makes it belongs to it and keeps it.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] for a name that is taken,
    /// [`Error::Invalid`] for what does not fit.
    pub async fn create_organization(
        &self,
        actor: &Actor,
        cmd: UpdateOrganization,
    ) -> Result<Organization> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                actor.require(tx.now, Action::Create, &Object::site(ResourceType::Organization))?;
                let blank = Organization {
                    id: tx.fresh(),
                    name: String::new(),
                    display_name: String::new(),
                    description: String::new(),
                    created_at: tx.now,
                    updated_at: tx.now,
                    is_default: false,
                    quota_allowance: 0,
                    icon: String::new(),
                };
                let name = Some(cmd.name.clone().unwrap_or_default());
                let new = changed(&blank, UpdateOrganization { name, ..cmd })?;
                organizations::insert(tx, &new).map_err(taken)?;
                if let Some(user) = actor.user_id() {
                    memberships::insert(tx, new.id, user)?;
                    let admin = OrganizationRole::Admin.as_str();
                    let admin = RoleName::parse(admin).map_err(|e| Error::invalid("role", e))?;
                    roles::replace_in(tx, new.id, user, &[admin])?;
                    tx.emit(Event::User(user));
                }
                written(tx, &actor, AuditAction::Create, (&new, &Diff::new()))?;
                Ok(new)
            })
            .await
    }

    /// How many templates and workspaces are in an organization, to who may delete it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn organization_contents(
        &self,
        actor: &Actor,
        organization: &Organization,
    ) -> Result<Option<Contents>> {
        if !actor.may(self.clock.now(), Action::Delete, &object(organization)) {
            return Ok(None);
        }
        let id = organization.id;
        self.db.read(move |tx| contents(tx, id).map(Some)).await
    }

    /// Deletes an organization in which there is nothing any more.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] for the one of the start and while
    /// there are templates or workspaces.
    pub async fn delete_organization(&self, actor: &Actor, key: &str) -> Result<()> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .write(move |tx| {
                let old = find(tx, &actor, &key)?;
                actor.require(tx.now, Action::Delete, &object(&old))?;
                actor.require_fresh(tx.now)?;
                if old.is_default {
                    return Err(Error::conflict("the organization of the start stays"));
                }
                require_empty(tx, old.id)?;
                organizations::delete(tx, old.id)?;
                written(tx, &actor, AuditAction::Delete, (&old, &Diff::new()))
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
    let found = found.ok_or(Error::NotFound("organization"))?;
    actor.require(tx.now, Action::Read, &object(&found))?;
    Ok(found)
}

/// Asks whether there is nothing in an organization any more, nor was.
fn require_empty(tx: &ReadTx<'_>, id: OrganizationId) -> Result<()> {
    match contents(tx, id)? {
        Contents::Nothing => Ok(()),
        Contents::Things { templates, workspaces } => Err(Error::Conflict(format!(
            "there is something in it still: templates {templates}, workspaces {workspaces}; delete \
             them first"
        ))),
        Contents::Past => {
            let why = "it had templates, which the log speaks of; rename it, and remove its members \
                       instead";
            Err(Error::conflict(why))
        }
    }
}

/// What is in an organization.
fn contents(tx: &ReadTx<'_>, id: OrganizationId) -> Result<Contents> {
    Ok(match organizations::contents(tx, id)? {
        (0, 0) if organizations::is_used(tx, id)? => Contents::Past,
        (0, 0) => Contents::Nothing,
        (templates, workspaces) => Contents::Things { templates, workspaces },
    })
}

/// An organization as a decision looks at it.
pub(super) fn object(organization: &Organization) -> Object {
    Object::site(ResourceType::Organization).id(organization.id).within(organization.id)
}

fn taken(error: db::Error) -> Error {
    match error.collision() {
        Some(_) => Error::conflict("there is an organization of this name"),
        None => error.into(),
    }
}

fn written(
    tx: &WriteTx<'_>,
    actor: &Actor,
    action: AuditAction,
    (organization, diff): (&Organization, &Diff),
) -> Result<()> {
    let (target, name) = (AuditTarget::Organization, organization.name.as_str());
    let entry = trail::entry(action, target, organization.id.0, name);
    record(tx, actor, &trail::with(entry, diff))?;
    tx.emit(Event::Grants);
    Ok(())
}

fn changed(old: &Organization, cmd: UpdateOrganization) -> Result<Organization> {
    let mut new = old.clone();
    // A new one has no name yet, and needs one.
    if let Some(name) = cmd.name.filter(|n| old.name.is_empty() || *n != old.name) {
        let name = GroupName::parse(&name).map_err(|e| Error::invalid("name", e))?;
        // In an address these stand for the organization of the start, and for one with this id.
        let is_default = name.as_str().eq_ignore_ascii_case("default") && !old.is_default;
        if is_default || name.as_str().parse::<OrganizationId>().is_ok() {
            return Err(Error::invalid("name", "is kept; choose another"));
        }
        name.as_str().clone_into(&mut new.name);
    }
    if let Some(text) = cmd.display_name {
        new.display_name = line("display_name", &text, MAX_DISPLAY_NAME)?;
    }
    if let Some(text) = cmd.description {
        new.description = bounded("description", &text, MAX_DESCRIPTION)?;
    }
    if let Some(text) = cmd.icon {
        new.icon = line("icon", &text, MAX_ICON)?;
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
