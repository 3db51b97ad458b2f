//! Builds as they are asked for: who may, which version, which answers; then they wait for a runner.

use super::builds::{check_state, record, seal_state};
use super::{Actor, App, Error, Result, access, template_rights, templates};
use crate::model::audit::{AuditAction, Diff};
use crate::model::build::{Build, BuildReason, JobKind, Transition, check_external, next_number};
use crate::model::event::Event;
use crate::model::id::{BuildId, PresetId, UserId, VersionId, WorkspaceId};
use crate::model::parameter::{self, ParameterValue};
use crate::model::policy::Action;
use crate::model::template::{Imported, Version};
use crate::model::verb::Verb;
use crate::model::workspace::Workspace;
use crate::server::db::builds::NewBuild;
use crate::server::db::seal::Seal;
use crate::server::db::{
    ReadTx, WriteTx, build_parameters, builds, jobs, states, versions, workspaces,
};

/// Which version a build uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum VersionChoice {
    /// The last build's; at a start of a workspace with automatic updates the active one.
    #[default]
    Keep,
    /// The template's active one: an update.
    Active,
    /// This one.
    Exact(VersionId),
}

/// A build as it is asked for.
#[derive(Clone, Debug)]
pub struct BuildRequest {
    /// What it does.
    pub transition: Transition,
    /// Which version it uses.
    pub version: VersionChoice,
    /// Answers; the rest is carried over.
    pub parameters: Vec<ParameterValue>,
    /// Answers of this preset go before given ones.
    pub preset: Option<PresetId>,
    /// Why.
    pub reason: BuildReason,
    /// Delete the record only.
    pub orphan: bool,
    /// For a stop: a start follows when it has succeeded, whatever happens to the server meanwhile.
    pub then_start: bool,
    /// In whose name the program itself asks; the workspace's owner's when there is nobody.
    pub on_behalf_of: Option<UserId>,
    /// A Terraform state to begin from, instead of the stored one.
    pub state: Option<Vec<u8>>,
}

impl BuildRequest {
    /// A build that carries everything over.
    #[must_use]
    pub fn new(transition: Transition, reason: BuildReason) -> Self {
        Self {
            transition,
            version: VersionChoice::Keep,
            parameters: vec![],
            preset: None,
            reason,
            orphan: false,
            then_start: false,
            on_behalf_of: None,
            state: None,
        }
    }
}

impl App {
    /// Asks for a build.
    ///
    /// # Errors
    /// When the actor may not, another build is not over, or an answer does not fit.
    pub async fn create_build(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        request: BuildRequest,
    ) -> Result<Build> {
        let (actor, seal) = (actor.clone(), self.seal.clone());
        self.db
            .write(move |tx| {
                require(tx, &actor, id, &request)?;
                let workspace = workspaces::find(tx, id)?.ok_or(Error::NotFound("workspace"))?;
                let version = choose(&workspace, &request);
                if request.transition == Transition::Start
                    && version != workspace.latest_build.version_id
                {
                    access::require(tx, &actor, id, Verb::Manage)?;
                }
                let build = add_build(tx, &seal, &actor, (id, version, &request))?;
                builds::find(tx, build)?.ok_or(Error::NotFound("build"))
            })
            .await
    }
}

impl App {
    /// Whether a start with the template's active version would need answers that are not there.
    ///
    /// # Errors
    /// When there is no workspace that the actor may see.
    pub async fn update_needs_answers(&self, actor: &Actor, id: WorkspaceId) -> Result<bool> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                access::require(tx, &actor, id, Verb::View)?;
                let workspace = workspaces::find(tx, id)?.ok_or(Error::NotFound("workspace"))?;
                let active = versions::find(tx, workspace.template_active_version_id)?
                    .ok_or(Error::NotFound("template version"))?;
                let request = BuildRequest::new(Transition::Start, BuildReason::Autostart);
                let found = answers(tx, &active, Some(&workspace.latest_build), &request);
                Ok(matches!(found, Err(Error::Invalid { .. })))
            })
            .await
    }
}

/// Asks for the rights that a build needs.
fn require(tx: &ReadTx<'_>, actor: &Actor, id: WorkspaceId, request: &BuildRequest) -> Result<()> {
    let (verb, action) = match request.transition {
        Transition::Start => (Verb::Operate, Action::Start),
        Transition::Stop => (Verb::Operate, Action::Stop),
        Transition::Delete => (Verb::Delete, Action::Delete),
    };
    access::require(tx, actor, id, verb)?;
    access::require_scope(actor, id, &[action])?;
    if request.transition == Transition::Delete {
        actor.require_fresh(tx.now)?;
    }
    if !request.parameters.is_empty() || request.preset.is_some() {
        access::require(tx, actor, id, Verb::Manage)?;
    }
    if request.orphan && request.transition != Transition::Delete {
        return Err(Error::invalid("orphan", "is for the transition delete"));
    }
    if request.then_start && request.transition != Transition::Stop {
        return Err(Error::invalid("then_start", "is for the transition stop"));
    }
    if request.orphan || request.state.is_some() {
        access::require_author(tx, actor, id)?;
    }
    Ok(())
}

fn choose(workspace: &Workspace, request: &BuildRequest) -> VersionId {
    let follows = workspace.automatic_updates && request.transition == Transition::Start;
    match request.version {
        VersionChoice::Exact(version) => version,
        VersionChoice::Active => workspace.template_active_version_id,
        VersionChoice::Keep if follows => workspace.template_active_version_id,
        VersionChoice::Keep => workspace.latest_build.version_id,
    }
}

/// The second half of a restart: a start in the name of whoever asked for the stop, when they still
/// may.
pub(super) fn start_again(tx: &WriteTx<'_>, seal: &Seal, stop: &Build) -> Result<()> {
    let (user, id) = (stop.initiator.id, stop.workspace_id);
    let held = access::rights(tx, user, id)?;
    let may = |verb| held.iter().any(|g| g.verb == verb && g.is_in_time(tx.now));
    if !may(Verb::Operate) {
        return Err(Error::denied(
            "who asked for the restart may not start this workspace any more",
        ));
    }
    let workspace = workspaces::find(tx, id)?.ok_or(Error::NotFound("workspace"))?;
    let request = BuildRequest {
        on_behalf_of: Some(user),
        ..BuildRequest::new(Transition::Start, stop.reason)
    };
    let version = if may(Verb::Manage) { choose(&workspace, &request) } else { stop.version_id };
    add_build(tx, seal, &Actor::System, (id, version, &request)).map(drop)
}

/// Puts a build of a workspace into the queue. The actor's rights were asked for before.
pub(super) fn add_build(
    tx: &WriteTx<'_>,
    seal: &Seal,
    actor: &Actor,
    (workspace, version, request): (WorkspaceId, VersionId, &BuildRequest),
) -> Result<BuildId> {
    if workspaces::is_deleted(tx, workspace)? {
        return Err(Error::NotFound("workspace"));
    }
    let last = builds::last(tx, workspace)?;
    if request.transition == Transition::Start {
        template_rights::require_owner_use(tx, workspace)?;
    }
    let number = next_number(last.as_ref().map(|b| (b.number, b.transition, b.job.status)))
        .map_err(Error::conflict)?;
    check_external(last.as_ref(), request.transition).map_err(Error::conflict)?;
    let version = usable(tx, actor, (workspace, version), last.as_ref())?;
    let values = answers(tx, &version, last.as_ref(), request)?;
    let new = NewBuild {
        id: tx.fresh(),
        workspace_id: workspace,
        number,
        transition: request.transition,
        reason: request.reason,
        initiator_id: initiator(tx, actor, (workspace, request))?,
        version_id: version.id,
        job_id: tx.fresh(),
        orphan: request.orphan,
        then_start: request.then_start,
    };
    jobs::insert(tx, new.job_id, JobKind::Build)?;
    builds::insert(tx, &new)?;
    build_parameters::insert(tx, new.id, &values)?;
    if let Some(state) = &request.state {
        check_state(state)?;
        states::put(tx, new.id, &seal_state(seal, new.id, state))?;
    }
    let build = builds::find(tx, new.id)?.ok_or(Error::NotFound("build"))?;
    let action = match request.transition {
        Transition::Start => AuditAction::Start,
        Transition::Stop => AuditAction::Stop,
        Transition::Delete => AuditAction::Delete,
    };
    record(tx, actor, &build, (action, Diff::new()))?;
    tx.emit(Event::Workspace(workspace));
    tx.emit(Event::Queue);
    Ok(new.id)
}

/// The version, when a build of this workspace may use it.
fn usable(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (workspace, version): (WorkspaceId, VersionId),
    last: Option<&Build>,
) -> Result<Version> {
    let found = templates::ready(versions::find(tx, version)?)?;
    let template = found.template_id.ok_or(Error::NotFound("template version"))?;
    // What the workspace is built from already needs no look at the template.
    if last.is_none_or(|b| b.version_id != version) {
        templates::find(tx, actor, template).map_err(|_| Error::NotFound("template version"))?;
    }
    if !workspaces::is_made_from(tx, workspace, template)? {
        return Err(Error::invalid("template_version_id", "is another template's"));
    }
    if found.archived && last.is_none_or(|b| b.version_id != version) {
        return Err(Error::invalid("template_version_id", "is archived"));
    }
    Ok(found)
}

/// The values of a build. A stop or delete that is asked for without answers always gets some: a
/// value that no longer fits must not keep a workspace from ending.
fn answers(
    tx: &ReadTx<'_>,
    version: &Version,
    last: Option<&Build>,
    request: &BuildRequest,
) -> Result<Vec<ParameterValue>> {
    let imported = versions::imported(tx, version.id)?.unwrap_or_default();
    let before = match last {
        Some(build) => build_parameters::list(tx, build.id)?,
        None => vec![],
    };
    let asked = with_preset(&imported, version.id, request)?;
    match parameter::resolve(&imported.parameters, &asked, &before) {
        Ok(values) => Ok(values),
        Err(_) if request.transition != Transition::Start && asked.is_empty() => Ok(before),
        Err(bad) => Err(Error::invalid(bad.name, bad.why)),
    }
}

fn with_preset(
    imported: &Imported,
    version: VersionId,
    request: &BuildRequest,
) -> Result<Vec<ParameterValue>> {
    let Some(id) = request.preset else { return Ok(request.parameters.clone()) };
    let preset =
        imported.presets.iter().find(|p| p.id(version) == id).ok_or_else(|| {
            Error::invalid("template_version_preset_id", "is not of this version")
        })?;
    let mut values: Vec<ParameterValue> = preset
        .parameters
        .iter()
        .map(|(name, value)| ParameterValue { name: name.clone(), value: value.clone() })
        .collect();
    values.retain(|v| request.parameters.iter().all(|p| p.name != v.name));
    values.extend(request.parameters.iter().cloned());
    Ok(values)
}

/// Who asked: the program itself does it in somebody's name.
fn initiator(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (workspace, request): (WorkspaceId, &BuildRequest),
) -> Result<UserId> {
    match actor.user_id().or(request.on_behalf_of) {
        Some(user) => Ok(user),
        None => workspaces::owner(tx, workspace)?.ok_or(Error::NotFound("workspace")),
    }
}
