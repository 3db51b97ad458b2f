//! Requests for access as people see them: who may know of which, and how much of it.

use super::request_rights::{Asked, require_whole};
use super::{Actor, App, Error, Result, access, audit_chain};
use crate::model::id::{RequestId, UserId, WorkspaceId};
use crate::model::request::{Request, RequestState, RequestView};
use crate::model::user::UserRef;
use crate::model::verb::Verb;
use crate::server::db::{ReadTx, grants, requests, users, workspaces};

/// Requests of one's own that are listed: the last ones.
const MAX_LISTED: usize = 100;
/// Requests that wait, of others and where someone belongs, that a list of those to answer looks at.
const MAX_LOOKED_AT: usize = 500;
/// The same for a page that only says how many there are.
const MAX_COUNTED: usize = 50;

/// Which requests are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Show {
    /// One's own.
    Mine,
    /// Those that one may answer.
    ToDecide,
}

impl App {
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
                    own.into_iter().map(|one| view(tx, &actor, &one)).collect()
                }
                Show::ToDecide => to_decide(tx, &actor, MAX_LOOKED_AT)?
                    .into_iter()
                    .map(|one| view(tx, &actor, &one))
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
        self.db.read(move |tx| view(tx, &actor, &seen(tx, &actor, id)?)).await
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
}

/// Whether the actor knows that a workspace is there: they may see it, at some hour or from somewhere.
pub(super) fn is_known(tx: &ReadTx<'_>, actor: &Actor, id: WorkspaceId) -> Result<bool> {
    match access::require(tx, actor, id, Verb::View) {
        Ok(()) | Err(Error::Denied(_)) => Ok(true),
        Err(Error::NotFound(_)) => Ok(false),
        Err(other) => Err(other),
    }
}

/// The requests that the actor may answer.
fn to_decide(tx: &ReadTx<'_>, actor: &Actor, most: usize) -> Result<Vec<Request>> {
    let Some(user) = actor.user_id() else { return Ok(vec![]) };
    let mut found = vec![];
    for request in requests::waiting(tx, user, most)? {
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
pub(super) fn view(tx: &ReadTx<'_>, actor: &Actor, request: &Request) -> Result<RequestView> {
    let is_own = actor.user_id() == Some(request.user_id);
    let may_decide = may_decide(tx, actor, request)?;
    let asked = Asked::of(tx, request)?;
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
