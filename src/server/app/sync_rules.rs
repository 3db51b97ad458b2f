//! How a provider is followed now: as the server's file says, and over it what was set here.

use super::Result;
use crate::model::group_sync::GroupSync;
use crate::model::id::OrganizationId;
use crate::model::identity::{GITHUB, Rules};
use crate::model::set_sync::{SetSync, SyncKind};
use crate::model::sync::{OrganizationSync, Origin, RoleSync};
use crate::model::user::Organization;
use crate::server::db::idp_syncs::{self, SyncRow};
use crate::server::db::{ReadTx, organizations};

/// What is in force of a provider.
pub(super) struct InForce {
    /// How organizations follow; none when people are put in here.
    pub organizations: Option<(OrganizationSync, Origin)>,
    /// The organizations in which something follows, by name.
    pub places: Vec<PlaceRules>,
}

/// What follows in one organization.
pub(super) struct PlaceRules {
    /// Which.
    pub organization: Organization,
    /// How groups follow; none when they do not.
    pub groups: Option<(GroupSync, Origin)>,
    /// How roles there follow; none when they are given there.
    pub roles: Option<RoleSync>,
}

/// What is in force of a provider.
///
/// # Errors
/// When the database fails.
pub(super) fn in_force(tx: &ReadTx<'_>, provider: &str, rules: &Rules) -> Result<InForce> {
    let rows = idp_syncs::of_provider(tx, provider)?;
    let set = |kind: SyncKind, place: Option<OrganizationId>| {
        let is_it = |row: &&SyncRow| row.kind == kind && row.organization == place;
        rows.iter().find(is_it).map(|row| &row.settings)
    };
    let organizations = match set(SyncKind::Organizations, None) {
        Some(set) => set.organizations().map(|sync| (sync, Origin::Set)),
        None => rules.organizations.clone().map(|sync| (sync, Origin::File)),
    };
    let mut places = Vec::new();
    for organization in organizations::list(tx)? {
        let id = Some(organization.id);
        let groups = match set(SyncKind::Groups, id) {
            Some(set) => set.groups(only_mapped(provider)).map(|sync| (sync, Origin::Set)),
            None if organization.is_default => rules.groups.clone().map(|s| (s, Origin::File)),
            None => None,
        };
        let roles = set(SyncKind::Roles, id).and_then(SetSync::roles);
        if groups.is_some() || roles.is_some() {
            places.push(PlaceRules { organization, groups, roles });
        }
    }
    Ok(InForce { organizations, places })
}

/// Whether anyone at a provider may make a group of any name there.
pub(super) fn only_mapped(provider: &str) -> bool {
    provider == GITHUB
}

/// What a provider's rules in the server's file say of one thing that follows.
pub(super) fn in_file(
    rules: Option<&Rules>,
    kind: SyncKind,
    place: Option<&Organization>,
) -> SetSync {
    let in_default = place.is_some_and(|organization| organization.is_default);
    let said = match kind {
        SyncKind::Groups => rules
            .filter(|_| in_default)
            .and_then(|rules| rules.groups.as_ref().map(SetSync::of_groups)),
        SyncKind::Organizations => {
            rules.and_then(|rules| rules.organizations.as_ref().map(SetSync::of_organizations))
        }
        // The file speaks of roles on the site alone.
        SyncKind::Roles => None,
    };
    let nothing = SetSync { assign_default: kind == SyncKind::Organizations, ..SetSync::default() };
    said.unwrap_or(nothing)
}
