//! Guesses at links and tokens by who is not signed in, counted for the network they come from.

use std::net::IpAddr;
use std::time::Duration;

use super::{App, Result, attempts};
use crate::model::lockout::{Counted, network};
use crate::server::db::lockouts;

/// Apart from failed sign-ins: neither locks the other out.
fn subject(ip: IpAddr) -> String {
    format!("door:{}", network(ip))
}

impl App {
    /// How long nothing counts that comes from a network.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn network_waits(&self, ip: IpAddr) -> Result<Option<Duration>> {
        let failures = self.db.read(move |tx| lockouts::find(tx, &subject(ip))).await?;
        Ok(failures.unwrap_or_default().wait(self.clock.now()))
    }

    /// Asks for a network from which few wrong guesses came.
    ///
    /// # Errors
    /// [`super::Error::Conflict`] for one that has to wait.
    pub(super) async fn require_no_wait(&self, ip: IpAddr) -> Result<()> {
        match self.network_waits(ip).await? {
            None => Ok(()),
            Some(wait) => Err(attempts::locked(wait)),
        }
    }

    /// Counts a wrong guess.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn count_guess(&self, ip: IpAddr) -> Result<()> {
        self.db
            .write(move |tx| {
                let subject = subject(ip);
                let failures = lockouts::find(tx, &subject)?.unwrap_or_default();
                Ok(lockouts::put(tx, &subject, failures.one_more(Counted::Network, tx.now))?)
            })
            .await
    }
}
