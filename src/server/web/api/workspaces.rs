//! `/workspaces`: made, found, changed, watched.

use axum::response::Response;
use http::StatusCode;

use super::convert::names::Names;
use super::convert::workspaces as convert;
use super::follow::MaybeSocket;
use super::watch::{self, Subject};
use crate::model::build::{BuildReason, Transition};
use crate::model::id::{PresetId, TemplateId, UserId, VersionId, WorkspaceId};
use crate::model::name::WorkspaceName;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::workspace::Workspace;
use crate::server::app::build_requests::BuildRequest;
use crate::server::app::workspaces::{CreateWorkspace, Source, UpdateWorkspace};
use crate::server::app::{Actor, Error, Page};
use crate::server::web::extract::{Json, Path, Query, Sent, created};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::workspaces as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::may(R::Workspace, A::Read), "/api/v2/workspaces", list)
        .get(Access::may(R::Workspace, A::Read), "/api/v2/workspaces/{workspace}", show)
        .patch(Access::may(R::Workspace, A::Update), "/api/v2/workspaces/{workspace}", rename)
        .put(
            Access::may(R::Workspace, A::Update),
            "/api/v2/workspaces/{workspace}/autostart",
            autostart,
        )
        .put(Access::may(R::Workspace, A::Update), "/api/v2/workspaces/{workspace}/ttl", ttl)
        .put(Access::may(R::Workspace, A::Update), "/api/v2/workspaces/{workspace}/extend", extend)
        .put(
            Access::may(R::Workspace, A::Update),
            "/api/v2/workspaces/{workspace}/autoupdates",
            automatic_updates,
        )
        .get(
            Access::may(R::Workspace, A::Read),
            "/api/v2/workspaces/{workspace}/resolve-autostart",
            resolve_autostart,
        )
        .put(
            Access::may(R::Workspace, A::Read),
            "/api/v2/workspaces/{workspace}/favorite",
            favorite,
        )
        .delete(
            Access::may(R::Workspace, A::Read),
            "/api/v2/workspaces/{workspace}/favorite",
            no_favorite,
        )
        .post(Access::may(R::Workspace, A::Read), "/api/v2/workspaces/{workspace}/usage", usage)
        .get(
            Access::may(R::Workspace, A::Read),
            "/api/v2/workspaces/{workspace}/port-share",
            port_shares,
        )
        .get(Access::may(R::Workspace, A::Read), "/api/v2/workspaces/{workspace}/watch", watch)
        .get(
            Access::may(R::Workspace, A::Read),
            "/api/v2/workspaces/{workspace}/watch-ws",
            watch_socket,
        )
        .post(Access::may(R::Workspace, A::Create), "/api/v2/users/{user}/workspaces", create)
        .post(
            Access::may(R::Workspace, A::Create),
            "/api/v2/organizations/{organization}/members/{user}/workspaces",
            create_in,
        )
        .get(Access::may(R::Workspace, A::Read), "/api/v2/users/{user}/workspace/{name}", by_name)
}

/// A workspace in Coder's words.
pub(super) async fn one(state: &State, actor: &Actor, w: &Workspace) -> Answer<wire::Workspace> {
    let names = Names::load(state, actor).await?;
    let favorite = state.app.favorites(actor).await?.contains(&w.id);
    let shown = convert::workspace(w, &names, state.app.clock().now());
    Ok(wire::Workspace { favorite, ..shown })
}

/// How a list of workspaces is asked for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct SearchQuery {
    q: String,
    limit: u32,
    offset: u32,
}

async fn list(
    state: State,
    Who(actor): Who,
    Query(query): Query<SearchQuery>,
) -> Answer<Json<wire::WorkspacesResponse>> {
    let page = Page::new(query.limit, query.offset);
    let (found, count) = state.app.workspaces(&actor, &query.q, page).await?;
    let (names, now) = (Names::load(&state, &actor).await?, state.app.clock().now());
    let favorites = state.app.favorites(&actor).await?;
    let shown = |w: &Workspace| wire::Workspace {
        favorite: favorites.contains(&w.id),
        ..convert::workspace(w, &names, now)
    };
    let workspaces = found.iter().map(shown).collect();
    let count = i64::try_from(count).unwrap_or(i64::MAX);
    Ok(Json(wire::WorkspacesResponse { workspaces, count }))
}

async fn show(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
) -> Answer<Json<wire::Workspace>> {
    let workspace = state.app.workspace(&actor, id).await?;
    Ok(Json(one(&state, &actor, &workspace).await?))
}

async fn by_name(
    state: State,
    Who(actor): Who,
    Path((owner, name)): Path<(String, String)>,
) -> Answer<Json<wire::Workspace>> {
    let workspace = state.app.workspace_by_name(&actor, &owner, &name).await?;
    Ok(Json(one(&state, &actor, &workspace).await?))
}

async fn create(
    state: State,
    Who(actor): Who,
    Path(owner): Path<String>,
    Json(body): Json<wire::CreateWorkspace>,
) -> Answer<Response> {
    let owner = state.app.user(&actor, &owner).await?.id;
    let workspace = state.app.create_workspace(&actor, command(owner, body)?).await?;
    Ok(created(one(&state, &actor, &workspace).await?))
}

async fn create_in(
    state: State,
    who: Who,
    Path((organization, owner)): Path<(String, String)>,
    body: Json<wire::CreateWorkspace>,
) -> Answer<Response> {
    super::templates::organization(&state, &who.0, &organization).await?;
    create(state, who, Path(owner), body).await
}

fn command(owner: UserId, body: wire::CreateWorkspace) -> Answer<CreateWorkspace> {
    let source = match (body.template_version_id, body.template_id) {
        (Some(version), _) => Source::Version(VersionId(version)),
        (None, Some(template)) => Source::Template(TemplateId(template)),
        (None, None) => return Err(Error::invalid("template_id", "is missing").into()),
    };
    Ok(CreateWorkspace {
        owner,
        name: name(&body.name)?,
        source,
        ttl_s: body.ttl_ms.map(|ms| ms / 1000),
        autostart_schedule: body.autostart_schedule.unwrap_or_default(),
        automatic_updates: always(&body.automatic_updates)?,
        build: BuildRequest {
            parameters: body.rich_parameter_values.into_iter().map(convert::asked).collect(),
            preset: body.template_version_preset_id.map(PresetId),
            ..BuildRequest::new(Transition::Start, BuildReason::Initiator)
        },
    })
}

fn name(text: &str) -> Answer<WorkspaceName> {
    Ok(WorkspaceName::parse(text).map_err(|e| Error::invalid("name", e))?)
}

fn always(text: &str) -> Answer<bool> {
    match text {
        "always" => Ok(true),
        "never" | "" => Ok(false),
        _ => Err(Error::invalid("automatic_updates", "wants always or never").into()),
    }
}

async fn update(
    state: &State,
    actor: &Actor,
    id: WorkspaceId,
    cmd: UpdateWorkspace,
) -> Answer<StatusCode> {
    state.app.update_workspace(actor, id, cmd).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn rename(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<wire::UpdateWorkspace>,
) -> Answer<StatusCode> {
    let cmd = UpdateWorkspace { name: Some(name(&body.name)?), ..UpdateWorkspace::default() };
    update(&state, &actor, id, cmd).await
}

async fn autostart(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<wire::UpdateAutostart>,
) -> Answer<StatusCode> {
    let schedule = Some(body.schedule.unwrap_or_default());
    let cmd = UpdateWorkspace { autostart_schedule: schedule, ..UpdateWorkspace::default() };
    update(&state, &actor, id, cmd).await
}

async fn ttl(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<wire::UpdateTtl>,
) -> Answer<StatusCode> {
    let ttl_s = Some(body.ttl_ms.unwrap_or_default() / 1000);
    update(&state, &actor, id, UpdateWorkspace { ttl_s, ..UpdateWorkspace::default() }).await
}

async fn automatic_updates(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<wire::UpdateAutomaticUpdates>,
) -> Answer<StatusCode> {
    let automatic_updates = Some(always(&body.automatic_updates)?);
    let cmd = UpdateWorkspace { automatic_updates, ..UpdateWorkspace::default() };
    update(&state, &actor, id, cmd).await
}

async fn extend(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<wire::Extend>,
) -> Answer<Response> {
    state.app.extend_workspace(&actor, id, body.deadline.seconds()).await?;
    Ok(crate::server::web::extract::message("The workspace stops later now."))
}

async fn resolve_autostart(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
) -> Answer<Json<wire::ResolveAutostart>> {
    let parameter_mismatch = state.app.update_needs_answers(&actor, id).await?;
    Ok(Json(wire::ResolveAutostart { parameter_mismatch }))
}

/// The body is optional: older clients send none.
async fn usage(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    Sent(_): Sent<wire::Usage>,
) -> Answer<StatusCode> {
    state.app.touch_workspace(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn favorite(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
) -> Answer<StatusCode> {
    state.app.set_favorite(&actor, id, true).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn no_favorite(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
) -> Answer<StatusCode> {
    state.app.set_favorite(&actor, id, false).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn port_shares(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
) -> Answer<Json<wire::PortShares>> {
    state.app.workspace(&actor, id).await?;
    Ok(Json(wire::PortShares::default()))
}

async fn watch(state: State, Who(actor): Who, Path(id): Path<WorkspaceId>) -> Answer<Response> {
    watch::sse(state, actor, Subject::Workspace(id)).await
}

async fn watch_socket(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    MaybeSocket(upgrade): MaybeSocket,
) -> Answer<Response> {
    watch::socket(state, actor, Subject::Workspace(id), upgrade).await
}
