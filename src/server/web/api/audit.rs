//! `/audit`: who did what, whether the log is as it was written, and all of it to be kept elsewhere.

use std::collections::BTreeMap;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header;

use super::convert::people as convert;
use crate::model::audit::chain::Head;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::app::Error;
use crate::server::app::audit::{AuditView, MAX_LIST};
use crate::server::web::extract::{Json, ListQuery, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::audit::{Anchor, SignedCheckpoint, Verification, read_hash};
use crate::wire::coder::audit as wire;

/// Who may read the log.
pub(super) const READERS: Access = Access::may(R::AuditLog, A::Read);

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    let routes = routes
        .get(READERS, "/api/v2/audit", list)
        .get(READERS, "/api/v2/audit/checkpoints", checkpoints)
        .get(READERS, "/api/v2/audit/verify", verify);
    super::audit_export::routes(routes)
}

async fn list(
    state: State,
    Who(actor): Who,
    Query(query): Query<ListQuery>,
) -> Answer<Json<wire::AuditLogResponse>> {
    let part = (query.limit(MAX_LIST), query.offset());
    let (entries, count) = state.app.audit(&actor, &query.q, part).await?;
    let audit_logs = entries.iter().map(entry).collect();
    Ok(Json(wire::AuditLogResponse { audit_logs, count, count_cap: 0 }))
}

/// Where a list of checkpoints goes on.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(default)]
struct After {
    after: i64,
}

async fn checkpoints(
    state: State,
    Who(actor): Who,
    Query(After { after }): Query<After>,
) -> Answer<Json<Vec<SignedCheckpoint>>> {
    let list = state.app.checkpoints(&actor, after).await?;
    Ok(Json(list.iter().map(SignedCheckpoint::from).collect()))
}

async fn verify(state: State, Who(actor): Who, Query(given): Query<Anchor>) -> Answer<Response> {
    let anchor = anchor(&given)?;
    let work = async move {
        let verified = state.app.verify_audit(&actor, anchor).await?;
        Ok(verified.told(anchor.is_some()))
    };
    let mut work: Work = Box::pin(work);
    if let Ok(done) = tokio::time::timeout(QUIET, &mut work).await {
        return Ok(Json(done?).into_response());
    }
    let body = stream::unfold(Some(work), |work| async { Some(step(work?).await) });
    let kind = [(header::CONTENT_TYPE, "application/json")];
    Ok((kind, Body::from_stream(body)).into_response())
}

/// A verification under way.
type Work = Pin<Box<dyn Future<Output = Result<Verification, Error>> + Send>>;

/// A log of years takes longer than clients and proxies wait for a sign of life: a space, which
/// means nothing in front of JSON.
const QUIET: Duration = Duration::from_secs(5);

async fn step(mut work: Work) -> (Result<Bytes, Error>, Option<Work>) {
    match tokio::time::timeout(QUIET, &mut work).await {
        Err(_) => (Ok(Bytes::from_static(b" ")), Some(work)),
        Ok(done) => {
            let text = done
                .and_then(|told| serde_json::to_vec(&told).map_err(|e| Error::Internal(e.into())));
            (text.map(Bytes::from), None)
        }
    }
}

fn anchor(given: &Anchor) -> Result<Option<Head>, Error> {
    if given.seq == 0 {
        return Ok(None);
    }
    let hash = read_hash(&given.hash);
    let hash = hash.ok_or_else(|| Error::invalid("hash", "must be 32 bytes in hex"))?;
    Ok(Some(Head { seq: given.seq, hash }))
}

fn entry(view: &AuditView) -> wire::AuditLog {
    let row = &view.row;
    let (source, entry) = (&row.source, &row.entry);
    let diff: BTreeMap<String, wire::DiffField> =
        serde_json::from_str(&entry.diff).unwrap_or_default();
    wire::AuditLog {
        id: row.id.0,
        request_id: source.request_id.unwrap_or_default(),
        time: row.at.into(),
        ip: source.ip.clone(),
        user_agent: source.user_agent.clone(),
        resource_type: entry.target.to_string(),
        resource_id: entry.target_id,
        resource_target: entry.target_name.clone(),
        action: entry.action.to_string(),
        diff,
        status_code: row.outcome.status.into(),
        additional_fields: more(view),
        description: description(view),
        organization_id: row.entry.organization.map(|id| id.0).unwrap_or_default(),
        organization: view.organization.as_ref().map(|o| wire::MinimalOrganization {
            id: o.id.0,
            name: o.name.clone(),
            display_name: o.display_name.clone(),
            icon: String::new(),
        }),
        user: view.user.as_ref().map(convert::user),
        ..Default::default()
    }
}

/// What Coder's shape has no field for.
fn more(view: &AuditView) -> serde_json::Value {
    let row = &view.row;
    let mut more = serde_json::Map::new();
    let mut put = |name: &str, value: String| {
        if !value.is_empty() {
            more.insert(name.to_owned(), value.into());
        }
    };
    put("actor", row.source.actor.to_string());
    put("agent_id", row.source.agent_id.map(|id| id.to_string()).unwrap_or_default());
    put("token_id", row.source.token_id.map(|id| id.to_string()).unwrap_or_default());
    put("build_reason", row.build_reason.map(|r| r.to_string()).unwrap_or_default());
    put("reason", row.outcome.reason.clone());
    put("seq", row.seq.to_string());
    put("hash", hex::encode(row.hash));
    more.into()
}

fn description(view: &AuditView) -> String {
    let entry = &view.row.entry;
    let tried = if view.row.outcome.status < 400 { "did" } else { "was denied" };
    format!("{{user}} {tried} {} on {} {{target}}", entry.action, entry.target)
}
