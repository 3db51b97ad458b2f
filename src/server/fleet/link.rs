//! The way to one agent for one person who came by SSH.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::Fleet;
use super::cut::Cut;
use crate::model::id::{AgentId, SessionId};
use crate::model::session::SessionKind;
use crate::model::user::UserRef;
use crate::ssh::{BoxFuture, BoxStream, Link, Opening};
use crate::wire::session::{Back, Kind};

/// Streams to one agent on behalf of one user.
pub(super) struct AgentLink {
    pub(super) fleet: Fleet,
    pub(super) agent: AgentId,
    pub(super) user: UserRef,
}

impl Link for AgentLink {
    fn open(
        &self,
        kind: Kind,
        _: SessionKind,
        session: SessionId,
    ) -> BoxFuture<'_, anyhow::Result<Opening>> {
        Box::pin(async move {
            let live = self.fleet.0.register.find(session);
            let live: Arc<_> = live.ok_or_else(|| anyhow::anyhow!("the session has ended"))?;
            let opening = self.fleet.open(self.agent, &self.user, &live, kind).await?;
            let stream = Box::new(Cut::new(opening.stream, live));
            Ok(Opening { stream, port: opening.port })
        })
    }

    fn backs(&self, session: SessionId) -> mpsc::Receiver<(Back, BoxStream)> {
        self.fleet.backs(session)
    }
}
