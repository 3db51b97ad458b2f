//! Sharing a workspace: what was granted on it to whom, by whom, until when, and taking it back.

use std::collections::BTreeMap;

use super::grant_rows::{self, require_room};
use super::recipients::EVERYONE;
use super::sharing_rights::{self as rights, Sharer};
use super::sharing_trail::{record, words};
use super::{Actor, App, Error, Result, access, codes};
use crate::model::code::Code;
use crate::model::grant::{EndedWhy, Grant, GrantView, Limits, Recipient, Via};
use crate::model::id::{GrantId, OrganizationId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::model::user::UserRef;
use crate::model::verb::{Preset, Verb, Verbs};
use crate::server::db::{ReadTx, WriteTx, grants, groups, memberships, rotations, users};

/// Grants asked for at once, at most.
pub(super) const MAX_AT_ONCE: usize = 100;
/// How long whoever took a grant back may put it into force again.
const UNDO_S: i64 = 10 * 60;

/// What is to be granted.
#[derive(Clone, Debug)]
pub struct NewGrant {
    /// To whom.
    pub to: Recipient,
    /// What.
    pub verbs: Verbs,
    /// When and how.
    pub limits: Limits,
    /// Why; may be empty.
    pub reason: String,
    /// By what way.
    pub via: Via,
}

impl App {
    /// The grants that stand on a workspace, for who may share it.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the actor may not know the workspace, [`Error::Denied`] when they may
    /// not share it.
    pub async fn grants(&self, actor: &Actor, id: WorkspaceId) -> Result<Vec<GrantView>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let sharer = Sharer::of(tx, &actor, id)?;
                let all = grants::list(tx, id)?;
                all.into_iter().map(|grant| view(tx, &sharer, grant)).collect()
            })
            .await
    }

    /// The grants on a workspace that were taken back so lately that it can be undone.
    ///
    /// # Errors
    /// As [`App::grants`].
    pub async fn undoable_grants(&self, actor: &Actor, id: WorkspaceId) -> Result<Vec<GrantView>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let sharer = Sharer::of(tx, &actor, id)?;
                let since = Timestamp(tx.now.0 - UNDO_S);
                let all = grants::removed_since(tx, id, since)?;
                all.into_iter().map(|grant| view(tx, &sharer, grant)).collect()
            })
            .await
    }

    /// The actor's own grants on a workspace: until when they may be there, and why.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the actor may not know the workspace.
    pub async fn own_grants(&self, actor: &Actor, id: WorkspaceId) -> Result<Vec<Grant>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                access::require(tx, &actor, id, Verb::View)?;
                let Some(user) = actor.user_id() else { return Ok(vec![]) };
                let mut held: Vec<GrantId> =
                    access::rights(tx, user, id)?.iter().filter_map(|g| g.grant_id).collect();
                held.sort_unstable();
                held.dedup();
                let found = held.into_iter().filter_map(|id| grants::find(tx, id).transpose());
                Ok(found.collect::<std::result::Result<_, _>>()?)
            })
            .await
    }

    /// Shares a workspace: all of these grants, or none.
    ///
    /// # Errors
    /// As [`App::grants`]; [`Error::Denied`] for who gives more than they have, [`Error::Invalid`] for
    /// what does not fit, [`Error::Conflict`] for too many.
    pub async fn share(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        new: Vec<NewGrant>,
    ) -> Result<Vec<GrantView>> {
        if new.is_empty() || new.len() > MAX_AT_ONCE {
            let why = format!("name 1 to {MAX_AT_ONCE} people and groups");
            return Err(Error::invalid("grants", why));
        }
        self.change_grants(actor, id, move |tx, sharer| {
            let mut made = vec![];
            for one in new {
                made.push(add(tx, sharer, one)?);
            }
            made.into_iter().map(|grant| view(tx, sharer, grant)).collect()
        })
        .await
    }

    /// Gives people and groups one of Coder's roles, or takes back all that they were granted; whom it
    /// does not name stays as they are.
    ///
    /// # Errors
    /// As [`App::share`].
    pub async fn set_roles(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        roles: BTreeMap<Recipient, Option<Preset>>,
    ) -> Result<()> {
        if roles.len() > MAX_AT_ONCE {
            let why = format!("names more than {MAX_AT_ONCE} people and groups");
            return Err(Error::invalid("user_roles", why));
        }
        self.change_grants(actor, id, move |tx, sharer| {
            roles.into_iter().try_for_each(|(to, role)| set_role(tx, sharer, to, role))
        })
        .await
    }

    /// Takes back everything that was granted on a workspace and that the actor may take back.
    ///
    /// # Errors
    /// As [`App::grants`].
    pub async fn unshare_all(&self, actor: &Actor, id: WorkspaceId) -> Result<()> {
        self.change_grants(actor, id, move |tx, sharer| {
            for grant in grants::list(tx, id)? {
                if rights::require_end(tx, sharer, &grant).is_ok() {
                    grants::end(tx, grant.id, sharer.user(), EndedWhy::Removed)?;
                }
            }
            // Nor does anyone come back by a code.
            let may = |code: &Code| {
                sharer.user() == Some(code.made_by.id) || sharer.basis(tx, code.verbs).is_ok()
            };
            codes::revoke_open(tx, sharer.actor, id, may)?;
            Ok(())
        })
        .await
    }

    /// Takes a grant back: what was done under it is cut.
    ///
    /// # Errors
    /// As [`App::grants`]; [`Error::NotFound`] for a grant that does not stand, [`Error::Denied`] for
    /// more than the actor could give, [`Error::Conflict`] for the one they share by.
    pub async fn unshare(&self, actor: &Actor, id: WorkspaceId, grant: GrantId) -> Result<()> {
        actor.require_own()?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                Sharer::of(tx, &actor, id)?;
                take_back(tx, &actor, (id, &[standing(tx, id, grant)?]))
            })
            .await
    }

    /// Undoes [`App::unshare`] within ten minutes.
    ///
    /// # Errors
    /// As [`App::share`]; [`Error::NotFound`] for a grant that was not taken back lately.
    pub async fn restore_grant(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        grant: GrantId,
    ) -> Result<()> {
        self.change_grants(actor, id, move |tx, sharer| {
            let found = grants::find(tx, grant)?.filter(|g| g.workspace_id == id);
            let found = found.filter(|g| is_undoable(g, tx.now));
            let found = found.ok_or(Error::NotFound("grant that was taken back just now"))?;
            let by = rights::require_new(tx, sharer, (found.to, found.verbs))?;
            if by.is_some() && (by != found.under || found.granted_by != sharer.user()) {
                return Err(Error::denied("who took back more than you could give restores it"));
            }
            require_room(tx, id)?;
            Ok(grants::restore(tx, found.id)?)
        })
        .await
    }

    /// Changes what is granted on a workspace, in one transaction.
    async fn change_grants<T: Send + 'static>(
        &self,
        actor: &Actor,
        id: WorkspaceId,
        work: impl FnOnce(&WriteTx<'_>, &Sharer<'_>) -> Result<T> + Send + 'static,
    ) -> Result<T> {
        actor.require_own()?;
        let actor = actor.clone();
        self.db.write(move |tx| change(tx, &actor, id, |sharer| work(tx, sharer))).await
    }

    /// Leaves a workspace that was shared with the actor.
    ///
    /// # Errors
    /// [`Error::NotFound`] when the actor may not know the workspace, [`Error::Conflict`] for who has it
    /// otherwise than by a grant of their own.
    pub async fn leave_workspace(&self, actor: &Actor, id: WorkspaceId) -> Result<()> {
        actor.require_own()?;
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                let user = actor.caller()?.user.id;
                access::require_scope(&actor, id, Verb::View.actions())?;
                let own = grants::of(tx, id, Recipient::User(user))?;
                if own.is_empty() {
                    access::require(tx, &actor, id, Verb::View)?;
                    return Err(Error::conflict(
                        "it was not shared with you yourself; you have it by a group, a role, or as its \
                         owner",
                    ));
                }
                let before = words(tx, id)?;
                for grant in own {
                    grants::end(tx, grant.id, Some(user), EndedWhy::Left)?;
                }
                record(tx, &actor, id, &before)
            })
            .await
    }
}

/// Changes what is granted on a workspace, for who may share it, with its audit row.
fn change<T>(
    tx: &WriteTx<'_>,
    actor: &Actor,
    id: WorkspaceId,
    work: impl FnOnce(&Sharer<'_>) -> Result<T>,
) -> Result<T> {
    let sharer = Sharer::of(tx, actor, id)?;
    let before = words(tx, id)?;
    let done = work(&sharer)?;
    record(tx, actor, id, &before)?;
    Ok(done)
}

/// Takes grants on one workspace back.
///
/// # Errors
/// As [`App::unshare`].
pub(super) fn take_back(
    tx: &WriteTx<'_>,
    actor: &Actor,
    (id, all): (WorkspaceId, &[Grant]),
) -> Result<()> {
    change(tx, actor, id, |sharer| {
        for grant in all {
            rights::require_end(tx, sharer, grant)?;
            grants::end(tx, grant.id, sharer.user(), EndedWhy::Removed)?;
        }
        Ok(())
    })
}

fn is_undoable(grant: &Grant, now: Timestamp) -> bool {
    matches!(grant.ended, Some((at, EndedWhy::Removed)) if now.0 - at.0 <= UNDO_S)
}

fn standing(tx: &ReadTx<'_>, workspace: WorkspaceId, id: GrantId) -> Result<Grant> {
    let found = grants::find(tx, id)?.filter(|g| g.workspace_id == workspace && g.ended.is_none());
    found.ok_or(Error::NotFound("grant"))
}

/// Grants one thing. Whoever shares was looked at before.
pub(super) fn add(tx: &WriteTx<'_>, sharer: &Sharer<'_>, new: NewGrant) -> Result<Grant> {
    rights::check(tx, &new)?;
    let under = rights::require_new(tx, sharer, (new.to, new.verbs))?;
    grant_rows::put(tx, (sharer.workspace, sharer.user(), under), new)
}

fn set_role(
    tx: &WriteTx<'_>,
    sharer: &Sharer<'_>,
    to: Recipient,
    role: Option<Preset>,
) -> Result<()> {
    let old = grants::of(tx, sharer.workspace, to)?;
    if let (Some(role), [one]) = (role, &old[..])
        && one.verbs == role.verbs()
        && one.limits == Limits::default()
        && rights::require_new(tx, sharer, (to, one.verbs))? == one.under
        && grants::is_held(tx, one.id)?
    {
        return Ok(());
    }
    for grant in old {
        rights::require_end(tx, sharer, &grant)?;
        grants::end(tx, grant.id, sharer.user(), EndedWhy::Removed)?;
    }
    let Some(role) = role else { return Ok(()) };
    let (limits, reason) = (Limits::default(), String::new());
    add(tx, sharer, NewGrant { to, verbs: role.verbs(), limits, reason, via: Via::Direct })?;
    Ok(())
}

/// Names whom a grant is about, for who shares.
fn view(tx: &ReadTx<'_>, sharer: &Sharer<'_>, grant: Grant) -> Result<GrantView> {
    let may_end = rights::require_end(tx, sharer, &grant).is_ok();
    Ok(GrantView { may_end, ..view_in(tx, sharer.organization, grant)? })
}

/// Names whom a grant is about.
///
/// # Errors
/// When the database fails.
pub(super) fn view_in(
    tx: &ReadTx<'_>,
    organization: OrganizationId,
    grant: Grant,
) -> Result<GrantView> {
    let (name, people) = (name_of(tx, grant.to)?, people(tx, organization, grant.to)?);
    let by = match grant.granted_by {
        Some(user) => users::find(tx, user)?.map(|u| UserRef { id: u.id, username: u.username }),
        None => None,
    };
    let holds = grants::is_held(tx, grant.id)?;
    Ok(GrantView { grant, name, people, by, holds, may_end: false })
}

/// The name of whom a grant is to.
///
/// # Errors
/// When the database fails.
pub(super) fn name_of(tx: &ReadTx<'_>, to: Recipient) -> Result<String> {
    Ok(match to {
        Recipient::Everyone => EVERYONE.to_owned(),
        Recipient::Group(id) => groups::find(tx, id)?.map(|g| g.name).unwrap_or_default(),
        Recipient::Rotation(id) => {
            rotations::find(tx, id)?.map(|r| r.name.to_string()).unwrap_or_default()
        }
        Recipient::User(id) => {
            users::find(tx, id)?.map(|u| u.username.to_string()).unwrap_or_default()
        }
    })
}

fn people(tx: &ReadTx<'_>, organization: OrganizationId, to: Recipient) -> Result<i64> {
    Ok(match to {
        Recipient::Everyone => memberships::count(tx, organization)?,
        Recipient::Group(id) => groups::count_members(tx, id)?,
        Recipient::Rotation(_) | Recipient::User(_) => 1,
    })
}
