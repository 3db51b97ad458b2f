//! `/scim/v2/Users`.

use axum::response::Response;
use http::StatusCode;

use super::query::{Asked, Body, Changed, Search};
use super::{answer, base};
use crate::model::id::UserId;
use crate::model::scim::Map;
use crate::model::scim::project::Wanted;
use crate::model::scim::schema::USER;
use crate::server::app::scim_users::ScimUser;
use crate::server::web::extract::Path;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Scim, "/scim/v2/Users", list)
        .post(Access::Scim, "/scim/v2/Users", create)
        .post(Access::Scim, "/scim/v2/Users/.search", search)
        .get(Access::Scim, "/scim/v2/Users/{id}", show)
        .put(Access::Scim, "/scim/v2/Users/{id}", change)
        .patch(Access::Scim, "/scim/v2/Users/{id}", change)
        .delete(Access::Scim, "/scim/v2/Users/{id}", delete)
}

async fn list(state: State, Who(actor): Who, search: Search) -> Answer<Response> {
    let (filter, wanted, part) = search.read()?;
    let (users, n) = state.app.scim_users(&actor, filter, part).await?;
    let users = users.into_iter().map(|user| shown(&state, &wanted, user));
    Ok(answer::list(n, part, &users.collect::<Vec<_>>()))
}

/// What is asked for of a user.
fn shown(state: &State, wanted: &Wanted, user: ScimUser) -> Map {
    wanted.of(&USER, answer::user(&base(state), user))
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
    let user = state.app.create_scim_user(&actor, body).await?;
    Ok(answer::created(shown(&state, &wanted, user)))
}

async fn show(
    state: State,
    Who(actor): Who,
    Asked(wanted): Asked,
    Path(id): Path<UserId>,
) -> Answer<Response> {
    let user = state.app.scim_user(&actor, id).await?;
    Ok(answer::one(shown(&state, &wanted, user)))
}

async fn change(
    state: State,
    Who(actor): Who,
    Asked(wanted): Asked,
    Path(id): Path<UserId>,
    Changed(change): Changed,
) -> Answer<Response> {
    let user = state.app.change_scim_user(&actor, id, change).await?;
    Ok(answer::one(shown(&state, &wanted, user)))
}

async fn delete(state: State, Who(actor): Who, Path(id): Path<UserId>) -> Answer<StatusCode> {
    state.app.delete_scim_user(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
