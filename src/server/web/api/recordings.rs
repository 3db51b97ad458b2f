//! `/recordings`: what sessions showed, and what was run in them.

use axum::body::Body;
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use futures_util::stream;
use http::{HeaderValue, header};

use super::audit_export::time;
use super::convert::recordings;
use super::convert::recordings::{command, shown};
use crate::model::id::RecordingId;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::recording::cast;
use crate::server::app::recording_search::Wanted;
use crate::server::app::recording_views::{Asked, Export, Part};
use crate::server::app::{Actor, App, Error, Page, Result};
use crate::server::web::extract::{Json, Path, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::recordings as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    // Whoever has a workspace may have recordings there; auditors see all, and are members too.
    let may = Access::may(R::Workspace, A::Read);
    routes
        .get(may, "/api/v2/recordings", list)
        .get(may, "/api/v2/recordings/commands", commands)
        .get(may, "/api/v2/recordings/transfers", transfers)
        .get(may, "/api/v2/recordings/{recording}", show)
        .get(may, "/api/v2/recordings/{recording}/commands", commands_of)
        .get(may, "/api/v2/recordings/{recording}/cast", export)
        .get(may, "/api/v2/recordings/{recording}/search", search)
        .get(may, "/api/v2/recordings/{recording}/transfers", transfers_beside)
}

/// What is looked for.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Sought {
    workspace: String,
    user: String,
    from: String,
    until: String,
    search: String,
    limit: u32,
    offset: u32,
}

impl Sought {
    fn read(self) -> Result<(Asked, Page)> {
        let asked = Asked {
            workspace: self.workspace,
            user: self.user,
            from: time("from", &self.from)?,
            until: time("until", &self.until)?,
            search: self.search,
        };
        Ok((asked, Page::new(self.limit, self.offset)))
    }
}

async fn list(
    state: State,
    Who(actor): Who,
    Query(sought): Query<Sought>,
) -> Answer<Json<Vec<wire::Recording>>> {
    let (asked, page) = sought.read()?;
    let all = state.app.recordings(&actor, asked, page).await?;
    Ok(Json(all.into_iter().map(shown).collect()))
}

async fn commands(
    state: State,
    Who(actor): Who,
    Query(sought): Query<Sought>,
) -> Answer<Json<Vec<wire::Command>>> {
    let (asked, page) = sought.read()?;
    let all = state.app.commands(&actor, asked, page).await?;
    Ok(Json(all.into_iter().map(command).collect()))
}

async fn show(
    state: State,
    Who(actor): Who,
    Path(id): Path<RecordingId>,
) -> Answer<Json<wire::Recording>> {
    Ok(Json(shown(state.app.recording(&actor, id).await?)))
}

async fn commands_of(
    state: State,
    Who(actor): Who,
    Path(id): Path<RecordingId>,
    Query(sought): Query<Sought>,
) -> Answer<Json<Vec<wire::Command>>> {
    let page = Page::new(sought.limit, sought.offset);
    let (_, all) = state.app.commands_of(&actor, id, page).await?;
    Ok(Json(all.into_iter().map(command).collect()))
}

async fn transfers(
    state: State,
    Who(actor): Who,
    Query(sought): Query<Sought>,
) -> Answer<Json<Vec<wire::Transfer>>> {
    let (asked, page) = sought.read()?;
    let all = state.app.transfers(&actor, asked, page).await?;
    Ok(Json(all.into_iter().map(recordings::transfer).collect()))
}

async fn transfers_beside(
    state: State,
    Who(actor): Who,
    Path(id): Path<RecordingId>,
    Query(sought): Query<Sought>,
) -> Answer<Json<Vec<wire::Transfer>>> {
    let page = Page::new(sought.limit, sought.offset);
    let all = state.app.transfers_beside(&actor, id, page).await?;
    Ok(Json(all.into_iter().map(recordings::transfer).collect()))
}

/// Which text is looked for in a recording.
#[derive(Clone, Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Text {
    q: String,
    /// From this second on.
    from: f64,
    /// At most so many places; 0 for as many as may be.
    limit: usize,
}

async fn search(
    state: State,
    Who(actor): Who,
    Path(id): Path<RecordingId>,
    Query(text): Query<Text>,
) -> Answer<Json<wire::Found>> {
    let wanted = Wanted { text: text.q, from_ms: milliseconds(text.from)?, most: text.limit };
    let found = state.app.search_recording(&actor, id, wanted).await?;
    Ok(Json(recordings::found(found)))
}

/// Which part of a recording is wanted.
#[derive(Clone, Copy, Debug, Default, serde::Deserialize)]
#[serde(default)]
struct Stretch {
    /// From this second on.
    from: f64,
    /// Up to about so many bytes; 0 for all.
    most: u64,
}

async fn export(
    state: State,
    Who(actor): Who,
    Path(id): Path<RecordingId>,
    Query(wanted): Query<Stretch>,
) -> Answer<Response> {
    let part = Part {
        from_ms: milliseconds(wanted.from)?,
        most: (wanted.most > 0).then_some(wanted.most),
    };
    let export = state.app.begin_cast(&actor, id, part).await?;
    let name = format!("attachment; filename=\"{id}.cast\"");
    let name = HeaderValue::try_from(name).map_err(|e| Error::Internal(e.into()))?;
    let lines = Lines { app: state.app.clone(), actor, export: Some(export) };
    let body = stream::unfold(lines, |mut lines| async move {
        let next = lines.next().await.transpose()?;
        Some((next, lines))
    });
    let kind = HeaderValue::from_static(cast::CONTENT_TYPE);
    let head = [(header::CONTENT_TYPE, kind), (header::CONTENT_DISPOSITION, name)];
    Ok((head, Body::from_stream(body)).into_response())
}

/// Seconds of an address as milliseconds.
fn milliseconds(seconds: f64) -> Result<i64> {
    // A year is longer than any session, and short of where the numbers end.
    if !(0.0..=31_536_000.0).contains(&seconds) {
        return Err(Error::invalid("from", "wants seconds from the beginning"));
    }
    #[expect(clippy::cast_possible_truncation, reason = "it is within the year that was asked for")]
    let ms = (seconds * 1000.0).round() as i64;
    Ok(ms)
}

/// An export under way.
struct Lines {
    app: App,
    actor: Actor,
    export: Option<Export>,
}

impl Lines {
    /// The next lines; none at the end. What fails ends the answer in the middle, so that nobody
    /// takes a part of a recording for all of it.
    async fn next(&mut self) -> Result<Option<Bytes>> {
        let Some(export) = self.export.take() else { return Ok(None) };
        let Some((text, export)) = self.app.cast_step(&self.actor, export).await? else {
            return Ok(None);
        };
        self.export = Some(export);
        Ok(Some(Bytes::from(text)))
    }
}
