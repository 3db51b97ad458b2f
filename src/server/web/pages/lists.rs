//! The list of workspaces.

use axum::response::{IntoResponse, Response};
use http::HeaderMap;

use super::{Html, Visitor, document, wants_part};
use crate::model::filter::WorkspaceFilter;
use crate::model::workspace::Workspace;
use crate::server::app::workspace_search::Beside;
use crate::server::app::{Actor, Error};
use crate::server::html::pages::workspaces::{Entry, Whose, Workspaces};
use crate::server::html::paths;
use crate::server::web::extract::Query;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

/// Workspaces on the page; a filter finds the rest.
const MAX_ROWS: u32 = 300;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::Page, paths::WORKSPACES, workspaces)
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Filter {
    q: String,
    whose: String,
}

async fn workspaces(
    state: State,
    visitor: Visitor,
    Query(filter): Query<Filter>,
    headers: HeaderMap,
) -> Answer<Response> {
    let templates = state.app.has_templates(&visitor.actor).await?;
    let whose = Whose::from_word(&filter.whose);
    let (mine, others) = shown(&state, &visitor.actor, &filter.q, whose).await?;
    let page =
        Workspaces { visit: visitor.visit, filter: filter.q, whose, mine, others, templates };
    let part = wants_part(&headers);
    Ok(if part { document(page.list()) } else { Html::of(&page).into_response() })
}

/// One's own workspaces and other people's, as many as the page shows.
pub(super) async fn shown(
    state: &State,
    actor: &Actor,
    query: &str,
    whose: Whose,
) -> Answer<(Vec<Entry>, Vec<Entry>)> {
    let filter = WorkspaceFilter::parse(query).map_err(|e| Error::invalid("q", e))?;
    let (mut mine, mut others) = (vec![], vec![]);
    if whose != Whose::Others {
        let mut filter = filter.clone();
        filter.owners.push("me".to_owned());
        mine = state.app.find_workspaces(actor, filter, MAX_ROWS).await?;
    }
    let room = MAX_ROWS.saturating_sub(u32::try_from(mine.len()).unwrap_or(MAX_ROWS));
    if whose != Whose::Mine && room > 0 {
        let filter = WorkspaceFilter { not_mine: true, ..filter };
        others = state.app.find_workspaces(actor, filter, room).await?;
    }
    Ok((entries(state, actor, mine).await?, entries(state, actor, others).await?))
}

/// Workspaces with who is in them and what may be done with them.
pub(super) async fn entries(
    state: &State,
    actor: &Actor,
    list: Vec<Workspace>,
) -> Answer<Vec<Entry>> {
    if list.is_empty() {
        return Ok(vec![]);
    }
    let ids = list.iter().map(|w| w.id).collect();
    let mut beside = state.app.beside(actor, ids).await?;
    let places = state.app.organizations(actor).await?;
    let is_several = places.len() > 1;
    let label = |id| {
        let found = places.iter().find(|place| place.id == id).filter(|_| is_several);
        found.map(|place| place.label().to_owned()).unwrap_or_default()
    };
    let entry = |workspace: Workspace| {
        let Beside { may, here, is_favorite } = beside.remove(&workspace.id).unwrap_or_default();
        let place = label(workspace.organization_id);
        Entry { workspace, here, may, place, is_favorite }
    };
    Ok(list.into_iter().map(entry).collect())
}
