//! Waking machines: those that are connected on the same network send, and the server where it is
//! there itself. Who does, the use case decides.

use super::clones::Seat;
use super::{Fleet, lock};
use crate::model::id::{AgentId, WorkspaceId};
use crate::net::lan;
use crate::server::app::waking::{Around, Neighbour, Waking};
use crate::server::app::{Actor, Result};
use crate::wire::agent::ToAgent;

impl Fleet {
    /// Has the machine of an agent woken.
    ///
    /// # Errors
    /// As [`crate::server::app::App::wake`].
    pub async fn wake(
        &self,
        actor: &Actor,
        (workspace, agent): (WorkspaceId, String),
    ) -> Result<Waking> {
        let around = Around { agents: self.neighbours(), server: lan::read().interfaces };
        let waking = self.0.app.wake(actor, (workspace, agent), around).await?;
        for (sender, on) in &waking.senders {
            self.tell_agent(*sender, &ToAgent::Wake { cards: waking.cards.clone(), on: *on });
        }
        if let Some(own) = waking.server
            && let Err(error) = lan::wake(&waking.cards, own)
        {
            tracing::warn!(network = own.network(), %error, "the server could not wake a machine");
        }
        Ok(waking)
    }

    fn neighbours(&self) -> Vec<Neighbour> {
        let agents = lock(&self.0.agents);
        let neighbour = |(agent, socket): (&AgentId, &super::agents::AgentSocket)| {
            let spot = socket.seat.spot.clone()?;
            Some(Neighbour { agent: *agent, workspace: socket.workspace, spot })
        };
        agents.iter().filter_map(neighbour).collect()
    }

    /// Keeps where an agent's machine is, when someone else runs it.
    pub(super) async fn keep_spot(&self, agent: AgentId, seat: &Seat) {
        let Some(spot) = seat.spot.clone() else { return };
        if let Err(error) = self.0.app.agent_spot(agent, spot).await {
            tracing::warn!(agent.id = %agent, %error, "where a machine is was not stored");
        }
    }
}
