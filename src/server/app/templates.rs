//! Templates: what people start workspaces from.

use std::collections::BTreeMap;

use super::{Actor, App, Error, Result, access, template_acl, template_rights, trail};
use crate::model::audit::{AuditAction, AuditEntry, AuditTarget, Diff};
use crate::model::build::JobStatus;
use crate::model::event::Event;
use crate::model::id::{OrganizationId, TemplateId, VersionId};
use crate::model::name::TemplateName;
use crate::model::policy::{Action, Object, Permissions, ResourceType};
use crate::model::template::{Grantee, Template, TemplateRole, Version};
use crate::model::text;
use crate::model::user::UserRef;
use crate::server::db::{ReadTx, WriteTx, organizations, template_grants, templates, versions};

/// What a new template is.
#[derive(Clone, Debug)]
pub struct CreateTemplate {
    /// Where it belongs.
    pub organization_id: OrganizationId,
    /// Its name.
    pub name: TemplateName,
    /// Its first version, imported.
    pub version_id: VersionId,
    /// The rest.
    pub details: TemplateDetails,
}

/// What may be changed of a template, besides its name.
#[derive(Clone, Debug, Default)]
pub struct TemplateDetails {
    /// The name shown.
    pub display_name: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// URL or path of an icon.
    pub icon: Option<String>,
    /// Why it should not be used any more; empty for a current one.
    pub deprecation: Option<String>,
    /// Seconds a workspace runs before it stops by itself; 0 for no end.
    pub default_ttl_s: Option<i64>,
    /// Takes Everyone off its list: only who is on it by name or group may use it.
    pub private: Option<bool>,
}

impl TemplateDetails {
    fn apply(&self, t: &mut Template) -> Result<()> {
        let set = |to: &mut String, from: &Option<String>, field: &str, max: usize| -> Result<()> {
            let Some(text) = from else { return Ok(()) };
            let check = if field == "description" { text::check_lines } else { text::check_line };
            check(text, max).map_err(|e| Error::invalid(field, e))?;
            text.clone_into(to);
            Ok(())
        };
        set(&mut t.display_name, &self.display_name, "display_name", 64)?;
        set(&mut t.description, &self.description, "description", 512)?;
        set(&mut t.icon, &self.icon, "icon", 256)?;
        set(&mut t.deprecation, &self.deprecation, "deprecation_message", 512)?;
        if let Some(ttl) = self.default_ttl_s {
            if ttl < 0 {
                return Err(Error::invalid("default_ttl_ms", "is below zero"));
            }
            t.default_ttl_s = ttl;
        }
        Ok(())
    }
}

impl App {
    /// Makes a template from an imported version.
    ///
    /// # Errors
    /// When the actor may not, the version is not ready, or the name is taken.
    pub async fn create_template(&self, actor: &Actor, cmd: CreateTemplate) -> Result<Template> {
        let (actor, user) = (actor.clone(), actor.caller()?.user.clone());
        self.db
            .write(move |tx| {
                let place = Object::site(ResourceType::Template).within(cmd.organization_id);
                actor.require(tx.now, Action::Create, &place)?;
                let found = versions::find(tx, cmd.version_id)?;
                // A version of another organization is not there for who makes templates in this one.
                let version = ready(found.filter(|v| v.organization_id == cmd.organization_id))?;
                if version.template_id.is_some() {
                    return Err(Error::conflict("the version belongs to a template already"));
                }
                let mut template = Template {
                    id: tx.fresh(),
                    organization_id: cmd.organization_id,
                    home: home(tx, cmd.organization_id)?,
                    name: cmd.name.clone(),
                    display_name: String::new(),
                    description: String::new(),
                    icon: String::new(),
                    active_version_id: version.id,
                    active_version_name: version.name,
                    created_by: UserRef { id: user.id, username: user.username },
                    created_at: tx.now,
                    updated_at: tx.now,
                    deprecation: String::new(),
                    default_ttl_s: 0,
                    n_workspaces: 0,
                };
                cmd.details.apply(&mut template)?;
                templates::insert(tx, &template).map_err(|e| taken(e, &cmd.name))?;
                versions::attach(tx, version.id, template.id)?;
                if cmd.details.private != Some(true) {
                    let (all, role) = (Grantee::Everyone, TemplateRole::Use);
                    template_grants::put(tx, template.id, all, role)?;
                }
                tx.emit(Event::Version(version.id));
                changed(tx, &actor, &template, &audit(AuditAction::Create, &template))?;
                Ok(template)
            })
            .await
    }

    /// The templates the actor may see, by name. Deprecated ones only for who pushes templates.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn templates(&self, actor: &Actor) -> Result<Vec<Template>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let mut list = templates::list(tx)?;
                let granted = match actor.user_id() {
                    Some(user) => template_grants::held_by(tx, user)?,
                    None => BTreeMap::new(),
                };
                list.retain(|t| {
                    let held = granted.get(&t.id).map(|role| role.permissions());
                    let object = place(t).granting(held.unwrap_or(Permissions::EMPTY));
                    actor.may(tx.now, Action::Read, &object)
                        && (t.deprecation.is_empty() || actor.may(tx.now, Action::Update, &object))
                });
                Ok(list)
            })
            .await
    }

    /// Whether there is a template that the actor may see.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn has_templates(&self, actor: &Actor) -> Result<bool> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                for organization in organizations::list(tx)? {
                    let any = Object::site(ResourceType::Template).within(organization.id);
                    if actor.may(tx.now, Action::Read, &any)
                        && templates::any(
                            tx,
                            organization.id,
                            actor.may(tx.now, Action::Update, &any),
                        )?
                    {
                        return Ok(true);
                    }
                }
                let scoped = Object::site(ResourceType::Template)
                    .granting(template_rights::granted_anywhere(tx, &actor)?);
                match actor.user_id().filter(|_| actor.may(tx.now, Action::Read, &scoped)) {
                    Some(user) => Ok(template_grants::any(tx, user)?),
                    None => Ok(false),
                }
            })
            .await
    }

    /// A template.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn template(&self, actor: &Actor, id: TemplateId) -> Result<Template> {
        let actor = actor.clone();
        self.db.read(move |tx| find(tx, &actor, id)).await
    }

    /// A template to which the actor may do something.
    ///
    /// # Errors
    /// When there is none that the actor may see, or they may not.
    pub async fn template_for(
        &self,
        actor: &Actor,
        action: Action,
        id: TemplateId,
    ) -> Result<Template> {
        let actor = actor.clone();
        self.db.read(move |tx| find_for(tx, &actor, action, id)).await
    }

    /// A template by its name.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn template_by_name(
        &self,
        actor: &Actor,
        organization: OrganizationId,
        name: &str,
    ) -> Result<Template> {
        let (actor, name) = (actor.clone(), name.to_owned());
        self.db
            .read(move |tx| visible(tx, &actor, templates::by_name(tx, organization, &name)?))
            .await
    }

    /// Changes a template's name and details.
    ///
    /// # Errors
    /// When the actor may not, a text is too long, or the name is taken.
    pub async fn update_template(
        &self,
        actor: &Actor,
        id: TemplateId,
        (name, details): (Option<TemplateName>, TemplateDetails),
    ) -> Result<Template> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let old = find_for(tx, &actor, Action::Update, id)?;
                let mut new = old.clone();
                new.name = name.unwrap_or(new.name);
                details.apply(&mut new)?;
                templates::update(tx, &new).map_err(|e| taken(e, &new.name))?;
                if details.private == Some(true) {
                    template_acl::change(tx, &actor, &new, &[(Grantee::Everyone, None)])?;
                }
                let diff = Diff::new()
                    .field("name", &old.name, &new.name)
                    .field("display_name", &old.display_name, &new.display_name)
                    .field("description", &old.description, &new.description)
                    .field("icon", &old.icon, &new.icon)
                    .field("deprecated", &old.deprecation, &new.deprecation)
                    .field("default_ttl", old.default_ttl_s, new.default_ttl_s);
                changed(tx, &actor, &new, &trail::with(audit(AuditAction::Write, &new), &diff))?;
                Ok(new)
            })
            .await
    }

    /// Chooses the version that new workspaces use.
    ///
    /// # Errors
    /// When the actor may not, or the version is another template's, not ready or archived.
    pub async fn promote_version(
        &self,
        actor: &Actor,
        id: TemplateId,
        version: VersionId,
    ) -> Result<()> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let template = find_for(tx, &actor, Action::Update, id)?;
                let found = versions::find(tx, version)?.filter(|v| v.template_id == Some(id));
                let new = ready(found)?;
                if new.archived {
                    return Err(Error::conflict("the version is archived; unarchive it first"));
                }
                templates::set_active(tx, id, version)?;
                let diff =
                    Diff::new().field("active_version", &template.active_version_name, &new.name);
                changed(
                    tx,
                    &actor,
                    &template,
                    &trail::with(audit(AuditAction::Write, &template), &diff),
                )
            })
            .await
    }

    /// Deletes a template that no workspace is made from.
    ///
    /// # Errors
    /// When the actor may not, or workspaces are made from it.
    pub async fn delete_template(&self, actor: &Actor, id: TemplateId) -> Result<()> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let template = find_for(tx, &actor, Action::Delete, id)?;
                match template.n_workspaces {
                    0 => {}
                    1 => {
                        return Err(Error::conflict(
                            "a workspace is made from this template; delete it first",
                        ));
                    }
                    n => {
                        return Err(Error::conflict(format!(
                            "{n} workspaces are made from this template; delete them first"
                        )));
                    }
                }
                templates::delete(tx, id)?;
                changed(tx, &actor, &template, &audit(AuditAction::Delete, &template))
            })
            .await
    }
}

/// A template as a decision looks at it.
fn object(tx: &ReadTx<'_>, actor: &Actor, template: &Template) -> Result<Object> {
    template_rights::object(tx, actor, (template.id, template.organization_id))
}

/// The same without what its list grants.
fn place(template: &Template) -> Object {
    Object::site(ResourceType::Template).id(template.id).within(template.organization_id)
}

/// A template that the actor may see.
pub(super) fn find(tx: &ReadTx<'_>, actor: &Actor, id: TemplateId) -> Result<Template> {
    visible(tx, actor, templates::find(tx, id)?)
}

/// A template to which the actor may do something.
pub(super) fn find_for(
    tx: &ReadTx<'_>,
    actor: &Actor,
    action: Action,
    id: TemplateId,
) -> Result<Template> {
    let template = find(tx, actor, id)?;
    actor.require(tx.now, action, &object(tx, actor, &template)?)?;
    Ok(template)
}

fn visible(tx: &ReadTx<'_>, actor: &Actor, found: Option<Template>) -> Result<Template> {
    let template = found.ok_or(Error::NotFound("template"))?;
    actor.require(tx.now, Action::Read, &object(tx, actor, &template)?)?;
    Ok(template)
}

/// A version whose import succeeded.
pub(super) fn ready(found: Option<Version>) -> Result<Version> {
    let version = found.ok_or(Error::NotFound("template version"))?;
    match version.job.status {
        JobStatus::Succeeded => Ok(version),
        JobStatus::Pending | JobStatus::Running => {
            Err(Error::conflict("the import of this version is not over; wait for it"))
        }
        JobStatus::Canceling | JobStatus::Canceled => {
            Err(Error::conflict("the import of this version was cancelled; push it again"))
        }
        JobStatus::Failed => Err(Error::conflict(format!(
            "the import of this version failed: {}",
            version.job.error
        ))),
    }
}

/// The name of an organization in the addresses of its templates; empty for that of the start.
fn home(tx: &ReadTx<'_>, id: OrganizationId) -> Result<String> {
    let found = organizations::find(tx, id)?.filter(|organization| !organization.is_default);
    Ok(found.map(|organization| organization.name).unwrap_or_default())
}

fn taken(error: crate::server::db::Error, name: &TemplateName) -> Error {
    Error::taken(error, || format!("there is a template named {name} already"))
}

fn audit(action: AuditAction, t: &Template) -> AuditEntry {
    let entry = trail::entry(action, AuditTarget::Template, t.id.0, t.name.as_str());
    trail::within(entry, t.organization_id)
}

fn changed(tx: &WriteTx<'_>, actor: &Actor, t: &Template, entry: &AuditEntry) -> Result<()> {
    tx.emit(Event::Template(t.id));
    access::record(tx, actor, entry)
}
