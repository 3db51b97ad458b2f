//! Calls about requests for access.

use http::Method;
use uuid::Uuid;

use crate::cli::client::{Client, segment};
use crate::wire::requests::{
    AnswerRequest, BreakGlass, BreakTheGlass, CreateRequest, Request, RequestHook, RequestLink,
    RequestRules,
};

fn one(id: Uuid, action: &str) -> String {
    format!("/api/v2/requests/{id}/{action}")
}

fn rules(workspace: Uuid) -> String {
    format!("/api/v2/workspaces/{workspace}/request-rules")
}

fn hook(organization: &str) -> String {
    format!("/api/v2/organizations/{}/settings/request-hook", segment(organization))
}

impl Client {
    /// Asks for access.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn ask_access(&self, new: &CreateRequest) -> anyhow::Result<Request> {
        self.call(Method::POST, "/api/v2/requests", new).await
    }

    /// Requests of one's own, or those that wait for one's answer.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn requests(&self, to_decide: bool) -> anyhow::Result<Vec<Request>> {
        let show = if to_decide { "to-decide" } else { "mine" };
        self.query("/api/v2/requests", &[("show", show)]).await
    }

    /// Answers a request: `approve` or `deny`.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn answer_request(
        &self,
        (id, verdict): (Uuid, &str),
        answer: &AnswerRequest,
    ) -> anyhow::Result<Request> {
        self.call(Method::POST, &one(id, verdict), answer).await
    }

    /// Takes a request back.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn cancel_request(&self, id: Uuid) -> anyhow::Result<Request> {
        self.call(Method::POST, &one(id, "cancel"), &serde_json::json!({})).await
    }

    /// Makes a link to a request.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn link_request(&self, id: Uuid) -> anyhow::Result<RequestLink> {
        self.call(Method::POST, &one(id, "link"), &serde_json::json!({})).await
    }

    /// Who answers requests for a workspace besides those who may share it.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn request_rules(&self, workspace: Uuid) -> anyhow::Result<RequestRules> {
        self.get(&rules(workspace)).await
    }

    /// Sets that.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn set_request_rules(
        &self,
        workspace: Uuid,
        new: &RequestRules,
    ) -> anyhow::Result<RequestRules> {
        self.call(Method::PUT, &rules(workspace), new).await
    }

    /// Goes back to what the organization has set.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn unset_request_rules(&self, workspace: Uuid) -> anyhow::Result<RequestRules> {
        self.call(Method::DELETE, &rules(workspace), &serde_json::json!({})).await
    }

    /// The program that is told of requests in an organization.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn request_hook(&self, organization: &str) -> anyhow::Result<RequestHook> {
        self.get(&hook(organization)).await
    }

    /// Has another one told.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn set_request_hook(
        &self,
        organization: &str,
        new: &RequestHook,
    ) -> anyhow::Result<RequestHook> {
        self.call(Method::PUT, &hook(organization), new).await
    }

    /// Has none told.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn unset_request_hook(&self, organization: &str) -> anyhow::Result<()> {
        self.delete(&hook(organization)).await
    }

    /// Lets oneself into a workspace.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn break_glass(&self, body: &BreakTheGlass) -> anyhow::Result<BreakGlass> {
        self.call(Method::POST, "/api/v2/break-glass", body).await
    }
}
