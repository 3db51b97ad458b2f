//! Invitations as the API has them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::coder::Time;
use super::coder::users::MinimalUser;

/// `POST /invitations`.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct CreateInvitation {
    /// The address that the account will have.
    pub email: String,
    /// Roles on the site that come with it.
    pub roles: Vec<String>,
    /// Groups that come with it, by id or by name.
    pub groups: Vec<String>,
    /// How long it lasts, in nanoseconds; 0 for the default.
    pub lifetime: i64,
}

/// An invitation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Invitation {
    /// Its id.
    pub id: Uuid,
    /// The address that the account will have; empty in those of earlier versions.
    pub email: String,
    /// Roles on the site that come with it.
    pub roles: Vec<String>,
    /// The names of groups that come with it.
    pub groups: Vec<String>,
    /// Who made it.
    pub made_by: MinimalUser,
    /// When it was made.
    pub created_at: Time,
    /// When it ends.
    pub expires_at: Time,
    /// The link, only in the answer that made it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub url: String,
}
