//! What is done on someone's page with a service account's tokens and a person's sessions.

use axum::response::Response;

use super::people::{Typed, show_one};
use super::settings::{max_days, mint};
use super::{Html, Visitor, flash, mistake};
use crate::model::policy::{Action, ResourceType};
use crate::model::user::{TokenEntry, TokenKind, User, UserKind};
use crate::server::app::{Actor, Error};
use crate::server::html::pages::person_tokens::TheirTokens;
use crate::server::html::paths;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

pub(super) fn routes(routes: Routes) -> Routes {
    let may = |action| Access::page_may(ResourceType::ApiKey, action);
    routes
        .post(may(Action::Create), "/people/{user}/tokens", make)
        .post(may(Action::Delete), "/people/{user}/tokens/{token}/revoke", revoke)
        .post(
            Access::page_may(ResourceType::User, Action::Update),
            "/people/{user}/sessions/{session}/end",
            end,
        )
}

/// The tokens of a service account, where the actor may make some; none otherwise.
pub(super) async fn tokens_of(
    state: &State,
    actor: &Actor,
    user: &User,
) -> Answer<Option<TheirTokens>> {
    if user.kind != UserKind::Service {
        return Ok(None);
    }
    let all = match state.app.tokens(actor, &user.id.to_string()).await {
        Ok(all) => all,
        Err(Error::Denied(_) | Error::NotFound(_)) => return Ok(None),
        Err(other) => return Err(other.into()),
    };
    let tokens = all.into_iter().filter(|token| token.kind == TokenKind::Api).collect();
    Ok(Some(TheirTokens { tokens, max_days: max_days(state), ..TheirTokens::default() }))
}

/// Someone's sessions, where the actor may end them; none otherwise, and for oneself: the settings
/// have them.
pub(super) async fn sessions_of(
    state: &State,
    actor: &Actor,
    user: &User,
) -> Answer<Option<Vec<TokenEntry>>> {
    if user.kind != UserKind::Person || actor.user_id() == Some(user.id) {
        return Ok(None);
    }
    match state.app.sessions_of(actor, &user.id.to_string()).await {
        Ok(list) => Ok(Some(list)),
        Err(Error::Denied(_) | Error::NotFound(_)) => Ok(None),
        Err(other) => Err(other.into()),
    }
}

/// The page after it is not led to: the token is shown once, in this answer.
async fn make(
    state: State,
    visitor: Visitor,
    Path(key): Path<String>,
    fields: Fields,
) -> Answer<Html> {
    let user = state.app.user(&visitor.actor, &key).await?;
    if user.kind != UserKind::Service {
        return Err(Error::conflict("people make their own tokens, in their settings").into());
    }
    let typed = match mint(&state, &visitor, &key, &fields).await {
        Ok(made) => Typed { made: Some(made), ..Typed::default() },
        Err(error) => Typed { token: mistake(&fields, error)?, ..Typed::default() },
    };
    show_one(&state, &visitor.actor, visitor.visit, (user, typed)).await
}

async fn revoke(
    state: State,
    visitor: Visitor,
    Path((key, token)): Path<(String, String)>,
) -> Answer<Response> {
    let user = state.app.user(&visitor.actor, &key).await?;
    let found = state.app.token(&visitor.actor, &key, &token).await?;
    if found.user.id != user.id {
        return Err(Error::NotFound("token").into());
    }
    state.app.delete_token(&visitor.actor, &key, &found.public_id).await?;
    let said = format!("The token {} is revoked.", found.name);
    Ok(flash::done(&state.site, &paths::person(&user.username), &said))
}

async fn end(
    state: State,
    visitor: Visitor,
    Path((key, session)): Path<(String, String)>,
) -> Answer<Response> {
    let user = state.app.end_their_session(&visitor.actor, &key, &session).await?;
    let said = format!("That session of {} is over.", user.username);
    Ok(flash::done(&state.site, &paths::person(&user.username), &said))
}
