//! `/presence`: who is in which workspace now.

use crate::model::id::WorkspaceId;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::session::Session;
use crate::server::web::extract::{Json, Path};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::users::MinimalUser;
use crate::wire::presence::{Presence, Present};
use crate::wire::terminals;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::may(R::Workspace, A::Read);
    routes.get(read, "/api/v2/presence", everywhere).get(
        read,
        "/api/v2/workspaces/{workspace}/presence",
        one,
    )
}

async fn everywhere(state: State, Who(actor): Who) -> Answer<Json<Present>> {
    Ok(told(&state, state.app.presence(&actor).await?))
}

async fn one(state: State, Who(actor): Who, Path(id): Path<WorkspaceId>) -> Answer<Json<Present>> {
    Ok(told(&state, state.app.open_sessions(&actor, id).await?))
}

fn told(state: &State, (all, more): (Vec<Session>, usize)) -> Json<Present> {
    let one = |session: Session| {
        let (terminal, doing) = state.fleet.doing(session.id);
        let (doing, idle_s) = doing.map_or(("", 0), terminals::doing);
        let terminal = terminal.map(|id| id.0);
        Presence { terminal, doing: doing.to_owned(), idle_s, ..presence(session) }
    };
    let more = u64::try_from(more).unwrap_or(u64::MAX);
    Json(Present { sessions: all.into_iter().map(one).collect(), more })
}

fn presence(session: Session) -> Presence {
    Presence {
        id: session.id.0,
        user: MinimalUser {
            id: session.user.id.0,
            username: session.user.username.to_string(),
            ..MinimalUser::default()
        },
        workspace_id: session.workspace_id.0,
        workspace: session.workspace_name.to_string(),
        agent: session.agent_name,
        through: session.kind.to_string(),
        address: session.address,
        client: session.client,
        since: session.began_at.into(),
        ..Presence::default()
    }
}
