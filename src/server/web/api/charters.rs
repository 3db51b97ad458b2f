//! `/charter` of an organization and of a workspace: who may at most what.

use crate::model::id::WorkspaceId;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::app::Actor;
use crate::server::app::charters::CharterOf;
use crate::server::web::extract::{Json, Path};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::charters as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    const PLACE: &str = "/api/v2/organizations/{organization}/charter";
    const WORKSPACE: &str = "/api/v2/workspaces/{workspace}/charter";
    routes
        .get(Access::may(R::Organization, A::Read), PLACE, of_organization)
        .put(Access::may(R::Organization, A::Update), PLACE, set_of_organization)
        .get(Access::may(R::Workspace, A::Share), WORKSPACE, of_workspace)
        .put(Access::may(R::Workspace, A::Update), WORKSPACE, set_of_workspace)
}

async fn of_organization(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<wire::Charter>> {
    shown(&state, &actor, CharterOf::Organization(key)).await
}

async fn of_workspace(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
) -> Answer<Json<wire::Charter>> {
    shown(&state, &actor, CharterOf::Workspace(id)).await
}

async fn set_of_organization(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Json(body): Json<wire::Charter>,
) -> Answer<Json<wire::Charter>> {
    let of = CharterOf::Organization(key);
    state.app.set_charter(&actor, of.clone(), &body.text).await?;
    shown(&state, &actor, of).await
}

async fn set_of_workspace(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<wire::Charter>,
) -> Answer<Json<wire::Charter>> {
    let of = CharterOf::Workspace(id);
    state.app.set_charter(&actor, of.clone(), &body.text).await?;
    shown(&state, &actor, of).await
}

async fn shown(state: &State, actor: &Actor, of: CharterOf) -> Answer<Json<wire::Charter>> {
    let found = state.app.charter(actor, of).await?;
    let above = found.above.map(|row| row.text).unwrap_or_default();
    Ok(Json(match found.own {
        Some(row) => wire::Charter {
            text: row.text,
            set_by: row.set_by.username.to_string(),
            set_at: Some(row.set_at.into()),
            above,
        },
        None => wire::Charter { above, ..wire::Charter::default() },
    }))
}
