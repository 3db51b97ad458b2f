//! `/organizations`: where users and templates belong.

use axum::response::Response;

use super::convert::people as convert;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::user::Organization;
use crate::server::app::Error;
use crate::server::app::organizations::UpdateOrganization;
use crate::server::web::extract::{Json, Path, created, message};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::organizations as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::may(R::Organization, A::Read);
    routes
        .get(read, "/api/v2/organizations", list)
        .post(Access::may(R::Organization, A::Create), "/api/v2/organizations", create)
        .get(read, "/api/v2/organizations/{organization}", show)
        .patch(
            Access::may(R::Organization, A::Update),
            "/api/v2/organizations/{organization}",
            update,
        )
        .delete(
            Access::may(R::Organization, A::Delete),
            "/api/v2/organizations/{organization}",
            delete,
        )
        .get(read, "/api/v2/users/{user}/organizations", of_user)
        .get(read, "/api/v2/users/{user}/organizations/{organization}", one_of_user)
}

async fn list(state: State, Who(actor): Who) -> Answer<Json<Vec<wire::Organization>>> {
    Ok(all(&state.app.organizations(&actor).await?))
}

fn all(organizations: &[Organization]) -> Json<Vec<wire::Organization>> {
    Json(organizations.iter().map(convert::organization).collect())
}

async fn show(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<wire::Organization>> {
    Ok(Json(convert::organization(&state.app.organization(&actor, &key).await?)))
}

async fn update(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Json(body): Json<wire::UpdateOrganization>,
) -> Answer<Json<wire::Organization>> {
    let made = state.app.update_organization(&actor, &key, fields(body)).await?;
    Ok(Json(convert::organization(&made)))
}

fn fields(body: wire::UpdateOrganization) -> UpdateOrganization {
    // Coder's clients leave a name out that stays, or send none.
    let given = |text: Option<String>| text.filter(|t| !t.is_empty());
    UpdateOrganization {
        name: given(body.name),
        display_name: given(body.display_name),
        description: body.description,
        icon: body.icon,
    }
}

async fn create(
    state: State,
    Who(actor): Who,
    Json(body): Json<wire::UpdateOrganization>,
) -> Answer<Response> {
    let fields = fields(body);
    // What is not named otherwise is shown by its name.
    let display_name = fields.display_name.clone().or_else(|| fields.name.clone());
    let cmd = UpdateOrganization { display_name, ..fields };
    let made = state.app.create_organization(&actor, cmd).await?;
    Ok(created(convert::organization(&made)))
}

async fn delete(state: State, Who(actor): Who, Path(key): Path<String>) -> Answer<Response> {
    state.app.delete_organization(&actor, &key).await?;
    Ok(message("The organization is deleted."))
}

async fn of_user(
    state: State,
    Who(actor): Who,
    Path(user): Path<String>,
) -> Answer<Json<Vec<wire::Organization>>> {
    Ok(all(&state.app.organizations_of(&actor, &user).await?))
}

async fn one_of_user(
    state: State,
    Who(actor): Who,
    Path((user, key)): Path<(String, String)>,
) -> Answer<Json<wire::Organization>> {
    let found = state.app.organization(&actor, &key).await?;
    let theirs = state.app.organizations_of(&actor, &user).await?;
    if theirs.iter().all(|o| o.id != found.id) {
        return Err(Error::NotFound("organization").into());
    }
    Ok(Json(convert::organization(&found)))
}
