//! Calls about the audit log.

use anyhow::Context as _;

use crate::cli::client::Client;
use crate::model::audit::chain::Head;
use crate::wire::audit::{SignedCheckpoint, Verification};
use crate::wire::coder::audit::AuditLogResponse;

/// Longest answer of a verification: a sign of life every few seconds, and what was found.
const MAX_VERIFICATION: usize = 1 << 20;

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
        let (seq, hash) = anchor
            .map(|anchor| (anchor.seq.to_string(), hex::encode(anchor.hash)))
            .unwrap_or_default();
        let query = [("seq", &*seq), ("hash", &*hash)];
        let query: &[_] = if anchor.is_some() { &query } else { &[] };
        let mut text = Vec::new();
        let path = "/api/v2/audit/verify";
        // A long log takes its time: as long as the server gives a sign of life, it is waited for.
        self.download(path, query, |part| {
            text.extend_from_slice(part);
            anyhow::ensure!(text.len() <= MAX_VERIFICATION, "the answer of {path} is too long");
            Ok(())
        })
        .await?;
        serde_json::from_slice(&text).with_context(|| format!("Reading the answer of {path}"))
    }
}
