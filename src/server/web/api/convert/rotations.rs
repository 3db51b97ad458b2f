//! Rotations as the API has them.

use std::collections::BTreeMap;

use crate::model::id::UserId;
use crate::model::rotation::{Layer, Override, Stored};
use crate::model::time::Timestamp;
use crate::model::user::UserRef;
use crate::server::app::rotation_layers::NewLayer;
use crate::server::app::rotations::RotationView;
use crate::wire::coder::Time;
use crate::wire::coder::users::MinimalUser;
use crate::wire::rotations as wire;

type People = BTreeMap<UserId, UserRef>;

/// Someone; only an id where no more is known.
fn user(people: &People, id: UserId) -> MinimalUser {
    let username = people.get(&id).map(|user| user.username.to_string());
    MinimalUser { id: id.0, username: username.unwrap_or_default(), ..MinimalUser::default() }
}

/// A rotation at a time.
#[must_use]
pub fn rotation(view: &RotationView, now: Timestamp) -> wire::Rotation {
    let (one, people) = (&view.rotation, &view.people);
    wire::Rotation {
        id: one.id.0,
        organization_id: one.organization_id.0,
        name: one.name.to_string(),
        zone: one.zone.name().to_owned(),
        layers: one.layers.iter().map(|l| layer(l, people, now)).collect(),
        overrides: one.overrides.iter().map(|o| swap(o, people)).collect(),
        on_call: view.now.map(|(id, _)| user(people, id)),
        on_call_until: view.now.map(|(_, until)| until.into()),
        next: view.next.map(|s| shift(&s, people)),
        has_webhook: view.has_webhook,
        created_at: one.created_at.into(),
    }
}

fn layer(layer: &Layer, people: &People, now: Timestamp) -> wire::Layer {
    let inside = layer.members.iter().filter(|m| m.is_in(now));
    wire::Layer {
        members: inside.map(|m| user(people, m.user)).collect(),
        handoff: layer.handoff.to_string(),
        length: layer.length.to_string(),
        starts_at: layer.starts_at.into(),
        restrictions: layer.restrictions.iter().map(ToString::to_string).collect(),
    }
}

/// An override.
#[must_use]
pub fn swap(one: &Override, people: &People) -> wire::Override {
    wire::Override {
        id: one.id.0,
        user: user(people, one.user),
        from: one.from_at.into(),
        until: one.until_at.into(),
        made_by: one.made_by.map(|id| user(people, id)),
        reason: one.reason.clone(),
    }
}

/// A shift.
#[must_use]
pub fn shift(one: &Stored, people: &People) -> wire::Shift {
    wire::Shift {
        user: user(people, one.user),
        from: one.from_at.into(),
        until: one.until_at.into(),
        is_override: one.is_override,
    }
}

/// A layer as someone gives it.
#[must_use]
pub fn given(one: wire::PutLayer) -> NewLayer {
    NewLayer {
        members: one.members,
        handoff: one.handoff,
        length: one.length,
        starts_at: one.starts_at.map(Time::seconds),
        restrictions: one.restrictions,
    }
}
