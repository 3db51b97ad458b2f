//! The program of an organization that is told of requests, and that answers them for people.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::response::Response;
use http::{HeaderMap, StatusCode};

use crate::model::id::RequestId;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::app::rotation_webhook::Delivery;
use crate::server::web::extract::{Json, Path, created, message};
use crate::server::web::outer::Coming;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, Problem, State, Who, limits};
use crate::wire::requests as wire;

pub(super) fn routes(routes: Routes) -> Routes {
    const HOOK: &str = "/api/v2/organizations/{organization}/settings/request-hook";
    let keep = Access::may(R::Organization, A::Update);
    routes
        .get(keep, HOOK, show)
        .put(keep, HOOK, set)
        .delete(keep, HOOK, remove)
        .up_to(limits::WEBHOOK)
        .post(Access::Public, "/api/v2/requests/{request}/webhook", hear)
}

async fn show(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
) -> Answer<Json<wire::RequestHook>> {
    let found = state.app.request_hook(&actor, &key).await?;
    let host = found.map(|hook| hook.host).unwrap_or_default();
    Ok(Json(wire::RequestHook { host, ..wire::RequestHook::default() }))
}

async fn set(
    state: State,
    Who(actor): Who,
    Path(key): Path<String>,
    Json(body): Json<wire::RequestHook>,
) -> Answer<Response> {
    let (hook, secret) = state.app.set_request_hook(&actor, &key, &body.url).await?;
    let (url, host) = (body.url, hook.host);
    Ok(created(wire::RequestHook { url, host, secret: secret.to_string() }))
}

async fn remove(state: State, Who(actor): Who, Path(key): Path<String>) -> Answer<StatusCode> {
    state.app.remove_request_hook(&actor, &key).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn hear(
    state: State,
    Path(id): Path<RequestId>,
    Coming(came): Coming,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer<Response> {
    let body = body.map_err(|e| Problem::new(e.status(), "The body could not be read."))?;
    let signature = headers.get("x-steading-signature").and_then(|v| v.to_str().ok());
    let signature = signature.unwrap_or_default().to_owned();
    let delivery = Delivery { signature, body, ip: came.ip, request: came.request };
    match state.app.hear_answer(id, delivery).await? {
        Some(now) => Ok(message(&format!("Heard: the request is {now}."))),
        // Whether there is such a request is not told either.
        None => {
            let why = "The signature does not fit, or nothing here listens.";
            Err(Problem::new(StatusCode::UNAUTHORIZED, why))
        }
    }
}
