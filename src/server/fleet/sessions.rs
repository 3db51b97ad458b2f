//! Sessions through the server: begun, carried to an agent, counted, cut, ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use anyhow::{Context as _, bail};
use tokio::sync::mpsc;

use super::cut::cuttable;
use super::notices::noticed;
use super::register::{Entry, Live};
use super::{Fleet, lock};
use crate::model::id::{AgentId, SessionId};
use crate::model::session::{EndReason, NewSession};
use crate::model::user::UserRef;
use crate::model::verb::Verb;
use crate::net::Stream;
use crate::ssh::{BoxStream, Opening, opening};
use crate::tasks::OnPanic;
use crate::wire::session::{Back, Kind, Open};

/// Streams an agent opened that nobody took yet, per session. A burst of forwarded connections.
const MAX_BACKS: usize = 64;
/// Time for an agent to answer what a stream is for.
const OPEN_WITHIN: Duration = Duration::from_secs(15);
/// Time for an agent to say what a stream it opened is for.
const BACK_WITHIN: Duration = Duration::from_secs(10);

/// Where streams that agents open belong.
#[derive(Default)]
pub(super) struct Backs(Mutex<BTreeMap<SessionId, mpsc::Sender<(Back, BoxStream)>>>);

impl Fleet {
    /// Enters a session into the register now and into the table soon; its streams wait for that.
    /// A session that cannot be recorded is cut.
    pub fn begin(&self, id: SessionId, new: NewSession) -> Arc<Live> {
        self.begin_by(Verb::Connect, id, new)
    }

    /// The same for whoever is there by another right, and is cut with that.
    pub(super) fn begin_by(&self, right: Verb, id: SessionId, new: NewSession) -> Arc<Live> {
        let entry = Entry {
            right,
            id,
            user: new.user_id,
            workspace: new.workspace_id,
            agent: new.agent_id,
            kind: new.kind,
            shown: new.shown,
            demands_recording: new.is_recorded,
        };
        let live = self.0.register.enter(entry, &self.0.clock);
        let (app, recorded) = (self.0.app.clone(), Arc::clone(&live));
        self.0.tasks.spawn_graceful("session-begin", OnPanic::Lose, async move {
            match app.begin_session(id, new).await {
                Ok(()) => recorded.set_recorded(true),
                Err(error) => {
                    tracing::error!(session.id = %id, %error, "a session could not be recorded");
                    recorded.set_recorded(false);
                }
            }
        });
        live
    }

    /// Takes a session out of the register and writes its end. Twice does nothing.
    pub async fn end(&self, id: SessionId, reason: EndReason) {
        let Some(live) = self.0.register.leave(id) else { return };
        lock(&self.0.backs.0).remove(&id);
        live.settled().await;
        if let Some(log) = live.transfers.get() {
            log.close();
        }
        let reason = live.end_reason(reason);
        let ended = self.0.app.end_session(id, reason, live.bytes()).await;
        if let Err(error) = ended {
            tracing::warn!(session.id = %id, %error, "the end of a session was not stored");
        }
    }

    /// A fresh session id.
    #[must_use]
    pub fn fresh_session(&self) -> SessionId {
        SessionId(self.0.entropy.uuid7(self.0.clock.now_ms()))
    }

    /// Opens a stream to an agent on behalf of a user.
    ///
    /// # Errors
    /// When the agent is not connected, does not answer, or refuses.
    pub async fn open(
        &self,
        agent: AgentId,
        user: &UserRef,
        live: &Arc<Live>,
        mut kind: Kind,
    ) -> anyhow::Result<Opening> {
        if !live.recorded().await {
            bail!("{}", live.told());
        }
        let plan = self.recording_plan(live, &kind);
        if let (Some(_), Kind::Terminal { misses_nothing, .. }) = (&plan, &mut kind) {
            *misses_nothing = true;
        }
        let open = Open {
            session: live.id,
            user: Some(user.clone()),
            recorded_as: live.kind,
            marks: plan.as_ref().and_then(|plan| plan.marks.clone()),
            kind,
        };
        let opening = async {
            let mut stream = self.stream_to(agent, open.kind.says_its_end()).await?;
            let port = opening::open(&mut stream, &open).await?;
            anyhow::Ok(Opening { stream, port })
        };
        let opened = tokio::time::timeout(OPEN_WITHIN, opening).await;
        let mut opened = opened.context("The agent did not answer in time")??;
        if open.kind.is_looked_at()
            && let Some(notices) = live.notices()
        {
            opened.stream = Box::new(noticed(opened.stream, notices));
        }
        match plan {
            Some(plan) => {
                let stream = self.record(opened.stream, live, plan).await?;
                Ok(Opening { stream, ..opened })
            }
            None => {
                let stream = self.note_transfers(live, &open.kind, opened.stream);
                Ok(Opening { stream, ..opened })
            }
        }
    }

    /// The streams that an agent opens for a session from now on.
    pub(super) fn backs(&self, session: SessionId) -> mpsc::Receiver<(Back, BoxStream)> {
        let (tx, rx) = mpsc::channel(MAX_BACKS);
        lock(&self.0.backs.0).insert(session, tx);
        rx
    }

    /// Takes streams that agents open and hands them to their sessions.
    pub(super) async fn accept_backs(&self) {
        while let Some((key, stream)) = self.0.overlay.accept().await {
            let fleet = self.clone();
            self.0.tasks.spawn("fleet-back", OnPanic::Lose, async move {
                fleet.hand_over(key, stream).await;
            });
        }
    }

    async fn hand_over(&self, key: crate::model::peer::PeerKey, mut stream: Stream) {
        let read = tokio::time::timeout(BACK_WITHIN, opening::read_back(&mut stream)).await;
        let Ok(Ok(back)) = read else { return };
        // An agent may only speak for sessions that run in it.
        let live = self.0.register.find(back.session);
        let Some(live) = live.filter(|l| self.agent_key(l.agent) == Some(key)) else { return };
        let to = lock(&self.0.backs.0).get(&back.session).cloned();
        if let Some(to) = to {
            // A full queue drops the stream: the connecting program sees a refusal.
            let stream = self.note_back(&live, &back.back, Box::new(stream));
            let _ = to.try_send((back.back, Box::new(cuttable(stream, live))));
        }
    }
}
