//! Answers to Coder's bulk questions of the form "may I".

use crate::model::grant::Action;
use crate::model::id::{OrganizationId, UserId, WorkspaceId};
use crate::model::user::SiteRole;
use crate::server::app::{Actor, Error, Result};
use crate::server::web::State;
use crate::wire::coder::users::{AuthObject, AuthQuestion};

/// Questions in one request at most.
pub(super) const MAX_QUESTIONS: usize = 256;

/// Whether the actor may do what is asked. A question that is not understood is answered no.
pub(super) async fn may(state: &State, actor: &Actor, question: &AuthQuestion) -> Result<bool> {
    let object = &question.object;
    if object.resource_type == "workspace"
        && let Ok(id) = object.resource_id.parse::<WorkspaceId>()
    {
        return match workspace_action(&question.action) {
            Some(action) => match state.app.may(actor, id, action).await {
                Ok(()) => Ok(true),
                Err(Error::NotFound(_) | Error::Denied(_)) => Ok(false),
                Err(other) => Err(other),
            },
            None => Ok(false),
        };
    }
    Ok(may_by_role(actor, object, &question.action))
}

fn workspace_action(word: &str) -> Option<Action> {
    match word {
        "read" => Some(Action::View),
        "ssh" | "application_connect" => Some(Action::Connect),
        "start" | "stop" => Some(Action::Operate),
        "update" => Some(Action::Update),
        "delete" => Some(Action::Delete),
        _ => None,
    }
}

fn may_by_role(actor: &Actor, object: &AuthObject, action: &str) -> bool {
    let Ok(caller) = actor.caller() else { return false };
    let user = &caller.user;
    let own = match object.owner_id.as_str() {
        "me" => true,
        id => id.parse::<UserId>().is_ok_and(|id| id == user.id),
    };
    let member = object.any_org
        || object
            .organization_id
            .parse::<OrganizationId>()
            .is_ok_and(|id| user.organizations.contains(&id));
    if user.has(SiteRole::Owner) {
        return true;
    }
    let reads = action == "read";
    match object.resource_type.as_str() {
        "workspace" | "workspace_dormant" => own || (reads && user.has(SiteRole::TemplateAdmin)),
        "api_key" => own,
        "user" => {
            user.has(SiteRole::UserAdmin)
                || (own && matches!(action, "read" | "read_personal" | "update_personal"))
                || (reads && !user.roles.is_empty())
        }
        "group" | "group_member" | "organization_member" => {
            user.has(SiteRole::UserAdmin) || (reads && (own || !user.roles.is_empty()))
        }
        "template" | "file" => user.has(SiteRole::TemplateAdmin) || (reads && member),
        "organization" => reads && member,
        "audit_log" => reads && user.has(SiteRole::Auditor),
        _ => false,
    }
}
