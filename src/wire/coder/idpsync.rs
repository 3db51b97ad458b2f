//! What providers say of people, and how it is followed.

use std::collections::BTreeMap;

use super::shapes;

shapes! {
    /// `GET /users/oidc-claims`.
    pub struct OidcClaims {
        pub claims: BTreeMap<String, serde_json::Value>,
    }

    /// `GET /settings/idpsync/organization`.
    pub struct OrganizationSync {
        pub field: String,
        pub mapping: BTreeMap<String, Vec<String>>,
        pub organization_assign_default: bool,
    }
}
