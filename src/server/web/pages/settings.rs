//! One's own account: names, password, tokens, SSH keys.

use std::time::Duration;

use axum::response::{IntoResponse, Response};

use super::{Html, Visitor, flash, mistake, ways_in};
use crate::model::id::{SshKeyId, TokenId};
use crate::model::user::{TokenEntry, TokenKind};
use crate::server::app;
use crate::server::app::tokens::CreateToken;
use crate::server::html::pages::account::Account;
use crate::server::html::pages::security::Security;
use crate::server::html::pages::ssh_keys::SshKeys;
use crate::server::html::pages::tokens::{Made, Tokens};
use crate::server::html::parts::form::Input;
use crate::server::html::paths;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

const DAY: u64 = 86_400;

pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .get(Access::Page, paths::ACCOUNT, account)
        .post(Access::Page, paths::ACCOUNT, save_account)
        .get(Access::Threshold, paths::SECURITY, security)
        .post(Access::Page, paths::SECURITY, change_password)
        .get(Access::Page, paths::TOKENS, tokens)
        .post(Access::Page, paths::TOKENS, make_token)
        .post(Access::Page, "/settings/tokens/{id}/revoke", revoke_token)
        .get(Access::Page, paths::SSH_KEYS, ssh_keys)
        .post(Access::Page, paths::SSH_KEYS, add_ssh_key)
        .post(Access::Page, "/settings/ssh-keys/{id}/remove", remove_ssh_key)
}

async fn account(state: State, visitor: Visitor) -> Answer<Html> {
    show_account(&state, visitor, Input::default()).await
}

async fn show_account(
    state: &State,
    Visitor { actor, visit }: Visitor,
    input: Input,
) -> Answer<Html> {
    let mails = state.app.wants_mails(&actor).await?;
    Ok(Html::of(&Account { visit, mails, input }))
}

async fn save_account(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let field = |name| fields.get(name).unwrap_or_default().trim();
    let (username, name) = (field("username"), field("name"));
    match state.app.update_profile(&visitor.actor, "me", username, name).await {
        Ok(_) => Ok(flash::done(&state.site, paths::ACCOUNT, "Names saved.")),
        Err(error) => {
            let input = mistake(&fields, error)?;
            Ok(show_account(&state, visitor, input).await?.into_response())
        }
    }
}

async fn security(state: State, visitor: Visitor) -> Answer<Html> {
    show_security(&state, visitor, Input::default()).await
}

pub(super) async fn show_security(state: &State, visitor: Visitor, input: Input) -> Answer<Html> {
    let current = visitor.token().unwrap_or(TokenId(uuid::Uuid::nil()));
    let sessions = own_tokens(state, &visitor, TokenKind::Session).await?;
    let factors = state.app.factors(&visitor.actor, "me").await?;
    let must = state.app.mfa_roles().ask(&visitor.visit.user);
    let takes_passkeys = state.app.takes_passkeys();
    let ways = ways_in::of(state, &visitor).await?;
    let visit = visitor.visit;
    Ok(Html::of(&Security { visit, sessions, current, input, factors, must, ways, takes_passkeys }))
}

async fn own_tokens(state: &State, visitor: &Visitor, kind: TokenKind) -> Answer<Vec<TokenEntry>> {
    let all = state.app.tokens(&visitor.actor, "me").await?;
    Ok(all.into_iter().filter(|t| t.kind == kind).collect())
}

async fn change_password(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let new = fields.get("password").unwrap_or_default();
    match state.app.change_password(&visitor.actor, "me", fields.get("old"), new).await {
        Ok(()) => {
            let text = "Password changed. Your other sessions are over.";
            Ok(flash::done(&state.site, paths::SECURITY, text))
        }
        Err(error) => {
            let input = mistake(&fields, renamed(error, "old_password", "old"))?;
            Ok(show_security(&state, visitor, input).await?.into_response())
        }
    }
}

/// The API's name of a field as the form's.
fn renamed(error: app::Error, from: &str, to: &str) -> app::Error {
    error.map_field(|field| if field == from { to.to_owned() } else { field })
}

async fn tokens(state: State, visitor: Visitor) -> Answer<Html> {
    show_tokens(&state, visitor, None, Input::default()).await
}

async fn show_tokens(
    state: &State,
    visitor: Visitor,
    made: Option<Made>,
    input: Input,
) -> Answer<Html> {
    let tokens = own_tokens(state, &visitor, TokenKind::Api).await?;
    let max_days = max_days(state);
    Ok(Html::of(&Tokens { visit: visitor.visit, tokens, made, max_days, input }))
}

/// What the form of a new token asks for.
pub(super) fn token_wanted(fields: &Fields) -> Result<CreateToken, app::Error> {
    let name = fields.get("name").unwrap_or_default().trim().to_owned();
    let days: Option<u64> = fields.get("days").and_then(|d| d.trim().parse().ok());
    let days = days.ok_or_else(|| app::Error::invalid("days", "is not a number of days"))?;
    let lifetime = Some(Duration::from_secs(days.saturating_mul(DAY)));
    let words = |field| -> Vec<String> {
        let text = fields.get(field).unwrap_or_default();
        text.split([' ', ',']).filter(|w| !w.is_empty()).map(str::to_owned).collect()
    };
    let (scopes, networks) = (words("scopes"), words("allow_cidrs"));
    Ok(CreateToken { name, lifetime, scopes, things: vec![], networks })
}

/// Makes a token of someone's by the form; what is wrong with it names the form's fields.
pub(super) async fn mint(
    state: &State,
    visitor: &Visitor,
    key: &str,
    fields: &Fields,
) -> Result<Made, app::Error> {
    let cmd = token_wanted(fields)?;
    let made = state.app.create_token(&visitor.actor, key, cmd).await;
    let form = |field: String| match field.as_str() {
        "lifetime" => "days".to_owned(),
        "token_name" => "name".to_owned(),
        _ => field,
    };
    let (token, entry) = made.map_err(|error| error.map_field(form))?;
    Ok(Made { name: entry.name, token: token.expose() })
}

/// The days that a token may last, at most.
pub(super) fn max_days(state: &State) -> i64 {
    let days = state.app.policy.max_token_lifetime.as_secs() / DAY;
    i64::try_from(days).unwrap_or(i64::MAX)
}

/// The page after it is not led to: the token is shown once, in this answer.
async fn make_token(state: State, visitor: Visitor, fields: Fields) -> Answer<Html> {
    match mint(&state, &visitor, "me", &fields).await {
        Ok(made) => show_tokens(&state, visitor, Some(made), Input::default()).await,
        Err(error) => {
            let input = mistake(&fields, error)?;
            show_tokens(&state, visitor, None, input).await
        }
    }
}

async fn revoke_token(
    state: State,
    visitor: Visitor,
    Path(id): Path<String>,
    fields: Fields,
) -> Answer<Response> {
    state.app.delete_token(&visitor.actor, "me", &id).await?;
    let security = fields.get("next") == Some(paths::SECURITY);
    let (to, text) = if security {
        (paths::SECURITY, "That session is over.")
    } else {
        (paths::TOKENS, "Token revoked.")
    };
    Ok(flash::done(&state.site, to, text))
}

async fn ssh_keys(state: State, visitor: Visitor) -> Answer<Html> {
    show_ssh_keys(&state, visitor, Input::default()).await
}

async fn show_ssh_keys(state: &State, visitor: Visitor, input: Input) -> Answer<Html> {
    let keys = state.app.ssh_keys(&visitor.actor, "me").await?;
    Ok(Html::of(&SshKeys { visit: visitor.visit, keys, input }))
}

async fn add_ssh_key(state: State, visitor: Visitor, fields: Fields) -> Answer<Response> {
    let text = fields.get("key").unwrap_or_default();
    match state.app.add_ssh_key(&visitor.actor, "me", "", text).await {
        Ok(key) => {
            let text = format!("Key {} is on file.", key.name);
            Ok(flash::done(&state.site, paths::SSH_KEYS, &text))
        }
        Err(error) => {
            let mut input = mistake(&fields, error)?;
            input.errors = input.errors.into_values().map(|why| ("key".to_owned(), why)).collect();
            Ok(show_ssh_keys(&state, visitor, input).await?.into_response())
        }
    }
}

async fn remove_ssh_key(
    state: State,
    visitor: Visitor,
    Path(id): Path<SshKeyId>,
) -> Answer<Response> {
    state.app.remove_ssh_key(&visitor.actor, id).await?;
    Ok(flash::done(&state.site, paths::SSH_KEYS, "Key removed."))
}
