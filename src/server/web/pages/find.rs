//! The command palette: what is named exactly opens, the rest is listed.

use axum::response::{IntoResponse, Redirect, Response};

use super::{Html, Visitor};
use crate::model::filter::WorkspaceFilter;
use crate::model::people_filter::PeopleFilter;
use crate::model::user::UserRef;
use crate::server::app::users::UserFilter;
use crate::server::html::pages::find::{Find, Hit, pages};
use crate::server::html::parts::badge::of_workspace;
use crate::server::html::paths::{self, Place};
use crate::server::web::extract::Query;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

/// Hits of a kind on the page.
const MAX_HITS: usize = 20;

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::Page, paths::FIND, find)
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Asked {
    q: String,
}

async fn find(
    state: State,
    visitor: Visitor,
    Query(Asked { q }): Query<Asked>,
) -> Answer<Response> {
    let query = q.trim().to_owned();
    let page = Find {
        workspaces: workspaces(&state, &visitor, &query).await?,
        templates: templates(&state, &visitor, &query).await?,
        people: people(&state, &visitor, &query).await?,
        pages: pages(&visitor.visit).into_iter().filter(|h| fits(&h.name, &query)).collect(),
        query,
        visit: visitor.visit,
    };
    Ok(match exact(&page) {
        Some(href) => Redirect::to(href).into_response(),
        None => Html::of(&page).into_response(),
    })
}

/// Where the one thing of exactly this name is.
fn exact(page: &Find) -> Option<&str> {
    let mut hits = page.workspaces.iter().chain(&page.templates).chain(&page.pages);
    let mut named = hits.by_ref().filter(|h| h.name.eq_ignore_ascii_case(&page.query));
    let first = named.next()?;
    named.next().is_none().then_some(first.href.as_str())
}

fn fits(name: &str, query: &str) -> bool {
    name.to_lowercase().contains(&query.to_lowercase())
}

async fn workspaces(state: &State, visitor: &Visitor, query: &str) -> Answer<Vec<Hit>> {
    if query.is_empty() {
        return Ok(vec![]);
    }
    let filter =
        WorkspaceFilter { parts: vec![query.to_lowercase()], ..WorkspaceFilter::default() };
    let limit = u32::try_from(MAX_HITS).unwrap_or(20);
    let found = state.app.find_workspaces(&visitor.actor, filter, limit).await?;
    let hit = |w: &crate::model::workspace::Workspace| Hit {
        name: w.name.to_string(),
        note: format!("{} · {}", w.owner.username, of_workspace(w.status()).1),
        href: Place::of(w).page().to_owned(),
    };
    Ok(found.iter().map(hit).collect())
}

async fn templates(state: &State, visitor: &Visitor, query: &str) -> Answer<Vec<Hit>> {
    if query.is_empty() {
        return Ok(vec![]);
    }
    let all = state.app.templates(&visitor.actor).await?;
    let found = all.iter().filter(|t| fits(t.label(), query) || fits(t.name.as_str(), query));
    let hit = |t: &crate::model::template::Template| Hit {
        name: t.label().to_owned(),
        note: t.description.clone(),
        href: paths::template(t),
    };
    Ok(found.take(MAX_HITS).map(hit).collect())
}

async fn people(state: &State, visitor: &Visitor, query: &str) -> Answer<Vec<UserRef>> {
    if query.is_empty() || !visitor.visit.sees_people() {
        return Ok(vec![]);
    }
    let limit = i64::try_from(MAX_HITS).unwrap_or(20);
    let wanted = PeopleFilter { text: query.to_owned(), ..PeopleFilter::default() };
    let wanted = UserFilter { wanted, limit, ..UserFilter::default() };
    let (found, _) = state.app.users(&visitor.actor, wanted).await?;
    Ok(found.iter().map(UserRef::of).collect())
}
