//! In and out: setup, sign-in, sign-out, and the token for a command line.

use std::collections::BTreeMap;
use std::net::IpAddr;

use axum::response::{IntoResponse, Redirect, Response};
use http::header;

use super::confirm::second_page;
use super::visitor::form_token;
use super::{Html, Visitor, mistake, sentence};
use crate::model::secret::Token;
use crate::model::time::words;
use crate::server::app::sessions::{Login, SignIn};
use crate::server::app::users::CreateUser;
use crate::server::html::layout::Csrf;
use crate::server::html::pages::login::{Kept, Resume, Way};
use crate::server::html::pages::{cli_auth::CliAuth, login, setup::Setup};
use crate::server::html::parts::form::Input;
use crate::server::html::paths;
use crate::server::identity::oidc::Settings;
use crate::server::web::address::ClientAddress;
use crate::server::web::api::sessions::NO_DIRECTORY;
use crate::server::web::extract::Query;
use crate::server::web::form::Fields;
use crate::server::web::outer::Within;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, Problem, State, cookies};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Page, "/", home)
        .get(Access::Setup, paths::SETUP, setup)
        .post(Access::Setup, paths::SETUP, set_up)
        .get(Access::SignIn, paths::LOGIN, login)
        .post(Access::SignIn, paths::LOGIN, sign_in)
        .post(Access::Threshold, paths::LOGOUT, sign_out)
        .get(Access::Page, paths::CLI_AUTH, cli_auth)
        .post(Access::Page, paths::CLI_AUTH, make_cli_token)
}

#[derive(serde::Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

async fn home() -> Redirect {
    Redirect::to(paths::WORKSPACES)
}

async fn setup() -> Html {
    Html::of(&Setup { csrf: Csrf(String::new()), input: Input::default() })
}

async fn set_up(
    state: State,
    ClientAddress(ip): ClientAddress,
    Within(request): Within,
    fields: Fields,
) -> Answer<Response> {
    let field = |name| fields.get(name).unwrap_or_default().to_owned();
    let cmd = CreateUser {
        username: field("username"),
        email: field("email"),
        password: Some(field("password")),
        ..CreateUser::default()
    };
    if let Err(error) = state.app.create_first_user(cmd).await {
        let input = mistake(&fields, error)?;
        return Ok(Html::of(&Setup { csrf: Csrf(String::new()), input }).into_response());
    }
    let (login, password, request) = (field("username"), field("password"), Some(request));
    let login = Login { login, password, code: None, ip, request };
    finish(&state, (state.app.login(login).await?, ip), &fields).await
}

/// Leads someone in who has just made an account.
pub(super) async fn signed_in(state: &State, came: (SignIn, IpAddr)) -> Answer<Response> {
    finish(state, came, &Fields::default()).await
}

async fn login(state: State, Query(Next { next }): Query<Next>) -> Answer<Html> {
    let passkey = state.app.passkey_sign_in().await?;
    let page = login_page(&state, &next, Input::default(), None);
    Ok(Html::of(&login::Login { passkey, ..page }))
}

/// The sign-in page in answer to a form whose session had ended, with all that was typed.
pub(in crate::server::web) fn sign_in_again(state: &State, path: &str, fields: Fields) -> Response {
    let kept = Kept::new(path, fields.0);
    Html::of(&login_page(state, "", Input::default(), Some(kept))).into_response()
}

async fn sign_in(
    state: State,
    ClientAddress(ip): ClientAddress,
    Within(request): Within,
    fields: Fields,
) -> Answer<Response> {
    let field = |name| fields.get(name).unwrap_or_default().to_owned();
    let (login, password, request) = (field("username"), field("password"), Some(request));
    let login = Login { login, password, code: None, ip, request };
    finish(&state, (state.providers.now().ldap.login(login).await?, ip), &fields).await
}

/// Leads on with a session, asks for a second factor, or shows the form again and says why.
pub(super) async fn finish(
    state: &State,
    (came, ip): (SignIn, IpAddr),
    fields: &Fields,
) -> Answer<Response> {
    let field = |name| fields.get(name).unwrap_or_default();
    let next = local(field("next"));
    let to = local(field(Kept::TO));
    let kept = (!to.is_empty()).then(|| Kept::read(to, field(Kept::FIELDS)));
    let why = match came {
        SignIn::Done(token, _) => {
            let cookie = cookies::begin_session(&state.site, &token);
            if let Some(kept) = kept {
                let page = resume(state, (&token, ip), kept).await?;
                return Ok(([(header::SET_COOKIE, cookie)], page).into_response());
            }
            let to = if next.is_empty() { paths::WORKSPACES } else { next };
            return Ok(([(header::SET_COOKIE, cookie)], Redirect::to(to)).into_response());
        }
        SignIn::Asks(asked) if !asked.ticket.is_empty() => {
            return Ok(second_page(state, *asked, (next, kept)).into_response());
        }
        SignIn::Asks(asked) => asked.wrong.unwrap_or_default(),
        SignIn::Late => "That took too long. Sign in again.".to_owned(),
        SignIn::Wrong => "User name or password is wrong.".to_owned(),
        SignIn::Locked(wait) => format!("Too many tries. The next one counts in {}.", words(wait)),
        SignIn::Suspended => "This account is suspended. The owner lets it in again.".to_owned(),
        SignIn::PasswordsOff => "Passwords are turned off here.".to_owned(),
        SignIn::Refused(why) => why.to_string(),
        SignIn::NoDirectory => NO_DIRECTORY.to_owned(),
    };
    let typed = fields.0.iter().filter(|(name, _)| name == "username").cloned().collect();
    let page = login_page(state, next, Input::wrong(typed, "form", &sentence(&why)), kept);
    let passkey = state.app.passkey_sign_in().await?;
    Ok(Html::of(&login::Login { passkey, ..page }).into_response())
}

/// What was kept over the sign-in, to be sent by the new session.
async fn resume(state: &State, (token, ip): (&Token, IpAddr), kept: Kept) -> Answer<Html> {
    let actor = state.app.authenticate(&token.expose(), &ip.to_string()).await?;
    let session = actor.and_then(|a| a.caller().ok()?.token()).ok_or_else(Problem::signed_out)?;
    let csrf = Csrf(form_token(state, session));
    Ok(Html::of(&Resume { csrf, kept, confirmed: false }))
}

fn login_page(state: &State, next: &str, input: Input, kept: Option<Kept>) -> login::Login {
    let host = state.site.access_url.host_str().unwrap_or_default().to_owned();
    let next = local(next).to_owned();
    let way = |s: &Settings| Way { label: s.label(), href: paths::login_oidc(&s.name, &next) };
    let now = state.providers.now();
    let mut providers: Vec<Way> = now.oidc.all().map(way).collect();
    if now.github.settings().is_some() {
        let label = "Continue with GitHub".to_owned();
        providers.push(Way { label, href: paths::login_github(&next) });
    }
    let passwords = state.app.policy.password_auth || now.ldap.is_on();
    let (csrf, passkey) = (Csrf(String::new()), None);
    login::Login { csrf, input, next, host, kept, providers, passwords, passkey }
}

/// The sign-in page, saying why someone who came back from a provider is not signed in.
pub(super) fn refused_page(state: &State, why: &str) -> Html {
    let input = Input::wrong(BTreeMap::new(), "form", &sentence(why));
    Html::of(&login_page(state, "", input, None))
}

/// A path of ours to go on to; anything else is nowhere.
pub(super) fn local(next: &str) -> &str {
    let ours = next.starts_with('/')
        && !next.starts_with("//")
        && !next.contains('\\')
        && !next.bytes().any(|b| b.is_ascii_control());
    if ours { next } else { "" }
}

async fn sign_out(state: State, visitor: Visitor) -> Answer<Response> {
    state.app.logout(&visitor.actor).await?;
    let cookie = cookies::end_session(&state.site);
    Ok(([(header::SET_COOKIE, cookie)], Redirect::to(paths::LOGIN)).into_response())
}

async fn cli_auth(Visitor { visit, .. }: Visitor) -> Html {
    let username = visit.user.username.to_string();
    Html::of(&CliAuth { csrf: visit.csrf, username, token: None })
}

async fn make_cli_token(state: State, visitor: Visitor) -> Answer<Html> {
    let token = state.app.create_session(&visitor.actor).await?;
    let username = visitor.visit.user.username.to_string();
    Ok(Html::of(&CliAuth { csrf: visitor.visit.csrf, username, token: Some(token.expose()) }))
}

#[cfg(test)]
mod tests {
    use super::local;

    #[test]
    fn signing_in_leads_nowhere_else() {
        assert_eq!(local("/@ada/kiln?x=1"), "/@ada/kiln?x=1");
        for elsewhere in ["//evil.test", "https://evil.test", "/\\evil.test", "/\tevil", "evil"] {
            assert_eq!(local(elsewhere), "", "{elsewhere}");
        }
    }
}
