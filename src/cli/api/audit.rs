//! Calls about the audit log.

use crate::cli::client::Client;
use crate::model::audit::chain::Head;
use crate::wire::audit::{SignedCheckpoint, Verification};
use crate::wire::coder::audit::AuditLogResponse;

impl Client {
    /// Entries that a search finds, newest first.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn audit(
        &self,
        search: &str,
        limit: u32,
        offset: u32,
    ) -> anyhow::Result<AuditLogResponse> {
        let (limit, offset) = (limit.to_string(), offset.to_string());
        let query = [("q", search), ("limit", &*limit), ("offset", &*offset)];
        self.query("/api/v2/audit", &query).await
    }

    /// Checkpoints after a number; none at the end.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn audit_checkpoints(&self, after: i64) -> anyhow::Result<Vec<SignedCheckpoint>> {
        self.query("/api/v2/audit/checkpoints", &[("after", &after.to_string())]).await
    }

    /// Has the server verify its log, and that it goes on from a checkpoint.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn verify_audit(&self, anchor: Option<Head>) -> anyhow::Result<Verification> {
        let Some(anchor) = anchor else { return self.get("/api/v2/audit/verify").await };
        let query = [("seq", &*anchor.seq.to_string()), ("hash", &*hex::encode(anchor.hash))];
        self.query("/api/v2/audit/verify", &query).await
    }
}
