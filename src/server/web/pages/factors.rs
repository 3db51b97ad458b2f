//! One's own second factors: setting up, naming and removing them.

use axum::response::{IntoResponse, Response};
use http::header;

use super::{Html, Visitor, flash, mistake};
use crate::model::factor::RecoveryCode;
use crate::model::id::PasskeyId;
use crate::model::user::LoginType;
use crate::server::app::factors::Added;
use crate::server::html::pages::factors::{NewPasskey, RecoveryCodes, TotpPage};
use crate::server::html::parts::form::Input;
use crate::server::html::paths;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, cookies};

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Threshold, paths::TOTP, totp)
        .post(Access::Threshold, paths::TOTP, begin_totp)
        .post(Access::Threshold, paths::TOTP_CONFIRM, confirm_totp)
        .post(Access::Threshold, paths::TOTP_REMOVE, remove_totp)
        .post(Access::Threshold, paths::RECOVERY_CODES, recovery_codes)
        .get(Access::Threshold, paths::PASSKEYS, new_passkey)
        .post(Access::Threshold, paths::PASSKEYS, add_passkey)
        .post(Access::Threshold, paths::PASSKEY, rename_passkey)
        .post(Access::Threshold, paths::PASSKEY_REMOVE, remove_passkey)
        .post(Access::Threshold, paths::OTHER_SESSIONS, end_other_sessions)
}

/// Whether the first factor of who looks needs their password.
fn asks_password(visitor: &Visitor) -> bool {
    let has_factor = visitor.actor.caller().is_ok_and(|caller| caller.mfa.has_factor);
    !has_factor && visitor.visit.user.login_type == LoginType::Password
}

async fn totp(state: State, visitor: Visitor) -> Answer<Html> {
    show_totp(&state, visitor, Input::default()).await
}

async fn show_totp(state: &State, visitor: Visitor, input: Input) -> Answer<Html> {
    let setup = state.app.totp_setup(&visitor.actor).await?;
    let setup = setup.map(|setup| (setup.secret, setup.uri));
    let asks_password = asks_password(&visitor);
    Ok(Html::of(&TotpPage { visit: visitor.visit, setup, asks_password, input }))
}

async fn begin_totp(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let password = fields.get("password_now").unwrap_or_default();
    if let Err(error) = state.app.begin_totp(&visitor.actor, password).await {
        let input = mistake(&fields, error)?;
        return Ok(show_totp(&state, visitor, input).await?.into_response());
    }
    Ok(flash::done(&state.site, paths::TOTP, "The secret is made. Show it to your app now."))
}

async fn confirm_totp(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let code = fields.get("code").unwrap_or_default();
    match state.app.confirm_totp(&visitor.actor, code).await {
        Ok(added) => Ok(show_added(&state, visitor, &added, "Your app is in use.")),
        Err(error) => {
            let input = mistake(&Fields::default(), error)?;
            Ok(show_totp(&state, visitor, input).await?.into_response())
        }
    }
}

/// The session has another secret now; recovery codes are shown once, in this answer.
fn show_added(state: &State, visitor: Visitor, added: &Added, done: &str) -> Response {
    let mut response = if added.codes.is_empty() {
        flash::done(&state.site, paths::SECURITY, done)
    } else {
        show_codes(visitor, &added.codes, done).into_response()
    };
    let cookie = cookies::begin_session(&state.site, &added.token);
    response.headers_mut().append(header::SET_COOKIE, cookie);
    response
}

fn show_codes(visitor: Visitor, codes: &[RecoveryCode], done: &str) -> Html {
    let codes = codes.iter().map(RecoveryCode::expose).collect();
    Html::of(&RecoveryCodes { visit: visitor.visit, done: done.to_owned(), codes })
}

async fn remove_totp(state: State, visitor: Visitor) -> Answer<Response> {
    state.app.remove_totp(&visitor.actor).await?;
    Ok(flash::done(&state.site, paths::SECURITY, "The app is removed."))
}

async fn recovery_codes(state: State, visitor: Visitor) -> Answer<Html> {
    let codes = state.app.remake_recovery_codes(&visitor.actor).await?;
    Ok(show_codes(visitor, &codes, ""))
}

async fn new_passkey(state: State, visitor: Visitor) -> Answer<Html> {
    show_new_passkey(&state, visitor, Input::default()).await
}

async fn show_new_passkey(state: &State, visitor: Visitor, input: Input) -> Answer<Html> {
    let options = state.app.new_passkey(&visitor.actor).await?;
    let asks_password = asks_password(&visitor);
    Ok(Html::of(&NewPasskey { visit: visitor.visit, options, asks_password, input }))
}

async fn add_passkey(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let field = |name| fields.get(name).unwrap_or_default();
    let sent = (field("passkey").to_owned(), field("password_now"));
    match state.app.add_passkey(&visitor.actor, field("name"), sent).await {
        Ok(added) => Ok(show_added(&state, visitor, &added, "The passkey is on file.")),
        Err(error) => {
            let input = mistake(&fields, error)?;
            Ok(show_new_passkey(&state, visitor, input).await?.into_response())
        }
    }
}

async fn rename_passkey(
    state: State,
    visitor: Visitor,
    Path(id): Path<PasskeyId>,
    fields: Fields,
) -> Answer<Response> {
    let name = fields.get("name").unwrap_or_default();
    state.app.rename_passkey(&visitor.actor, id, name).await?;
    Ok(flash::done(&state.site, paths::SECURITY, "The passkey has another name."))
}

async fn remove_passkey(
    state: State,
    visitor: Visitor,
    Path(id): Path<PasskeyId>,
) -> Answer<Response> {
    state.app.remove_passkey(&visitor.actor, id).await?;
    Ok(flash::done(&state.site, paths::SECURITY, "The passkey is removed."))
}

async fn end_other_sessions(state: State, visitor: Visitor) -> Answer<Response> {
    let n = state.app.end_other_sessions(&visitor.actor).await?;
    let text = if n == 1 {
        "1 other session ended.".to_owned()
    } else {
        format!("{n} other sessions ended.")
    };
    Ok(flash::done(&state.site, paths::SECURITY, &text))
}
