//! Ways in and out of rotations for other programs: the webhook, and the feed for calendars.

use axum::body::Bytes;
use axum::extract::rejection::BytesRejection;
use axum::response::{IntoResponse, Response};
use http::{HeaderMap, StatusCode, header};

use crate::model::id::RotationId;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::server::app::Error;
use crate::server::app::rotation_webhook::{Delivery, Heard};
use crate::server::html::paths;
use crate::server::web::address::ClientAddress;
use crate::server::web::extract::{Json, Path, created, message};
use crate::server::web::outer::Coming;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, Problem, State, Who, limits};
use crate::wire::rotations as wire;

/// Where programs put their signatures: PagerDuty's name for it, and ours.
const SIGNATURES: [&str; 2] = ["x-pagerduty-signature", "x-steading-signature"];

pub(super) fn routes(routes: Routes) -> Routes {
    let update = Access::may(R::Rotation, A::Update);
    let read = Access::may(R::Rotation, A::Read);
    routes
        .up_to(limits::WEBHOOK)
        .post(Access::Public, "/api/v2/rotations/{rotation}/webhook", hear)
        .post(update, "/api/v2/rotations/{rotation}/webhook-secret", set_secret)
        .delete(update, "/api/v2/rotations/{rotation}/webhook-secret", remove_secret)
        .post(read, "/api/v2/rotations/{rotation}/feed", new_feed)
        .delete(read, "/api/v2/calendar-feed", end_feed)
        .get(Access::Public, paths::CALENDAR, calendar)
}

async fn hear(
    state: State,
    Path(id): Path<RotationId>,
    Coming(came): Coming,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Answer<Response> {
    let body = body.map_err(|e| Problem::new(e.status(), "The body could not be read."))?;
    let given = SIGNATURES.iter().filter_map(|name| headers.get(*name)?.to_str().ok());
    let signature = given.collect::<Vec<_>>().join(",");
    let delivery = Delivery { signature, body, ip: came.ip, request: came.request };
    match state.app.hear(id, delivery).await? {
        Some(Heard::Set(_)) => Ok(message("Heard: who is on call has changed.")),
        Some(Heard::Known) => Ok(message("Heard before: nothing has changed.")),
        Some(Heard::Other) => Ok(message("Nobody went on call by it: nothing has changed.")),
        Some(Heard::Refused(why)) => Err(Error::invalid("body", why).into()),
        // Whether there is such a rotation is not told either.
        None => {
            let why = "The signature does not fit, or nothing here listens.";
            Err(Problem::new(StatusCode::UNAUTHORIZED, why))
        }
    }
}

async fn set_secret(
    state: State,
    Who(actor): Who,
    Path(id): Path<RotationId>,
    Json(body): Json<wire::WebhookSecret>,
) -> Answer<Response> {
    let given = Some(body.secret).filter(|text| !text.is_empty());
    let secret = state.app.set_rotation_webhook(&actor, id, given).await?;
    let url = format!("{}{}", state.site.access_url(), paths::rotation_webhook(id));
    Ok(created(wire::WebhookSecret { secret: secret.to_string(), url }))
}

async fn remove_secret(
    state: State,
    Who(actor): Who,
    Path(id): Path<RotationId>,
) -> Answer<StatusCode> {
    state.app.remove_rotation_webhook(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn new_feed(state: State, Who(actor): Who, Path(id): Path<RotationId>) -> Answer<Response> {
    state.app.rotation(&actor, id).await?;
    let token = state.app.new_calendar_feed(&actor).await?;
    let url = format!("{}{}", state.site.access_url(), paths::calendar(&token.expose(), id));
    Ok(created(wire::Feed { url }))
}

async fn end_feed(state: State, Who(actor): Who) -> Answer<StatusCode> {
    state.app.end_calendar_feed(&actor).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn calendar(
    state: State,
    Path((link, file)): Path<(String, String)>,
    ClientAddress(ip): ClientAddress,
) -> Answer<Response> {
    let id: Option<RotationId> = file.strip_suffix(".ics").and_then(|id| id.parse().ok());
    let id = id.ok_or_else(Problem::not_found)?;
    let text = state.app.calendar(&link, id, ip).await?;
    let kind = (header::CONTENT_TYPE, "text/calendar; charset=utf-8");
    Ok(([kind, (header::CACHE_CONTROL, "private, no-store")], text).into_response())
}
