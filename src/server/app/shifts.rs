//! Shifts: planned ahead in the transaction of each change, and further as time goes on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::rotations::{find, names};
use super::{Actor, App, Error, Result, shift_ends};
use crate::model::event::Event;
use crate::model::id::{OrganizationId, RotationId, UserId};
use crate::model::policy::Action;
use crate::model::rotation::{HORIZON, Layer, MAX_SPAN, Rotation, Stored, TIMES};
use crate::model::time::Timestamp;
use crate::model::user::UserRef;
use crate::server::db::{ReadTx, WriteTx, rotation_overrides, rotations, shifts};

/// How far a plan may fall behind: who may be on call again is, after that.
const BEHIND: Duration = Duration::from_hours(1);
/// Rotations of one pass, so that the writer has time for others.
const A_PASS: usize = 20;
/// How long shifts are kept after they are over: whoever was on call is asked for in reviews.
const KEPT: i64 = 2 * 366 * 86_400;

/// Shifts with the names of those whose they are.
pub type Named = (Vec<Stored>, BTreeMap<UserId, UserRef>);

impl App {
    /// The shifts of a rotation in a time: as they were, as they are planned, and as they will be.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a rotation the actor may not see, [`Error::Invalid`] for a time that is
    /// none or too long.
    pub async fn rotation_shifts(
        &self,
        actor: &Actor,
        id: RotationId,
        (from, until): (Timestamp, Timestamp),
    ) -> Result<Named> {
        require_near("from", from)?;
        require_near("until", until)?;
        if until <= from {
            return Err(Error::invalid("until", "must be later than from"));
        }
        if until.since(from) > MAX_SPAN {
            let days = MAX_SPAN.as_secs() / 86_400;
            return Err(Error::invalid("until", format!("may be at most {days} days later")));
        }
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let rotation = find(tx, &actor, Action::Read, id)?;
                let all = between(tx, &rotation, (from, until))?;
                let people = names(tx, all.iter().map(|s| s.user))?;
                Ok((all, people))
            })
            .await
    }

    /// Who is, was or will be on call at a time.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a rotation the actor may not see, [`Error::Invalid`] for a time that is
    /// too far away.
    pub async fn on_call(
        &self,
        actor: &Actor,
        id: RotationId,
        at: Option<Timestamp>,
    ) -> Result<Option<(UserRef, Stored)>> {
        at.map_or(Ok(()), |at| require_near("at", at))?;
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let rotation = find(tx, &actor, Action::Read, id)?;
                let at = at.unwrap_or(tx.now);
                let then = between(tx, &rotation, (at, Timestamp(at.0.saturating_add(1))))?;
                let Some(shift) = then.into_iter().next() else { return Ok(None) };
                let mut people = names(tx, [shift.user])?;
                Ok(people.remove(&shift.user).map(|user| (user, shift)))
            })
            .await
    }

    /// Plans further what is not planned far, and anew what names someone who may not be on call any
    /// more. What cannot be planned is logged, and tried again later. Whether there may be more to do.
    ///
    /// # Errors
    /// When the database fails; what was planned before stays so.
    pub async fn plan_step(&self) -> Result<bool> {
        let due: Vec<RotationId> = self
            .db
            .read(|tx| {
                let until = Timestamp(tx.now.0.saturating_sub(secs(BEHIND))).plus(HORIZON);
                let mut due = shifts::unfit(tx)?;
                due.extend(shifts::due(tx, until, A_PASS)?);
                Ok::<_, Error>(due)
            })
            .await?;
        let mut planned = 0;
        for id in &due {
            let id = *id;
            let done = self.db.write(move |tx| {
                plan(tx, id)?;
                tx.emit(Event::Grants);
                Ok::<_, Error>(())
            });
            match done.await {
                Ok(()) => planned += 1,
                // One that cannot be planned keeps none of the others back.
                Err(error) => {
                    tracing::error!(%error, rotation = %id, "shifts were not planned further");
                    self.db.write(move |tx| Ok::<_, Error>(shifts::put_off(tx, id)?)).await?;
                }
            }
        }
        Ok(planned > 0 && due.len() >= A_PASS)
    }
}

/// Asks for a time that someone may look at.
fn require_near(field: &'static str, at: Timestamp) -> Result<()> {
    if TIMES.contains(&at) {
        return Ok(());
    }
    Err(Error::invalid(field, "must lie between 2000 and 2200"))
}

fn secs(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// Stores the shifts of a rotation from now on, as far ahead as [`HORIZON`]. Who was let in at once for
/// being on call, and no longer is, is out.
pub(super) fn plan(tx: &WriteTx<'_>, id: RotationId) -> Result<()> {
    let Some(rotation) = rotations::find(tx, id)? else { return Ok(()) };
    let (now, until) = (tx.now, tx.now.plus(HORIZON));
    if !rotation.zone.is_known() {
        let zone = rotation.zone.name();
        tracing::warn!(rotation = %id, zone, "nobody has a turn: there is no such time zone");
    }
    let fit = rotation.clone().without(&absent(tx, &rotation)?);
    let mut new: Vec<Stored> = fit.shifts(now, until).iter().map(Stored::from).collect();
    // Whose shift goes on has begun when it began.
    if let Some(first) = new.first_mut().filter(|s| s.from_at == now)
        && let Some(old) = shifts::at(tx, id, now)?
        && (old.user, old.is_override) == (first.user, first.is_override)
    {
        first.from_at = old.from_at;
    }
    shifts::replace(tx, id, (&new, until))?;
    let before = Timestamp(now.0.saturating_sub(KEPT));
    shifts::forget(tx, id, before)?;
    rotation_overrides::forget(tx, id, before)?;
    shift_ends::follow(tx, id)
}

/// Takes someone out of the rotations of an organization, or of all: who comes back is not on call
/// again by that. The names of those rotations, for the audit log.
pub(super) fn leave(
    tx: &WriteTx<'_>,
    user: UserId,
    organization: Option<OrganizationId>,
) -> Result<Vec<String>> {
    let mut names = Vec::new();
    for (id, name) in rotations::list_of(tx, user, organization)? {
        rotations::leave(tx, id, user)?;
        plan(tx, id)?;
        names.push(name);
    }
    Ok(names)
}

/// Who is in a rotation and may not be on call: suspended, deleted, or gone from the organization.
pub(super) fn absent(tx: &ReadTx<'_>, rotation: &Rotation) -> Result<BTreeSet<UserId>> {
    let mut all: BTreeSet<UserId> = rotation.members(tx.now).into_iter().collect();
    all.extend(rotation.overrides.iter().map(|o| o.user));
    let mut absent = BTreeSet::new();
    for user in all {
        if !rotations::is_fit(tx, rotation.organization_id, user)? {
            absent.insert(user);
        }
    }
    Ok(absent)
}

/// The stored shifts of a time, but for those to come of who may not be on call any more.
pub(super) fn planned(
    tx: &ReadTx<'_>,
    rotation: &Rotation,
    time: (Timestamp, Timestamp),
) -> Result<Vec<Stored>> {
    let mut all = shifts::list(tx, rotation.id, time)?;
    let absent = absent(tx, rotation)?;
    all.retain(|s| s.until_at <= tx.now || !absent.contains(&s.user));
    Ok(all)
}

/// The shifts of a time: the stored ones, and beyond them those that the rotation comes to.
fn between(
    tx: &ReadTx<'_>,
    rotation: &Rotation,
    (from, until): (Timestamp, Timestamp),
) -> Result<Vec<Stored>> {
    let end = shifts::planned_until(tx, rotation.id)?;
    let mut all = planned(tx, rotation, (from, until.min(end)))?;
    let beyond = from.max(end).max(tx.now);
    if beyond < until {
        let fit = rotation.clone().without(&absent(tx, rotation)?);
        let mut more: Vec<Stored> = fit.shifts(beyond, until).iter().map(Stored::from).collect();
        // One that the end of the plan has cut in two is one.
        if let (Some(last), Some(first)) = (all.last_mut(), more.first())
            && (last.user, last.until_at) == (first.user, first.from_at)
            && last.is_override == first.is_override
            && !is_handoff(&fit, first.from_at)
        {
            last.until_at = first.until_at;
            more.remove(0);
        }
        all.append(&mut more);
    }
    Ok(all)
}

/// Whether a turn begins just then.
fn is_handoff(rotation: &Rotation, at: Timestamp) -> bool {
    let begins = |layer: &Layer| {
        let turn = layer.turn_at(&rotation.zone, at)?;
        layer.handoff_of(&rotation.zone, turn)
    };
    rotation.layers.iter().any(|layer| begins(layer) == Some(at))
}
