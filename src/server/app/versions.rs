//! Template versions: pushed, imported by a job, then read by whoever starts workspaces.

use std::collections::BTreeMap;

use super::files::require_file;
use super::templates::{find as find_template, find_for as find_template_for};
use super::{Actor, App, Error, Page, Result, access, template_rights, trail};
use crate::model::audit::{AuditAction, AuditTarget};
use crate::model::build::{JobKind, JobStatus};
use crate::model::event::Event;
use crate::model::id::{FileId, OrganizationId, TemplateId, VersionId};
use crate::model::name;
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::template::{Imported, Version};
use crate::server::db::seal::{Place, Seal};
use crate::server::db::versions::NewVersion;
use crate::server::db::{self, ReadTx, WriteTx, jobs, templates, versions};

/// Longest message, in bytes.
const MAX_MESSAGE: usize = 1 << 20;
/// Most bytes of variable values.
const MAX_VARIABLES: usize = 1 << 20;
const VARIABLES: &str = "template_versions.variables";

/// What is pushed.
#[derive(Clone, Debug)]
pub struct CreateVersion {
    /// Where it belongs.
    pub organization_id: OrganizationId,
    /// Its template; none for the first version of a new one.
    pub template_id: Option<TemplateId>,
    /// Its name; empty for one of ours.
    pub name: String,
    /// What changed.
    pub message: String,
    /// Its archive.
    pub file_id: FileId,
    /// Values for the root module's variables.
    pub variables: BTreeMap<String, String>,
}

impl App {
    /// Pushes a version; a job imports it. Values of variables that are not given are taken over
    /// from the template's active version.
    ///
    /// # Errors
    /// When the actor may not, or something of it does not exist, fit, or is taken.
    pub async fn create_version(&self, actor: &Actor, cmd: CreateVersion) -> Result<Version> {
        let (actor, seal, user) = (actor.clone(), self.seal.clone(), actor.caller()?.user.id);
        if !cmd.name.is_empty() {
            name::check_version_name(&cmd.name).map_err(|e| Error::invalid("name", e))?;
        }
        if cmd.message.len() > MAX_MESSAGE {
            return Err(Error::invalid("message", "is longer than 1 MiB"));
        }
        self.db
            .write(move |tx| {
                require_push(tx, &actor, &cmd)?;
                require_file(tx, &actor, cmd.file_id)?;
                let id: VersionId = tx.fresh();
                let new = NewVersion {
                    id,
                    template_id: cmd.template_id,
                    organization_id: cmd.organization_id,
                    name: &free_name(tx, &cmd)?,
                    message: &cmd.message,
                    file_id: cmd.file_id,
                    job_id: tx.fresh(),
                    variables: &sealed_variables(tx, (&actor, &seal), id, &cmd)?,
                    created_by: user,
                };
                jobs::insert(tx, new.job_id, JobKind::Import)?;
                versions::insert(tx, &new).map_err(|e| {
                    Error::taken(e, || format!("there is a version named {} already", new.name))
                })?;
                let version = versions::find(tx, id)?.ok_or(Error::NotFound("template version"))?;
                tx.emit(Event::Queue);
                changed(tx, &actor, &version, AuditAction::Create)?;
                Ok(version)
            })
            .await
    }

    /// The newest version of a file that no template has yet, if its import goes on or went well.
    ///
    /// # Errors
    /// When the actor may not push versions.
    pub async fn loose_version(&self, actor: &Actor, file: FileId) -> Result<Option<Version>> {
        let found = self.db.read(move |tx| versions::loose(tx, file)).await?;
        let now = self.clock.now();
        Ok(found.filter(|v| actor.may(now, Action::Create, &place(v.organization_id))))
    }

    /// A version.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn version(&self, actor: &Actor, id: VersionId) -> Result<Version> {
        let actor = actor.clone();
        self.db.read(move |tx| find(tx, &actor, id)).await
    }

    /// Versions of a template, newest first; archived ones too.
    ///
    /// # Errors
    /// When there is no template that the actor may see.
    pub async fn versions(
        &self,
        actor: &Actor,
        template: TemplateId,
        page: Page,
    ) -> Result<Vec<Version>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                find_template(tx, &actor, template)?;
                Ok(versions::list(tx, template, page.pair())?)
            })
            .await
    }

    /// A version of a template by its name.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn version_by_name(
        &self,
        actor: &Actor,
        template: TemplateId,
        name: &str,
    ) -> Result<Version> {
        let (actor, name) = (actor.clone(), name.to_owned());
        self.db
            .read(move |tx| {
                find_template(tx, &actor, template)?;
                versions::by_name(tx, template, &name)?.ok_or(Error::NotFound("template version"))
            })
            .await
    }

    /// The version that was pushed before one.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn version_before(&self, actor: &Actor, id: VersionId) -> Result<Version> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let version = find(tx, &actor, id)?;
                let template = version.template_id.ok_or(Error::NotFound("template version"))?;
                versions::before(tx, template, id)?.ok_or(Error::NotFound("template version"))
            })
            .await
    }

    /// What the import found: parameters, presets, variables (sensitive ones without values),
    /// resources. Empty before it.
    ///
    /// # Errors
    /// When there is no version that the actor may see.
    pub async fn imported(&self, actor: &Actor, id: VersionId) -> Result<Imported> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let version = find(tx, &actor, id)?;
                let mut found = versions::imported(tx, id)?.unwrap_or_default();
                if !actor.may(tx.now, Action::Update, &object(tx, &actor, &version)?) {
                    found.variables.clear();
                }
                Ok(found)
            })
            .await
    }

    /// Changes a version's name and message.
    ///
    /// # Errors
    /// When the actor may not, or the name does not fit or is taken.
    pub async fn update_version(
        &self,
        actor: &Actor,
        id: VersionId,
        (new_name, message): (Option<String>, Option<String>),
    ) -> Result<Version> {
        if let Some(new_name) = &new_name {
            name::check_version_name(new_name).map_err(|e| Error::invalid("name", e))?;
        }
        if message.as_ref().is_some_and(|m| m.len() > MAX_MESSAGE) {
            return Err(Error::invalid("message", "is longer than 1 MiB"));
        }
        self.change_version(actor, id, move |v| {
            v.name = new_name.unwrap_or_else(|| std::mem::take(&mut v.name));
            v.message = message.unwrap_or_else(|| std::mem::take(&mut v.message));
            Ok(())
        })
        .await
    }

    /// Offers a version no more, or again.
    ///
    /// # Errors
    /// When the actor may not, or it is the active version.
    pub async fn archive_version(
        &self,
        actor: &Actor,
        id: VersionId,
        archived: bool,
    ) -> Result<Version> {
        self.change_version(actor, id, move |v| {
            v.archived = archived;
            Ok(())
        })
        .await
    }

    async fn change_version<F>(&self, actor: &Actor, id: VersionId, change: F) -> Result<Version>
    where
        F: FnOnce(&mut Version) -> Result<()> + Send + 'static,
    {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let mut version = find_for_update(tx, &actor, id)?;
                change(&mut version)?;
                if version.archived && is_active(tx, &version)? {
                    return Err(Error::conflict(
                        "new workspaces use this version; promote another",
                    ));
                }
                versions::update(tx, &version).map_err(|e| {
                    Error::taken(e, || format!("there is a version named {} already", version.name))
                })?;
                changed(tx, &actor, &version, AuditAction::Write)?;
                Ok(version)
            })
            .await
    }

    /// Archives versions that failed, and with `all` those that nothing uses. Says which.
    ///
    /// # Errors
    /// When the actor may not, or there is no such template.
    pub async fn archive_versions(
        &self,
        actor: &Actor,
        template: TemplateId,
        all: bool,
    ) -> Result<Vec<VersionId>> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                find_template_for(tx, &actor, Action::Update, template)?;
                let list = versions::archivable(tx, template, all)?;
                for version in &list {
                    versions::update(tx, &Version { archived: true, ..version.clone() })?;
                    changed(tx, &actor, version, AuditAction::Write)?;
                }
                Ok(list.iter().map(|v| v.id).collect())
            })
            .await
    }

    /// Cancels an import: at once when it waits, else its runner is asked to stop.
    ///
    /// # Errors
    /// When the actor may not, or the import is over.
    pub async fn cancel_import(&self, actor: &Actor, id: VersionId) -> Result<()> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let version = find_for_update(tx, &actor, id)?;
                cancel_job(tx, version.job.id, version.job.status)?;
                changed(tx, &actor, &version, AuditAction::Write)
            })
            .await
    }
}

/// Cancels a job that waits, or asks its runner to stop.
pub(super) fn cancel_job(
    tx: &WriteTx<'_>,
    job: crate::model::id::JobId,
    status: JobStatus,
) -> Result<()> {
    match status {
        JobStatus::Pending => {
            jobs::end(tx, job, JobStatus::Canceled, "cancelled before it began")?;
        }
        JobStatus::Running => jobs::set_canceling(tx, job)?,
        JobStatus::Canceling => return Err(Error::conflict("it is being cancelled already")),
        JobStatus::Canceled | JobStatus::Succeeded | JobStatus::Failed => {
            return Err(Error::conflict("it is over"));
        }
    }
    tx.emit(Event::Queue);
    Ok(())
}

/// A version that the actor may see.
pub(super) fn find(tx: &ReadTx<'_>, actor: &Actor, id: VersionId) -> Result<Version> {
    let version = versions::find(tx, id)?.ok_or(Error::NotFound("template version"))?;
    if actor.may(tx.now, Action::Read, &object(tx, actor, &version)?) {
        return Ok(version);
    }
    Err(Error::NotFound("template version"))
}

/// A version that the actor may change.
fn find_for_update(tx: &ReadTx<'_>, actor: &Actor, id: VersionId) -> Result<Version> {
    let version = find(tx, actor, id)?;
    actor.require(tx.now, Action::Update, &object(tx, actor, &version)?)?;
    Ok(version)
}

/// Templates of an organization as a decision looks at them.
fn place(organization: OrganizationId) -> Object {
    Object::site(ResourceType::Template).within(organization)
}

/// A version as a decision looks at it: by its template, if it has one.
fn object(tx: &ReadTx<'_>, actor: &Actor, version: &Version) -> Result<Object> {
    match version.template_id {
        Some(id) => template_rights::object(tx, actor, (id, version.organization_id)),
        None => Ok(place(version.organization_id)),
    }
}

/// Asks for the right to push a version: into a template, or to begin one.
fn require_push(tx: &ReadTx<'_>, actor: &Actor, cmd: &CreateVersion) -> Result<()> {
    match cmd.template_id {
        Some(id) => {
            let template = find_template_for(tx, actor, Action::Update, id)?;
            if template.organization_id == cmd.organization_id {
                return Ok(());
            }
            Err(Error::invalid("template_id", "is in another organization; push it there"))
        }
        None => actor.require(tx.now, Action::Create, &place(cmd.organization_id)),
    }
}

/// The values given for a version's variables.
pub(super) fn variables(
    tx: &ReadTx<'_>,
    seal: &Seal,
    id: VersionId,
) -> Result<BTreeMap<String, String>> {
    let Some(sealed) = versions::variables(tx, id)? else { return Ok(BTreeMap::new()) };
    let plain = seal.open(Place { column: VARIABLES, row: &id.to_string() }, &sealed)?;
    serde_json::from_slice(&plain)
        .map_err(|e| Error::from(db::Error::Unreadable { what: VARIABLES, why: e.to_string() }))
}

fn sealed_variables(
    tx: &WriteTx<'_>,
    (actor, seal): (&Actor, &Seal),
    id: VersionId,
    cmd: &CreateVersion,
) -> Result<Vec<u8>> {
    let mut values = match cmd.template_id {
        Some(t) => variables(tx, seal, find_template(tx, actor, t)?.active_version_id)?,
        None => BTreeMap::new(),
    };
    values.extend(cmd.variables.clone());
    let plain = serde_json::to_vec(&values).map_err(|e| Error::Internal(e.into()))?;
    if plain.len() > MAX_VARIABLES {
        return Err(Error::invalid("user_variable_values", "are longer than 1 MiB together"));
    }
    Ok(seal.seal(Place { column: VARIABLES, row: &id.to_string() }, &plain))
}

/// The name asked for, or the next of `v1`, `v2`, … that is free.
fn free_name(tx: &WriteTx<'_>, cmd: &CreateVersion) -> Result<String> {
    if !cmd.name.is_empty() {
        return Ok(cmd.name.clone());
    }
    let Some(template) = cmd.template_id else { return Ok("v1".to_owned()) };
    let mut n = versions::count(tx, template)? + 1;
    while versions::by_name(tx, template, &format!("v{n}"))?.is_some() {
        n += 1;
    }
    Ok(format!("v{n}"))
}

fn is_active(tx: &ReadTx<'_>, version: &Version) -> Result<bool> {
    let Some(template) = version.template_id else { return Ok(false) };
    Ok(templates::find(tx, template)?.is_some_and(|t| t.active_version_id == version.id))
}

fn changed(tx: &WriteTx<'_>, actor: &Actor, v: &Version, action: AuditAction) -> Result<()> {
    tx.emit(Event::Version(v.id));
    let entry = trail::entry(action, AuditTarget::TemplateVersion, v.id.0, &v.name);
    access::record(tx, actor, &entry)
}
