//! Pages of an organization: its groups, members and roles.

use super::segment;
use crate::model::name::UserName;

/// The groups of an organization.
pub const GROUPS: &str = "/groups";
/// The members of an organization.
pub const MEMBERS: &str = "/members";
/// The roles of an organization.
pub const ROLES: &str = "/roles";

/// A group's page.
#[must_use]
pub fn group(name: &str) -> String {
    format!("{GROUPS}/{}", segment(name))
}

/// Something done to a group: `members`, `delete`.
#[must_use]
pub fn group_action(name: &str, action: &str) -> String {
    format!("{}/{action}", group(name))
}

/// A member's page.
#[must_use]
pub fn member(user: &UserName) -> String {
    format!("{MEMBERS}/{user}")
}

/// Something done to a membership: `roles`, `remove`.
#[must_use]
pub fn member_action(user: &UserName, action: &str) -> String {
    format!("{MEMBERS}/{user}/{action}")
}

/// A role's page.
#[must_use]
pub fn role(name: &str) -> String {
    format!("{ROLES}/{}", segment(name))
}

/// Something done to a role: `delete`.
#[must_use]
pub fn role_action(name: &str, action: &str) -> String {
    format!("{}/{action}", role(name))
}
