//! People in Coder's words.

use crate::model::policy;
use crate::model::time::Timestamp;
use crate::model::user::{Organization, SiteRole, SshKey, TokenEntry, TokenKind, User, UserKind};
use crate::server::app::groups::GroupView;
use crate::server::app::roles::RoleView;
use crate::wire::coder::roles::{AssignableRole, Permission};
use crate::wire::coder::{Time, organizations, tokens, users};

/// A user.
#[must_use]
pub fn user(user: &User) -> users::User {
    listed(user.clone())
}

/// A user of a list that is not needed any more: its texts are moved.
#[must_use]
pub fn listed(user: User) -> users::User {
    users::User {
        roles: roles(&user),
        id: user.id.0,
        username: user.username.into_string(),
        name: user.name,
        avatar_url: String::new(),
        email: user.email,
        created_at: user.created_at.into(),
        updated_at: user.updated_at.into(),
        last_seen_at: time(user.last_seen_at),
        status: user.status.as_str().into(),
        login_type: user.login_type.as_str().into(),
        theme_preference: String::new(),
        organization_ids: user.organizations.into_iter().map(|o| o.0).collect(),
        is_service_account: user.kind == UserKind::Service,
        has_ai_seat: false,
        responsible: None,
    }
}

/// A user without roles and organizations.
#[must_use]
pub fn reduced_user(user: &User) -> users::ReducedUser {
    users::ReducedUser {
        id: user.id.0,
        username: user.username.to_string(),
        name: user.name.clone(),
        avatar_url: String::new(),
        email: user.email.clone(),
        created_at: user.created_at.into(),
        updated_at: user.updated_at.into(),
        last_seen_at: time(user.last_seen_at),
        status: user.status.to_string(),
        login_type: user.login_type.to_string(),
        theme_preference: String::new(),
        is_service_account: user.kind == UserKind::Service,
    }
}

/// Time that may be never.
#[must_use]
pub fn time(at: Option<Timestamp>) -> Time {
    at.map(Time::from).unwrap_or_default()
}

fn roles(user: &User) -> Vec<users::Role> {
    user.roles
        .iter()
        .map(|role| users::Role {
            name: role.to_string(),
            display_name: role_name(*role).to_owned(),
            organization_id: String::new(),
        })
        .collect()
}

fn roles_in(user: &User, organization: &Organization) -> Vec<users::Role> {
    let there = user.organization_roles.iter().filter(|h| h.organization == organization.id);
    there
        .map(|held| users::Role {
            name: held.role.to_string(),
            display_name: held.role.to_string(),
            organization_id: organization.id.to_string(),
        })
        .collect()
}

/// A site role as it is shown.
#[must_use]
pub const fn role_name(role: SiteRole) -> &'static str {
    match role {
        SiteRole::Owner => "Owner",
        SiteRole::UserAdmin => "User Admin",
        SiteRole::TemplateAdmin => "Template Admin",
        SiteRole::Auditor => "Auditor",
    }
}

/// A role on the site with what it holds.
#[must_use]
pub fn site_role(role: SiteRole, assignable: bool) -> AssignableRole {
    AssignableRole {
        name: role.to_string(),
        display_name: role_name(role).to_owned(),
        site_permissions: permissions(policy::role::of_site(role)),
        assignable,
        built_in: true,
        ..AssignableRole::default()
    }
}

/// A role in an organization with what it holds.
#[must_use]
pub fn role(role: RoleView, organization: &str) -> AssignableRole {
    AssignableRole {
        name: role.name,
        display_name: role.display_name,
        organization_id: organization.to_owned(),
        organization_permissions: permissions(role.permissions),
        assignable: role.assignable,
        built_in: role.built_in,
        ..AssignableRole::default()
    }
}

fn permissions(these: policy::Permissions) -> Vec<Permission> {
    let one = |policy::Permission(kind, action)| Permission {
        negate: false,
        resource_type: kind.to_string(),
        action: action.to_string(),
    };
    these.iter().map(one).collect()
}

/// A token.
#[must_use]
pub fn token(token: &TokenEntry) -> tokens::ApiKey {
    let lifetime = token.expires_at.since(token.created_at).as_secs();
    let scope = &token.limits.scope;
    tokens::ApiKey {
        id: token.public_id.clone(),
        user_id: token.user.id.0,
        username: token.user.username.to_string(),
        last_used: time(token.last_used_at),
        expires_at: token.expires_at.into(),
        created_at: token.created_at.into(),
        updated_at: token.last_used_at.unwrap_or(token.created_at).into(),
        login_type: match token.kind {
            TokenKind::Session => "password",
            TokenKind::Api | TokenKind::Workspace => "token",
        }
        .to_owned(),
        scope: if scope.is_all() { "all".to_owned() } else { String::new() },
        scopes: scope.words(),
        token_name: token.name.clone(),
        lifetime_seconds: i64::try_from(lifetime).unwrap_or(i64::MAX),
        allow_list: scope.things(),
        allow_cidrs: token.limits.networks.iter().map(ToString::to_string).collect(),
        last_used_ip: token.last_used_ip.clone(),
    }
}

/// An SSH key.
#[must_use]
pub fn ssh_key(key: &SshKey) -> tokens::SshKey {
    tokens::SshKey {
        id: key.id.0,
        user_id: key.user_id.0,
        name: key.name.clone(),
        public_key: key.public_key.clone(),
        fingerprint: key.fingerprint.clone(),
        created_at: key.created_at.into(),
        last_used_at: key.last_used_at.map(Time::from),
    }
}

/// An organization.
#[must_use]
pub fn organization(organization: &Organization) -> organizations::Organization {
    organizations::Organization {
        id: organization.id.0,
        name: organization.name.clone(),
        display_name: organization.display_name.clone(),
        description: organization.description.clone(),
        icon: organization.icon.clone(),
        created_at: organization.created_at.into(),
        updated_at: organization.updated_at.into(),
        is_default: organization.is_default,
        default_org_member_roles: Vec::new(),
    }
}

/// A member of an organization.
#[must_use]
pub fn member(
    organization: &Organization,
    user: &User,
    since: Timestamp,
) -> organizations::OrganizationMember {
    organizations::OrganizationMember {
        user_id: user.id.0,
        organization_id: organization.id.0,
        created_at: since.into(),
        updated_at: since.into(),
        roles: roles_in(user, organization),
        username: user.username.to_string(),
        name: user.name.clone(),
        avatar_url: String::new(),
        email: user.email.clone(),
        global_roles: roles(user),
        status: user.status.to_string(),
        login_type: user.login_type.to_string(),
        is_service_account: user.kind == UserKind::Service,
        has_ai_seat: false,
        last_seen_at: time(user.last_seen_at),
        user_created_at: user.created_at.into(),
        user_updated_at: user.updated_at.into(),
    }
}

/// A group.
#[must_use]
pub fn group(view: &GroupView) -> organizations::Group {
    organizations::Group {
        id: view.group.id.0,
        name: view.group.name.clone(),
        display_name: view.group.display_name.clone(),
        organization_id: view.organization.id.0,
        members: view.members.iter().map(reduced_user).collect(),
        total_member_count: view.total,
        avatar_url: view.group.avatar_url.clone(),
        quota_allowance: view.group.quota_allowance,
        source: view.group.source.to_string(),
        organization_name: view.organization.name.clone(),
        organization_display_name: view.organization.display_name.clone(),
    }
}
