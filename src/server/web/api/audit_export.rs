//! `/audit/export`: the log as lines of JSON or comma-separated values, read while it is sent.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use http::header;

use super::audit::READERS;
use crate::model::csv;
use crate::model::time::Timestamp;
use crate::server::app::audit::{AuditView, Export};
use crate::server::app::{Actor, App, Error, Result};
use crate::server::web::extract::Query;
use crate::server::web::routes::Routes;
use crate::server::web::{Answer, State, Who};
use crate::wire::audit::Line;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes.get(READERS, "/api/v2/audit/export", export)
}

/// What is to be exported, and how.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Asked {
    format: Format,
    q: String,
    since: String,
    until: String,
}

/// How lines are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
enum Format {
    #[default]
    Jsonl,
    Csv,
}

impl Format {
    const fn content_type(self) -> &'static str {
        match self {
            Self::Jsonl => "application/x-ndjson",
            Self::Csv => "text/csv; charset=utf-8",
        }
    }

    const fn file_name(self) -> &'static str {
        match self {
            Self::Jsonl => "attachment; filename=\"audit.jsonl\"",
            Self::Csv => "attachment; filename=\"audit.csv\"",
        }
    }

    fn head(self) -> String {
        match self {
            Self::Jsonl => String::new(),
            Self::Csv => csv::line(&HEADS),
        }
    }

    fn line(self, view: &AuditView) -> Result<String> {
        let line = line(view);
        match self {
            Self::Jsonl => {
                let text = serde_json::to_string(&line);
                text.map(|text| text + "\n").map_err(|e| Error::Internal(e.into()))
            }
            Self::Csv => Ok(cells(&line, &view.row.entry.diff)),
        }
    }
}

async fn export(state: State, Who(actor): Who, Query(asked): Query<Asked>) -> Answer<Response> {
    let times = (time("since", &asked.since)?, time("until", &asked.until)?);
    let export = state.app.begin_export(&actor, &asked.q, times).await?;
    let app = state.app.clone();
    let (format, export) = (asked.format, Some(export));
    let parts = Parts { app, actor, format, export, head: format.head() };
    let body = stream::unfold(parts, |mut parts| async move {
        let next = parts.next().await.transpose()?;
        Some((next, parts))
    });
    let head = [
        (header::CONTENT_TYPE, format.content_type()),
        (header::CONTENT_DISPOSITION, format.file_name()),
    ];
    Ok((head, Body::from_stream(body)).into_response())
}

/// A day or a time; none for nothing.
pub(in crate::server::web) fn time(field: &'static str, text: &str) -> Result<Option<Timestamp>> {
    if text.is_empty() {
        return Ok(None);
    }
    let at = Timestamp::parse_rfc3339(text)
        .or_else(|| Timestamp::parse_rfc3339(&format!("{text}T00:00:00Z")));
    let why = "wants a day or a time such as 2026-01-31 or 2026-01-31T09:00:00Z";
    at.map(Some).ok_or_else(|| Error::invalid(field, why))
}

/// An export under way.
struct Parts {
    app: App,
    actor: Actor,
    format: Format,
    export: Option<Export>,
    head: String,
}

impl Parts {
    /// The next lines; none at the end. What fails ends the answer in the middle, so that nobody
    /// takes a part of the log for all of it.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let mut text = std::mem::take(&mut self.head);
        while let Some(export) = self.export.take() {
            let Some((views, export)) = self.app.export_step(&self.actor, export).await? else {
                break;
            };
            self.export = Some(export);
            for view in &views {
                text.push_str(&self.format.line(view)?);
            }
            if !text.is_empty() {
                break;
            }
        }
        Ok((!text.is_empty()).then(|| Bytes::from(text)))
    }
}

fn line(view: &AuditView) -> Line {
    let row = &view.row;
    let (source, entry) = (&row.source, &row.entry);
    Line {
        seq: row.seq,
        id: row.id.0,
        time: row.at.into(),
        actor: source.actor.to_string(),
        user_id: source.user_id.map(|id| id.0),
        username: view.user.as_ref().map(|u| u.username.to_string()).unwrap_or_default(),
        agent_id: source.agent_id.map(|id| id.0),
        token_id: source.token_id.map(|id| id.0),
        ip: source.ip.clone(),
        user_agent: source.user_agent.clone(),
        request_id: source.request_id,
        action: entry.action.to_string(),
        resource_type: entry.target.to_string(),
        resource_id: entry.target_id,
        resource_target: entry.target_name.clone(),
        organization_id: row.entry.organization.map(|id| id.0),
        build_reason: row.build_reason.map(|r| r.to_string()),
        status_code: row.outcome.status,
        reason: row.outcome.reason.clone(),
        diff: serde_json::from_str(&entry.diff).unwrap_or_default(),
        hash: hex::encode(row.hash),
    }
}

/// The names of [`Line`]'s fields.
const HEADS: [&str; 21] = [
    "seq",
    "id",
    "time",
    "actor",
    "user_id",
    "username",
    "agent_id",
    "token_id",
    "ip",
    "user_agent",
    "request_id",
    "action",
    "resource_type",
    "resource_id",
    "resource_target",
    "organization_id",
    "build_reason",
    "status_code",
    "reason",
    "diff",
    "hash",
];

fn cells(line: &Line, diff: &str) -> String {
    let id = |id: Option<uuid::Uuid>| id.map(|id| id.to_string()).unwrap_or_default();
    csv::line(&[
        &line.seq.to_string(),
        &line.id.to_string(),
        &line.time.to_string(),
        &line.actor,
        &id(line.user_id),
        &line.username,
        &id(line.agent_id),
        &id(line.token_id),
        &line.ip,
        &line.user_agent,
        &id(line.request_id),
        &line.action,
        &line.resource_type,
        &line.resource_id.to_string(),
        &line.resource_target,
        &id(line.organization_id),
        line.build_reason.as_deref().unwrap_or_default(),
        &line.status_code.to_string(),
        &line.reason,
        diff,
        &line.hash,
    ])
}
