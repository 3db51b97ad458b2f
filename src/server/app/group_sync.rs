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
use crate::model::user::{Group, GroupSource, User};
use crate::server::db::{WriteTx, groups};

/// Brings a user's groups in line with the claims of one of their identities. Only what a sync of
/// this identity gave is taken away: who was put in by hand, or by another provider, stays.
///
/// # Errors
/// When the database fails.
pub(super) fn sync(
    tx: &WriteTx<'_>,
    sync: &GroupSync,
    (identity, user): (&Identity, &User),
    claims: &Claims,
) -> Result<()> {
    let organization = default_organization(tx)?;
    if !user.organizations.contains(&organization) {
        return Ok(());
    }
    let mapped = sync.map(&claims.list(&sync.field));
    if !mapped.unfit.is_empty() {
        let (user, names) = (&user.username, &mapped.unfit);
        tracing::debug!(%user, ?names, "no group can have these names; map them or filter them out");
    }
    let mut wanted: BTreeMap<GroupId, Group> = BTreeMap::new();
    for name in mapped.groups.iter().filter(|n| !n.as_str().eq_ignore_ascii_case(EVERYONE)) {
        let group = match groups::find_by_name(tx, organization, name.as_str())? {
            Some(group) => Some(group),
            None if sync.auto_create => Some(create(tx, organization, name)?),
            None => None,
        };
        wanted.extend(group.map(|g| (g.id, g)));
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
