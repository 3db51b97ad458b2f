//! `/scim/v2/Users`.

use axum::response::Response;
use http::StatusCode;

use super::query::{Body, Search};
use super::{answer, base};
use crate::model::id::UserId;
use crate::model::scim::patch;
use crate::model::scim::schema::USER;
use crate::server::app::Error;
use crate::server::app::scim_users::Change;
use crate::server::web::extract::Path;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Scim, "/scim/v2/Users", list)
        .post(Access::Scim, "/scim/v2/Users", create)
        .post(Access::Scim, "/scim/v2/Users/.search", search)
        .get(Access::Scim, "/scim/v2/Users/{id}", show)
        .put(Access::Scim, "/scim/v2/Users/{id}", replace)
        .patch(Access::Scim, "/scim/v2/Users/{id}", change)
        .delete(Access::Scim, "/scim/v2/Users/{id}", delete)
}

async fn list(state: State, Who(actor): Who, search: Search) -> Answer<Response> {
    let (filter, wanted, part) = search.read()?;
    let (users, n) = state.app.scim_users(&actor, filter, part).await?;
    let base = base(&state);
    let users = users.into_iter().map(|user| wanted.of(&USER, answer::user(&base, user)));
    Ok(answer::list(n, part, &users.collect::<Vec<_>>()))
}

async fn search(state: State, who: Who, Body(body): Body) -> Answer<Response> {
    list(state, who, Search::from_body(&body)?).await
}

async fn create(
    state: State,
    Who(actor): Who,
    asked: Search,
    Body(body): Body,
) -> Answer<Response> {
    let (_, wanted, _) = asked.read()?;
    let user = state.app.create_scim_user(&actor, body).await?;
    Ok(answer::created(wanted.of(&USER, answer::user(&base(&state), user))))
}

async fn show(
    state: State,
    Who(actor): Who,
    asked: Search,
    Path(id): Path<UserId>,
) -> Answer<Response> {
    let (_, wanted, _) = asked.read()?;
    let user = state.app.scim_user(&actor, id).await?;
    Ok(answer::one(wanted.of(&USER, answer::user(&base(&state), user))))
}

async fn replace(
    state: State,
    Who(actor): Who,
    asked: Search,
    Path(id): Path<UserId>,
    Body(body): Body,
) -> Answer<Response> {
    let (_, wanted, _) = asked.read()?;
    let user = state.app.change_scim_user(&actor, id, Change::Whole(body)).await?;
    Ok(answer::one(wanted.of(&USER, answer::user(&base(&state), user))))
}

async fn change(
    state: State,
    Who(actor): Who,
    asked: Search,
    Path(id): Path<UserId>,
    Body(body): Body,
) -> Answer<Response> {
    let (_, wanted, _) = asked.read()?;
    let change = Change::Parts(patch::parse(&body).map_err(Error::from)?);
    let user = state.app.change_scim_user(&actor, id, change).await?;
    Ok(answer::one(wanted.of(&USER, answer::user(&base(&state), user))))
}

async fn delete(state: State, Who(actor): Who, Path(id): Path<UserId>) -> Answer<StatusCode> {
    state.app.delete_scim_user(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}
