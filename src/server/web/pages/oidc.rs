//! To a provider and back: signing in by `OpenID` Connect, and being told that someone left there.

use axum::extract::Path;
use axum::response::{IntoResponse, Redirect, Response};
use http::{HeaderMap, StatusCode, header};
use url::Url;

use super::doors::{local, refused_page};
use crate::server::app::attempts::Came;
use crate::server::app::sessions::SignIn;
use crate::server::html::paths;
use crate::server::identity::oidc::{Answer, CODER_CALLBACK, CODER_PROVIDER, Finished, Stopped};
use crate::server::web::extract::Query;
use crate::server::web::form::Fields;
use crate::server::web::outer::Coming;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer as Answered, Problem, State, cookies};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::SignIn, paths::LOGIN_OIDC, begin)
        .get(Access::SignIn, paths::LOGIN_OIDC_CALLBACK, come_back)
        .get(Access::SignIn, CODER_CALLBACK, come_back_as_coder)
        .post(Access::Public, paths::LOGIN_OIDC_LOGOUT, logged_out)
}

#[derive(serde::Deserialize)]
pub(super) struct Next {
    #[serde(default)]
    next: String,
    /// As Coder calls it.
    #[serde(default)]
    redirect: String,
}

impl Next {
    /// A path of ours, or nothing.
    pub(super) fn local(&self) -> &str {
        local(if self.next.is_empty() { &self.redirect } else { &self.next })
    }
}

async fn begin(
    state: State,
    Path(name): Path<String>,
    Query(to): Query<Next>,
) -> Answered<Response> {
    led_there(&state, state.providers.oidc.begin(&name, to.local()).await)
}

/// Sends a browser to a provider, with what it keeps meanwhile.
pub(super) fn led_there(
    state: &State,
    begun: Result<(Url, String), Stopped>,
) -> Answered<Response> {
    match begun {
        Ok((url, flow)) => {
            let cookie = cookies::keep_flow(&state.site, &flow);
            Ok(([(header::SET_COOKIE, cookie)], Redirect::to(url.as_str())).into_response())
        }
        Err(stopped) => shown(state, stopped),
    }
}

async fn come_back(
    state: State,
    Path(name): Path<String>,
    Query(answer): Query<Answer>,
    Coming(came): Coming,
    headers: HeaderMap,
) -> Answered<Response> {
    finish(&state, &name, &answer, (&headers, came)).await
}

/// Coder's callback, which begins a sign-in when nothing was brought to it.
async fn come_back_as_coder(
    state: State,
    Query(to): Query<Next>,
    Query(answer): Query<Answer>,
    Coming(came): Coming,
    headers: HeaderMap,
) -> Answered<Response> {
    if answer.code.is_empty() && answer.error.is_empty() {
        let to = paths::login_oidc(CODER_PROVIDER, to.local());
        return Ok(Redirect::to(&to).into_response());
    }
    finish(&state, CODER_PROVIDER, &answer, (&headers, came)).await
}

async fn finish(
    state: &State,
    name: &str,
    answer: &Answer,
    (headers, came): (&HeaderMap, Came),
) -> Answered<Response> {
    let flow = cookies::flow(&state.site, headers);
    concluded(state, state.providers.oidc.finish(name, answer, (flow, came)).await)
}

/// Leads on with a session, or says why there is none.
pub(super) fn concluded(state: &State, finished: Result<Finished, Stopped>) -> Answered<Response> {
    let finished = match finished {
        Ok(finished) => finished,
        Err(stopped) => return shown(state, stopped),
    };
    let why = match finished.sign_in {
        SignIn::Done(token, _) => {
            let next = local(&finished.next);
            let to = Redirect::to(if next.is_empty() { paths::WORKSPACES } else { next });
            let mut response = to.into_response();
            let set = response.headers_mut();
            set.append(header::SET_COOKIE, cookies::begin_session(&state.site, &token));
            set.append(header::SET_COOKIE, cookies::keep_flow(&state.site, ""));
            return Ok(response);
        }
        SignIn::Suspended => "this account is suspended; the owner lets it in again".to_owned(),
        SignIn::Refused(why) => why.to_string(),
        SignIn::Wrong
        | SignIn::Asks(_)
        | SignIn::Late
        | SignIn::Locked(_)
        | SignIn::PasswordsOff
        | SignIn::NoDirectory => "you cannot sign in here in this way".to_owned(),
    };
    Ok(refused(state, StatusCode::FORBIDDEN, &why))
}

/// The sign-in page again, with what stopped it.
pub(super) fn shown(state: &State, stopped: Stopped) -> Answered<Response> {
    let status = match &stopped {
        Stopped::NoProvider => return Err(Problem::not_found()),
        Stopped::NotBegun => StatusCode::BAD_REQUEST,
        Stopped::Declined(..) => StatusCode::FORBIDDEN,
        Stopped::Failed(_) => StatusCode::BAD_GATEWAY,
        Stopped::App(_) => StatusCode::INTERNAL_SERVER_ERROR,
    };
    match stopped {
        Stopped::App(error) => Err(error.into()),
        other @ (Stopped::NoProvider
        | Stopped::NotBegun
        | Stopped::Declined(..)
        | Stopped::Failed(_)) => Ok(refused(state, status, &other.to_string())),
    }
}

fn refused(state: &State, status: StatusCode, why: &str) -> Response {
    (status, refused_page(state, why)).into_response()
}

/// A provider's own request: its token proves who sends it.
async fn logged_out(
    state: State,
    Path(name): Path<String>,
    fields: Fields,
) -> Answered<StatusCode> {
    let token = fields.get("logout_token").unwrap_or_default();
    match state.providers.oidc.logged_out(&name, token).await {
        Ok(_) => Ok(StatusCode::OK),
        Err(Stopped::App(error)) => Err(error.into()),
        Err(Stopped::NoProvider) => Err(Problem::not_found()),
        Err(Stopped::NotBegun | Stopped::Declined(..) | Stopped::Failed(_)) => {
            let why = "The logout token was not taken; the server's log says why.";
            Err(Problem::new(StatusCode::BAD_REQUEST, why))
        }
    }
}
