//! Reviewing access: every grant with what speaks against it, and why someone reaches a workspace.

use std::collections::BTreeMap;

use super::access::{record, rights};
use super::audit_chain::require_reader;
use super::charters::Charters;
use super::letters::tell_reviewers;
use super::sharing::{name_of, view_in};
use super::{Actor, App, Error, Result, access, people, trail};
use crate::model::access_review::{
    AccessReason, DUE_AFTER, ON_A_PAGE, ReviewCounts, ReviewOf, ReviewRow,
};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::grant::{EffectiveGrant, Grant, Reason, Via};
use crate::model::id::{GrantId, WorkspaceId};
use crate::model::policy::Context;
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::model::verb::{Verb, Verbs};
use crate::server::db::access_review::{self as rows, Reviewed};
use crate::server::db::{
    ReadTx, grants, organizations, service_accounts, settings, users, workspaces,
};

/// The setting that says when access was last signed off, and by whom.
const SIGNED_OFF: &str = "access_signed_off";
/// The setting that says of which sign-off it was told that the next one is due.
const REMINDED: &str = "access_review_reminded";
/// Grants taken back at once, at most.
const MAX_AT_ONCE: usize = 500;
/// Grants that are held against charters at once.
const AT_ONCE: u32 = 1000;
/// The longest note of a sign-off.
const MAX_NOTE: usize = 512;

/// A page of a review.
#[derive(Clone, Debug)]
pub struct Review {
    /// The grants.
    pub rows: Vec<ReviewRow>,
    /// How many there are of each kind.
    pub counts: ReviewCounts,
    /// When access was last signed off, and by whom.
    pub signed_off: Option<(Timestamp, String)>,
}

impl App {
    /// A page of the grants that stand, on workspaces whose `owner/name` holds a text.
    ///
    /// # Errors
    /// [`Error::Denied`] for who is neither owner nor auditor.
    pub async fn access_review(
        &self,
        actor: &Actor,
        (of, text): (ReviewOf, &str),
        offset: u32,
    ) -> Result<Review> {
        require_reader(self.clock.now(), actor)?;
        let text = text.trim().to_lowercase();
        self.db
            .read_large(move |tx| {
                let charters = Charters::all(tx)?;
                let wider =
                    if charters.is_empty() { vec![] } else { beyond(tx, &charters, &text)? };
                let counts = ReviewCounts { wider: count(&wider), ..rows::counts(tx, &text)? };
                let found = match of {
                    ReviewOf::Wider => {
                        let before = usize::try_from(offset).unwrap_or(usize::MAX);
                        wider.into_iter().skip(before).take(ON_A_PAGE as usize).collect()
                    }
                    ReviewOf::All | ReviewOf::Stale | ReviewOf::Endless | ReviewOf::Departed => {
                        rows::list(tx, (of, &text), (ON_A_PAGE, offset))?
                    }
                };
                let rows = found.into_iter().map(|row| shown(tx, &charters, row));
                let rows = rows.collect::<Result<_>>()?;
                Ok(Review { rows, counts, signed_off: signed_off(tx)? })
            })
            .await
    }

    /// Why someone reaches a workspace, or does not: for who may share it, for owners and auditors, and
    /// for themselves.
    ///
    /// # Errors
    /// [`Error::NotFound`] for whom and what the actor may not know, [`Error::Denied`] for who may ask
    /// neither.
    pub async fn explain_access(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        user: &str,
    ) -> Result<(User, Vec<AccessReason>)> {
        let (actor, key) = (actor.clone(), user.to_owned());
        self.db
            .read(move |tx| {
                let reads = require_reader(tx.now, &actor).is_ok();
                if !reads {
                    access::require(tx, &actor, id, Verb::View)?;
                }
                let user = people::find(tx, &actor, &key)?;
                if !reads && actor.user_id() != Some(user.id) {
                    access::require(tx, &actor, id, Verb::Share)?;
                }
                let reasons = reasons(tx, id, &user)?;
                Ok((user, reasons))
            })
            .await
    }

    /// Takes grants back that a review found, on whatever workspaces. Gives how many; one that stands no
    /// more is passed over.
    ///
    /// # Errors
    /// As [`App::unshare`]; none is taken back then.
    pub async fn revoke_grants(&self, actor: &Actor, ids: Vec<GrantId>) -> Result<usize> {
        if ids.len() > MAX_AT_ONCE {
            return Err(Error::invalid("grants", format!("are more than {MAX_AT_ONCE}")));
        }
        actor.require_own()?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let mut by_place: BTreeMap<WorkspaceId, Vec<Grant>> = BTreeMap::new();
                for id in ids {
                    if let Some(grant) = grants::find(tx, id)?.filter(|g| g.ended.is_none()) {
                        by_place.entry(grant.workspace_id).or_default().push(grant);
                    }
                }
                for (place, all) in &by_place {
                    super::sharing::take_back(tx, &actor, (*place, all))?;
                }
                Ok(by_place.values().map(Vec::len).sum())
            })
            .await
    }

    /// Signs access off as it is: the log keeps who did, and what stood.
    ///
    /// # Errors
    /// [`Error::Denied`] for who is neither owner nor auditor, [`Error::Invalid`] for a long note.
    pub async fn sign_off_access(&self, actor: &Actor, note: &str) -> Result<()> {
        actor.require_own()?;
        if note.chars().count() > MAX_NOTE {
            return Err(Error::invalid("note", format!("is longer than {MAX_NOTE} characters")));
        }
        require_reader(self.clock.now(), actor)?;
        // Counted apart: nobody's write waits for it.
        let counted = |tx: &ReadTx<'_>| {
            let wider = count(&beyond(tx, &Charters::all(tx)?, "")?);
            Ok::<_, Error>(ReviewCounts { wider, ..rows::counts(tx, "")? })
        };
        let counts = self.db.read_large(counted).await?;
        let (actor, note) = (actor.clone(), note.trim().to_owned());
        self.db
            .write(move |tx| {
                require_reader(tx.now, &actor)?;
                let ReviewCounts { all, stale, endless, departed, wider } = counts;
                let by = actor.caller()?.user.username.to_string();
                let text = format!("{} {by}", tx.now.0);
                settings::put(tx, SIGNED_OFF, text.as_bytes())?;
                let said = format!(
                    "{all} grants, {endless} without an end, {stale} unused, {departed} by departed, \
                     {wider} beyond a charter"
                );
                let diff = Diff::new().field("access_review", "", said.as_str()).field(
                    "note",
                    "",
                    note.as_str(),
                );
                let target = AuditTarget::Setting;
                let entry =
                    trail::entry(AuditAction::Write, target, uuid::Uuid::nil(), "access review");
                record(tx, &actor, &trail::with(entry, &diff))
            })
            .await
    }
}

impl App {
    /// Whether access should be reviewed again: the last sign-off, or the beginning of the deployment, is
    /// a quarter ago. Nobody but who reviews is told.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn access_review_is_due(&self, actor: &Actor) -> Result<bool> {
        if require_reader(self.clock.now(), actor).is_err() {
            return Ok(false);
        }
        self.db.read(|tx| Ok(due_since(tx)?.is_some())).await
    }

    /// Puts on record, once, that access should be reviewed again. Whether it was.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remind_of_access_review(&self) -> Result<bool> {
        self.db
            .write(|tx| {
                let Some(since) = due_since(tx)? else { return Ok(false) };
                let mark = since.0.to_string();
                if settings::find(tx, REMINDED)?.is_some_and(|kept| kept == mark.as_bytes()) {
                    return Ok(false);
                }
                settings::put(tx, REMINDED, mark.as_bytes())?;
                let diff = Diff::new().field("due_since", "", since.rfc3339().as_str());
                let target = AuditTarget::Setting;
                let entry =
                    trail::entry(AuditAction::Write, target, uuid::Uuid::nil(), "access review");
                record(tx, &Actor::System, &trail::with(entry, &diff))?;
                tell_reviewers(tx, since)?;
                Ok(true)
            })
            .await
    }
}

/// Since when a review is due; none while it is not.
fn due_since(tx: &ReadTx<'_>) -> Result<Option<Timestamp>> {
    let last = match signed_off(tx)? {
        Some((at, _)) => at,
        None => match organizations::find_default(tx)? {
            Some(first) => first.created_at,
            None => return Ok(None),
        },
    };
    let due = last.plus(DUE_AFTER);
    Ok((due <= tx.now).then_some(due))
}

fn signed_off(tx: &ReadTx<'_>) -> Result<Option<(Timestamp, String)>> {
    let kept = settings::find(tx, SIGNED_OFF)?.and_then(|kept| String::from_utf8(kept).ok());
    Ok(kept.and_then(|kept| {
        let (at, by) = kept.split_once(' ')?;
        Some((Timestamp(at.parse().ok()?), by.to_owned()))
    }))
}

/// Every grant that goes beyond a charter, by workspace.
fn beyond(tx: &ReadTx<'_>, charters: &Charters, text: &str) -> Result<Vec<Reviewed>> {
    let mut all = vec![];
    if charters.is_empty() {
        return Ok(all);
    }
    for page in 0.. {
        let found = rows::list(tx, (ReviewOf::All, text), (AT_ONCE, page * AT_ONCE))?;
        let is_last = found.len() < AT_ONCE as usize;
        for row in found {
            if !charters.exceeded(tx, row.organization, &row.grant)?.is_empty() {
                all.push(row);
            }
        }
        if is_last {
            break;
        }
    }
    Ok(all)
}

fn count(all: &[Reviewed]) -> i64 {
    i64::try_from(all.len()).unwrap_or(i64::MAX)
}

fn shown(tx: &ReadTx<'_>, charters: &Charters, row: Reviewed) -> Result<ReviewRow> {
    let Reviewed { grant, owner, workspace, organization, last_used, departed } = row;
    let wider = charters.exceeded(tx, organization, &grant)?;
    let view = view_in(tx, organization, grant)?;
    Ok(ReviewRow { owner, workspace, view, last_used, departed, wider })
}

/// Every reason, those that let them in now first.
fn reasons(tx: &ReadTx<'_>, id: WorkspaceId, user: &User) -> Result<Vec<AccessReason>> {
    let held = rights(tx, user.id, id)?;
    let mut all = vec![];
    for reason in [Reason::Owner, Reason::Responsible, Reason::Role] {
        let verbs: Verbs = held.iter().filter(|g| g.reason == reason).map(|g| g.verb).collect();
        if !verbs.is_empty() {
            let said = without_grant(tx, (id, user), reason)?;
            all.push(AccessReason { reason, verbs, said, grant: None, closed: None });
        }
    }
    for grant in rows::of(tx, id, user.id)? {
        all.push(by_grant(tx, &held, (grant, user))?);
    }
    all.sort_by_key(|reason| reason.closed.is_some());
    Ok(all)
}

/// What is said of a reason that is no grant.
fn without_grant(
    tx: &ReadTx<'_>,
    (id, user): (WorkspaceId, &User),
    reason: Reason,
) -> Result<String> {
    Ok(match reason {
        Reason::Owner => format!("{} owns it", user.username),
        Reason::Responsible => {
            let owner = workspaces::owner(tx, id)?.ok_or(Error::NotFound("workspace"))?;
            let account = users::find(tx, owner)?.map(|u| u.username.to_string());
            debug_assert!(service_accounts::find(tx, owner)?.is_some());
            format!("{} answers for {}, which owns it", user.username, account.unwrap_or_default())
        }
        Reason::Role | Reason::Grant | Reason::Group | Reason::Rotation => {
            let site = user.roles.iter().map(ToString::to_string);
            let there = user.organization_roles.iter().map(|held| held.role.to_string());
            let roles: Vec<String> = site.chain(there).collect();
            format!("{} is {}", user.username, roles.join(", "))
        }
    })
}

fn by_grant(
    tx: &ReadTx<'_>,
    held: &[EffectiveGrant],
    (grant, user): (Grant, &User),
) -> Result<AccessReason> {
    let theirs: Vec<&EffectiveGrant> =
        held.iter().filter(|right| right.grant_id == Some(grant.id)).collect();
    let to = name_of(tx, grant.to)?;
    let by = match grant.granted_by {
        Some(user) => users::find(tx, user)?.map(|u| u.username.to_string()).unwrap_or_default(),
        None => "the server".to_owned(),
    };
    let mut said = match grant.via {
        Via::BreakGlass => format!("{} let themselves in", user.username),
        Via::Request => {
            format!("{} asked for it, and was let in by the right of {by}", user.username)
        }
        Via::Direct | Via::Code if to == user.username.as_str() => format!("{by} granted it"),
        Via::Direct | Via::Code => {
            format!("{} is in {to}, to which {by} granted it", user.username)
        }
    };
    if !grant.reason.is_empty() {
        said = format!("{said}: {}", grant.reason);
    }
    // From anywhere, and with every factor: what is asked is whether it holds, not how they come.
    let context = Context { now: tx.now, ip: None, mfa_at: Some(tx.now), conditions: &[] };
    let closed = match theirs.iter().find(|right| right.is_in_time(tx.now)).or(theirs.first()) {
        None if !user.status.may_act() => Some("their account is suspended".to_owned()),
        None => Some("whoever granted it has lost the right to, or they left".to_owned()),
        Some(right) if right.from > tx.now => Some("it has not begun".to_owned()),
        Some(right) if right.networks.trim().is_empty() => {
            right.check(&context).err().map(|unmet| unmet.to_string())
        }
        Some(_) => None,
    };
    let reason = theirs.first().map_or(Reason::Grant, |right| right.reason);
    Ok(AccessReason { reason, verbs: grant.verbs, said, grant: Some(grant), closed })
}
