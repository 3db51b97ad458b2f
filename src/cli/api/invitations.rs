//! Calls about invitations.

use http::Method;

use crate::cli::client::Client;
use crate::wire::invitations::{CreateInvitation, Invitation};

const INVITATIONS: &str = "/api/v2/invitations";

impl Client {
    /// Makes an invitation, with its link.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn invite(&self, wanted: &CreateInvitation) -> anyhow::Result<Invitation> {
        self.call(Method::POST, INVITATIONS, wanted).await
    }

    /// Open invitations, what ends first coming first.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn invitations(&self) -> anyhow::Result<Vec<Invitation>> {
        self.get(INVITATIONS).await
    }

    /// Ends an invitation.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn revoke_invitation(&self, id: uuid::Uuid) -> anyhow::Result<()> {
        self.delete(&format!("{INVITATIONS}/{id}")).await
    }
}
