//! How jobs end: in one transaction with the state, what was made, and the entry in the audit log.

use super::build_requests::start_again;
use super::builds::{record as record_build, record_end, seal_state};
use super::jobs::{BuildOutcome, ImportFailure, Left, emit_log};
use super::{Actor, Error, Result, access, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::build::{Build, JobKind, JobStatus, Transition};
use crate::model::event::Event;
use crate::model::id::JobId;
use crate::model::log::{LogLevel, LogLine, LogSource};
use crate::model::quota;
use crate::model::template::Imported;
use crate::model::time::Timestamp;
use crate::server::db::seal::Seal;
use crate::server::db::{
    WriteTx, agent_health, agent_spots, builds, job_logs, jobs, quotas, resources, states, timings,
    tokens, versions, workspaces,
};

/// Most bytes of an error kept with a job; the whole is in its log.
const MAX_ERROR: usize = 4096;
/// The step that lines of the server itself belong to.
const STAGE: &str = "Finishing up";

/// Ends a build: its state is stored first, whatever the ending is.
pub(super) fn finish_build(
    tx: &WriteTx<'_>,
    seal: &Seal,
    job: JobId,
    outcome: &BuildOutcome,
) -> Result<()> {
    let build = builds::by_job(tx, job)?.ok_or(Error::NotFound("build"))?;
    if let Some(state) = &outcome.state {
        states::put(tx, build.id, &seal_state(seal, build.id, state))?;
    }
    let status = match (&outcome.error, outcome.canceled) {
        (_, true) => JobStatus::Canceled,
        (Some(_), false) => JobStatus::Failed,
        (None, false) => JobStatus::Succeeded,
    };
    timings::insert(tx, job, &outcome.timings)?;
    if !jobs::end(tx, job, status, &clip(outcome.error.as_deref().unwrap_or_default()))? {
        return Err(Error::conflict("the build is over"));
    }
    if status == JobStatus::Succeeded {
        succeed(tx, seal, &build, outcome)?;
    }
    record_end(tx, &build, status)?;
    tx.emit(Event::Workspace(build.workspace_id));
    tx.emit(Event::BuildLog(build.id));
    tx.emit(Event::Queue);
    Ok(())
}

fn succeed(tx: &WriteTx<'_>, seal: &Seal, build: &Build, outcome: &BuildOutcome) -> Result<()> {
    resources::insert(tx, seal, build.id, &outcome.resources)?;
    builds::set_cost(tx, build.id, outcome.daily_cost)?;
    quotas::hold(tx, build.workspace_id, quota::bounded(outcome.daily_cost))?;
    match build.transition {
        Transition::Start => {
            let workspace = workspaces::find(tx, build.workspace_id)?;
            let ttl = workspace.and_then(|w| w.ttl_s).filter(|_| !build.has_external_agent);
            let at = ttl.map(|s| Timestamp(tx.now.0.saturating_add(s)));
            builds::set_deadline(tx, build.id, at)?;
        }
        Transition::Stop => {
            tokens::delete_lent(tx, build.workspace_id)?;
            if builds::is_then_start(tx, build.id)? {
                go_on(tx, seal, build)?;
            }
        }
        Transition::Delete => delete_workspace(tx, build)?,
    }
    Ok(())
}

/// Starts what was stopped for a restart. What keeps it from that is told in the stop's log: the
/// stop itself has happened.
fn go_on(tx: &WriteTx<'_>, seal: &Seal, stop: &Build) -> Result<()> {
    let why = match start_again(tx, seal, stop) {
        Ok(()) => return Ok(()),
        Err(error @ (Error::Internal(_) | Error::Unavailable(_))) => return Err(error),
        Err(error) => error,
    };
    job_logs::append(
        tx,
        stop.job.id,
        &[trouble(tx, format!("The workspace is not started again: {why}."))],
    )?;
    Ok(())
}

/// A line of the server itself about what went wrong.
fn trouble(tx: &WriteTx<'_>, output: String) -> LogLine {
    LogLine {
        at_ms: tx.now_ms,
        source: LogSource::Daemon,
        level: LogLevel::Error,
        stage: STAGE.to_owned(),
        output,
    }
}

fn delete_workspace(tx: &WriteTx<'_>, build: &Build) -> Result<()> {
    tokens::delete_lent(tx, build.workspace_id)?;
    let workspace =
        workspaces::find(tx, build.workspace_id)?.ok_or(Error::NotFound("workspace"))?;
    workspaces::delete(tx, workspace.id)?;
    agent_health::forget(tx, workspace.id)?;
    agent_spots::forget(tx, workspace.id)?;
    tx.emit(Event::Grants);
    tx.emit(Event::Template(workspace.template_id));
    let name = workspace.name.as_str();
    let entry = trail::entry(AuditAction::Delete, AuditTarget::Workspace, workspace.id.0, name);
    access::record(tx, &Actor::System, &entry)
}

/// Ends an import.
pub(super) fn finish_import(
    tx: &WriteTx<'_>,
    job: JobId,
    result: std::result::Result<Imported, ImportFailure>,
) -> Result<()> {
    let version = versions::by_job(tx, job)?.ok_or(Error::NotFound("template version"))?;
    let (status, error) = match result {
        Ok(imported) => {
            versions::set_imported(tx, version.id, &without_secrets(imported))?;
            (JobStatus::Succeeded, String::new())
        }
        Err(ImportFailure::Canceled) => (JobStatus::Canceled, "cancelled".to_owned()),
        Err(ImportFailure::Failed(why)) => (JobStatus::Failed, why),
    };
    if !jobs::end(tx, job, status, &clip(&error))? {
        return Err(Error::conflict("the import is over"));
    }
    let diff = Diff::new().field("status", version.job.status, status);
    let target = AuditTarget::TemplateVersion;
    let entry = trail::entry(AuditAction::Write, target, version.id.0, &version.name);
    access::record(tx, &Actor::System, &trail::with(entry, &diff))?;
    tx.emit(Event::Version(version.id));
    tx.emit(Event::VersionLog(version.id));
    Ok(())
}

/// What is stored of an import in clear: no values of sensitive variables, nothing of agents that
/// may hold some.
fn without_secrets(mut imported: Imported) -> Imported {
    for v in imported.variables.iter_mut().filter(|v| v.sensitive) {
        v.value.clear();
        v.default_value.clear();
    }
    let made = imported.start_resources.iter_mut().chain(&mut imported.stop_resources);
    for agent in made.flat_map(|r| &mut r.agents) {
        agent.token.clear();
        agent.env.clear();
        agent.scripts.iter_mut().for_each(|s| s.script.clear());
    }
    imported
}

/// Keeps a state whose build ended without it, unless a later build has one.
pub(super) fn keep_late_state(tx: &WriteTx<'_>, seal: &Seal, job: JobId, left: Left) -> Result<()> {
    let (Some(build), Some(state)) = (builds::by_job(tx, job)?, left.state) else { return Ok(()) };
    let newest = match states::newest(tx, build.workspace_id)? {
        Some((of, _)) => builds::find(tx, of)?.map(|b| b.number),
        None => None,
    };
    if newest.is_some_and(|n| n >= build.number) {
        return Ok(());
    }
    states::put(tx, build.id, &seal_state(seal, build.id, &state))?;
    let words = "Its state was found after its end, and is kept.".to_owned();
    let lines: Vec<_> = left.said.into_iter().chain([words]).map(|l| trouble(tx, l)).collect();
    job_logs::append(tx, job, &lines)?;
    tx.emit(Event::Workspace(build.workspace_id));
    tx.emit(Event::BuildLog(build.id));
    let diff = Diff::new().field("state", "", "found");
    record_build(tx, &Actor::System, &build, (AuditAction::Write, diff))
}

/// Ends a job that an earlier life of the server left running.
pub(super) fn resolve(
    tx: &WriteTx<'_>,
    seal: &Seal,
    (job, kind): (JobId, JobKind),
    left: Left,
) -> Result<()> {
    let words = match (kind, &left.state) {
        (JobKind::Import, _) => "The server was stopped during this import; push it again.",
        (JobKind::Build, Some(_)) => {
            "The server was stopped during this build; what exists is kept in the state."
        }
        (JobKind::Build, None) => {
            "The server was stopped during this build, before it changed anything."
        }
    };
    let said = left.said.into_iter().chain([words.to_owned()]);
    let lines: Vec<_> = said.map(|line| trouble(tx, line)).collect();
    job_logs::append(tx, job, &lines)?;
    emit_log(tx, job, kind)?;
    let error = "the server was stopped".to_owned();
    match kind {
        JobKind::Import => finish_import(tx, job, Err(ImportFailure::Failed(error))),
        JobKind::Build => {
            let outcome =
                BuildOutcome { error: Some(error), state: left.state, ..BuildOutcome::default() };
            finish_build(tx, seal, job, &outcome)
        }
    }
}

fn clip(error: &str) -> String {
    error.get(..error.floor_char_boundary(MAX_ERROR)).unwrap_or_default().to_owned()
}
