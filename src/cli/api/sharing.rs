//! Calls about sharing a workspace.

use http::Method;
use uuid::Uuid;

use crate::cli::client::{Client, segment};
use crate::wire::charters::Charter;
use crate::wire::coder::organizations::{PatchWorkspaceSharing, WorkspaceSharing};
use crate::wire::grants::{
    AccessReason, AccessReview, CreateGrants, Grant, ReviewedGrant, RevokeGrants, SignOff,
};
use crate::wire::health::Machines;
use crate::wire::presence::Present;
use crate::wire::terminals::Terminal;
use crate::wire::what_if::{Outlook, WhatIf};

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

    /// Who is in a workspace now, or in any that one may see.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn presence(&self, workspace: Option<Uuid>) -> anyhow::Result<Present> {
        match workspace {
            Some(id) => self.get(&format!("/api/v2/workspaces/{id}/presence")).await,
            None => self.get("/api/v2/presence").await,
        }
    }

    /// The machines of a workspace, or of all that run and that one may see.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn machines(&self, search: &str) -> anyhow::Result<Machines> {
        self.query("/api/v2/machines", &[("q", search)]).await
    }

    /// The machines of a workspace.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn machines_of(&self, workspace: Uuid) -> anyhow::Result<Machines> {
        self.get(&format!("/api/v2/workspaces/{workspace}/machines")).await
    }

    /// The terminals of a workspace that people are at.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn terminals(&self, workspace: Uuid) -> anyhow::Result<Vec<Terminal>> {
        self.get(&format!("/api/v2/workspaces/{workspace}/terminals")).await
    }

    /// Every grant that a review finds, page by page.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn access_review(
        &self,
        show: &str,
        text: &str,
    ) -> anyhow::Result<Vec<ReviewedGrant>> {
        let mut all: Vec<ReviewedGrant> = Vec::new();
        loop {
            let offset = all.len().to_string();
            let query = [("show", show), ("q", text), ("offset", offset.as_str())];
            let page: AccessReview = self.query("/api/v2/access-review", &query).await?;
            if page.grants.is_empty() {
                return Ok(all);
            }
            all.extend(page.grants);
        }
    }

    /// Why someone reaches a workspace.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn explain_access(
        &self,
        workspace: Uuid,
        user: &str,
    ) -> anyhow::Result<Vec<AccessReason>> {
        self.get(&format!("/api/v2/workspaces/{workspace}/access/{}", segment(user))).await
    }

    /// Takes grants back, on whatever workspaces.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn revoke_grants(&self, grants: Vec<Uuid>) -> anyhow::Result<()> {
        let body = RevokeGrants { grants };
        self.tell(Method::POST, "/api/v2/access-review/revoke", &body).await
    }

    /// The charter at a path.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn charter(&self, path: &str) -> anyhow::Result<Charter> {
        self.get(path).await
    }

    /// Sets the charter at a path.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn set_charter(&self, path: &str, new: &Charter) -> anyhow::Result<Charter> {
        self.call(Method::PUT, path, new).await
    }

    /// What a change would give and take.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn what_if(&self, change: &WhatIf) -> anyhow::Result<Outlook> {
        self.call(Method::POST, "/api/v2/access/what-if", change).await
    }

    /// Signs access off as it is.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn sign_off_access(&self, note: String) -> anyhow::Result<()> {
        self.tell(Method::POST, "/api/v2/access-review/sign-off", &SignOff { note }).await
    }

    /// Whose workspaces may be shared in an organization.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn workspace_sharing(&self, place: &str) -> anyhow::Result<WorkspaceSharing> {
        self.get(&mode_path(place)).await
    }

    /// Sets whose workspaces may be shared in an organization.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn set_workspace_sharing(
        &self,
        place: &str,
        new: &PatchWorkspaceSharing,
    ) -> anyhow::Result<WorkspaceSharing> {
        self.call(Method::PATCH, &mode_path(place), new).await
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

fn mode_path(place: &str) -> String {
    format!("/api/v2/organizations/{}/settings/workspace-sharing", segment(place))
}
