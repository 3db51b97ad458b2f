//! The templates that come with the program: adding one.

use std::collections::BTreeMap;
use std::time::Duration;

use axum::response::Response;
use tokio::sync::oneshot;

use super::workspace::heard;
use super::{Html, Visitor, flash};
use crate::model::build::JobStatus;
use crate::model::event::Event;
use crate::model::id::{FileId, OrganizationId, VersionId};
use crate::model::name::TemplateName;
use crate::model::parameter::Variable;
use crate::model::policy::{Action, ResourceType};
use crate::model::template::{Template, Version};
use crate::provision::starters::{self, Starter};
use crate::server::app::templates::{CreateTemplate, TemplateDetails};
use crate::server::app::versions::CreateVersion;
use crate::server::app::{self, Actor, App};
use crate::server::html::pages::starter_templates::{self, StarterTemplates, field_name};
use crate::server::html::parts::notice::Tone;
use crate::server::html::paths;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, Problem, State};
use crate::tasks::OnPanic;

/// What the first version of a starter says of itself.
const MESSAGE: &str = "The starter that comes with Steading.";
/// An import fetches providers the first time; a browser waits about as long for an answer. What takes
/// longer is finished without it.
const PATIENCE: Duration = Duration::from_secs(110);

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(
            Access::page_may(ResourceType::Template, Action::Create),
            paths::STARTER_TEMPLATES,
            list,
        )
        .post(
            Access::page_may(ResourceType::Template, Action::Create),
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
        needs: s.needs.iter().map(|&need| need.to_owned()).collect(),
        asks: s.asks.clone(),
        added: there.iter().any(|t| t.name.as_str() == s.id),
    };
    Ok(Html::of(&StarterTemplates { visit, starters: starters::ALL.iter().map(shown).collect() }))
}

async fn add(
    state: State,
    visitor: Visitor,
    Path(id): Path<String>,
    fields: Fields,
) -> Answer<Response> {
    let starter = starters::find(&id).ok_or_else(Problem::not_found)?;
    let (app, actor) = (state.app.clone(), visitor.actor);
    if let Some(template) = there(&app, &actor, starter).await? {
        let text = format!("{} is there already.", template.label());
        let page = paths::template(&template);
        return Ok(flash::tell(&state.site, &page, Tone::Info, &text));
    }
    let variables = variables(starter, &fields);
    let permit = state.streams.open(&actor)?;
    let (tell, told) = oneshot::channel();
    // The template is made even when the browser has left by then.
    state.tasks.spawn("starter", OnPanic::Lose, async move {
        let made = make(&app, &actor, starter, variables).await;
        if let Ok(Err(why)) = &made {
            tracing::warn!(starter = starter.id, why, "a starter was not imported");
        }
        // Nobody may wait for it any more.
        let _ = tell.send(made);
        drop(permit);
    });
    let (to, tone, text) = match tokio::time::timeout(PATIENCE, told).await {
        Ok(Ok(made)) => match made? {
            Ok(template) => {
                let text = format!("{} is ready.", template.label());
                (paths::template(&template), Tone::Good, text)
            }
            Err(why) => (paths::STARTER_TEMPLATES.to_owned(), Tone::Bad, why),
        },
        Ok(Err(_)) | Err(_) => {
            let name = starter.name;
            let text = format!("{name} is still being imported, and is a template after that.");
            (paths::STARTER_TEMPLATES.to_owned(), Tone::Info, text)
        }
    };
    Ok(flash::tell(&state.site, &to, tone, &text))
}

/// Where starters are added: to the organization to whose pages someone is led.
async fn place(app: &App, actor: &Actor) -> Answer<OrganizationId> {
    let (home, _) = app.home_of(actor).await?;
    Ok(home.ok_or_else(Problem::not_found)?.id)
}

/// The template of a starter's name, if there is one.
async fn there(app: &App, actor: &Actor, starter: &Starter) -> Answer<Option<Template>> {
    match app.template_by_name(actor, place(app, actor).await?, starter.id).await {
        Ok(template) => Ok(Some(template)),
        Err(app::Error::NotFound(_)) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// What was typed for a starter's variables.
fn variables(starter: &Starter, fields: &Fields) -> BTreeMap<String, String> {
    let typed = |variable: &Variable| {
        let text = fields.get(&field_name(variable))?;
        // Browsers end lines as mails do; keys are refused so.
        Some((variable.name.clone(), text.replace("\r\n", "\n")))
    };
    starter.asks.iter().filter_map(typed).collect()
}

/// The version of a starter whose import was begun or done before, and led to no template.
async fn begun(app: &App, actor: &Actor, file: FileId) -> Answer<Option<Version>> {
    Ok(app.loose_version(actor, file).await?.filter(|v| v.message == MESSAGE))
}

async fn begin(
    app: &App,
    actor: &Actor,
    file_id: FileId,
    variables: BTreeMap<String, String>,
) -> Answer<Version> {
    let cmd = CreateVersion {
        organization_id: place(app, actor).await?,
        template_id: None,
        name: String::new(),
        message: MESSAGE.to_owned(),
        file_id,
        variables,
    };
    Ok(app.create_version(actor, cmd).await?)
}

/// Imports a starter and makes its template: the template, or why there is none.
async fn make(
    app: &App,
    actor: &Actor,
    starter: &Starter,
    variables: BTreeMap<String, String>,
) -> Answer<Result<Template, String>> {
    let file = app.upload_file(actor, starter.archive()).await?;
    // One that was begun may have other values.
    let begun = if variables.is_empty() { begun(app, actor, file).await? } else { None };
    let version = match begun {
        Some(version) => version,
        // Whoever began it may have made the template by now.
        None => match there(app, actor, starter).await? {
            Some(template) => return Ok(Ok(template)),
            None => begin(app, actor, file, variables).await?,
        },
    };
    let version = ended(app, actor, version.id).await?;
    match version.job.status {
        JobStatus::Succeeded => {}
        JobStatus::Pending
        | JobStatus::Running
        | JobStatus::Canceling
        | JobStatus::Canceled
        | JobStatus::Failed => {
            return Ok(Err(format!("{} was not imported: {}", starter.name, version.job.error)));
        }
    }
    let cmd = CreateTemplate {
        organization_id: version.organization_id,
        name: TemplateName::parse(starter.id).map_err(|e| Problem::bad("No such starter.", e))?,
        version_id: version.id,
        details: TemplateDetails {
            display_name: Some(starter.name.to_owned()),
            description: Some(starter.description.to_owned()),
            icon: Some(starter.icon.to_owned()),
            ..TemplateDetails::default()
        },
    };
    match app.create_template(actor, cmd).await {
        Ok(template) => Ok(Ok(template)),
        // Someone else who waited for the same was faster.
        Err(app::Error::Conflict(why)) => Ok(there(app, actor, starter).await?.ok_or(why)),
        Err(error) => Err(error.into()),
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
