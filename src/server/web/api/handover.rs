//! `/workspaces/{workspace}/handover`: it becomes another's.

use crate::model::handover::HandedOver;
use crate::model::id::WorkspaceId;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::app::handover::Handover;
use crate::server::web::extract::{Json, Path};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::handover as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    let may = Access::may(R::Workspace, A::Delete);
    routes.post(may, "/api/v2/workspaces/{workspace}/handover", hand_over).post(
        may,
        "/api/v2/workspaces/{workspace}/handover/preview",
        preview,
    )
}

async fn hand_over(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<wire::Handover>,
) -> Answer<Json<wire::HandedOver>> {
    Ok(Json(shown(state.app.hand_over(&actor, id, asked(body)).await?)))
}

async fn preview(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<wire::Handover>,
) -> Answer<Json<wire::HandedOver>> {
    Ok(Json(shown(state.app.try_handover(&actor, id, asked(body)).await?)))
}

fn asked(body: wire::Handover) -> Handover {
    Handover { to: body.to, end_grants: body.end_grants }
}

fn shown(done: HandedOver) -> wire::HandedOver {
    wire::HandedOver {
        workspace_id: done.workspace.id.0,
        name: done.workspace.name.to_string(),
        from: done.from.username.to_string(),
        to: done.to.username.to_string(),
        responsible: done.responsible.map(|user| user.username.to_string()).unwrap_or_default(),
        stays: done.stays.iter().map(|verb| verb.to_string()).collect(),
        grants_kept: done.kept,
        grants_ended: done.ended,
        codes_lost: done.codes,
        restarts: done.restarts,
    }
}
