//! To GitHub and back: by a redirect, or by a code that people enter there.

use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderValue, StatusCode, header};

use super::Html;
use super::oidc::{CameBack, Merge, Next, concluded, led_there, shown};
use crate::server::app::sessions::SignIn;
use crate::server::html::pages::device::Device;
use crate::server::html::paths;
use crate::server::identity::github::{CALLBACK, Polled};
use crate::server::identity::oidc::{Answer, Back, Finished, Stopped};
use crate::server::web::extract::{Json, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer as Answered, Problem, State, cookies};
use crate::wire::coder::users as wire;

/// What Coder's clients ask for a code at.
const DEVICE: &str = "/api/v2/users/oauth2/github/device";
/// How often the page that waits looks whether the code was entered, in seconds: a little less often
/// than GitHub asks for at first, and at most.
const LOOKS_EVERY_S: std::ops::RangeInclusive<u32> = 6..=60;
/// How much less often after GitHub said that it was too often, in seconds.
const SLOWER_S: u32 = 5;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::SignIn, paths::LOGIN_GITHUB, begin)
        .get(Access::SignIn, paths::LOGIN_GITHUB_WAIT, wait)
        // Also for who is signed in, and adds this way in.
        .get(Access::Public, CALLBACK, come_back)
        .get(Access::SignIn, DEVICE, device)
}

async fn begin(state: State, Query(to): Query<Next>) -> Answered<Response> {
    let now = state.providers.now();
    let github = &now.github;
    if !github.settings().is_some_and(|s| s.device_flow) {
        return led_there(&state, github.begin(to.local(), None));
    }
    match github.begin_device(to.local()).await {
        Ok((code, flow)) => {
            let page = Device { user_code: code.user_code, at: code.verification_uri };
            let page = waiting(&page, *LOOKS_EVERY_S.start());
            let cookie = cookies::keep_flow(&state.site, &flow);
            Ok(([(header::SET_COOKIE, cookie)], page).into_response())
        }
        Err(stopped) => shown(&state, stopped),
    }
}

/// How often the page looks, as it says itself.
#[derive(serde::Deserialize)]
struct Pace {
    #[serde(default)]
    every: u32,
}

async fn wait(state: State, Query(pace): Query<Pace>, visitor: CameBack) -> Answered<Response> {
    match state.providers.now().github.poll_device(visitor.back()).await {
        Ok(Polled::Waiting { user_code, at, slow }) => {
            let every = pace.every.saturating_add(if slow { SLOWER_S } else { 0 });
            Ok(waiting(&Device { user_code, at }, every))
        }
        Ok(Polled::Done(finished)) => concluded(&state, Ok(finished)),
        Err(stopped) => shown(&state, stopped),
    }
}

/// The page that shows a code. It asks again by itself, without a script.
fn waiting(page: &Device, every_s: u32) -> Response {
    let every = every_s.clamp(*LOOKS_EVERY_S.start(), *LOOKS_EVERY_S.end());
    let again = format!("{every}; url={}?every={every}", paths::LOGIN_GITHUB_WAIT);
    let again = HeaderValue::from_str(&again).unwrap_or(HeaderValue::from_static("6"));
    let mut response = Html::of(page).into_response();
    response.headers_mut().insert(header::REFRESH, again);
    response
}

async fn come_back(
    state: State,
    Query(to): Query<Next>,
    Query(answer): Query<Answer>,
    Query(merge): Query<Merge>,
    visitor: CameBack,
) -> Answered<Response> {
    let now = state.providers.now();
    let github = &now.github;
    if let Some(session) = github.read_ticket(&merge.oidc_merge_state) {
        visitor.require_session(session)?;
        return led_there(&state, github.begin("", Some(session)));
    }
    if answer.code.is_empty() && answer.error.is_empty() {
        return Ok(Redirect::to(&paths::login_github(to.local())).into_response());
    }
    if github.settings().is_some_and(|s| s.device_flow) {
        return polled(&state, visitor.back()).await;
    }
    concluded(&state, github.finish(&answer, visitor.back()).await)
}

/// A code for a program: it shows it, and asks at the callback whether it was entered.
async fn device(state: State, Query(to): Query<Next>) -> Answered<Response> {
    match state.providers.now().github.begin_device(to.local()).await {
        Ok((code, flow)) => {
            let cookie = cookies::keep_flow(&state.site, &flow);
            let body = Json(wire::DeviceCode {
                device_code: code.device_code,
                user_code: code.user_code,
                verification_uri: code.verification_uri,
                expires_in: code.expires_in,
                interval: code.interval,
            });
            Ok(([(header::SET_COOKIE, cookie)], body).into_response())
        }
        Err(stopped) => Err(problem(stopped)),
    }
}

/// Whether a program's code was entered, in the words that Coder's clients wait for.
async fn polled(state: &State, came: Back<'_>) -> Answered<Response> {
    let (sign_in, next) = match state.providers.now().github.poll_device(came).await {
        Ok(Polled::Done(Finished::SignIn(sign_in, next))) => (sign_in, next),
        Ok(Polled::Done(Finished::Joined | Finished::In)) => (SignIn::Late, String::new()),
        Ok(Polled::Waiting { slow, .. }) => {
            let detail = if slow { "slow_down" } else { "authorization_pending" }.to_owned();
            let why = "The code was not entered yet.";
            return Err(Problem { detail, ..Problem::new(StatusCode::BAD_REQUEST, why) });
        }
        Err(stopped) => return Err(problem(stopped)),
    };
    match sign_in {
        SignIn::Done(token, _) => {
            let redirect_url = if next.is_empty() { "/".to_owned() } else { next };
            let body = Json(wire::DeviceDone { redirect_url });
            let mut response = body.into_response();
            let set = response.headers_mut();
            set.append(header::SET_COOKIE, cookies::begin_session(&state.site, &token));
            set.append(header::SET_COOKIE, cookies::keep_flow(&state.site, ""));
            Ok(response)
        }
        refused @ (SignIn::Wrong
        | SignIn::Asks(_)
        | SignIn::Late
        | SignIn::Locked(_)
        | SignIn::Suspended
        | SignIn::PasswordsOff
        | SignIn::Refused(_)
        | SignIn::NoDirectory) => Err(crate::server::web::api::sessions::refusal(&refused)),
    }
}

fn problem(stopped: Stopped) -> Problem {
    let status = match &stopped {
        Stopped::NoProvider => return Problem::not_found(),
        Stopped::NotBegun => StatusCode::BAD_REQUEST,
        Stopped::Declined(..) => StatusCode::FORBIDDEN,
        Stopped::Failed(_) | Stopped::App(_) => StatusCode::BAD_GATEWAY,
    };
    match stopped {
        Stopped::App(error) => error.into(),
        other @ (Stopped::NoProvider
        | Stopped::NotBegun
        | Stopped::Declined(..)
        | Stopped::Failed(_)) => Problem::new(status, super::sentence(&other.to_string())),
    }
}
