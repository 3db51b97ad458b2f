//! Groups that follow what a provider says: who is put in and taken out at a sign-in or a renewal.

use std::collections::BTreeMap;

use super::groups::{EVERYONE, done};
use super::{Actor, Result};
use crate::model::audit::{AuditAction, Diff};
use crate::model::group_sync::{GroupKey, GroupSync};
use crate::model::id::{GroupId, OrganizationId};
use crate::model::identity::{Claims, Identity};
use crate::model::name::GroupName;
use crate::model::sync::{GroupHere, Left, Mapped, Synced};
use crate::model::user::{Group, GroupSource, Organization, User};
use crate::server::db::{ReadTx, WriteTx, groups};

/// The groups of an organization that someone with these claims belongs to, as they are here now.
///
/// # Errors
/// When the database fails.
pub(super) fn outcome(
    tx: &ReadTx<'_>,
    (place, sync): (&Organization, &GroupSync),
    claims: &Claims,
) -> Result<Vec<Mapped<GroupHere>>> {
    let mut all = Vec::new();
    for Mapped { value, became } in sync.map(&claims.list(&sync.field)) {
        let became = match became {
            Ok(GroupKey::Id(id)) if id.0 == place.id.0 => Err(Left::Implied(EVERYONE.to_owned())),
            Ok(GroupKey::Id(id)) => {
                let found = groups::find(tx, id)?.filter(|g| g.organization_id == place.id);
                found.map(GroupHere::There).ok_or_else(|| Left::Unknown(id.to_string()))
            }
            Ok(GroupKey::Named(name)) if name.as_str().eq_ignore_ascii_case(EVERYONE) => {
                Err(Left::Implied(name.into_string()))
            }
            Ok(GroupKey::Named(name)) => match groups::find_by_name(tx, place.id, name.as_str())? {
                Some(group) => Ok(GroupHere::There(group)),
                None if sync.auto_create => Ok(GroupHere::New(name)),
                None => Err(Left::Unknown(name.into_string())),
            },
            Err(left) => Err(left),
        };
        all.push(Mapped { value, became });
    }
    Ok(all)
}

/// Brings the groups of a member of an organization in line with what came of the claims of one of
/// their identities. Only what a sync of this identity gave is taken away: who was put in by hand, or
/// by another provider, stays.
///
/// # Errors
/// When the database fails.
pub(super) fn sync(
    tx: &WriteTx<'_>,
    (identity, user): (&Identity, &User),
    (place, synced): (OrganizationId, &Synced<GroupHere>),
) -> Result<()> {
    let mut wanted: BTreeMap<GroupId, Group> = BTreeMap::new();
    for group in synced.given() {
        let group = match group {
            GroupHere::There(group) => group.clone(),
            GroupHere::New(name) => create(tx, place, name)?,
        };
        wanted.insert(group.id, group);
    }
    let name = user.username.as_str();
    let there = groups::list_synced(tx, identity.id)?;
    for group in there.into_iter().filter(|group| group.organization_id == place) {
        if wanted.remove(&group.id).is_none() {
            groups::remove(tx, group.id, user.id)?;
            changed(tx, &group, (&[name], &[]))?;
        }
    }
    for group in wanted.values() {
        if groups::add_synced(tx, group.id, identity)? {
            changed(tx, group, (&[], &[name]))?;
        }
    }
    Ok(())
}

fn create(tx: &WriteTx<'_>, organization: OrganizationId, name: &GroupName) -> Result<Group> {
    let group = Group {
        id: tx.fresh(),
        organization_id: organization,
        name: name.as_str().to_owned(),
        display_name: String::new(),
        source: GroupSource::Oidc,
        quota_allowance: 0,
        avatar_url: String::new(),
        created_at: tx.now,
    };
    groups::insert(tx, &group)?;
    done(tx, &Actor::System, AuditAction::Create, &group, &Diff::new())?;
    Ok(group)
}

fn changed(tx: &WriteTx<'_>, group: &Group, (out, put_in): (&[&str], &[&str])) -> Result<()> {
    let diff = Diff::new().field("members", out, put_in);
    done(tx, &Actor::System, AuditAction::Write, group, &diff)
}
