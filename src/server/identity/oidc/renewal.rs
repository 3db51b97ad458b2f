//! Grants are renewed before they end; what a provider has ended ends here.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;

use super::Oidc;
use super::provider::Failure;
use crate::server::app::Result;
use crate::server::app::identity_grants::Due;

/// How often is looked whether there is something to renew.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Requests to providers under way at once: one that hangs does not keep the others waiting.
const AT_ONCE: usize = 8;

impl Oidc {
    /// Renews and ends grants until it is dropped.
    pub async fn keep_grants(self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            if let Err(error) = self.renew_pass().await {
                tracing::error!(%error, "what providers granted was not renewed");
            }
        }
    }

    /// Renews what is due, and ends what was not renewed in time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_pass(&self) -> Result<()> {
        let due = self.0.app.grants_due().await?;
        let renewals = futures_util::stream::iter(due).map(|due| self.renew(due));
        let mut renewals = renewals.buffer_unordered(AT_ONCE);
        while let Some(renewed) = renewals.next().await {
            renewed?;
        }
        self.0.app.end_grants_pass().await?;
        Ok(())
    }

    async fn renew(&self, due: Due) -> Result<()> {
        // A provider that is not set up any more renews nothing: the grant ends in its time.
        let Some(provider) = self.0.providers.get(&due.provider) else {
            return self.0.app.grant_unanswered(&due).await;
        };
        match provider.renew((&due.identity.subject, &due.refresh_token)).await {
            Ok((granted, claims)) => {
                let rules = Arc::clone(&provider.settings.rules);
                self.0.app.grant_renewed(&due, granted, claims, rules).await
            }
            Err(Failure::Ended) => self.0.app.grant_ended(&due).await,
            Err(failure @ (Failure::Away(_) | Failure::Wrong(_))) => {
                let name = &provider.settings.name;
                tracing::warn!(provider = name, why = %failure, "a grant was not renewed");
                self.0.app.grant_unanswered(&due).await
            }
        }
    }
}
