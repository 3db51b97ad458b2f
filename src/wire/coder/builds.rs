//! Builds of workspaces, what they made, and how long it took.

use uuid::Uuid;

use super::agents::Agent;
use super::jobs::ProvisionerJob;
use super::{Time, null_is_default, shapes};

shapes! {
    /// A build.
    pub struct Build {
        pub id: Uuid,
        pub created_at: Time,
        pub updated_at: Time,
        pub workspace_id: Uuid,
        pub workspace_name: String,
        pub workspace_owner_id: Uuid,
        pub workspace_owner_name: String,
        pub workspace_owner_avatar_url: String,
        pub template_version_id: Uuid,
        pub template_version_name: String,
        pub build_number: i64,
        pub transition: String,
        pub initiator_id: Uuid,
        pub initiator_name: String,
        pub job: ProvisionerJob,
        pub reason: String,
        pub resources: Vec<Resource>,
        pub deadline: Option<Time>,
        pub max_deadline: Option<Time>,
        pub status: String,
        pub daily_cost: i64,
        pub template_version_preset_id: Option<Uuid>,
        pub has_ai_task: bool,
        pub has_external_agent: bool,
    }

    /// `POST /workspaces/{workspace}/builds`.
    pub struct CreateBuild {
        #[serde(skip_serializing_if = "Option::is_none")]
        pub template_version_id: Option<Uuid>,
        /// `start`, `stop` or `delete`.
        pub transition: String,
        pub dry_run: bool,
        /// A Terraform state to begin from, in base64, instead of the stored one.
        #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
        pub state: String,
        #[serde(deserialize_with = "null_is_default")]
        pub orphan: bool,
        #[serde(deserialize_with = "null_is_default")]
        pub rich_parameter_values: Vec<BuildParameter>,
        #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
        pub log_level: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub template_version_preset_id: Option<Uuid>,
        #[serde(skip_serializing_if = "String::is_empty", deserialize_with = "null_is_default")]
        pub reason: String,
    }

    /// A parameter's value in a build.
    pub struct BuildParameter {
        pub name: String,
        pub value: String,
    }

    /// A resource that a build made.
    pub struct Resource {
        pub id: Uuid,
        pub created_at: Time,
        pub job_id: Uuid,
        pub workspace_transition: String,
        pub r#type: String,
        pub name: String,
        pub hide: bool,
        pub icon: String,
        pub agents: Vec<Agent>,
        pub metadata: Vec<ResourceMetadata>,
        pub daily_cost: i64,
    }

    /// A fact about a resource.
    pub struct ResourceMetadata {
        pub key: String,
        #[serde(deserialize_with = "null_is_default")]
        pub value: String,
        pub sensitive: bool,
    }

    /// `GET /workspacebuilds/{build}/timings`.
    pub struct Timings {
        pub provisioner_timings: Vec<ProvisionerTiming>,
        pub agent_script_timings: Vec<ScriptTiming>,
        pub agent_connection_timings: Vec<ConnectionTiming>,
    }

    /// One step of the provisioner.
    pub struct ProvisionerTiming {
        pub job_id: Uuid,
        pub started_at: Time,
        pub ended_at: Time,
        pub stage: String,
        pub source: String,
        pub action: String,
        pub resource: String,
    }

    /// One run of a script.
    pub struct ScriptTiming {
        pub started_at: Time,
        pub ended_at: Time,
        pub exit_code: i32,
        pub stage: String,
        pub status: String,
        pub display_name: String,
        pub workspace_agent_id: String,
        pub workspace_agent_name: String,
    }

    /// From the build's end to the agent's first word.
    pub struct ConnectionTiming {
        pub started_at: Time,
        pub ended_at: Time,
        pub stage: String,
        pub workspace_agent_id: String,
        pub workspace_agent_name: String,
    }
}
