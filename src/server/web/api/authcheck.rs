//! Answers to Coder's bulk questions of the form "may I", from the function that decides.

use crate::model::id::{OrganizationId, TemplateId, UserId, WorkspaceId};
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::verb::Verb;
use crate::server::app::{Actor, Error, Result};
use crate::server::web::State;
use crate::wire::coder::users::{AuthObject, AuthQuestion};

/// Questions in one request at most.
pub(super) const MAX_QUESTIONS: usize = 256;

/// Whether the actor may do what is asked. A question that is not understood is answered no.
pub(super) async fn may(state: &State, actor: &Actor, question: &AuthQuestion) -> Result<bool> {
    let object = &question.object;
    let Some(kind) = ResourceType::from_word(&object.resource_type) else { return Ok(false) };
    let Some(action) = Action::from_word(&question.action) else { return Ok(false) };
    match (kind, object.resource_id.as_str()) {
        (_, "") => Ok(on_any(state, actor, action, (kind, object))),
        (ResourceType::Workspace, id) => on_workspace(state, actor, action, id).await,
        (ResourceType::Template, id) => on_template(state, actor, action, id).await,
        (_, _) => Ok(on_any(state, actor, action, (kind, object))),
    }
}

async fn on_workspace(state: &State, actor: &Actor, action: Action, id: &str) -> Result<bool> {
    let (Ok(id), Some(verb)) = (id.parse::<WorkspaceId>(), verb(action)) else { return Ok(false) };
    yes(state.app.may(actor, id, verb).await)
}

async fn on_template(state: &State, actor: &Actor, action: Action, id: &str) -> Result<bool> {
    let Ok(id) = id.parse::<TemplateId>() else { return Ok(false) };
    yes(state.app.template_for(actor, action, id).await.map(drop))
}

fn yes(answer: Result<()>) -> Result<bool> {
    match answer {
        Ok(()) => Ok(true),
        Err(Error::NotFound(_) | Error::Denied(_) | Error::Unconfirmed(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

const fn verb(action: Action) -> Option<Verb> {
    match action {
        Action::Read => Some(Verb::View),
        Action::Ssh | Action::ApplicationConnect => Some(Verb::Connect),
        Action::Start | Action::Stop => Some(Verb::Operate),
        Action::Update => Some(Verb::Manage),
        Action::Delete => Some(Verb::Delete),
        Action::Assign
        | Action::BreakGlass
        | Action::Create
        | Action::ReadPersonal
        | Action::Share
        | Action::Unassign
        | Action::UpdatePersonal
        | Action::Use
        | Action::ViewInsights => None,
    }
}

/// By the owner and the organization that the question names, or in any of the actor's.
fn on_any(
    state: &State,
    actor: &Actor,
    action: Action,
    (kind, asked): (ResourceType, &AuthObject),
) -> bool {
    let Ok(caller) = actor.caller() else { return false };
    let now = state.app.clock().now();
    let mut object = Object::site(kind);
    object.id = asked.resource_id.parse().ok();
    object.owner = match asked.owner_id.as_str() {
        "me" => Some(caller.user.id),
        id => id.parse::<UserId>().ok(),
    };
    object.organization = asked.organization_id.parse::<OrganizationId>().ok();
    let places = caller.user.organizations.iter().filter(|_| asked.any_org);
    actor.may(now, action, &object)
        || places.into_iter().any(|place| actor.may(now, action, &object.within(*place)))
}
