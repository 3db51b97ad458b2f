//! Agents and apps in Coder's words.

use std::collections::BTreeMap;

use crate::model::agent::{Agent, AgentLogLine, App, MetadataValue};
use crate::model::app::HealthCheck;
use crate::model::id::ResourceId;
use crate::model::resource::{DisplayApps, MetadataSpec};
use crate::model::time::Timestamp;
use crate::wire::coder::{Time, agents as wire};

/// The version of the agents' API that Coder's clients look for.
const API_VERSION: &str = "2.0";

/// An agent as it is at `now`.
#[must_use]
pub fn agent(a: &Agent, resource: ResourceId, now: Timestamp) -> wire::Agent {
    let blocks = a.spec.scripts.iter().any(|s| s.run_on_start && s.start_blocks_login);
    let seen = a.first_connected_at.is_some();
    wire::Agent {
        id: a.id.0,
        parent_id: None,
        created_at: a.created_at.into(),
        updated_at: a.last_connected_at.unwrap_or(a.created_at).into(),
        first_connected_at: a.first_connected_at.map(Time::from),
        last_connected_at: a.last_connected_at.map(Time::from),
        disconnected_at: a.disconnected_at.map(Time::from),
        started_at: a.started_at.map(Time::from),
        ready_at: a.ready_at.map(Time::from),
        status: a.status(now).to_string(),
        lifecycle_state: a.lifecycle.to_string(),
        name: a.spec.name.clone(),
        resource_id: resource.0,
        instance_id: a.spec.instance_id.clone(),
        architecture: a.spec.arch.clone(),
        // Values often hold secrets: they are for the agent alone.
        environment_variables: BTreeMap::new(),
        operating_system: a.spec.os.clone(),
        logs_length: 0,
        logs_overflowed: false,
        directory: a.spec.directory.clone(),
        expanded_directory: a.expanded_directory.clone(),
        version: a.version.clone(),
        api_version: if seen { API_VERSION.to_owned() } else { String::new() },
        apps: a.apps.iter().map(app).collect(),
        latency: BTreeMap::new(),
        connection_timeout_seconds: i64::from(a.spec.connection_timeout_s),
        troubleshooting_url: a.spec.troubleshooting_url.clone(),
        subsystems: vec![],
        health: health(a, now),
        display_apps: display_apps(a.spec.display_apps),
        log_sources: log_sources(a),
        scripts: scripts(a),
        startup_script_behavior: if blocks { "blocking" } else { "non-blocking" }.to_owned(),
        login_before_ready: !blocks,
    }
}

fn scripts(a: &Agent) -> Vec<wire::Script> {
    let script = |s: &crate::model::resource::ScriptSpec| wire::Script {
        id: s.id.0,
        log_source_id: s.log_source_id.0,
        log_path: s.log_path.clone(),
        script: s.script.clone(),
        cron: s.cron.clone(),
        run_on_start: s.run_on_start,
        run_on_stop: s.run_on_stop,
        start_blocks_login: s.start_blocks_login,
        timeout: i64::from(s.timeout_s),
        display_name: s.display_name.clone(),
    };
    a.spec.scripts.iter().map(script).collect()
}

fn log_sources(a: &Agent) -> Vec<wire::LogSource> {
    let source = |s: &crate::model::resource::ScriptSpec| wire::LogSource {
        workspace_agent_id: a.id.0,
        id: s.log_source_id.0,
        created_at: a.created_at.into(),
        display_name: s.display_name.clone(),
        icon: s.icon.clone(),
    };
    a.spec.scripts.iter().map(source).collect()
}

/// Whether an agent is well, and why not.
#[must_use]
pub fn health(a: &Agent, now: Timestamp) -> wire::AgentHealth {
    let reason = a.trouble(now);
    wire::AgentHealth { healthy: reason.is_empty(), reason: reason.to_owned() }
}

fn display_apps(shown: DisplayApps) -> Vec<String> {
    let all = [
        (shown.vscode, "vscode"),
        (shown.vscode_insiders, "vscode_insiders"),
        (shown.web_terminal, "web_terminal"),
        (shown.ssh_helper, "ssh_helper"),
        (shown.port_forwarding_helper, "port_forwarding_helper"),
    ];
    all.into_iter().filter(|(on, _)| *on).map(|(_, name)| name.to_owned()).collect()
}

fn app(a: &App) -> wire::App {
    wire::App {
        id: a.spec.id.0,
        url: a.spec.url.clone(),
        external: a.spec.external,
        slug: a.spec.slug.clone(),
        display_name: a.spec.display_name.clone(),
        command: a.spec.command.clone(),
        icon: a.spec.icon.clone(),
        subdomain: a.spec.subdomain,
        subdomain_name: String::new(),
        sharing_level: a.spec.share.to_string(),
        healthcheck: a.spec.healthcheck.as_ref().map(check).unwrap_or_default(),
        health: a.health.to_string(),
        group: a.spec.group.clone(),
        hidden: a.spec.hidden,
        open_in: a.spec.open_in.to_string(),
        tooltip: a.spec.tooltip.clone(),
        statuses: vec![],
    }
}

fn check(c: &HealthCheck) -> wire::AppHealthcheck {
    wire::AppHealthcheck {
        url: c.url.clone(),
        interval: i64::from(c.interval_s),
        threshold: i64::from(c.threshold),
    }
}

/// A line of an agent's log.
#[must_use]
pub fn log(line: &AgentLogLine) -> wire::AgentLog {
    wire::AgentLog {
        id: line.id,
        created_at: Time(line.at_ms),
        output: line.output.clone(),
        level: line.level.to_string(),
        source_id: line.source_id.0,
    }
}

/// A fact that an agent finds out, with what was found last.
#[must_use]
pub fn metadata(
    spec: &MetadataSpec,
    found: Option<&MetadataValue>,
    now: Timestamp,
) -> wire::AgentMetadata {
    let age = |v: &MetadataValue| i64::try_from(now.since(v.collected_at).as_secs());
    let result = found.map(|v| wire::MetadataResult {
        collected_at: v.collected_at.into(),
        age: age(v).unwrap_or(i64::MAX),
        value: v.value.clone(),
        error: v.error.clone(),
    });
    wire::AgentMetadata {
        result: result.unwrap_or_default(),
        description: wire::MetadataDescription {
            display_name: spec.display_name.clone(),
            key: spec.key.clone(),
            // What it runs may hold secrets, as environment does.
            script: String::new(),
            interval: i64::from(spec.interval_s),
            timeout: i64::from(spec.timeout_s),
        },
    }
}
