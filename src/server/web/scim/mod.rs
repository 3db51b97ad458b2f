//! `/scim/v2/`: the identity provider's door, by RFC 7644.

pub(super) mod answer;
mod discovery;
mod groups;
mod query;
mod users;

use axum::response::Response;

use self::query::{Body, Search};
use super::routes::Routes;
use super::{Access, Answer, State, Who};
use crate::model::scim::schema::{GROUP, USER};
use crate::server::app::scim::Part;

/// Where SCIM is served.
const BASE: &str = "/scim/v2";

/// Whether a path is below the base, where problems are answered in SCIM's form.
pub(super) fn is_of(path: &str) -> bool {
    path.strip_prefix("/scim").is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Where this site serves SCIM.
fn base(state: &State) -> String {
    format!("{}{BASE}", state.site.access_url())
}

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    let routes = discovery::routes(routes);
    let routes = users::routes(routes);
    let routes = groups::routes(routes);
    routes.post(Access::Scim, "/scim/v2/.search", search)
}

/// Users, and behind them groups.
async fn search(state: State, Who(actor): Who, Body(body): Body) -> Answer<Response> {
    let search = Search::from_body(&body)?;
    let (filter, wanted, part) = search.read()?;
    let base = base(&state);
    let (users, n_users) = state.app.scim_users(&actor, filter.clone(), part).await?;
    let rest = Part {
        offset: part.offset.saturating_sub(n_users),
        limit: part.limit.saturating_sub(users.len()),
    };
    let wants = wanted.has("members");
    let (groups, n_groups) = state.app.scim_groups(&actor, (filter, wants), rest).await?;
    let users = users.into_iter().map(|u| wanted.of(&USER, answer::user(&base, u)));
    let groups = groups.into_iter().map(|g| wanted.of(&GROUP, answer::group(&base, &g)));
    Ok(answer::list(n_users + n_groups, part, &users.chain(groups).collect::<Vec<_>>()))
}
