//! Answers to requests for access: each is checked in the transaction that writes it, and the last one
//! that is needed grants what was asked for.

use std::collections::BTreeSet;
use std::time::Duration;

use super::grant_rows;
use super::guesses::Guessed;
use super::request_hooks::tell_request;
use super::request_rights::{Asked, Standing, require_whole};
use super::request_views::{load, name, seen, view};
use super::requests::{over, settle, written};
use super::sharing_trail::{record, words};
use super::{Actor, App, Error, Result};
use crate::model::audit::{AuditAction, Diff};
use crate::model::event::Event;
use crate::model::grant::{Grant, Limits, Recipient, Via};
use crate::model::id::{GrantId, RequestId, UserId};
use crate::model::policy::Context;
use crate::model::request::{
    Approval, LASTS, MAX_REASON, Request, RequestState, RequestView, Verdict, outcome,
};
use crate::model::secret::Token;
use crate::model::text;
use crate::model::time::{self, Timestamp};
use crate::model::verb::Verb;
use crate::server::db::{ReadTx, WriteTx, grants, requests};

/// Links to one request at most.
const MAX_LINKS: usize = 20;

/// What someone says of a request.
#[derive(Clone, Debug)]
pub struct Decision {
    /// Yes or no.
    pub verdict: Verdict,
    /// What they write with it; may be empty.
    pub note: String,
    /// For how long at most; none for as long as was asked.
    pub lasts: Option<Duration>,
}

impl App {
    /// Answers a request.
    ///
    /// # Errors
    /// [`Error::NotFound`] for one the actor may not see, [`Error::Denied`] for their own and for who
    /// may not give what is asked for, [`Error::Conflict`] for one that is decided or over.
    pub async fn decide_request(
        &self,
        actor: &Actor,
        id: RequestId,
        decision: Decision,
    ) -> Result<RequestView> {
        let actor = actor.clone();
        self.db.write(move |tx| decide(tx, &actor, (id, &decision))).await
    }

    /// Makes a link by which someone who is signed in and may answer a request does so, once. What it
    /// holds is given this once. Who has it can do no more than who has not.
    ///
    /// # Errors
    /// As [`App::request`]; [`Error::Conflict`] for one that is decided, or has too many links.
    pub async fn link_request(&self, actor: &Actor, id: RequestId) -> Result<Token> {
        let (actor, token) = (actor.clone(), self.new_token());
        self.db
            .write(move |tx| {
                require_whole(&actor)?;
                let request = seen(tx, &actor, id)?;
                require_waiting(&request, tx.now)?;
                if requests::count_links(tx, id)? >= MAX_LINKS {
                    return Err(Error::conflict("there are many links to it already; use one"));
                }
                requests::insert_link(tx, id, &token)?;
                let diff = Diff::new().secret("link");
                written(tx, &actor, AuditAction::Write, (&request, &diff))?;
                Ok(token)
            })
            .await
    }

    /// The request of a link that still holds. Wrong links are counted for who follows them.
    ///
    /// # Errors
    /// [`Error::NotFound`] when there is none, or the actor may not see it; [`Error::Conflict`] after
    /// too many wrong ones.
    pub async fn linked_request(&self, actor: &Actor, token: &str) -> Result<RequestView> {
        let user = actor.caller()?.user.id;
        self.require_no_wait_of(Guessed::Link, user).await?;
        let found = match Token::parse(token) {
            None => None,
            Some(token) => self.db.read(move |tx| linked(tx, &token)).await?,
        };
        let Some(id) = found else {
            self.count_guess_of(Guessed::Link, user).await?;
            return Err(Error::NotFound("request"));
        };
        self.request(actor, id).await
    }

    /// Answers the request of a link, which then leads nowhere.
    ///
    /// # Errors
    /// As [`App::linked_request`] and [`App::decide_request`].
    pub async fn decide_linked(
        &self,
        actor: &Actor,
        token: &str,
        decision: Decision,
    ) -> Result<RequestView> {
        self.linked_request(actor, token).await?;
        let token = Token::parse(token).ok_or(Error::NotFound("request"))?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                // It may have been used since it was looked at.
                let id = linked(tx, &token)?.ok_or(Error::NotFound("request"))?;
                let decided = decide(tx, &actor, (id, &decision))?;
                requests::delete_link(tx, token.public_id())?;
                Ok(decided)
            })
            .await
    }
}

fn linked(tx: &ReadTx<'_>, token: &Token) -> Result<Option<RequestId>> {
    let found = requests::by_link(tx, token.public_id())?;
    Ok(found.filter(|(hash, _)| hash.matches(token)).map(|(_, id)| id))
}

fn require_waiting(request: &Request, now: Timestamp) -> Result<()> {
    let state = request.state_at(now);
    if state == RequestState::Pending { Ok(()) } else { Err(over(state)) }
}

fn decide(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (id, decision): (RequestId, &Decision),
) -> Result<RequestView> {
    let user = require_whole(actor)?;
    let request = seen(tx, actor, id)?;
    let voice = Voice { user, context: actor.context(tx.now), hook_by: None };
    decide_as(tx, actor, voice, (&request, decision))?;
    view(tx, actor, &load(tx, id)?)
}

/// Whose answer it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Voice<'a> {
    /// Who says it.
    pub user: UserId,
    /// How they came.
    pub context: Context<'a>,
    /// Who set the program that brings it; none for who says it themselves.
    pub hook_by: Option<UserId>,
}

/// Takes someone's answer; the actor is who brings it.
///
/// # Errors
/// As [`App::decide_request`].
pub(super) fn decide_as(
    tx: &WriteTx<'_>,
    actor: &Actor,
    voice: Voice<'_>,
    (request, decision): (&Request, &Decision),
) -> Result<()> {
    let user = voice.user;
    if request.user_id == user {
        return Err(Error::denied("nobody answers their own request"));
    }
    require_waiting(request, tx.now)?;
    let asked = Asked::of(tx, request)?.ok_or(Error::NotFound("workspace"))?;
    let right = asked.right_of(tx, user, &voice.context)?;
    let why = "a request is answered by who may share what it asks for, or was named for it";
    let right = right.ok_or_else(|| Error::denied(why))?;
    let is_much = request.verbs.contains(Verb::Share) || request.verbs.contains(Verb::Delete);
    if is_much && decision.verdict == Verdict::Approve {
        actor.require_fresh(tx.now)?;
    }
    let mut said = requests::said(tx, request.id)?;
    if said.iter().any(|one| one.user_id == user) {
        return Err(Error::conflict("you have answered it already"));
    }
    let own = approval(tx.now, (voice, right), (request, decision))?;
    requests::say(tx, request.id, &own)?;
    let diff = Diff::new()
        .field("verdict", "", own.verdict.as_str())
        .field("by", "", name(tx, user)?.username.as_str())
        .field("note", "", own.note.as_str());
    said.push(own);
    let counting = counting(tx, &asked, (&said, user))?;
    match outcome(&said, |who| counting.contains(&who), asked.needed()) {
        RequestState::Approved => {
            let lasts = said.iter().filter(|one| counting.contains(&one.user_id));
            let lasts = lasts.map(|one| one.lasts).min().unwrap_or(request.lasts);
            let_in(tx, actor, (&asked, right), request.span(tx.now, lasts), diff)?;
            tell_request(tx, asked.organization, (request, "approved"))
        }
        RequestState::Denied => {
            settle(tx, actor, (request, RequestState::Denied, None), diff)?;
            tell_request(tx, asked.organization, (request, "denied"))
        }
        RequestState::Pending | RequestState::Cancelled | RequestState::Expired => {
            written(tx, actor, AuditAction::Write, (request, &diff))?;
            tx.emit(Event::Workspace(asked.workspace));
            Ok(())
        }
    }
}

fn approval(
    now: Timestamp,
    (voice, right): (Voice<'_>, Standing),
    (request, decision): (&Request, &Decision),
) -> Result<Approval> {
    let note = decision.note.trim();
    if note.chars().count() > MAX_REASON {
        return Err(Error::invalid("note", format!("is longer than {MAX_REASON} characters")));
    }
    text::check_lines(note, MAX_REASON * 4).map_err(|bad| Error::invalid("note", bad))?;
    let lasts = decision.lasts.unwrap_or(request.lasts);
    if lasts < *LASTS.start() || lasts > request.lasts {
        let (least, most) = (time::words(*LASTS.start()), time::words(request.lasts));
        return Err(Error::invalid("for", format!("must be {least} to {most}, as was asked")));
    }
    let (verdict, note) = (decision.verdict, note.to_owned());
    let (user_id, hook_by) = (voice.user, voice.hook_by);
    let right = Some((right.by, right.under));
    Ok(Approval { user_id, hook_by, verdict, note, lasts, at: now, right })
}

/// Whose yes counts as things are: who said it before may have lost the right since. Whether they said it
/// from where they may was decided then.
fn counting(
    tx: &ReadTx<'_>,
    asked: &Asked<'_>,
    (said, now): (&[Approval], UserId),
) -> Result<BTreeSet<UserId>> {
    let mut all = BTreeSet::from([now]);
    for one in said {
        let is_heard = match one.hook_by {
            Some(keeper) => asked.hears(tx, keeper)?,
            None => true,
        };
        if is_heard && asked.counts(tx, one)? {
            all.insert(one.user_id);
        }
    }
    Ok(all)
}

/// Grants what was asked for, with what the log says of it.
fn let_in(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (asked, right): (&Asked<'_>, Standing),
    (from, until): (Timestamp, Timestamp),
    diff: Diff,
) -> Result<GrantId> {
    asked.require_grantable(tx)?;
    let (request, before) = (asked.request, words(tx, asked.workspace)?);
    let grant = Grant {
        id: tx.fresh(),
        workspace_id: asked.workspace,
        to: Recipient::User(request.user_id),
        verbs: request.verbs,
        limits: Limits { from, until: Some(until), ..Limits::default() },
        reason: request.reason.clone(),
        granted_by: Some(right.by),
        granted_at: tx.now,
        via: Via::Request,
        under: right.under,
        ended: None,
    };
    grant_rows::insert(tx, &grant)?;
    settle(tx, actor, (request, RequestState::Approved, Some(grant.id)), diff)?;
    record(tx, actor, asked.workspace, &before)?;
    Ok(grant.id)
}

/// Lets whoever asks in when they are on call where that is enough, until their shift ends at the latest: as
/// it is planned now, and as it is when that changes. Whether it did.
pub(super) fn let_in_at_once(tx: &WriteTx<'_>, actor: &Actor, request: &Request) -> Result<bool> {
    let Some(asked) = Asked::of(tx, request)? else { return Ok(false) };
    let Some((right, rotation, shift_ends)) = asked.at_once(tx)? else { return Ok(false) };
    let (from, until) = request.span(tx.now, request.lasts);
    let until = until.min(shift_ends);
    if until <= from || asked.require_grantable(tx).is_err() {
        return Ok(false);
    }
    let diff = Diff::new().field("approved", "", "at once: they are on call");
    let grant = let_in(tx, actor, (&asked, right), (from, until), diff)?;
    grants::follow_shift(tx, grant, rotation)?;
    Ok(true)
}
