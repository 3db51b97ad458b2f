//! `/rotations` and `/organizations/{organization}/rotations`: who is on call.

use axum::response::Response;
use http::StatusCode;

use super::convert::rotations as convert;
use crate::model::id::{OverrideId, RotationId};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::rotation::HORIZON;
use crate::model::time::Timestamp;
use crate::server::app::Error;
use crate::server::app::rotation_overrides::NewOverride;
use crate::server::app::rotations::{CreateRotation, RotationView, UpdateRotation};
use crate::server::web::extract::{Json, Path, Query, created};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::coder::Time;
use crate::wire::rotations as wire;

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::may(R::Rotation, A::Read);
    let in_organization = "/api/v2/organizations/{organization}/rotations";
    routes
        .get(read, in_organization, list)
        .post(Access::may(R::Rotation, A::Create), in_organization, create)
        .get(read, "/api/v2/organizations/{organization}/rotations/{name}", show_named)
        .get(read, "/api/v2/rotations/{rotation}", show)
        .patch(Access::may(R::Rotation, A::Update), "/api/v2/rotations/{rotation}", update)
        .delete(Access::may(R::Rotation, A::Delete), "/api/v2/rotations/{rotation}", delete)
        .get(read, "/api/v2/rotations/{rotation}/shifts", shifts)
        .get(read, "/api/v2/rotations/{rotation}/oncall", on_call)
        // Whoever is on call hands over their own time.
        .post(read, "/api/v2/rotations/{rotation}/overrides", override_shift)
        .delete(read, "/api/v2/rotations/{rotation}/overrides/{override}", undo)
}

fn shown(state: &State, view: &RotationView) -> wire::Rotation {
    convert::rotation(view, state.app.clock().now())
}

async fn list(
    state: State,
    Who(actor): Who,
    Path(organization): Path<String>,
) -> Answer<Json<Vec<wire::Rotation>>> {
    let all = state.app.rotations(&actor, &organization).await?;
    Ok(Json(all.iter().map(|view| shown(&state, view)).collect()))
}

async fn create(
    state: State,
    Who(actor): Who,
    Path(organization): Path<String>,
    Json(body): Json<wire::PutRotation>,
) -> Answer<Response> {
    let layers = body.layers.unwrap_or_default().into_iter().map(convert::given);
    let cmd = CreateRotation {
        name: body.name.unwrap_or_default(),
        zone: body.zone.unwrap_or_default(),
        layers: layers.collect(),
    };
    let made = state.app.create_rotation(&actor, &organization, cmd).await?;
    Ok(created(shown(&state, &made)))
}

async fn show_named(
    state: State,
    Who(actor): Who,
    Path((organization, name)): Path<(String, String)>,
) -> Answer<Json<wire::Rotation>> {
    let found = state.app.rotation_named(&actor, (&organization, &name)).await?;
    Ok(Json(shown(&state, &found)))
}

async fn show(
    state: State,
    Who(actor): Who,
    Path(id): Path<RotationId>,
) -> Answer<Json<wire::Rotation>> {
    Ok(Json(shown(&state, &state.app.rotation(&actor, id).await?)))
}

async fn update(
    state: State,
    Who(actor): Who,
    Path(id): Path<RotationId>,
    Json(body): Json<wire::PutRotation>,
) -> Answer<Json<wire::Rotation>> {
    let cmd = UpdateRotation {
        name: body.name,
        zone: body.zone,
        layers: body.layers.map(|all| all.into_iter().map(convert::given).collect()),
    };
    Ok(Json(shown(&state, &state.app.update_rotation(&actor, id, cmd).await?)))
}

async fn delete(state: State, Who(actor): Who, Path(id): Path<RotationId>) -> Answer<StatusCode> {
    state.app.delete_rotation(&actor, id).await?;
    Ok(StatusCode::NO_CONTENT)
}

/// Which time is asked for, in RFC 3339.
#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Span {
    from: String,
    until: String,
    at: String,
}

/// A time of the address; none when it is absent.
fn time(field: &'static str, text: &str) -> Result<Option<Timestamp>, Error> {
    if text.is_empty() {
        return Ok(None);
    }
    let read = Timestamp::parse_rfc3339(text);
    read.map(Some)
        .ok_or_else(|| Error::invalid(field, "must be a time such as 2026-11-20T09:00:00Z"))
}

async fn shifts(
    state: State,
    Who(actor): Who,
    Path(id): Path<RotationId>,
    Query(span): Query<Span>,
) -> Answer<Json<Vec<wire::Shift>>> {
    let from = time("from", &span.from)?.unwrap_or_else(|| state.app.clock().now());
    let until = time("until", &span.until)?.unwrap_or_else(|| from.plus(HORIZON));
    let (all, people) = state.app.rotation_shifts(&actor, id, (from, until)).await?;
    Ok(Json(all.iter().map(|s| convert::shift(s, &people)).collect()))
}

async fn on_call(
    state: State,
    Who(actor): Who,
    Path(id): Path<RotationId>,
    Query(span): Query<Span>,
) -> Answer<Json<Option<wire::Shift>>> {
    let found = state.app.on_call(&actor, id, time("at", &span.at)?).await?;
    Ok(Json(found.map(|(user, shift)| convert::shift(&shift, &[(user.id, user)].into()))))
}

async fn override_shift(
    state: State,
    Who(actor): Who,
    Path(id): Path<RotationId>,
    Json(body): Json<wire::PutOverride>,
) -> Answer<Response> {
    let cmd = NewOverride {
        user: body.user,
        from_at: body.from.map(Time::seconds),
        until_at: body.until.seconds(),
        reason: body.reason,
    };
    let made = state.app.override_shift(&actor, id, cmd).await?;
    let view = state.app.rotation(&actor, id).await?;
    Ok(created(convert::swap(&made, &view.people)))
}

async fn undo(
    state: State,
    Who(actor): Who,
    Path((id, which)): Path<(RotationId, OverrideId)>,
) -> Answer<StatusCode> {
    state.app.undo_override(&actor, id, which).await?;
    Ok(StatusCode::NO_CONTENT)
}
