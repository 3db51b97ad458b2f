//! What one agent's reports hold that cannot be: told in the log, without letting it fill the log.

use crate::model::id::AgentId;

/// How many are told one by one on a connection.
const TOLD: u64 = 10;
/// Of those after, each so many times one is told.
const TOLD_EVERY: u64 = 1000;

/// The faults of one connection.
pub(super) struct Faults {
    agent: AgentId,
    n: u64,
}

impl Faults {
    /// None yet.
    pub(super) const fn of(agent: AgentId) -> Self {
        Self { agent, n: 0 }
    }

    /// Notes one, and tells it unless there are too many.
    pub(super) fn note(&mut self, what: &str) {
        self.n += 1;
        if self.n <= TOLD || self.n.is_multiple_of(TOLD_EVERY) {
            tracing::warn!(agent.id = %self.agent, faults = self.n, what, "an agent's report is wrong");
        }
    }
}
