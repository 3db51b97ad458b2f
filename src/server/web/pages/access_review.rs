//! Reviewing access, as pages.

use axum::response::Response;

use super::workspace::find;
use super::{Html, Visitor, flash};
use crate::model::access_review::ReviewOf;
use crate::model::id::GrantId;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::app::Error;
use crate::server::html::pages::access_review::{AccessReview, WhyAccess};
use crate::server::html::paths;
use crate::server::web::extract::{Path, Query};
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::page_may(R::AuditLog, A::Read);
    routes
        .get(read, paths::ACCESS_REVIEW, show)
        .post(read, paths::ACCESS_REVOKE, revoke)
        .post(read, paths::ACCESS_SIGN_OFF, sign_off)
        .get(Access::Page, "/@{owner}/{name}/access/{user}", why)
}

/// What is looked at.
#[derive(Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Asked {
    show: String,
    q: String,
    offset: u32,
}

async fn show(
    state: State,
    Visitor { actor, visit }: Visitor,
    Query(asked): Query<Asked>,
) -> Answer<Html> {
    let of = ReviewOf::from_word(&asked.show).unwrap_or(ReviewOf::All);
    let review = state.app.access_review(&actor, (of, &asked.q), asked.offset).await?;
    let broken = state.app.open_break_glass(&actor).await?;
    Ok(Html::of(&AccessReview {
        visit,
        broken,
        rows: review.rows,
        counts: review.counts,
        signed_off: review.signed_off,
        of,
        text: asked.q,
        offset: asked.offset,
    }))
}

async fn revoke(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let marked: Result<Vec<GrantId>, _> = fields.all("grant").map(str::parse).collect();
    let marked = marked.map_err(|_| Error::invalid("grant", "is not an id"))?;
    let n = state.app.revoke_grants(&visitor.actor, marked).await?;
    let text =
        format!("Taken back: {n}. Each can be restored on its workspace's page for ten minutes.");
    Ok(flash::done(&state.site, paths::ACCESS_REVIEW, &text))
}

async fn sign_off(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let note = fields.get("note").unwrap_or_default();
    state.app.sign_off_access(&visitor.actor, note).await?;
    Ok(flash::done(&state.site, paths::ACCESS_REVIEW, "Signed off. The audit log keeps it."))
}

async fn why(
    state: State,
    Visitor { actor, visit }: Visitor,
    Path((owner, name, user)): Path<(String, String, String)>,
) -> Answer<Html> {
    let workspace = find(&state, &actor, &Path((owner, name))).await?;
    let (user, reasons) = state.app.explain_access(&actor, workspace.id, &user).await?;
    let who = user.username.to_string();
    Ok(Html::of(&WhyAccess { visit, workspace, who, reasons }))
}
