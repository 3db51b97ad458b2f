//! The live streams of pages: each part has the id that it has in the page.

use std::collections::BTreeSet;

use axum::response::Response;
use http::{HeaderMap, StatusCode};
use maud::{Markup, html};

use super::history::{self, AtBuild};
use super::lists::{entries, shown};
use super::log_tail::{After, LogTail};
use super::organizations::Here;
use super::stream::{Feed, Message, News, serve};
use super::templates::AtVersion;
use super::workspace::{self, At, find};
use super::{Visitor, templates};
use crate::model::build::JobStatus;
use crate::model::event::Event;
use crate::model::id::{AgentId, BuildId, VersionId, WorkspaceId};
use crate::model::workspace::Workspace;
use crate::server::app;
use crate::server::app::logs::LogOf;
use crate::server::fleet::viewers::Viewer;
use crate::server::html::pages::workspace::{WorkspacePage, gone};
use crate::server::html::pages::workspaces::{Entry, Whose};
use crate::server::html::parts::live::{remove, replace};
use crate::server::html::paths::{self, Place};
use crate::server::web::extract::Query;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Page, paths::WORKSPACES_LIVE, list)
        .get(Access::Page, "/@{owner}/{name}/live", workspace)
        .get(Access::Page, "/@{owner}/{name}/builds/{number}/live", build)
        .get(Access::Page, "/templates/{template}/versions/{version}/live", version)
        .get(
            Access::Page,
            "/organizations/{organization}/templates/{template}/versions/{version}/live",
            version,
        )
}

async fn list(state: State, visitor: Visitor) -> Answer<Response> {
    serve(&state.clone(), ListFeed { state, visitor, sent: BTreeSet::new() })
}

struct ListFeed {
    state: State,
    visitor: Visitor,
    /// The workspaces whose rows were sent. Of others nobody is told that they are gone.
    sent: BTreeSet<WorkspaceId>,
}

impl Feed for ListFeed {
    fn visitor(&mut self) -> &mut Visitor {
        &mut self.visitor
    }

    fn wants(&self, event: Event) -> bool {
        matches!(event, Event::Workspace(_) | Event::Session(..) | Event::Agent(..))
    }

    async fn next(&mut self, news: News) -> Answer<Option<Message>> {
        let mut ids: BTreeSet<WorkspaceId> = news.events.iter().filter_map(workspace_of).collect();
        let mut rows = Vec::new();
        if news.missed {
            let (mine, others) = shown(&self.state, &self.visitor.actor, "", Whose::Any).await?;
            rows = [mine, others].concat();
            ids.extend(&self.sent);
            ids.retain(|id| rows.iter().all(|e| e.workspace.id != *id));
        }
        let (found, gone) = self.look(ids).await?;
        rows.extend(found);
        self.sent.extend(rows.iter().map(|e| e.workspace.id));
        let visit = &self.visitor.visit;
        let (me, csrf, now) = (visit.me(), &visit.csrf, visit.now);
        let parts = html! {
            @for e in &rows { (replace(&e.row_id(), &e.row(&me, csrf, now))) }
            @for id in &gone { (remove(&Entry::row_id_of(*id))) }
        };
        let news = !rows.is_empty() || !gone.is_empty();
        Ok(news.then(|| Message { parts, id: String::new(), more: false }))
    }
}

impl ListFeed {
    /// The rows of these workspaces, and those whose rows are to go.
    async fn look(&mut self, ids: BTreeSet<WorkspaceId>) -> Answer<(Vec<Entry>, Vec<WorkspaceId>)> {
        let (mut found, mut gone) = (Vec::new(), Vec::new());
        for id in ids {
            match self.state.app.workspace(&self.visitor.actor, id).await {
                Ok(workspace) => found.push(workspace),
                Err(app::Error::NotFound(_)) => gone.extend(self.sent.take(&id)),
                Err(error) => return Err(error.into()),
            }
        }
        Ok((entries(&self.state, &self.visitor.actor, found).await?, gone))
    }
}

fn workspace_of(event: &Event) -> Option<WorkspaceId> {
    match event {
        Event::Workspace(id) | Event::Session(id, _) | Event::Agent(id, _) => Some(*id),
        Event::User(_)
        | Event::Template(_)
        | Event::Version(_)
        | Event::VersionLog(_)
        | Event::Queue
        | Event::BuildLog(_)
        | Event::AgentLog(_)
        | Event::AgentMetadata(_)
        | Event::AgentHealth(_)
        | Event::Grants
        | Event::Providers => None,
    }
}

async fn workspace(
    state: State,
    visitor: Visitor,
    at: At,
    Query(after): Query<After>,
    headers: HeaderMap,
) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    let (of, after) = (LogOf::Build(workspace.latest_build.id), after.resumed(&headers));
    let feed = WorkspaceFeed {
        tail: LogTail::resume(&state.app, &visitor.actor, of, after).await?,
        agents: agents_of(&workspace),
        id: workspace.id,
        viewer: state.fleet.view(&visitor.actor, workspace.id),
        state: state.clone(),
        visitor,
    };
    serve(&state, feed)
}

fn agents_of(workspace: &Workspace) -> Vec<AgentId> {
    workspace.latest_build.resources.iter().flat_map(|r| &r.agents).map(|a| a.id).collect()
}

struct WorkspaceFeed {
    state: State,
    visitor: Visitor,
    viewer: Viewer,
    id: WorkspaceId,
    agents: Vec<AgentId>,
    tail: LogTail,
}

impl Feed for WorkspaceFeed {
    fn visitor(&mut self) -> &mut Visitor {
        &mut self.visitor
    }

    fn wants(&self, event: Event) -> bool {
        match event {
            Event::Workspace(id) | Event::Agent(id, _) | Event::Session(id, _) => id == self.id,
            Event::BuildLog(build) => LogOf::Build(build) == self.tail.of(),
            Event::AgentMetadata(agent) | Event::AgentHealth(agent) | Event::AgentLog(agent) => {
                self.agents.contains(&agent)
            }
            Event::Template(_) | Event::Grants => true,
            Event::User(_)
            | Event::Version(_)
            | Event::VersionLog(_)
            | Event::Queue
            | Event::Providers => false,
        }
    }

    async fn over(&self) {
        self.viewer.over().await;
    }

    async fn next(&mut self, news: News) -> Answer<Option<Message>> {
        let mut parts = None;
        if !news.only(|e| matches!(e, Event::BuildLog(_))) {
            match self.parts().await {
                Err(problem) if problem.status == StatusCode::NOT_FOUND => {
                    return Ok(Some(self.tail.said(gone(), false)));
                }
                drawn => parts = Some(drawn?),
            }
        }
        self.tail.message(&self.state.app, &self.visitor.actor, parts).await
    }
}

impl WorkspaceFeed {
    /// Every part but new lines; the whole log when it is another build's than the page has.
    async fn parts(&mut self) -> Answer<Markup> {
        let (app, actor) = (&self.state.app, &self.visitor.actor);
        let workspace = app.workspace(actor, self.id).await?;
        self.agents = agents_of(&workspace);
        let mut page =
            workspace::load(&self.state, actor, self.visitor.visit.clone(), workspace).await?;
        let build = &page.workspace.latest_build;
        let fresh = build.number != self.tail.build();
        if fresh {
            page.log = workspace::build_log(&self.state, actor, build).await?;
            self.tail = LogTail::behind(LogOf::Build(build.id), build.number, &page.log);
        }
        Ok(all_parts(&page, fresh))
    }
}

fn all_parts(page: &WorkspacePage, fresh: bool) -> Markup {
    html! {
        (replace("status", &page.status()))
        (replace("summary", &page.summary()))
        (replace("actions", &page.actions()))
        (replace("notices", &page.notices()))
        (replace("agents", &page.agents()))
        @if fresh { (replace("log-card", &page.log_card())) } @else { (replace("log-state", &page.log_badge())) }
        (replace("sessions-card", &page.sessions_card()))
        (replace("here", &page.here()))
        (replace("machines", &page.machines_cards()))
        (replace("meters", &page.meters()))
        (replace("builds-card", &page.builds_card()))
        (replace("facts", &page.facts()))
    }
}

async fn build(
    state: State,
    visitor: Visitor,
    at: AtBuild,
    Query(after): Query<After>,
    headers: HeaderMap,
) -> Answer<Response> {
    let (workspace, build) = history::find_build(&state, &visitor.actor, &at).await?;
    let after = After { build: build.number, ..after.resumed(&headers) };
    let of = LogOf::Build(build.id);
    let tail = LogTail::resume(&state.app, &visitor.actor, of, after).await?;
    let (id, workspace) = (build.id, workspace.id);
    let viewer = state.fleet.view(&visitor.actor, workspace);
    let feed = BuildFeed { viewer, id, workspace, at, tail, state: state.clone(), visitor };
    serve(&state, feed)
}

struct BuildFeed {
    state: State,
    visitor: Visitor,
    viewer: Viewer,
    at: AtBuild,
    id: BuildId,
    workspace: WorkspaceId,
    tail: LogTail,
}

impl Feed for BuildFeed {
    fn visitor(&mut self) -> &mut Visitor {
        &mut self.visitor
    }

    fn wants(&self, event: Event) -> bool {
        event == Event::BuildLog(self.id) || event == Event::Workspace(self.workspace)
    }

    async fn over(&self) {
        self.viewer.over().await;
    }

    async fn next(&mut self, news: News) -> Answer<Option<Message>> {
        let actor = &self.visitor.actor;
        let mut parts = None;
        if !news.only(|e| matches!(e, Event::BuildLog(_))) {
            let visit = self.visitor.visit.clone();
            let page = history::load(&self.state, actor, visit, &self.at).await?;
            parts = Some(html! {
                (replace("status", &page.status()))
                (replace("actions", &page.actions(&Place::of(&page.workspace))))
                (replace("failure", &page.failure()))
                (replace("steps", &page.steps()))
            });
        }
        self.tail.message(&self.state.app, actor, parts).await
    }
}

async fn version(
    state: State,
    visitor: Visitor,
    (here, at): (Here, AtVersion),
    Query(after): Query<After>,
    headers: HeaderMap,
) -> Answer<Response> {
    let (_, version) = templates::find_version(&state, &visitor.actor, (&here, &at)).await?;
    let (of, after) = (LogOf::Version(version.id), after.resumed(&headers));
    let tail = LogTail::resume(&state.app, &visitor.actor, of, after).await?;
    serve(&state, VersionFeed { id: version.id, here, at, tail, state: state.clone(), visitor })
}

struct VersionFeed {
    state: State,
    visitor: Visitor,
    here: Here,
    at: AtVersion,
    id: VersionId,
    tail: LogTail,
}

impl Feed for VersionFeed {
    fn visitor(&mut self) -> &mut Visitor {
        &mut self.visitor
    }

    fn wants(&self, event: Event) -> bool {
        event == Event::VersionLog(self.id) || event == Event::Version(self.id)
    }

    async fn next(&mut self, news: News) -> Answer<Option<Message>> {
        let actor = &self.visitor.actor;
        let mut parts = None;
        if !news.only(|e| matches!(e, Event::VersionLog(_))) {
            let visit = self.visitor.visit.clone();
            let page =
                templates::load_version(&self.state, actor, visit, (&self.here, &self.at)).await?;
            let over = page.version.job.status == JobStatus::Succeeded;
            parts = Some(html! {
                (replace("status", &page.status()))
                (replace("actions", &page.actions()))
                (replace("failure", &page.failure()))
                @if over { (replace("found", &page.found())) }
            });
        }
        self.tail.message(&self.state.app, actor, parts).await
    }
}
