//! Whose workspaces may be shared in an organization: what a change ends is told before, and can be
//! restored for a while.

use super::grant_rows::require_room;
use super::sharing::view_in;
use super::sharing_rights::{self as rights, OFF};
use super::sharing_trail::{said_of, shortened};
use super::{Actor, App, Error, Result, access, organizations as places, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::grant::{EndedWhy, Grant, GrantView, Mode};
use crate::model::policy::Action;
use crate::model::user::Organization;
use crate::server::db::{ReadTx, WriteTx, grants, organizations, settings, workspaces};

/// Grants that are shown and named at most, of those that a change ends or restores.
const MAX_SHOWN: usize = 200;

/// How sharing is set in an organization.
#[derive(Clone, Debug)]
pub struct SharingMode {
    /// Whose workspaces may be shared.
    pub mode: Mode,
    /// The operator has turned sharing off everywhere.
    pub is_off: bool,
    /// The grants that ended with the mode before and would stand now, while they can be restored.
    pub restorable: Vec<ModeEntry>,
    /// How many those are; the list has the first of them.
    pub restorable_count: usize,
}

/// A grant that a mode ends, or lets stand again.
#[derive(Clone, Debug)]
pub struct ModeEntry {
    /// Owner and name of the workspace it is on.
    pub workspace: String,
    /// The grant with the names of whom it is about.
    pub view: GrantView,
}

impl App {
    /// How sharing is set in an organization.
    ///
    /// # Errors
    /// [`Error::NotFound`] for one that the actor does not know.
    pub async fn sharing_mode(&self, actor: &Actor, key: &str) -> Result<SharingMode> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .read(move |tx| {
                let place = places::find(tx, &actor, &key)?;
                let keeps = actor.may(tx.now, Action::Update, &places::object(&place));
                shown(tx, &place, keeps)
            })
            .await
    }

    /// The grants that would end with another mode.
    ///
    /// # Errors
    /// [`Error::NotFound`] for an organization that the actor does not know, [`Error::Denied`] for one
    /// that they do not keep.
    pub async fn sharing_mode_ends(
        &self,
        actor: &Actor,
        key: &str,
        mode: Mode,
    ) -> Result<Vec<ModeEntry>> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .read(move |tx| {
                let place = keep(tx, &actor, &key)?;
                entries(tx, &grants::against(tx, place.id, mode)?)
            })
            .await
    }

    /// Sets whose workspaces may be shared. Grants that may not stand any more end at once; for 30 days
    /// they can be restored.
    ///
    /// # Errors
    /// As [`App::sharing_mode_ends`]; [`Error::Unconfirmed`] before a second factor.
    pub async fn set_sharing_mode(
        &self,
        actor: &Actor,
        key: &str,
        mode: Mode,
    ) -> Result<SharingMode> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .write(move |tx| {
                let place = keep(tx, &actor, &key)?;
                actor.require_fresh(tx.now)?;
                let old = organizations::sharing(tx, place.id)?;
                let ended = grants::against(tx, place.id, mode)?;
                for grant in &ended {
                    grants::end(tx, grant.id, actor.user_id(), EndedWhy::Mode)?;
                }
                organizations::set_sharing(tx, place.id, mode)?;
                let diff = Diff::new()
                    .field("shareable_workspace_owners", old.as_str(), mode.as_str())
                    .field("grants", words(tx, &ended)?, Vec::<String>::new());
                written(tx, &actor, (&place, &diff))?;
                shown(tx, &place, true)
            })
            .await
    }

    /// Lets the grants stand again that ended with a mode, as far as the one of now allows. Gives how
    /// many.
    ///
    /// # Errors
    /// As [`App::set_sharing_mode`].
    pub async fn restore_by_mode(&self, actor: &Actor, key: &str) -> Result<usize> {
        let (actor, key) = (actor.clone(), key.to_owned());
        self.db
            .write(move |tx| {
                let place = keep(tx, &actor, &key)?;
                actor.require_fresh(tx.now)?;
                let mode = organizations::sharing(tx, place.id)?;
                let all = grants::restorable(tx, place.id, mode)?;
                let mut restored = vec![];
                for grant in all {
                    if require_room(tx, grant.workspace_id).is_ok() {
                        grants::restore(tx, grant.id)?;
                        restored.push(grant);
                    }
                }
                let said = words(tx, &restored)?;
                let diff = Diff::new().field("grants", Vec::<String>::new(), said);
                written(tx, &actor, (&place, &diff))?;
                Ok(restored.len())
            })
            .await
    }

    /// Turns sharing off or on for the whole deployment, as its operator has set it.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn set_sharing_off(&self, is_off: bool) -> Result<()> {
        let was = self.db.read(|tx| settings::find(tx, OFF)).await?.is_some();
        if was == is_off {
            return Ok(());
        }
        self.db
            .write(move |tx| {
                if is_off {
                    settings::put(tx, OFF, b"1")?;
                } else {
                    settings::delete(tx, OFF)?;
                }
                let target = AuditTarget::Setting;
                let entry = trail::entry(AuditAction::Write, target, uuid::Uuid::nil(), "sharing");
                let diff = Diff::new().field("disable_workspace_sharing", !is_off, is_off);
                access::record(tx, &Actor::System, &trail::with(entry, &diff))?;
                tx.emit(Event::Grants);
                Ok(())
            })
            .await
    }
}

/// An organization that the actor keeps.
fn keep(tx: &ReadTx<'_>, actor: &Actor, key: &str) -> Result<Organization> {
    actor.require_own()?;
    let place = places::find(tx, actor, key)?;
    actor.require(tx.now, Action::Update, &places::object(&place))?;
    Ok(place)
}

fn shown(tx: &ReadTx<'_>, place: &Organization, keeps: bool) -> Result<SharingMode> {
    let mode = organizations::sharing(tx, place.id)?;
    let found = if keeps { grants::restorable(tx, place.id, mode)? } else { vec![] };
    let (is_off, restorable_count) = (rights::is_off(tx)?, found.len());
    Ok(SharingMode { mode, is_off, restorable: entries(tx, &found)?, restorable_count })
}

/// The first of these with their names.
fn entries(tx: &ReadTx<'_>, all: &[Grant]) -> Result<Vec<ModeEntry>> {
    let mut entries = Vec::with_capacity(all.len().min(MAX_SHOWN));
    for grant in all.iter().take(MAX_SHOWN) {
        let workspace = workspaces::find(tx, grant.workspace_id)?;
        let workspace = workspace.ok_or(Error::NotFound("workspace"))?;
        let name = format!("{}/{}", workspace.owner.username, workspace.name);
        let view = view_in(tx, workspace.organization_id, grant.clone())?;
        entries.push(ModeEntry { workspace: name, view });
    }
    Ok(entries)
}

/// The first of these in the words of the log, and how many there are.
fn words(tx: &ReadTx<'_>, all: &[Grant]) -> Result<Vec<String>> {
    let entries = entries(tx, all)?.into_iter();
    let said =
        entries.map(|e| format!("{}: {}, {}", e.workspace, e.view.name, said_of(&e.view.grant)));
    let mut said = shortened(said.collect());
    if all.len() > MAX_SHOWN {
        said.push(format!("{} in all", all.len()));
    }
    Ok(said)
}

fn written(tx: &WriteTx<'_>, actor: &Actor, (place, diff): (&Organization, &Diff)) -> Result<()> {
    if diff.is_empty() {
        return Ok(());
    }
    let target = AuditTarget::Organization;
    let entry = trail::entry(AuditAction::Write, target, place.id.0, &place.name);
    access::record(tx, actor, &trail::with(trail::within(entry, place.id), diff))?;
    tx.emit(Event::Grants);
    Ok(())
}
