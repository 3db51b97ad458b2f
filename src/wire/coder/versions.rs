//! Template versions, and what a template asks: parameters, variables, presets.

use std::collections::BTreeMap;

use uuid::Uuid;

use super::jobs::ProvisionerJob;
use super::users::MinimalUser;
use super::{Time, null_is_default, shapes};

shapes! {
    /// A template version.
    pub struct Version {
        pub id: Uuid,
        pub template_id: Option<Uuid>,
        pub organization_id: Uuid,
        pub created_at: Time,
        pub updated_at: Time,
        pub name: String,
        pub message: String,
        pub job: ProvisionerJob,
        pub readme: String,
        pub created_by: MinimalUser,
        pub archived: bool,
        pub warnings: Vec<String>,
        pub has_external_agent: bool,
    }

    /// `POST /organizations/{organization}/templateversions`.
    pub struct CreateVersion {
        #[serde(deserialize_with = "null_is_default")]
        pub name: String,
        #[serde(deserialize_with = "null_is_default")]
        pub message: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub template_id: Option<Uuid>,
        #[serde(deserialize_with = "null_is_default")]
        pub storage_method: String,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub file_id: Option<Uuid>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub example_id: Option<String>,
        #[serde(deserialize_with = "null_is_default")]
        pub provisioner: String,
        #[serde(deserialize_with = "null_is_default")]
        pub tags: BTreeMap<String, String>,
        #[serde(deserialize_with = "null_is_default")]
        pub user_variable_values: Vec<VariableValue>,
    }

    /// A variable's value, given by the template's admin.
    pub struct VariableValue {
        pub name: String,
        pub value: String,
    }

    /// `PATCH /templateversions/{version}`.
    pub struct UpdateVersion {
        #[serde(skip_serializing_if = "Option::is_none")]
        pub name: Option<String>,
        #[serde(skip_serializing_if = "Option::is_none")]
        pub message: Option<String>,
    }

    /// `PATCH /templates/{template}/versions`: which one new workspaces use.
    pub struct UpdateActiveVersion {
        pub id: Uuid,
    }

    /// `POST /templates/{template}/versions/archive`.
    pub struct ArchiveVersions {
        /// Also those that were imported well; the active one never.
        pub all: bool,
    }

    /// The answer to it.
    pub struct ArchiveVersionsResponse {
        pub template_id: Uuid,
        pub archived_ids: Vec<Uuid>,
    }

    /// One of `GET /templateversions/{version}/rich-parameters`.
    pub struct RichParameter {
        pub name: String,
        pub display_name: String,
        pub description: String,
        pub description_plaintext: String,
        pub r#type: String,
        pub form_type: String,
        pub mutable: bool,
        pub default_value: String,
        pub icon: String,
        pub options: Vec<RichParameterOption>,
        pub validation_error: String,
        pub validation_regex: String,
        pub validation_min: Option<i64>,
        pub validation_max: Option<i64>,
        pub validation_monotonic: String,
        pub required: bool,
        pub ephemeral: bool,
    }

    /// A value a parameter may take.
    pub struct RichParameterOption {
        pub name: String,
        pub description: String,
        pub value: String,
        pub icon: String,
    }

    /// One of `GET /templateversions/{version}/variables`.
    pub struct Variable {
        pub name: String,
        pub description: String,
        pub r#type: String,
        pub value: String,
        pub default_value: String,
        pub required: bool,
        pub sensitive: bool,
    }

    /// One of `GET /templateversions/{version}/presets`; Coder sends it with Go's own field names.
    pub struct Preset {
        #[serde(rename = "ID")]
        pub id: Uuid,
        #[serde(rename = "Name")]
        pub name: String,
        #[serde(rename = "Parameters")]
        pub parameters: Vec<PresetParameter>,
        #[serde(rename = "Default")]
        pub default: bool,
        #[serde(rename = "DesiredPrebuildInstances")]
        pub desired_prebuild_instances: Option<i64>,
        #[serde(rename = "Description")]
        pub description: String,
        #[serde(rename = "Icon")]
        pub icon: String,
    }

    /// An answer of a preset.
    pub struct PresetParameter {
        #[serde(rename = "Name")]
        pub name: String,
        #[serde(rename = "Value")]
        pub value: String,
    }

    /// One of `GET /templateversions/{version}/external-auth`.
    pub struct ExternalAuth {
        pub id: String,
        pub r#type: String,
        pub display_name: String,
        pub display_icon: String,
        pub authenticate_url: String,
        pub authenticated: bool,
        pub optional: bool,
    }
}
