//! The templates that come with the program: adding one.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::response::Response;

use super::workspace::heard;
use super::{Html, Visitor, flash};
use crate::model::build::JobStatus;
use crate::model::event::Event;
use crate::model::id::VersionId;
use crate::model::name::TemplateName;
use crate::model::template::Version;
use crate::model::user::SiteRole;
use crate::provision::starters::{self, Starter};
use crate::server::app::templates::{CreateTemplate, TemplateDetails};
use crate::server::app::versions::CreateVersion;
use crate::server::app::{Actor, App};
use crate::server::html::pages::starter_templates::{self, StarterTemplates};
use crate::server::html::parts::notice::Tone;
use crate::server::html::paths;
use crate::server::web::extract::Path;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, Problem, State};

/// Who adds templates.
const AUTHORS: &[SiteRole] = &[SiteRole::Owner, SiteRole::TemplateAdmin];
/// An import fetches providers the first time; a browser waits about as long for an answer.
const PATIENCE: Duration = Duration::from_secs(110);

pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::PageRole(AUTHORS), paths::STARTER_TEMPLATES, list).post(
        Access::PageRole(AUTHORS),
        "/starter-templates/{id}",
        add,
    )
}

async fn list(state: State, Visitor { actor, visit }: Visitor) -> Answer<Html> {
    let there = state.app.templates(&actor).await?;
    let shown = |s: &Starter| starter_templates::Starter {
        id: s.id.to_owned(),
        name: s.name.to_owned(),
        description: s.description.to_owned(),
        icon: s.icon.to_owned(),
        added: there.iter().any(|t| t.name.as_str() == s.id),
    };
    Ok(Html::of(&StarterTemplates { visit, starters: starters::ALL.iter().map(shown).collect() }))
}

async fn add(state: State, visitor: Visitor, Path(id): Path<String>) -> Answer<Response> {
    let starter = starters::find(&id).ok_or_else(Problem::not_found)?;
    let name = TemplateName::parse(starter.id).map_err(|e| Problem::bad("No such starter.", e))?;
    let version = match import(&state.app, &visitor.actor, starter).await? {
        Ok(version) => version,
        Err(why) => {
            return Ok(flash::tell(&state.site, paths::STARTER_TEMPLATES, Tone::Bad, &why));
        }
    };
    let cmd = CreateTemplate {
        organization_id: version.organization_id,
        name,
        version_id: version.id,
        details: TemplateDetails {
            display_name: Some(starter.name.to_owned()),
            description: Some(starter.description.to_owned()),
            icon: Some(starter.icon.to_owned()),
            ..TemplateDetails::default()
        },
    };
    let template = state.app.create_template(&visitor.actor, cmd).await?;
    let text = format!("{} is ready.", template.label());
    Ok(flash::done(&state.site, &paths::template(&template.name), &text))
}

/// Imports a starter: the version, or why there is none.
async fn import(app: &App, actor: &Actor, starter: &Starter) -> Answer<Result<Version, String>> {
    let organization = app.organization(actor, "default").await?;
    let cmd = CreateVersion {
        organization_id: organization.id,
        template_id: None,
        name: String::new(),
        message: "The starter that comes with Steading.".to_owned(),
        file_id: app.upload_file(actor, starter.archive()).await?,
        variables: BTreeMap::new(),
    };
    let version = app.create_version(actor, cmd).await?;
    match tokio::time::timeout(PATIENCE, ended(app, actor, version.id)).await {
        Ok(version) => {
            let version = version?;
            Ok(match version.job.status {
                JobStatus::Succeeded => Ok(version),
                JobStatus::Pending
                | JobStatus::Running
                | JobStatus::Canceling
                | JobStatus::Canceled
                | JobStatus::Failed => {
                    Err(format!("{} was not imported: {}", starter.name, version.job.error))
                }
            })
        }
        Err(_) => {
            Ok(Err(format!("{} is still being imported. Try again in a minute.", starter.name)))
        }
    }
}

/// The version when its import is over.
async fn ended(app: &App, actor: &Actor, id: VersionId) -> Answer<Version> {
    let mut events = app.events();
    loop {
        let version = app.version(actor, id).await?;
        if !version.job.status.is_active() {
            return Ok(version);
        }
        if !heard(&mut events, |event| event == Event::Version(id)).await {
            return Ok(version);
        }
    }
}
