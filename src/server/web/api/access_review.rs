//! `/access-review`: every grant with what speaks against it; `/workspaces/{workspace}/access/{user}`: why.

use http::StatusCode;

use super::sharing::shown;
use crate::model::access_review::{AccessReason, ReviewOf, ReviewRow};
use crate::model::id::{GrantId, WorkspaceId};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::time::Timestamp;
use crate::server::app::Error;
use crate::server::app::access_review::Review;
use crate::server::web::extract::{Json, Path, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::grants as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::may(R::AuditLog, A::Read);
    routes
        .get(read, "/api/v2/access-review", list)
        .post(Access::may(R::Workspace, A::Share), "/api/v2/access-review/revoke", revoke)
        .post(read, "/api/v2/access-review/sign-off", sign_off)
        .get(
            Access::may(R::Workspace, A::Read),
            "/api/v2/workspaces/{workspace}/access/{user}",
            explain,
        )
}

/// How a review is asked for.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Asked {
    show: String,
    q: String,
    offset: u32,
}

async fn list(
    state: State,
    Who(actor): Who,
    Query(asked): Query<Asked>,
) -> Answer<Json<wire::AccessReview>> {
    let of = narrowed(&asked.show)?;
    let review = state.app.access_review(&actor, (of, &asked.q), asked.offset).await?;
    Ok(Json(told(review, state.app.clock().now())))
}

fn narrowed(word: &str) -> Result<ReviewOf, Error> {
    let word = if word.is_empty() { "all" } else { word };
    ReviewOf::from_word(word).ok_or_else(|| {
        Error::invalid(
            "show",
            format!("{word:?} is none of all, stale, endless, departed and wider"),
        )
    })
}

fn told(review: Review, now: Timestamp) -> wire::AccessReview {
    let (signed_off_at, signed_off_by) = review.signed_off.unzip();
    wire::AccessReview {
        grants: review.rows.into_iter().map(|row| reviewed(row, now)).collect(),
        count: review.counts.all,
        stale: review.counts.stale,
        without_end: review.counts.endless,
        departed: review.counts.departed,
        wider: review.counts.wider,
        signed_off_at: signed_off_at.map(Into::into),
        signed_off_by: signed_off_by.unwrap_or_default(),
    }
}

fn reviewed(row: ReviewRow, now: Timestamp) -> wire::ReviewedGrant {
    wire::ReviewedGrant {
        workspace: format!("{}/{}", row.owner, row.workspace),
        last_used_at: row.last_used.map(Into::into),
        stale: row.is_stale(now),
        departed: row.departed,
        wider: row.wider,
        grant: shown(row.view, uuid::Uuid::nil()),
    }
}

async fn revoke(
    state: State,
    Who(actor): Who,
    Json(body): Json<wire::RevokeGrants>,
) -> Answer<StatusCode> {
    state.app.revoke_grants(&actor, body.grants.into_iter().map(GrantId).collect()).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn sign_off(
    state: State,
    Who(actor): Who,
    Json(body): Json<wire::SignOff>,
) -> Answer<StatusCode> {
    state.app.sign_off_access(&actor, &body.note).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn explain(
    state: State,
    Who(actor): Who,
    Path((id, user)): Path<(WorkspaceId, String)>,
) -> Answer<Json<Vec<wire::AccessReason>>> {
    let (_, reasons) = state.app.explain_access(&actor, id, &user).await?;
    Ok(Json(reasons.into_iter().map(reason).collect()))
}

fn reason(one: AccessReason) -> wire::AccessReason {
    let limits = one.grant.as_ref().map(|grant| grant.limits.clone()).unwrap_or_default();
    let begins = (limits.from > Timestamp::default()).then_some(limits.from);
    wire::AccessReason {
        reason: one.reason.to_string(),
        verbs: one.verbs.iter().map(|verb| verb.to_string()).collect(),
        said: one.said,
        grant_id: one.grant.map(|grant| grant.id.0),
        from: begins.map(Into::into),
        until: limits.until.map(Into::into),
        window: limits.hours,
        networks: limits.networks.iter().map(ToString::to_string).collect(),
        require_mfa: limits.needs_mfa,
        closed: one.closed.unwrap_or_default(),
    }
}
