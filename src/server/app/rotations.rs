//! Use cases on rotations: who takes turns being on call.

use std::collections::BTreeMap;

use super::access::record;
use super::rotation_layers::{NewLayer, layers, layers_of};
use super::rotation_overrides::withdraw;
use super::{Actor, App, Error, Result, organizations, sharing_trail, shifts as plans, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::id::{RotationId, UserId};
use crate::model::name::GroupName;
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::rotation::{HORIZON, MAX_EDGES, MAX_ROTATIONS, Rotation, Stored, Zone};
use crate::model::time::Timestamp;
use crate::model::user::{Organization, UserRef};
use crate::server::db::{self, ReadTx, WriteTx, grants, rotations, shifts, users};

/// What a rotation is made from.
#[derive(Clone, Debug, Default)]
pub struct CreateRotation {
    /// Its name.
    pub name: String,
    /// Where its times of day are.
    pub zone: String,
    /// Its layers, the first one lowest.
    pub layers: Vec<NewLayer>,
}

/// What changes of a rotation; none leaves a field as it is.
#[derive(Clone, Debug, Default)]
pub struct UpdateRotation {
    /// The name.
    pub name: Option<String>,
    /// Where its times of day are.
    pub zone: Option<String>,
    /// Its layers: each takes the place of the one at its place.
    pub layers: Option<Vec<NewLayer>>,
}

/// A rotation as it is shown.
#[derive(Clone, Debug)]
pub struct RotationView {
    /// The rotation.
    pub rotation: Rotation,
    /// Where it belongs.
    pub organization: Organization,
    /// The names of those who are in it.
    pub people: BTreeMap<UserId, UserRef>,
    /// Who is on call now, and until when.
    pub now: Option<(UserId, Timestamp)>,
    /// The first shift to come of someone else.
    pub next: Option<Stored>,
    /// Whether a program may say who is on call.
    pub has_webhook: bool,
}

impl RotationView {
    /// Someone's name.
    #[must_use]
    pub fn name(&self, user: UserId) -> &str {
        self.people.get(&user).map_or("", |user| user.username.as_str())
    }
}

impl App {
    /// The rotations of an organization, by name.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an organization the actor may not see, [`Error::Denied`] for who may
    /// not see its rotations.
    pub async fn rotations(&self, actor: &Actor, organization: &str) -> Result<Vec<RotationView>> {
        let (actor, key) = (actor.clone(), organization.to_owned());
        self.db
            .read(move |tx| {
                let place = organizations::find(tx, &actor, &key)?;
                let all = Object::site(ResourceType::Rotation).within(place.id);
                actor.require(tx.now, Action::Read, &all)?;
                let found = rotations::list(tx, place.id)?.into_iter();
                found.map(|rotation| view(tx, rotation, place.clone())).collect()
            })
            .await
    }

    /// A rotation by id.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or the actor may not see it.
    pub async fn rotation(&self, actor: &Actor, id: RotationId) -> Result<RotationView> {
        let actor = actor.clone();
        self.db.read(move |tx| shown(tx, find(tx, &actor, Action::Read, id)?)).await
    }

    /// A rotation by its organization and name.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none or the actor may not see it.
    pub async fn rotation_named(
        &self,
        actor: &Actor,
        (organization, name): (&str, &str),
    ) -> Result<RotationView> {
        let (actor, keys) = (actor.clone(), (organization.to_owned(), name.to_owned()));
        self.db
            .read(move |tx| {
                let place = organizations::find(tx, &actor, &keys.0)?;
                let found = rotations::find_by_name(tx, place.id, &keys.1)?;
                let found = found.ok_or(Error::NotFound("rotation"))?;
                actor.require(tx.now, Action::Read, &object(&found))?;
                view(tx, found, place)
            })
            .await
    }

    /// Makes a rotation.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] for a name that is taken,
    /// [`Error::Invalid`] for what does not fit.
    pub async fn create_rotation(
        &self,
        actor: &Actor,
        organization: &str,
        cmd: CreateRotation,
    ) -> Result<RotationView> {
        actor.require_own()?;
        let name = parse_name(&cmd.name)?;
        let zone = parse_zone(&cmd.zone)?;
        let (actor, key) = (actor.clone(), organization.to_owned());
        self.db
            .write(move |tx| {
                let place = organizations::find(tx, &actor, &key)?;
                let all = Object::site(ResourceType::Rotation).within(place.id);
                actor.require(tx.now, Action::Create, &all)?;
                if rotations::count(tx, place.id)? >= MAX_ROTATIONS {
                    let why = format!("an organization has at most {MAX_ROTATIONS} rotations");
                    return Err(Error::Conflict(why));
                }
                let rotation = Rotation {
                    id: tx.fresh(),
                    organization_id: place.id,
                    name,
                    zone,
                    layers: layers(tx, &actor, (place.id, None), &cmd.layers)?,
                    overrides: Vec::new(),
                    created_at: tx.now,
                };
                require_plannable(&rotation, tx.now)?;
                rotations::insert(tx, &rotation).map_err(|e| taken(e, &rotation))?;
                plans::plan(tx, rotation.id)?;
                let said = said(tx, &rotation)?;
                let diff = Diff::new().field("zone", "", rotation.zone.name()).field(
                    "layers",
                    &[][..],
                    said.as_slice(),
                );
                done(tx, &actor, AuditAction::Create, (&rotation, &diff))?;
                shown(tx, rotation)
            })
            .await
    }

    /// Changes a rotation. Shifts that are over stay as they were.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not, [`Error::Conflict`] for a name that is taken,
    /// [`Error::Invalid`] for what does not fit.
    pub async fn update_rotation(
        &self,
        actor: &Actor,
        id: RotationId,
        cmd: UpdateRotation,
    ) -> Result<RotationView> {
        actor.require_own()?;
        let name = cmd.name.as_deref().map(parse_name).transpose()?;
        let zone = cmd.zone.as_deref().map(parse_zone).transpose()?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let old = find(tx, &actor, Action::Update, id)?;
                let mut new = old.clone();
                new.name = name.unwrap_or(new.name);
                new.zone = zone.unwrap_or(new.zone);
                if let Some(given) = &cmd.layers {
                    new.layers = layers(tx, &actor, (old.organization_id, Some(&old)), given)?;
                    require_plannable(&new, tx.now)?;
                }
                rotations::update(tx, &new).map_err(|e| taken(e, &new))?;
                // Who is taken out keeps nothing of it.
                let ended =
                    withdraw(tx, &new, |user| old.has(user, tx.now) && !new.has(user, tx.now))?;
                plans::plan(tx, id)?;
                let (was, is) = (said(tx, &old)?, said(tx, &new)?);
                let diff = Diff::new()
                    .field("name", old.name.as_str(), new.name.as_str())
                    .field("zone", old.zone.name(), new.zone.name())
                    .field("layers", &was, &is)
                    .field("overrides", ended, Vec::new());
                done(tx, &actor, AuditAction::Write, (&new, &diff))?;
                shown(tx, rotations::find(tx, id)?.ok_or(Error::NotFound("rotation"))?)
            })
            .await
    }

    /// Removes a rotation: nobody is on call by it any more.
    ///
    /// # Errors
    /// [`Error::Denied`] for who may not.
    pub async fn delete_rotation(&self, actor: &Actor, id: RotationId) -> Result<()> {
        actor.require_own()?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let old = find(tx, &actor, Action::Delete, id)?;
                actor.require_fresh(tx.now)?;
                // What it gave goes with it, and so does what was given at once for its shifts.
                let touched = grants::workspaces_of(tx, id)?.into_iter();
                let before =
                    touched.map(|workspace| Ok((workspace, sharing_trail::words(tx, workspace)?)));
                let before = before.collect::<Result<Vec<_>>>()?;
                rotations::delete(tx, id)?;
                for (workspace, before) in &before {
                    sharing_trail::record(tx, &actor, *workspace, before)?;
                }
                done(tx, &actor, AuditAction::Delete, (&old, &Diff::new()))
            })
            .await
    }
}

/// A rotation to which the actor may do something.
pub(super) fn find(
    tx: &ReadTx<'_>,
    actor: &Actor,
    action: Action,
    id: RotationId,
) -> Result<Rotation> {
    let found = rotations::find(tx, id)?.ok_or(Error::NotFound("rotation"))?;
    actor.require(tx.now, action, &object(&found))?;
    Ok(found)
}

/// A rotation as a decision looks at it.
pub(super) fn object(rotation: &Rotation) -> Object {
    Object::site(ResourceType::Rotation).id(rotation.id).within(rotation.organization_id)
}

fn shown(tx: &ReadTx<'_>, rotation: Rotation) -> Result<RotationView> {
    let place = db::organizations::find(tx, rotation.organization_id)?;
    view(tx, rotation, place.ok_or(Error::NotFound("organization"))?)
}

fn view(tx: &ReadTx<'_>, rotation: Rotation, organization: Organization) -> Result<RotationView> {
    let now = shifts::on_shift(tx, rotation.id)?;
    let ahead = plans::planned(tx, &rotation, (tx.now, Timestamp(i64::MAX)))?;
    let next = ahead.into_iter().find(|s| s.from_at > tx.now && Some(s.user) != now.map(|n| n.0));
    let mut ids = rotation.members(tx.now);
    ids.extend(rotation.overrides.iter().map(|o| o.user));
    ids.extend(rotation.overrides.iter().filter_map(|o| o.made_by));
    ids.extend(now.map(|n| n.0).into_iter().chain(next.map(|s| s.user)));
    Ok(RotationView {
        people: names(tx, ids)?,
        has_webhook: rotations::webhook(tx, rotation.id)?.is_some(),
        rotation,
        organization,
        now,
        next,
    })
}

/// The names of some users.
pub(super) fn names(
    tx: &ReadTx<'_>,
    ids: impl IntoIterator<Item = UserId>,
) -> Result<BTreeMap<UserId, UserRef>> {
    let mut all = BTreeMap::new();
    for id in ids {
        if !all.contains_key(&id)
            && let Some(user) = users::find(tx, id)?
        {
            all.insert(id, UserRef::of(&user));
        }
    }
    Ok(all)
}

/// What the audit log says of each layer.
fn said(tx: &ReadTx<'_>, rotation: &Rotation) -> Result<Vec<String>> {
    let people = names(tx, rotation.members(tx.now))?;
    Ok(layers_of(rotation, tx.now, &|id| {
        people.get(&id).map_or_else(|| id.to_string(), |user| user.username.to_string())
    }))
}

pub(super) fn done(
    tx: &WriteTx<'_>,
    actor: &Actor,
    action: AuditAction,
    (rotation, diff): (&Rotation, &Diff),
) -> Result<()> {
    let entry = trail::entry(action, AuditTarget::Rotation, rotation.id.0, rotation.name.as_str());
    let entry = trail::within(entry, rotation.organization_id);
    record(tx, actor, &trail::with(entry, diff))?;
    tx.emit(Event::Grants);
    Ok(())
}

/// Asks for layers that change who is on call no more often than can be planned.
fn require_plannable(rotation: &Rotation, now: Timestamp) -> Result<()> {
    if rotation.edges_ahead(now) <= MAX_EDGES {
        return Ok(());
    }
    let days = HORIZON.as_secs() / 86_400;
    let why = format!("change who is on call more than {MAX_EDGES} times in {days} days");
    Err(Error::invalid("layers", why))
}

fn parse_name(text: &str) -> Result<GroupName> {
    GroupName::parse(text.trim()).map_err(|e| Error::invalid("name", e))
}

fn parse_zone(text: &str) -> Result<Zone> {
    Zone::parse(text.trim()).map_err(|e| Error::invalid("zone", e))
}

fn taken(error: db::Error, rotation: &Rotation) -> Error {
    Error::taken(error, || format!("there is a rotation named {}", rotation.name))
}
