//! By whose right a request is answered: nobody lets another in further than they, or who named them for
//! it, could by sharing.

use super::sharing_rights::{require_member, require_mode};
use super::{Actor, Error, Result, access};
use crate::model::grant;
use crate::model::id::{GrantId, OrganizationId, RotationId, UserId, WorkspaceId};
use crate::model::policy::Context;
use crate::model::request::{Approval, Request, Rule};
use crate::model::time::Timestamp;
use crate::model::user::{User, UserKind};
use crate::model::verb::Verb;
use crate::server::db::{ReadTx, request_rules, service_accounts, shifts, users, workspaces};

/// On whose right a grant stands, and by which grant they have it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    /// Whose.
    pub by: UserId,
    /// By which grant; none for the owner and by a role.
    pub under: Option<GrantId>,
}

/// A request for a workspace that is there.
pub(super) struct Asked<'a> {
    /// The request.
    pub request: &'a Request,
    /// The workspace.
    pub workspace: WorkspaceId,
    /// Whose it is.
    pub owner: UserId,
    /// Where it belongs.
    pub organization: OrganizationId,
    /// Who answers for it besides those who may share it; none where nobody was named.
    pub rule: Option<Rule>,
}

impl<'a> Asked<'a> {
    /// None for a request to which nothing belongs, or nothing any more.
    pub(super) fn of(tx: &ReadTx<'_>, request: &'a Request) -> Result<Option<Self>> {
        let Some(workspace) = request.workspace_id else { return Ok(None) };
        if workspaces::is_deleted(tx, workspace)? {
            return Ok(None);
        }
        let Some((owner, organization)) = workspaces::belonging(tx, workspace)? else {
            return Ok(None);
        };
        let rule = rule(tx, organization, Some(workspace))?;
        Ok(Some(Self { request, workspace, owner, organization, rule }))
    }

    /// How many have to say yes.
    pub(super) fn needed(&self) -> u8 {
        self.rule.as_ref().map_or(1, |rule| rule.approvals)
    }

    /// The right by which someone may answer it as things are; none for who may not. Nobody answers
    /// their own.
    pub(super) fn right_of(
        &self,
        tx: &ReadTx<'_>,
        user: UserId,
        context: &Context<'_>,
    ) -> Result<Option<Standing>> {
        if user == self.request.user_id || person(tx, user)?.is_none() {
            return Ok(None);
        }
        if let Some(own) = self.standing(tx, user, context)? {
            return Ok(Some(own));
        }
        match &self.rule {
            Some(rule) if is_named(tx, rule, user)? => self.lent(tx, rule),
            Some(_) | None => Ok(None),
        }
    }

    /// Whether a yes that someone said before counts as things are: they may answer it from anywhere, or
    /// the right that they had when they said it stands.
    pub(super) fn counts(&self, tx: &ReadTx<'_>, said: &Approval) -> Result<bool> {
        if self.right_of(tx, said.user_id, &absent(tx))?.is_some() {
            return Ok(true);
        }
        // A right that another lent asked for nothing but what was looked at just now.
        let own = said.right.filter(|(by, _)| *by == said.user_id);
        let (Some((user, under)), Some(_)) = (own, person(tx, said.user_id)?) else {
            return Ok(false);
        };
        let held = access::rights(tx, user, self.workspace)?;
        Ok(grant::stands(&held, (self.request.verbs, under), tx.now))
    }

    /// The right by which whoever asks is let in at once, where they are on call for that, and until when
    /// at most.
    pub(super) fn at_once(
        &self,
        tx: &ReadTx<'_>,
    ) -> Result<Option<(Standing, RotationId, Timestamp)>> {
        let Some(rule) = &self.rule else { return Ok(None) };
        let Some(rotation) = rule.auto else { return Ok(None) };
        match shifts::on_shift(tx, rotation)? {
            Some((user, until)) if user == self.request.user_id => {
                Ok(self.lent(tx, rule)?.map(|standing| (standing, rotation, until)))
            }
            Some(_) | None => Ok(None),
        }
    }

    /// The right of whoever set the rule, of which those it names use a part: what can be passed on by
    /// anyone who has the workspace, for as long as who named them has it.
    fn lent(&self, tx: &ReadTx<'_>, rule: &Rule) -> Result<Option<Standing>> {
        let verbs = self.request.verbs;
        let is_passed_on = !verbs.contains(Verb::Share) && !verbs.contains(Verb::Delete);
        if rule.set_by == self.request.user_id || !is_passed_on {
            return Ok(None);
        }
        self.standing(tx, rule.set_by, &absent(tx))
    }

    /// By what someone could share what is asked for with whoever asks.
    fn standing(
        &self,
        tx: &ReadTx<'_>,
        user: UserId,
        context: &Context<'_>,
    ) -> Result<Option<Standing>> {
        let Some(user) = person(tx, user)? else { return Ok(None) };
        let held = access::rights(tx, user.id, self.workspace)?;
        let under = grant::basis(&held, self.request.verbs, context);
        Ok(under.ok().map(|under| Standing { by: user.id, under }))
    }

    /// Whether a program may bring answers: who set it could give what is asked for themselves, and
    /// neither asks for it nor answers for the account that does.
    pub(super) fn hears(&self, tx: &ReadTx<'_>, keeper: UserId) -> Result<bool> {
        let asks = self.request.user_id;
        let account = service_accounts::find(tx, asks)?;
        if keeper == asks || account.is_some_and(|row| row.responsible == Some(keeper)) {
            return Ok(false);
        }
        Ok(self.standing(tx, keeper, &absent(tx))?.is_some())
    }

    /// Asks whether whoever asks may be let in at all.
    pub(super) fn require_grantable(&self, tx: &ReadTx<'_>) -> Result<()> {
        require_mode(tx, (self.owner, self.organization))?;
        require_member(tx, self.organization, self.request.user_id)
    }
}

/// What is known of someone who is not here to show anything: neither where they are nor a second factor,
/// whatever they showed before.
pub(super) fn absent(tx: &ReadTx<'_>) -> Context<'static> {
    Context { now: tx.now, ip: None, mfa_at: None, conditions: &[] }
}

/// The rule that holds for a workspace, or for an organization where none is named.
pub(super) fn rule(
    tx: &ReadTx<'_>,
    organization: OrganizationId,
    workspace: Option<WorkspaceId>,
) -> Result<Option<Rule>> {
    if workspace.is_some()
        && let Some(own) = request_rules::find(tx, organization, workspace)?
    {
        return Ok(Some(own));
    }
    Ok(request_rules::find(tx, organization, None)?)
}

/// Whether a rule names someone, as a member of its group or as who is on call.
fn is_named(tx: &ReadTx<'_>, rule: &Rule, user: UserId) -> Result<bool> {
    if let Some(group) = rule.group
        && request_rules::is_in_group(tx, group, user)?
    {
        return Ok(true);
    }
    let Some(rotation) = rule.rotation else { return Ok(false) };
    Ok(shifts::on_shift(tx, rotation)?.is_some_and(|(on_call, _)| on_call == user))
}

/// Someone who may answer for anything: a person who may act.
fn person(tx: &ReadTx<'_>, user: UserId) -> Result<Option<User>> {
    let found = users::find(tx, user)?;
    Ok(found.filter(|user| user.kind == UserKind::Person && user.status.may_act()))
}

/// Asks for a person who may ask and answer: an account would ask for whoever answers for it.
pub(super) fn require_person(actor: &Actor) -> Result<UserId> {
    let user = require_whole(actor)?;
    if actor.caller()?.user.kind != UserKind::Person {
        return Err(Error::denied("only people ask for access and look into emergencies"));
    }
    Ok(user)
}

/// Asks for who may ask and answer: a user with their own session, or a token without limits.
pub(super) fn require_whole(actor: &Actor) -> Result<UserId> {
    actor.require_own()?;
    let caller = actor.caller()?;
    if !caller.subject.scope.is_all() {
        return Err(Error::denied("a token with limits neither asks for access nor gives it"));
    }
    Ok(caller.user.id)
}
