//! The list of workspaces.

use axum::response::{IntoResponse, Response};
use http::HeaderMap;

use super::{Html, Visitor, document, wants_part};
use crate::model::user::UserRef;
use crate::model::workspace::Workspace;
use crate::server::app::{Actor, Page};
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
    let (list, _) = state.app.workspaces(&visitor.actor, &filter.q, Page::new(MAX_ROWS, 0)).await?;
    let templates = !state.app.templates(&visitor.actor).await?.is_empty();
    let whose = Whose::from_word(&filter.whose);
    let me = visitor.visit.user.id;
    let entries = entries(&state, &visitor.actor, list).await?;
    let (mut mine, mut others): (Vec<_>, Vec<_>) =
        entries.into_iter().partition(|e| e.workspace.owner.id == me);
    match whose {
        Whose::Any => {}
        Whose::Mine => others.clear(),
        Whose::Others => mine.clear(),
    }
    let page =
        Workspaces { visit: visitor.visit, filter: filter.q, whose, mine, others, templates };
    let part = wants_part(&headers);
    Ok(if part { document(page.list()) } else { Html::of(&page).into_response() })
}

/// Workspaces with who is in them and what may be done with them.
pub(super) async fn entries(
    state: &State,
    actor: &Actor,
    list: Vec<Workspace>,
) -> Answer<Vec<Entry>> {
    let ids = list.iter().map(|w| w.id).collect();
    let mut may = state.app.allowed(actor, ids).await?;
    let mut entries = Vec::with_capacity(list.len());
    for workspace in list {
        let here = here(state, actor, &workspace).await?;
        let may = may.remove(&workspace.id).unwrap_or_default();
        entries.push(Entry { workspace, here, may });
    }
    Ok(entries)
}

/// Who is in a workspace, each once. Nobody is in one without agents.
async fn here(state: &State, actor: &Actor, workspace: &Workspace) -> Answer<Vec<UserRef>> {
    if workspace.latest_build.resources.iter().all(|r| r.agents.is_empty()) {
        return Ok(vec![]);
    }
    let mut people: Vec<UserRef> = Vec::new();
    for session in state.app.open_sessions(actor, workspace.id).await? {
        if people.iter().all(|p| p.id != session.user.id) {
            people.push(session.user);
        }
    }
    Ok(people)
}
