//! How a machine that someone else runs becomes a workspace: the agent's credentials, and the script
//! that brings the agent there.

use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};

use crate::model::id::WorkspaceId;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::web::extract::{Json, Path};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, Problem, State, Who};
use crate::wire::bootstrap;
use crate::wire::coder::agents as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(
            Access::may(R::Workspace, A::Read),
            "/api/v2/workspaces/{workspace}/external-agent/{agent}/credentials",
            credentials,
        )
        .post(
            Access::may(R::Workspace, A::Update),
            "/api/v2/workspaces/{workspace}/external-agent/new-tokens",
            new_tokens,
        )
        .get(Access::Public, "/api/v2/init-script/{os}/{arch}", script)
}

async fn credentials(
    state: State,
    Who(actor): Who,
    Path((id, agent)): Path<(WorkspaceId, String)>,
) -> Answer<Json<wire::ExternalAgentCredentials>> {
    let found = state.app.external_agent(&actor, id, &agent).await?;
    let (spec, agent_token) = (&found.agent.spec, found.token);
    let platform = (spec.os.as_str(), spec.arch.as_str());
    let command = bootstrap::command(state.site.access_url(), platform, &agent_token);
    Ok(Json(wire::ExternalAgentCredentials { command, agent_token }))
}

async fn new_tokens(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
) -> Answer<StatusCode> {
    state.app.renew_external_agents(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn script(state: State, Path((os, arch)): Path<(String, String)>) -> Answer<Response> {
    let text = bootstrap::script(&os, &arch).ok_or_else(Problem::not_found)?;
    let text = bootstrap::render(&text, state.site.access_url(), state.app.clock().now());
    Ok(([(header::CONTENT_TYPE, "text/plain; charset=utf-8")], text).into_response())
}
