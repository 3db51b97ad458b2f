//! What each built-in role holds. `tests/it/routes.txt` shows what that opens.

use super::permission::Action as A;
use super::permission::{Permissions, ResourceType as R};
use crate::model::user::{OrganizationRole, SiteRole, UserKind};

/// What everyone may do with what is their own: their account, tokens and workspaces.
#[must_use]
pub const fn own(kind: UserKind) -> Permissions {
    match kind {
        UserKind::Person => OWN,
        UserKind::Service => OWN.without(R::Workspace, &[A::Share]),
    }
}

const OWN: Permissions = Permissions::EMPTY
    .and(R::User, &[A::Read, A::ReadPersonal, A::UpdatePersonal])
    .and(R::OrganizationMember, &[A::Read])
    .and(R::GroupMember, &[A::Read])
    .and_every(&[R::ApiKey, R::Workspace])
    .without(R::Workspace, &[A::BreakGlass]);

/// What everyone may do in an organization they belong to. Templates are known by their own lists.
pub const MEMBER: Permissions =
    Permissions::EMPTY.and_read(&[R::Organization, R::AssignOrgRole, R::Rotation]);

/// What everyone signed in may see of the site.
pub const EVERYONE: Permissions = Permissions::EMPTY.and_read(&[R::AssignRole]);

/// What a template's own list gives with `use`.
pub const TEMPLATE_USE: Permissions = Permissions::EMPTY.and(R::Template, &[A::Read, A::Use]);

/// What a template's own list gives with `admin`; a new version begins with an upload, and the files
/// of those there are can be had.
pub const TEMPLATE_ADMIN: Permissions = Permissions::EMPTY
    .and_every(&[R::Template])
    .without(R::Template, &[A::Create])
    .and(R::File, &[A::Create, A::Read]);

/// What can be granted on one thing, whatever roles someone has.
pub const GRANTABLE: Permissions =
    TEMPLATE_ADMIN.and_every(&[R::Workspace]).without(R::Workspace, &[A::Create, A::BreakGlass]);

/// What makes and keeps templates.
const TEMPLATES: Permissions = Permissions::EMPTY.and_every(&[R::Template, R::File]).and_read(&[
    R::Workspace,
    R::Group,
    R::GroupMember,
    R::Organization,
    R::OrganizationMember,
]);

/// What keeps the members and groups of an organization.
const MEMBERS: Permissions = Permissions::EMPTY
    .and_every(&[R::Group, R::GroupMember, R::OrganizationMember, R::Rotation])
    .and_read(&[R::Organization]);

/// What shows who did what.
const RECORDS: Permissions = Permissions::EMPTY.and_read(&[
    R::AuditLog,
    R::ConnectionLog,
    R::Group,
    R::GroupMember,
    R::Organization,
    R::OrganizationMember,
    R::Rotation,
]);

/// What a role on the site holds everywhere.
#[must_use]
pub const fn of_site(role: SiteRole) -> Permissions {
    match role {
        SiteRole::Owner => Permissions::ALL,
        SiteRole::UserAdmin => MEMBERS.and_every(&[R::User]).and_read(&[R::AssignRole]),
        SiteRole::TemplateAdmin => TEMPLATES.and_read(&[R::User]),
        SiteRole::Auditor => RECORDS.and_read(&[R::User, R::DeploymentConfig]),
    }
}

/// What a role in an organization holds in it.
#[must_use]
pub const fn of_organization(role: OrganizationRole) -> Permissions {
    match role {
        // As Coder has it: an organization's admin keeps workspaces, and is not let into them, nor by
        // themselves.
        OrganizationRole::Admin => Permissions::ALL
            .without(R::Workspace, &[A::Ssh, A::ApplicationConnect, A::BreakGlass])
            .without(R::Organization, &[A::Create])
            .without(R::User, R::User.actions())
            .without(R::ApiKey, R::ApiKey.actions())
            .without(R::AssignRole, R::AssignRole.actions())
            .without(R::DeploymentConfig, R::DeploymentConfig.actions()),
        OrganizationRole::UserAdmin => MEMBERS
            .and(R::AssignOrgRole, &[A::Assign, A::Unassign, A::Read])
            .and_every(&[R::IdpsyncSettings]),
        OrganizationRole::TemplateAdmin => TEMPLATES,
        OrganizationRole::Auditor => RECORDS,
        OrganizationRole::WorkspaceCreationBan => Permissions::EMPTY,
    }
}

/// What a role in an organization takes away there, whatever else its holder has but a role on the
/// site.
#[must_use]
pub const fn denied_by(role: OrganizationRole) -> Permissions {
    match role {
        OrganizationRole::WorkspaceCreationBan => {
            Permissions::EMPTY.and(R::Workspace, &[A::Create])
        }
        OrganizationRole::Admin
        | OrganizationRole::UserAdmin
        | OrganizationRole::TemplateAdmin
        | OrganizationRole::Auditor => Permissions::EMPTY,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::policy::Permission;

    #[test]
    fn only_owners_change_what_people_are_on_the_site() {
        for role in SiteRole::ALL.iter().filter(|r| **r != SiteRole::Owner) {
            for action in [A::Assign, A::Unassign] {
                assert!(!of_site(*role).contains(Permission(R::AssignRole, action)), "{role}");
            }
        }
        for role in OrganizationRole::ALL {
            assert!(!of_organization(*role).contains(Permission(R::User, A::UpdatePersonal)));
            assert!(!of_organization(*role).contains(Permission(R::Workspace, A::Ssh)), "{role}");
        }
    }

    #[test]
    fn roles_in_an_organization_hold_no_more_than_owners() {
        for role in OrganizationRole::ALL {
            assert!(of_organization(*role).is_within(of_site(SiteRole::Owner)));
        }
    }
}
