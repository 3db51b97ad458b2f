//! `/break-glass`: letting oneself into a workspace in an emergency, and looking into it afterwards.

use axum::response::Response;

use super::sharing::minimal;
use crate::model::id::BreakGlassId;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::request::BreakGlassView;
use crate::server::web::extract::{Json, Path, created};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::requests as wire;

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::may(R::Workspace, A::Read);
    routes
        .get(read, "/api/v2/break-glass", list)
        .post(Access::may(R::Workspace, A::BreakGlass), "/api/v2/break-glass", take)
        .post(read, "/api/v2/break-glass/{break_glass}/review", review)
}

async fn list(state: State, Who(actor): Who) -> Answer<Json<Vec<wire::BreakGlass>>> {
    let open = state.app.open_break_glass(&actor).await?;
    Ok(Json(open.iter().map(shown).collect()))
}

async fn take(
    state: State,
    Who(actor): Who,
    Json(body): Json<wire::BreakTheGlass>,
) -> Answer<Response> {
    let taken = state.app.break_glass(&actor, (&body.workspace, &body.reason)).await?;
    Ok(created(shown(&taken)))
}

async fn review(
    state: State,
    Who(actor): Who,
    Path(id): Path<BreakGlassId>,
    Json(body): Json<wire::ReviewBreakGlass>,
) -> Answer<Json<wire::BreakGlass>> {
    Ok(Json(shown(&state.app.review_break_glass(&actor, id, &body.note).await?)))
}

fn shown(view: &BreakGlassView) -> wire::BreakGlass {
    let taken = &view.taken;
    wire::BreakGlass {
        id: taken.id.0,
        workspace: view.workspace.clone(),
        workspace_id: taken.workspace_id.0,
        user: minimal(&view.by),
        reason: taken.reason.clone(),
        taken_at: taken.taken_at.into(),
        until: taken.until.into(),
        grant_id: taken.grant_id.map(|id| id.0),
        reviewed_at: taken.review.as_ref().map(|(_, at, _)| (*at).into()),
        note: taken.review.as_ref().map(|(.., note)| note.clone()).unwrap_or_default(),
        may_review: view.may_review,
    }
}
