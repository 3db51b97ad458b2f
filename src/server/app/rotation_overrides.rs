//! Overrides: someone is on call instead of whoever's turn it is.

use std::collections::BTreeSet;

use super::rotation_layers::member;
use super::rotations::{done, find, object};
use super::{Actor, App, Error, Result, organizations::line, shifts as plans};
use crate::model::audit::{AuditAction, Diff};
use crate::model::id::{OverrideId, RotationId, UserId};
use crate::model::policy::Action;
use crate::model::rotation::{MAX_OVERRIDE, MAX_OVERRIDES, MAX_REASON, Override, Rotation};
use crate::model::time::Timestamp;
use crate::server::db::{ReadTx, WriteTx, rotation_overrides, users};

/// What an override is made from.
#[derive(Clone, Debug, Default)]
pub struct NewOverride {
    /// Who, by name or id.
    pub user: String,
    /// From when on; none for now.
    pub from_at: Option<Timestamp>,
    /// Until when.
    pub until_at: Timestamp,
    /// Why; may be empty.
    pub reason: String,
}

impl App {
    /// Puts someone on call for a time: who may change the rotation does so for anyone's, who is on
    /// call then for their own, and gives it to someone else who is in the rotation. To themselves
    /// nobody gives what is theirs: it would stay so whatever becomes of the turn.
    ///
    /// # Errors
    /// [`Error::Denied`] for someone else's time, [`Error::Invalid`] for what does not fit,
    /// [`Error::Conflict`] where there are too many.
    pub async fn override_shift(
        &self,
        actor: &Actor,
        id: RotationId,
        cmd: NewOverride,
    ) -> Result<Override> {
        actor.require_own()?;
        let reason = line("reason", &cmd.reason, MAX_REASON)?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let rotation = find(tx, &actor, Action::Read, id)?;
                let from_at = cmd.from_at.unwrap_or(tx.now).max(tx.now);
                require_time(tx.now, (from_at, cmd.until_at))?;
                let user = whom(tx, &actor, &rotation, &cmd.user)?;
                require_theirs(tx, &actor, &rotation, (from_at, cmd.until_at))?;
                if !may_change(&actor, &rotation, tx.now) {
                    require_other(tx.now, &actor, (&rotation, user))?;
                }
                let made_by = Some(actor.caller()?.user.id);
                let until_at = cmd.until_at;
                let new = Override { id: tx.fresh(), user, from_at, until_at, made_by, reason };
                add(tx, &actor, &rotation, &new)?;
                Ok(new)
            })
            .await
    }

    /// The overrides of a rotation that the actor may take back.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a rotation the actor may not see.
    pub async fn undoable(&self, actor: &Actor, id: RotationId) -> Result<Vec<OverrideId>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let rotation = find(tx, &actor, Action::Read, id)?;
                if may_change(&actor, &rotation, tx.now) {
                    return Ok(rotation.overrides.iter().map(|o| o.id).collect());
                }
                let mine = rotation.overrides.iter().filter(|o| is_by(&actor, o));
                let mine: Vec<&Override> = mine.collect();
                if mine.is_empty() {
                    return Ok(Vec::new());
                }
                let absent = plans::absent(tx, &rotation)?;
                let may = |o: &&Override| may_undo(tx.now, &actor, (&rotation, &absent), o);
                Ok(mine.into_iter().filter(may).map(|o| o.id).collect())
            })
            .await
    }

    /// Takes an override back: from now on it is again as it would be without.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, [`Error::Denied`] for someone else's time.
    pub async fn undo_override(
        &self,
        actor: &Actor,
        id: RotationId,
        which: OverrideId,
    ) -> Result<()> {
        actor.require_own()?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let rotation = find(tx, &actor, Action::Read, id)?;
                let found = rotation.overrides.iter().find(|o| o.id == which).cloned();
                let old = found.ok_or(Error::NotFound("override"))?;
                require_undo(tx, &actor, &rotation, &old)?;
                rotation_overrides::delete(tx, which)?;
                plans::plan(tx, id)?;
                let (was, is) = (said(tx, &old)?, String::new());
                let diff = Diff::new().field("override", &was, &is);
                done(tx, &actor, AuditAction::Write, (&rotation, &diff))
            })
            .await
    }
}

/// Someone for a rotation. Members know each other by it, whatever else they may see of people.
fn whom(tx: &ReadTx<'_>, actor: &Actor, rotation: &Rotation, key: &str) -> Result<UserId> {
    let key = key.trim();
    for id in rotation.members(tx.now) {
        let user = users::find(tx, id)?;
        let is_meant = |name: &str| name.eq_ignore_ascii_case(key) || id.to_string() == key;
        if user.is_some_and(|user| is_meant(user.username.as_str())) {
            let place = (rotation.organization_id, key);
            return member(tx, &Actor::System, place, "user");
        }
    }
    member(tx, actor, (rotation.organization_id, key), "user")
}

/// Whether the actor may change a rotation.
fn may_change(actor: &Actor, rotation: &Rotation, now: Timestamp) -> bool {
    actor.may(now, Action::Update, &object(rotation))
}

fn require_time(now: Timestamp, (from, until): (Timestamp, Timestamp)) -> Result<()> {
    if until <= now {
        return Err(Error::invalid("until", "must lie ahead"));
    }
    if until <= from {
        return Err(Error::invalid("until", "must be later than from"));
    }
    if from > now.plus(MAX_OVERRIDE * 4) {
        return Err(Error::invalid("from", "must lie in the next twelve months"));
    }
    if until.since(from) > MAX_OVERRIDE {
        let days = MAX_OVERRIDE.as_secs() / 86_400;
        return Err(Error::invalid("until", format!("may be at most {days} days after from")));
    }
    Ok(())
}

/// Asks for someone else who is in the rotation.
fn require_other(
    now: Timestamp,
    actor: &Actor,
    (rotation, user): (&Rotation, UserId),
) -> Result<()> {
    if actor.user_id() == Some(user) {
        return Err(Error::invalid("user", "must be someone else: this time is yours"));
    }
    if !rotation.has(user, now) {
        return Err(Error::invalid("user", "must be someone who is in the rotation"));
    }
    Ok(())
}

/// Asks for the right to change the rotation, or for a time that is all the actor's own.
fn require_theirs(
    tx: &ReadTx<'_>,
    actor: &Actor,
    rotation: &Rotation,
    time: (Timestamp, Timestamp),
) -> Result<()> {
    let Err(denied) = actor.require(tx.now, Action::Update, &object(rotation)) else {
        return Ok(());
    };
    let Some(me) = actor.user_id().filter(|me| has_time(rotation, *me, tx.now)) else {
        return Err(denied);
    };
    let absent = plans::absent(tx, rotation)?;
    if rotation.clone().without(&absent).is_all_of(me, time) {
        return Ok(());
    }
    Err(Error::denied("you may hand over only time in which you are on call yourself"))
}

/// Whether anything of a rotation may be someone's: who has none of it costs no plan.
fn has_time(rotation: &Rotation, user: UserId, now: Timestamp) -> bool {
    rotation.has(user, now) || rotation.overrides.iter().any(|o| o.user == user)
}

/// Asks for the right to take an override back: to change the rotation, or [`may_undo`].
fn require_undo(tx: &ReadTx<'_>, actor: &Actor, rotation: &Rotation, old: &Override) -> Result<()> {
    let Err(denied) = actor.require(tx.now, Action::Update, &object(rotation)) else {
        return Ok(());
    };
    if !is_by(actor, old) {
        return Err(denied);
    }
    let absent = plans::absent(tx, rotation)?;
    if may_undo(tx.now, actor, (rotation, &absent), old) { Ok(()) } else { Err(denied) }
}

/// Whether the actor made an override.
fn is_by(actor: &Actor, one: &Override) -> bool {
    one.made_by.is_some() && one.made_by == actor.user_id()
}

/// Whether an override that the actor made may be taken back by them alone: what would be theirs
/// without it is theirs.
fn may_undo(
    now: Timestamp,
    actor: &Actor,
    (rotation, absent): (&Rotation, &BTreeSet<UserId>),
    old: &Override,
) -> bool {
    let Some(me) = actor.user_id().filter(|me| has_time(rotation, *me, now)) else { return false };
    let mut without = rotation.clone().without(absent);
    without.overrides.retain(|o| o.id != old.id);
    is_by(actor, old) && without.is_all_of(me, (old.from_at.max(now), old.until_at))
}

/// Writes an override, and plans anew.
pub(super) fn add(
    tx: &WriteTx<'_>,
    actor: &Actor,
    rotation: &Rotation,
    new: &Override,
) -> Result<()> {
    if rotation.overrides.len() >= MAX_OVERRIDES {
        let why = format!("a rotation has at most {MAX_OVERRIDES} overrides that are not over");
        return Err(Error::Conflict(why));
    }
    rotation_overrides::insert(tx, rotation.id, new)?;
    plans::plan(tx, rotation.id)?;
    let diff = Diff::new().field("override", &String::new(), &said(tx, new)?).field(
        "reason",
        "",
        &new.reason,
    );
    done(tx, actor, AuditAction::Write, (rotation, &diff))
}

/// Removes what is to come of some people's overrides; what the audit log says of each.
pub(super) fn withdraw(
    tx: &WriteTx<'_>,
    rotation: &Rotation,
    is_gone: impl Fn(UserId) -> bool,
) -> Result<Vec<String>> {
    let mut all = Vec::new();
    for old in rotation.overrides.iter().filter(|o| is_gone(o.user)) {
        rotation_overrides::delete(tx, old.id)?;
        all.push(said(tx, old)?);
    }
    Ok(all)
}

/// What the audit log says of an override.
pub(super) fn said(tx: &ReadTx<'_>, one: &Override) -> Result<String> {
    let user = users::find(tx, one.user)?;
    let name = user.map_or_else(|| one.user.to_string(), |user| user.username.to_string());
    Ok(format!("{name} from {} until {}", one.from_at.rfc3339(), one.until_at.rfc3339()))
}
