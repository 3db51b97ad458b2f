//! Pages of organizations: their groups, members and roles. Those of the one of the start are at the
//! root, where a deployment with one organization has them.

use super::{ROTATIONS, segment};
use crate::model::name::UserName;
use crate::model::user::Organization;

/// The organizations.
pub const ORGANIZATIONS: &str = "/organizations";
/// An organization's own page.
pub const ORGANIZATION: &str = "/organizations/{organization}";
/// Deleting it.
pub const ORGANIZATION_DELETE: &str = "/organizations/{organization}/delete";
/// The groups of the organization of the start.
pub const GROUPS: &str = "/groups";
/// The members of the organization of the start.
pub const MEMBERS: &str = "/members";
/// The roles of the organization of the start.
pub const ROLES: &str = "/roles";

/// An organization's own page.
#[must_use]
pub fn organization(name: &str) -> String {
    format!("{ORGANIZATIONS}/{}", segment(name))
}

/// How groups or roles of an organization follow providers.
pub const SYNC: &str = "/organizations/{organization}/sync/{kind}";

/// How groups or roles of an organization follow a provider; an empty one for the first.
#[must_use]
pub fn sync(organization: &str, kind: &str, provider: &str) -> String {
    let path = format!("{}/sync/{kind}", self::organization(organization));
    if provider.is_empty() { path } else { format!("{path}?provider={}", segment(provider)) }
}

/// Deletes an organization.
#[must_use]
pub fn delete_organization(name: &str) -> String {
    format!("{}/delete", organization(name))
}

/// Whose workspaces may be shared in an organization.
pub const SHARING_MODE: &str = "/organizations/{organization}/sharing";
/// Restores the grants that ended with a change of it.
pub const SHARING_RESTORE: &str = "/organizations/{organization}/sharing/restore";

/// Whose workspaces may be shared in an organization.
#[must_use]
pub fn sharing_mode(organization: &str) -> String {
    format!("{}/sharing", self::organization(organization))
}

/// Restores the grants that ended with a change of it.
#[must_use]
pub fn restore_sharing(organization: &str) -> String {
    format!("{}/restore", sharing_mode(organization))
}

/// The charter of an organization.
pub const CHARTER: &str = "/organizations/{organization}/charter";

/// The charter of an organization.
#[must_use]
pub fn charter(organization: &str) -> String {
    format!("{}/charter", self::organization(organization))
}

/// Who answers requests for access in an organization.
pub const REQUEST_RULES: &str = "/organizations/{organization}/requests";
/// Removes what is set of it.
pub const REQUEST_RULES_UNSET: &str = "/organizations/{organization}/requests/unset";

/// Who answers requests for access in an organization.
#[must_use]
pub fn request_rules(organization: &str) -> String {
    format!("{}/requests", self::organization(organization))
}

/// The program that is told of requests in an organization.
pub const REQUEST_HOOK: &str = "/organizations/{organization}/request-hook";
/// Has none told any more.
pub const REQUEST_HOOK_REMOVE: &str = "/organizations/{organization}/request-hook/remove";

/// The program that is told of requests in an organization.
#[must_use]
pub fn request_hook(organization: &str) -> String {
    format!("{}/request-hook", self::organization(organization))
}

/// Has none told any more.
#[must_use]
pub fn remove_request_hook(organization: &str) -> String {
    format!("{}/remove", request_hook(organization))
}

/// Where the pages of an organization begin.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Home(String);

impl Home {
    /// Where the pages of this one begin.
    #[must_use]
    pub fn of(organization: &Organization) -> Self {
        if organization.is_default {
            return Self::default();
        }
        Self(self::organization(&organization.name))
    }

    /// Its groups.
    #[must_use]
    pub fn groups(&self) -> String {
        format!("{}{GROUPS}", self.0)
    }

    /// Its members.
    #[must_use]
    pub fn members(&self) -> String {
        format!("{}{MEMBERS}", self.0)
    }

    /// Its roles.
    #[must_use]
    pub fn roles(&self) -> String {
        format!("{}{ROLES}", self.0)
    }

    /// How groups in it follow providers.
    #[must_use]
    pub fn sync(&self) -> String {
        let start = || organization("default");
        let home = if self.0.is_empty() { start() } else { self.0.clone() };
        format!("{home}/sync/groups")
    }

    /// Its rotations.
    #[must_use]
    pub fn rotations(&self) -> String {
        format!("{}{ROTATIONS}", self.0)
    }

    /// A rotation's page.
    #[must_use]
    pub fn rotation(&self, name: &str) -> String {
        format!("{}/{}", self.rotations(), segment(name))
    }

    /// Something done to a rotation: `overrides`, `undo`, `delete`.
    #[must_use]
    pub fn rotation_action(&self, name: &str, action: &str) -> String {
        format!("{}/{action}", self.rotation(name))
    }

    /// A group's page.
    #[must_use]
    pub fn group(&self, name: &str) -> String {
        format!("{}/{}", self.groups(), segment(name))
    }

    /// Something done to a group: `members`, `delete`.
    #[must_use]
    pub fn group_action(&self, name: &str, action: &str) -> String {
        format!("{}/{action}", self.group(name))
    }

    /// A member's page.
    #[must_use]
    pub fn member(&self, user: &UserName) -> String {
        format!("{}/{user}", self.members())
    }

    /// Something done to a membership: `roles`, `remove`.
    #[must_use]
    pub fn member_action(&self, user: &UserName, action: &str) -> String {
        format!("{}/{action}", self.member(user))
    }

    /// A role's page.
    #[must_use]
    pub fn role(&self, name: &str) -> String {
        format!("{}/{}", self.roles(), segment(name))
    }

    /// Something done to a role: `delete`.
    #[must_use]
    pub fn role_action(&self, name: &str, action: &str) -> String {
        format!("{}/{action}", self.role(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_pages_of_the_start_are_at_the_root() {
        let ada = UserName::parse("ada").unwrap();
        assert_eq!(Home::default().group("a/b"), "/groups/a%2Fb");
        let kiln = Home(organization("kiln"));
        assert_eq!(kiln.member_action(&ada, "roles"), "/organizations/kiln/members/ada/roles");
    }
}
