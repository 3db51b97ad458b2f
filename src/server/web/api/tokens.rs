//! `/users/{user}/keys`: sessions of programs and API tokens.

use std::time::Duration;

use axum::response::Response;
use http::StatusCode;

use super::convert::people as convert;
use crate::model::policy::{Action as A, Permission, ResourceType as R, scope};
use crate::server::app::tokens::CreateToken;
use crate::server::app::{Error, Page};
use crate::server::web::extract::{Json, Path, Query, created};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::tokens as wire;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    routes
        .post(Access::may(R::ApiKey, A::Create), "/api/v2/users/{user}/keys", create_session)
        .get(Access::may(R::ApiKey, A::Read), "/api/v2/users/{user}/keys/tokens", list)
        .post(Access::may(R::ApiKey, A::Create), "/api/v2/users/{user}/keys/tokens", create)
        .get(
            Access::may(R::ApiKey, A::Read),
            "/api/v2/users/{user}/keys/tokens/tokenconfig",
            config,
        )
        .get(Access::may(R::ApiKey, A::Read), "/api/v2/users/{user}/keys/tokens/{name}", show)
        .get(Access::may(R::ApiKey, A::Read), "/api/v2/users/{user}/keys/{name}", show)
        .delete(Access::may(R::ApiKey, A::Delete), "/api/v2/users/{user}/keys/{name}", delete)
        .put(Access::may(R::ApiKey, A::Update), "/api/v2/users/{user}/keys/{name}/expire", expire)
        .get(Access::SignedIn, "/api/v2/auth/scopes", scopes)
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct ListTokens {
    include_all: bool,
    include_expired: bool,
    /// Not Coder's, which has no parts of this list: at most so many, and after how many.
    limit: u32,
    offset: u32,
}

async fn create_session(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Response> {
    let user = state.app.user(&actor, &key).await?;
    if actor.user_id() != Some(user.id) {
        return Err(Error::denied("a session may be made for oneself only").into());
    }
    let token = state.app.create_session(&actor).await?;
    Ok(created(wire::NewKey { key: token.expose() }))
}

async fn list(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Query(query): Query<ListTokens>,
) -> Answer<Json<Vec<wire::ApiKey>>> {
    let whose = (!query.include_all).then_some(key.as_str());
    let (asked, part) = ((whose, query.include_expired), Page::new(query.limit, query.offset));
    let tokens = state.app.api_tokens(&actor, asked, part).await?;
    Ok(Json(tokens.iter().map(convert::token).collect()))
}

async fn create(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Json(body): Json<wire::CreateToken>,
) -> Answer<Response> {
    let mut scopes = body.scopes;
    scopes.extend(Some(body.scope).filter(|s| !s.is_empty()));
    let lifetime = match u64::try_from(body.lifetime) {
        Ok(0) => None,
        Ok(nanos) => Some(Duration::from_nanos(nanos)),
        Err(_) => return Err(Error::invalid("lifetime", "must not be negative").into()),
    };
    let (things, networks) = (body.allow_list, body.allow_cidrs);
    let cmd = CreateToken { name: body.token_name, lifetime, scopes, things, networks };
    let (token, _) = state.app.create_token(&actor, &key, cmd).await?;
    Ok(created(wire::NewKey { key: token.expose() }))
}

async fn config(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<wire::TokenConfig>> {
    state.app.user(&actor, &key).await?;
    let max = state.app.policy.max_token_lifetime.as_nanos();
    Ok(Json(wire::TokenConfig { max_token_lifetime: i64::try_from(max).unwrap_or(i64::MAX) }))
}

async fn show(
    state: State,
    Who(actor): Who,
    Path((key, name)): Path<(String, String)>,
) -> Answer<Json<wire::ApiKey>> {
    Ok(Json(convert::token(&state.app.token(&actor, &key, &name).await?)))
}

async fn delete(
    state: State,
    Who(actor): Who,
    Path((key, name)): Path<(String, String)>,
) -> Answer<StatusCode> {
    state.app.delete_token(&actor, &key, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn expire(
    state: State,
    Who(actor): Who,
    Path((key, name)): Path<(String, String)>,
) -> Answer<StatusCode> {
    state.app.expire_token(&actor, &key, &name).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// The words of a scope.
async fn scopes() -> Json<serde_json::Value> {
    let mut words: Vec<String> = scope::WORDS.map(str::to_owned).to_vec();
    words.extend(R::ALL.iter().map(|kind| format!("{kind}:*")));
    words.extend(Permission::all().map(|p| p.to_string()));
    Json(serde_json::json!({ "external": words }))
}
