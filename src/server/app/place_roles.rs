//! Roles in an organization that follow what a provider says: what it gave, only it takes.

use std::collections::BTreeSet;

use super::access::record;
use super::provider_rules::AllRules;
use super::{Actor, Error, Result, trail};
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::id::OrganizationId;
use crate::model::identity::Identity;
use crate::model::name::RoleName;
use crate::model::set_sync::SyncKind;
use crate::model::sync::Synced;
use crate::model::user::User;
use crate::server::db::{ReadTx, WriteTx, identities, idp_syncs, roles};

/// Brings the roles of a member of an organization in line with what came of the claims of one of
/// their identities. Roles that someone there gave, or another provider, stay.
///
/// # Errors
/// When the database fails.
pub(super) fn sync(
    tx: &WriteTx<'_>,
    (identity, user): (&Identity, &User),
    (place, synced): (OrganizationId, &Synced<RoleName>),
) -> Result<()> {
    let wanted: BTreeSet<&RoleName> = synced.given().collect();
    let held = roles::list_in(tx, place, user.id)?;
    let (mut new, mut is_changed) = (Vec::new(), false);
    for (role, by) in &held {
        if *by == Some(identity.id) && !wanted.contains(role) {
            roles::take_in(tx, place, (user.id, role))?;
            is_changed = true;
        } else {
            new.push(role);
        }
    }
    for role in wanted {
        if !new.contains(&role) {
            roles::give_in(tx, place, (user.id, role, Some(identity.id)))?;
            new.push(role);
            is_changed = true;
        }
    }
    if !is_changed {
        return Ok(());
    }
    let old: Vec<&str> = held.iter().map(|(role, _)| role.as_str()).collect();
    let new: Vec<&str> = new.into_iter().map(RoleName::as_str).collect();
    let diff = Diff::new().field("roles", old, new);
    let diff = diff.field("provider", "", identity.provider.as_str());
    let (target, name) = (AuditTarget::OrganizationMember, user.username.as_str());
    let entry = trail::entry(AuditAction::Write, target, user.id.0, name);
    record(tx, &Actor::System, &trail::with(trail::within(entry, place), &diff))?;
    tx.emit(Event::User(user.id));
    tx.emit(Event::Grants);
    Ok(())
}

/// Refuses to take what a provider gives for as long as it is followed: its next word would give it
/// again.
///
/// # Errors
/// [`Error::Conflict`] with the first such role.
pub(super) fn require_free(
    tx: &ReadTx<'_>,
    all: &AllRules,
    (place, user): (OrganizationId, &User),
    new: &[RoleName],
) -> Result<()> {
    for (role, by) in roles::list_in(tx, place, user.id)? {
        let Some(identity) = by.filter(|_| !new.contains(&role)) else { continue };
        let Some(identity) = identities::find(tx, identity)? else { continue };
        let provider = identity.provider.as_str();
        let set = idp_syncs::find(tx, provider, SyncKind::Roles, Some(place))?;
        if all.contains_key(provider) && set.is_some_and(|set| set.is_on()) {
            return Err(Error::Conflict(format!(
                "{} has the role {role} from {provider}, which would give it again; change it there, \
                 or what its words lead to here",
                user.username
            )));
        }
    }
    Ok(())
}
