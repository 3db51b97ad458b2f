//! Invitations: links by which someone makes an account of their own, each once.

use super::id::{GroupId, InvitationId};
use super::time::Timestamp;
use super::user::{SiteRole, UserRef};

/// An invitation as it is listed: never its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// The address that the account will have; empty when the guest says it.
    pub email: String,
    /// The roles on the site that come with it.
    pub roles: Vec<SiteRole>,
    /// The groups that come with it, each with its name.
    pub groups: Vec<(GroupId, String)>,
    /// Who made it.
    pub made_by: UserRef,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it ends.
    pub expires_at: Timestamp,
}
