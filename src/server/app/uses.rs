//! Uses of tokens and keys, gathered in memory and written together: a request waits for no write.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::actor::Via;
use super::{App, Caller, Result};
use crate::model::id::{SshKeyId, TokenId, UserId};
use crate::model::time::Timestamp;
use crate::server::db::{ssh_keys, token_uses, users};

/// A use within this time of the one that is on file is not noted.
pub(super) const EVERY: Duration = Duration::from_secs(60);
/// How often what has gathered is written.
const SAVED_EVERY: Duration = Duration::from_secs(10);
/// Uses that may wait; more than that many tokens in ten seconds are noted the next time.
const MAX_WAITING: usize = 4096;

/// Uses that wait to be written.
#[derive(Default)]
pub struct Uses(Mutex<BTreeMap<What, Use>>);

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum What {
    Token(TokenId),
    Key(SshKeyId),
}

struct Use {
    user: UserId,
    at: Timestamp,
    ip: String,
}

impl Uses {
    /// Notes that a caller came at `at`.
    pub(super) fn note(&self, caller: &Caller, at: Timestamp) {
        let what = match caller.via {
            Via::Token(id, _) => What::Token(id),
            Via::Key(id) => What::Key(id),
        };
        let mut waiting = self.lock();
        if waiting.len() < MAX_WAITING || waiting.contains_key(&what) {
            waiting.insert(what, Use { user: caller.user.id, at, ip: caller.ip.clone() });
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<What, Use>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl App {
    /// Writes what has gathered, now and then, until it is dropped.
    pub async fn keep_accounts(self) {
        loop {
            tokio::time::sleep(SAVED_EVERY).await;
            if let Err(error) = self.save_uses_pass().await {
                tracing::warn!(%error, "uses of tokens were not written");
            }
        }
    }

    /// Writes what has gathered.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn save_uses_pass(&self) -> Result<()> {
        let uses = std::mem::take(&mut *self.uses.lock());
        if uses.is_empty() {
            return Ok(());
        }
        self.db
            .write(move |tx| {
                for (what, one) in &uses {
                    match what {
                        What::Token(id) => token_uses::used(tx, *id, one.at, &one.ip)?,
                        What::Key(id) => ssh_keys::used(tx, *id, one.at)?,
                    }
                    users::saw(tx, one.user, one.at)?;
                }
                Ok(())
            })
            .await
    }
}
