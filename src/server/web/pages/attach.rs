//! Attaching machines that someone else runs.

use axum::response::Response;
use maud::html;

use super::stream::{Feed, Message, News, serve};
use super::workspace::{At, find};
use super::{Html, Visitor, flash};
use crate::model::agent::Agent;
use crate::model::event::Event;
use crate::model::id::{AgentId, WorkspaceId};
use crate::model::verb::Verb;
use crate::server::app::external_agents::ExternalAgent;
use crate::server::fleet::viewers::Viewer;
use crate::server::html::pages::attach::{Attach, Lines, Machine, Way, arrival, arrival_id};
use crate::server::html::parts::live::replace;
use crate::server::html::paths::Place;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};
use crate::wire::bootstrap;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Page, "/@{owner}/{name}/attach", page)
        .get(Access::Page, "/@{owner}/{name}/attach/live", live)
        .post(Access::Page, "/@{owner}/{name}/attach/new-tokens", new_tokens)
}

async fn new_tokens(state: State, visitor: Visitor, at: At) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    state.app.renew_external_agents(&visitor.actor, workspace.id).await?;
    let text = "The tokens before are ended. When this build is done, run the new line on the machine: \
        it is under Attach.";
    Ok(flash::done(&state.site, Place::of(&workspace).page(), text))
}

async fn page(state: State, visitor: Visitor, at: At) -> Answer<Html> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    let found = state.app.external_agents(&visitor.actor, workspace.id).await?;
    let with_token = found.into_iter().filter(|one| !one.token.is_empty());
    let machines = with_token
        .map(|one| {
            let lines = lines(&state, &one);
            (machine(&state, one.agent), lines)
        })
        .collect();
    Ok(Html::of(&Attach { visit: visitor.visit, workspace, machines, host: host(&state) }))
}

/// Host and port as a machine must reach them.
fn host(state: &State) -> String {
    let url = &state.site.access_url;
    let port = url.port_or_known_default().map(|port| format!(":{port}")).unwrap_or_default();
    format!("{}{port}", url.host_str().unwrap_or_default())
}

fn lines(state: &State, of: &ExternalAgent) -> Lines {
    let (url, spec) = (state.site.access_url(), &of.agent.spec);
    let platform = (spec.os.as_str(), spec.arch.as_str());
    let script = bootstrap::script_url(url, platform);
    let unix = spec.os != "windows";
    let token = &of.token;
    Lines {
        command: bootstrap::command(url, platform, token),
        by_wget: unix.then(|| format!("wget -qO- \"{script}\" | CODER_AGENT_TOKEN=\"{token}\" sh")),
        service: unix.then(|| bootstrap::service_command(url, platform, token)),
        script,
    }
}

fn machine(state: &State, agent: Agent) -> Machine {
    let way = state.fleet.presence(agent.id).map(|presence| Way {
        path: presence.path.to_owned(),
        latency_ms: presence.latency_ms,
        clash: presence.clash,
    });
    Machine { agent, way }
}

async fn live(state: State, visitor: Visitor, at: At) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    state.app.may(&visitor.actor, workspace.id, Verb::Manage).await?;
    let agents = workspace.external_agents().map(|a| a.id).collect();
    let viewer = state.fleet.view(&visitor.actor, workspace.id);
    serve(&state.clone(), Arrivals { state, visitor, viewer, id: workspace.id, agents })
}

struct Arrivals {
    state: State,
    visitor: Visitor,
    viewer: Viewer,
    id: WorkspaceId,
    agents: Vec<AgentId>,
}

impl Feed for Arrivals {
    fn visitor(&mut self) -> &mut Visitor {
        &mut self.visitor
    }

    fn wants(&self, event: Event) -> bool {
        // A second machine is told of in the log of the first one.
        event == Event::Grants
            || matches!(event, Event::Workspace(id) | Event::Agent(id, _) if id == self.id)
            || matches!(event, Event::AgentLog(agent) if self.agents.contains(&agent))
    }

    async fn over(&self) {
        self.viewer.over().await;
    }

    async fn next(&mut self, _: News) -> Answer<Option<Message>> {
        // To see the workspace is not enough for what stands here.
        self.state.app.may(&self.visitor.actor, self.id, Verb::Manage).await?;
        let workspace = self.state.app.workspace(&self.visitor.actor, self.id).await?;
        self.agents = workspace.external_agents().map(|a| a.id).collect();
        let (place, host) = (Place::of(&workspace), host(&self.state));
        let now = self.visitor.visit.now;
        let machines = workspace.external_agents().map(|a| machine(&self.state, a.clone()));
        let parts = html! {
            @for machine in machines {
                (replace(&arrival_id(&machine.agent), &arrival(&machine, &place, (&host, now))))
            }
        };
        Ok(Some(Message { parts, id: String::new(), more: false }))
    }
}
