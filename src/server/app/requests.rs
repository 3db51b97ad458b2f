//! Requests for access: who asks for what, who sees that, and what happens by the clock. How they are
//! answered is in `request_decisions`.

use std::time::Duration;

use super::access::{record, rights};
use super::request_decisions::let_in_at_once;
use super::request_rights::{Asked, require_whole};
use super::sharing_rights::mode;
use super::workspaces::owner_id;
use super::{Actor, App, Error, Result, access, audit_chain, trail};
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
use crate::model::user::UserRef;
use crate::model::verb::{Verb, Verbs};
use crate::server::db::{ReadTx, WriteTx, grants, requests, users, workspaces};

/// Requests of one person that wait, at most.
const MAX_WAITING: usize = 40;
/// Requests of one's own that are listed: the last ones.
const MAX_LISTED: usize = 100;
/// Requests that wait, of all people, that a list of those to answer looks at.
const MAX_LOOKED_AT: usize = 500;
/// The same for a page that only says how many there are.
const MAX_COUNTED: usize = 50;
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

/// Which requests are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// One's own.
    Mine,
    /// Those that one may answer.
    ToDecide,
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
                let user = require_whole(&actor)?;
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
                if let_in_at_once(tx, &actor, &request)? {
                    request = load(tx, request.id)?;
                }
                if let Some(id) = workspace {
                    tx.emit(Event::Workspace(id));
                }
                view(tx, &actor, request)
            })
            .await
    }

    /// Requests of the actor, or those that they may answer, what ends first coming first.
    ///
    /// # Errors
    /// When the actor is no user, or the database fails.
    pub async fn requests(&self, actor: &Actor, show: Show) -> Result<Vec<RequestView>> {
        let user = actor.caller()?.user.id;
        let actor = actor.clone();
        self.db
            .read(move |tx| match show {
                Show::Mine => {
                    let own = requests::list_of(tx, user, MAX_LISTED)?;
                    own.into_iter().map(|one| view(tx, &actor, one)).collect()
                }
                Show::ToDecide => to_decide(tx, &actor, MAX_LOOKED_AT)?
                    .into_iter()
                    .map(|one| view(tx, &actor, one))
                    .collect(),
            })
            .await
    }

    /// A request.
    ///
    /// # Errors
    /// [`Error::NotFound`] for one that is neither the actor's own nor theirs to answer or to look into.
    pub async fn request(&self, actor: &Actor, id: RequestId) -> Result<RequestView> {
        let actor = actor.clone();
        self.db.read(move |tx| view(tx, &actor, seen(tx, &actor, id)?)).await
    }

    /// How many requests wait for the actor; at most as many as a page says.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn count_to_decide(&self, actor: &Actor) -> Result<usize> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let requests = to_decide(tx, &actor, MAX_COUNTED)?.len();
                Ok(requests + super::break_glass::to_review(tx, &actor)?.len())
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
                view(tx, &actor, load(tx, id)?)
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

/// Whether the actor knows that a workspace is there: they may see it, at some hour or from somewhere.
fn is_known(tx: &ReadTx<'_>, actor: &Actor, id: WorkspaceId) -> Result<bool> {
    match access::require(tx, actor, id, Verb::View) {
        Ok(()) | Err(Error::Denied(_)) => Ok(true),
        Err(Error::NotFound(_)) => Ok(false),
        Err(other) => Err(other),
    }
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

/// The requests that the actor may answer.
fn to_decide(tx: &ReadTx<'_>, actor: &Actor, most: usize) -> Result<Vec<Request>> {
    let Some(user) = actor.user_id() else { return Ok(vec![]) };
    let mut all = requests::waiting(tx, most)?;
    all.retain(|request| request.user_id != user);
    let mut found = vec![];
    for request in all {
        if may_decide(tx, actor, &request)? {
            found.push(request);
        }
    }
    Ok(found)
}

/// Whether the actor may answer a request now, and has not.
fn may_decide(tx: &ReadTx<'_>, actor: &Actor, request: &Request) -> Result<bool> {
    let waits = request.state_at(tx.now) == RequestState::Pending;
    if !waits || !has_right(tx, actor, request)? {
        return Ok(false);
    }
    Ok(requests::said(tx, request.id)?.iter().all(|one| Some(one.user_id) != actor.user_id()))
}

fn has_right(tx: &ReadTx<'_>, actor: &Actor, request: &Request) -> Result<bool> {
    let Ok(user) = require_whole(actor) else { return Ok(false) };
    let Some(asked) = Asked::of(tx, request)? else { return Ok(false) };
    Ok(asked.right_of(tx, user, &actor.context(tx.now))?.is_some())
}

/// A request that the actor may see.
pub(super) fn seen(tx: &ReadTx<'_>, actor: &Actor, id: RequestId) -> Result<Request> {
    let request = load(tx, id)?;
    let user = actor.caller()?.user.id;
    let is_seen = request.user_id == user
        || has_right(tx, actor, &request)?
        || audit_chain::require_reader(tx.now, actor).is_ok()
        || requests::said(tx, id)?.iter().any(|one| one.user_id == user);
    if is_seen { Ok(request) } else { Err(Error::NotFound("request")) }
}

pub(super) fn load(tx: &ReadTx<'_>, id: RequestId) -> Result<Request> {
    requests::find(tx, id)?.ok_or(Error::NotFound("request"))
}

/// A request with names, as much as the actor may know.
pub(super) fn view(tx: &ReadTx<'_>, actor: &Actor, request: Request) -> Result<RequestView> {
    let is_own = actor.user_id() == Some(request.user_id);
    let may_decide = may_decide(tx, actor, &request)?;
    let asked = Asked::of(tx, &request)?;
    let is_known = match &asked {
        Some(asked) => !is_own || is_known(tx, actor, asked.workspace)?,
        None => false,
    };
    let request = Request { state: request.state_at(tx.now), ..request.clone() };
    let was_answered = matches!(request.state, RequestState::Approved | RequestState::Denied);
    let mut said = vec![];
    if is_known || was_answered {
        for one in requests::said(tx, request.id)? {
            said.push((name(tx, one.user_id)?, one));
        }
    }
    let asked = asked.filter(|_| is_known);
    let workspace = match &asked {
        Some(asked) => workspaces::find(tx, asked.workspace)?,
        None => None,
    };
    let grant = request.grant_id.map(|id| grants::find(tx, id)).transpose()?.flatten();
    Ok(RequestView {
        by: name(tx, request.user_id)?,
        workspace: workspace.map(|w| format!("{}/{}", w.owner.username, w.name)),
        organization: asked.as_ref().map(|asked| asked.organization),
        needed: asked.as_ref().map(Asked::needed),
        said,
        grant,
        may_decide,
        is_own,
        request,
    })
}

/// Someone by id.
pub(super) fn name(tx: &ReadTx<'_>, id: UserId) -> Result<UserRef> {
    let user = users::find(tx, id)?.ok_or(Error::NotFound("user"))?;
    Ok(UserRef { id: user.id, username: user.username })
}

/// Writes what became of a request that waits, with its audit row.
pub(super) fn settle(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (request, to, grant): (&Request, RequestState, Option<GrantId>),
    diff: Diff,
) -> Result<()> {
    if !requests::settle(tx, request.id, (to, grant))? {
        return Err(Error::conflict(match request.state_at(tx.now) {
            RequestState::Expired => "its time is over; it can be asked again".to_owned(),
            state => format!("it is {state} already"),
        }));
    }
    requests::delete_links(tx, request.id)?;
    let diff = diff.field("state", RequestState::Pending.as_str(), to.as_str());
    written(tx, actor, AuditAction::Write, (request, &diff))?;
    if let Some(id) = request.workspace_id {
        tx.emit(Event::Workspace(id));
    }
    Ok(())
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
