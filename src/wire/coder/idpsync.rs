//! What providers say of people, and how it is followed.

use std::collections::BTreeMap;

use super::{null_is_default, shapes};

shapes! {
    /// `GET /users/oidc-claims`.
    pub struct OidcClaims {
        pub claims: BTreeMap<String, serde_json::Value>,
    }

    /// `GET` and `PATCH` of `/settings/idpsync/organization`.
    pub struct OrganizationSync {
        pub field: String,
        pub mapping: BTreeMap<String, Vec<String>>,
        pub organization_assign_default: bool,
        /// Not Coder's: the name of the provider's settings.
        pub provider: String,
        /// Not Coder's: `file`, or `set` for what was set here over it.
        pub source: String,
    }

    /// `GET` and `PATCH` of `/organizations/{organization}/settings/idpsync/groups`.
    pub struct GroupSync {
        pub field: String,
        pub mapping: BTreeMap<String, Vec<String>>,
        pub regex_filter: Option<String>,
        pub auto_create_missing_groups: bool,
        /// Not Coder's: the name of the provider's settings.
        pub provider: String,
        /// Not Coder's: `file`, or `set` for what was set here over it.
        pub source: String,
    }

    /// `GET` and `PATCH` of `/organizations/{organization}/settings/idpsync/roles`.
    pub struct RoleSync {
        pub field: String,
        pub mapping: BTreeMap<String, Vec<String>>,
        /// Not Coder's: the name of the provider's settings.
        pub provider: String,
        /// Not Coder's: `file`, or `set` for what was set here.
        pub source: String,
    }

    /// Any of them, as it is sent: all of it, or what is not the mapping.
    pub struct PatchSync {
        pub field: Option<String>,
        #[serde(deserialize_with = "null_is_default")]
        pub mapping: BTreeMap<String, Option<Vec<String>>>,
        /// Null for no filter; what is not sent stays.
        #[serde(deserialize_with = "sent", skip_serializing_if = "Option::is_none")]
        pub regex_filter: Option<Option<String>>,
        pub auto_create_missing_groups: Option<bool>,
        pub organization_assign_default: Option<bool>,
        pub assign_default: Option<bool>,
    }

    /// One word of a provider and what it leads to. Coder's own client writes capitals.
    pub struct Led {
        #[serde(alias = "Given")]
        pub given: String,
        #[serde(alias = "Gets")]
        pub gets: String,
    }

    /// `PATCH` of a `mapping`.
    pub struct PatchMapping {
        #[serde(alias = "Add", deserialize_with = "null_is_default")]
        pub add: Vec<Led>,
        #[serde(alias = "Remove", deserialize_with = "null_is_default")]
        pub remove: Vec<Led>,
    }
}

/// Any of them, as it is answered.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[serde(untagged)]
pub enum Sync {
    /// Of groups.
    Groups(GroupSync),
    /// Of roles in an organization.
    Roles(RoleSync),
    /// Of organizations.
    Organizations(OrganizationSync),
}

/// A field that was sent, with a value or with null.
fn sent<'d, D: serde::Deserializer<'d>>(from: D) -> Result<Option<Option<String>>, D::Error> {
    <Option<String> as serde::Deserialize>::deserialize(from).map(Some)
}
