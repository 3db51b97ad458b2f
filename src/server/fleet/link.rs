//! The way to one agent for one person who came by SSH.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use anyhow::Context as _;
use tokio::sync::mpsc;

use super::Fleet;
use super::cut::cuttable;
use super::register::Live;
use crate::model::id::{AgentId, SessionId, WorkspaceId};
use crate::model::session::{NewSession, SessionKind, Shown};
use crate::model::user::UserRef;
use crate::server::app::Actor;
use crate::ssh::{Began, BoxFuture, BoxStream, Link, Opening};
use crate::wire::session::{Back, Kind};

/// Sessions that began and have no stream yet: they are entered with the first one, when it is
/// known where they lead. At most as many as a connection has channels.
#[derive(Default)]
pub(super) struct Waiting(pub(super) Mutex<BTreeMap<SessionId, Began>>);

/// Streams to one agent on behalf of one user.
pub(super) struct AgentLink {
    pub(super) fleet: Fleet,
    pub(super) workspace: WorkspaceId,
    pub(super) agent: AgentId,
    pub(super) user: UserRef,
    /// Asked again for each session: a connection outlives rights.
    pub(super) actor: Actor,
    pub(super) address: String,
    pub(super) waiting: Arc<Waiting>,
}

/// What is typed after `ssh -t WORKSPACE@HOST` to come to a terminal that others are at.
const JOIN: &str = "steading:join";

impl AgentLink {
    /// What the connection was let in by: a key, no provider and no second factor.
    pub(super) fn shown(&self) -> Shown {
        let (ip, by) = (self.address.parse().ok(), self.actor.shown(None).by);
        Shown { ip, by, ..Shown::default() }
    }

    /// Asks whether the key is still there: a connection outlives it.
    pub(super) async fn require_key(&self) -> anyhow::Result<()> {
        let again = self.fleet.0.app.authenticate_again(&self.actor).await?;
        again.map(drop).context("The key that you came by was ended")
    }

    /// The live session, entered when this is its first stream.
    async fn live(&self, session: SessionId) -> anyhow::Result<Arc<Live>> {
        let began = super::lock(&self.waiting.0).remove(&session);
        let Some(began) = began else {
            return self.fleet.0.register.find(session).context("The session has ended");
        };
        self.require_key().await?;
        self.fleet.0.app.agent_to_connect(&self.actor, self.agent).await?;
        let shown = self.shown();
        let right = (self.workspace, shown);
        let new = NewSession {
            is_recorded: self.fleet.0.app.demands_recording(self.user.id, right).await?,
            shown,
            user_id: self.user.id,
            workspace_id: self.workspace,
            agent_id: self.agent,
            kind: began.kind,
            address: self.address.clone(),
            client: began.client,
        };
        Ok(self.fleet.begin(session, new))
    }
}

impl Link for AgentLink {
    fn open(
        &self,
        kind: Kind,
        _: SessionKind,
        session: SessionId,
    ) -> BoxFuture<'_, anyhow::Result<Opening>> {
        Box::pin(async move {
            if let Kind::Exec { command: Some(line), pty, .. } = &kind
                && let Some(asked) = line.trim().strip_prefix(JOIN)
                && (asked.is_empty() || asked.starts_with(' '))
            {
                let pty = pty.as_ref().context("Ask for a terminal: ssh -t")?;
                return self.join(asked, (pty.cols, pty.rows), session).await;
            }
            let live = self.live(session).await?;
            let opening = self.fleet.open(self.agent, &self.user, &live, kind).await?;
            let stream = Box::new(cuttable(opening.stream, live));
            Ok(Opening { stream, port: opening.port })
        })
    }

    fn backs(&self, session: SessionId) -> mpsc::Receiver<(Back, BoxStream)> {
        self.fleet.backs(session)
    }

    fn no_longer(&self, session: SessionId) -> BoxFuture<'_, &'static str> {
        let live = self.fleet.0.register.find(session);
        Box::pin(async move {
            let Some(live) = live else { return std::future::pending().await };
            live.cut.cancelled().await;
            live.told()
        })
    }
}
