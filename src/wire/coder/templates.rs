//! Templates and the starters that come with the server.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::organizations::Group;
use super::users::{ReducedUser, User};
use super::{Time, null_is_default, shapes};

shapes! {
    /// A template.
    pub struct Template {
        pub id: Uuid,
        pub created_at: Time,
        pub updated_at: Time,
        pub organization_id: Uuid,
        pub organization_name: String,
        pub organization_display_name: String,
        pub organization_icon: String,
        pub name: String,
        pub display_name: String,
        pub provisioner: String,
        pub active_version_id: Uuid,
        /// -1 when it is not counted.
        pub active_user_count: i64,
        pub build_time_stats: BTreeMap<String, BuildTime>,
        pub description: String,
        pub deleted: bool,
        pub deprecated: bool,
        pub deprecation_message: String,
        pub icon: String,
        pub default_ttl_ms: i64,
        pub activity_bump_ms: i64,
        pub autostop_requirement: AutostopRequirement,
        pub autostart_requirement: AutostartRequirement,
        pub created_by_id: Uuid,
        pub created_by_name: String,
        pub allow_user_autostart: bool,
        pub allow_user_autostop: bool,
        pub allow_user_cancel_workspace_jobs: bool,
        pub failure_ttl_ms: i64,
        pub time_til_dormant_ms: i64,
        pub time_til_dormant_autodelete_ms: i64,
        pub require_active_version: bool,
        pub max_port_share_level: String,
        pub cors_behavior: String,
        pub use_classic_parameter_flow: bool,
        pub disable_module_cache: bool,
    }

    /// How long builds of one transition take, in milliseconds; null when not known.
    pub struct BuildTime {
        #[serde(rename = "P50")]
        pub p50: Option<i64>,
        #[serde(rename = "P95")]
        pub p95: Option<i64>,
    }

    /// On which days a workspace must stop.
    pub struct AutostopRequirement {
        pub days_of_week: Vec<String>,
        pub weeks: i64,
    }

    /// On which days a workspace may start by itself.
    pub struct AutostartRequirement {
        pub days_of_week: Vec<String>,
    }

    /// `POST /organizations/{organization}/templates`.
    pub struct CreateTemplate {
        pub name: String,
        #[serde(deserialize_with = "null_is_default")]
        pub display_name: String,
        #[serde(deserialize_with = "null_is_default")]
        pub description: String,
        #[serde(deserialize_with = "null_is_default")]
        pub icon: String,
        pub template_version_id: Uuid,
        pub default_ttl_ms: Option<i64>,
        pub activity_bump_ms: Option<i64>,
        pub allow_user_cancel_workspace_jobs: Option<bool>,
        pub allow_user_autostart: Option<bool>,
        pub allow_user_autostop: Option<bool>,
        pub require_active_version: bool,
        /// Leaves the group Everyone off the new template's list.
        pub disable_everyone_group_access: bool,
    }

    /// `PATCH /templates/{template}`: absent fields stay as they are.
    pub struct UpdateTemplate {
        #[serde(skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub display_name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub description: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub icon: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub default_ttl_ms: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub activity_bump_ms: Option<i64>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub allow_user_cancel_workspace_jobs: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub allow_user_autostart: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub allow_user_autostop: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub require_active_version: Option<bool>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub deprecation_message: Option<String>,
        /// Takes the group Everyone off the template's list when it is true.
        #[serde(skip_serializing_if = "Option::is_none")]
        pub disable_everyone_group_access: Option<bool>,
    }

    /// `GET /templates/{template}/acl`.
    pub struct TemplateAcl {
        pub users: Vec<TemplateUser>,
        pub group: Vec<TemplateGroup>,
    }

    /// Someone on a template's list; `role` is `use` or `admin`.
    pub struct TemplateUser {
        #[serde(flatten)]
        pub user: User,
        pub role: String,
    }

    /// A group on a template's list.
    pub struct TemplateGroup {
        #[serde(flatten)]
        pub group: Group,
        pub role: String,
    }

    /// `GET /templates/{template}/acl/available`.
    pub struct AclAvailable {
        pub users: Vec<ReducedUser>,
        pub groups: Vec<Group>,
    }

    /// `PATCH /templates/{template}/acl`: by id the role, empty to take one off.
    pub struct UpdateTemplateAcl {
        #[serde(deserialize_with = "null_is_default")]
        pub user_perms: BTreeMap<String, String>,
        #[serde(deserialize_with = "null_is_default")]
        pub group_perms: BTreeMap<String, String>,
    }

    /// A starter: one of `GET /templates/examples`.
    pub struct Example {
        pub id: String,
        pub url: String,
        pub name: String,
        pub description: String,
        pub icon: String,
        pub tags: Vec<String>,
        pub markdown: String,
    }

    /// `POST /files`; the hash is the file's id.
    pub struct UploadResponse {
        pub hash: Uuid,
    }
}
