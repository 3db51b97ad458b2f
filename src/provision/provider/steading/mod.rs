//! The provider `steading/steading`: `steading_process` runs an agent on the server's own machine.

mod account;
mod home;
mod process;
mod view;

use std::collections::BTreeMap;

use super::coder::checks;
use super::proto::Diagnostic;
use super::schema::{Schema, Verdict, computed, defaulted, optional, optional_computed, required};
use super::value::{Type, Value};
use super::values::Values;

pub(in crate::provision) use process::{Identity, Processes};

/// Its resources.
pub(super) fn schemas() -> BTreeMap<&'static str, Schema> {
    let attributes = vec![
        required("agent_token", Type::Text).sensitive(),
        optional_computed("agent_url", Type::Text).check(checks::url),
        defaulted("name", Type::Text, "main").check(check_name),
        optional("env", Type::text_map()),
        defaulted("keep_home", Type::Bool, true),
        computed("id", Type::Text),
        computed("pid", Type::Number),
        computed("started_at", Type::Text),
        computed("home", Type::Text),
        computed("user", Type::Text),
        computed("isolated", Type::Bool),
    ];
    BTreeMap::from([("steading_process", Schema::new(0, attributes))])
}

/// It becomes part of a path.
fn check_name(value: &Value) -> Verdict {
    if process::is_plain(value.text()) {
        return Verdict::Fine;
    }
    Verdict::Bad("letters, digits and hyphens are allowed, at most 36".to_owned())
}

/// The URL is known before the process is there.
pub(super) fn complete_plan(processes: Option<&Processes>, planned: &mut Value) {
    if let (Some(processes), Value::Unknown) = (processes, planned.get("agent_url")) {
        planned.set("agent_url", processes.agent_url());
    }
}

/// Whether the process that the state tells of still runs.
pub(super) async fn is_alive(processes: Option<&Processes>, state: &Value) -> bool {
    let (Some(processes), Some(identity)) = (processes, Identity::parse(state.get("id").text()))
    else {
        // Nothing can be said from here, so the state stands.
        return true;
    };
    let pid = state.get("pid").int();
    processes.blocking(move |processes| processes.is_alive(&identity, pid)).await.unwrap_or(true)
}

/// Starts the process.
pub(super) async fn create(
    processes: Option<&Processes>,
    values: &Values,
    planned: &mut Value,
) -> Vec<Diagnostic> {
    let Some(processes) = processes else { return vec![only_the_server()] };
    let workspace = values.get("CODER_WORKSPACE_ID");
    let Some(identity) = Identity::new(workspace, planned.get("name").text()) else {
        let detail = format!("The workspace's id is {workspace:?}.");
        return vec![Diagnostic::error("A process needs a workspace", detail)];
    };
    let mut env: BTreeMap<String, String> =
        planned.get("env").entries().map(|(k, v)| (k.clone(), v.text().to_owned())).collect();
    let url = match planned.get("agent_url").text() {
        "" => processes.agent_url().to_owned(),
        url => url.to_owned(),
    };
    env.insert("CODER_AGENT_URL".to_owned(), url.clone());
    env.insert("CODER_AGENT_TOKEN".to_owned(), planned.get("agent_token").text().to_owned());
    env.insert("CODER_AGENT_AUTH".to_owned(), "token".to_owned());
    let owner = values.or("CODER_WORKSPACE_OWNER", "workspace").to_owned();
    let id = identity.to_string();
    match processes.blocking(move |processes| processes.start(&identity, &owner, &env)).await {
        Ok(started) => {
            planned.set("agent_url", url);
            planned.set("id", id);
            planned.set("pid", i64::from(started.pid));
            planned.set("started_at", started.at);
            planned.set("home", started.home);
            planned.set("user", started.user);
            planned.set("isolated", started.isolated);
            vec![]
        }
        Err(error) => {
            vec![Diagnostic::error("The workspace's process did not start", format!("{error:#}"))]
        }
    }
}

/// Ends the process with all it started.
pub(super) async fn delete(processes: Option<&Processes>, state: &Value) -> Vec<Diagnostic> {
    let Some(processes) = processes else { return vec![only_the_server()] };
    let Some(identity) = Identity::parse(state.get("id").text()) else { return vec![] };
    let keep_home = state.get("keep_home").bool();
    match processes.blocking(move |processes| processes.end(&identity, keep_home)).await {
        Ok(()) => vec![],
        Err(error) => {
            vec![Diagnostic::error("The workspace's process did not end", format!("{error:#}"))]
        }
    }
}

fn only_the_server() -> Diagnostic {
    Diagnostic::error(
        "Only the server runs steading_process",
        "Push the template and start a workspace from it.",
    )
}
