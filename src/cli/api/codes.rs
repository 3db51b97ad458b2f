//! Calls about share codes.

use http::Method;
use uuid::Uuid;

use crate::cli::client::Client;
use crate::wire::codes::{Code, CodeOffer, CreateCode, RedeemCode};

impl Client {
    /// Makes a share code, with its text.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn create_code(&self, workspace: Uuid, new: &CreateCode) -> anyhow::Result<Code> {
        self.call(Method::POST, &format!("/api/v2/workspaces/{workspace}/codes"), new).await
    }

    /// The share codes of a workspace.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn codes(&self, workspace: Uuid) -> anyhow::Result<Vec<Code>> {
        self.get(&format!("/api/v2/workspaces/{workspace}/codes")).await
    }

    /// Takes a share code back, and when asked to, what came by it.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn revoke_code(&self, id: Uuid, grants: bool) -> anyhow::Result<()> {
        self.delete(&format!("/api/v2/codes/{id}?grants={grants}")).await
    }

    /// What a share code would give.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn offer_of_code(&self, code: &RedeemCode) -> anyhow::Result<CodeOffer> {
        self.call(Method::POST, "/api/v2/codes/offer", code).await
    }

    /// Takes what a share code gives.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn redeem_code(&self, code: &RedeemCode) -> anyhow::Result<CodeOffer> {
        self.call(Method::POST, "/api/v2/codes/redeem", code).await
    }
}
