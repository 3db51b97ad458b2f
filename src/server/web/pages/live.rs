//! The live streams of pages: each part has the id that it has in the page.

use axum::response::Response;
use http::{HeaderMap, StatusCode};
use maud::{Markup, html};

use super::history::{self, AtBuild};
use super::lists::{entries, shown};
use super::stream::{Feed, News, serve};
use super::workspace::{self, At, LOG_LINES, find};
use super::{Visitor, templates};
use crate::model::build::JobStatus;
use crate::model::event::Event;
use crate::model::id::{AgentId, BuildId, VersionId, WorkspaceId};
use crate::model::log::{LogLine, StoredLine};
use crate::server::html::pages::workspace::{WorkspacePage, appended, gone, stage_of};
use crate::server::html::pages::workspaces::Whose;
use crate::server::html::parts::live::replace;
use crate::server::html::paths::{self, Place};
use crate::server::web::extract::{Path, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

/// Lines before the first new one that are looked at for their step.
const LOOK_BACK: i64 = 50;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Page, paths::WORKSPACES_LIVE, list)
        .get(Access::Page, "/@{owner}/{name}/live", workspace)
        .get(Access::Page, "/@{owner}/{name}/builds/{number}/live", build)
        .get(Access::Page, "/templates/{template}/versions/{version}/live", version)
}

/// Where a page's log ends.
#[derive(Clone, Copy, Default, serde::Deserialize)]
#[serde(default)]
struct After {
    build: i64,
    after: i64,
}

impl After {
    /// Where the last message of the stream before this one left off, else what the page says.
    fn resumed(self, headers: &HeaderMap) -> Self {
        let last = headers.get("last-event-id").and_then(|v| v.to_str().ok());
        let read = |text: &str| {
            let (build, after) = text.split_once('.')?;
            Some(Self { build: build.parse().ok()?, after: after.parse().ok()? })
        };
        last.and_then(read).unwrap_or(self)
    }

    fn id(self) -> String {
        format!("{}.{}", self.build, self.after)
    }
}

async fn list(state: State, visitor: Visitor) -> Response {
    serve(&state.clone(), ListFeed { state, visitor })
}

struct ListFeed {
    state: State,
    visitor: Visitor,
}

impl Feed for ListFeed {
    fn wants(&self, event: Event) -> bool {
        matches!(event, Event::Workspace(_) | Event::Session(..) | Event::Agent(..))
    }

    async fn next(&mut self, news: News) -> Answer<Option<(Markup, String)>> {
        let (app, visit) = (&self.state.app, &mut self.visitor.visit);
        visit.now = app.clock().now();
        let mut ids: Vec<WorkspaceId> = news.events.iter().filter_map(workspace_of).collect();
        ids.dedup();
        let entries = if news.missed {
            let (mut mine, others) =
                shown(&self.state, &self.visitor.actor, "", Whose::Any).await?;
            mine.extend(others);
            mine
        } else {
            let mut list = Vec::new();
            for id in ids {
                // What may not be seen is not on the page either.
                list.extend(app.workspace(&self.visitor.actor, id).await.ok());
            }
            entries(&self.state, &self.visitor.actor, list).await?
        };
        let (me, csrf, now) = (visit.me(), &visit.csrf, visit.now);
        let parts = html! { @for e in &entries { (replace(&e.row_id(), &e.row(&me, csrf, now))) } };
        Ok((!entries.is_empty()).then(|| (parts, String::new())))
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
        | Event::Grants => None,
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
    let agents = workspace.latest_build.resources.iter().flat_map(|r| &r.agents);
    let feed = WorkspaceFeed {
        agents: agents.map(|a| a.id).collect(),
        build: workspace.latest_build.id,
        id: workspace.id,
        after: after.resumed(&headers),
        stage: None,
        state: state.clone(),
        visitor,
    };
    Ok(serve(&state, feed))
}

struct WorkspaceFeed {
    state: State,
    visitor: Visitor,
    id: WorkspaceId,
    build: BuildId,
    agents: Vec<AgentId>,
    after: After,
    stage: Option<String>,
}

impl Feed for WorkspaceFeed {
    fn wants(&self, event: Event) -> bool {
        match event {
            Event::Workspace(id) | Event::Agent(id, _) | Event::Session(id, _) => id == self.id,
            Event::BuildLog(build) => build == self.build,
            Event::AgentMetadata(agent) | Event::AgentLog(agent) => self.agents.contains(&agent),
            Event::Template(_) | Event::Grants => true,
            Event::User(_) | Event::Version(_) | Event::VersionLog(_) | Event::Queue => false,
        }
    }

    async fn next(&mut self, news: News) -> Answer<Option<(Markup, String)>> {
        let only_lines =
            !news.missed && news.events.iter().all(|e| matches!(e, Event::BuildLog(_)));
        let mut parts = html! {};
        if !only_lines {
            let page = match self.page().await {
                Err(problem) if problem.status == StatusCode::NOT_FOUND => {
                    return Ok(Some((gone(), self.after.id())));
                }
                page => page?,
            };
            let build = &page.workspace.latest_build;
            let fresh = build.number != self.after.build;
            self.build = build.id;
            self.agents = build.resources.iter().flat_map(|r| &r.agents).map(|a| a.id).collect();
            parts = all_parts(&page, fresh);
            if fresh {
                self.after = After { build: build.number, after: page.cursor };
                self.stage = Some(stage_of(&page.log, "").to_owned());
            }
        }
        let lines = self.lines().await?;
        if only_lines && lines.is_none() {
            return Ok(None);
        }
        let parts = html! { (parts) @if let Some(lines) = lines { (lines) } };
        Ok(Some((parts, self.after.id())))
    }
}

impl WorkspaceFeed {
    async fn page(&mut self) -> Answer<WorkspacePage> {
        let mut visit = self.visitor.visit.clone();
        visit.now = self.state.app.clock().now();
        let workspace = self.state.app.workspace(&self.visitor.actor, self.id).await?;
        workspace::load(&self.state, &self.visitor.actor, visit, workspace).await
    }

    /// The log's new lines.
    async fn lines(&mut self) -> Answer<Option<Markup>> {
        let (app, actor) = (&self.state.app, &self.visitor.actor);
        if self.stage.is_none() {
            let back = (self.after.after - LOOK_BACK).max(0);
            let before = app.build_logs(actor, self.build, (back, LOG_LINES)).await?;
            self.stage = Some(stage_before(&before, self.after.after));
        }
        let new = app.build_logs(actor, self.build, (self.after.after, LOG_LINES)).await?;
        Ok(take(new, &mut self.after, &mut self.stage))
    }
}

/// The step of the lines up to the one with id `after`.
fn stage_before(lines: &[StoredLine], after: i64) -> String {
    let old = lines.iter().rev().find(|l| l.id <= after && !l.line.stage.is_empty());
    old.map(|l| l.line.stage.clone()).unwrap_or_default()
}

/// New lines as a part, after which the stream goes on.
fn take(new: Vec<StoredLine>, after: &mut After, stage: &mut Option<String>) -> Option<Markup> {
    after.after = new.last()?.id;
    let lines: Vec<LogLine> = new.into_iter().map(|l| l.line).collect();
    let before = stage.take().unwrap_or_default();
    let part = appended(&lines, &before);
    *stage = Some(stage_of(&lines, &before).to_owned());
    Some(part)
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
    let page = history::load(&state, &visitor.actor, visitor.visit.clone(), at.clone()).await?;
    let (id, workspace) = (page.build.id, page.workspace.id);
    let after = After { build: page.build.number, ..after.resumed(&headers) };
    let feed = BuildFeed { id, workspace, at, after, stage: None, state: state.clone(), visitor };
    Ok(serve(&state, feed))
}

struct BuildFeed {
    state: State,
    visitor: Visitor,
    at: AtBuild,
    id: BuildId,
    workspace: WorkspaceId,
    after: After,
    stage: Option<String>,
}

impl Feed for BuildFeed {
    fn wants(&self, event: Event) -> bool {
        event == Event::BuildLog(self.id) || event == Event::Workspace(self.workspace)
    }

    async fn next(&mut self, news: News) -> Answer<Option<(Markup, String)>> {
        let mut visit = self.visitor.visit.clone();
        visit.now = self.state.app.clock().now();
        let actor = &self.visitor.actor;
        let only_lines =
            !news.missed && news.events.iter().all(|e| matches!(e, Event::BuildLog(_)));
        let mut parts = html! {};
        if !only_lines {
            let page = history::load(&self.state, actor, visit, self.at.clone()).await?;
            parts = html! {
                (replace("status", &page.status()))
                (replace("actions", &page.actions(&Place::of(&page.workspace))))
                (replace("failure", &page.failure()))
                (replace("steps", &page.steps()))
            };
        }
        let new = self.state.app.build_logs(actor, self.id, (self.after.after, LOG_LINES)).await?;
        let lines = take(new, &mut self.after, &mut self.stage);
        let parts = html! { (parts) @if let Some(lines) = lines { (lines) } };
        Ok(Some((parts, self.after.id())))
    }
}

async fn version(
    state: State,
    visitor: Visitor,
    at: Path<(String, String)>,
    Query(after): Query<After>,
    headers: HeaderMap,
) -> Answer<Response> {
    let page = templates::load_version(&state, &visitor, at.clone()).await?;
    let (id, after) = (page.version.id, after.resumed(&headers));
    let feed = VersionFeed { id, at, after, stage: None, state: state.clone(), visitor };
    Ok(serve(&state, feed))
}

struct VersionFeed {
    state: State,
    visitor: Visitor,
    at: Path<(String, String)>,
    id: VersionId,
    after: After,
    stage: Option<String>,
}

impl Feed for VersionFeed {
    fn wants(&self, event: Event) -> bool {
        event == Event::VersionLog(self.id) || event == Event::Version(self.id)
    }

    async fn next(&mut self, _: News) -> Answer<Option<(Markup, String)>> {
        self.visitor.visit.now = self.state.app.clock().now();
        let page = templates::load_version(&self.state, &self.visitor, self.at.clone()).await?;
        let actor = &self.visitor.actor;
        let new =
            self.state.app.version_logs(actor, self.id, (self.after.after, LOG_LINES)).await?;
        let lines = take(new, &mut self.after, &mut self.stage);
        let over = page.version.job.status == JobStatus::Succeeded;
        let parts = html! {
            (replace("status", &page.status()))
            (replace("actions", &page.actions()))
            (replace("failure", &page.failure()))
            @if over { (replace("found", &page.found())) }
            @if let Some(lines) = lines { (lines) }
        };
        Ok(Some((parts, self.after.id())))
    }
}
