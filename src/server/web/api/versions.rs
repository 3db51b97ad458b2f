//! `/templateversions`: pushed, imported, read.

use axum::response::Response;

use super::convert::names::Names;
use super::convert::{templates as convert, workspaces};
use super::follow::{self, FollowQuery, MaybeSocket, Source};
use super::templates::organization;
use crate::model::build::{Build, BuildReason, Transition};
use crate::model::id::{BuildId, FileId, TemplateId, VersionId, WorkspaceId};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::resource::ResourceSpec;
use crate::model::template::Version;
use crate::provision::starters;
use crate::server::app::versions::CreateVersion;
use crate::server::app::{Actor, Error};
use crate::server::web::extract::{Json, Path, Query, created, message};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::{builds, versions as wire};

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .post(
            Access::may(R::Template, A::Read),
            "/api/v2/organizations/{organization}/templateversions",
            create,
        )
        .get(Access::may(R::Template, A::Read), "/api/v2/templateversions/{version}", show)
        .patch(Access::may(R::Template, A::Update), "/api/v2/templateversions/{version}", update)
        .patch(
            Access::may(R::Template, A::Update),
            "/api/v2/templateversions/{version}/cancel",
            cancel,
        )
        .post(
            Access::may(R::Template, A::Update),
            "/api/v2/templateversions/{version}/archive",
            archive,
        )
        .post(
            Access::may(R::Template, A::Update),
            "/api/v2/templateversions/{version}/unarchive",
            unarchive,
        )
        .get(Access::may(R::Template, A::Read), "/api/v2/templateversions/{version}/logs", logs)
        .get(Access::may(R::Template, A::Read), "/api/v2/templateversions/{version}/schema", empty)
        .get(
            Access::may(R::Template, A::Read),
            "/api/v2/templateversions/{version}/parameters",
            empty,
        )
        .get(
            Access::may(R::Template, A::Read),
            "/api/v2/templateversions/{version}/rich-parameters",
            parameters,
        )
        .get(
            Access::may(R::Template, A::Read),
            "/api/v2/templateversions/{version}/variables",
            variables,
        )
        .get(
            Access::may(R::Template, A::Read),
            "/api/v2/templateversions/{version}/presets",
            presets,
        )
        .get(
            Access::may(R::Template, A::Read),
            "/api/v2/templateversions/{version}/resources",
            resources,
        )
        .get(
            Access::may(R::Template, A::Read),
            "/api/v2/templateversions/{version}/external-auth",
            external_auth,
        )
}

async fn create(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Json(body): Json<wire::CreateVersion>,
) -> Answer<Response> {
    let cmd = CreateVersion {
        organization_id: organization(&state, &actor, &key).await?,
        template_id: body.template_id.map(TemplateId),
        file_id: file(&state, &actor, &body).await?,
        name: body.name,
        message: body.message,
        variables: body.user_variable_values.into_iter().map(|v| (v.name, v.value)).collect(),
    };
    Ok(created(convert::version(&state.app.create_version(&actor, cmd).await?)))
}

/// The archive that is pushed: an upload, or a starter.
async fn file(state: &State, actor: &Actor, body: &wire::CreateVersion) -> Answer<FileId> {
    if let Some(example) = &body.example_id {
        let starter = starters::find(example).ok_or(Error::NotFound("starter"))?;
        return Ok(state.app.upload_file(actor, starter.archive()).await?);
    }
    let id = body.file_id.ok_or_else(|| Error::invalid("file_id", "is missing"))?;
    Ok(FileId(id))
}

async fn show(
    state: State,
    Who(actor): Who,
    Path(id): Path<VersionId>,
) -> Answer<Json<wire::Version>> {
    Ok(Json(convert::version(&state.app.version(&actor, id).await?)))
}

async fn update(
    state: State,
    Who(actor): Who,
    Path(id): Path<VersionId>,
    Json(body): Json<wire::UpdateVersion>,
) -> Answer<Json<wire::Version>> {
    let name = body.name.filter(|n| !n.is_empty());
    let version = state.app.update_version(&actor, id, (name, body.message)).await?;
    Ok(Json(convert::version(&version)))
}

async fn cancel(state: State, Who(actor): Who, Path(id): Path<VersionId>) -> Answer<Response> {
    state.app.cancel_import(&actor, id).await?;
    Ok(message("The import is being cancelled."))
}

async fn archive(state: State, Who(actor): Who, Path(id): Path<VersionId>) -> Answer<Response> {
    state.app.archive_version(&actor, id, true).await?;
    Ok(message("The version is archived."))
}

async fn unarchive(state: State, Who(actor): Who, Path(id): Path<VersionId>) -> Answer<Response> {
    state.app.archive_version(&actor, id, false).await?;
    Ok(message("The version is offered again."))
}

async fn logs(
    state: State,
    Who(actor): Who,
    Path(id): Path<VersionId>,
    Query(query): Query<FollowQuery>,
    MaybeSocket(upgrade): MaybeSocket,
) -> Answer<Response> {
    follow::answer(state, actor, Source::Version(id), (query, upgrade)).await
}

/// Lists of Coder's first years that stay empty.
async fn empty(
    state: State,
    Who(actor): Who,
    Path(id): Path<VersionId>,
) -> Answer<Json<Vec<String>>> {
    state.app.version(&actor, id).await?;
    Ok(Json(vec![]))
}

async fn parameters(
    state: State,
    Who(actor): Who,
    Path(id): Path<VersionId>,
) -> Answer<Json<Vec<wire::RichParameter>>> {
    let mut list = state.app.imported(&actor, id).await?.parameters;
    list.sort_by_key(|p| p.order);
    Ok(Json(list.iter().map(convert::parameter).collect()))
}

async fn variables(
    state: State,
    Who(actor): Who,
    Path(id): Path<VersionId>,
) -> Answer<Json<Vec<wire::Variable>>> {
    let found = state.app.imported(&actor, id).await?;
    Ok(Json(found.variables.iter().map(convert::variable).collect()))
}

async fn presets(
    state: State,
    Who(actor): Who,
    Path(id): Path<VersionId>,
) -> Answer<Json<Vec<wire::Preset>>> {
    let found = state.app.imported(&actor, id).await?;
    Ok(Json(found.presets.iter().map(|p| convert::preset(p, id)).collect()))
}

async fn external_auth(
    state: State,
    Who(actor): Who,
    Path(id): Path<VersionId>,
) -> Answer<Json<Vec<wire::ExternalAuth>>> {
    let found = state.app.imported(&actor, id).await?;
    let wanted = found.external_auth.into_iter().map(|(id, optional)| wire::ExternalAuth {
        display_name: id.clone(),
        id,
        optional,
        ..wire::ExternalAuth::default()
    });
    Ok(Json(wanted.collect()))
}

async fn resources(
    state: State,
    Who(actor): Who,
    Path(id): Path<VersionId>,
) -> Answer<Json<Vec<builds::Resource>>> {
    Names::load(&state, &actor).await?;
    let version = state.app.version(&actor, id).await?;
    let found = state.app.imported(&actor, id).await?;
    let of = |transition, list: &[ResourceSpec]| -> Vec<builds::Resource> {
        list.iter().map(|r| resource(&version, transition, r)).collect()
    };
    let mut list = of(Transition::Start, &found.start_resources);
    list.extend(of(Transition::Stop, &found.stop_resources));
    Ok(Json(list))
}

/// What a build would make, in the words for what one made.
fn resource(version: &Version, transition: Transition, spec: &ResourceSpec) -> builds::Resource {
    use crate::model::agent::{Agent, App, Lifecycle, Resource};
    use crate::model::app::AppHealth;
    let agents = spec.agents.iter().map(|a| Agent {
        id: a.id,
        spec: a.clone(),
        created_at: version.created_at,
        first_connected_at: None,
        last_connected_at: None,
        disconnected_at: None,
        lifecycle: Lifecycle::Created,
        started_at: None,
        ready_at: None,
        version: String::new(),
        expanded_directory: String::new(),
        health: None,
        apps: a
            .apps
            .iter()
            .map(|app| App { spec: app.clone(), health: AppHealth::Disabled })
            .collect(),
    });
    let made = Resource {
        id: spec.id,
        created_at: version.created_at,
        kind: spec.kind.clone(),
        name: spec.name.clone(),
        hide: spec.hide,
        icon: spec.icon.clone(),
        daily_cost: spec.daily_cost,
        metadata: spec.metadata.clone(),
        agents: agents.collect(),
    };
    workspaces::resource(&made, &as_build(version, transition), version.created_at)
}

fn as_build(version: &Version, transition: Transition) -> Build {
    let nil = uuid::Uuid::nil();
    Build {
        id: BuildId(nil),
        workspace_id: WorkspaceId(nil),
        number: 0,
        transition,
        reason: BuildReason::Initiator,
        initiator: version.created_by.clone(),
        version_id: version.id,
        version_name: version.name.clone(),
        job: version.job.clone(),
        daily_cost: 0,
        refused_cost: None,
        deadline: None,
        has_external_agent: version.has_external_agent,
        resources: vec![],
    }
}
