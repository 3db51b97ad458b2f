//! `/workspaces/{workspace}/terminals`: those that people are at, and what is done with one.

use http::StatusCode;

use crate::model::id::{TerminalId, WorkspaceId};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::terminal::Deed;
use crate::model::verb::Verb;
use crate::server::web::extract::{Json, Path};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::terminals::Terminal;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::may(R::Workspace, A::Read), "/api/v2/workspaces/{workspace}/terminals", list)
        .post(
            Access::may(R::Workspace, A::Ssh),
            "/api/v2/workspaces/{workspace}/terminals/{terminal}/control",
            control,
        )
}

async fn list(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
) -> Answer<Json<Vec<Terminal>>> {
    state.app.may(&actor, id, Verb::View).await?;
    let now = state.app.clock().now();
    let all = state.fleet.terminals(id);
    Ok(Json(all.iter().map(|open| Terminal::of(open, now)).collect()))
}

async fn control(
    state: State,
    Who(actor): Who,
    Path(at): Path<(WorkspaceId, TerminalId)>,
    Json(deed): Json<Deed>,
) -> Answer<StatusCode> {
    state.fleet.do_at_terminal(&actor, at, deed).await?;
    Ok(StatusCode::NO_CONTENT)
}
