//! Share codes: whoever is signed in and has one gets a grant on a workspace, as their maker could give it
//! at that moment.

use std::time::Duration;

use super::guesses::Guessed;
use super::sharing::NewGrant;
use super::sharing_rights::{self as rights, Sharer};
use super::sharing_trail::{record, words};
use super::{Actor, App, Error, Result, access, grant_rows, sharing, trail, workspaces as cases};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::code::{
    Code, CodeState, MAX_GRANT, MAX_LIFETIME, MAX_USES, ShareCode, never_given,
};
use crate::model::grant::{Grant, Limits, Recipient, Via};
use crate::model::id::{CodeId, GrantId, WorkspaceId};
use crate::model::time;
use crate::model::user::{UserKind, UserRef};
use crate::model::verb::Verbs;
use crate::model::workspace::Workspace;
use crate::server::db::{ReadTx, WriteTx, codes, workspaces};

/// Codes of one workspace that are listed, those that are over included: those go after a month.
const MAX_LISTED: usize = 200;
/// Open codes of one maker for one workspace: who shares it does not keep others from making theirs.
const MAX_OPEN: usize = 50;
/// The longest reason.
const MAX_REASON: usize = 512;
/// The shortest life of a code and of what it gives.
const LEAST: Duration = Duration::from_secs(60);
/// Whatever is wrong with a code, whoever tries it hears the same.
const NO_CODE: &str = "share code that you could redeem";

/// What a code is made from.
#[derive(Clone, Debug)]
pub struct NewCode {
    /// What it gives.
    pub verbs: Verbs,
    /// How long each grant by it lasts.
    pub grant_ttl: Duration,
    /// How long it can be redeemed.
    pub lifetime: Duration,
    /// How often.
    pub max_uses: i64,
    /// Whether what is done by it is recorded.
    pub is_recorded: bool,
    /// Why; may be empty.
    pub reason: String,
}

/// A code as it is listed for who shares the workspace.
#[derive(Clone, Debug)]
pub struct CodeView {
    /// The code.
    pub code: Code,
    /// Whether it can be redeemed, as far as it goes itself.
    pub state: CodeState,
    /// Whether its maker could still give all that it gives. Without that nobody redeems it.
    pub holds: bool,
    /// How many grants that came by it stand.
    pub grants: usize,
}

/// What a code would give to whoever asks.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The code.
    pub code: Code,
    /// On what.
    pub workspace: Workspace,
}

impl App {
    /// Makes a code; its text is given this once.
    ///
    /// # Errors
    /// As [`App::share`]; [`Error::Invalid`] for what no code gives and what does not fit.
    pub async fn create_code(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        new: NewCode,
    ) -> Result<(ShareCode, CodeView)> {
        actor.require_own()?;
        check(&new)?;
        let text = ShareCode::from_random(&self.entropy.bytes());
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let sharer = Sharer::of(tx, &actor, id)?;
                let maker = UserRef::of(&actor.caller()?.user);
                rights::require_mode(tx, (sharer.owner, sharer.organization))?;
                sharer.basis(tx, new.verbs)?;
                // Whoever redeems it comes without its maker: what depends on where they are gives nothing.
                rights::basis_of_absent(tx, (maker.id, id), new.verbs).map_err(without_maker)?;
                if codes::count(tx, id, maker.id)? >= MAX_OPEN {
                    let why = "you have too many open codes for this workspace; revoke some first";
                    return Err(Error::conflict(why));
                }
                let code = Code {
                    id: tx.fresh(),
                    workspace_id: id,
                    verbs: new.verbs,
                    is_recorded: new.is_recorded,
                    reason: new.reason,
                    made_by: maker,
                    created_at: tx.now,
                    expires_at: tx.now.plus(new.lifetime),
                    grant_ttl: new.grant_ttl,
                    max_uses: new.max_uses,
                    uses: 0,
                    last_used_at: None,
                    revoked_at: None,
                };
                codes::insert(tx, &code, text.hash())?;
                told(tx, &actor, &code, ("", said_of(&code).as_str()))?;
                Ok((text, view(tx, code)?))
            })
            .await
    }

    /// The codes of a workspace, open ones first and then the last one, for who may share it.
    ///
    /// # Errors
    /// As [`App::grants`].
    pub async fn codes(&self, actor: &Actor, id: WorkspaceId) -> Result<Vec<CodeView>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                Sharer::of(tx, &actor, id)?;
                let all = codes::list(tx, id, MAX_LISTED)?;
                all.into_iter().map(|code| view(tx, code)).collect()
            })
            .await
    }

    /// Takes a code back, and when asked to, the grants that came by it. Gives its workspace.
    ///
    /// # Errors
    /// [`Error::NotFound`] for a code of a workspace that the actor does not share, [`Error::Denied`] for
    /// one of more than they could give.
    pub async fn revoke_code(
        &self,
        actor: &Actor,
        id: CodeId,
        with_grants: bool,
    ) -> Result<WorkspaceId> {
        actor.require_own()?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let missing = || Error::NotFound("share code");
                let code = codes::find(tx, id)?.ok_or_else(missing)?;
                let sharer = Sharer::of(tx, &actor, code.workspace_id).map_err(|_| missing())?;
                if sharer.user() != Some(code.made_by.id) {
                    sharer.basis(tx, code.verbs)?;
                }
                if code.revoked_at.is_none() {
                    codes::revoke(tx, id, actor.caller()?.user.id)?;
                    told(tx, &actor, &code, (said_of(&code).as_str(), ""))?;
                }
                if with_grants {
                    let standing = codes::standing(tx, id)?;
                    sharing::take_back(tx, &actor, (code.workspace_id, &standing))?;
                }
                Ok(code.workspace_id)
            })
            .await
    }

    /// What a code would give to the actor. Wrong ones are counted.
    ///
    /// # Errors
    /// As [`App::redeem_code`].
    pub async fn offer_of_code(&self, actor: &Actor, text: &str) -> Result<Offer> {
        let (text, asked) = (text.to_owned(), actor.clone());
        self.guessed(actor, || async {
            let found = move |tx: &ReadTx<'_>| Ok(offer(tx, &asked, &text)?.0);
            self.db.read(found).await
        })
        .await
    }

    /// Gives the actor what a code gives. Wrong ones are counted.
    ///
    /// # Errors
    /// [`Error::NotFound`] whatever is wrong with the code, [`Error::Conflict`] after too many wrong ones,
    /// and for who owns the workspace, made the code, or redeemed it before, whatever became of that;
    /// [`Error::Denied`] for a token with limits and for a service account.
    pub async fn redeem_code(&self, actor: &Actor, text: &str) -> Result<(Grant, Workspace)> {
        let (text, asked) = (text.to_owned(), actor.clone());
        self.guessed(actor, || async { self.db.write(move |tx| redeem(tx, &asked, &text)).await })
            .await
    }

    /// Does something with a code that someone shows, and counts it when it was none.
    async fn guessed<T, F: Future<Output = Result<T>>>(
        &self,
        actor: &Actor,
        ask: impl FnOnce() -> F,
    ) -> Result<T> {
        actor.require_own()?;
        let caller = actor.caller()?;
        if !caller.subject.scope.is_all() {
            return Err(Error::denied("a token with limits redeems no codes"));
        }
        if caller.user.kind == UserKind::Service {
            return Err(Error::denied("a service account redeems no codes"));
        }
        let user = caller.user.id;
        self.require_no_wait_of(Guessed::Code, user).await?;
        let found = ask().await;
        if matches!(found, Err(Error::NotFound(_))) {
            self.count_guess_of(Guessed::Code, user).await?;
        }
        found
    }
}

/// Of a right that someone has here, and not without being here.
fn without_maker(error: Error) -> Error {
    if !matches!(error, Error::Denied(_)) {
        return error;
    }
    Error::denied(
        "your right to share it is limited to networks, or to sessions with a second factor, and a code \
         would be redeemed without you",
    )
}

fn check(new: &NewCode) -> Result<()> {
    if new.verbs.is_empty() {
        return Err(Error::invalid("verbs", "names nothing that may be done"));
    }
    let kept = new.verbs.minus(never_given());
    if kept != new.verbs {
        return Err(Error::invalid("verbs", "hold share or delete, which no code gives"));
    }
    for (field, asked, most) in
        [("for", new.grant_ttl, MAX_GRANT), ("until", new.lifetime, MAX_LIFETIME)]
    {
        if !(LEAST..=most).contains(&asked) {
            let why = format!("wants a minute to {}", time::words(most));
            return Err(Error::invalid(field, why));
        }
    }
    if !(1..=MAX_USES).contains(&new.max_uses) {
        return Err(Error::invalid("uses", format!("wants 1 to {MAX_USES}")));
    }
    if new.reason.chars().count() > MAX_REASON {
        return Err(Error::invalid("reason", format!("is longer than {MAX_REASON} characters")));
    }
    Ok(())
}

/// What a code gives to the actor now, and by which grant its maker gives it.
fn offer(tx: &ReadTx<'_>, actor: &Actor, text: &str) -> Result<(Offer, Option<GrantId>)> {
    let missing = || Error::NotFound(NO_CODE);
    let user = actor.caller()?.user.id;
    let text = ShareCode::parse(text).ok_or_else(missing)?;
    let code = codes::of_hash(tx, text.hash())?.ok_or_else(missing)?;
    let id = code.workspace_id;
    // Once for each person: who was taken off, whose time is over or who left comes not back by it. They
    // hear that, and not that it is used up by themselves.
    if codes::is_used_by(tx, code.id, user)? {
        return Err(Error::conflict("you have redeemed this code already"));
    }
    if code.state(tx.now) != CodeState::Open || workspaces::is_deleted(tx, id)? {
        return Err(missing());
    }
    let place = workspaces::belonging(tx, id)?.ok_or_else(missing)?;
    let is_said = |error: &Error| matches!(error, Error::Denied(_) | Error::Invalid { .. });
    let alike = |error| if is_said(&error) { missing() } else { error };
    rights::require_mode(tx, place).map_err(alike)?;
    let under = rights::basis_of_absent(tx, (code.made_by.id, id), code.verbs).map_err(alike)?;
    if place.0 == user || code.made_by.id == user {
        return Err(Error::conflict("you need no code for this workspace: you could share it"));
    }
    let to = Recipient::User(user);
    rights::require_recipient(tx, place, (Some(code.made_by.id), to)).map_err(alike)?;
    let workspace = cases::load(tx, id)?;
    Ok((Offer { code, workspace }, under))
}

fn redeem(tx: &WriteTx<'_>, actor: &Actor, text: &str) -> Result<(Grant, Workspace)> {
    let (Offer { code, workspace }, under) = offer(tx, actor, text)?;
    let before = words(tx, workspace.id)?;
    let user = actor.caller()?.user.id;
    let new = NewGrant {
        to: Recipient::User(user),
        verbs: code.verbs,
        limits: Limits {
            until: Some(tx.now.plus(code.grant_ttl)),
            is_recorded: code.is_recorded,
            ..Limits::default()
        },
        reason: code.reason.clone(),
        via: Via::Code,
    };
    let by = Some(code.made_by.id);
    let grant = grant_rows::put(tx, (workspace.id, by, under), new)?;
    if !codes::take(tx, code.id, (user, grant.id))? {
        return Err(Error::NotFound(NO_CODE));
    }
    record(tx, actor, workspace.id, &before)?;
    Ok((grant, workspace))
}

/// Takes those open codes of a workspace back that the actor may. How many that were.
pub(super) fn revoke_open(
    tx: &WriteTx<'_>,
    actor: &Actor,
    id: WorkspaceId,
    may: impl Fn(&Code) -> bool,
) -> Result<usize> {
    let all: Vec<Code> = codes::open(tx, id)?.into_iter().filter(may).collect();
    for code in &all {
        codes::revoke(tx, code.id, actor.caller()?.user.id)?;
        told(tx, actor, code, (said_of(code).as_str(), ""))?;
    }
    Ok(all.len())
}

fn view(tx: &ReadTx<'_>, code: Code) -> Result<CodeView> {
    let place =
        workspaces::belonging(tx, code.workspace_id)?.ok_or(Error::NotFound("workspace"))?;
    let gives = rights::basis_of_absent(tx, (code.made_by.id, code.workspace_id), code.verbs);
    let holds = match gives.map(|_| ()).and_then(|()| rights::require_mode(tx, place)) {
        Ok(()) => true,
        Err(Error::Denied(_)) => false,
        Err(other) => return Err(other),
    };
    let grants = codes::standing(tx, code.id)?.len();
    Ok(CodeView { state: code.state(tx.now), holds, grants, code })
}

/// A code in the words of the audit log: never its text.
fn said_of(code: &Code) -> String {
    let verbs = code.verbs.preset().map_or(code.verbs.to_string(), |p| p.to_string());
    let recorded = if code.is_recorded { ", recorded" } else { "" };
    format!(
        "{}: {verbs} for {}, {} uses until {}{recorded}",
        code.id,
        time::words(code.grant_ttl),
        code.max_uses,
        code.expires_at.rfc3339()
    )
}

fn told(tx: &WriteTx<'_>, actor: &Actor, code: &Code, (old, new): (&str, &str)) -> Result<()> {
    let workspace = cases::load(tx, code.workspace_id)?;
    let diff = Diff::new().field("share_code", old, new).field("reason", "", &code.reason);
    let (target, name) = (AuditTarget::Workspace, workspace.name.as_str());
    let entry = trail::entry(AuditAction::Write, target, workspace.id.0, name);
    access::record(tx, actor, &trail::with(entry, &diff))
}
