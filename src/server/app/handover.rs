//! Handing a workspace over: it becomes another's, and what it holds in its owner's name ends.
//!
//! What stays is the workspace's: its machine, its state, and what was granted on it, by whomever. A grant
//! by its former owner goes on in their name; it does not depend on them, and the new owner ends it as any
//! other, or has all of them end at the handover. What stood under a grant still does.

use super::build_requests::{BuildRequest, add_build};
use super::recipients::member;
use super::sharing_trail::{record as record_grants, words};
use super::{
    Actor, App, Error, Result, access, agents, codes as share_codes, service_accounts as accounts,
    sharing_rights, template_rights, trail, workspaces as cases,
};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::build::{BuildReason, Transition, check_external};
use crate::model::event::Event;
use crate::model::grant::EndedWhy;
use crate::model::handover::HandedOver;
use crate::model::id::{UserId, WorkspaceId};
use crate::model::policy::{self, Action, Context, Object, ResourceType, Scope};
use crate::model::user::{User, UserKind, UserRef};
use crate::model::verb::Verb;
use crate::model::workspace::Workspace;
use crate::server::db::seal::Seal;
use crate::server::db::{
    ReadTx, WriteTx, agent_spots, agents as rows, codes, grants, quotas, service_accounts, tokens,
    users, workspaces,
};

/// A handover as it is asked for.
#[derive(Clone, Debug, Default)]
pub struct Handover {
    /// Whose it becomes: a name or an id.
    pub to: String,
    /// Ends what was granted on it, and takes its codes back.
    pub end_grants: bool,
}

impl App {
    /// What a handover would change: all of it is done and undone.
    ///
    /// # Errors
    /// As [`App::hand_over`].
    pub async fn try_handover(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        cmd: Handover,
    ) -> Result<HandedOver> {
        let (actor, seal) = (actor.clone(), self.seal.clone());
        self.tried(move |tx| hand_over(tx, &seal, &actor, (id, &cmd))).await
    }

    /// Hands a workspace over. The token that it was lent in its owner's name ends, and so does what its
    /// former owner has open in it, unless they may be there otherwise. Its agents' tokens, which its former
    /// owner may know, end at once, and what runs is restarted. Where that fails nobody is let in before the
    /// next start.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the actor may not know the workspace; [`Error::Denied`] for who has it
    /// only by a share, may not do everything with it, or may not make workspaces for the other;
    /// [`Error::Conflict`] while a build is under way, when the other has one of that name, may not use its
    /// template, or has no budget for it.
    pub async fn hand_over(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        cmd: Handover,
    ) -> Result<HandedOver> {
        actor.require_own()?;
        let (actor, seal) = (actor.clone(), self.seal.clone());
        self.db
            .write(move |tx| {
                actor.require_fresh(tx.now)?;
                hand_over(tx, &seal, &actor, (id, &cmd))
            })
            .await
    }
}

fn hand_over(
    tx: &WriteTx<'_>,
    seal: &Seal,
    actor: &Actor,
    (id, cmd): (WorkspaceId, &Handover),
) -> Result<HandedOver> {
    let disposes = require_disposes(tx, actor, id)?;
    let old = cases::load(tx, id)?;
    if disposes == Disposes::OfWhatIsLeft {
        require_left(tx, &old)?;
    }
    let to = member(tx, old.organization_id, cmd.to.trim())
        .map_err(|error| error.map_field(|_| "to".to_owned()))?;
    let to = users::find(tx, to)?.ok_or(Error::NotFound("user"))?;
    require_may_give(tx, actor, (disposes, &old, &to))?;
    require_receiver(tx, &old, &to)?;
    let revoked =
        if cmd.end_grants { share_codes::revoke_open(tx, actor, id, |_| true)? } else { 0 };
    let ended = end_grants(tx, actor, (&old, &to, cmd.end_grants))?;
    let lent = tokens::delete_lent(tx, id)?;
    workspaces::set_owner(tx, id, to.id).map_err(|error| {
        Error::taken(error, || {
            let name = &old.name;
            format!("{} has a workspace named {name}; rename one of them first", to.username)
        })
    })?;
    rows::revoke(tx, id)?;
    agent_spots::forget(tx, id)?;
    // Also what a failed stop has left running.
    let restarts = agents::current_build(tx, id)?.is_some();
    if restarts {
        restart(tx, seal, (&old, to.id))?;
    }
    let diff = Diff::new().field("owner", old.owner.username.as_str(), to.username.as_str());
    let diff = if lent > 0 { diff.secret("session_token") } else { diff };
    let entry = trail::entry(AuditAction::Write, AuditTarget::Workspace, id.0, old.name.as_str());
    access::record(tx, actor, &trail::with(entry, &diff))?;
    tx.emit(Event::Workspace(id));
    tx.emit(Event::User(old.owner.id));
    tx.emit(Event::Grants);
    told(tx, (old, &to), (ended, revoked, restarts))
}

/// What became of it, read after it was done.
fn told(
    tx: &WriteTx<'_>,
    (old, to): (Workspace, &User),
    (ended, revoked, restarts): (usize, usize, bool),
) -> Result<HandedOver> {
    let id = old.id;
    let held = access::rights(tx, old.owner.id, id)?;
    let stays = held.iter().filter(|right| right.is_in_time(tx.now)).map(|right| right.verb);
    let row = service_accounts::find(tx, to.id)?;
    let responsible = match row.and_then(|row| row.responsible) {
        Some(user) => users::find(tx, user)?.map(|user| UserRef::of(&user)),
        None => None,
    };
    let mut lost = revoked;
    for code in codes::open_of(tx, id, old.owner.id)? {
        let gives = sharing_rights::basis_of_absent(tx, (old.owner.id, id), code.verbs);
        lost += usize::from(gives.is_err());
    }
    Ok(HandedOver {
        workspace: cases::load(tx, id)?,
        from: old.owner,
        to: UserRef::of(to),
        to_service: to.kind == UserKind::Service,
        responsible,
        stays: stays.collect(),
        kept: grants::count(tx, id)?,
        ended,
        codes: lost,
        restarts,
    })
}

/// By what right someone gives a workspace away.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Disposes {
    /// They may do everything with it: as its owner, as who answers for that, or by a role.
    OfTheirs,
    /// They keep its place and are not let into it: they give on what somebody left behind.
    OfWhatIsLeft,
}

/// Asks for the right to give it away: of who could delete it, and not by a share. A token gives away no
/// more than it may use.
fn require_disposes(tx: &ReadTx<'_>, actor: &Actor, id: WorkspaceId) -> Result<Disposes> {
    access::require(tx, actor, id, Verb::Delete)?;
    access::require(tx, actor, id, Verb::Manage)?;
    let Actor::User(caller) = actor else { return Ok(Disposes::OfTheirs) };
    if caller.user.kind == UserKind::Service {
        return Err(Error::denied(
            "whoever answers for a service account hands its workspaces over",
        ));
    }
    let held = access::rights(tx, caller.user.id, id)?;
    let own = |verb| held.iter().any(|right| right.grant_id.is_none() && right.verb == verb);
    if Verb::ALL.iter().all(|verb| own(*verb)) {
        for verb in Verb::ALL {
            access::require_scope(actor, id, verb.actions())?;
        }
        return Ok(Disposes::OfTheirs);
    }
    if own(Verb::Manage) && own(Verb::Delete) {
        return Ok(Disposes::OfWhatIsLeft);
    }
    Err(Error::denied("who has a workspace by a share does not hand it over"))
}

/// Asks whether nobody is there whose workspace it would be: who may not enter it could otherwise take it
/// from its owner and enter it then, or have another do so.
fn require_left(tx: &ReadTx<'_>, workspace: &Workspace) -> Result<()> {
    let is_there = |owner: User| {
        owner.status.may_act() && owner.organizations.contains(&workspace.organization_id)
    };
    if users::find(tx, workspace.owner.id)?.is_some_and(is_there) {
        return Err(Error::denied(
            "you may not do everything with this workspace: its owner hands it over, or an owner of the \
             site",
        ));
    }
    Ok(())
}

/// Asks whether the actor may make it this user's: theirs to answer for, or of those they make workspaces
/// for. Who may not enter it makes it neither their own nor an account's that they answer for.
fn require_may_give(
    tx: &ReadTx<'_>,
    actor: &Actor,
    (disposes, workspace, to): (Disposes, &Workspace, &User),
) -> Result<()> {
    let answers = service_accounts::find(tx, to.id)?.and_then(|row| row.responsible);
    let is_theirs = answers.is_some() && answers == actor.user_id();
    let is_self = actor.user_id() == Some(to.id);
    if disposes == Disposes::OfWhatIsLeft && (is_theirs || is_self) {
        return Err(Error::denied(
            "you may not enter this workspace, so it becomes neither yours nor an account’s that you \
             answer for",
        ));
    }
    let object = Object::site(ResourceType::Workspace).of(to.id).within(workspace.organization_id);
    if !is_theirs && !actor.may(tx.now, Action::Create, &object) {
        let name = &to.username;
        return Err(Error::denied(format!(
            "you make no workspaces for {name}: hand it to a service account that you answer for, or \
             ask whoever keeps the organization"
        )));
    }
    Ok(())
}

/// Asks whether it may become this user's. What is said of them is for who may give it to them.
fn require_receiver(tx: &ReadTx<'_>, workspace: &Workspace, to: &User) -> Result<()> {
    let name = &to.username;
    if to.id == workspace.owner.id {
        return Err(Error::conflict(format!("it is {name}’s already")));
    }
    if workspace.latest_build.job.status.is_active() {
        return Err(Error::conflict("a build of it is under way; hand it over when that is done"));
    }
    if !to.status.may_act() {
        return Err(Error::conflict(format!("{name} is suspended")));
    }
    accounts::require_answered(tx, to)?;
    let place = workspace.organization_id;
    let object = Object::site(ResourceType::Workspace).of(to.id).within(place);
    let subject = access::subject(tx, to, Scope::ALL)?;
    let context = Context { now: tx.now, ip: None, mfa_at: None, conditions: &[] };
    if policy::decide(&subject, Action::Create, &object, &context).is_err() {
        return Err(Error::conflict(format!("{name} may not have workspaces in the organization")));
    }
    if !template_rights::may_use(tx, to, (workspace.template_id, place))? {
        return Err(Error::conflict(format!("{name} may not use its template")));
    }
    let cost = quotas::held(tx, workspace.id)?;
    if let Err(over) = quotas::of(tx, place, to.id)?.admit(0, cost) {
        return Err(Error::conflict(format!(
            "{name} has no budget for it: it costs {} credits a day, and {} of {} remain",
            over.planned, over.remaining, over.budget
        )));
    }
    Ok(())
}

/// Ends what was granted: all of it when that was asked for, and what the organization's mode of sharing
/// does not let stand on a workspace of the new owner. That can be restored.
fn end_grants(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (workspace, to, all): (&Workspace, &User, bool),
) -> Result<usize> {
    let place = (to.id, workspace.organization_id);
    let is_shared = match sharing_rights::require_mode(tx, place) {
        Ok(()) => true,
        Err(Error::Denied(_)) => false,
        Err(other) => return Err(other),
    };
    if is_shared && !all {
        return Ok(0);
    }
    let before = words(tx, workspace.id)?;
    let standing = grants::list(tx, workspace.id)?;
    for grant in &standing {
        let why = if all { EndedWhy::Removed } else { EndedWhy::Mode };
        grants::end(tx, grant.id, actor.user_id(), why)?;
    }
    record_grants(tx, actor, workspace.id, &before)?;
    Ok(standing.len())
}

/// A restart in the new owner's name. A machine that someone else runs is not stopped first.
fn restart(tx: &WriteTx<'_>, seal: &Seal, (workspace, owner): (&Workspace, UserId)) -> Result<()> {
    let stops = check_external(Some(&workspace.latest_build), Transition::Stop).is_ok();
    let first = if stops { Transition::Stop } else { Transition::Start };
    let request = BuildRequest {
        then_start: stops,
        on_behalf_of: Some(owner),
        ..BuildRequest::new(first, BuildReason::Initiator)
    };
    let version = workspace.latest_build.version_id;
    add_build(tx, seal, &Actor::System, (workspace.id, version, &request)).map(drop)
}
