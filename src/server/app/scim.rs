//! Letting an identity provider in that keeps users and groups by SCIM, and what its use cases share.

use std::sync::Arc;
use std::time::Duration;

use super::{Actor, App, Error, Keeper, Result, attempts};
use crate::model::scim::Bad;

/// Resources that one search looks through at most, when no index knows what it asks for.
pub(super) const MAX_LOOKED_AT: usize = 10_000;

/// Who asks for SCIM, and whether they may.
#[derive(Debug)]
pub enum LetIn {
    /// The provider.
    Yes(Actor),
    /// The token is another.
    No,
    /// Too many wrong tokens came from there; so long until the next one counts.
    Later(Duration),
}

impl From<Bad> for Error {
    fn from(bad: Bad) -> Self {
        Self::invalid(bad.kind.as_str(), bad.why)
    }
}

impl App {
    /// Lets a provider in whose token is right. Wrong ones are counted for the network they come from,
    /// and told in the audit log. Nobody else there can keep the right one out: it is too long to be
    /// guessed.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn let_provider_in(&self, keeper: Keeper, is_right: bool) -> Result<LetIn> {
        if is_right {
            return Ok(LetIn::Yes(Actor::Scim(Arc::new(keeper))));
        }
        let ip = attempts::ip_of(&keeper.ip);
        if let Some(wait) = self.network_waits(ip).await? {
            self.refuse_scim(&keeper, "too many wrong tokens came from this network");
            return Ok(LetIn::Later(wait));
        }
        self.count_guess(ip).await?;
        tracing::warn!(ip = keeper.ip, "a token for SCIM was wrong");
        self.refuse_scim(&keeper, "the token for SCIM was wrong");
        Ok(LetIn::No)
    }
}

/// The part of a list that is asked for: how many to pass over, and how many to give.
#[derive(Clone, Copy, Debug)]
pub struct Part {
    /// Passed over.
    pub offset: usize,
    /// Given at most.
    pub limit: usize,
}

impl Part {
    /// The part of what was found, and how many there are in all.
    pub(super) fn of<T>(self, found: Vec<T>) -> (Vec<T>, usize) {
        let n = found.len();
        (found.into_iter().skip(self.offset).take(self.limit).collect(), n)
    }
}
