//! Before a route goes on: a second factor that must be shown or set up first, with what a form sent
//! kept over it.

use axum::body::{Body, Bytes};
use axum::extract::Request;
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, Method};

use super::access::{Shown, here, lead};
use super::form::{self, Fields};
use super::{Access, Answer, Problem, State, pages};
use crate::model::factor::Ask;
use crate::server::app::Actor;
use crate::server::html::pages::login::Kept;
use crate::server::html::parts::form::is_secret;
use crate::server::html::paths;

/// Where someone goes on after they have given a second factor.
enum Back {
    /// It is no page: who asks is told, and asks again.
    Nowhere,
    /// To a page.
    To(String),
    /// To where a form was sent, with its fields.
    Form(String, Fields),
}

/// Lets a request through to its handler, unless a second factor is missing.
pub(super) async fn run(
    state: &State,
    (access, limit): (Access, usize),
    shown: Option<&Shown>,
    (req, next): (Box<Request>, Next),
) -> Response {
    let Some(actor) = shown.map(|shown| &shown.actor) else { return next.run(*req).await };
    let headers = req.headers().clone();
    let (req, back) = match keep(state, (access, limit), actor, req).await {
        Ok(kept) => kept,
        Err(problem) => return problem.into_response(),
    };
    let response = match admit(state, access, actor) {
        Ok(()) => next.run(*req).await,
        Err(problem) => problem.into_response(),
    };
    match asked(&response) {
        Some(ask) => answer(state, actor, (ask, back, &headers), response).await,
        None => response,
    }
}

/// Asks for the second factor of who must have one. What tells nothing, and what is done to have one
/// or to leave, is open to them without.
fn admit(state: &State, access: Access, actor: &Actor) -> Answer<()> {
    match access {
        Access::May(_) | Access::Page | Access::PageMay(_) => {
            Ok(state.app.require_factor(actor)?)
        }
        Access::Public
        | Access::SignedIn
        | Access::Agent
        | Access::Scim
        | Access::Threshold
        | Access::Setup
        | Access::SignIn => Ok(()),
    }
}

/// What an answer asks for first.
fn asked(response: &Response) -> Option<Ask> {
    let problem = response.extensions().get::<Problem>()?;
    [Ask::Factor, Ask::SetUp].into_iter().find(|ask| ask.code() == problem.detail)
}

/// Notes where to go on, and what a form sent: it is read here only when its handler may ask for a
/// second factor first.
async fn keep(
    state: &State,
    (access, limit): (Access, usize),
    actor: &Actor,
    req: Box<Request>,
) -> Answer<(Box<Request>, Back)> {
    if !access.is_inside() {
        return Ok((req, Back::Nowhere));
    }
    if req.method() == Method::GET {
        let to = here(req.headers(), req.uri());
        return Ok((req, Back::To(to)));
    }
    let may_ask = actor.require_fresh(state.app.clock().now()).is_err()
        || state.app.require_factor(actor).is_err();
    if !may_ask || !form::is_form(req.headers()) {
        return Ok((req, Back::To(paths::WORKSPACES.to_owned())));
    }
    let (parts, body) = req.into_parts();
    let body: Bytes = form::whole(body, limit).await?;
    let (path, fields) = (parts.uri.path().to_owned(), form::fields(&body));
    let req = Box::new(Request::from_parts(parts, Body::from(body)));
    // Passwords are not carried on: the form is filled in again.
    let has_secrets = fields.0.iter().any(|(name, _)| is_secret(name));
    let back = if has_secrets {
        Back::To(path.strip_suffix("/password").unwrap_or(&path).to_owned())
    } else {
        Back::Form(path, fields)
    };
    Ok((req, back))
}

async fn answer(
    state: &State,
    actor: &Actor,
    (ask, back, headers): (Ask, Back, &HeaderMap),
    response: Response,
) -> Response {
    match (ask, back) {
        (_, Back::Nowhere) => response,
        (Ask::SetUp, Back::To(_) | Back::Form(..)) => lead(headers, paths::SECURITY),
        (Ask::Factor, Back::To(path)) => lead(headers, &paths::confirm(&path)),
        (Ask::Factor, Back::Form(path, fields)) => {
            let kept = Kept::new(&path, fields.0);
            let page = pages::confirm_first(state, actor, kept).await;
            page.unwrap_or_else(IntoResponse::into_response)
        }
    }
}
