//! Layers of a rotation as they are given: who takes turns, when, and for how long.

use super::{Actor, Error, Result, people};
use crate::model::id::{OrganizationId, UserId};
use crate::model::rotation::{
    BadText, Layer, MAX_LAYERS, MAX_MEMBERS, MAX_RESTRICTIONS, Member, Restriction, Rotation,
};
use crate::model::time::Timestamp;
use crate::server::db::ReadTx;

/// The first second that a layer may start at, in 2000, and the first after the last, in 2100.
const STARTS: std::ops::Range<i64> = 946_684_800..4_102_444_800;

/// A layer as someone gives it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NewLayer {
    /// Who, by name or id, in their order.
    pub members: Vec<String>,
    /// When one hands over to the next: `mon 09:00` or `09:00`.
    pub handoff: String,
    /// How long a turn is: `12h`, `1d`, `2w`.
    pub length: String,
    /// From when on it holds; none for now, or as it was.
    pub starts_at: Option<Timestamp>,
    /// The hours of the week it holds in: `mon-fri 18:00-08:00`; none for all.
    pub restrictions: Vec<String>,
}

/// Reads layers for an organization. With a rotation as it was, each follows on the one at its place.
///
/// # Errors
/// [`Error::Invalid`] for what does not fit, [`Error::NotFound`] for someone the actor may not know.
pub(super) fn layers(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (organization, old): (OrganizationId, Option<&Rotation>),
    given: &[NewLayer],
) -> Result<Vec<Layer>> {
    if given.is_empty() || given.len() > MAX_LAYERS {
        return Err(Error::invalid("layers", format!("must be one to {MAX_LAYERS}")));
    }
    let mut all = Vec::new();
    for (place, new) in given.iter().enumerate() {
        let members = members(tx, actor, organization, new)?;
        let read = timed(tx, new)?;
        let before = old.and_then(|old| Some((old, old.layers.get(place)?)));
        all.push(match before {
            Some((old, layer)) if keeps_time(layer, &read, new.starts_at) => Layer {
                restrictions: read.restrictions,
                ..layer.with_members(&members, &old.zone, tx.now)
            },
            Some(_) | None => {
                Layer { members: members.into_iter().map(Member::new).collect(), ..read }
            }
        });
    }
    Ok(all)
}

/// Whether turns change at the same times as before.
fn keeps_time(old: &Layer, new: &Layer, starts_at: Option<Timestamp>) -> bool {
    old.handoff == new.handoff
        && old.length == new.length
        && starts_at.is_none_or(|at| at == old.starts_at)
}

/// The layer without its people.
fn timed(tx: &ReadTx<'_>, new: &NewLayer) -> Result<Layer> {
    let invalid = |field: &'static str| move |e: BadText| Error::invalid(field, e);
    if new.restrictions.len() > MAX_RESTRICTIONS {
        return Err(Error::invalid("restrictions", format!("are more than {MAX_RESTRICTIONS}")));
    }
    let read = |text: &String| text.parse::<Restriction>().map_err(invalid("restrictions"));
    let restrictions = new.restrictions.iter().map(read).collect::<Result<_>>()?;
    let starts_at = new.starts_at.unwrap_or(tx.now);
    if !STARTS.contains(&starts_at.0) {
        return Err(Error::invalid("starts_at", "must lie in this century"));
    }
    Ok(Layer {
        members: Vec::new(),
        first: 0,
        handoff: new.handoff.parse().map_err(invalid("handoff"))?,
        length: new.length.parse().map_err(invalid("length"))?,
        starts_at,
        restrictions,
    })
}

fn members(
    tx: &ReadTx<'_>,
    actor: &Actor,
    organization: OrganizationId,
    new: &NewLayer,
) -> Result<Vec<UserId>> {
    if new.members.is_empty() || new.members.len() > MAX_MEMBERS {
        return Err(Error::invalid("members", format!("must be one to {MAX_MEMBERS} people")));
    }
    let mut all = Vec::new();
    for key in &new.members {
        all.push(member(tx, actor, (organization, key), "members")?);
    }
    let mut unique = all.clone();
    unique.sort_unstable();
    unique.dedup();
    if unique.len() < all.len() {
        return Err(Error::invalid("members", "name someone twice"));
    }
    Ok(all)
}

/// Someone who may be on call for an organization.
pub(super) fn member(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (organization, key): (OrganizationId, &str),
    field: &'static str,
) -> Result<UserId> {
    let user = match people::find(tx, actor, key.trim()) {
        Ok(user) => user,
        Err(Error::NotFound(_)) => {
            return Err(Error::invalid(field, format!("there is no user {:?}", key.trim())));
        }
        Err(other) => return Err(other),
    };
    if !user.organizations.contains(&organization) {
        let why = format!("{} is not in the organization", user.username);
        return Err(Error::invalid(field, why));
    }
    if !user.status.may_act() {
        return Err(Error::invalid(field, format!("{} is suspended", user.username)));
    }
    Ok(user.id)
}

/// Each layer in a line, for the audit log.
pub(super) fn layers_of(
    rotation: &Rotation,
    now: Timestamp,
    name: &dyn Fn(UserId) -> String,
) -> Vec<String> {
    let line = |layer: &Layer| {
        let inside = layer.members.iter().filter(|m| m.is_in(now)).map(|m| name(m.user));
        let people = inside.collect::<Vec<_>>().join(", ");
        let mut text = format!("{} every {}: {people}", layer.handoff, layer.length);
        for restriction in &layer.restrictions {
            text.push_str(&format!("; {restriction}"));
        }
        text
    };
    rotation.layers.iter().map(line).collect()
}
