//! Second factors as pages ask for them: after the password, instead of it, and before what is
//! dangerous.

use axum::response::{IntoResponse, Redirect, Response};
use http::header;

use super::doors::{finish, local};
use super::visitor::form_token;
use super::{Html, Visitor, mistake};
use crate::server::app::Actor;
use crate::server::app::attempts::Came;
use crate::server::app::second_factor::{Asked, Proof, SecondStep};
use crate::server::html::layout::Csrf;
use crate::server::html::pages::confirm::{Confirm, Step};
use crate::server::html::pages::login::{Kept, Resume};
use crate::server::html::parts::form::Input;
use crate::server::html::paths;
use crate::server::web::address::ClientAddress;
use crate::server::web::extract::Query;
use crate::server::web::form::Fields;
use crate::server::web::outer::Within;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, cookies};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .post(Access::SignIn, paths::LOGIN_SECOND, second)
        .post(Access::SignIn, paths::LOGIN_PASSKEY, by_passkey)
        .get(Access::Threshold, paths::CONFIRM, ask)
        .post(Access::Threshold, paths::CONFIRM, confirm)
}

#[derive(serde::Deserialize)]
struct Next {
    #[serde(default)]
    next: String,
}

async fn second(
    state: State,
    ClientAddress(ip): ClientAddress,
    Within(request): Within,
    fields: Fields,
) -> Answer<Response> {
    let ticket = fields.get("ticket").unwrap_or_default().to_owned();
    let came = Came { ip, request: Some(request) };
    let step = SecondStep { ticket, proof: proof(&fields), came };
    finish(&state, (state.app.finish_sign_in(step).await?, ip), &fields).await
}

async fn by_passkey(
    state: State,
    ClientAddress(ip): ClientAddress,
    Within(request): Within,
    fields: Fields,
) -> Answer<Response> {
    let answer = fields.get("passkey").unwrap_or_default().to_owned();
    let came = Came { ip, request: Some(request) };
    finish(&state, (state.app.sign_in_by_passkey(answer, came).await?, ip), &fields).await
}

/// What was given: a passkey if the browser sent one, else a code.
fn proof(fields: &Fields) -> Proof {
    match fields.get("passkey").filter(|answer| !answer.is_empty()) {
        Some(answer) => Proof::Passkey(answer.to_owned()),
        None => Proof::Code(fields.get("code").unwrap_or_default().to_owned()),
    }
}

/// The second step of a sign-in.
pub(super) fn second_page(state: &State, asked: Asked, (next, kept): (&str, Option<Kept>)) -> Html {
    let host = state.site.access_url.host_str().unwrap_or_default().to_owned();
    Html::of(&Confirm {
        csrf: Csrf(String::new()),
        step: Step::SignIn { ticket: asked.ticket, host },
        totp: asked.totp,
        passkey: asked.passkey,
        next: next.to_owned(),
        kept,
        input: wrong(asked.wrong.as_deref()),
    })
}

fn wrong(why: Option<&str>) -> Input {
    let input =
        |why| Input::wrong(std::collections::BTreeMap::new(), "code", &super::sentence(why));
    why.map(input).unwrap_or_default()
}

async fn ask(
    state: State,
    visitor: Visitor,
    Query(Next { next }): Query<Next>,
) -> Answer<Response> {
    show(&state, &visitor.actor, (local(&next), None), Input::default()).await
}

/// The page that asks for a second factor in answer to a form, with all that was sent.
pub(in crate::server::web) async fn confirm_first(
    state: &State,
    actor: &Actor,
    kept: Kept,
) -> Answer<Response> {
    show(state, actor, ("", Some(kept)), Input::default()).await
}

async fn show(
    state: &State,
    actor: &Actor,
    (next, kept): (&str, Option<Kept>),
    input: Input,
) -> Answer<Response> {
    let asked = state.app.asked(actor).await?;
    if !asked.totp && asked.passkey.is_none() && !state.app.factors(actor, "me").await?.any() {
        return Ok(Redirect::to(paths::SECURITY).into_response());
    }
    let caller = actor.caller()?;
    let csrf = caller.token().map(|token| form_token(state, token)).unwrap_or_default();
    let page = Confirm {
        csrf: Csrf(csrf),
        step: Step::Again { username: caller.user.username.to_string() },
        totp: asked.totp,
        passkey: asked.passkey,
        next: next.to_owned(),
        kept,
        input,
    };
    Ok(Html::of(&page).into_response())
}

async fn confirm(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let field = |name| local(fields.get(name).unwrap_or_default());
    let (next, to) = (field("next"), field(Kept::TO));
    let kept = fields.get(Kept::FIELDS).unwrap_or_default();
    let kept = (!to.is_empty()).then(|| Kept::read(to, kept));
    let token = match state.app.confirm(&visitor.actor, proof(&fields)).await {
        Ok(token) => token,
        Err(error) => {
            let input = mistake(&Fields::default(), error)?;
            return show(&state, &visitor.actor, (next, kept), input).await;
        }
    };
    let mut response = match kept {
        Some(kept) => {
            let csrf = visitor.visit.csrf;
            Html::of(&Resume { csrf, kept, confirmed: true }).into_response()
        }
        None if next.is_empty() => Redirect::to(paths::WORKSPACES).into_response(),
        None => Redirect::to(next).into_response(),
    };
    let cookie = cookies::begin_session(&state.site, &token);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    Ok(response)
}
