//! Organizations, their members and groups.

use uuid::Uuid;

use super::users::{ReducedUser, Role};
use super::{Time, null_is_default, shapes};

shapes! {
    /// An organization.
    pub struct Organization {
        pub id: Uuid,
        pub name: String,
        pub display_name: String,
        pub description: String,
        pub icon: String,
        pub created_at: Time,
        pub updated_at: Time,
        pub is_default: bool,
        /// There are none here: a role is given to each member.
        pub default_org_member_roles: Vec<String>,
    }

    /// `PATCH /organizations/{organization}`.
    pub struct UpdateOrganization {
        pub name: Option<String>,
        pub display_name: Option<String>,
        pub description: Option<String>,
        pub icon: Option<String>,
    }

    /// A member, with what is shown of the user.
    pub struct OrganizationMember {
        pub user_id: Uuid,
        pub organization_id: Uuid,
        pub created_at: Time,
        pub updated_at: Time,
        pub roles: Vec<Role>,
        pub username: String,
        pub name: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub avatar_url: String,
        pub email: String,
        pub global_roles: Vec<Role>,
        pub status: String,
        pub login_type: String,
        pub is_service_account: bool,
        pub has_ai_seat: bool,
        pub last_seen_at: Time,
        pub user_created_at: Time,
        pub user_updated_at: Time,
    }

    /// `GET /organizations/{organization}/paginated-members`.
    pub struct PaginatedMembers {
        pub members: Vec<OrganizationMember>,
        pub count: i64,
    }

    /// A group.
    pub struct Group {
        pub id: Uuid,
        pub name: String,
        pub display_name: String,
        pub organization_id: Uuid,
        pub members: Vec<ReducedUser>,
        pub total_member_count: i64,
        pub avatar_url: String,
        pub quota_allowance: i64,
        pub source: String,
        pub organization_name: String,
        pub organization_display_name: String,
    }

    /// `GET /organizations/{organization}/settings/workspace-sharing`.
    pub struct WorkspaceSharing {
        pub sharing_globally_disabled: bool,
        pub sharing_disabled: bool,
        pub shareable_workspace_owners: String,
        /// Grants that ended with the mode before and can be restored.
        pub restorable_grants: i64,
    }

    /// `PATCH /organizations/{organization}/settings/workspace-sharing`: the newer field wins.
    pub struct PatchWorkspaceSharing {
        pub sharing_disabled: Option<bool>,
        pub shareable_workspace_owners: Option<String>,
    }

    /// `GET /groups/{group}/members`.
    pub struct GroupMembers {
        pub users: Vec<ReducedUser>,
        pub count: i64,
    }

    /// `POST /organizations/{organization}/groups`.
    pub struct CreateGroup {
        pub name: String,
        #[serde(deserialize_with = "null_is_default")]
        pub display_name: String,
        #[serde(deserialize_with = "null_is_default")]
        pub avatar_url: String,
        pub quota_allowance: i64,
    }

    /// `PATCH /groups/{group}`.
    pub struct UpdateGroup {
        #[serde(deserialize_with = "null_is_default")]
        pub add_users: Vec<String>,
        #[serde(deserialize_with = "null_is_default")]
        pub remove_users: Vec<String>,
        pub name: Option<String>,
        pub display_name: Option<String>,
        pub avatar_url: Option<String>,
        pub quota_allowance: Option<i64>,
    }

    /// `GET /organizations/{organization}/members/{user}/workspace-quota`; a budget of -1 has no end.
    pub struct WorkspaceQuota {
        pub credits_consumed: i64,
        pub budget: i64,
    }
}
