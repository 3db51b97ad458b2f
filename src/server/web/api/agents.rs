//! `/workspaceagents`: agents as people see them.

use axum::response::Response;

use super::convert::agents as convert;
use super::follow::{self, FollowQuery, MaybeSocket, Source, left, upgrade_needed};
use super::watch::{self, Subject};
use crate::model::id::AgentId;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::web::extract::{Json, Path, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who, sockets};
use crate::wire::coder::agents as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::SignedIn, "/api/v2/workspaceagents/connection", any_connection)
        .get(Access::may(R::Workspace, A::Read), "/api/v2/workspaceagents/{agent}", show)
        .get(
            Access::may(R::Workspace, A::Read),
            "/api/v2/workspaceagents/{agent}/connection",
            connection,
        )
        .get(
            Access::may(R::Workspace, A::Read),
            "/api/v2/workspaceagents/{agent}/listening-ports",
            listening_ports,
        )
        .get(Access::may(R::Workspace, A::Read), "/api/v2/workspaceagents/{agent}/logs", logs)
        .get(
            Access::may(R::Workspace, A::Read),
            "/api/v2/workspaceagents/{agent}/startup-logs",
            logs,
        )
        .get(
            Access::may(R::Workspace, A::Read),
            "/api/v2/workspaceagents/{agent}/watch-metadata",
            metadata,
        )
        .get(
            Access::may(R::Workspace, A::Read),
            "/api/v2/workspaceagents/{agent}/watch-metadata-ws",
            metadata_socket,
        )
        .get(Access::SignedIn, "/api/v2/notifications/inbox/watch", inbox)
}

async fn show(state: State, Who(actor): Who, Path(id): Path<AgentId>) -> Answer<Json<wire::Agent>> {
    let view = state.app.agent(&actor, id).await?;
    let agent = convert::agent(&view.agent, view.resource_id, state.app.clock().now());
    Ok(Json(wire::Agent { logs_overflowed: view.logs_overflowed, ..agent }))
}

fn connection_info() -> Json<wire::ConnectionInfo> {
    Json(wire::ConnectionInfo {
        derp_map: serde_json::json!({ "Regions": {} }),
        hostname_suffix: "coder".to_owned(),
        ..wire::ConnectionInfo::default()
    })
}

async fn any_connection() -> Json<wire::ConnectionInfo> {
    connection_info()
}

async fn connection(
    state: State,
    Who(actor): Who,
    Path(id): Path<AgentId>,
) -> Answer<Json<wire::ConnectionInfo>> {
    state.app.agent(&actor, id).await?;
    Ok(connection_info())
}

async fn listening_ports(
    state: State,
    Who(actor): Who,
    Path(id): Path<AgentId>,
) -> Answer<Json<wire::ListeningPorts>> {
    state.app.agent(&actor, id).await?;
    let found = state.fleet.listening_ports(id).into_iter();
    let ports = found.map(|one| wire::ListeningPort {
        process_name: one.process,
        network: "tcp".to_owned(),
        port: one.port,
    });
    Ok(Json(wire::ListeningPorts { ports: ports.collect() }))
}

async fn logs(
    state: State,
    Who(actor): Who,
    Path(id): Path<AgentId>,
    Query(query): Query<FollowQuery>,
    MaybeSocket(upgrade): MaybeSocket,
) -> Answer<Response> {
    follow::answer(state, actor, Source::Agent(id), (query, upgrade)).await
}

async fn metadata(state: State, Who(actor): Who, Path(id): Path<AgentId>) -> Answer<Response> {
    watch::sse(state, actor, Subject::Metadata(id)).await
}

async fn metadata_socket(
    state: State,
    Who(actor): Who,
    Path(id): Path<AgentId>,
    MaybeSocket(upgrade): MaybeSocket,
) -> Answer<Response> {
    watch::socket(state, actor, Subject::Metadata(id), upgrade).await
}

/// Editors wait for this socket to open. Nothing is notified yet, so nothing is said.
async fn inbox(state: State, MaybeSocket(upgrade): MaybeSocket) -> Answer<Response> {
    let (upgrade, tasks) = (upgrade.ok_or_else(upgrade_needed)?, state.tasks.clone());
    Ok(sockets::bounded(upgrade).on_upgrade(move |socket| {
        sockets::run(socket, tasks, |mut s| async move { left(&mut s).await })
    }))
}
