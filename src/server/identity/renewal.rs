//! Grants are renewed before they end; what a provider has ended ends here.

use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt as _;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::MissedTickBehavior;

use super::oidc::Failure;
use super::{InForce, Providers, github, ldap};
use crate::model::event::Event;
use crate::server::app::Result;
use crate::server::app::identity_grants::Due;

/// How often is looked whether there is something to renew.
const LOOK_EVERY: Duration = Duration::from_secs(5);
/// Requests to providers under way at once: one that hangs does not keep the others waiting.
const AT_ONCE: usize = 8;

impl Providers {
    /// Renews and ends grants until it is dropped, and follows what the page changes.
    pub async fn keep_grants(self) {
        let mut events = self.app().events();
        let mut looks = tokio::time::interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                _ = looks.tick(), if self.now().is_used() => {
                    if let Err(error) = self.renew_pass().await {
                        tracing::error!(%error, "what providers granted was not renewed");
                    }
                }
                event = events.recv() => match event {
                    // Who asked for the change may have gone before it was in force.
                    Ok(Event::Providers) | Err(RecvError::Lagged(_)) => {
                        if let Err(error) = self.reload().await {
                            tracing::error!(%error, "the providers that are stored were not read");
                        }
                    }
                    Ok(_) => {}
                    Err(RecvError::Closed) => return,
                },
            }
        }
    }

    /// Renews what is due, and ends what was not renewed in time.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn renew_pass(&self) -> Result<()> {
        self.now().renew_pass().await
    }
}

impl InForce {
    /// Renews what is due, and ends what was not renewed in time.
    ///
    /// # Errors
    /// When the database fails.
    async fn renew_pass(&self) -> Result<()> {
        let due = self.app.grants_due().await?;
        let (of_directory, others): (Vec<Due>, Vec<Due>) =
            due.into_iter().partition(|due| due.provider == ldap::PROVIDER);
        let (directory, others) =
            tokio::join!(self.ldap.renew(&of_directory), self.renew_others(others));
        directory?;
        others?;
        self.app.end_grants_pass().await?;
        Ok(())
    }

    async fn renew_others(&self, due: Vec<Due>) -> Result<()> {
        let renewals = futures_util::stream::iter(due).map(|due| self.renew(due));
        let mut renewals = renewals.buffer_unordered(AT_ONCE);
        while let Some(renewed) = renewals.next().await {
            renewed?;
        }
        Ok(())
    }

    async fn renew(&self, due: Due) -> Result<()> {
        // A provider that is not set up any more renews nothing: the grant ends in its time.
        let renewed = match due.provider.as_str() {
            github::PROVIDER => self.github.renew(&due).await,
            _ => self.oidc.renew(&due).await,
        };
        let Some((rules, renewed)) = renewed else {
            return self.app.grant_unanswered(&due).await;
        };
        match renewed {
            Ok((granted, claims)) => {
                self.app.grant_renewed(&due, granted, claims, Arc::clone(rules)).await
            }
            Err(Failure::Ended) => self.app.grant_ended(&due).await,
            Err(failure @ (Failure::Away(_) | Failure::Wrong(_))) => {
                let name = &due.provider;
                tracing::warn!(provider = name, why = %failure, "a grant was not renewed");
                self.app.grant_unanswered(&due).await
            }
        }
    }
}
