//! The log of connections.

use uuid::Uuid;

use super::audit::MinimalOrganization;
use super::users::MinimalUser;
use super::{Time, shapes};

shapes! {
    /// `GET /connectionlog`.
    pub struct ConnectionLogResponse {
        pub connection_logs: Vec<ConnectionLog>,
        pub count: i64,
        /// Where counting stops.
        pub count_cap: i64,
    }

    /// An entry.
    pub struct ConnectionLog {
        pub id: Uuid,
        pub connect_time: Time,
        pub organization: MinimalOrganization,
        pub workspace_owner_id: Uuid,
        pub workspace_owner_username: String,
        pub workspace_id: Uuid,
        pub workspace_name: String,
        pub agent_name: String,
        pub ip: String,
        pub r#type: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub web_info: Option<WebInfo>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub ssh_info: Option<SshInfo>,
        /// Ours: who came, by whatever way.
        pub user: MinimalUser,
    }

    /// Of a terminal page or an app.
    pub struct WebInfo {
        pub user_agent: String,
        pub user: Option<MinimalUser>,
        pub slug_or_port: String,
        pub status_code: i32,
    }

    /// Of what came by SSH.
    pub struct SshInfo {
        pub connection_id: Uuid,
        pub disconnect_time: Option<Time>,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub disconnect_reason: String,
        pub exit_code: Option<i32>,
    }
}
