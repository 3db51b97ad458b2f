//! The audit log.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::users::User;
use super::{Time, shapes};

shapes! {
    /// `GET /audit`.
    pub struct AuditLogResponse {
        pub audit_logs: Vec<AuditLog>,
        pub count: i64,
        /// Where counting stops; 0 for nowhere.
        pub count_cap: i64,
    }

    /// An entry.
    pub struct AuditLog {
        pub id: Uuid,
        pub request_id: Uuid,
        pub time: Time,
        pub ip: String,
        pub user_agent: String,
        pub resource_type: String,
        pub resource_id: Uuid,
        pub resource_target: String,
        pub resource_icon: String,
        pub action: String,
        pub diff: BTreeMap<String, DiffField>,
        pub status_code: i32,
        pub additional_fields: serde_json::Value,
        pub description: String,
        pub resource_link: String,
        pub is_deleted: bool,
        pub organization_id: Uuid,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub organization: Option<MinimalOrganization>,
        pub user: Option<User>,
    }

    /// A field that was changed; a secret's values are left out.
    pub struct DiffField {
        pub old: serde_json::Value,
        pub new: serde_json::Value,
        pub secret: bool,
    }

    /// An organization in passing.
    pub struct MinimalOrganization {
        pub id: Uuid,
        pub name: String,
        pub display_name: String,
        pub icon: String,
    }
}
