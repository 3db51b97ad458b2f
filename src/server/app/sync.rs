//! What a provider's word on someone changes here: their organizations, roles and groups.

use super::provider_rules::AllRules;
use super::sync_rules::PlaceRules;
use super::{Actor, Error, Result, group_sync, members, place_roles, role_sync, sync_rules};
use crate::model::audit::{AuditAction, Diff};
use crate::model::identity::{Claims, Identity, Rules};
use crate::model::sync::{Origin, Outcome, PlaceOutcome, Synced};
use crate::model::user::{Organization, User};
use crate::server::db::{ReadTx, WriteTx, memberships, organizations, roles, users};

/// What a provider says of someone.
pub(super) struct Word<'a> {
    /// The provider's rules.
    pub rules: &'a Rules,
    /// What it says.
    pub claims: &'a Claims,
    /// Whether it did not say the same before.
    pub is_news: bool,
}

/// What a provider's rules make of claims, as things are here now. What a sync does and what is shown
/// of it both come from this.
///
/// # Errors
/// When the database fails.
pub(super) fn outcome(
    tx: &ReadTx<'_>,
    (provider, rules): (&str, &Rules),
    claims: &Claims,
) -> Result<Outcome> {
    let in_force = sync_rules::in_force(tx, provider, rules)?;
    let organizations = match &in_force.organizations {
        Some((sync, origin)) => {
            let mapped = sync.map(&claims.list(&sync.field), &organizations::list(tx)?);
            Some(Synced { field: sync.field.clone(), origin: *origin, mapped })
        }
        None => None,
    };
    let roles = rules.roles.as_ref().map(|sync| Synced {
        field: sync.field.clone(),
        origin: Origin::File,
        mapped: sync.map(&claims.list(&sync.field)),
    });
    let mut places = Vec::new();
    for place in in_force.places {
        places.push(in_place(tx, place, claims)?);
    }
    Ok(Outcome { organizations, roles, places })
}

/// What a provider's rules for one organization make of claims.
///
/// # Errors
/// When the database fails.
pub(super) fn in_place(
    tx: &ReadTx<'_>,
    place: PlaceRules,
    claims: &Claims,
) -> Result<PlaceOutcome> {
    let PlaceRules { organization, groups, roles } = place;
    let groups = match groups {
        Some((sync, origin)) => {
            let mapped = group_sync::outcome(tx, (&organization, &sync), claims)?;
            Some(Synced { field: sync.field, origin, mapped })
        }
        None => None,
    };
    let roles = match roles {
        Some(sync) => {
            let custom = roles::list(tx, organization.id)?;
            let custom: Vec<_> = custom.into_iter().map(|role| role.name).collect();
            let mapped = sync.map_in(&claims.list(&sync.field), &custom);
            Some(Synced { field: sync.field, origin: Origin::Set, mapped })
        }
        None => None,
    };
    Ok(PlaceOutcome { organization, groups, roles })
}

/// Brings someone in line with a provider's word, and gives them back as they are then: first where
/// they belong, since groups and rights stand on that.
///
/// # Errors
/// When the database fails.
pub(super) fn follow(
    tx: &WriteTx<'_>,
    (identity, user): (&Identity, User),
    word: &Word<'_>,
    all: &AllRules,
) -> Result<User> {
    let outcome = outcome(tx, (&identity.provider, word.rules), word.claims)?;
    let mut user = user;
    if let Some(synced) = &outcome.organizations {
        belong(tx, (identity, &user), synced)?;
        user = again(tx, &user)?;
    }
    if let Some(synced) = &outcome.roles {
        let wanted = synced.given().copied().collect();
        role_sync::sync(tx, (identity, &user), &wanted, (all, word.is_news))?;
        user = again(tx, &user)?;
    }
    for place in &outcome.places {
        let id = place.organization.id;
        if !user.organizations.contains(&id) {
            continue;
        }
        if let Some(synced) = &place.groups {
            group_sync::sync(tx, (identity, &user), (id, synced))?;
        }
        if let Some(synced) = &place.roles {
            place_roles::sync(tx, (identity, &user), (id, synced))?;
        }
    }
    again(tx, &user)
}

fn again(tx: &ReadTx<'_>, user: &User) -> Result<User> {
    users::find(tx, user.id)?.ok_or(Error::NotFound("user"))
}

/// Only what a sync of this identity gave is taken away: who was put in by hand, or by another
/// provider, stays.
fn belong(
    tx: &WriteTx<'_>,
    (identity, user): (&Identity, &User),
    synced: &Synced<Organization>,
) -> Result<()> {
    let by_provider = || Diff::new().field("provider", "", identity.provider.as_str());
    for id in memberships::list_synced(tx, identity.id)? {
        let is_gone = synced.given().all(|organization| organization.id != id);
        if is_gone && let Some(organization) = organizations::find(tx, id)? {
            members::leave(tx, &Actor::System, (&organization, user), by_provider())?;
        }
    }
    for organization in synced.given() {
        if memberships::add_synced(tx, organization.id, identity)? {
            let diff = by_provider().field("organization", "", organization.name.as_str());
            members::written(
                tx,
                &Actor::System,
                (AuditAction::Create, user, organization.id),
                &diff,
            )?;
        }
    }
    Ok(())
}
