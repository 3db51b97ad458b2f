//! `/templateversions` and `/templates/{template}/versions`: pushes, imports and what they found.

use std::collections::BTreeMap;

use axum::response::Response;

use super::template_json as json;
use super::templates::organization_id;
use crate::model::id::{FileId, TemplateId, VersionId};
use crate::provision::starters;
use crate::server::app::versions::CreateVersion;
use crate::server::app::{Actor, Error, Page};
use crate::server::web::extract::{Json, ListQuery, Path, Query, created, message};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::versions as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes
        .post(Access::User, "/api/v2/organizations/{organization}/templateversions", create)
        .get(
            Access::User,
            "/api/v2/organizations/{organization}/templates/{template}/versions/{version}",
            show_in,
        )
        .get(Access::User, "/api/v2/templates/{template}/versions", list)
        .get(Access::User, "/api/v2/templates/{template}/versions/{name}", show_named)
        .post(Access::User, "/api/v2/templates/{template}/versions/archive", archive_unused);
    routes
        .get(Access::User, "/api/v2/templateversions/{version}", show)
        .patch(Access::User, "/api/v2/templateversions/{version}", update)
        .patch(Access::User, "/api/v2/templateversions/{version}/cancel", cancel)
        .post(Access::User, "/api/v2/templateversions/{version}/archive", archive)
        .post(Access::User, "/api/v2/templateversions/{version}/unarchive", unarchive)
        .get(Access::User, "/api/v2/templateversions/{version}/rich-parameters", parameters)
        .get(Access::User, "/api/v2/templateversions/{version}/variables", variables)
        .get(Access::User, "/api/v2/templateversions/{version}/presets", presets)
        .get(Access::User, "/api/v2/templateversions/{version}/external-auth", external_auth)
}

async fn create(
    state: State,
    Who(actor): Who,
    Path(organization): Path<String>,
    Json(body): Json<wire::CreateVersion>,
) -> Answer<Response> {
    let cmd = CreateVersion {
        organization_id: organization_id(&state, &actor, &organization).await?,
        template_id: body.template_id.filter(|id| !id.is_nil()).map(TemplateId),
        file_id: file(&state, &actor, &body).await?,
        name: body.name,
        message: body.message,
        variables: body.user_variable_values.into_iter().map(|v| (v.name, v.value)).collect(),
    };
    let version = state.app.create_version(&actor, cmd).await?;
    Ok(created(json::version(&version)))
}

/// The archive that was uploaded, or a starter's.
async fn file(state: &State, actor: &Actor, body: &wire::CreateVersion) -> Answer<FileId> {
    let example = body.example_id.as_deref().filter(|id| !id.is_empty());
    match (body.file_id.filter(|id| !id.is_nil()), example) {
        (Some(file), None) => Ok(FileId(file)),
        (None, Some(id)) => {
            let starter = starters::find(id)
                .ok_or_else(|| Error::invalid("example_id", format!("there is no starter {id}")))?;
            Ok(state.app.upload_file(actor, starter.archive()).await?)
        }
        (Some(_), Some(_)) => Err(Error::invalid("example_id", "goes without a file_id").into()),
        (None, None) => Err(Error::invalid("file_id", "is needed: upload an archive first").into()),
    }
}

async fn list(
    state: State,
    Who(actor): Who,
    Path(template): Path<TemplateId>,
    Query(query): Query<ListQuery>,
) -> Answer<Json<Vec<wire::Version>>> {
    let page = Page::new(
        u32::try_from(query.limit).unwrap_or_default(),
        u32::try_from(query.offset()).unwrap_or_default(),
    );
    let all = state.app.versions(&actor, template, page).await?;
    Ok(Json(all.iter().map(json::version).collect()))
}

async fn show(
    state: State,
    Who(actor): Who,
    Path(id): Path<VersionId>,
) -> Answer<Json<wire::Version>> {
    Ok(Json(json::version(&state.app.version(&actor, id).await?)))
}

async fn show_named(
    state: State,
    Who(actor): Who,
    Path((template, name)): Path<(TemplateId, String)>,
) -> Answer<Json<wire::Version>> {
    Ok(Json(json::version(&state.app.version_by_name(&actor, template, &name).await?)))
}

async fn show_in(
    state: State,
    Who(actor): Who,
    Path((organization, template, name)): Path<(String, String, String)>,
) -> Answer<Json<wire::Version>> {
    let organization = organization_id(&state, &actor, &organization).await?;
    let template = state.app.template_by_name(&actor, organization, &template).await?;
    Ok(Json(json::version(&state.app.version_by_name(&actor, template.id, &name).await?)))
}

async fn update(
    state: State,
    Who(actor): Who,
    Path(id): Path<VersionId>,
    Json(body): Json<wire::UpdateVersion>,
) -> Answer<Json<wire::Version>> {
    let name = body.name.filter(|n| !n.is_empty());
    Ok(Json(json::version(&state.app.update_version(&actor, id, (name, body.message)).await?)))
}

async fn cancel(state: State, Who(actor): Who, Path(id): Path<VersionId>) -> Answer<Response> {
    state.app.cancel_import(&actor, id).await?;
    Ok(message("The import was asked to stop."))
}

async fn archive(state: State, Who(actor): Who, Path(id): Path<VersionId>) -> Answer<Response> {
    state.app.archive_version(&actor, id, true).await?;
    Ok(message("The version is archived."))
}

async fn unarchive(state: State, Who(actor): Who, Path(id): Path<VersionId>) -> Answer<Response> {
    state.app.archive_version(&actor, id, false).await?;
    Ok(message("The version is back."))
}

async fn archive_unused(
    state: State,
    Who(actor): Who,
    Path(template): Path<TemplateId>,
    Json(body): Json<wire::ArchiveVersions>,
) -> Answer<Json<wire::ArchiveVersionsResponse>> {
    let archived = state.app.archive_versions(&actor, template, body.all).await?;
    let archived_ids = archived.into_iter().map(|v| v.0).collect();
    Ok(Json(wire::ArchiveVersionsResponse { template_id: template.0, archived_ids }))
}

async fn parameters(
    state: State,
    Who(actor): Who,
    Path(id): Path<VersionId>,
) -> Answer<Json<Vec<wire::RichParameter>>> {
    let found = state.app.imported(&actor, id).await?;
    Ok(Json(found.parameters.iter().map(json::parameter).collect()))
}

async fn variables(
    state: State,
    Who(actor): Who,
    Path(id): Path<VersionId>,
) -> Answer<Json<Vec<wire::Variable>>> {
    let found = state.app.imported(&actor, id).await?;
    Ok(Json(found.variables.iter().map(json::variable).collect()))
}

async fn presets(
    state: State,
    Who(actor): Who,
    Path(id): Path<VersionId>,
) -> Answer<Json<Vec<wire::Preset>>> {
    let found = state.app.imported(&actor, id).await?;
    Ok(Json(found.presets.iter().map(|p| json::preset(p, id)).collect()))
}

async fn external_auth(
    state: State,
    Who(actor): Who,
    Path(id): Path<VersionId>,
) -> Answer<Json<Vec<wire::ExternalAuth>>> {
    let found = state.app.imported(&actor, id).await?;
    let wanted: BTreeMap<String, bool> = found.external_auth.into_iter().collect();
    let each = wanted.into_iter().map(|(id, optional)| wire::ExternalAuth {
        display_name: id.clone(),
        id,
        optional,
        ..wire::ExternalAuth::default()
    });
    Ok(Json(each.collect()))
}
