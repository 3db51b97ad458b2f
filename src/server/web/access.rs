//! Who may use a route: finds out who asks, and lets pass or answers.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use axum::extract::{FromRequestParts, Request, State as With};
use axum::middleware::Next;
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, StatusCode, Uri, header};

use super::address::ClientAddress;
use super::denied::Change;
use super::outer::Within;
use super::{Answer, Problem, State, confirm, cookies, form, pages};
use crate::model::policy::{Action, Permission, ResourceType};
use crate::server::app::scim::LetIn;
use crate::server::app::{Actor, Keeper};
use crate::server::identity::csrf::{self, Source};

/// The header in which Coder's clients send their token.
pub const TOKEN_HEADER: &str = "coder-session-token";
/// The header in which our own scripts send the token of a form.
pub const CSRF_HEADER: &str = "x-csrf-token";

/// Who may use a route.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Access {
    /// Anyone.
    Public,
    /// Anyone signed in, by token or cookie, whatever the token is limited to: what is answered is
    /// no secret, or their own session's business.
    SignedIn,
    /// Who has this permission on something, and whose token has it. The use case decides on what.
    May(Permission),
    /// An agent with its token.
    Agent,
    /// The identity provider that keeps users here, with the token for SCIM.
    Scim,
    /// A page for who is signed in, not for a token with limits; others are led to sign in.
    Page,
    /// The same, also for who must show or set up a second factor first: where that is done.
    Threshold,
    /// A page for who has this permission on something.
    PageMay(Permission),
    /// A page for as long as there is no user; later it leads to the sign-in page.
    Setup,
    /// A page for who is not signed in; leads to the setup while there is no user.
    SignIn,
}

impl Access {
    /// [`Access::May`].
    #[must_use]
    pub const fn may(kind: ResourceType, action: Action) -> Self {
        Self::May(Permission(kind, action))
    }

    /// [`Access::PageMay`].
    #[must_use]
    pub const fn page_may(kind: ResourceType, action: Action) -> Self {
        Self::PageMay(Permission(kind, action))
    }

    /// Whether it is a page for who is signed in.
    #[must_use]
    pub const fn is_inside(self) -> bool {
        matches!(self, Self::Page | Self::Threshold | Self::PageMay(_))
    }
}

/// Whoever uses a route that is not public.
#[derive(Clone, Debug)]
pub struct Who(pub Actor);

/// Whoever uses a public route, if they said.
#[derive(Clone, Debug)]
pub struct MaybeWho(pub Option<Actor>);

/// How someone said who they are.
pub(super) struct Shown {
    pub(super) actor: Actor,
    /// By a cookie, which browsers send whether or not the person means it.
    ambient: bool,
}

/// Lets a request pass to its handler, or answers it.
pub(super) async fn guard(
    With((state, access, limit)): With<(State, Access, usize)>,
    req: Request,
    next: Next,
) -> Response {
    let (parts, body) = req.into_parts();
    let shown = match identify(&state, access, &parts).await {
        Ok(shown) => shown,
        Err(problem) => return problem.into_response(),
    };
    let change = Change::of(&parts);
    let who = MaybeWho(shown.as_ref().map(|s| s.actor.clone()));
    let mut req = Request::from_parts(parts, body);
    req.extensions_mut().insert(who.clone());
    let mut response = match admit(&state, (access, limit), shown.as_ref(), req).await {
        Ok(Admitted::Pass(req)) => {
            confirm::run(&state, (access, limit), shown.as_ref(), (req, next)).await
        }
        Ok(Admitted::Go(response)) => *response,
        Err(problem) => problem.into_response(),
    };
    if let (Some(change), MaybeWho(Some(actor))) = (change, &who) {
        change.answered(&state, actor, &response);
    }
    // The page of an error shows who is signed in.
    response.extensions_mut().insert(who);
    response
}

enum Admitted {
    Pass(Box<Request>),
    Go(Box<Response>),
}

async fn identify(state: &State, access: Access, parts: &Parts) -> Answer<Option<Shown>> {
    match access {
        Access::Agent => agent(state, &parts.headers).await,
        Access::Scim => provider(state, parts).await,
        Access::Public
        | Access::SignedIn
        | Access::May(_)
        | Access::Page
        | Access::Threshold
        | Access::PageMay(_)
        | Access::Setup
        | Access::SignIn => user(state, parts).await,
    }
}

async fn admit(
    state: &State,
    (access, limit): (Access, usize),
    shown: Option<&Shown>,
    req: Request,
) -> Answer<Admitted> {
    let (parts, body) = req.into_parts();
    if let Some(response) = lead_away(state, access, shown, &parts).await? {
        let req = Box::new(Request::from_parts(parts, body));
        let response = match keeps(state, access, shown, &req) {
            Some(path) => pages::sign_in_again(state, &path, form::sent(req, limit).await?),
            None => response,
        };
        return Ok(Admitted::Go(Box::new(response)));
    }
    require(access, shown)?;
    require_size(&parts.headers, limit)?;
    let changes = is_unsafe(&parts);
    let mut req = Box::new(Request::from_parts(parts, body));
    if changes {
        req = require_meant(state, access, limit, shown, req).await?;
    }
    Ok(Admitted::Pass(req))
}

/// Refuses a body that is announced as too large before any of it is read.
fn require_size(headers: &HeaderMap, limit: usize) -> Answer<()> {
    let length = headers.get(header::CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse().ok());
    if length.is_some_and(|length: u64| length > limit as u64) {
        let why = format!("The body is larger than the {} MiB that may be sent.", limit >> 20);
        return Err(Problem::new(StatusCode::PAYLOAD_TOO_LARGE, why));
    }
    Ok(())
}

/// Pages lead people to where they can go on.
async fn lead_away(
    state: &State,
    access: Access,
    shown: Option<&Shown>,
    parts: &Parts,
) -> Answer<Option<Response>> {
    let to = match access {
        Access::Public | Access::SignedIn | Access::May(_) | Access::Agent | Access::Scim => None,
        page if page.is_inside() && shown.is_some() => None,
        page if page.is_inside() && !is_set_up(state).await? => Some("/setup".to_owned()),
        Access::Page | Access::Threshold | Access::PageMay(_) => Some(login_path(parts)),
        Access::Setup if is_set_up(state).await? => Some("/login".to_owned()),
        Access::Setup => None,
        Access::SignIn if shown.is_some() && parts.method == Method::GET => Some("/".to_owned()),
        Access::SignIn if !is_set_up(state).await? => Some("/setup".to_owned()),
        Access::SignIn => None,
    };
    Ok(to.map(|path| lead(&parts.headers, &path)))
}

/// A part of a page is not led anywhere: the page that asked for it is, by htmx.
pub(super) fn lead(headers: &HeaderMap, path: &str) -> Response {
    let Ok(to) = HeaderValue::from_str(path) else { return Problem::signed_out().into_response() };
    if headers.contains_key("hx-request") {
        return (StatusCode::UNAUTHORIZED, [("hx-redirect", to)]).into_response();
    }
    Redirect::to(path).into_response()
}

/// Where a form leads that one of our pages sent after its session had ended: what was typed into it
/// is kept until the person has signed in again.
fn keeps(state: &State, access: Access, shown: Option<&Shown>, req: &Request) -> Option<String> {
    let page = access.is_inside() && shown.is_none();
    let (headers, path) = (req.headers(), req.uri().path());
    let form = req.method() == Method::POST && form::is_form(headers);
    let ours = state.set_up.load(Ordering::Relaxed) && origin(state, headers) == Source::Own;
    (page && form && ours && path != crate::server::html::paths::LOGOUT).then(|| path.to_owned())
}

/// The page that someone looks at: a part of one says whose.
pub(super) fn here(headers: &HeaderMap, uri: &Uri) -> String {
    let shown: Option<Uri> = text(headers, "hx-current-url").and_then(|u| u.parse().ok());
    let path = shown.as_ref().unwrap_or(uri).path_and_query();
    path.map_or_else(|| "/".to_owned(), |path| path.as_str().to_owned())
}

/// The sign-in page that leads back here.
fn login_path(parts: &Parts) -> String {
    let here = &here(&parts.headers, &parts.uri);
    if parts.method != Method::GET || here == "/" {
        return "/login".to_owned();
    }
    let query = serde_urlencoded::to_string([("next", here)]).unwrap_or_default();
    format!("/login?{query}")
}

fn require(access: Access, shown: Option<&Shown>) -> Answer<()> {
    match (access, shown) {
        (Access::Public | Access::Setup | Access::SignIn, _)
        | (Access::SignedIn | Access::Agent | Access::Scim, Some(_)) => Ok(()),
        (Access::May(permission), Some(shown)) => Ok(shown.actor.require_ever(permission)?),
        (Access::Page | Access::Threshold, Some(shown)) => Ok(shown.actor.require_whole()?),
        (Access::PageMay(permission), Some(shown)) => {
            shown.actor.require_whole()?;
            Ok(shown.actor.require_ever(permission)?)
        }
        (Access::Agent, None) => Err(Problem::token_over()),
        (
            Access::SignedIn
            | Access::May(_)
            | Access::Scim
            | Access::Page
            | Access::Threshold
            | Access::PageMay(_),
            None,
        ) => Err(Problem::signed_out()),
    }
}

/// Refuses what another site made a browser send.
async fn require_meant(
    state: &State,
    access: Access,
    limit: usize,
    shown: Option<&Shown>,
    req: Box<Request>,
) -> Answer<Box<Request>> {
    let headers = req.headers();
    if shown.is_some_and(|s| !s.ambient) {
        return Ok(req);
    }
    let source = origin(state, headers);
    let Some(session) = shown.and_then(|s| s.actor.caller().ok()?.token()) else {
        // Nobody's rights are used; still no other site may sign people in or out.
        return if source == Source::Foreign { Err(foreign()) } else { Ok(req) };
    };
    let given = text(headers, CSRF_HEADER);
    let proven = given.is_some_and(|token| state.csrf.matches(session, token));
    match (source, access) {
        (Source::Foreign, _) => Err(foreign()),
        (Source::Own | Source::Unknown, _) if proven => Ok(req),
        (Source::Own, page) if page.is_inside() && req.method() != Method::GET => {
            form::require_token(&state.csrf, session, limit, req).await
        }
        (Source::Unknown, page) if page.is_inside() && form::is_form(headers) => {
            form::require_token(&state.csrf, session, limit, req).await
        }
        (Source::Own, _) => Ok(req),
        (Source::Unknown, _) => Err(foreign()),
    }
}

/// Where a request came from.
fn origin(state: &State, headers: &HeaderMap) -> Source {
    csrf::source(
        text(headers, "sec-fetch-site"),
        text(headers, header::ORIGIN.as_str()),
        &state.site.access_url.origin().ascii_serialization(),
        text(headers, header::HOST.as_str()),
    )
}

fn foreign() -> Problem {
    let message = "This request did not come from a page of this site. Reload it and try again.";
    Problem::new(StatusCode::FORBIDDEN, message)
}

/// Methods that change something, and the beginning of a WebSocket, which no page of another site
/// may make with our cookie either.
fn is_unsafe(parts: &Parts) -> bool {
    let reads = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS);
    !reads || parts.headers.contains_key(header::UPGRADE)
}

async fn user(state: &State, parts: &Parts) -> Answer<Option<Shown>> {
    let headers = &parts.headers;
    let ip = client_address(parts).to_string();
    let within = |actor: Actor| match parts.extensions.get::<Within>() {
        Some(Within(request)) => actor.within(Arc::clone(request)),
        None => actor,
    };
    if let Some(token) = header_token(headers) {
        let actor = state.app.authenticate(token, &ip).await?;
        // Who sends a token means it: a cookie does not stand in for a bad one.
        return Ok(actor.map(|actor| Shown { actor: within(actor), ambient: false }));
    }
    let named = [cookies::SECURE_SESSION, cookies::SESSION];
    for token in named.into_iter().flat_map(|name| cookies::all(headers, name)).take(4) {
        if let Some(actor) = state.app.authenticate(token, &ip).await? {
            return Ok(Some(Shown { actor: within(actor), ambient: true }));
        }
    }
    Ok(None)
}

async fn agent(state: &State, headers: &HeaderMap) -> Answer<Option<Shown>> {
    let Some(token) = header_token(headers) else { return Ok(None) };
    let actor = state.app.authenticate_agent(token).await?;
    Ok(actor.map(|actor| Shown { actor, ambient: false }))
}

async fn provider(state: &State, parts: &Parts) -> Answer<Option<Shown>> {
    let now = state.providers.now();
    let Some(settings) = &now.scim else {
        return Err(Problem::new(StatusCode::NOT_FOUND, "SCIM is not set up here."));
    };
    let Some(shown) = text(&parts.headers, header::AUTHORIZATION.as_str()) else {
        return Ok(None);
    };
    let keeper = Keeper {
        provider: settings.provider.clone(),
        ip: client_address(parts).to_string(),
        request: parts.extensions.get::<Within>().map(|Within(request)| Arc::clone(request)),
    };
    match state.app.let_provider_in(keeper, settings.matches(shown)).await? {
        LetIn::Yes(actor) => Ok(Some(Shown { actor, ambient: false })),
        LetIn::No => Ok(None),
        LetIn::Later(wait) => Err(Problem {
            retry_after: Some(wait),
            ..Problem::new(StatusCode::TOO_MANY_REQUESTS, "Too many wrong tokens. Try later.")
        }),
    }
}

fn header_token(headers: &HeaderMap) -> Option<&str> {
    let bearer = || text(headers, header::AUTHORIZATION.as_str())?.strip_prefix("Bearer ");
    text(headers, TOKEN_HEADER).filter(|t| !t.is_empty()).or_else(bearer)
}

fn text<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn client_address(parts: &Parts) -> IpAddr {
    parts.extensions.get::<ClientAddress>().map_or(IpAddr::from([0, 0, 0, 0]), |a| a.0)
}

/// Whether the first user exists; asked of the database until it does.
pub(super) async fn is_set_up(state: &State) -> Answer<bool> {
    if state.set_up.load(Ordering::Relaxed) {
        return Ok(true);
    }
    let exists = state.app.has_users().await?;
    state.set_up.fetch_or(exists, Ordering::Relaxed);
    Ok(exists)
}

impl<S: Send + Sync> FromRequestParts<S> for Who {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let found = parts.extensions.get::<MaybeWho>().and_then(|who| who.0.clone());
        found.map(Self).ok_or_else(Problem::signed_out)
    }
}

impl<S: Send + Sync> FromRequestParts<S> for MaybeWho {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or(Self(None)))
    }
}
