//! `/requests`: asking for access, and answering; and who answers besides those who may share.

use std::time::Duration;

use axum::response::Response;

use super::sharing::{minimal, verbs};
use crate::model::duration;
use crate::model::id::{RequestId, WorkspaceId};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::request::{RequestView, RuleView, Verdict};
use crate::model::time::Timestamp;
use crate::server::app::Error;
use crate::server::app::request_decisions::Decision;
use crate::server::app::request_rules::NewRule;
use crate::server::app::request_views::Show;
use crate::server::app::requests::NewRequest;
use crate::server::html::paths;
use crate::server::web::extract::{Json, Path, Query, created};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::requests as wire;

pub(super) fn routes(routes: Routes) -> Routes {
    const RULES: &str = "/api/v2/workspaces/{workspace}/request-rules";
    const OF_ORGANIZATION: &str = "/api/v2/organizations/{organization}/settings/request-rules";
    let read = Access::may(R::Workspace, A::Read);
    let share = Access::may(R::Workspace, A::Share);
    let keep = Access::may(R::Organization, A::Update);
    routes
        .get(read, "/api/v2/requests", list)
        .post(read, "/api/v2/requests", ask)
        .get(read, "/api/v2/requests/{request}", show)
        .post(read, "/api/v2/requests/{request}/approve", approve)
        .post(read, "/api/v2/requests/{request}/deny", deny)
        .post(read, "/api/v2/requests/{request}/cancel", cancel)
        .post(read, "/api/v2/requests/{request}/link", link)
        .get(share, RULES, rules)
        .put(share, RULES, set_rules)
        .delete(share, RULES, unset_rules)
        .get(Access::may(R::Organization, A::Read), OF_ORGANIZATION, organization_rules)
        .put(keep, OF_ORGANIZATION, set_organization_rules)
        .delete(keep, OF_ORGANIZATION, unset_organization_rules)
}

/// Which requests are listed: `mine` or `to-decide`.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Which {
    show: String,
}

async fn list(
    state: State,
    Who(actor): Who,
    Query(which): Query<Which>,
) -> Answer<Json<Vec<wire::Request>>> {
    let show = match which.show.as_str() {
        "" | "mine" => Show::Mine,
        "to-decide" => Show::ToDecide,
        _ => return Err(Error::invalid("show", "is mine or to-decide").into()),
    };
    let all = state.app.requests(&actor, show).await?;
    Ok(Json(all.iter().map(shown).collect()))
}

async fn ask(
    state: State,
    Who(actor): Who,
    Json(body): Json<wire::CreateRequest>,
) -> Answer<Response> {
    let from = match body.from.as_str() {
        "" => None,
        text => {
            let wrong = || Error::invalid("from", "is not a time; write 2026-01-31T09:00:00Z");
            Some(Timestamp::parse_rfc3339(text).ok_or_else(wrong)?)
        }
    };
    let new = NewRequest {
        workspace: body.workspace,
        verbs: verbs(&body.verbs)?,
        reason: body.reason,
        from,
        lasts: long("for", &body.lasts)?,
        wait: long("wait", &body.wait)?,
    };
    Ok(created(shown(&state.app.ask_access(&actor, new).await?)))
}

/// How long; none where nothing is said.
pub(in crate::server::web) fn long(
    field: &'static str,
    text: &str,
) -> Result<Option<Duration>, Error> {
    match text.trim() {
        "" => Ok(None),
        text => duration::parse(text).map(Some).map_err(|bad| Error::invalid(field, bad)),
    }
}

async fn show(
    state: State,
    Who(actor): Who,
    Path(id): Path<RequestId>,
) -> Answer<Json<wire::Request>> {
    Ok(Json(shown(&state.app.request(&actor, id).await?)))
}

async fn approve(
    state: State,
    Who(actor): Who,
    Path(id): Path<RequestId>,
    Json(body): Json<wire::AnswerRequest>,
) -> Answer<Json<wire::Request>> {
    let lasts = long("for", &body.lasts)?;
    let decision = Decision { verdict: Verdict::Approve, note: body.note, lasts };
    Ok(Json(shown(&state.app.decide_request(&actor, id, decision).await?)))
}

async fn deny(
    state: State,
    Who(actor): Who,
    Path(id): Path<RequestId>,
    Json(body): Json<wire::AnswerRequest>,
) -> Answer<Json<wire::Request>> {
    let decision = Decision { verdict: Verdict::Deny, note: body.note, lasts: None };
    Ok(Json(shown(&state.app.decide_request(&actor, id, decision).await?)))
}

async fn cancel(
    state: State,
    Who(actor): Who,
    Path(id): Path<RequestId>,
) -> Answer<Json<wire::Request>> {
    Ok(Json(shown(&state.app.cancel_request(&actor, id).await?)))
}

async fn link(state: State, Who(actor): Who, Path(id): Path<RequestId>) -> Answer<Response> {
    let token = state.app.link_request(&actor, id).await?;
    let url = format!("{}{}", state.site.access_url(), paths::request_link(&token.expose()));
    Ok(created(wire::RequestLink { url }))
}

async fn rules(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
) -> Answer<Json<wire::RequestRules>> {
    Ok(Json(rule(&state.app.request_rule(&actor, id).await?)))
}

async fn set_rules(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<wire::RequestRules>,
) -> Answer<Json<wire::RequestRules>> {
    let set = state.app.set_request_rule(&actor, id, Some(given(body))).await;
    Ok(Json(rule(&set.map_err(as_given)?)))
}

async fn unset_rules(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
) -> Answer<Json<wire::RequestRules>> {
    Ok(Json(rule(&state.app.set_request_rule(&actor, id, None).await?)))
}

async fn organization_rules(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<wire::RequestRules>> {
    Ok(Json(rule(&state.app.organization_request_rule(&actor, &key).await?)))
}

async fn set_organization_rules(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Json(body): Json<wire::RequestRules>,
) -> Answer<Json<wire::RequestRules>> {
    let new = Some(given(body));
    let set = state.app.set_organization_request_rule(&actor, &key, new).await;
    Ok(Json(rule(&set.map_err(as_given)?)))
}

async fn unset_organization_rules(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<wire::RequestRules>> {
    Ok(Json(rule(&state.app.set_organization_request_rule(&actor, &key, None).await?)))
}

/// The fields as the API calls them.
fn as_given(error: Error) -> Error {
    error.map_field(|field| match field.as_str() {
        "rotation" => "on_call".to_owned(),
        "auto" => "auto_on_call".to_owned(),
        _ => field,
    })
}

fn given(body: wire::RequestRules) -> NewRule {
    NewRule {
        approvals: body.approvals.max(1),
        group: body.group,
        rotation: body.on_call,
        auto: body.auto_on_call,
    }
}

fn rule(view: &RuleView) -> wire::RequestRules {
    wire::RequestRules {
        approvals: view.approvals,
        group: view.group.clone(),
        on_call: view.rotation.clone(),
        auto_on_call: view.auto.clone(),
        set_by: view.set.as_ref().map(|(user, _)| minimal(user)),
        set_at: view.set.as_ref().map(|(_, at)| (*at).into()),
        of_organization: view.is_of_organization,
    }
}

/// A request as the API has it.
fn shown(view: &RequestView) -> wire::Request {
    let request = &view.request;
    let answers = view.said.iter().map(|(by, said)| wire::RequestAnswer {
        by: minimal(by),
        verdict: said.verdict.to_string(),
        note: said.note.clone(),
        for_seconds: said.lasts.as_secs(),
        at: said.at.into(),
    });
    let known = view.workspace.is_some();
    wire::Request {
        id: request.id.0,
        requester: minimal(&view.by),
        workspace: view.workspace.clone().unwrap_or_else(|| request.place.clone()),
        workspace_id: request.workspace_id.filter(|_| known).map(|id| id.0),
        verbs: request.verbs.iter().map(|verb| verb.to_string()).collect(),
        preset: request.verbs.preset().map(|preset| preset.to_string()).unwrap_or_default(),
        reason: request.reason.clone(),
        from: Some(request.from).filter(|from| from.0 > 0).map(Into::into),
        for_seconds: request.lasts.as_secs(),
        state: request.state.to_string(),
        created_at: request.made_at.into(),
        expires_at: request.expires_at.into(),
        decided_at: request.decided_at.map(Into::into),
        approvals_needed: view.needed,
        answers: answers.collect(),
        until: view.grant.as_ref().and_then(|grant| grant.limits.until).map(Into::into),
        grant_id: request.grant_id.map(|id| id.0),
        may_decide: view.may_decide,
    }
}
