//! `/scim/v2/Groups`.

use axum::response::Response;
use http::StatusCode;

use super::query::{Asked, Body, Changed, Search};
use super::{answer, base};
use crate::model::id::GroupId;
use crate::model::scim::Map;
use crate::model::scim::project::Wanted;
use crate::model::scim::schema::GROUP;
use crate::server::app::scim_groups::ScimGroup;
use crate::server::web::extract::Path;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Scim, "/scim/v2/Groups", list)
        .post(Access::Scim, "/scim/v2/Groups", create)
        .post(Access::Scim, "/scim/v2/Groups/.search", search)
        .get(Access::Scim, "/scim/v2/Groups/{id}", show)
        .put(Access::Scim, "/scim/v2/Groups/{id}", change)
        .patch(Access::Scim, "/scim/v2/Groups/{id}", change)
        .delete(Access::Scim, "/scim/v2/Groups/{id}", delete)
}

async fn list(state: State, Who(actor): Who, search: Search) -> Answer<Response> {
    let (filter, wanted, part) = search.read()?;
    let (groups, n) = state.app.scim_groups(&actor, (filter, wanted.has("members")), part).await?;
    let groups = groups.into_iter().map(|group| shown(&state, &wanted, &group));
    Ok(answer::list(n, part, &groups.collect::<Vec<_>>()))
}

/// What is asked for of a group.
fn shown(state: &State, wanted: &Wanted, group: &ScimGroup) -> Map {
    wanted.of(&GROUP, answer::group(&base(state), group))
}

async fn search(state: State, who: Who, Body(body): Body) -> Answer<Response> {
    list(state, who, Search::from_body(&body)?).await
}

async fn create(
    state: State,
    Who(actor): Who,
    Asked(wanted): Asked,
    Body(body): Body,
) -> Answer<Response> {
    let group = state.app.create_scim_group(&actor, body).await?;
    Ok(answer::created(shown(&state, &wanted, &group)))
}

async fn show(
    state: State,
    Who(actor): Who,
    Asked(wanted): Asked,
    Path(id): Path<GroupId>,
) -> Answer<Response> {
    let group = state.app.scim_group(&actor, id).await?;
    Ok(answer::one(shown(&state, &wanted, &group)))
}

async fn change(
    state: State,
    Who(actor): Who,
    Asked(wanted): Asked,
    Path(id): Path<GroupId>,
    Changed(change): Changed,
) -> Answer<Response> {
    let group = state.app.change_scim_group(&actor, id, change).await?;
    Ok(answer::one(shown(&state, &wanted, &group)))
}

async fn delete(state: State, Who(actor): Who, Path(id): Path<GroupId>) -> Answer<StatusCode> {
    state.app.delete_scim_group(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
