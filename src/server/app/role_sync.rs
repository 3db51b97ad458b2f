//! Roles on the site that follow what a provider says, which then keeps them alone.

use std::collections::BTreeSet;

use super::access::record;
use super::provider_rules::AllRules;
use super::users::entry;
use super::{Actor, Error, Result, trail};
use crate::model::audit::{AuditAction, AuditOutcome, Diff};
use crate::model::event::Event;
use crate::model::id::{IdentityId, UserId};
use crate::model::identity::Identity;
use crate::model::user::{SiteRole, User};
use crate::server::db::{ReadTx, WriteTx, audit, identities, roles, users};

/// The status of what could not be done as things are: HTTP's for a conflict.
const CONFLICT: u16 = 409;

/// The provider that keeps someone's roles, if one does: one that they sign in at.
///
/// # Errors
/// When the database fails.
pub(super) fn keeper(tx: &ReadTx<'_>, all: &AllRules, user: UserId) -> Result<Option<String>> {
    let theirs = identities::list_of(tx, user)?;
    Ok(theirs.into_iter().map(|identity| identity.provider).find(|name| keeps(all, name)))
}

fn keeps(all: &AllRules, provider: &str) -> bool {
    all.get(provider).is_some_and(|rules| rules.roles.is_some())
}

/// Gives a user exactly these roles, besides those that another provider keeps for them. The last
/// owner stays one, whatever a provider says.
///
/// # Errors
/// When the database fails.
pub(super) fn sync(
    tx: &WriteTx<'_>,
    (identity, user): (&Identity, &User),
    wanted: &BTreeSet<SiteRole>,
    (all, is_news): (&AllRules, bool),
) -> Result<()> {
    let theirs = identities::list_of(tx, user.id)?;
    let others = theirs.iter().filter(|i| i.id != identity.id && keeps(all, &i.provider));
    let others: BTreeSet<IdentityId> = others.map(|i| i.id).collect();
    let held = roles::list_of(tx, user.id)?;
    let is_others = |by: &Option<IdentityId>| by.is_some_and(|id| others.contains(&id));
    let mut is_kept = false;
    for (role, _) in held.iter().filter(|(role, by)| !wanted.contains(role) && !is_others(by)) {
        if *role == SiteRole::Owner && roles::count_other_owners(tx, user.id)? == 0 {
            is_kept = true;
        } else {
            roles::take(tx, user.id, *role)?;
        }
    }
    let is_right = |role: &SiteRole| {
        held.iter().any(|(r, by)| r == role && (*by == Some(identity.id) || is_others(by)))
    };
    for role in wanted.iter().filter(|role| !is_right(role)) {
        roles::give(tx, user.id, (*role, identity.id))?;
    }
    if is_kept && is_news {
        kept(tx, (identity, user))?;
    }
    changed(tx, (identity, user))
}

/// Says that the last owner stays one.
fn kept(tx: &WriteTx<'_>, (identity, user): (&Identity, &User)) -> Result<()> {
    let (username, provider) = (&user.username, identity.provider.as_str());
    tracing::warn!(%username, provider, "the last owner stays one, though the provider takes it away");
    let diff = Diff::new().field("rbac_roles", &[SiteRole::Owner][..], &[][..]);
    let entry = entry(AuditAction::Write, user, &diff.field("provider", "", provider));
    let why = format!("{provider} takes the role owner away, and there must be an owner");
    let outcome = AuditOutcome::refused(CONFLICT, &why);
    Ok(audit::insert(tx, &trail::source(&Actor::System), &entry, &outcome)?)
}

fn changed(tx: &WriteTx<'_>, (identity, old): (&Identity, &User)) -> Result<()> {
    let new = users::find(tx, old.id)?.ok_or(Error::NotFound("user"))?;
    if new.roles == old.roles {
        return Ok(());
    }
    users::update(tx, &new)?;
    let diff = Diff::new().field("rbac_roles", &old.roles, &new.roles);
    let diff = diff.field("provider", "", identity.provider.as_str());
    record(tx, &Actor::System, &entry(AuditAction::Write, &new, &diff))?;
    tx.emit(Event::User(new.id));
    tx.emit(Event::Grants);
    Ok(())
}
