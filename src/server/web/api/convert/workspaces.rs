//! Workspaces and builds in Coder's words.

use crate::model::agent::{Agent, Resource, ScriptRun};
use crate::model::build::{Build, Timing};
use crate::model::parameter::ParameterValue;
use crate::model::resource::ResourceMetadata;
use crate::model::time::Timestamp;
use crate::model::workspace::Workspace;
use crate::wire::coder::{Time, builds, workspaces as wire};

use super::agents;
use super::names::Names;

/// A workspace as it is at `now`.
#[must_use]
pub fn workspace(w: &Workspace, names: &Names, now: Timestamp) -> wire::Workspace {
    let schedule = Some(w.autostart_schedule.clone()).filter(|s| !s.is_empty());
    wire::Workspace {
        id: w.id.0,
        created_at: w.created_at.into(),
        updated_at: w.updated_at.into(),
        owner_id: w.owner.id.0,
        owner_name: w.owner.username.to_string(),
        organization_id: w.organization_id.0,
        organization_name: names.organization(w.organization_id).name,
        template_id: w.template_id.0,
        template_name: w.template_name.to_string(),
        template_display_name: w.template_display_name.clone(),
        template_icon: w.template_icon.clone(),
        template_allow_user_cancel_workspace_jobs: true,
        template_active_version_id: w.template_active_version_id.0,
        template_use_classic_parameter_flow: true,
        latest_build: build(&w.latest_build, Some(w), now),
        outdated: w.outdated(),
        name: w.name.to_string(),
        autostart_schedule: schedule,
        ttl_ms: w.ttl_s.map(|s| s.saturating_mul(1000)),
        last_used_at: w.last_used_at.into(),
        health: health(w, now),
        automatic_updates: if w.automatic_updates { "always" } else { "never" }.to_owned(),
        allow_renames: true,
        ..wire::Workspace::default()
    }
}

fn health(w: &Workspace, now: Timestamp) -> wire::WorkspaceHealth {
    let failing_agents: Vec<_> = w.failing_agents(now).iter().map(|id| id.0).collect();
    wire::WorkspaceHealth { healthy: failing_agents.is_empty(), failing_agents }
}

/// A build; names of its workspace and owner come from `of`.
#[must_use]
pub fn build(b: &Build, of: Option<&Workspace>, now: Timestamp) -> builds::Build {
    builds::Build {
        id: b.id.0,
        created_at: b.job.created_at.into(),
        updated_at: b.job.ended_at.or(b.job.started_at).unwrap_or(b.job.created_at).into(),
        workspace_id: b.workspace_id.0,
        workspace_name: of.map(|w| w.name.to_string()).unwrap_or_default(),
        workspace_owner_id: of.map(|w| w.owner.id.0).unwrap_or_default(),
        workspace_owner_name: of.map(|w| w.owner.username.to_string()).unwrap_or_default(),
        template_version_id: b.version_id.0,
        template_version_name: b.version_name.clone(),
        build_number: b.number,
        transition: b.transition.to_string(),
        initiator_id: b.initiator.id.0,
        initiator_name: b.initiator.username.to_string(),
        job: super::jobs::of_build(b),
        reason: b.reason.to_string(),
        resources: b.resources.iter().map(|r| resource(r, b, now)).collect(),
        deadline: b.deadline.map(Time::from),
        status: b.status().to_string(),
        daily_cost: b.daily_cost,
        has_external_agent: b.has_external_agent,
        ..builds::Build::default()
    }
}

/// A resource of a build.
#[must_use]
pub fn resource(r: &Resource, of: &Build, now: Timestamp) -> builds::Resource {
    builds::Resource {
        id: r.id.0,
        created_at: r.created_at.into(),
        job_id: of.job.id.0,
        workspace_transition: of.transition.to_string(),
        r#type: r.kind.clone(),
        name: r.name.clone(),
        hide: r.hide,
        icon: r.icon.clone(),
        agents: r.agents.iter().map(|a| agents::agent(a, r.id, now)).collect(),
        metadata: r.metadata.iter().map(metadata).collect(),
        daily_cost: r.daily_cost,
    }
}

/// A fact about a resource.
#[must_use]
pub fn metadata(m: &ResourceMetadata) -> builds::ResourceMetadata {
    builds::ResourceMetadata {
        key: m.key.clone(),
        value: m.value.clone().unwrap_or_default(),
        sensitive: m.sensitive,
    }
}

/// A parameter's value.
#[must_use]
pub fn parameter(v: &ParameterValue) -> builds::BuildParameter {
    builds::BuildParameter { name: v.name.clone(), value: v.value.clone() }
}

/// A parameter's value as it is asked for.
#[must_use]
pub fn asked(v: builds::BuildParameter) -> ParameterValue {
    ParameterValue { name: v.name, value: v.value }
}

/// How long a build and its agents took.
#[must_use]
pub fn timings(b: &Build, steps: &[Timing], runs: &[(Agent, Vec<ScriptRun>)]) -> builds::Timings {
    let provisioner = steps.iter().map(|t| builds::ProvisionerTiming {
        job_id: b.job.id.0,
        started_at: Time(t.started_ms),
        ended_at: Time(t.ended_ms),
        stage: t.stage.clone(),
        source: t.source.clone(),
        action: t.action.clone(),
        resource: t.resource.clone(),
    });
    let scripts = runs.iter().flat_map(|(a, runs)| runs.iter().map(|r| script_timing(a, r)));
    let connections = runs.iter().filter_map(|(a, _)| {
        let connected = a.first_connected_at?;
        Some(builds::ConnectionTiming {
            started_at: a.created_at.into(),
            ended_at: connected.into(),
            stage: "connect".to_owned(),
            workspace_agent_id: a.id.to_string(),
            workspace_agent_name: a.spec.name.clone(),
        })
    });
    builds::Timings {
        provisioner_timings: provisioner.collect(),
        agent_script_timings: scripts.collect(),
        agent_connection_timings: connections.collect(),
    }
}

fn script_timing(a: &Agent, run: &ScriptRun) -> builds::ScriptTiming {
    let script = a.spec.scripts.iter().find(|s| s.id == run.script);
    let status = match (run.timed_out, run.exit_code) {
        (true, _) => "timed_out",
        (false, 0) => "ok",
        (false, _) => "exit_failure",
    };
    builds::ScriptTiming {
        started_at: Time(run.started_ms),
        ended_at: Time(run.ended_ms),
        exit_code: run.exit_code,
        stage: run.stage.clone(),
        status: status.to_owned(),
        display_name: script.map(|s| s.display_name.clone()).unwrap_or_default(),
        workspace_agent_id: a.id.to_string(),
        workspace_agent_name: a.spec.name.clone(),
    }
}
