//! Letting oneself into a workspace in an emergency: for an hour, recorded, told to everyone who keeps it,
//! and open until someone else has looked into it.

use super::access::{record, rights};
use super::grant_rows;
use super::letters::tell_keepers;
use super::request_hooks::tell_break_glass;
use super::request_rights::require_person;
use super::request_views::name;
use super::requests::reason;
use super::sharing_rights::{is_off, require_member};
use super::sharing_trail::{self, words};
use super::workspaces::owner_id;
use super::{Actor, App, Error, Result, access, audit_chain, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::grant::{Grant, Limits, Reason, Recipient, Via};
use crate::model::id::{BreakGlassId, OrganizationId, UserId, WorkspaceId};
use crate::model::policy::{Action, Object, ResourceType};
use crate::model::request::{BREAK_GLASS, BreakGlass, BreakGlassView, place};
use crate::model::verb::{Preset, Verb};
use crate::server::db::{ReadTx, WriteTx, break_glass as rows, workspaces};

/// Those that are shown at most: more have to be looked into first.
const MAX_SHOWN: usize = 100;
/// Those of one person into which nobody has looked, at most.
const MAX_OPEN: usize = 3;

impl App {
    /// Lets the actor into a workspace for an hour, recorded. It can be taken back as any grant.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a workspace they may not know of, [`Error::Denied`] without the permission
    /// and where no grant holds, [`Error::Invalid`] without a reason, [`Error::Conflict`] for who is in.
    pub async fn break_glass(
        &self,
        actor: &Actor,
        (workspace, why): (&str, &str),
    ) -> Result<BreakGlassView> {
        let (actor, text, why) = (actor.clone(), workspace.to_owned(), why.to_owned());
        self.db
            .write(move |tx| {
                let user = require_person(&actor)?;
                if !actor.caller()?.is_session() {
                    return Err(Error::denied(
                        "people let themselves in by a session, not by a token",
                    ));
                }
                let (id, owner, organization) = allowed(tx, &actor, &text)?;
                require_use(tx, user, (id, owner, organization))?;
                actor.require_fresh(tx.now)?;
                let taken = take(tx, &actor, (id, user), reason(&why)?)?;
                tell_break_glass(tx, organization, &taken)?;
                tell_keepers(tx, &taken)?;
                view(tx, &actor, taken)
            })
            .await
    }

    /// What nobody has looked into yet of what the actor may look into.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn open_break_glass(&self, actor: &Actor) -> Result<Vec<BreakGlassView>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let open = seen(tx, &actor)?.into_iter();
                open.map(|one| view(tx, &actor, one)).collect()
            })
            .await
    }

    /// The same of one workspace, for who may see that.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the actor may not know the workspace.
    pub async fn break_glass_in(
        &self,
        actor: &Actor,
        id: WorkspaceId,
    ) -> Result<Vec<BreakGlassView>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                access::require(tx, &actor, id, Verb::View)?;
                let open = rows::open_in(tx, id, MAX_SHOWN)?.into_iter();
                open.map(|one| view(tx, &actor, one)).collect()
            })
            .await
    }

    /// Says that the actor has looked into it, and what they found.
    ///
    /// # Errors
    /// [`Error::NotFound`] for what they may not look into, [`Error::Denied`] for who let themselves in,
    /// [`Error::Invalid`] without a note, [`Error::Conflict`] when someone has.
    pub async fn review_break_glass(
        &self,
        actor: &Actor,
        id: BreakGlassId,
        note: &str,
    ) -> Result<BreakGlassView> {
        let (actor, note) = (actor.clone(), note.to_owned());
        self.db
            .write(move |tx| {
                let user = require_person(&actor)?;
                let taken = rows::find(tx, id)?.ok_or(Error::NotFound("emergency"))?;
                if taken.user_id == user {
                    return Err(Error::denied("someone else looks into it"));
                }
                if !may_look_into(tx, &actor, &taken)? {
                    return Err(Error::NotFound("emergency"));
                }
                let note = reason(&note).map_err(|error| error.map_field(|_| "note".to_owned()))?;
                if !rows::review(tx, id, (user, &note))? {
                    return Err(Error::conflict("someone has looked into it already"));
                }
                let diff = Diff::new().field("review", "", note.as_str());
                written(tx, &actor, AuditAction::Write, (&taken, &diff))?;
                let taken = rows::find(tx, id)?.ok_or(Error::NotFound("emergency"))?;
                view(tx, &actor, taken)
            })
            .await
    }
}

type At = (WorkspaceId, UserId, OrganizationId);

/// The workspace of an id or a name into which the actor may let themselves.
fn allowed(tx: &ReadTx<'_>, actor: &Actor, text: &str) -> Result<At> {
    let missing = || Error::NotFound("workspace");
    let id = match (text.parse::<WorkspaceId>(), place(text)) {
        (Ok(id), _) => id,
        (Err(_), None) => {
            return Err(Error::invalid("workspace", "is not the name of one; write OWNER/NAME"));
        }
        (Err(_), Some((owner, name))) => {
            let owner = owner_id(tx, actor, owner)?.ok_or_else(missing)?;
            workspaces::id_by_name(tx, owner, name)?.ok_or_else(missing)?
        }
    };
    let (owner, organization) = workspaces::belonging(tx, id)?.ok_or_else(missing)?;
    if workspaces::is_deleted(tx, id)? {
        return Err(missing());
    }
    let object = Object::site(ResourceType::Workspace).id(id).of(owner).within(organization);
    if actor.may(tx.now, Action::BreakGlass, &object) {
        return Ok((id, owner, organization));
    }
    access::require(tx, actor, id, Verb::View)?;
    Err(Error::denied("letting oneself in takes the permission workspace:break_glass"))
}

/// Asks whether it would let them in, and whether they are out.
fn require_use(tx: &ReadTx<'_>, user: UserId, (id, owner, place): At) -> Result<()> {
    if owner == user {
        return Err(Error::conflict("it is your own"));
    }
    if is_off(tx)? {
        return Err(Error::denied("the operator has turned sharing off: no grant holds here"));
    }
    if rows::stands(tx, user, id)? {
        return Err(Error::conflict("you have let yourself in already, and that holds"));
    }
    let open = rows::open_of(tx, user, MAX_OPEN)?;
    if open.contains(&id) {
        return Err(Error::conflict(
            "nobody has looked into the last time yet; someone else does first",
        ));
    }
    if open.len() >= MAX_OPEN {
        return Err(Error::conflict(format!(
            "nobody has looked into the last {MAX_OPEN} emergencies yet; someone else does first"
        )));
    }
    require_member(tx, place, user)
        .map_err(|_| Error::denied("only members of the workspace's organization are let in"))
}

fn take(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (id, user): (WorkspaceId, UserId),
    reason: String,
) -> Result<BreakGlass> {
    let (before, until) = (words(tx, id)?, tx.now.plus(BREAK_GLASS));
    let grant = Grant {
        id: tx.fresh(),
        workspace_id: id,
        to: Recipient::User(user),
        verbs: Preset::Use.verbs(),
        limits: Limits { until: Some(until), is_recorded: true, ..Limits::default() },
        reason: reason.clone(),
        granted_by: Some(user),
        granted_at: tx.now,
        via: Via::BreakGlass,
        under: None,
        ended: None,
    };
    grant_rows::insert(tx, &grant)?;
    let taken = BreakGlass {
        id: tx.fresh(),
        workspace_id: id,
        user_id: user,
        grant_id: Some(grant.id),
        reason,
        taken_at: tx.now,
        until,
        review: None,
    };
    rows::insert(tx, &taken)?;
    let diff = Diff::new().field("reason", "", taken.reason.as_str()).field(
        "until",
        String::new(),
        until.rfc3339(),
    );
    written(tx, actor, AuditAction::Create, (&taken, &diff))?;
    sharing_trail::record(tx, actor, id, &before)?;
    Ok(taken)
}

/// What the actor may look into and nobody has, their own among it.
fn seen(tx: &ReadTx<'_>, actor: &Actor) -> Result<Vec<BreakGlass>> {
    let mut found = vec![];
    let is_reader = audit_chain::require_reader(tx.now, actor).is_ok();
    let user = match actor.user_id() {
        Some(user) => (!is_reader).then_some(user),
        None if is_reader => None,
        None => return Ok(found),
    };
    for one in rows::open(tx, user, MAX_SHOWN)? {
        if Some(one.user_id) == actor.user_id() || may_look_into(tx, actor, &one)? {
            found.push(one);
        }
    }
    Ok(found)
}

/// What waits for the actor to look into it.
pub(super) fn to_review(tx: &ReadTx<'_>, actor: &Actor) -> Result<Vec<BreakGlass>> {
    let mut all = seen(tx, actor)?;
    all.retain(|one| Some(one.user_id) != actor.user_id());
    Ok(all)
}

/// Whether someone may look into it: an owner or auditor of the site, and who owns the workspace or
/// answers for it.
fn may_look_into(tx: &ReadTx<'_>, actor: &Actor, taken: &BreakGlass) -> Result<bool> {
    if audit_chain::require_reader(tx.now, actor).is_ok() {
        return Ok(true);
    }
    let Some(user) = actor.user_id() else { return Ok(false) };
    let held = rights(tx, user, taken.workspace_id)?;
    Ok(held.iter().any(|right| matches!(right.reason, Reason::Owner | Reason::Responsible)))
}

fn view(tx: &ReadTx<'_>, actor: &Actor, taken: BreakGlass) -> Result<BreakGlassView> {
    let workspace = workspaces::find(tx, taken.workspace_id)?;
    let workspace = workspace.ok_or(Error::NotFound("workspace"))?;
    let is_others = actor.user_id().is_some_and(|user| user != taken.user_id);
    let is_open = taken.review.is_none();
    Ok(BreakGlassView {
        by: name(tx, taken.user_id)?,
        workspace: format!("{}/{}", workspace.owner.username, workspace.name),
        may_review: is_open && is_others && may_look_into(tx, actor, &taken)?,
        taken,
    })
}

fn written(
    tx: &WriteTx<'_>,
    actor: &Actor,
    action: AuditAction,
    (taken, diff): (&BreakGlass, &Diff),
) -> Result<()> {
    let workspace = workspaces::find(tx, taken.workspace_id)?;
    let workspace = workspace.ok_or(Error::NotFound("workspace"))?;
    let name = format!("{}/{}", workspace.owner.username, workspace.name);
    let entry = trail::entry(action, AuditTarget::BreakGlass, taken.id.0, &name);
    let entry = trail::within(entry, workspace.organization_id);
    record(tx, actor, &trail::with(entry, diff))?;
    tx.emit(Event::Workspace(taken.workspace_id));
    Ok(())
}
