//! What agents say of themselves again and again, gathered for a moment and written together: a thousand
//! agents that each say one thing every few seconds are one commit a second.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::sleep;

use super::{Fleet, lock};
use crate::model::health::Figures;
use crate::model::id::AgentId;
use crate::wire::agent::ToAgent;

/// How long it is gathered. A server that ends in it loses what the next report says again.
const GATHERED_FOR: Duration = Duration::from_secs(1);
/// Agents in one write: bounds how long other writes wait for it.
const MAX_AT_ONCE: usize = 32;

/// Agents that were heard, with what they said of their machines if they did.
#[derive(Default)]
pub(super) struct Heard {
    said: Mutex<BTreeMap<AgentId, Option<Figures>>>,
    bell: Notify,
}

impl Heard {
    fn note(&self, agent: AgentId, figures: Option<Figures>) {
        let mut said = lock(&self.said);
        let known = said.entry(agent).or_default();
        *known = figures.or(known.take());
        drop(said);
        self.bell.notify_one();
    }
}

impl Fleet {
    /// An agent was heard.
    pub(super) fn heard(&self, agent: AgentId, figures: Option<Figures>) {
        self.0.heard.note(agent, figures);
    }

    /// Writes what was gathered, again and again, until it is dropped.
    pub(super) async fn keep_heard(&self) {
        loop {
            self.0.heard.bell.notified().await;
            sleep(GATHERED_FOR).await;
            let mut said = std::mem::take(&mut *lock(&self.0.heard.said)).into_iter().peekable();
            while said.peek().is_some() {
                let some = said.by_ref().take(MAX_AT_ONCE);
                // That one has left since is written already.
                self.write_heard(some.filter(|(agent, _)| self.is_connected(*agent)).collect())
                    .await;
            }
        }
    }

    async fn write_heard(&self, said: Vec<(AgentId, Option<Figures>)>) {
        if self.write_as_one(said.clone()).await.is_ok() {
            return;
        }
        // What one of them said may be at fault: it is not the others'. A disk that is full is at fault
        // for all of them, and fills no log as well.
        let (mut n, mut last) = (0_usize, None);
        for (agent, figures) in said {
            if let Err(error) = self.write_as_one(vec![(agent, figures)]).await {
                n += 1;
                last = Some((agent, error));
            }
        }
        if let Some((agent, error)) = last {
            tracing::warn!(agents = n, agent.id = %agent, %error, "what agents said was not stored");
        }
    }

    async fn write_as_one(
        &self,
        said: Vec<(AgentId, Option<Figures>)>,
    ) -> crate::server::app::Result<()> {
        for (agent, text) in self.0.app.agents_heard(said).await? {
            self.tell_agent(agent, &ToAgent::Told { text });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_figures_stay_though_only_a_sign_of_life_follows() {
        let (heard, agent) = (Heard::default(), AgentId(uuid::Uuid::from_u128(1)));
        let figures = |cpu| Some(Figures { cpu, ..Figures::default() });
        heard.note(agent, None);
        heard.note(agent, figures(0.25));
        heard.note(agent, figures(0.5));
        heard.note(agent, None);
        assert_eq!(*lock(&heard.said), BTreeMap::from([(agent, figures(0.5))]));
    }
}
