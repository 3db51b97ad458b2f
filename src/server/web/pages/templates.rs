//! Templates and their versions.

use axum::response::Response;

use super::organizations::Here;
use super::{Html, Visitor, flash};
use crate::model::log::LogEnd;
use crate::model::template::{Template, Version};
use crate::server::app::logs::LogOf;
use crate::server::app::{Actor, Page};
use crate::server::html::layout::Visit;
use crate::server::html::pages::template::{RECENT_VERSIONS, TemplatePage};
use crate::server::html::pages::templates::Templates;
use crate::server::html::pages::version::VersionPage;
use crate::server::html::parts::log::MAX_LINES;
use crate::server::html::paths;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

/// A template's own page, its end, a version's page, and what is done to a version: of the organization
/// of the start, and of any.
const PATHS: [[&str; 5]; 2] = [
    [
        "/templates/{template}",
        "/templates/{template}/delete",
        "/templates/{template}/versions/{version}",
        "/templates/{template}/versions/{version}/promote",
        "/templates/{template}/versions/{version}/archive",
    ],
    [
        "/organizations/{organization}/templates/{template}",
        "/organizations/{organization}/templates/{template}/delete",
        "/organizations/{organization}/templates/{template}/versions/{version}",
        "/organizations/{organization}/templates/{template}/versions/{version}/promote",
        "/organizations/{organization}/templates/{template}/versions/{version}/archive",
    ],
];

pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes.get(Access::Page, paths::TEMPLATES, list);
    PATHS.into_iter().fold(routes, |routes, [page, end, of_version, to_promote, to_archive]| {
        routes
            .get(Access::Page, page, template)
            .post(Access::Page, end, delete)
            .get(Access::Page, of_version, version)
            .post(Access::Page, to_promote, promote)
            .post(Access::Page, to_archive, archive)
    })
}

/// The template that a path names.
#[derive(serde::Deserialize)]
pub(super) struct Named {
    pub template: String,
}

/// The version of a template that a path names.
#[derive(serde::Deserialize)]
pub(super) struct NamedVersion {
    template: String,
    version: String,
}

/// A template's and a version's name in a path.
pub(super) type AtVersion = Path<NamedVersion>;

/// A template of the organization that a path names.
pub(super) async fn find(
    state: &State,
    actor: &Actor,
    (here, name): (&Here, &str),
) -> Answer<Template> {
    Ok(state.app.template_by_name(actor, here.0.organization.id, name).await?)
}

async fn list(state: State, Visitor { actor, visit }: Visitor) -> Answer<Html> {
    let templates = state.app.templates(&actor).await?;
    let several = visit.ways.organizations;
    let places = if several { state.app.organizations(&actor).await? } else { vec![] };
    Ok(Html::of(&Templates { visit, templates, places }))
}

async fn template(
    state: State,
    Visitor { actor, visit }: Visitor,
    here: Here,
    Path(Named { template: name }): Path<Named>,
) -> Answer<Html> {
    let template = find(&state, &actor, (&here, &name)).await?;
    let part = Page::new(u32::try_from(RECENT_VERSIONS).unwrap_or(20), 0);
    let versions = state.app.versions(&actor, template.id, part).await?;
    let active = state.app.version(&actor, template.active_version_id).await?;
    let parameters = state.app.imported(&actor, active.id).await?.parameters;
    let readme = active.readme;
    let keeps = state.app.keeps_template(&actor, template.id).await?;
    Ok(Html::of(&TemplatePage { visit, template, versions, readme, parameters, keeps }))
}

async fn delete(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { template: name }): Path<Named>,
    fields: Fields,
) -> Answer<Response> {
    let template = find(&state, &visitor.actor, (&here, &name)).await?;
    let page = paths::template(&template);
    let typed = (&fields, template.name.as_str());
    let back = (page.as_str(), "delete it", "Nothing was deleted");
    if let Some(asked) = flash::unless_typed(&state.site, typed, back) {
        return Ok(asked);
    }
    state.app.delete_template(&visitor.actor, template.id).await?;
    let text = format!("{} is deleted.", template.label());
    Ok(flash::done(&state.site, paths::TEMPLATES, &text))
}

async fn version(state: State, visitor: Visitor, here: Here, at: AtVersion) -> Answer<Html> {
    let mut page = load_version(&state, &visitor.actor, visitor.visit, (&here, &at)).await?;
    let of = LogOf::Version(page.version.id);
    page.log = state.app.log_end(&visitor.actor, of, MAX_LINES).await?;
    Ok(Html::of(&page))
}

/// The version that a path names, and its template.
pub(super) async fn find_version(
    state: &State,
    actor: &Actor,
    (here, Path(named)): (&Here, &AtVersion),
) -> Answer<(Template, Version)> {
    let template = find(state, actor, (here, &named.template)).await?;
    let version = state.app.version_by_name(actor, template.id, &named.version).await?;
    Ok((template, version))
}

/// Everything that a version's page shows but the log.
pub(super) async fn load_version(
    state: &State,
    actor: &Actor,
    visit: Visit,
    at: (&Here, &AtVersion),
) -> Answer<VersionPage> {
    let (template, version) = find_version(state, actor, at).await?;
    let found = state.app.imported(actor, version.id).await?;
    Ok(VersionPage {
        visit,
        log: LogEnd::default(),
        parameters: found.parameters,
        variables: found.variables,
        resources: found.start_resources,
        keeps: state.app.keeps_template(actor, template.id).await?,
        template,
        version,
    })
}

async fn promote(state: State, visitor: Visitor, here: Here, at: AtVersion) -> Answer<Response> {
    let (template, version) = find_version(&state, &visitor.actor, (&here, &at)).await?;
    state.app.promote_version(&visitor.actor, template.id, version.id).await?;
    let text = format!("New workspaces from {} use {}.", template.label(), version.name);
    Ok(flash::done(&state.site, &paths::template(&template), &text))
}

async fn archive(state: State, visitor: Visitor, here: Here, at: AtVersion) -> Answer<Response> {
    let (template, version) = find_version(&state, &visitor.actor, (&here, &at)).await?;
    state.app.archive_version(&visitor.actor, version.id, true).await?;
    let text = format!("{} is archived. Workspaces that use it stay.", version.name);
    Ok(flash::done(&state.site, &paths::template(&template), &text))
}
