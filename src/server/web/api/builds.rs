//! `/workspacebuilds`: asked for, cancelled, read.

use axum::body::Bytes;
use axum::response::{IntoResponse as _, Response};
use base64::Engine as _;
use http::{StatusCode, header};

use super::convert::workspaces as convert;
use super::follow::{self, FollowQuery, MaybeSocket, Source};
use crate::model::build::{Build, BuildReason, Transition};
use crate::model::id::{BuildId, PresetId, VersionId, WorkspaceId};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::app::build_requests::{BuildRequest, VersionChoice};
use crate::server::app::builds::MAX_STATE_BYTES;
use crate::server::app::{Actor, Error, Page};
use crate::server::web::extract::{Json, Path, Query, created, message};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::builds as wire;

/// A body with a state in base64, and the rest of a request for a build.
const MAX_BODY: usize = MAX_STATE_BYTES / 3 * 4 + (1 << 20);

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::may(R::Workspace, A::Read), "/api/v2/workspaces/{workspace}/builds", list)
        .up_to(MAX_BODY)
        .post(Access::may(R::Workspace, A::Read), "/api/v2/workspaces/{workspace}/builds", create)
        .get(
            Access::may(R::Workspace, A::Read),
            "/api/v2/workspaces/{workspace}/timings",
            last_timings,
        )
        .get(
            Access::may(R::Workspace, A::Read),
            "/api/v2/users/{user}/workspace/{name}/builds/{number}",
            by_number,
        )
        .get(Access::may(R::Workspace, A::Read), "/api/v2/workspacebuilds/{build}", show)
        .patch(Access::may(R::Workspace, A::Read), "/api/v2/workspacebuilds/{build}/cancel", cancel)
        .get(Access::may(R::Workspace, A::Read), "/api/v2/workspacebuilds/{build}/logs", logs)
        .get(
            Access::may(R::Workspace, A::Read),
            "/api/v2/workspacebuilds/{build}/parameters",
            parameters,
        )
        .get(
            Access::may(R::Workspace, A::Read),
            "/api/v2/workspacebuilds/{build}/resources",
            resources,
        )
        .get(Access::may(R::Workspace, A::Read), "/api/v2/workspacebuilds/{build}/timings", timings)
        .get(Access::may(R::Template, A::Update), "/api/v2/workspacebuilds/{build}/state", state_of)
        .up_to(MAX_STATE_BYTES)
        .put(
            Access::may(R::Template, A::Update),
            "/api/v2/workspacebuilds/{build}/state",
            put_state,
        )
}

async fn one(state: &State, actor: &Actor, build: &Build) -> Answer<wire::Build> {
    let of = state.app.workspace_of_build(actor, build.id).await?;
    Ok(convert::build(build, Some(&of), state.app.clock().now()))
}

/// Which part of a list is asked for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct PageQuery {
    limit: u32,
    offset: u32,
}

async fn list(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    Query(query): Query<PageQuery>,
) -> Answer<Json<Vec<wire::Build>>> {
    let workspace = state.app.workspace(&actor, id).await?;
    let page = Page::new(query.limit, query.offset);
    let (list, now) = (state.app.builds(&actor, id, page).await?, state.app.clock().now());
    Ok(Json(list.iter().map(|b| convert::build(b, Some(&workspace), now)).collect()))
}

async fn create(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<wire::CreateBuild>,
) -> Answer<Response> {
    let build = state.app.create_build(&actor, id, request(body)?).await?;
    Ok(created(one(&state, &actor, &build).await?))
}

fn request(body: wire::CreateBuild) -> Answer<BuildRequest> {
    let transition = Transition::from_word(&body.transition)
        .ok_or_else(|| Error::invalid("transition", "wants start, stop or delete"))?;
    if body.dry_run {
        return Err(Error::invalid("dry_run", "is not offered").into());
    }
    let version = body.template_version_id.map(VersionId);
    Ok(BuildRequest {
        version: version.map_or(VersionChoice::Keep, VersionChoice::Exact),
        parameters: body.rich_parameter_values.into_iter().map(convert::asked).collect(),
        preset: body.template_version_preset_id.map(PresetId),
        orphan: body.orphan,
        state: given_state(&body.state)?,
        ..BuildRequest::new(transition, reason(&body.reason)?)
    })
}

/// The reasons a client may give; schedules are the server's own.
fn reason(word: &str) -> Answer<BuildReason> {
    match BuildReason::from_word(word) {
        None if word.is_empty() => Ok(BuildReason::Initiator),
        None | Some(BuildReason::Autostart | BuildReason::Autostop) => Err(Error::invalid(
            "reason",
            "wants dashboard, cli, ssh_connection, vscode_connection or jetbrains_connection",
        )
        .into()),
        Some(
            known @ (BuildReason::Initiator
            | BuildReason::Dashboard
            | BuildReason::Cli
            | BuildReason::SshConnection
            | BuildReason::VscodeConnection
            | BuildReason::JetbrainsConnection),
        ) => Ok(known),
    }
}

fn given_state(text: &str) -> Answer<Option<Vec<u8>>> {
    if text.is_empty() {
        return Ok(None);
    }
    let bytes = base64::engine::general_purpose::STANDARD.decode(text);
    Ok(Some(bytes.map_err(|_| Error::invalid("state", "is not base64"))?))
}

async fn show(state: State, Who(actor): Who, Path(id): Path<BuildId>) -> Answer<Json<wire::Build>> {
    let build = state.app.build(&actor, id).await?;
    Ok(Json(one(&state, &actor, &build).await?))
}

async fn by_number(
    state: State,
    Who(actor): Who,
    Path((owner, name, number)): Path<(String, String, i64)>,
) -> Answer<Json<wire::Build>> {
    let workspace = state.app.workspace_by_name(&actor, &owner, &name).await?;
    let build = state.app.build_by_number(&actor, workspace.id, number).await?;
    Ok(Json(convert::build(&build, Some(&workspace), state.app.clock().now())))
}

async fn cancel(state: State, Who(actor): Who, Path(id): Path<BuildId>) -> Answer<Response> {
    state.app.cancel_build(&actor, id).await?;
    Ok(message("The build is being cancelled."))
}

async fn logs(
    state: State,
    Who(actor): Who,
    Path(id): Path<BuildId>,
    Query(query): Query<FollowQuery>,
    MaybeSocket(upgrade): MaybeSocket,
) -> Answer<Response> {
    follow::answer(state, actor, Source::Build(id), (query, upgrade)).await
}

async fn parameters(
    state: State,
    Who(actor): Who,
    Path(id): Path<BuildId>,
) -> Answer<Json<Vec<wire::BuildParameter>>> {
    let values = state.app.build_parameters(&actor, id).await?;
    Ok(Json(values.iter().map(convert::parameter).collect()))
}

async fn resources(
    state: State,
    Who(actor): Who,
    Path(id): Path<BuildId>,
) -> Answer<Json<Vec<wire::Resource>>> {
    let (build, now) = (state.app.build(&actor, id).await?, state.app.clock().now());
    Ok(Json(build.resources.iter().map(|r| convert::resource(r, &build, now)).collect()))
}

async fn timings(
    state: State,
    Who(actor): Who,
    Path(id): Path<BuildId>,
) -> Answer<Json<wire::Timings>> {
    let build = state.app.build(&actor, id).await?;
    let steps = state.app.build_timings(&actor, id).await?;
    let runs = state.app.script_runs(&actor, id).await?;
    Ok(Json(convert::timings(&build, &steps, &runs)))
}

async fn last_timings(
    state: State,
    who: Who,
    Path(id): Path<WorkspaceId>,
) -> Answer<Json<wire::Timings>> {
    let last = state.app.workspace(&who.0, id).await?.latest_build.id;
    timings(state, who, Path(last)).await
}

async fn state_of(state: State, Who(actor): Who, Path(id): Path<BuildId>) -> Answer<Response> {
    let body = state.app.build_state(&actor, id).await?;
    Ok(([(header::CONTENT_TYPE, "application/json")], body).into_response())
}

async fn put_state(
    state: State,
    Who(actor): Who,
    Path(id): Path<BuildId>,
    body: Bytes,
) -> Answer<StatusCode> {
    state.app.put_build_state(&actor, id, body.to_vec()).await?;
    Ok(StatusCode::NO_CONTENT)
}
