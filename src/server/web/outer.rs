//! Around every route: request ids, the span, panics, headers for browsers, pages of errors, packing.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use axum::Router;
use axum::extract::{FromRequestParts, MatchedPath, Request, State as With};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use futures_util::FutureExt as _;
use http::request::Parts;
use http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use tracing::Instrument as _;

use super::address::{self, ClientAddress};
use super::packed::{pack, takes_gzip};
use super::{MaybeWho, Problem, State, pages, scim, slow};
use crate::model::audit::MAX_USER_AGENT;
use crate::server::app;
use crate::server::app::attempts::Came;
use crate::server::html::csp;
use crate::wire::coder::VERSION;

/// The header that carries a request's number.
pub const REQUEST_ID: &str = "x-request-id";

/// The header in which Coder's clients look for the version they talk to.
const BUILD_VERSION: HeaderName = HeaderName::from_static("x-coder-build-version");

/// The number of a request, as the log has it.
#[derive(Clone, Copy, Debug)]
pub struct RequestId(pub uuid::Uuid);

/// What the audit log says of a request. Its number is made here, never taken from outside.
#[derive(Clone, Debug)]
pub struct Within(pub Arc<app::Request>);

impl Within {
    fn of(id: RequestId, headers: &HeaderMap) -> Self {
        let named = headers.get(header::USER_AGENT).map(HeaderValue::as_bytes).unwrap_or_default();
        let user_agent = String::from_utf8_lossy(named).chars().take(MAX_USER_AGENT).collect();
        Self(Arc::new(app::Request { id: id.0, user_agent }))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Within {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let within = parts.extensions.get::<Self>().cloned();
        within.ok_or_else(|| {
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The server failed here.")
        })
    }
}

/// How someone comes who signs in: from where, and in which request.
#[derive(Clone, Debug)]
pub struct Coming(pub Came);

impl<S: Send + Sync> FromRequestParts<S> for Coming {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &S) -> Result<Self, Problem> {
        let ClientAddress(ip) = ClientAddress::from_request_parts(parts, state).await?;
        let Within(request) = Within::from_request_parts(parts, state).await?;
        Ok(Self(Came { ip, request: Some(request) }))
    }
}

/// Puts the layers around the routes.
pub(super) fn wrap(routes: Router<State>, state: &State) -> Router<State> {
    routes
        .fallback(|| async { Problem::not_found() })
        .method_not_allowed_fallback(|| async {
            Problem::new(StatusCode::METHOD_NOT_ALLOWED, "This cannot be done here.")
        })
        .layer(from_fn_with_state(state.clone(), outer))
}

async fn outer(With(state): With<State>, mut req: Request, next: Next) -> Response {
    let (clock, site) = (state.app.clock(), &state.site);
    let id = RequestId(state.app.entropy().uuid7(clock.now_ms()));
    let client = address::find(req.extensions(), req.headers(), &site.trusted_proxies);
    let within = Within::of(id, req.headers());
    req.extensions_mut().insert(id);
    req.extensions_mut().insert(within);
    req.extensions_mut().insert(client);
    // The path's pattern, not its text: paths may hold what no log should.
    let path = req.extensions().get::<MatchedPath>().map_or("none", MatchedPath::as_str);
    let span = tracing::info_span!("request", id = %id.0, method = %req.method(), path);
    let began = clock.instant();
    let asked = Asked::of(&req);
    let late = slow::pace(&mut req);
    async move {
        let caught = AssertUnwindSafe(next.run(req)).catch_unwind().await;
        let answered = caught.unwrap_or_else(|_| {
            tracing::error!("a handler panicked");
            Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "The server failed here.")
                .into_response()
        });
        let answered = if late.is_so() { too_slow().into_response() } else { answered };
        let mut response = pack(asked.takes_gzip, dress(&state, &asked, id, answered).await).await;
        if asked.api {
            response.headers_mut().insert(BUILD_VERSION, HeaderValue::from_static(VERSION));
        }
        add_headers(&state, id, &mut response);
        let ms = state.app.clock().instant().duration_since(began).as_millis();
        tracing::debug!(status = response.status().as_u16(), ms, "answered");
        response
    }
    .instrument(span)
    .await
}

/// Whatever was made of the part of a body that came: it was not the request.
fn too_slow() -> Problem {
    Problem::new(StatusCode::REQUEST_TIMEOUT, "The request came too slowly. Try again.")
}

/// What is kept of a request for its answer.
struct Asked {
    api: bool,
    path: String,
    takes_gzip: bool,
}

impl Asked {
    fn of(req: &Request) -> Self {
        let path = req.uri().path();
        let wants_page = req
            .headers()
            .get(header::ACCEPT)
            .and_then(|v| v.to_str().ok())
            .is_some_and(|v| v.contains("text/html"));
        Self {
            api: path.starts_with("/api/") || !wants_page,
            path: path.to_owned(),
            takes_gzip: takes_gzip(req.headers()),
        }
    }
}

/// Makes a page of a problem where a person looks; elsewhere adds the request's number to faults of
/// ours.
async fn dress(state: &State, asked: &Asked, id: RequestId, mut response: Response) -> Response {
    let Some(mut problem) = response.extensions_mut().remove::<Problem>() else {
        return response;
    };
    if problem.status.is_server_error() && problem.detail.is_empty() {
        problem.detail = format!("Request {}", id.0);
    }
    if scim::is_of(&asked.path) {
        return scim::answer::fault(&problem);
    }
    if asked.api {
        return problem.into_response();
    }
    let who = response.extensions_mut().remove::<MaybeWho>().and_then(|who| who.0);
    // In a box: answers without problems do not carry its size along.
    Box::pin(pages::problem_page(state, (who.as_ref(), &asked.path), id.0, &problem)).await
}

fn add_headers(state: &State, id: RequestId, response: &mut Response) {
    let headers = response.headers_mut();
    let mut fill = |name: HeaderName, value: HeaderValue| {
        headers.entry(name).or_insert(value);
    };
    let fixed = HeaderValue::from_static;
    fill(header::CONTENT_SECURITY_POLICY, fixed(csp::STRICT));
    fill(header::X_CONTENT_TYPE_OPTIONS, fixed("nosniff"));
    fill(header::X_FRAME_OPTIONS, fixed("DENY"));
    fill(header::REFERRER_POLICY, fixed("same-origin"));
    fill(HeaderName::from_static("cross-origin-opener-policy"), fixed("same-origin"));
    fill(header::CACHE_CONTROL, fixed("no-store"));
    if state.site.is_https() {
        fill(header::STRICT_TRANSPORT_SECURITY, fixed("max-age=31536000"));
    }
    if let Ok(value) = HeaderValue::from_str(&id.0.to_string()) {
        fill(HeaderName::from_static(REQUEST_ID), value);
    }
}
