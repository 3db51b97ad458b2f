//! `/templates`, `/organizations/{organization}/templates` and the starters.

use axum::response::Response;

use super::template_json as json;
use crate::model::id::{OrganizationId, TemplateId, VersionId};
use crate::model::name::TemplateName;
use crate::provision::starters;
use crate::server::app::templates::{CreateTemplate, TemplateDetails};
use crate::server::app::{Actor, Error};
use crate::server::web::extract::{Json, ListQuery, Path, Query, created, message};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::templates as wire;
use crate::wire::coder::versions::UpdateActiveVersion;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::User, "/api/v2/templates", list)
        .get(Access::User, "/api/v2/templates/examples", examples)
        .get(Access::User, "/api/v2/templates/{template}", show)
        .patch(Access::User, "/api/v2/templates/{template}", update)
        .delete(Access::User, "/api/v2/templates/{template}", delete)
        .patch(Access::User, "/api/v2/templates/{template}/versions", promote)
        .get(Access::User, "/api/v2/organizations/{organization}/templates", list_in)
        .post(Access::User, "/api/v2/organizations/{organization}/templates", create)
        .get(Access::User, "/api/v2/organizations/{organization}/templates/examples", examples_in)
        .get(Access::User, "/api/v2/organizations/{organization}/templates/{name}", show_named)
}

async fn list(
    state: State,
    Who(actor): Who,
    Query(query): Query<ListQuery>,
) -> Answer<Json<Vec<wire::Template>>> {
    let all = state.app.templates(&actor).await?;
    let name = query.filter("name").map(str::to_owned).unwrap_or_else(|| query.words());
    let found = all.iter().filter(|t| t.name.as_str().contains(name.as_str()));
    Ok(Json(found.map(json::template).collect()))
}

async fn list_in(
    state: State,
    Who(actor): Who,
    Path(organization): Path<String>,
) -> Answer<Json<Vec<wire::Template>>> {
    let id = organization_id(&state, &actor, &organization).await?;
    let all = state.app.templates(&actor).await?;
    let own = all.iter().filter(|t| t.organization_id == id);
    Ok(Json(own.map(json::template).collect()))
}

async fn show(
    state: State,
    Who(actor): Who,
    Path(id): Path<TemplateId>,
) -> Answer<Json<wire::Template>> {
    let template = state.app.template(&actor, id).await?;
    Ok(Json(json::template(&template)))
}

async fn show_named(
    state: State,
    Who(actor): Who,
    Path((organization, name)): Path<(String, String)>,
) -> Answer<Json<wire::Template>> {
    let id = organization_id(&state, &actor, &organization).await?;
    let template = state.app.template_by_name(&actor, id, &name).await?;
    Ok(Json(json::template(&template)))
}

async fn create(
    state: State,
    Who(actor): Who,
    Path(organization): Path<String>,
    Json(body): Json<wire::CreateTemplate>,
) -> Answer<Response> {
    let cmd = CreateTemplate {
        organization_id: organization_id(&state, &actor, &organization).await?,
        name: name(&body.name)?,
        version_id: VersionId(body.template_version_id),
        details: TemplateDetails {
            display_name: Some(body.display_name),
            description: Some(body.description),
            icon: Some(body.icon),
            deprecation: None,
            default_ttl_s: body.default_ttl_ms.map(json::seconds),
        },
    };
    let template = state.app.create_template(&actor, cmd).await?;
    Ok(created(json::template(&template)))
}

async fn update(
    state: State,
    Who(actor): Who,
    Path(id): Path<TemplateId>,
    Json(body): Json<wire::UpdateTemplate>,
) -> Answer<Json<wire::Template>> {
    let new_name = body.name.filter(|n| !n.is_empty()).map(|n| name(&n)).transpose()?;
    let details = TemplateDetails {
        display_name: body.display_name,
        description: body.description,
        icon: body.icon,
        deprecation: body.deprecation_message,
        default_ttl_s: body.default_ttl_ms.map(json::seconds),
    };
    let template = state.app.update_template(&actor, id, (new_name, details)).await?;
    Ok(Json(json::template(&template)))
}

async fn delete(state: State, Who(actor): Who, Path(id): Path<TemplateId>) -> Answer<Response> {
    state.app.delete_template(&actor, id).await?;
    Ok(message("The template is deleted."))
}

async fn promote(
    state: State,
    Who(actor): Who,
    Path(id): Path<TemplateId>,
    Json(body): Json<UpdateActiveVersion>,
) -> Answer<Response> {
    state.app.promote_version(&actor, id, VersionId(body.id)).await?;
    Ok(message("The version is active."))
}

async fn examples(_: Who) -> Json<Vec<wire::Example>> {
    Json(starters::ALL.iter().map(json::example).collect())
}

async fn examples_in(
    state: State,
    Who(actor): Who,
    Path(organization): Path<String>,
) -> Answer<Json<Vec<wire::Example>>> {
    organization_id(&state, &actor, &organization).await?;
    Ok(Json(starters::ALL.iter().map(json::example).collect()))
}

/// The organization that a path names by id, by name, or as `default`.
pub(super) async fn organization_id(
    state: &State,
    actor: &Actor,
    key: &str,
) -> Answer<OrganizationId> {
    Ok(state.app.organization(actor, key).await?.id)
}

fn name(text: &str) -> Result<TemplateName, Error> {
    TemplateName::parse(text).map_err(|e| Error::invalid("name", e))
}
