//! Recordings as pages: what sessions showed, and what was run in them.

use axum::response::{IntoResponse, Response};
use http::{HeaderMap, HeaderValue, header};

use super::{Html, Visitor, document, sentence, wants_part};
use crate::model::id::RecordingId;
use crate::server::app::recording_views::Asked;
use crate::server::app::{Error, Page};
use crate::server::html::csp;
use crate::server::html::pages::recording::RecordingPage;
use crate::server::html::pages::recordings::{List, Listed, Recordings, Typed};
use crate::server::html::paths;
use crate::server::web::api::audit_time;
use crate::server::web::extract::{Path, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

/// Entries on a page.
const ON_A_PAGE: u32 = 50;
/// Commands beside a recording. The list of all commands has more.
const BESIDE: u32 = 500;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Page, paths::RECORDINGS, recordings)
        .get(Access::Page, paths::COMMANDS, commands)
        .get(Access::Page, paths::TRANSFERS, transfers)
        .get(Access::Page, "/recordings/{recording}", recording)
}

/// What is asked of the list.
#[derive(Clone, Default, serde::Deserialize)]
#[serde(default)]
struct Sought {
    search: String,
    user: String,
    workspace: String,
    from: String,
    until: String,
    offset: u32,
}

impl Sought {
    fn typed(&self) -> Typed {
        let text = |text: &str| text.trim().to_owned();
        Typed {
            search: text(&self.search),
            user: text(&self.user),
            workspace: text(&self.workspace),
            from: text(&self.from),
            until: text(&self.until),
        }
    }
}

fn asked(typed: &Typed) -> Result<Asked, Error> {
    Ok(Asked {
        workspace: typed.workspace.clone(),
        user: typed.user.clone(),
        from: audit_time("from", &typed.from)?,
        until: audit_time("until", &typed.until)?,
        search: typed.search.clone(),
    })
}

async fn recordings(
    state: State,
    visitor: Visitor,
    Query(sought): Query<Sought>,
    headers: HeaderMap,
) -> Answer<Response> {
    show(&state, visitor, (sought, List::Recordings), &headers).await
}

async fn commands(
    state: State,
    visitor: Visitor,
    Query(sought): Query<Sought>,
    headers: HeaderMap,
) -> Answer<Response> {
    show(&state, visitor, (sought, List::Commands), &headers).await
}

async fn transfers(
    state: State,
    visitor: Visitor,
    Query(sought): Query<Sought>,
    headers: HeaderMap,
) -> Answer<Response> {
    show(&state, visitor, (sought, List::Transfers), &headers).await
}

async fn show(
    state: &State,
    visitor: Visitor,
    (sought, list): (Sought, List),
    headers: &HeaderMap,
) -> Answer<Response> {
    let typed = sought.typed();
    let (found, has_next) = match look(state, &visitor, &typed, (sought.offset, list)).await {
        Ok((listed, has_next)) => (Ok(listed), has_next),
        Err(Error::Invalid { field, why }) => (Err(sentence(&format!("{field} {why}"))), false),
        Err(Error::NotFound(_)) => {
            (Err("There is no such workspace whose recordings you may see.".to_owned()), false)
        }
        Err(other) => return Err(other.into()),
    };
    let page = Recordings {
        visit: visitor.visit,
        typed,
        found,
        list,
        offset: sought.offset,
        size: ON_A_PAGE,
        has_next,
        is_on: state.app.recording_policy().sessions,
    };
    let part = wants_part(headers);
    Ok(if part { document(page.list()) } else { Html::of(&page).into_response() })
}

async fn look(
    state: &State,
    visitor: &Visitor,
    typed: &Typed,
    (offset, list): (u32, List),
) -> Result<(Listed, bool), Error> {
    let (asked, page) = (asked(typed)?, Page::new(ON_A_PAGE + 1, offset));
    let (app, actor) = (&state.app, &visitor.actor);
    Ok(match list {
        List::Recordings => {
            let (all, has_next) = cut(app.recordings(actor, asked, page).await?);
            (Listed::Recordings(all), has_next)
        }
        List::Commands => {
            let (all, has_next) = cut(app.commands(actor, asked, page).await?);
            (Listed::Commands(all), has_next)
        }
        List::Transfers => {
            let (all, has_next) = cut(app.transfers(actor, asked, page).await?);
            (Listed::Transfers(all), has_next)
        }
    })
}

/// What is on the page, and whether there is more.
fn cut<T>(mut all: Vec<T>) -> (Vec<T>, bool) {
    let has_next = all.len() > ON_A_PAGE as usize;
    all.truncate(ON_A_PAGE as usize);
    (all, has_next)
}

async fn recording(
    state: State,
    Visitor { actor, visit }: Visitor,
    Path(id): Path<RecordingId>,
) -> Answer<Response> {
    let (recording, commands) = state.app.commands_of(&actor, id, Page::new(BESIDE, 0)).await?;
    let listed = i64::try_from(commands.len()).unwrap_or(i64::MAX);
    let is_more = recording.extent.n_commands > listed;
    let transfers = state.app.transfers_beside(&actor, id, Page::new(BESIDE, 0)).await?;
    let page = RecordingPage { visit, recording, commands, is_more, transfers };
    let policy = HeaderValue::from_static(csp::RECORDING);
    Ok(([(header::CONTENT_SECURITY_POLICY, policy)], Html::of(&page)).into_response())
}
