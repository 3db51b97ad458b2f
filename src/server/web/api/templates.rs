//! `/templates`: what people start workspaces from, and the starters.

use axum::response::Response;

use super::convert::names::Names;
use super::convert::templates as convert;
use crate::model::id::{OrganizationId, TemplateId, VersionId};
use crate::model::name::TemplateName;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::template::Template;
use crate::model::template_filter::TemplateFilter;
use crate::provision::starters;
use crate::server::app::templates::{CreateTemplate, TemplateDetails};
use crate::server::app::{Actor, Error, Page};
use crate::server::web::extract::{Json, ListQuery, Path, Query, created, message};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::{templates as wire, versions};

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::may(R::Template, A::Read), "/api/v2/templates", list)
        .get(Access::may(R::Template, A::Read), "/api/v2/templates/examples", examples)
        .get(Access::may(R::Template, A::Read), "/api/v2/templates/{template}", show)
        .patch(Access::may(R::Template, A::Update), "/api/v2/templates/{template}", update)
        .delete(Access::may(R::Template, A::Delete), "/api/v2/templates/{template}", delete)
        .get(
            Access::may(R::Template, A::Read),
            "/api/v2/templates/{template}/versions",
            list_versions,
        )
        .patch(
            Access::may(R::Template, A::Update),
            "/api/v2/templates/{template}/versions",
            promote,
        )
        .post(
            Access::may(R::Template, A::Update),
            "/api/v2/templates/{template}/versions/archive",
            archive,
        )
        .get(
            Access::may(R::Template, A::Read),
            "/api/v2/templates/{template}/versions/{name}",
            version,
        )
        .get(
            Access::may(R::Template, A::Read),
            "/api/v2/organizations/{organization}/templates",
            list_in,
        )
        .post(
            Access::may(R::Template, A::Create),
            "/api/v2/organizations/{organization}/templates",
            create,
        )
        .get(
            Access::may(R::Template, A::Read),
            "/api/v2/organizations/{organization}/templates/examples",
            examples_in,
        )
        .get(
            Access::may(R::Template, A::Read),
            "/api/v2/organizations/{organization}/templates/{name}",
            by_name,
        )
        .get(
            Access::may(R::Template, A::Read),
            "/api/v2/organizations/{organization}/templates/{name}/versions/{version}",
            version_by_name,
        )
        .get(
            Access::may(R::Template, A::Read),
            "/api/v2/organizations/{organization}/templates/{name}/versions/{version}/previous",
            version_before,
        )
}

/// The organization of a path, by id or name.
pub(super) async fn organization(
    state: &State,
    actor: &Actor,
    key: &str,
) -> Answer<OrganizationId> {
    Ok(state.app.organization(actor, key).await?.id)
}

async fn one(state: &State, actor: &Actor, template: &Template) -> Answer<wire::Template> {
    Ok(convert::template(template, &Names::load(state, actor).await?))
}

async fn list(
    state: State,
    Who(actor): Who,
    Query(query): Query<ListQuery>,
) -> Answer<Json<Vec<wire::Template>>> {
    let (found, names) = found(&state, &actor, &query.q).await?;
    Ok(Json(found.iter().map(|t| convert::template(t, &names)).collect()))
}

/// The templates that a search in Coder's words asks for, and the names of where they belong.
async fn found(state: &State, actor: &Actor, query: &str) -> Answer<(Vec<Template>, Names)> {
    let filter = TemplateFilter::parse(query).map_err(|e| Error::invalid("q", e))?;
    let names = Names::load(state, actor).await?;
    let me = actor.caller()?.user.username.to_string();
    let mut found = Vec::new();
    for template in state.app.templates(actor).await? {
        let home = names.organization(template.organization_id).name;
        if !filter.fits(&template, (&me, &home)) {
            continue;
        }
        if let Some(wanted) = filter.external {
            let version = match state.app.version(actor, template.active_version_id).await {
                Ok(version) => version,
                // Deleted since, or not theirs any more.
                Err(Error::NotFound(_)) => continue,
                Err(error) => return Err(error.into()),
            };
            if version.has_external_agent != wanted {
                continue;
            }
        }
        found.push(template);
    }
    Ok((found, names))
}

async fn list_in(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Query(query): Query<ListQuery>,
) -> Answer<Json<Vec<wire::Template>>> {
    let of = organization(&state, &actor, &key).await?;
    let (found, names) = found(&state, &actor, &query.q).await?;
    let found = found.iter().filter(|t| t.organization_id == of);
    Ok(Json(found.map(|t| convert::template(t, &names)).collect()))
}

async fn examples() -> Json<Vec<wire::Example>> {
    Json(starters::ALL.iter().map(convert::example).collect())
}

async fn examples_in(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<Vec<wire::Example>>> {
    organization(&state, &actor, &key).await?;
    Ok(examples().await)
}

async fn show(
    state: State,
    Who(actor): Who,
    Path(id): Path<TemplateId>,
) -> Answer<Json<wire::Template>> {
    let template = state.app.template(&actor, id).await?;
    Ok(Json(one(&state, &actor, &template).await?))
}

async fn by_name(
    state: State,
    Who(actor): Who,
    Path((key, name)): Path<(String, String)>,
) -> Answer<Json<wire::Template>> {
    let of = organization(&state, &actor, &key).await?;
    let template = state.app.template_by_name(&actor, of, &name).await?;
    Ok(Json(one(&state, &actor, &template).await?))
}

async fn create(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Json(body): Json<wire::CreateTemplate>,
) -> Answer<Response> {
    let cmd = CreateTemplate {
        organization_id: organization(&state, &actor, &key).await?,
        name: name(&body.name)?,
        version_id: VersionId(body.template_version_id),
        details: TemplateDetails {
            display_name: Some(body.display_name),
            description: Some(body.description),
            icon: Some(body.icon),
            deprecation: None,
            default_ttl_s: body.default_ttl_ms.map(|ms| ms / 1000),
            private: Some(body.disable_everyone_group_access),
        },
    };
    let template = state.app.create_template(&actor, cmd).await?;
    Ok(created(one(&state, &actor, &template).await?))
}

fn name(text: &str) -> Answer<TemplateName> {
    Ok(TemplateName::parse(text).map_err(|e| Error::invalid("name", e))?)
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
        default_ttl_s: body.default_ttl_ms.map(|ms| ms / 1000),
        // Coder's clients send false with every change: it leaves the list as it is.
        private: body.disable_everyone_group_access.filter(|private| *private),
    };
    let template = state.app.update_template(&actor, id, (new_name, details)).await?;
    Ok(Json(one(&state, &actor, &template).await?))
}

async fn delete(state: State, Who(actor): Who, Path(id): Path<TemplateId>) -> Answer<Response> {
    state.app.delete_template(&actor, id).await?;
    Ok(message("Template deleted."))
}

async fn list_versions(
    state: State,
    Who(actor): Who,
    Path(id): Path<TemplateId>,
    Query(query): Query<VersionsQuery>,
) -> Answer<Json<Vec<versions::Version>>> {
    let page = Page::new(query.limit, query.offset);
    let mut list = state.app.versions(&actor, id, page).await?;
    list.retain(|v| query.include_archived || !v.archived);
    Ok(Json(list.iter().map(convert::version).collect()))
}

/// How a list of versions is asked for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct VersionsQuery {
    limit: u32,
    offset: u32,
    include_archived: bool,
}

async fn promote(
    state: State,
    Who(actor): Who,
    Path(id): Path<TemplateId>,
    Json(body): Json<versions::UpdateActiveVersion>,
) -> Answer<Response> {
    state.app.promote_version(&actor, id, VersionId(body.id)).await?;
    Ok(message("New workspaces use this version now."))
}

async fn archive(
    state: State,
    Who(actor): Who,
    Path(id): Path<TemplateId>,
    Json(body): Json<versions::ArchiveVersions>,
) -> Answer<Json<versions::ArchiveVersionsResponse>> {
    let archived = state.app.archive_versions(&actor, id, body.all).await?;
    let archived_ids = archived.into_iter().map(|v| v.0).collect();
    Ok(Json(versions::ArchiveVersionsResponse { template_id: id.0, archived_ids }))
}

async fn version(
    state: State,
    Who(actor): Who,
    Path((id, name)): Path<(TemplateId, String)>,
) -> Answer<Json<versions::Version>> {
    Ok(Json(convert::version(&state.app.version_by_name(&actor, id, &name).await?)))
}

async fn version_by_name(
    state: State,
    Who(actor): Who,
    Path((key, name, version)): Path<(String, String, String)>,
) -> Answer<Json<versions::Version>> {
    let of = organization(&state, &actor, &key).await?;
    let template = state.app.template_by_name(&actor, of, &name).await?;
    let found = state.app.version_by_name(&actor, template.id, &version).await?;
    Ok(Json(convert::version(&found)))
}

async fn version_before(
    state: State,
    Who(actor): Who,
    Path((key, name, version)): Path<(String, String, String)>,
) -> Answer<Json<versions::Version>> {
    let of = organization(&state, &actor, &key).await?;
    let template = state.app.template_by_name(&actor, of, &name).await?;
    let found = state.app.version_by_name(&actor, template.id, &version).await?;
    Ok(Json(convert::version(&state.app.version_before(&actor, found.id).await?)))
}
