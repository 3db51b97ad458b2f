//! Making a workspace from a template.

use axum::response::{IntoResponse, Response};

use super::organizations::Here;
use super::templates::{self, Named};
use super::{Html, Visitor, flash, mistake};
use crate::model::build::{BuildReason, Transition};
use crate::model::name::WorkspaceName;
use crate::model::parameter::{Parameter, ParameterValue};
use crate::model::quota::Quota;
use crate::model::template::{Imported, Template};
use crate::server::app::build_requests::BuildRequest;
use crate::server::app::workspaces::{CreateWorkspace, Source};
use crate::server::app::{self, Actor};
use crate::server::html::layout::Visit;
use crate::server::html::pages::create::Create;
use crate::server::html::parts::form::Input;
use crate::server::html::parts::parameter::{PREFIX, read};
use crate::server::html::paths::Place;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    let start = "/templates/{template}/workspace";
    [start, "/organizations/{organization}/templates/{template}/workspace"]
        .into_iter()
        .fold(routes, |routes, path| {
            routes.get(Access::Page, path, form).post(Access::Page, path, make)
        })
}

/// What the form is made of.
struct Known {
    template: Template,
    version_name: String,
    found: Imported,
    quota: Quota,
}

async fn known(state: &State, actor: &Actor, at: (&Here, &str)) -> Answer<Known> {
    let template = templates::find(state, actor, at).await?;
    let found = state.app.imported(actor, template.active_version_id).await?;
    let quota = state.app.quota(actor, &template.organization_id.to_string(), "me").await;
    let quota = match quota {
        Ok(quota) => quota,
        // Owners of the site make workspaces where they do not belong, for others.
        Err(app::Error::NotFound(_)) => Quota::default(),
        Err(other) => return Err(other.into()),
    };
    Ok(Known { version_name: template.active_version_name.clone(), template, found, quota })
}

async fn form(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { template: name }): Path<Named>,
) -> Answer<Html> {
    let known = known(&state, &visitor.actor, (&here, &name)).await?;
    let preset = known.found.presets.iter().find(|p| p.is_default).map(|p| p.name.clone());
    Ok(Html::of(&page(visitor.visit, known, preset, Input::default())))
}

async fn make(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { template: name }): Path<Named>,
    fields: Fields,
) -> Answer<Response> {
    let known = known(&state, &visitor.actor, (&here, &name)).await?;
    let preset = fields.get("preset").filter(|p| !p.is_empty()).map(str::to_owned);
    if fields.get("evaluate").is_some() {
        let input = filled(&known.found, preset.as_deref(), &fields);
        return Ok(Html::of(&page(visitor.visit, known, preset, input)).into_response());
    }
    match create(&state, &visitor, &known, &fields).await {
        Ok(response) => Ok(response),
        Err(error) => {
            let mut input = mistake(&fields, error)?;
            input.values.extend(typed(&known.found.parameters, &fields));
            Ok(Html::of(&page(visitor.visit, known, preset, input)).into_response())
        }
    }
}

async fn create(
    state: &State,
    visitor: &Visitor,
    known: &Known,
    fields: &Fields,
) -> app::Result<Response> {
    let name = fields.get("name").unwrap_or_default().trim();
    let name = WorkspaceName::parse(name).map_err(|e| app::Error::invalid("name", e))?;
    let cmd = CreateWorkspace {
        owner: visitor.visit.user.id,
        name,
        source: Source::Version(known.template.active_version_id),
        ttl_s: None,
        autostart_schedule: String::new(),
        automatic_updates: false,
        build: BuildRequest {
            parameters: answers(&known.found.parameters, fields),
            ..BuildRequest::new(Transition::Start, BuildReason::Dashboard)
        },
    };
    let made = state.app.create_workspace(&visitor.actor, cmd).await;
    let workspace = made.map_err(|e| at_field(e, &known.found.parameters))?;
    let text = format!("{} is being made.", workspace.name);
    Ok(flash::done(&state.site, Place::of(&workspace).page(), &text))
}

fn page(visit: Visit, known: Known, preset: Option<String>, input: Input) -> Create {
    let Known { template, version_name, found, quota } = known;
    let stop_cost = found.stop_cost();
    let needed = found.external_auth.into_iter().filter(|(_, optional)| !optional);
    Create {
        visit,
        template,
        version_name,
        parameters: found.parameters,
        presets: found.presets,
        preset,
        resources: found.start_resources,
        stop_cost,
        quota,
        external_auth: needed.map(|(id, _)| id).collect(),
        input,
    }
}

/// What was typed, with the preset's answers in its place.
fn filled(found: &Imported, preset: Option<&str>, fields: &Fields) -> Input {
    let preset = found.presets.iter().find(|p| Some(p.name.as_str()) == preset);
    let mut values = typed(&found.parameters, fields);
    for (name, value) in preset.iter().flat_map(|p| &p.parameters) {
        values.insert(format!("{PREFIX}{name}"), value.clone());
    }
    values.insert("name".to_owned(), fields.get("name").unwrap_or_default().to_owned());
    Input { values, ..Input::default() }
}

/// The parameters' fields as they are drawn again.
pub(super) fn typed(
    parameters: &[Parameter],
    fields: &Fields,
) -> std::collections::BTreeMap<String, String> {
    answers(parameters, fields)
        .into_iter()
        .map(|a| (format!("{PREFIX}{}", a.name), a.value))
        .collect()
}

/// The answers that a form sent; a field that it did not send is no answer.
pub(super) fn answers(parameters: &[Parameter], fields: &Fields) -> Vec<ParameterValue> {
    parameters
        .iter()
        .filter_map(|p| {
            let name = format!("{PREFIX}{}", p.name);
            let sent: Vec<&str> = fields.all(&name).collect();
            (!sent.is_empty())
                .then(|| ParameterValue { name: p.name.clone(), value: read(p, &sent) })
        })
        .collect()
}

/// What the use case says of an answer belongs to the field of its parameter.
pub(super) fn at_field(error: app::Error, parameters: &[Parameter]) -> app::Error {
    error.map_field(|field| {
        let asked = parameters.iter().any(|p| p.name == field);
        if asked { format!("{PREFIX}{field}") } else { field }
    })
}
