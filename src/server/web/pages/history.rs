//! Builds of a workspace: the list, one, and a log as plain text.

use axum::response::{IntoResponse, Response};
use http::header;

use super::workspace::{At, LOG_LINES, find, named};
use super::{Html, Visitor};
use crate::model::build::Build;
use crate::model::log::StoredLine;
use crate::model::text::shown_page;
use crate::model::time::rfc3339_ms;
use crate::server::app::{Actor, Page};
use crate::server::html::layout::Visit;
use crate::server::html::pages::build::BuildPage;
use crate::server::html::pages::builds::{Builds, PER_PAGE};
use crate::server::web::extract::{Path, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

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
    let newer = before.map_or(0, |n| workspace.latest_build.number - n + 1).max(0);
    let part = Page::new(u32::try_from(PER_PAGE).unwrap_or(50), u32::try_from(newer).unwrap_or(0));
    let builds = state.app.builds(&visitor.actor, workspace.id, part).await?;
    Ok(Html::of(&Builds { visit: visitor.visit, workspace, builds }))
}

async fn build(state: State, visitor: Visitor, at: AtBuild) -> Answer<Html> {
    Ok(Html::of(&load(&state, &visitor.actor, visitor.visit, at).await?))
}

/// Everything that a build's page shows.
pub(super) async fn load(
    state: &State,
    actor: &Actor,
    visit: Visit,
    Path((owner, name, number)): AtBuild,
) -> Answer<BuildPage> {
    let app = &state.app;
    let workspace = find(state, actor, &Path((owner, name))).await?;
    let build = app.build_by_number(actor, workspace.id, number).await?;
    let lines = app.build_logs(actor, build.id, (0, LOG_LINES)).await?;
    let asked = app.imported(actor, build.version_id).await?.parameters;
    let may = app.allowed(actor, vec![workspace.id]).await?.remove(&workspace.id);
    Ok(BuildPage {
        timings: app.build_timings(actor, build.id).await?,
        parameters: named(&asked, &app.build_parameters(actor, build.id).await?),
        may: may.unwrap_or_default(),
        cursor: lines.last().map_or(0, |l| l.id),
        log: lines.into_iter().map(|l| l.line).collect(),
        visit,
        workspace,
        build,
    })
}

async fn log(
    state: State,
    visitor: Visitor,
    Path((owner, name, number)): AtBuild,
) -> Answer<Response> {
    let workspace = find(&state, &visitor.actor, &Path((owner, name))).await?;
    let build: Build = state.app.build_by_number(&visitor.actor, workspace.id, number).await?;
    let mut text = String::new();
    let mut after = 0;
    loop {
        let lines = state.app.build_logs(&visitor.actor, build.id, (after, LOG_LINES)).await?;
        let Some(last) = lines.last() else { break };
        after = last.id;
        lines.iter().for_each(|line| write(&mut text, line));
    }
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], shown_page(text)).into_response())
}

fn write(text: &mut String, StoredLine { line, .. }: &StoredLine) {
    use std::fmt::Write as _;
    let at = rfc3339_ms(line.at_ms);
    let _ = writeln!(text, "{at} {} [{}] {}", line.level, line.stage, line.output);
}
