//! A tunnel as the way that sessions speak over: streams with their opening message, and the streams
//! that the agent opens back.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::mpsc;

use super::context::Context;
use super::tunnel::Tunnel;
use crate::model::id::SessionId;
use crate::model::session::SessionKind;
use crate::ssh::opening;
use crate::ssh::{BoxFuture, BoxStream, Link, Opening};
use crate::tasks::OnPanic;
use crate::wire::session::{Back, Kind, Open};

/// Streams from the agent that wait for their session to take them. A browser opens six at once.
const MAX_BACKS: usize = 32;
/// How long a stream from the agent may take to say what it is for.
const SAID_WITHIN: Duration = Duration::from_secs(10);

type Backs = Arc<Mutex<BTreeMap<SessionId, mpsc::Sender<(Back, BoxStream)>>>>;

/// The way to one agent.
pub struct TunnelLink {
    tunnel: Tunnel,
    backs: Backs,
    /// What sessions are recorded as, when a plug-in has said so.
    app: Option<SessionKind>,
}

impl TunnelLink {
    /// A link over the tunnel.
    #[must_use]
    pub fn new(ctx: &Context, tunnel: Tunnel, app: Option<SessionKind>) -> Arc<Self> {
        let backs = Backs::default();
        let accepting = accept(tunnel.clone(), Arc::clone(&backs), ctx.clone());
        ctx.tasks.spawn("streams of the agent", OnPanic::Stop, accepting);
        Arc::new(Self { tunnel, backs, app })
    }

    /// The tunnel beneath.
    #[must_use]
    pub fn tunnel(&self) -> &Tunnel {
        &self.tunnel
    }

    /// Ends when the right to the workspace has ended; says why.
    pub async fn refused(&self) -> String {
        self.tunnel.refused().await
    }
}

impl Link for TunnelLink {
    fn open(
        &self,
        kind: Kind,
        recorded_as: SessionKind,
        session: SessionId,
    ) -> BoxFuture<'_, anyhow::Result<Opening>> {
        let recorded_as = match (recorded_as, self.app) {
            (SessionKind::Ssh, Some(app)) => app,
            (other, _) => other,
        };
        Box::pin(async move {
            let mut stream = self.tunnel.open().await?;
            let port = opening::open(
                &mut stream,
                &Open { session, user: None, recorded_as, marks: None, kind },
            )
            .await?;
            Ok(Opening { stream: Box::new(stream), port })
        })
    }

    fn backs(&self, session: SessionId) -> mpsc::Receiver<(Back, BoxStream)> {
        let (sender, receiver) = mpsc::channel(MAX_BACKS);
        lock(&self.backs).insert(session, sender);
        receiver
    }
}

/// Hands each stream that the agent opens to its session; one of no session is dropped.
async fn accept(tunnel: Tunnel, backs: Backs, ctx: Context) {
    while let Some((_, mut stream)) = tunnel.overlay().accept().await {
        let backs = Arc::clone(&backs);
        ctx.tasks.spawn("a stream of the agent", OnPanic::Lose, async move {
            let said = tokio::time::timeout(SAID_WITHIN, opening::read_back(&mut stream)).await;
            let Ok(Ok(said)) = said else { return };
            let sender = {
                let mut backs = lock(&backs);
                backs.retain(|_, sender| !sender.is_closed());
                backs.get(&said.session).cloned()
            };
            if let Some(sender) = sender {
                let _ = sender.try_send((said.back, Box::new(stream)));
            }
        });
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
