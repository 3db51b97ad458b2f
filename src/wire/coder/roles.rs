//! Roles and what they hold.

use super::{null_is_default, shapes};

shapes! {
    /// One of `GET /users/roles` and `GET /organizations/{organization}/members/roles`.
    pub struct AssignableRole {
        pub name: String,
        pub display_name: String,
        #[serde(skip_serializing_if = "String::is_empty")]
        pub organization_id: String,
        pub site_permissions: Vec<Permission>,
        pub organization_permissions: Vec<Permission>,
        pub organization_member_permissions: Vec<Permission>,
        pub user_permissions: Vec<Permission>,
        pub assignable: bool,
        pub built_in: bool,
    }

    /// `POST` and `PUT /organizations/{organization}/members/roles`.
    pub struct PutRole {
        pub name: String,
        #[serde(deserialize_with = "null_is_default")]
        pub display_name: String,
        #[serde(deserialize_with = "null_is_default")]
        pub site_permissions: Vec<Permission>,
        #[serde(deserialize_with = "null_is_default")]
        pub organization_permissions: Vec<Permission>,
        #[serde(deserialize_with = "null_is_default")]
        pub organization_member_permissions: Vec<Permission>,
        #[serde(deserialize_with = "null_is_default")]
        pub user_permissions: Vec<Permission>,
    }

    /// One action on one kind of thing.
    pub struct Permission {
        pub negate: bool,
        pub resource_type: String,
        pub action: String,
    }
}
