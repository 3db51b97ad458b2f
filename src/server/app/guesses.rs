//! Guesses: at links and tokens by who is not signed in, counted for the network they come from; at share
//! codes by who is, counted for them.

use std::net::IpAddr;
use std::time::Duration;

use super::{App, Result, attempts};
use crate::model::id::UserId;
use crate::model::lockout::{Counted, network};
use crate::server::db::lockouts;

/// Apart from failed sign-ins: neither locks the other out.
fn subject(ip: IpAddr) -> String {
    format!("door:{}", network(ip))
}

/// Whoever is signed in is counted alone: nobody locks others of their network out.
fn code_subject(user: UserId) -> String {
    format!("code:{user}")
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

    /// Asks for someone of whom few wrong share codes came.
    ///
    /// # Errors
    /// [`super::Error::Conflict`] for who has to wait.
    pub(super) async fn require_no_wait_of(&self, user: UserId) -> Result<()> {
        let failures = self.db.read(move |tx| lockouts::find(tx, &code_subject(user))).await?;
        match failures.unwrap_or_default().wait(self.clock.now()) {
            None => Ok(()),
            Some(wait) => Err(attempts::locked(wait)),
        }
    }

    /// Counts a wrong share code.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn count_guess_of(&self, user: UserId) -> Result<()> {
        self.db
            .write(move |tx| {
                let subject = code_subject(user);
                let failures = lockouts::find(tx, &subject)?.unwrap_or_default();
                // As many as from a network: codes are pasted, and one that is over is no guess.
                Ok(lockouts::put(tx, &subject, failures.one_more(Counted::Network, tx.now))?)
            })
            .await
    }
}
