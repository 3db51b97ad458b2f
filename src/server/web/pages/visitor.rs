//! Who looks at a page: the actor for use cases, the visit for drawing.

use axum::extract::FromRequestParts;
use axum::response::Response;
use http::request::Parts;
use http::{HeaderMap, header};
use maud::Render as _;

use super::{document, flash};
use crate::model::id::TokenId;
use crate::model::request;
use crate::model::verb::Verbs;
use crate::server::app::Actor;
use crate::server::html::layout::{Csrf, Visit, Ways};
use crate::server::html::pages::error::{Error, Wrong};
use crate::server::html::parts::ask::Wanted;
use crate::server::html::paths::Home;
use crate::server::web::{MaybeWho, Problem, State};

/// Someone signed in who looks at a page.
pub struct Visitor {
    /// For use cases.
    pub actor: Actor,
    /// For drawing.
    pub visit: Visit,
}

impl FromRequestParts<State> for Visitor {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Result<Self, Problem> {
        let found = parts.extensions.get::<MaybeWho>().and_then(|who| who.0.clone());
        let actor = found.ok_or_else(Problem::signed_out)?;
        let visit = visit(state, &actor, &parts.headers);
        let mut visit = visit.ok_or_else(Problem::signed_out)?;
        lead(state, &actor, &mut visit).await?;
        Ok(Self { actor, visit })
    }
}

/// Where the links beside a page go, and what waits behind them.
async fn lead(state: &State, actor: &Actor, visit: &mut Visit) -> Result<(), Problem> {
    let (home, several) = state.app.home_of(actor).await?;
    visit.ways.organizations |= several;
    if let Actor::User(caller) = actor {
        visit.ways = visit.ways.at(&caller.subject, home.as_ref().map(|home| home.id));
    }
    visit.home = home.as_ref().map(Home::of).unwrap_or_default();
    visit.ways.review_due = state.app.access_review_is_due(actor).await?;
    visit.ways.recordings |= state.app.recording_policy().sessions;
    visit.waiting = state.app.count_to_decide(actor).await?;
    Ok(())
}

impl Visitor {
    /// The token that this visit came with.
    #[must_use]
    pub fn token(&self) -> Option<TokenId> {
        self.actor.caller().ok()?.token()
    }
}

fn visit(state: &State, actor: &Actor, headers: &HeaderMap) -> Option<Visit> {
    let Actor::User(caller) = actor else { return None };
    let csrf = caller.token().map(|t| form_token(state, t)).unwrap_or_default();
    Some(Visit {
        user: caller.user.clone(),
        csrf: Csrf(csrf),
        flash: flash::read(headers),
        now: state.app.clock().now(),
        ways: Ways::of(&caller.subject),
        home: Home::default(),
        waiting: 0,
    })
}

/// A token for the forms of a session.
pub(super) fn form_token(state: &State, session: TokenId) -> String {
    state.csrf.token(session, state.app.entropy().bytes())
}

/// What can be asked for where a page of a workspace says no, whether it is there or not.
fn wanted(wrong: &Wrong, path: &str) -> Option<Wanted> {
    if !matches!(wrong, Wrong::Denied(_) | Wrong::NotFound) {
        return None;
    }
    let mut parts = path.strip_prefix("/@")?.splitn(3, '/');
    let (owner, name) = (parts.next()?, parts.next()?);
    let name = name.split('.').next()?;
    let workspace = format!("{owner}/{name}");
    request::place(&workspace)?;
    let more = match parts.next().unwrap_or_default() {
        end if end.starts_with("settings") => "use,manage",
        end if end.starts_with("sharing") => "admin",
        "delete" => "use,delete",
        _ => "use",
    };
    Some(Wanted { workspace, verbs: Verbs::parse(more).unwrap_or_default() })
}

/// A problem as a page.
pub async fn problem_page(
    state: &State,
    (actor, path): (Option<&Actor>, &str),
    request: uuid::Uuid,
    problem: &Problem,
) -> Response {
    let why = match problem.validations.first() {
        Some(first) => format!("{}: {}", first.field, first.detail),
        None => problem.message.clone(),
    };
    let wrong = match problem.status.as_u16() {
        401 | 403 => Wrong::Denied(why),
        404 => Wrong::NotFound,
        409 => Wrong::Conflict(why),
        429 => Wrong::TooMany(why),
        503 => Wrong::Unavailable(why),
        500..=599 => Wrong::Internal,
        _ => Wrong::Bad(why),
    };
    let mut visit = actor.and_then(|actor| visit(state, actor, &HeaderMap::new()));
    if let (Some(actor), Some(visit)) = (actor, &mut visit) {
        // What went wrong may be the database: then the links are those that need nothing of it.
        let _ = lead(state, actor, visit).await;
    }
    let page = Error {
        visit,
        ask: wanted(&wrong, path),
        wrong,
        path: path.to_owned(),
        request: request.to_string(),
    };
    let mut response = document(page.render());
    *response.status_mut() = problem.status;
    if let Some(after) = problem.retry_after {
        response.headers_mut().insert(header::RETRY_AFTER, after.as_secs().max(1).into());
    }
    response
}
