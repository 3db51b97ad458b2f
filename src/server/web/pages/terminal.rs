//! The terminal page.

use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, header};

use super::workspace::{find, ssh_address};
use super::{Html, Visitor};
use crate::model::agent::Agent;
use crate::model::id::TerminalId;
use crate::model::terminal::Coming;
use crate::model::verb::Verb;
use crate::model::workspace::Workspace;
use crate::server::html::csp;
use crate::server::html::pages::terminal::Terminal;
use crate::server::html::paths::{Place, segment};
use crate::server::web::extract::{Path, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, Problem, State};

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::Page, "/@{owner}/{name}/terminal", terminal)
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Which {
    /// The terminal; the same in every tab with this address.
    t: Option<TerminalId>,
    /// The app whose command it runs; empty for a shell.
    app: String,
    /// To look on, whatever one may.
    watch: bool,
}

async fn terminal(
    state: State,
    visitor: Visitor,
    Path((owner, name)): Path<(String, String)>,
    Query(which): Query<Which>,
) -> Answer<Response> {
    let (name, wanted) = match name.split_once('.') {
        Some((name, agent)) => (name.to_owned(), Some(agent.to_owned())),
        None => (name, None),
    };
    let workspace = find(&state, &visitor.actor, &Path((owner, name))).await?;
    let may_type = state.app.may(&visitor.actor, workspace.id, Verb::Connect).await;
    let coming = match (may_type, which.t) {
        (Ok(()), _) if !which.watch => Coming::Join,
        // Who looks on looks at one that somebody began.
        (Ok(()), Some(_)) => Coming::Watch,
        (Err(_), Some(_)) => {
            state.app.may(&visitor.actor, workspace.id, Verb::Watch).await?;
            Coming::Watch
        }
        (Ok(()), None) => Coming::Join,
        (Err(why), None) => return Err(why.into()),
    };
    let agent = choose(&workspace, wanted.as_deref())?;
    let Some(terminal) = which.t else {
        let fresh = TerminalId(state.app.entropy().uuid4());
        let path = Place::of(&workspace).agent_terminal(&agent.spec.name);
        let app = if which.app.is_empty() {
            String::new()
        } else {
            format!("&app={}", segment(&which.app))
        };
        return Ok(Redirect::to(&format!("{path}?t={fresh}{app}")).into_response());
    };
    let shown = visitor.actor.shown(visitor.actor.ip().parse().ok());
    let looks_on = coming == Coming::Watch
        && state.app.may(&visitor.actor, workspace.id, Verb::Watch).await.is_ok();
    let right = if looks_on { Verb::Watch } else { Verb::Connect };
    let demanded = match visitor.actor.user_id() {
        Some(user) => state.app.demands_recording_by(right, user, (workspace.id, shown)).await?,
        None => false,
    };
    let page = Terminal {
        agent: agent.id,
        agent_name: agent.spec.name.clone(),
        terminal,
        command: command(agent, &which.app),
        is_recorded: state.app.recording_policy().is_demanded(demanded).is_some(),
        coming,
        ssh: ssh_line(&state, &visitor, &workspace, agent),
        workspace: workspace.clone(),
    };
    let policy = HeaderValue::from_static(csp::TERMINAL);
    Ok(([(header::CONTENT_SECURITY_POLICY, policy)], Html::of(&page)).into_response())
}

/// The agent of this name; without one, the first in the template's order.
fn choose<'a>(workspace: &'a Workspace, wanted: Option<&str>) -> Answer<&'a Agent> {
    let mut agents: Vec<&Agent> =
        workspace.latest_build.resources.iter().flat_map(|r| &r.agents).collect();
    agents.sort_by(|a, b| (a.spec.order, &a.spec.name).cmp(&(b.spec.order, &b.spec.name)));
    let fits = |a: &&Agent| wanted.is_none_or(|name| a.spec.name == name);
    agents.into_iter().find(fits).ok_or_else(Problem::not_found)
}

fn command(agent: &Agent, app: &str) -> String {
    let found = agent.apps.iter().find(|a| !app.is_empty() && a.spec.slug == app);
    found.map(|a| a.spec.command.clone()).unwrap_or_default()
}

fn ssh_line(state: &State, visitor: &Visitor, workspace: &Workspace, agent: &Agent) -> String {
    let (host, port) = ssh_address(&state.site);
    let port = if port == 22 { String::new() } else { format!(" -p {port}") };
    let (owner, name) = (&workspace.owner.username, &workspace.name);
    let several =
        workspace.latest_build.resources.iter().map(|r| r.agents.len()).sum::<usize>() > 1;
    let login = match (several, workspace.owner.id == visitor.visit.user.id) {
        (true, _) => format!("{owner}--{name}.{}", agent.spec.name),
        (false, true) => name.to_string(),
        (false, false) => format!("{owner}--{name}"),
    };
    format!("ssh{port} {login}@{host}")
}
