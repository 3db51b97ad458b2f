//! What a provisioner does for a build or an import, and its log.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::{Time, shapes};

shapes! {
    /// A job.
    pub struct ProvisionerJob {
        pub id: Uuid,
        pub created_at: Time,
        pub started_at: Option<Time>,
        pub completed_at: Option<Time>,
        pub canceled_at: Option<Time>,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub error: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub error_code: String,
        pub status: String,
        pub worker_id: Option<Uuid>,
        pub worker_name: String,
        pub file_id: Uuid,
        pub tags: BTreeMap<String, String>,
        pub queue_position: i64,
        pub queue_size: i64,
        pub organization_id: Uuid,
        pub initiator_id: Uuid,
        pub input: JobInput,
        pub r#type: String,
        pub available_workers: Vec<Uuid>,
        pub metadata: JobMetadata,
        pub logs_overflowed: bool,
    }

    /// What a job works on.
    pub struct JobInput {
        #[serde(skip_serializing_if = "Option::is_none")]
        pub template_version_id: Option<Uuid>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub workspace_build_id: Option<Uuid>,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub error: String,
    }

    /// The names around a job, for lists.
    pub struct JobMetadata {
        pub template_version_name: String,
        pub template_id: Uuid,
        pub template_name: String,
        pub template_display_name: String,
        pub template_icon: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub workspace_id: Option<Uuid>,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub workspace_name: String,
    }

    /// A line of a job's log. Followed over a WebSocket: one line a message.
    pub struct JobLog {
        pub id: i64,
        pub created_at: Time,
        pub log_source: String,
        pub log_level: String,
        pub stage: String,
        pub output: String,
    }
}
