//! Rotations of an organization: who is on call, and who is instead.

use axum::response::{IntoResponse, Response};
use http::Uri;
use jiff::civil::Date;

use super::organizations::Here;
use super::{Html, Visitor, flash, mistake};
use crate::model::id::OverrideId;
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::rotation::Zone;
use crate::model::time::Timestamp;
use crate::model::user::UserRef;
use crate::server::app::rotation_layers::NewLayer;
use crate::server::app::rotation_overrides::NewOverride;
use crate::server::app::rotations::{CreateRotation, RotationView, UpdateRotation};
use crate::server::app::{Actor, Error};
use crate::server::html::pages::rotation::{Made, RotationPage, ShownShift};
use crate::server::html::pages::rotation_calendar::{WEEKS, days_later, monday};
use crate::server::html::pages::rotations::{RotationRow, Rotations};
use crate::server::html::parts::form::Input;
use crate::server::html::paths;
use crate::server::web::extract::Path;
use crate::server::web::form::Fields;
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State};

/// People offered to be put on call at most.
const MAX_OFFERED: i64 = 1000;

pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::page_may(R::Rotation, A::Read);
    let (create, update) =
        (Access::page_may(R::Rotation, A::Create), Access::page_may(R::Rotation, A::Update));
    let delete_may = Access::page_may(R::Rotation, A::Delete);
    routes
        .get(read, paths::ROTATIONS, list)
        .post(create, paths::ROTATIONS, make)
        .get(read, "/rotations/{name}", show)
        .post(update, "/rotations/{name}", edit)
        .post(read, "/rotations/{name}/overrides", override_shift)
        .post(read, "/rotations/{name}/undo", undo)
        .post(delete_may, "/rotations/{name}/delete", delete)
        .get(read, "/organizations/{organization}/rotations", list)
        .post(create, "/organizations/{organization}/rotations", make)
        .get(read, "/organizations/{organization}/rotations/{name}", show)
        .post(update, "/organizations/{organization}/rotations/{name}", edit)
        .post(read, "/organizations/{organization}/rotations/{name}/overrides", override_shift)
        .post(read, "/organizations/{organization}/rotations/{name}/undo", undo)
        .post(delete_may, "/organizations/{organization}/rotations/{name}/delete", delete)
}

/// The rotation that a path names.
#[derive(serde::Deserialize)]
pub(super) struct Named {
    /// By this.
    pub(super) name: String,
}

/// What a page of a rotation is drawn with besides.
#[derive(Default)]
pub(super) struct Shown {
    /// The day whose week the calendar begins with; none for today.
    pub(super) from: Option<Date>,
    /// Whether the form for an override stands open.
    pub(super) asks: bool,
    /// What was just made.
    pub(super) made: Option<Made>,
    /// What was typed.
    pub(super) input: Input,
}

async fn list(state: State, visitor: Visitor, here: Here) -> Answer<Html> {
    draw(&state, visitor, (here, Input::default())).await
}

async fn draw(
    state: &State,
    Visitor { actor, visit }: Visitor,
    (here, input): (Here, Input),
) -> Answer<Html> {
    let found = state.app.rotations(&actor, &here.key()).await?;
    let rotations = found.into_iter().map(row).collect();
    let creates = here.may(state, &actor, (R::Rotation, A::Create));
    Ok(Html::of(&Rotations { visit, rotations, creates, input, place: here.0 }))
}

fn row(view: RotationView) -> RotationRow {
    let user = |id, at| Some((view.people.get(&id)?.clone(), at));
    let layer = view.rotation.layers.first();
    RotationRow {
        now: view.now.and_then(|(id, until)| user(id, until)),
        next: view.next.and_then(|shift| user(shift.user, shift.from_at)),
        turns: layer.map(|l| format!("{}, every {}", l.handoff, l.length)).unwrap_or_default(),
        name: view.rotation.name.to_string(),
        zone: view.rotation.zone,
    }
}

/// The layer that a form describes; `end` tells layers apart.
fn layer(fields: &Fields, end: &str) -> NewLayer {
    let field = |name: &str| fields.get(&format!("{name}{end}")).unwrap_or_default().trim();
    let parts = |name: &str, between: char| -> Vec<String> {
        let each = field(name).split(between).map(str::trim);
        each.filter(|part| !part.is_empty()).map(str::to_owned).collect()
    };
    NewLayer {
        members: parts("members", ','),
        handoff: field("handoff").to_owned(),
        length: field("length").to_owned(),
        starts_at: None,
        restrictions: parts("restrictions", ';'),
    }
}

async fn make(state: State, visitor: Visitor, here: Here, fields: Fields) -> Answer<Response> {
    let field = |name| fields.get(name).unwrap_or_default().to_owned();
    let cmd = CreateRotation {
        name: field("name"),
        zone: field("zone"),
        layers: vec![layer(&fields, "")],
    };
    match state.app.create_rotation(&visitor.actor, &here.key(), cmd).await {
        Ok(made) => {
            let name = made.rotation.name.as_str();
            let text = format!("The rotation {name} is there.");
            Ok(flash::done(&state.site, &here.home().rotation(name), &text))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            Ok(draw(&state, visitor, (here, input)).await?.into_response())
        }
    }
}

async fn find(state: &State, actor: &Actor, (here, name): (&Here, &str)) -> Answer<RotationView> {
    Ok(state.app.rotation_named(actor, (&here.key(), name)).await?)
}

/// A value of the address's query.
fn asked(uri: &Uri, name: &str) -> Option<String> {
    let all: Vec<(String, String)> =
        serde_urlencoded::from_str(uri.query().unwrap_or_default()).ok()?;
    all.into_iter().find(|(key, _)| key == name).map(|(_, value)| value)
}

async fn show(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { name }): Path<Named>,
    uri: Uri,
) -> Answer<Html> {
    let view = find(&state, &visitor.actor, (&here, &name)).await?;
    let from = asked(&uri, "from").and_then(|text| text.parse().ok());
    let mut shown = Shown { from, ..Shown::default() };
    let chosen = asked(&uri, "shift").and_then(|text| text.parse().ok()).map(Timestamp);
    if let Some(at) = chosen {
        let found = state.app.on_call(&visitor.actor, view.rotation.id, Some(at)).await?;
        if let Some((_, shift)) = found.filter(|(_, s)| s.until_at > visitor.visit.now) {
            let zone = &view.rotation.zone;
            let from = shift.from_at.max(visitor.visit.now);
            let typed = [("from", zone.write(from)), ("until", zone.write(shift.until_at))];
            shown.input.values = typed.map(|(name, text)| (name.to_owned(), text)).into();
            shown.asks = true;
        }
    }
    draw_one(&state, visitor, here, (view, shown)).await
}

/// The page of one.
pub(super) async fn draw_one(
    state: &State,
    Visitor { actor, visit }: Visitor,
    here: Here,
    (view, shown): (RotationView, Shown),
) -> Answer<Html> {
    let now = visit.now;
    let changes = here.may(state, &actor, (R::Rotation, A::Update));
    let zone = &view.rotation.zone;
    let (first, time) = weeks(zone, shown.from, now).ok_or_else(outside)?;
    let (shifts, people) = state.app.rotation_shifts(&actor, view.rotation.id, time).await?;
    let shifts = shifts.into_iter().filter_map(|s| {
        let user = people.get(&s.user)?.clone();
        let (from_at, until_at, is_override) = (s.from_at, s.until_at, s.is_override);
        Some(ShownShift { user, from_at, until_at, is_override })
    });
    Ok(Html::of(&RotationPage {
        first,
        shifts: shifts.collect(),
        undoes: state.app.undoable(&actor, view.rotation.id).await?,
        offered: offered(state, &actor, (&here, &view, changes)).await?,
        changes,
        deletes: here.may(state, &actor, (R::Rotation, A::Delete)),
        asks: shown.asks,
        has_feed: state.app.has_calendar_feed(&actor).await?,
        has_webhook: view.has_webhook,
        made: shown.made,
        input: shown.input,
        next: view.next.map(|shift| (shift.user, shift.from_at)),
        now: view.now,
        people: view.people,
        rotation: view.rotation,
        visit,
        place: here.0,
    }))
}

fn outside() -> Error {
    Error::invalid("from", "lies too far from today")
}

/// The Monday that a calendar begins with, and its time.
fn weeks(
    zone: &Zone,
    from: Option<Date>,
    now: Timestamp,
) -> Option<(Date, (Timestamp, Timestamp))> {
    let first = monday(from.or_else(|| zone.local(now).map(|t| t.date()))?);
    let midnight = |date: Date| zone.moment(date.at(0, 0, 0, 0));
    Some((first, (midnight(first)?, midnight(days_later(first, 7 * WEEKS))?)))
}

/// Whom someone may put on call: anyone who belongs here, or who is in the rotation.
async fn offered(
    state: &State,
    actor: &Actor,
    (here, view, changes): (&Here, &RotationView, bool),
) -> Answer<Vec<UserRef>> {
    let members = view.rotation.members(state.app.clock().now());
    let mut all: Vec<UserRef> =
        members.iter().filter_map(|id| view.people.get(id).cloned()).collect();
    if changes {
        let (found, _) = state.app.members(actor, &here.key(), MAX_OFFERED, 0).await?;
        let more = found.iter().map(|(user, _)| UserRef::of(user));
        all.extend(more.filter(|user| !members.contains(&user.id)));
    }
    Ok(all)
}

async fn edit(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { name }): Path<Named>,
    fields: Fields,
) -> Answer<Response> {
    let view = find(&state, &visitor.actor, (&here, &name)).await?;
    let text = |name| fields.get(name).map(str::to_owned);
    let layers = (0..view.rotation.layers.len()).map(|n| layer(&fields, &format!("-{n}")));
    let cmd =
        UpdateRotation { name: text("name"), zone: text("zone"), layers: Some(layers.collect()) };
    match state.app.update_rotation(&visitor.actor, view.rotation.id, cmd).await {
        Ok(new) => {
            let page = here.home().rotation(new.rotation.name.as_str());
            Ok(flash::done(&state.site, &page, "Rotation saved."))
        }
        Err(error) => {
            let is_one = view.rotation.layers.len() == 1;
            let of_layer = |field: &str| !matches!(field, "name" | "zone" | "layers");
            let named = |field: String| match is_one && of_layer(&field) {
                true => format!("{field}-0"),
                false => field,
            };
            let input = mistake(&fields, error.map_field(named))?;
            let shown = Shown { input, ..Shown::default() };
            Ok(draw_one(&state, visitor, here, (view, shown)).await?.into_response())
        }
    }
}

async fn override_shift(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { name }): Path<Named>,
    fields: Fields,
) -> Answer<Response> {
    let view = find(&state, &visitor.actor, (&here, &name)).await?;
    let field = |name| fields.get(name).unwrap_or_default();
    let time = |name: &'static str| {
        let read = view.rotation.zone.read(field(name));
        read.ok_or_else(|| Error::invalid(name, "is not a time"))
    };
    let done = async {
        let (from_at, until_at) = (Some(time("from")?), time("until")?);
        let (user, reason) = (field("user").to_owned(), field("reason").to_owned());
        let cmd = NewOverride { user, from_at, until_at, reason };
        state.app.override_shift(&visitor.actor, view.rotation.id, cmd).await
    };
    match done.await {
        Ok(_) => {
            let text = format!("{} takes it. Undo it below.", field("user"));
            Ok(flash::done(&state.site, &here.home().rotation(&name), &text))
        }
        Err(error) => {
            let input = mistake(&fields, error)?;
            let shown = Shown { asks: true, input, ..Shown::default() };
            Ok(draw_one(&state, visitor, here, (view, shown)).await?.into_response())
        }
    }
}

async fn undo(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { name }): Path<Named>,
    fields: Fields,
) -> Answer<Response> {
    let view = find(&state, &visitor.actor, (&here, &name)).await?;
    let which: Option<OverrideId> = fields.get("id").and_then(|id| id.parse().ok());
    let which = which.ok_or(Error::NotFound("override"))?;
    state.app.undo_override(&visitor.actor, view.rotation.id, which).await?;
    let text = "Undone: it is again whose turn it is.";
    Ok(flash::done(&state.site, &here.home().rotation(&name), text))
}

async fn delete(
    state: State,
    visitor: Visitor,
    here: Here,
    Path(Named { name }): Path<Named>,
    fields: Fields,
) -> Answer<Response> {
    let rotation = find(&state, &visitor.actor, (&here, &name)).await?.rotation;
    let page = here.home().rotation(rotation.name.as_str());
    let typed = (&fields, rotation.name.as_str());
    let back = (page.as_str(), "delete it", "Nothing was deleted");
    if let Some(asked) = flash::unless_typed(&state.site, typed, back) {
        return Ok(asked);
    }
    state.app.delete_rotation(&visitor.actor, rotation.id).await?;
    let text = format!("{} is deleted.", rotation.name);
    Ok(flash::done(&state.site, &here.home().rotations(), &text))
}
