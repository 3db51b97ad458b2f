//! Groups that follow what a provider says: who is put in and taken out at a sign-in or a renewal.

use std::collections::BTreeMap;

use super::groups::{EVERYONE, done};
use super::users::default_organization;
use super::{Actor, Result};
use crate::model::audit::{AuditAction, Diff};
use crate::model::group_sync::GroupSync;
use crate::model::id::{GroupId, OrganizationId};
use crate::model::identity::{Claims, Identity};
use crate::model::name::GroupName;
use crate::model::sync::{GroupHere, Left, Mapped, Synced};
use crate::model::user::{Group, GroupSource, User};
use crate::server::db::{ReadTx, WriteTx, groups};

/// The groups that someone with these claims belongs to, as they are here now.
///
/// # Errors
/// When the database fails.
pub(super) fn outcome(
    tx: &ReadTx<'_>,
    sync: &GroupSync,
    claims: &Claims,
) -> Result<Vec<Mapped<GroupHere>>> {
    let organization = default_organization(tx)?;
    let mut all = Vec::new();
    for Mapped { value, became } in sync.map(&claims.list(&sync.field)) {
        let became = match became {
            Ok(name) if name.as_str().eq_ignore_ascii_case(EVERYONE) => {
                Err(Left::Implied(name.into_string()))
            }
            Ok(name) => match groups::find_by_name(tx, organization, name.as_str())? {
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

/// Brings a user's groups in line with what came of the claims of one of their identities. Only what
/// a sync of this identity gave is taken away: who was put in by hand, or by another provider, stays.
///
/// # Errors
/// When the database fails.
pub(super) fn sync(
    tx: &WriteTx<'_>,
    (identity, user): (&Identity, &User),
    synced: &Synced<GroupHere>,
) -> Result<()> {
    let organization = default_organization(tx)?;
    if !user.organizations.contains(&organization) {
        return Ok(());
    }
    let mut wanted: BTreeMap<GroupId, Group> = BTreeMap::new();
    for group in synced.given() {
        let group = match group {
            GroupHere::There(group) => group.clone(),
            GroupHere::New(name) => create(tx, organization, name)?,
        };
        wanted.insert(group.id, group);
    }
    let name = user.username.as_str();
    for group in groups::list_synced(tx, identity.id)? {
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
