//! To a provider and back: signing in by `OpenID` Connect, and being told that someone left there.

use axum::extract::{FromRequestParts, Path};
use axum::response::{IntoResponse, Redirect, Response};
use http::request::Parts;
use http::{StatusCode, header};
use url::Url;

use super::doors::{local, refused_page};
use super::{flash, sentence};
use crate::model::id::TokenId;
use crate::server::app::attempts::Came;
use crate::server::app::sessions::SignIn;
use crate::server::app::{self, Actor};
use crate::server::html::parts::notice::Tone;
use crate::server::html::paths;
use crate::server::identity::oidc::{
    Answer, Back, CODER_CALLBACK, CODER_PROVIDER, Finished, Stopped,
};
use crate::server::web::extract::Query;
use crate::server::web::form::Fields;
use crate::server::web::outer::Coming;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer as Answered, MaybeWho, Problem, State, cookies};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::SignIn, paths::LOGIN_OIDC, begin)
        // Also for who is signed in, and adds a way in.
        .get(Access::Public, paths::LOGIN_OIDC_CALLBACK, come_back)
        .get(Access::Public, CODER_CALLBACK, come_back_as_coder)
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
    led_there(&state, state.providers.now().oidc.begin(&name, to.local(), None).await)
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
    visitor: CameBack,
) -> Answered<Response> {
    finish(&state, &name, &answer, &visitor).await
}

/// Coder's callback, which begins a sign-in when nothing was brought to it.
async fn come_back_as_coder(
    state: State,
    Query(to): Query<Next>,
    Query(answer): Query<Answer>,
    Query(merge): Query<Merge>,
    visitor: CameBack,
) -> Answered<Response> {
    if let Some((name, session)) = state.providers.now().oidc.read_ticket(&merge.oidc_merge_state) {
        visitor.require_session(session)?;
        return led_there(&state, state.providers.now().oidc.begin(&name, "", Some(session)).await);
    }
    if answer.code.is_empty() && answer.error.is_empty() {
        let to = paths::login_oidc(CODER_PROVIDER, to.local());
        return Ok(Redirect::to(&to).into_response());
    }
    finish(&state, CODER_PROVIDER, &answer, &visitor).await
}

/// What Coder's pages bring along to add a way in.
#[derive(serde::Deserialize)]
pub(super) struct Merge {
    #[serde(default)]
    pub(super) oidc_merge_state: String,
}

/// A browser that was led back, and who is signed in there.
pub(super) struct CameBack {
    who: Option<Actor>,
    came: Came,
    flow: String,
}

impl CameBack {
    /// For the provider.
    pub(super) fn back(&self) -> Back<'_> {
        Back { cookie: &self.flow, came: &self.came, actor: self.who.as_ref() }
    }

    /// Asks for a session: what adds a way in to it is of no use in another.
    pub(super) fn require_session(&self, session: TokenId) -> Answered<()> {
        let own = self.who.as_ref().and_then(|actor| actor.caller().ok()?.token());
        if own == Some(session) { Ok(()) } else { Err(Problem::signed_out()) }
    }
}

impl FromRequestParts<State> for CameBack {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, state: &State) -> Answered<Self> {
        let MaybeWho(who) = MaybeWho::from_request_parts(parts, state).await?;
        let Coming(came) = Coming::from_request_parts(parts, state).await?;
        let flow = cookies::flow(&state.site, &parts.headers).to_owned();
        Ok(Self { who, came, flow })
    }
}

async fn finish(
    state: &State,
    name: &str,
    answer: &Answer,
    visitor: &CameBack,
) -> Answered<Response> {
    concluded(state, state.providers.now().oidc.finish(name, answer, visitor.back()).await)
}

/// Leads on with a session, or says why there is none.
pub(super) fn concluded(state: &State, finished: Result<Finished, Stopped>) -> Answered<Response> {
    let (sign_in, next) = match finished {
        Ok(Finished::SignIn(sign_in, next)) => (sign_in, next),
        Ok(Finished::Joined) => return Ok(joined(state)),
        Ok(Finished::In) => return Ok(Redirect::to("/").into_response()),
        Err(Stopped::App(app::Error::Conflict(why) | app::Error::Denied(why))) => {
            return Ok(flash::tell(&state.site, paths::SECURITY, Tone::Bad, &sentence(&why)));
        }
        Err(stopped) => return shown(state, stopped),
    };
    let why = match sign_in {
        SignIn::Done(token, _) => {
            let next = local(&next);
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

fn joined(state: &State) -> Response {
    let text = "You can sign in this way now, too.";
    let mut response = flash::done(&state.site, paths::SECURITY, text);
    response.headers_mut().append(header::SET_COOKIE, cookies::keep_flow(&state.site, ""));
    response
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
    match state.providers.now().oidc.logged_out(&name, token).await {
        Ok(_) => Ok(StatusCode::OK),
        Err(Stopped::App(error)) => Err(error.into()),
        Err(Stopped::NoProvider) => Err(Problem::not_found()),
        Err(Stopped::NotBegun | Stopped::Declined(..) | Stopped::Failed(_)) => {
            let why = "The logout token was not taken; the server's log says why.";
            Err(Problem::new(StatusCode::BAD_REQUEST, why))
        }
    }
}
