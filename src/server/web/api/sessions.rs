//! `/users/first`, `/users/login`, `/users/logout`: the first user, signing in and out.

use axum::response::{IntoResponse as _, Response};
use http::{StatusCode, header};

use crate::model::time;
use crate::server::app::password_strength::NewPassword;
use crate::server::app::second_factor::{Asked, Proof};
use crate::server::app::sessions::{Login, SignIn};
use crate::server::app::users::CreateUser;
use crate::server::identity::oidc::CODER_PROVIDER;
use crate::server::web::address::ClientAddress;
use crate::server::web::extract::{Json, created, message};
use crate::server::web::outer::Within;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, MaybeWho, Problem, State, Who, access, cookies};
use crate::wire::coder::error::{CODE_REQUIRED, CODE_WRONG};
use crate::wire::coder::users as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Public, "/api/v2/users/first", first)
        .post(Access::Public, "/api/v2/users/first", create_first)
        .get(Access::Public, "/api/v2/users/authmethods", auth_methods)
        .post(Access::Public, "/api/v2/users/login", login)
        .post(Access::Public, "/api/v2/users/validate-password", validate_password)
        .post(Access::SignedIn, "/api/v2/users/logout", logout)
        .post(Access::SignedIn, "/api/v2/users/confirm", confirm)
}

async fn first(state: State) -> Answer<Response> {
    if access::is_set_up(&state).await? {
        return Ok(message("The first user has been created."));
    }
    Err(Problem::new(StatusCode::NOT_FOUND, "The first user has not been created."))
}

async fn create_first(state: State, Json(body): Json<wire::FirstUser>) -> Answer<Response> {
    let cmd = CreateUser {
        username: body.username,
        email: body.email,
        name: body.name,
        password: Some(body.password),
        ..CreateUser::default()
    };
    let user = state.app.create_first_user(cmd).await?;
    Ok(created(wire::FirstUserResponse {
        user_id: user.id.0,
        organization_id: user.organizations.first().map(|o| o.0).unwrap_or_default(),
    }))
}

async fn auth_methods(state: State) -> Json<wire::AuthMethods> {
    let now = state.providers.now();
    let enabled = state.app.policy.password_auth || now.ldap.is_on();
    let password = wire::AuthMethod { enabled };
    // Coder's clients know of one provider: that of Coder's own settings, or else the first.
    let known = now.oidc.all().find(|s| s.name == CODER_PROVIDER);
    let first = known.or_else(|| now.oidc.all().next());
    let oidc = first.map_or_else(wire::OidcAuthMethod::default, |s| wire::OidcAuthMethod {
        enabled: true,
        sign_in_text: s.label(),
        icon_url: s.icon_url.clone(),
    });
    let github =
        wire::GithubAuthMethod { enabled: now.github.settings().is_some(), ..Default::default() };
    Json(wire::AuthMethods { password, github, oidc, ..Default::default() })
}

async fn login(
    state: State,
    ClientAddress(ip): ClientAddress,
    Within(request): Within,
    Json(body): Json<wire::Login>,
) -> Answer<Response> {
    let request = Some(request);
    let code = Some(body.code).filter(|code| !code.is_empty());
    let login = Login { login: body.email, password: body.password, code, ip, request };
    let token = match state.providers.now().ldap.login(login).await? {
        SignIn::Done(token, _) => token,
        refused @ (SignIn::Wrong
        | SignIn::Asks(_)
        | SignIn::Late
        | SignIn::Locked(_)
        | SignIn::Suspended
        | SignIn::PasswordsOff
        | SignIn::Refused(_)
        | SignIn::NoDirectory) => {
            return Err(refusal(&refused));
        }
    };
    let cookie = cookies::begin_session(&state.site, &token);
    let body = wire::LoginResponse { session_token: token.expose() };
    Ok(([(header::SET_COOKIE, cookie)], created(body)).into_response())
}

/// What whoever types a password is told while the directory is away.
pub const NO_DIRECTORY: &str = "The directory that knows your password does not answer. Try again \
     later; accounts with a password of this server can sign in.";

/// Why someone was not signed in.
#[must_use]
pub fn refusal(sign_in: &SignIn) -> Problem {
    match sign_in {
        SignIn::Done(..) | SignIn::Wrong | SignIn::Late => {
            Problem::new(StatusCode::UNAUTHORIZED, "The name or the password is wrong.")
        }
        SignIn::Asks(asked) => asks(asked),
        SignIn::Locked(wait) => Problem {
            retry_after: Some(*wait),
            ..Problem::new(
                StatusCode::TOO_MANY_REQUESTS,
                format!("Too many failed attempts. Try again in {}.", time::words(*wait)),
            )
        },
        SignIn::Suspended => Problem::new(
            StatusCode::UNAUTHORIZED,
            "Your account is suspended. An owner can activate it.",
        ),
        SignIn::PasswordsOff => {
            Problem::new(StatusCode::FORBIDDEN, "Signing in by password is turned off here.")
        }
        SignIn::Refused(why) => Problem::new(StatusCode::FORBIDDEN, why.to_string()),
        SignIn::NoDirectory => Problem::new(StatusCode::SERVICE_UNAVAILABLE, NO_DIRECTORY),
    }
}

/// What a program is told that has not sent a second factor, or a wrong one.
fn asks(asked: &Asked) -> Problem {
    let (detail, message) = match &asked.wrong {
        None => (
            CODE_REQUIRED,
            "Send a code of your second factor as `code`, or make a token at /cli-auth in a browser.",
        ),
        Some(_) => (CODE_WRONG, "The code is wrong, or was used before."),
    };
    Problem { detail: detail.to_owned(), ..Problem::new(StatusCode::UNAUTHORIZED, message) }
}

/// Takes a second factor in a session, which gets another secret.
async fn confirm(
    state: State,
    Who(actor): Who,
    Json(body): Json<wire::Confirm>,
) -> Answer<Response> {
    let token = state.app.confirm(&actor, Proof::Code(body.code)).await?;
    let cookie = cookies::begin_session(&state.site, &token);
    let body = wire::LoginResponse { session_token: token.expose() };
    Ok(([(header::SET_COOKIE, cookie)], created(body)).into_response())
}

async fn logout(state: State, Who(actor): Who) -> Answer<Response> {
    state.app.logout(&actor).await?;
    let cookie = cookies::end_session(&state.site);
    Ok(([(header::SET_COOKIE, cookie)], message("You are signed out.")).into_response())
}

async fn validate_password(
    state: State,
    MaybeWho(who): MaybeWho,
    Json(body): Json<wire::ValidatePassword>,
) -> Answer<Json<wire::ValidatePasswordResponse>> {
    let user = who.as_ref().and_then(|actor| Some(&actor.caller().ok()?.user));
    let (username, email) = user.map_or(("", ""), |u| (u.username.as_str(), u.email.as_str()));
    let new = NewPassword { password: &body.password, username, email };
    let judged = state.app.judge_password(new, user.map_or("", |u| u.name.as_str())).await?;
    let details = judged.refused.map_or_else(String::new, |why| format!("The password {why}."));
    Ok(Json(wire::ValidatePasswordResponse { valid: details.is_empty(), details }))
}
