//! Workspaces and what is asked of them.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::builds::{Build, BuildParameter};
use super::organizations::Group;
use super::{Time, null_is_default, shapes};

shapes! {
    /// A workspace with its latest build.
    pub struct Workspace {
        pub id: Uuid,
        pub created_at: Time,
        pub updated_at: Time,
        pub owner_id: Uuid,
        pub owner_name: String,
        pub owner_avatar_url: String,
        pub organization_id: Uuid,
        pub organization_name: String,
        pub template_id: Uuid,
        pub template_name: String,
        pub template_display_name: String,
        pub template_icon: String,
        pub template_allow_user_cancel_workspace_jobs: bool,
        pub template_active_version_id: Uuid,
        pub template_require_active_version: bool,
        pub template_use_classic_parameter_flow: bool,
        pub latest_build: Build,
        /// What an AI task last said; there are none.
        pub latest_app_status: Option<serde_json::Value>,
        pub outdated: bool,
        pub name: String,
        pub autostart_schedule: Option<String>,
        pub ttl_ms: Option<i64>,
        pub last_used_at: Time,
        pub deleting_at: Option<Time>,
        pub dormant_at: Option<Time>,
        pub health: WorkspaceHealth,
        pub automatic_updates: String,
        pub allow_renames: bool,
        pub favorite: bool,
        pub next_start_at: Option<Time>,
        pub is_prebuild: bool,
        pub task_id: Option<Uuid>,
        pub shared_with: Vec<SharedWith>,
    }

    /// Whether all agents are well.
    pub struct WorkspaceHealth {
        pub healthy: bool,
        pub failing_agents: Vec<Uuid>,
    }

    /// Someone a workspace is shared with.
    pub struct SharedWith {
        pub id: Uuid,
        pub actor_type: String,
        pub name: String,
        pub avatar_url: String,
        pub roles: Vec<String>,
    }

    /// Someone on a workspace's list; `role` is `use` or `admin`.
    pub struct WorkspaceUser {
        pub id: Uuid,
        pub username: String,
        pub name: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub avatar_url: String,
        pub role: String,
    }

    /// A group on a workspace's list.
    pub struct WorkspaceGroup {
        #[serde(flatten)]
        pub group: Group,
        pub role: String,
    }

    /// `GET /workspaces/{workspace}/acl`.
    pub struct WorkspaceAcl {
        pub users: Vec<WorkspaceUser>,
        pub groups: Vec<WorkspaceGroup>,
    }

    /// `PATCH /workspaces/{workspace}/acl`: by id the role, empty to take one off.
    pub struct UpdateWorkspaceAcl {
        #[serde(deserialize_with = "null_is_default")]
        pub user_roles: BTreeMap<String, String>,
        #[serde(deserialize_with = "null_is_default")]
        pub group_roles: BTreeMap<String, String>,
    }

    /// `GET /workspaces`.
    pub struct WorkspacesResponse {
        pub workspaces: Vec<Workspace>,
        pub count: i64,
    }

    /// `POST /users/{user}/workspaces`. One of template and version is given.
    pub struct CreateWorkspace {
        #[serde(skip_serializing_if = "Option::is_none")]
        pub template_id: Option<Uuid>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub template_version_id: Option<Uuid>,
        pub name: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub autostart_schedule: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ttl_ms: Option<i64>,
        #[serde(deserialize_with = "null_is_default")]
        pub rich_parameter_values: Vec<BuildParameter>,
        #[serde(deserialize_with = "null_is_default")]
        pub automatic_updates: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub template_version_preset_id: Option<Uuid>,
    }

    /// `PATCH /workspaces/{workspace}`.
    pub struct UpdateWorkspace {
        #[serde(deserialize_with = "null_is_default")]
        pub name: String,
    }

    /// `PUT /workspaces/{workspace}/autostart`.
    pub struct UpdateAutostart {
        pub schedule: Option<String>,
    }

    /// `PUT /workspaces/{workspace}/ttl`.
    pub struct UpdateTtl {
        pub ttl_ms: Option<i64>,
    }

    /// `PUT /workspaces/{workspace}/extend`.
    pub struct Extend {
        pub deadline: Time,
    }

    /// `PUT /workspaces/{workspace}/dormant`.
    pub struct UpdateDormant {
        pub dormant: bool,
    }

    /// `PUT /workspaces/{workspace}/autoupdates`: `always` or `never`.
    pub struct UpdateAutomaticUpdates {
        pub automatic_updates: String,
    }

    /// `GET /workspaces/{workspace}/resolve-autostart`.
    pub struct ResolveAutostart {
        pub parameter_mismatch: bool,
    }

    /// `POST /workspaces/{workspace}/usage`.
    pub struct Usage {
        pub agent_id: Option<Uuid>,
        #[serde(deserialize_with = "null_is_default")]
        pub app_name: String,
    }

    /// A port that is open to others; and the body that opens or closes one.
    pub struct PortShare {
        pub workspace_id: Uuid,
        pub agent_name: String,
        pub port: u16,
        #[serde(deserialize_with = "null_is_default")]
        pub share_level: String,
        #[serde(deserialize_with = "null_is_default")]
        pub protocol: String,
    }

    /// `GET /workspaces/{workspace}/port-share`.
    pub struct PortShares {
        pub shares: Vec<PortShare>,
    }

    /// A message of the `-ws` streams: `data` with the object, `ping`, or `error` with an error.
    pub struct WatchEvent {
        pub r#type: String,
        pub data: Option<serde_json::Value>,
    }
}
