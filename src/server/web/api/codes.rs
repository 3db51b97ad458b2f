//! `/codes`: texts by which whoever is signed in gets a grant on a workspace.

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;

use crate::model::code::CodeState;
use crate::model::duration;
use crate::model::id::{CodeId, WorkspaceId};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::time::Timestamp;
use crate::model::verb::Verbs;
use crate::server::app::Error;
use crate::server::app::codes::{CodeView, NewCode, Offer};
use crate::server::html::paths;
use crate::server::web::api::sharing::verbs;
use crate::server::web::extract::{Json, Path, Query, created};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::users::MinimalUser;
use crate::wire::codes as wire;

/// How long a grant by a code lasts when nothing is said.
const DEFAULT_GRANT: Duration = Duration::from_hours(8);
/// How long a code can be redeemed when nothing is said.
const DEFAULT_LIFETIME: Duration = Duration::from_hours(24);

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    const ALL: &str = "/api/v2/workspaces/{workspace}/codes";
    let (share, read) = (Access::may(R::Workspace, A::Share), Access::may(R::Workspace, A::Read));
    routes
        .get(share, ALL, list)
        .post(share, ALL, create)
        .delete(share, "/api/v2/codes/{code}", revoke)
        .post(read, "/api/v2/codes/offer", offer)
        .post(read, "/api/v2/codes/redeem", redeem)
}

async fn list(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
) -> Answer<Json<Vec<wire::Code>>> {
    let all = state.app.codes(&actor, id).await?;
    Ok(Json(all.into_iter().map(shown).collect()))
}

async fn create(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
    Json(body): Json<wire::CreateCode>,
) -> Answer<Response> {
    let new = asked(&body, state.app.clock().now())?;
    let (text, view) = state.app.create_code(&actor, id, new).await?;
    let url = format!("{}{}", state.site.access_url(), paths::redeem(text.expose()));
    Ok(created(wire::Code { code: text.expose().to_owned(), url, ..shown(view) }))
}

async fn revoke(
    state: State,
    Who(actor): Who,
    Path(id): Path<CodeId>,
    Query(query): Query<wire::RevokeCode>,
) -> Answer<StatusCode> {
    let with_grants = match query.grants.as_str() {
        "" | "false" => false,
        "true" => true,
        _ => return Err(Error::invalid("grants", "wants true or false").into()),
    };
    state.app.revoke_code(&actor, id, with_grants).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn offer(
    state: State,
    Who(actor): Who,
    Json(body): Json<wire::RedeemCode>,
) -> Answer<Json<wire::CodeOffer>> {
    let Offer { code, workspace } = state.app.offer_of_code(&actor, &body.code).await?;
    let until = state.app.clock().now().plus(code.grant_ttl);
    Ok(Json(wire::CodeOffer {
        workspace: format!("{}/{}", workspace.owner.username, workspace.name),
        workspace_id: workspace.id.0,
        verbs: words(code.verbs),
        preset: preset(code.verbs),
        record: code.is_recorded,
        reason: code.reason,
        made_by: code.made_by.username.to_string(),
        until: until.into(),
        grant_id: None,
    }))
}

async fn redeem(
    state: State,
    Who(actor): Who,
    Json(body): Json<wire::RedeemCode>,
) -> Answer<Response> {
    let (grant, workspace) = state.app.redeem_code(&actor, &body.code).await?;
    Ok(created(wire::CodeOffer {
        workspace: format!("{}/{}", workspace.owner.username, workspace.name),
        workspace_id: workspace.id.0,
        verbs: words(grant.verbs),
        preset: preset(grant.verbs),
        record: grant.limits.is_recorded,
        reason: grant.reason,
        made_by: String::new(),
        until: grant.limits.until.unwrap_or_default().into(),
        grant_id: Some(grant.id.0),
    }))
}

/// What a body asks for.
///
/// # Errors
/// [`Error::Invalid`] for what cannot be read.
pub(in crate::server::web) fn asked(
    body: &wire::CreateCode,
    now: Timestamp,
) -> Result<NewCode, Error> {
    let grant_ttl = match body.lasts.trim() {
        "" => DEFAULT_GRANT,
        text => duration::parse(text).map_err(|bad| Error::invalid("for", bad))?,
    };
    let lifetime = match body.until.trim() {
        "" => DEFAULT_LIFETIME,
        text => match duration::parse(text) {
            Ok(long) => long,
            Err(_) => {
                let wrong = "is neither a time nor how long; write 2026-01-31T09:00:00Z or 1d";
                let at = Timestamp::parse_rfc3339(text);
                at.ok_or_else(|| Error::invalid("until", wrong))?.since(now)
            }
        },
    };
    Ok(NewCode {
        verbs: verbs(&body.verbs)?,
        grant_ttl,
        lifetime,
        max_uses: if body.uses == 0 { 1 } else { body.uses },
        is_recorded: body.record,
        reason: body.reason.trim().to_owned(),
    })
}

fn words(verbs: Verbs) -> Vec<String> {
    verbs.iter().map(|verb| verb.to_string()).collect()
}

fn preset(verbs: Verbs) -> String {
    verbs.preset().map(|preset| preset.to_string()).unwrap_or_default()
}

fn shown(view: CodeView) -> wire::Code {
    let CodeView { code, state, holds, grants } = view;
    let state = match state {
        CodeState::Open => "open",
        CodeState::Revoked => "revoked",
        CodeState::UsedUp => "used_up",
        CodeState::Expired => "expired",
    };
    wire::Code {
        id: code.id.0,
        workspace_id: code.workspace_id.0,
        verbs: words(code.verbs),
        preset: preset(code.verbs),
        for_seconds: code.grant_ttl.as_secs(),
        record: code.is_recorded,
        reason: code.reason,
        made_by: MinimalUser {
            id: code.made_by.id.0,
            username: code.made_by.username.to_string(),
            ..MinimalUser::default()
        },
        created_at: code.created_at.into(),
        expires_at: code.expires_at.into(),
        max_uses: code.max_uses,
        uses: code.uses,
        last_used_at: code.last_used_at.map(Into::into),
        revoked_at: code.revoked_at.map(Into::into),
        state: state.to_owned(),
        holds,
        grants,
        code: String::new(),
        url: String::new(),
    }
}
