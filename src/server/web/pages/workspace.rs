//! A workspace's page and what is done from it.

use std::collections::BTreeMap;

use axum::response::Response;

use super::{Html, Visitor, flash};
use crate::model::build::{Build, BuildReason, Transition};
use crate::model::event::Event;
use crate::model::id::TerminalId;
use crate::model::log::LogEnd;
use crate::model::parameter::{Parameter, ParameterValue};
use crate::model::terminal::Deed;
use crate::model::workspace::Workspace;
use crate::server::app::build_requests::{BuildRequest, VersionChoice};
use crate::server::app::logs::LogOf;
use crate::server::app::{Actor, App, Error, Page};
use crate::server::html::layout::Visit;
use crate::server::html::pages::machines::MachinesPage;
use crate::server::html::pages::workspace::{
    Door, Newer, RECENT_BUILDS, RECENT_SESSIONS, WorkspacePage,
};
use crate::server::html::parts::log::MAX_LINES;
use crate::server::html::paths::Place;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, Site, State};

/// Lines of an agent's log that are read for a page.
const AGENT_LOG_LINES: u32 = 500;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Page, "/@{owner}/{name}", page)
        .get(Access::Page, "/@{owner}/{name}/health", machines)
        .post(Access::Page, "/@{owner}/{name}/start", start)
        .post(Access::Page, "/@{owner}/{name}/stop", stop)
        .post(Access::Page, "/@{owner}/{name}/restart", restart)
        .post(Access::Page, "/@{owner}/{name}/update", update)
        .post(Access::Page, "/@{owner}/{name}/delete", delete)
        .post(Access::Page, "/@{owner}/{name}/favorite", favorite)
        .post(Access::Page, "/@{owner}/{name}/machines/{agent}/wake", wake)
        .post(Access::Page, "/@{owner}/{name}/terminals/{terminal}/end", end_terminal)
        .post(Access::Page, "/@{owner}/{name}/builds/{number}/cancel", cancel)
}

/// The owner's and the workspace's name in a path.
pub(super) type At = Path<(String, String)>;

/// The workspace that a path names.
pub(super) async fn find(state: &State, actor: &Actor, at: &At) -> Answer<Workspace> {
    let Path((owner, name)) = at;
    Ok(state.app.workspace_by_name(actor, owner, name).await?)
}

async fn page(state: State, visitor: Visitor, at: At) -> Answer<Html> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    let mut page = load(&state, &visitor.actor, visitor.visit, workspace).await?;
    let keys = state.app.ssh_keys(&visitor.actor, "me").await?;
    page.door.keys = keys.into_iter().map(|k| k.name).collect();
    page.log = build_log(&state, &visitor.actor, &page.workspace.latest_build).await?;
    Ok(Html::of(&page))
}

async fn machines(state: State, visitor: Visitor, at: At) -> Answer<Html> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    let machines = state.app.machine_histories(&visitor.actor, workspace.id, true).await?;
    Ok(Html::of(&MachinesPage { visit: visitor.visit, workspace, machines }))
}

/// The end of a build's log, as much as a page shows.
pub(super) async fn build_log(state: &State, actor: &Actor, build: &Build) -> Answer<LogEnd> {
    Ok(state.app.log_end(actor, LogOf::Build(build.id), MAX_LINES).await?)
}

/// Everything that the page's stream draws again: all but the log and the keys.
pub(super) async fn load(
    state: &State,
    actor: &Actor,
    visit: Visit,
    workspace: Workspace,
) -> Answer<WorkspacePage> {
    let (app, id) = (&state.app, workspace.id);
    let build = &workspace.latest_build;
    let may = app.allowed(actor, vec![id]).await?.remove(&id).unwrap_or_default();
    let (mut metadata, mut agent_logs) = (BTreeMap::new(), BTreeMap::new());
    for agent in build.resources.iter().flat_map(|r| &r.agents) {
        metadata.insert(agent.id, app.agent_metadata(actor, agent.id).await?);
        let said = app.agent_log_lines(actor, agent.id, (0, AGENT_LOG_LINES)).await?;
        agent_logs.insert(agent.id, said);
    }
    let builds = app.builds(actor, id, Page::new(count(RECENT_BUILDS), 0)).await?;
    let sessions = app.sessions(actor, id, Page::new(count(RECENT_SESSIONS), 0)).await?;
    let present = app.open_sessions(actor, id).await?;
    let asked = app.build_questions(actor, build.id).await?;
    let values = app.build_parameters(actor, build.id).await?;
    let granted = app.own_grants(actor, id).await?;
    let broken = app.break_glass_in(actor, id).await?;
    let agents = workspace.external_agents().map(|a| a.id);
    let clashes = agents.filter_map(|id| state.fleet.presence(id)?.clash).collect();
    Ok(WorkspacePage {
        clashes,
        machines: app.machine_histories(actor, id, false).await?,
        whereabouts: app.machine_spots(actor, id).await?,
        may,
        is_favorite: app.favorites(actor).await?.contains(&id),
        newer: newer(app, actor, &workspace).await?,
        metadata,
        agent_logs,
        log: LogEnd::default(),
        builds,
        sessions,
        present,
        terminals: state.fleet.terminals(id),
        parameters: named(&asked, &values),
        door: door(state),
        granted,
        broken,
        visit,
        workspace,
    })
}

fn count(n: usize) -> u32 {
    u32::try_from(n).unwrap_or(u32::MAX)
}

async fn newer(app: &App, actor: &Actor, workspace: &Workspace) -> Answer<Option<Newer>> {
    if !workspace.outdated() {
        return Ok(None);
    }
    match app.version(actor, workspace.template_active_version_id).await {
        Ok(version) => Ok(Some(Newer { name: version.name, message: version.message })),
        // Whose owner may not use the template any more gets no newer version of it.
        Err(Error::NotFound(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

fn door(state: &State) -> Door {
    let (host, port) = ssh_address(&state.site);
    Door { host, port, keys: Vec::new(), access_url: state.site.access_url().to_owned() }
}

/// Host and port of the SSH door as people reach it: where the page is, unless it says otherwise.
pub(in crate::server::web) fn ssh_address(site: &Site) -> (String, u16) {
    let (host, port) = site.ssh_address.rsplit_once(':').unwrap_or((&site.ssh_address, "22"));
    let host = host.trim_matches(['[', ']']);
    let anywhere = matches!(host, "" | "0.0.0.0" | "::");
    let host = if anywhere { site.access_url.host_str().unwrap_or_default() } else { host };
    (host.to_owned(), port.parse().unwrap_or(22))
}

/// Parameters by the names that people see, with their values.
pub(super) fn named(asked: &[Parameter], values: &[ParameterValue]) -> Vec<(String, String)> {
    let label = |name: &str| {
        asked.iter().find(|p| p.name == name).map_or(name, Parameter::label).to_owned()
    };
    values.iter().map(|v| (label(&v.name), v.value.clone())).collect()
}

async fn start(state: State, visitor: Visitor, at: At) -> Answer<Response> {
    ask(&state, &visitor, &at, (Transition::Start, VersionChoice::Keep)).await
}

async fn stop(state: State, visitor: Visitor, at: At) -> Answer<Response> {
    ask(&state, &visitor, &at, (Transition::Stop, VersionChoice::Keep)).await
}

async fn update(state: State, visitor: Visitor, at: At) -> Answer<Response> {
    ask(&state, &visitor, &at, (Transition::Start, VersionChoice::Active)).await
}

async fn delete(state: State, visitor: Visitor, at: At, fields: Fields) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    let place = Place::of(&workspace);
    let back = (place.page(), "delete it", "Nothing was deleted");
    if let Some(asked) = flash::unless_typed(&state.site, (&fields, workspace.name.as_str()), back)
    {
        return Ok(asked);
    }
    ask(&state, &visitor, &at, (Transition::Delete, VersionChoice::Keep)).await
}

async fn cancel(
    state: State,
    visitor: Visitor,
    Path((owner, name, number)): Path<(String, String, i64)>,
) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &Path((owner, name))).await?;
    let build = state.app.build_by_number(&visitor.actor, workspace.id, number).await?;
    state.app.cancel_build(&visitor.actor, build.id).await?;
    let text = format!("Build {number} was asked to stop.");
    Ok(flash::done(&state.site, Place::of(&workspace).page(), &text))
}

async fn end_terminal(
    state: State,
    visitor: Visitor,
    Path((owner, name, terminal)): Path<(String, String, TerminalId)>,
) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &Path((owner, name))).await?;
    state.fleet.do_at_terminal(&visitor.actor, (workspace.id, terminal), Deed::End).await?;
    Ok(flash::done(&state.site, Place::of(&workspace).page(), "The terminal was ended."))
}

async fn wake(
    state: State,
    visitor: Visitor,
    Path((owner, name, agent)): Path<(String, String, String)>,
) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &Path((owner, name))).await?;
    let waking = state.fleet.wake(&visitor.actor, (workspace.id, agent)).await?;
    let text = format!("The machine of {} was called.", waking.agent);
    Ok(flash::done(&state.site, Place::of(&workspace).page(), &text))
}

/// Asks for a build and leads back.
async fn ask(
    state: &State,
    visitor: &Visitor,
    at: &At,
    (transition, version): (Transition, VersionChoice),
) -> Answer<Response> {
    let workspace = find(state, &visitor.actor, at).await?;
    let request = BuildRequest { version, ..BuildRequest::new(transition, BuildReason::Dashboard) };
    let build = state.app.create_build(&visitor.actor, workspace.id, request).await?;
    let text = format!("Build {}, {transition} {}, was asked for.", build.number, workspace.name);
    Ok(flash::done(&state.site, Place::of(&workspace).page(), &text))
}

async fn favorite(state: State, visitor: Visitor, at: At, fields: Fields) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    let is_one = fields.get("is") == Some("yes");
    state.app.set_favorite(&visitor.actor, workspace.id, is_one).await?;
    let text = match is_one {
        true => format!("{} comes first in your lists.", workspace.name),
        false => format!("{} is in its place in your lists.", workspace.name),
    };
    Ok(flash::done(&state.site, Place::of(&workspace).page(), &text))
}

/// Asks for a stop, and for a start when that is done.
async fn restart(state: State, visitor: Visitor, at: At) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    let request = BuildRequest {
        then_start: true,
        ..BuildRequest::new(Transition::Stop, BuildReason::Dashboard)
    };
    state.app.create_build(&visitor.actor, workspace.id, request).await?;
    let text = format!("{} stops, then starts again.", workspace.name);
    Ok(flash::done(&state.site, Place::of(&workspace).page(), &text))
}

/// Waits for an event that is wanted, or for one that was missed; false when there will be none.
pub(super) async fn heard(
    events: &mut tokio::sync::broadcast::Receiver<Event>,
    wanted: impl Fn(Event) -> bool,
) -> bool {
    use tokio::sync::broadcast::error::RecvError;
    loop {
        match events.recv().await {
            Ok(event) if wanted(event) => return true,
            Ok(_) => {}
            Err(RecvError::Lagged(_)) => return true,
            Err(RecvError::Closed) => return false,
        }
    }
}
