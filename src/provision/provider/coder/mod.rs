//! The provider `coder/coder`: what templates say about workspaces, without side effects.

pub(super) mod checks;
pub mod cron;
mod data;
mod parameter;
mod preset;
mod read;
mod resources;

use std::collections::BTreeMap;

use super::proto::Diagnostic;
use super::schema::{Schema, optional};
use super::value::{Type, Value};
use super::values::{KEEPS_TOKENS, Values, agent_token_variable};
use crate::clock::Entropy;

/// Where agents go when nobody says.
const NOWHERE: &str = "https://mydeployment.coder.com";

/// What a connection was configured with, and what its job says.
#[derive(Clone)]
pub(super) struct Context {
    /// The deployment's URL.
    pub url: String,
    /// The job's variables.
    pub values: Values,
    /// Where ids come from.
    pub entropy: Entropy,
}

impl Context {
    fn uuid(&self) -> String {
        self.entropy.uuid4().to_string()
    }
}

/// The provider's own configuration.
pub(super) fn provider_schema() -> Schema {
    Schema::new(0, vec![optional("url", Type::Text).check(checks::url)])
}

/// Its resources.
pub(super) fn resource_schemas() -> BTreeMap<&'static str, Schema> {
    resources::all()
}

/// Its data sources.
pub(super) fn data_schemas() -> BTreeMap<&'static str, Schema> {
    data::all()
}

/// The deployment's URL from a `provider` block, else from the job.
pub(super) fn configured_url(config: &Value, values: &Values) -> Result<String, Diagnostic> {
    let url = if config.get("url").is_null() {
        values.or("CODER_AGENT_URL", NOWHERE).to_owned()
    } else {
        config.get("url").text().to_owned()
    };
    if url.is_empty() {
        return Err(Diagnostic::error("The provider's url must not be empty", ""));
    }
    Ok(url)
}

/// Fills what a plan has to hold already, and looks at the whole of it.
pub(super) fn complete_plan(kind: &str, prior: &Value, planned: &mut Value) -> Vec<Diagnostic> {
    match kind {
        "coder_agent" => {
            if planned.get("display_apps").list().is_empty() {
                let before = prior.get("display_apps").list();
                let apps = if before.is_empty() {
                    resources::default_display_apps()
                } else {
                    Value::List(before.to_vec())
                };
                planned.set("display_apps", apps);
            }
            check_agent(planned)
        }
        "coder_metadata" => {
            let twice = repeated(planned.get("item").list(), "key");
            let error =
                |key| Diagnostic::error(format!("duplicate resource metadata key {key:?}"), "");
            twice.map(error).into_iter().collect()
        }
        _ => vec![],
    }
}

fn check_agent(planned: &Value) -> Vec<Diagnostic> {
    let mut out = Vec::new();
    if let Some(key) = repeated(planned.get("metadata").list(), "key") {
        out.push(Diagnostic::error(format!("duplicate agent metadata key {key:?}"), ""));
    }
    for monitoring in planned.get("resources_monitoring").list() {
        if let Some(path) = repeated(monitoring.get("volume").list(), "path") {
            out.push(Diagnostic::error(format!("duplicate volume path {path:?}"), ""));
        }
    }
    out
}

/// The first text that two elements share in this attribute.
fn repeated(list: &[Value], attribute: &str) -> Option<String> {
    let mut seen = std::collections::BTreeSet::new();
    list.iter()
        .map(|element| element.get(attribute))
        .filter(|value| matches!(value, Value::Text(_)))
        .find(|value| !seen.insert(value.text()))
        .map(|value| value.text().to_owned())
}

/// A resource as it is now. An agent gets a new token each time, which is how tokens are renewed,
/// unless nobody could bring it to its machine.
pub(super) fn refresh(kind: &str, context: &Context, state: &mut Value) {
    if kind != "coder_agent" {
        return;
    }
    let token = match (context.values.get(&agent_token_variable()), state.get("token").text()) {
        ("", kept) if !kept.is_empty() && context.values.get(KEEPS_TOKENS) == "true" => {
            kept.to_owned()
        }
        ("", _) => context.uuid(),
        (running, _) => running.to_owned(),
    };
    state.set("token", token);
    state.set("init_script", init_script(context, state));
    if state.get("display_apps").list().is_empty() {
        state.set("display_apps", resources::default_display_apps());
    }
}

/// The job's bootstrap text for the agent's platform, filled in.
fn init_script(context: &Context, agent: &Value) -> String {
    let platform = format!("{}_{}", agent.get("os").text(), agent.get("arch").text());
    context
        .values
        .get(&format!("CODER_AGENT_SCRIPT_{platform}"))
        .replace("${ACCESS_URL}", &root_of(&context.url))
        .replace("${AUTH_TYPE}", agent.get("auth").text())
}

/// The URL with its path replaced by `/`.
fn root_of(url: &str) -> String {
    let host_at = url.find("://").map_or(0, |i| i + 3);
    let (scheme, rest) = url.split_at(host_at);
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    format!("{scheme}{host}/")
}

/// Makes a resource from its plan.
pub(super) fn create(kind: &str, context: &Context, planned: &mut Value) -> Vec<Diagnostic> {
    planned.set("id", context.uuid());
    match kind {
        "coder_agent" => refresh(kind, context, planned),
        "coder_devcontainer" => planned.set("subagent_id", context.uuid()),
        "coder_metadata" => {
            let mark = |item: &Value| {
                let mut item = item.clone();
                item.set("is_null", item.get("value").is_null());
                item
            };
            let items: Vec<Value> = planned.get("item").list().iter().map(mark).collect();
            planned.set("item", items);
        }
        "coder_script" => return check_script(planned),
        "coder_app" => return check_app(planned),
        "coder_ai_task" => return complete_task(context, planned),
        _ => {}
    }
    vec![]
}

fn check_script(script: &Value) -> Vec<Diagnostic> {
    let (start, stop) = (script.get("run_on_start").bool(), script.get("run_on_stop").bool());
    let mut out = Vec::new();
    if !start && !stop && script.get("cron").text().is_empty() {
        out.push(Diagnostic::error(
            "at least one of run_on_start, run_on_stop, or cron must be set",
            "The script would never run.",
        ));
    }
    if !start && script.get("start_blocks_login").bool() {
        out.push(Diagnostic::error(
            "start_blocks_login can only be set if run_on_start is true",
            "",
        ));
    }
    out
}

fn check_app(app: &Value) -> Vec<Diagnostic> {
    let shown = ["display_name", "icon", "order"];
    let is_set = |name: &&str| !app.get(name).is_null();
    if app.get("hidden").bool() && shown.iter().any(is_set) {
        return vec![Diagnostic::warning(
            "display_name, icon and order of a hidden app are not used",
        )];
    }
    vec![]
}

fn complete_task(context: &Context, task: &mut Value) -> Vec<Diagnostic> {
    let id = read::task_id(&context.values);
    task.set("enabled", id.is_some());
    task.set("id", id.unwrap_or_else(|| context.uuid()));
    let prompt = context.values.given("CODER_TASK_PROMPT").filter(|p| !p.is_empty());
    task.set("prompt", prompt.map_or(Value::Null, Value::from));
    if !task.get("app_id").text().is_empty() {
        return vec![];
    }
    let sidebar = task.get("sidebar_app").list().first().map(|app| app.get("id").text().to_owned());
    match sidebar.filter(|id| !id.is_empty()) {
        Some(id) => {
            task.set("app_id", id);
            vec![]
        }
        None => {
            task.set("app_id", Value::Null);
            vec![Diagnostic::error("'app_id' must be set", "")]
        }
    }
}

/// Reads a data source: `config` as written, `out` with the defaults filled in.
pub(super) fn read_data(
    kind: &str,
    context: &Context,
    config: &Value,
    out: &mut Value,
) -> Result<(), Diagnostic> {
    match kind {
        "coder_parameter" => parameter::read(context, config, out),
        "coder_workspace_preset" => preset::read(config, out),
        other => read::read(other, context, config, out),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_root_of_a_url_has_no_path() {
        assert_eq!(root_of("https://a.example.com"), "https://a.example.com/");
        assert_eq!(root_of("http://a:3000/x/y?z"), "http://a:3000/");
    }
}
