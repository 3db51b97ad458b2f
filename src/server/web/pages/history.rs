//! Builds of a workspace: the list, one, and a log as plain text.

use axum::body::Body;
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use http::header;

use super::workspace::{At, build_log, find, named};
use super::{Html, Visitor};
use crate::model::build::Build;
use crate::model::log::{LogEnd, StoredLine};
use crate::model::text::shown;
use crate::model::time::rfc3339_ms;
use crate::model::workspace::Workspace;
use crate::server::app::logs::LogOf;
use crate::server::app::{self, Actor, Page};
use crate::server::html::layout::Visit;
use crate::server::html::pages::build::BuildPage;
use crate::server::html::pages::builds::{Builds, PER_PAGE};
use crate::server::web::extract::{Path, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

/// Lines of a log that are read at once for its text; a slow reader holds no more.
const TEXT_LINES: u32 = 500;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Page, "/@{owner}/{name}/builds", builds)
        .get(Access::Page, "/@{owner}/{name}/builds/{number}", build)
        .get(Access::Page, "/@{owner}/{name}/builds/{number}/log", log)
}

/// The owner's and the workspace's name and a build's number in a path.
pub(super) type AtBuild = Path<(String, String, i64)>;

#[derive(serde::Deserialize)]
struct Before {
    before: Option<i64>,
}

async fn builds(
    state: State,
    visitor: Visitor,
    at: At,
    Query(Before { before }): Query<Before>,
) -> Answer<Html> {
    let workspace = find(&state, &visitor.actor, &at).await?;
    // Numbers are dense, so the place in the list follows from the number.
    let newer = before
        .map_or(0, |n| workspace.latest_build.number.saturating_sub(n).saturating_add(1))
        .max(0);
    let part = Page::new(u32::try_from(PER_PAGE).unwrap_or(50), u32::try_from(newer).unwrap_or(0));
    let builds = state.app.builds(&visitor.actor, workspace.id, part).await?;
    Ok(Html::of(&Builds { visit: visitor.visit, workspace, builds }))
}

async fn build(state: State, visitor: Visitor, at: AtBuild) -> Answer<Html> {
    let actor = &visitor.actor;
    let mut page = load(&state, actor, visitor.visit, &at).await?;
    let asked = state.app.build_questions(actor, page.build.id).await?;
    let values = state.app.build_parameters(actor, page.build.id).await?;
    page.parameters = named(&asked, &values);
    page.log = build_log(&state, actor, &page.build).await?;
    Ok(Html::of(&page))
}

/// The build that a path names, and its workspace.
pub(super) async fn find_build(
    state: &State,
    actor: &Actor,
    Path((owner, name, number)): &AtBuild,
) -> Answer<(Workspace, Build)> {
    let workspace = state.app.workspace_by_name(actor, owner, name).await?;
    let build = state.app.build_by_number(actor, workspace.id, *number).await?;
    Ok((workspace, build))
}

/// Everything that the stream of a build's page draws again: all but the log and the answers.
pub(super) async fn load(
    state: &State,
    actor: &Actor,
    visit: Visit,
    at: &AtBuild,
) -> Answer<BuildPage> {
    let app = &state.app;
    let (workspace, build) = find_build(state, actor, at).await?;
    let may = app.allowed(actor, vec![workspace.id]).await?.remove(&workspace.id);
    Ok(BuildPage {
        timings: app.build_timings(actor, build.id).await?,
        parameters: Vec::new(),
        may: may.unwrap_or_default(),
        log: LogEnd::default(),
        budget: match build.refused_cost {
            Some(_) => Some(app.budget_of_build(actor, build.id).await?),
            None => None,
        },
        visit,
        workspace,
        build,
    })
}

/// A log as plain text, read while it is sent.
async fn log(state: State, visitor: Visitor, at: AtBuild) -> Answer<Response> {
    let (_, build) = find_build(&state, &visitor.actor, &at).await?;
    let (app, actor, of) = (state.app.clone(), visitor.actor, LogOf::Build(build.id));
    let text = stream::try_unfold(0, move |after| {
        let (app, actor) = (app.clone(), actor.clone());
        async move {
            let lines = app.log_lines(&actor, of, (after, TEXT_LINES)).await?;
            let Some(last) = lines.last() else { return Ok::<_, app::Error>(None) };
            let text: String = lines.iter().map(text).collect();
            Ok(Some((text, last.id)))
        }
    });
    let kind = [(header::CONTENT_TYPE, "text/plain; charset=utf-8")];
    Ok((kind, Body::from_stream(text)).into_response())
}

fn text(StoredLine { line, .. }: &StoredLine) -> String {
    let at = rfc3339_ms(line.at_ms);
    shown(&format!("{at} {} [{}] {}\n", line.level, line.stage, line.output)).into_owned()
}
