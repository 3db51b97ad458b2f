//! From `coder_agent` and what hangs on it to an agent's description.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value as Json;

use super::graph::Walk;
use super::plan::{self, Object};
use super::resources::{Found, Wrong};
use crate::model::app::{AppOpenIn, AppShare, AppSpec, HealthCheck};
use crate::model::resource::{AgentSpec, DisplayApps, MetadataSpec, ResourceSpec, ScriptSpec};

/// An agent with its apps, scripts and variables.
pub(super) fn agent(
    found: &Found<'_>,
    object: &Object,
    external: bool,
) -> Result<AgentSpec, Wrong> {
    check_name(object)?;
    let by_token = matches!(object.text("auth").as_str(), "token" | "");
    let parts = |kind| found.of(kind).filter(|part| found.belongs(part, object));
    let mut scripts = own_scripts(found, object);
    scripts.extend(parts("coder_script").map(|part| script(found, part)));
    let mut apps = parts("coder_app").map(|part| app(found, part)).collect::<Vec<_>>();
    apps.sort_by(|a, b| (a.order, &a.slug).cmp(&(b.order, &b.slug)));
    Ok(AgentSpec {
        id: uuid_of(found, object).into(),
        name: object.name.clone(),
        os: object.text("os"),
        arch: object.text("arch"),
        directory: object.text("dir"),
        env: environment(object, parts("coder_env"))?,
        token: if by_token { object.text("token") } else { String::new() },
        instance_id: if by_token { String::new() } else { instance_id(found, object) },
        connection_timeout_s: seconds(object.values.get("connection_timeout")),
        troubleshooting_url: object.text("troubleshooting_url"),
        motd_file: object.text("motd_file"),
        display_apps: object.blocks("display_apps").next().map(display_apps).unwrap_or_default(),
        order: object.int("order"),
        api_key_scope: object.text("api_key_scope"),
        external,
        apps,
        scripts,
        metadata: metadata(object),
    })
}

fn check_name(object: &Object) -> Result<(), Wrong> {
    let name = &object.name;
    if name.contains('_') {
        return Err(format!(
            "{}: an agent's name goes into host names, so it cannot hold an underscore; use {:?}",
            object.address,
            name.replace('_', "-")
        ));
    }
    let word = |w: &str| !w.is_empty() && w.bytes().all(|b| b.is_ascii_alphanumeric());
    if name.split('-').all(word) {
        return Ok(());
    }
    let address = &object.address;
    Err(format!("{address}: an agent's name is letters, digits and single hyphens between them"))
}

/// The id that Terraform keeps; a fresh one while there is none.
fn uuid_of(found: &Found<'_>, object: &Object) -> uuid::Uuid {
    object.text("id").parse().unwrap_or_else(|_| found.entropy.uuid4())
}

fn seconds(value: Option<&Json>) -> u32 {
    plan::int(value).and_then(|n| u32::try_from(n).ok()).unwrap_or(0)
}

/// The agent's own variables, then those of `coder_env` in the order of their addresses.
fn environment<'a>(
    object: &Object,
    parts: impl Iterator<Item = &'a Object>,
) -> Result<BTreeMap<String, String>, Wrong> {
    let mut env = object.map("env");
    for part in parts {
        let (name, value) = (part.text("name"), part.text("value"));
        let before = env.get(&name).filter(|b| !b.is_empty());
        let merged = match (part.text("merge_strategy").as_str(), before) {
            ("error", _) if env.contains_key(&name) => {
                return Err(format!("{}: {name:?} is set already", part.address));
            }
            ("append", Some(before)) => format!("{before}:{value}"),
            ("prepend", Some(before)) => format!("{value}:{before}"),
            _ => value,
        };
        env.insert(name, merged);
    }
    Ok(env)
}

fn own_scripts(found: &Found<'_>, object: &Object) -> Vec<ScriptSpec> {
    let (start, stop) = (object.text("startup_script"), object.text("shutdown_script"));
    let spec = |name: &str, script: String, log: &str| ScriptSpec {
        id: found.uuid7().into(),
        log_source_id: found.uuid7().into(),
        display_name: name.to_owned(),
        icon: String::new(),
        script,
        log_path: log.to_owned(),
        cron: String::new(),
        start_blocks_login: false,
        run_on_start: false,
        run_on_stop: false,
        timeout_s: 0,
    };
    let mut out = Vec::new();
    if !start.is_empty() {
        out.push(ScriptSpec {
            run_on_start: true,
            start_blocks_login: object.text("startup_script_behavior") == "blocking",
            ..spec("Startup Script", start, "coder-startup-script.log")
        });
    }
    if !stop.is_empty() {
        out.push(ScriptSpec {
            run_on_stop: true,
            ..spec("Shutdown Script", stop, "coder-shutdown-script.log")
        });
    }
    out
}

fn script(found: &Found<'_>, part: &Object) -> ScriptSpec {
    ScriptSpec {
        id: uuid_of(found, part).into(),
        log_source_id: found.uuid7().into(),
        display_name: part.text("display_name"),
        icon: part.text("icon"),
        script: part.text("script"),
        log_path: part.text("log_path"),
        cron: part.text("cron"),
        start_blocks_login: part.bool("start_blocks_login"),
        run_on_start: part.bool("run_on_start"),
        run_on_stop: part.bool("run_on_stop"),
        timeout_s: seconds(part.values.get("timeout")),
    }
}

fn app(found: &Found<'_>, part: &Object) -> AppSpec {
    let slug = part.text("slug");
    let display_name = Some(part.text("display_name")).filter(|n| !n.is_empty());
    let healthcheck = part.blocks("healthcheck").next().map(|check| HealthCheck {
        url: plan::text(check.get("url")),
        interval_s: seconds(check.get("interval")),
        threshold: seconds(check.get("threshold")),
    });
    AppSpec {
        id: uuid_of(found, part).into(),
        display_name: display_name.unwrap_or_else(|| slug.clone()),
        slug,
        command: part.text("command"),
        url: part.text("url"),
        icon: part.text("icon"),
        subdomain: part.bool("subdomain"),
        share: AppShare::from_word(&part.text("share")).unwrap_or(AppShare::Owner),
        external: part.bool("external"),
        healthcheck: healthcheck.filter(|h| !h.url.is_empty()),
        order: part.int("order"),
        group: part.text("group"),
        hidden: part.bool("hidden"),
        open_in: AppOpenIn::from_word(&part.text("open_in")).unwrap_or(AppOpenIn::SlimWindow),
        tooltip: part.text("tooltip"),
    }
}

/// An app's slug is in URLs, so it is unique in the whole template.
pub(super) fn check_slugs(found: &Found<'_>, specs: &[ResourceSpec]) -> Result<(), Wrong> {
    let mut seen = BTreeSet::new();
    let mut apps = specs.iter().flat_map(|s| &s.agents).flat_map(|a| &a.apps);
    match apps.find(|app| !seen.insert(&app.slug)) {
        Some(app) => {
            let same = found.of("coder_app").filter(|o| o.text("slug") == app.slug);
            let same = same.map(|o| o.address.as_str()).collect::<Vec<_>>().join(" and ");
            Err(format!("{same} have the same slug {:?}; slugs are unique in a template", app.slug))
        }
        None => Ok(()),
    }
}

fn display_apps(block: &Json) -> DisplayApps {
    let default = DisplayApps::default();
    let on = |name: &str, otherwise| block.get(name).and_then(Json::as_bool).unwrap_or(otherwise);
    DisplayApps {
        vscode: on("vscode", default.vscode),
        vscode_insiders: on("vscode_insiders", default.vscode_insiders),
        web_terminal: on("web_terminal", default.web_terminal),
        ssh_helper: on("ssh_helper", default.ssh_helper),
        port_forwarding_helper: on("port_forwarding_helper", default.port_forwarding_helper),
    }
}

fn metadata(object: &Object) -> Vec<MetadataSpec> {
    let spec = |block: &Json| {
        let key = plan::text(block.get("key"));
        let display_name = Some(plan::text(block.get("display_name"))).filter(|n| !n.is_empty());
        MetadataSpec {
            display_name: display_name.unwrap_or_else(|| key.clone()),
            key,
            script: plan::text(block.get("script")),
            interval_s: seconds(block.get("interval")),
            timeout_s: seconds(block.get("timeout")),
            order: plan::int(block.get("order")).unwrap_or(0),
        }
    };
    let mut out: Vec<MetadataSpec> = object.blocks("metadata").map(spec).collect();
    out.sort_by_key(|m| m.order);
    out
}

/// The cloud's name for the machine that an agent without token proves itself by.
fn instance_id(found: &Found<'_>, agent: &Object) -> String {
    let given = found.of("coder_agent_instance").find(|part| found.belongs(part, agent));
    if let Some(given) = given {
        return given.text("instance_id");
    }
    let attribute = |kind: &str| match kind {
        "google_compute_instance" => Some("instance_id"),
        "aws_instance" => Some("id"),
        "aws_spot_instance_request" => Some("spot_instance_id"),
        "azurerm_linux_virtual_machine" | "azurerm_windows_virtual_machine" => {
            Some("virtual_machine_id")
        }
        _ => None,
    };
    let machine =
        found.nearest(agent, Walk::Against, |o| o.is_resource() && attribute(&o.kind).is_some());
    machine.and_then(|m| Some(m.text(attribute(&m.kind)?))).unwrap_or_default()
}
