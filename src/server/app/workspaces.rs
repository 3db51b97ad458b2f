//! Workspaces: made, found, changed. What runs in them is the business of their builds.

use super::build_requests::{BuildRequest, add_build};
use super::{Actor, App, Error, Result, access, templates, trail};
use crate::model::audit::{AuditAction, AuditEntry, AuditTarget, Diff};
use crate::model::build::{Transition, WorkspaceStatus, check_external};
use crate::model::event::Event;
use crate::model::id::{OrganizationId, TemplateId, UserId, VersionId, WorkspaceId};
use crate::model::name::WorkspaceName;
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::schedule;
use crate::model::time::Timestamp;
use crate::model::user::UserStatus;
use crate::model::verb::Verb;
use crate::model::workspace::Workspace;
use crate::server::db::workspaces::NewWorkspace;
use crate::server::db::{ReadTx, WriteTx, builds, resources, users, versions, workspaces};

/// Bounds of the time a workspace runs: a minute, and thirty days.
pub const TTL_S: std::ops::RangeInclusive<i64> = 60..=30 * 86_400;

/// What a new workspace is made from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// A template's active version.
    Template(TemplateId),
    /// This version.
    Version(VersionId),
}

/// A workspace to be made and started.
#[derive(Clone, Debug)]
pub struct CreateWorkspace {
    /// Whose it will be.
    pub owner: UserId,
    /// Its name.
    pub name: WorkspaceName,
    /// What it is made from.
    pub source: Source,
    /// Seconds it runs before it stops by itself; 0 for no end, none for the template's default.
    pub ttl_s: Option<i64>,
    /// When it starts by itself; empty for never.
    pub autostart_schedule: String,
    /// Takes the active version at each start.
    pub automatic_updates: bool,
    /// The first build: parameters, preset, reason.
    pub build: BuildRequest,
}

/// What is to change of a workspace; what is none stays.
#[derive(Clone, Debug, Default)]
pub struct UpdateWorkspace {
    /// The name.
    pub name: Option<WorkspaceName>,
    /// When it starts by itself; empty for never.
    pub autostart_schedule: Option<String>,
    /// Seconds it runs before it stops by itself; 0 for no end.
    pub ttl_s: Option<i64>,
    /// Takes the active version at each start.
    pub automatic_updates: Option<bool>,
}

impl App {
    /// Makes a workspace and asks for its first build. Owners may do it for others.
    ///
    /// # Errors
    /// When the actor may not, the template is deprecated or not ready, an answer does not fit, or
    /// the name is taken.
    pub async fn create_workspace(&self, actor: &Actor, cmd: CreateWorkspace) -> Result<Workspace> {
        let (actor, seal) = (actor.clone(), self.seal.clone());
        check_schedule(&cmd.autostart_schedule)?;
        self.db
            .write(move |tx| {
                let (template, version) = source(tx, &actor, cmd.source)?;
                require_owner(tx, &actor, (cmd.owner, template.organization_id))?;
                if !template.deprecation.is_empty() {
                    return Err(Error::conflict(format!(
                        "the template is deprecated: {}",
                        template.deprecation
                    )));
                }
                let new = NewWorkspace {
                    id: tx.fresh(),
                    owner: cmd.owner,
                    name: &cmd.name,
                    template: template.id,
                    ttl_s: ttl(cmd.ttl_s.unwrap_or(template.default_ttl_s))?,
                    autostart_schedule: &cmd.autostart_schedule,
                    automatic_updates: cmd.automatic_updates,
                };
                workspaces::insert(tx, &new).map_err(|e| taken(e, &cmd.name))?;
                let entry = trail::entry(
                    AuditAction::Create,
                    AuditTarget::Workspace,
                    new.id.0,
                    cmd.name.as_str(),
                );
                access::record(tx, &actor, &entry)?;
                let request = BuildRequest { transition: Transition::Start, ..cmd.build.clone() };
                add_build(tx, &seal, &actor, (new.id, version, &request))?;
                tx.emit(Event::Template(template.id));
                load(tx, new.id)
            })
            .await
    }

    /// A workspace with its last build and what that made.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn workspace(&self, actor: &Actor, id: WorkspaceId) -> Result<Workspace> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                access::require(tx, &actor, id, Verb::View)?;
                load(tx, id)
            })
            .await
    }

    /// A workspace by its owner's name (`me` for one's own) and its name.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn workspace_by_name(
        &self,
        actor: &Actor,
        owner: &str,
        name: &str,
    ) -> Result<Workspace> {
        let (actor, owner, name) = (actor.clone(), owner.to_owned(), name.to_owned());
        self.db
            .read(move |tx| {
                let owner = owner_id(tx, &actor, &owner)?.ok_or(Error::NotFound("workspace"))?;
                let id = workspaces::id_by_name(tx, owner, &name)?
                    .ok_or(Error::NotFound("workspace"))?;
                access::require(tx, &actor, id, Verb::View)?;
                load(tx, id)
            })
            .await
    }

    /// Owner and name of a workspace, for who is in it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none.
    pub async fn place_of(&self, id: WorkspaceId) -> Result<String> {
        let found = self.db.read(move |tx| load(tx, id)).await?;
        Ok(format!("{}/{}", found.owner.username, found.name))
    }

    /// Changes a workspace's name, schedule, time to run and automatic updates.
    ///
    /// # Errors
    /// When the actor may not, something does not fit, or the name is taken.
    pub async fn update_workspace(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        cmd: UpdateWorkspace,
    ) -> Result<Workspace> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                access::require(tx, &actor, id, Verb::Manage)?;
                let old = load(tx, id)?;
                let mut new = old.clone();
                new.name = cmd.name.unwrap_or(new.name);
                if let Some(schedule) = cmd.autostart_schedule {
                    check_schedule(&schedule)?;
                    new.autostart_schedule = schedule;
                }
                if let Some(seconds) = cmd.ttl_s {
                    new.ttl_s = ttl(seconds)?;
                }
                new.automatic_updates = cmd.automatic_updates.unwrap_or(new.automatic_updates);
                workspaces::update(tx, &new).map_err(|e| taken(e, &new.name))?;
                if old.ttl_s != new.ttl_s {
                    new.latest_build.deadline = restart_clock(tx, &new)?;
                }
                let seconds = |ttl: Option<i64>| ttl.unwrap_or_default();
                let diff = Diff::new()
                    .field("name", &old.name, &new.name)
                    .field("autostart_schedule", &old.autostart_schedule, &new.autostart_schedule)
                    .field("ttl", seconds(old.ttl_s), seconds(new.ttl_s))
                    .field("automatic_updates", old.automatic_updates, new.automatic_updates);
                changed(tx, &actor, &new, |entry| trail::with(entry, &diff))?;
                Ok(new)
            })
            .await
    }

    /// Moves the time at which a running workspace stops by itself.
    ///
    /// # Errors
    /// When the actor may not, it does not run, or the time is less than half an hour or more than
    /// thirty days away.
    pub async fn extend_workspace(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        deadline: Timestamp,
    ) -> Result<()> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                access::require(tx, &actor, id, Verb::Operate)?;
                let workspace = load(tx, id)?;
                if workspace.status() != WorkspaceStatus::Running {
                    return Err(Error::conflict("the workspace does not run"));
                }
                check_external(Some(&workspace.latest_build), Transition::Stop)
                    .map_err(Error::conflict)?;
                if !(30 * 60..=*TTL_S.end()).contains(&(deadline.0 - tx.now.0)) {
                    return Err(Error::invalid("deadline", "wants 30 minutes to 30 days from now"));
                }
                builds::set_deadline(tx, workspace.latest_build.id, Some(deadline))?;
                let diff = Diff::new().field(
                    "deadline",
                    workspace.latest_build.deadline.map(Timestamp::rfc3339).unwrap_or_default(),
                    deadline.rfc3339(),
                );
                changed(tx, &actor, &workspace, |entry| trail::with(entry, &diff))
            })
            .await
    }

    /// Notes that someone is in a workspace. Written at most once a minute; a use of the program
    /// itself, so it leaves no entry in the audit log.
    ///
    /// # Errors
    /// When the actor may not connect.
    pub async fn touch_workspace(&self, actor: &Actor, id: WorkspaceId) -> Result<()> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                access::require(tx, &actor, id, Verb::Connect)?;
                if workspaces::touch(tx, id)? {
                    tx.emit(Event::Workspace(id));
                }
                Ok(())
            })
            .await
    }

    /// Running workspaces whose end has come.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn overdue_workspaces(&self) -> Result<Vec<WorkspaceId>> {
        self.db.read(|tx| Ok(workspaces::overdue(tx)?)).await
    }
}

/// A workspace with its last build and what that made, for whoever may see it.
pub(super) fn load(tx: &ReadTx<'_>, id: WorkspaceId) -> Result<Workspace> {
    let mut workspace = workspaces::find(tx, id)?.ok_or(Error::NotFound("workspace"))?;
    workspace.latest_build.resources = resources::list(tx, workspace.latest_build.id)?;
    Ok(workspace)
}

pub(super) fn owner_id(tx: &ReadTx<'_>, actor: &Actor, owner: &str) -> Result<Option<UserId>> {
    match (owner, owner.parse::<UserId>()) {
        ("me", _) => Ok(Some(actor.caller()?.user.id)),
        (_, Ok(id)) => Ok(Some(id)),
        (name, Err(_)) => Ok(users::find_by_name(tx, name)?.map(|u| u.id)),
    }
}

/// Asks for the right to make a workspace that will be this user's.
fn require_owner(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (owner, organization): (UserId, OrganizationId),
) -> Result<()> {
    let object = Object::site(ResourceType::Workspace).of(owner).within(organization);
    actor.require(tx.now, Action::Create, &object)?;
    let user = users::find(tx, owner)?.ok_or(Error::NotFound("user"))?;
    match user.status {
        UserStatus::Suspended => return Err(Error::conflict("the user is suspended")),
        UserStatus::Deleted => return Err(Error::NotFound("user")),
        UserStatus::Active | UserStatus::Dormant => {}
    }
    if !user.organizations.contains(&organization) {
        let why = format!("{} is not in the template's organization", user.username);
        return Err(Error::Conflict(why));
    }
    Ok(())
}

fn source(
    tx: &ReadTx<'_>,
    actor: &Actor,
    source: Source,
) -> Result<(crate::model::template::Template, VersionId)> {
    match source {
        Source::Template(id) => {
            let template = templates::find_for(tx, actor, Action::Use, id)?;
            let version = template.active_version_id;
            Ok((template, version))
        }
        Source::Version(id) => {
            let template = versions::find(tx, id)?.and_then(|v| v.template_id);
            let template = template.ok_or(Error::NotFound("template version"))?;
            match templates::find_for(tx, actor, Action::Use, template) {
                // That there is such a version is told only to who knows its template.
                Err(Error::NotFound(_)) => Err(Error::NotFound("template version")),
                found => Ok((found?, id)),
            }
        }
    }
}

/// Counts the time to run anew from now, for a workspace that runs.
fn restart_clock(tx: &WriteTx<'_>, w: &Workspace) -> Result<Option<Timestamp>> {
    let ttl_s = w.ttl_s.filter(|_| !w.latest_build.has_external_agent);
    let at = ttl_s.map(|s| Timestamp(tx.now.0.saturating_add(s)));
    if w.status() == WorkspaceStatus::Running {
        builds::set_deadline(tx, w.latest_build.id, at)?;
        return Ok(at);
    }
    Ok(w.latest_build.deadline)
}

fn ttl(seconds: i64) -> Result<Option<i64>> {
    match seconds {
        0 => Ok(None),
        s if TTL_S.contains(&s) => Ok(Some(s)),
        _ => Err(Error::invalid("ttl_ms", "wants a minute to 30 days, or 0 for no end")),
    }
}

fn check_schedule(text: &str) -> Result<()> {
    if text.is_empty() {
        return Ok(());
    }
    schedule::check(text).map_err(|e| Error::invalid("schedule", e))
}

fn taken(error: crate::server::db::Error, name: &WorkspaceName) -> Error {
    Error::taken(error, || format!("there is a workspace named {name} already"))
}

fn changed(
    tx: &WriteTx<'_>,
    actor: &Actor,
    w: &Workspace,
    with: impl FnOnce(AuditEntry) -> AuditEntry,
) -> Result<()> {
    tx.emit(Event::Workspace(w.id));
    let entry = trail::entry(AuditAction::Write, AuditTarget::Workspace, w.id.0, w.name.as_str());
    access::record(tx, actor, &with(entry))
}
