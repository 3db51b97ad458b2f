//! Calls about sharing a workspace.

use http::Method;
use uuid::Uuid;

use crate::cli::client::Client;
use crate::wire::grants::{CreateGrants, Grant};

impl Client {
    /// The grants that stand on a workspace.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn grants(&self, workspace: Uuid) -> anyhow::Result<Vec<Grant>> {
        self.get(&format!("/api/v2/workspaces/{workspace}/grants")).await
    }

    /// Shares a workspace.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn share(&self, workspace: Uuid, new: &CreateGrants) -> anyhow::Result<Vec<Grant>> {
        self.call(Method::POST, &format!("/api/v2/workspaces/{workspace}/grants"), new).await
    }

    /// Takes a grant back.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn unshare(&self, workspace: Uuid, grant: Uuid) -> anyhow::Result<()> {
        self.delete(&format!("/api/v2/workspaces/{workspace}/grants/{grant}")).await
    }

    /// Leaves a workspace that somebody shared.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn leave(&self, workspace: Uuid) -> anyhow::Result<()> {
        let path = format!("/api/v2/workspaces/{workspace}/leave");
        self.tell(Method::POST, &path, &serde_json::json!({})).await
    }
}
