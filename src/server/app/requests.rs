//! Requests for access: who asks for what, who takes it back, and what happens by the clock. Answers are
//! in `request_decisions`, what is shown of them in `request_views`.

use std::time::Duration;

use super::access::{record, rights};
use super::letters::tell_approvers;
use super::request_decisions::let_in_at_once;
use super::request_hooks::tell_request;
use super::request_rights::{Asked, require_person, require_whole};
use super::request_views::{is_known, load, seen, view};
use super::sharing_rights::mode;
use super::workspaces::owner_id;
use super::{Actor, App, Error, Result, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::grant::{Mode, Reason};
use crate::model::id::{GrantId, RequestId, UserId, WorkspaceId};
use crate::model::request::{
    DEFAULT_LASTS, DEFAULT_WAIT, LASTS, MAX_AHEAD, MAX_REASON, Request, RequestState, RequestView,
    WAIT, place,
};
use crate::model::text;
use crate::model::time::{Timestamp, words};
use crate::model::verb::{Verb, Verbs};
use crate::server::db::{ReadTx, WriteTx, requests, workspaces};

/// Requests of one person that wait, at most.
const MAX_WAITING: usize = 40;
/// Requests whose time is over that one step writes.
const EXPIRED_AT_ONCE: usize = 50;

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub struct NewRequest {
    /// Owner and name of a workspace, or its id.
    pub workspace: String,
    /// What they want to do.
    pub verbs: Verbs,
    /// Why.
    pub reason: String,
    /// Not before; none for at once.
    pub from: Option<Timestamp>,
    /// For how long; none for four hours.
    pub lasts: Option<Duration>,
    /// How long it waits for an answer; none for an hour.
    pub wait: Option<Duration>,
}

impl App {
    /// Asks for access. Who may not know whether there is such a workspace is answered as if there were.
    ///
    /// # Errors
    /// [`Error::Invalid`] for what does not fit, [`Error::Conflict`] for what is asked or held already,
    /// [`Error::Denied`] for a token with limits, and where sharing is turned off.
    pub async fn ask_access(&self, actor: &Actor, new: NewRequest) -> Result<RequestView> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let user = require_person(&actor)?;
                let (place, workspace) = target(tx, &actor, &new.workspace)?;
                let mut request = request(tx, (user, &place, workspace), &new)?;
                let (n, is_asked) = requests::waiting_of(tx, user, &place)?;
                if is_asked {
                    return Err(Error::conflict(format!(
                        "you have asked for {place} already, and that waits for an answer"
                    )));
                }
                if n >= MAX_WAITING {
                    return Err(Error::conflict("too many of your requests wait; cancel some"));
                }
                if let Some(id) = workspace
                    && is_known(tx, &actor, id)?
                {
                    require_of_use(tx, &actor, &request)?;
                }
                requests::insert(tx, &request)?;
                written(tx, &actor, AuditAction::Create, (&request, &asked_for(&request)))?;
                let event = if let_in_at_once(tx, &actor, &request)? {
                    request = load(tx, request.id)?;
                    "approved"
                } else {
                    "requested"
                };
                if let Some(asked) = Asked::of(tx, &request)? {
                    tell_request(tx, asked.organization, (&request, event))?;
                    if event == "requested" {
                        tell_approvers(tx, &asked)?;
                    }
                    tx.emit(Event::Workspace(asked.workspace));
                }
                view(tx, &actor, &request)
            })
            .await
    }

    /// Takes a request back that waits.
    ///
    /// # Errors
    /// [`Error::NotFound`] for one the actor may not see, [`Error::Denied`] for another's,
    /// [`Error::Conflict`] for one that is decided.
    pub async fn cancel_request(&self, actor: &Actor, id: RequestId) -> Result<RequestView> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let user = require_whole(&actor)?;
                let request = seen(tx, &actor, id)?;
                if request.user_id != user {
                    return Err(Error::denied("only whoever asked takes a request back"));
                }
                settle(tx, &actor, (&request, RequestState::Cancelled, None), Diff::new())?;
                view(tx, &actor, &load(tx, id)?)
            })
            .await
    }

    /// Writes that the time of some requests is over, which ended them already. Whether there may be
    /// more.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn expire_requests_step(&self) -> Result<bool> {
        let some = self.db.read(|tx| requests::overdue(tx, 1)).await?;
        if some.is_empty() {
            return Ok(false);
        }
        self.db
            .write(|tx| {
                let over = requests::overdue(tx, EXPIRED_AT_ONCE)?;
                for request in &over {
                    requests::expire(tx, request.id)?;
                    requests::delete_links(tx, request.id)?;
                    let diff = state(RequestState::Expired);
                    written(tx, &Actor::System, AuditAction::Write, (request, &diff))?;
                }
                Ok(over.len() >= EXPIRED_AT_ONCE)
            })
            .await
    }
}

/// The place that is asked for as the actor knows it, and the workspace if a member may ask for it.
fn target(tx: &ReadTx<'_>, actor: &Actor, text: &str) -> Result<(String, Option<WorkspaceId>)> {
    if let Ok(id) = text.parse::<WorkspaceId>() {
        let found = workspaces::find(tx, id)?.ok_or(Error::NotFound("workspace"))?;
        if workspaces::is_deleted(tx, id)? || !is_known(tx, actor, id)? {
            return Err(Error::NotFound("workspace"));
        }
        return Ok((format!("{}/{}", found.owner.username, found.name), Some(id)));
    }
    let wrong = || Error::invalid("workspace", "is not the name of one; write OWNER/NAME");
    let (owner, name) = place(text).ok_or_else(wrong)?;
    let user = &actor.caller()?.user;
    let owner_name = if owner == "me" { user.username.as_str() } else { owner };
    let said = format!("{owner_name}/{name}");
    let Some(owner) = owner_id(tx, actor, owner)? else { return Ok((said, None)) };
    let Some(id) = workspaces::id_by_name(tx, owner, name)? else { return Ok((said, None)) };
    let belonging = workspaces::belonging(tx, id)?;
    let is_theirs = belonging.is_some_and(|(_, place)| user.organizations.contains(&place));
    Ok((said, is_theirs.then_some(id)))
}

fn request(
    tx: &WriteTx<'_>,
    (user, place, workspace): (UserId, &str, Option<WorkspaceId>),
    new: &NewRequest,
) -> Result<Request> {
    let (lasts, wait) = (new.lasts.unwrap_or(DEFAULT_LASTS), new.wait.unwrap_or(DEFAULT_WAIT));
    if new.verbs.is_empty() {
        return Err(Error::invalid("verbs", "names nothing that may be done"));
    }
    let reason = reason(&new.reason)?;
    if !LASTS.contains(&lasts) {
        let (least, most) = (words(*LASTS.start()), words(*LASTS.end()));
        return Err(Error::invalid("for", format!("must be {least} to {most}")));
    }
    if !WAIT.contains(&wait) {
        let (least, most) = (words(*WAIT.start()), words(*WAIT.end()));
        return Err(Error::invalid("wait", format!("must be {least} to {most}")));
    }
    let from = new.from.unwrap_or_default();
    if from > tx.now.plus(MAX_AHEAD) {
        let most = words(MAX_AHEAD);
        return Err(Error::invalid("from", format!("is more than {most} away")));
    }
    Ok(Request {
        id: tx.fresh(),
        user_id: user,
        place: place.to_owned(),
        workspace_id: workspace,
        verbs: new.verbs,
        reason,
        from: if from > tx.now { from } else { Timestamp::default() },
        lasts,
        made_at: tx.now,
        expires_at: tx.now.plus(wait),
        state: RequestState::Pending,
        decided_at: None,
        grant_id: None,
    })
}

/// A reason that has to be given.
pub(super) fn reason(text: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Error::invalid("reason", "is missing: say what it is for"));
    }
    if text.chars().count() > MAX_REASON {
        return Err(Error::invalid("reason", format!("is longer than {MAX_REASON} characters")));
    }
    let fits = text::check_lines(text, MAX_REASON * 4);
    fits.map_err(|bad| Error::invalid("reason", bad))?;
    Ok(text.to_owned())
}

/// Tells who knows the workspace at once that what they ask for cannot be given, or is theirs already.
fn require_of_use(tx: &ReadTx<'_>, actor: &Actor, request: &Request) -> Result<()> {
    let Some(asked) = Asked::of(tx, request)? else { return Ok(()) };
    let (held, context) = (rights(tx, request.user_id, asked.workspace)?, actor.context(tx.now));
    let lasts = |verb: Verb| {
        held.iter().any(|g| {
            let ends = g.until.is_some() || g.reason == Reason::Rotation;
            g.verb == verb && !ends && g.is_in_time(tx.now) && g.check(&context).is_ok()
        })
    };
    if request.verbs.iter().all(lasts) {
        return Err(Error::conflict("you may do this already, and no end is set to it"));
    }
    if mode(tx, asked.organization)? == Mode::None {
        return Err(Error::denied("workspaces are not shared in this organization"));
    }
    Ok(())
}

/// Writes what became of a request that waits, with its audit row.
pub(super) fn settle(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (request, to, grant): (&Request, RequestState, Option<GrantId>),
    diff: Diff,
) -> Result<()> {
    if !requests::settle(tx, request.id, (to, grant))? {
        return Err(over(request.state_at(tx.now)));
    }
    requests::delete_links(tx, request.id)?;
    let diff = diff.field("state", RequestState::Pending.as_str(), to.as_str());
    written(tx, actor, AuditAction::Write, (request, &diff))?;
    if let Some(id) = request.workspace_id {
        tx.emit(Event::Workspace(id));
    }
    Ok(())
}

/// What is said to who comes too late.
pub(super) fn over(state: RequestState) -> Error {
    if state == RequestState::Expired {
        return Error::conflict("its time is over; it can be asked again");
    }
    Error::conflict(format!("it is {state} already"))
}

fn state(to: RequestState) -> Diff {
    Diff::new().field("state", RequestState::Pending.as_str(), to.as_str())
}

fn asked_for(request: &Request) -> Diff {
    Diff::new()
        .field("verbs", String::new(), request.verbs.to_string())
        .field("reason", "", &request.reason)
        .field("for", String::new(), words(request.lasts))
}

pub(super) fn written(
    tx: &WriteTx<'_>,
    actor: &Actor,
    action: AuditAction,
    (request, diff): (&Request, &Diff),
) -> Result<()> {
    let entry = trail::entry(action, AuditTarget::Request, request.id.0, &request.place);
    let belonging = request.workspace_id.map(|id| workspaces::belonging(tx, id)).transpose()?;
    let entry = match belonging.flatten() {
        Some((_, organization)) => trail::within(entry, organization),
        None => entry,
    };
    record(tx, actor, &trail::with(entry, diff))
}
