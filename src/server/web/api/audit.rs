//! `/audit`: who did what.

use std::collections::BTreeMap;

use super::convert::people as convert;
use crate::model::audit::{AuditAction, AuditTarget};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::app::Error;
use crate::server::app::audit::{AuditFilter, AuditView, MAX_LIST};
use crate::server::web::extract::{Json, ListQuery, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::audit as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(Access::may(R::AuditLog, A::Read), "/api/v2/audit", list)
}

async fn list(
    state: State,
    Who(actor): Who,
    Query(query): Query<ListQuery>,
) -> Answer<Json<wire::AuditLogResponse>> {
    let unknown = |key: &str| Error::invalid("q", format!("there is no such {key}"));
    let action =
        query.filter("action").map(|w| AuditAction::from_word(w).ok_or_else(|| unknown("action")));
    let target = query
        .filter("resource_type")
        .map(|w| AuditTarget::from_word(w).ok_or_else(|| unknown("resource_type")));
    let filter = AuditFilter {
        action: action.transpose()?,
        target: target.transpose()?,
        username: query.filter("username").map(str::to_owned),
        limit: query.limit(MAX_LIST),
        offset: query.offset(),
    };
    let (entries, count) = state.app.audit(&actor, filter).await?;
    Ok(Json(wire::AuditLogResponse { audit_logs: entries.iter().map(entry).collect(), count }))
}

fn entry(view: &AuditView) -> wire::AuditLog {
    let row = &view.row;
    let diff: BTreeMap<String, wire::DiffField> =
        serde_json::from_str(&row.entry.diff).unwrap_or_default();
    wire::AuditLog {
        id: row.id.0,
        request_id: row.id.0,
        time: row.at.into(),
        ip: row.ip.clone(),
        resource_type: row.entry.target.to_string(),
        resource_id: row.entry.target_id,
        resource_target: row.entry.target_name.clone(),
        action: row.entry.action.to_string(),
        diff,
        status_code: 200,
        additional_fields: serde_json::json!({}),
        description: format!(
            "{{user}} did {} on {} {{target}}",
            row.entry.action, row.entry.target
        ),
        user: view.user.as_ref().map(convert::reduced_user),
        ..Default::default()
    }
}
