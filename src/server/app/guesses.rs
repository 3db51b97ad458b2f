//! Guesses: at links and tokens by who is not signed in, counted for the network they come from; at share
//! codes and links to requests by who is, counted for them.

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

/// What someone guesses at who is signed in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Guessed {
    /// Share codes.
    Code,
    /// Links to requests.
    Link,
}

/// Whoever is signed in is counted alone: nobody locks others of their network out.
fn subject_of(what: Guessed, user: UserId) -> String {
    match what {
        Guessed::Code => format!("code:{user}"),
        Guessed::Link => format!("link:{user}"),
    }
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

    /// Asks for someone of whom few wrong guesses came.
    ///
    /// # Errors
    /// [`super::Error::Conflict`] for who has to wait.
    pub(super) async fn require_no_wait_of(&self, what: Guessed, user: UserId) -> Result<()> {
        let failures = self.db.read(move |tx| lockouts::find(tx, &subject_of(what, user))).await?;
        match failures.unwrap_or_default().wait(self.clock.now()) {
            None => Ok(()),
            Some(wait) => Err(attempts::locked(wait)),
        }
    }

    /// Counts a wrong guess of someone.
    ///
    /// # Errors
    /// When the database fails.
    pub(super) async fn count_guess_of(&self, what: Guessed, user: UserId) -> Result<()> {
        self.db
            .write(move |tx| {
                let subject = subject_of(what, user);
                let failures = lockouts::find(tx, &subject)?.unwrap_or_default();
                // As many as from a network: they are pasted, and one that is over is no guess.
                Ok(lockouts::put(tx, &subject, failures.one_more(Counted::Network, tx.now))?)
            })
            .await
    }
}
