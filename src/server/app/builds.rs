//! Builds: read, cancelled, repaired. They are asked for in [`super::build_requests`] and done by
//! runners through [`super::jobs`].

use super::versions::cancel_job;
use super::{Actor, App, Error, Page, Result, access, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::build::{Build, JobStatus, Timing};
use crate::model::event::Event;
use crate::model::id::{BuildId, WorkspaceId};
use crate::model::parameter::{Parameter, ParameterValue};
use crate::model::verb::Verb;
use crate::model::workspace::Workspace;
use crate::server::db::seal::{Place, Seal};
use crate::server::db::{
    ReadTx, WriteTx, build_parameters, builds, resources, states, timings, versions, workspaces,
};

/// Largest Terraform state taken from a client.
pub const MAX_STATE_BYTES: usize = 32 << 20;

impl App {
    /// Cancels a build: at once when it waits, else its runner is asked to stop.
    ///
    /// # Errors
    /// When the actor may not, or the build is over.
    pub async fn cancel_build(&self, actor: &Actor, id: BuildId) -> Result<()> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let build = builds::find(tx, id)?.ok_or(Error::NotFound("build"))?;
                access::require(tx, &actor, build.workspace_id, Verb::Operate)?;
                cancel_job(tx, build.job.id, build.job.status)?;
                tx.emit(Event::Workspace(build.workspace_id));
                let diff = Diff::new().field("status", build.job.status.as_str(), "canceled");
                record(tx, &actor, &build, (AuditAction::Write, diff))
            })
            .await
    }

    /// A build with what it made. Builds of a deleted workspace stay readable for its owner.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn build(&self, actor: &Actor, id: BuildId) -> Result<Build> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let mut build = find(tx, &actor, id)?;
                build.resources = resources::list(tx, id)?;
                Ok(build)
            })
            .await
    }

    /// The workspace of a build, as it was last when it is deleted.
    ///
    /// # Errors
    /// When there is no build that the actor may see.
    pub async fn workspace_of_build(&self, actor: &Actor, id: BuildId) -> Result<Workspace> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let build = find(tx, &actor, id)?;
                workspaces::find(tx, build.workspace_id)?.ok_or(Error::NotFound("workspace"))
            })
            .await
    }

    /// A build of a workspace by its number.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn build_by_number(
        &self,
        actor: &Actor,
        workspace: WorkspaceId,
        number: i64,
    ) -> Result<Build> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                access::require_history(tx, &actor, workspace)?;
                let mut build =
                    builds::by_number(tx, workspace, number)?.ok_or(Error::NotFound("build"))?;
                build.resources = resources::list(tx, build.id)?;
                Ok(build)
            })
            .await
    }

    /// Builds of a workspace, newest first, without what they made.
    ///
    /// # Errors
    /// When there is no workspace that the actor may see.
    pub async fn builds(
        &self,
        actor: &Actor,
        workspace: WorkspaceId,
        page: Page,
    ) -> Result<Vec<Build>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                access::require_history(tx, &actor, workspace)?;
                Ok(builds::list(tx, workspace, page.pair())?)
            })
            .await
    }

    /// How long the steps of a build took.
    ///
    /// # Errors
    /// When there is no build that the actor may see.
    pub async fn build_timings(&self, actor: &Actor, id: BuildId) -> Result<Vec<Timing>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let build = find(tx, &actor, id)?;
                Ok(timings::list(tx, build.job.id)?)
            })
            .await
    }

    /// The values of a build's parameters.
    ///
    /// # Errors
    /// When there is no build that the actor may see.
    pub async fn build_parameters(
        &self,
        actor: &Actor,
        id: BuildId,
    ) -> Result<Vec<ParameterValue>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                find(tx, &actor, id)?;
                Ok(build_parameters::list(tx, id)?)
            })
            .await
    }

    /// What the version that a build uses asks. Whoever may see the build may see it, also when they
    /// may not use the template any more.
    ///
    /// # Errors
    /// When there is no build that the actor may see.
    pub async fn build_questions(&self, actor: &Actor, id: BuildId) -> Result<Vec<Parameter>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let build = find(tx, &actor, id)?;
                Ok(versions::imported(tx, build.version_id)?.unwrap_or_default().parameters)
            })
            .await
    }

    /// The Terraform state after a build; empty when there is none.
    ///
    /// # Errors
    /// When the actor does not push templates, or there is no such build.
    pub async fn build_state(&self, actor: &Actor, id: BuildId) -> Result<Vec<u8>> {
        let (actor, seal) = (actor.clone(), self.seal.clone());
        self.db
            .read_large(move |tx| {
                let build = find(tx, &actor, id)?;
                access::require_author(tx, &actor, build.workspace_id)?;
                let sealed = states::find(tx, id)?;
                Ok(sealed.map(|s| open_state(&seal, id, &s)).transpose()?.unwrap_or_default())
            })
            .await
    }

    /// Replaces the Terraform state after a workspace's last build. For repairs by hand.
    ///
    /// # Errors
    /// When the actor does not push templates, the build is not the last or not over, or the bytes
    /// are no state.
    pub async fn put_build_state(&self, actor: &Actor, id: BuildId, state: Vec<u8>) -> Result<()> {
        let (actor, seal) = (actor.clone(), self.seal.clone());
        self.db
            .write(move |tx| {
                let build = find(tx, &actor, id)?;
                access::require_author(tx, &actor, build.workspace_id)?;
                check_state(&state)?;
                let sealed = seal_state(&seal, id, &state);
                let last = builds::last(tx, build.workspace_id)?;
                if build.job.status.is_active() || last.is_none_or(|b| b.id != id) {
                    return Err(Error::conflict(
                        "only the last build's state can be replaced, when it is over",
                    ));
                }
                states::put(tx, id, &sealed)?;
                tx.emit(Event::Workspace(build.workspace_id));
                let diff = Diff::new().field("state", "", "replaced");
                record(tx, &actor, &build, (AuditAction::Write, diff))
            })
            .await
    }
}

/// A build that the actor may see.
pub(super) fn find(tx: &ReadTx<'_>, actor: &Actor, id: BuildId) -> Result<Build> {
    let build = builds::find(tx, id)?.ok_or(Error::NotFound("build"))?;
    match access::require_history(tx, actor, build.workspace_id) {
        Ok(()) => Ok(build),
        Err(Error::NotFound(_)) => Err(Error::NotFound("build")),
        Err(other) => Err(other),
    }
}

/// Writes an entry in the audit log on a build.
pub(super) fn record(
    tx: &WriteTx<'_>,
    actor: &Actor,
    build: &Build,
    (action, diff): (AuditAction, Diff),
) -> Result<()> {
    let name = workspaces::find(tx, build.workspace_id)?
        .map(|w| format!("{}/{} #{}", w.owner.username, w.name, build.number))
        .unwrap_or_default();
    let entry = trail::entry(action, AuditTarget::WorkspaceBuild, build.id.0, &name);
    access::record(tx, actor, &trail::with(entry, &diff))
}

/// Notes in the audit log how a build ended.
pub(super) fn record_end(tx: &WriteTx<'_>, build: &Build, status: JobStatus) -> Result<()> {
    let diff = Diff::new().field("status", build.job.status, status);
    record(tx, &Actor::System, build, (AuditAction::Write, diff))
}

/// Whether the bytes are a Terraform state of a size that is taken.
pub(super) fn check_state(state: &[u8]) -> Result<()> {
    if state.len() > MAX_STATE_BYTES {
        return Err(Error::invalid("state", "is larger than 32 MiB"));
    }
    let is_state = serde_json::from_slice::<serde_json::Value>(state)
        .is_ok_and(|s| s.get("version").is_some_and(serde_json::Value::is_u64));
    if is_state { Ok(()) } else { Err(Error::invalid("state", "is not a Terraform state")) }
}

/// Seals a state for its build.
pub(super) fn seal_state(seal: &Seal, build: BuildId, state: &[u8]) -> Vec<u8> {
    seal.seal(Place { column: states::COLUMN, row: &build.to_string() }, state)
}

/// Opens the state of a build.
pub(super) fn open_state(seal: &Seal, build: BuildId, sealed: &[u8]) -> Result<Vec<u8>> {
    Ok(seal.open(Place { column: states::COLUMN, row: &build.to_string() }, sealed)?)
}
