//! Which sessions there are: what they moved, and the way to cut one at once.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::{Outside, Peer};
use crate::model::id::SessionId;
use crate::model::peer::PeerKey;
use crate::model::session::SessionKind;
use crate::ssh::watched::{Watched, Watcher};
use crate::tasks::{OnPanic, Tasks};
use crate::wire::session::Open;

/// A session whose last stream ended is told as ended after this: forwarded ports open and close
/// streams all the time and are one session.
const LINGER: Duration = Duration::from_secs(5);

/// How many sessions there are, and how much they moved since the agent started.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Sessions now.
    pub sessions: u32,
    /// Bytes received.
    pub rx_bytes: u64,
    /// Bytes sent.
    pub tx_bytes: u64,
}

/// The sessions of an agent.
pub(super) struct Register {
    outside: Arc<dyn Outside>,
    tasks: Tasks,
    sessions: Mutex<BTreeMap<SessionId, Entry>>,
    total: Arc<Moved>,
}

struct Entry {
    peer: PeerKey,
    kind: SessionKind,
    told: bool,
    streams: usize,
    /// Grows with each stream, so that a lingering end sees that the session went on.
    generation: u64,
    token: CancellationToken,
    moved: Arc<Moved>,
}

#[derive(Default)]
struct Moved {
    read: AtomicU64,
    written: AtomicU64,
}

impl Register {
    pub(super) fn new(outside: Arc<dyn Outside>, tasks: Tasks) -> Self {
        Self { outside, tasks, sessions: Mutex::default(), total: Arc::default() }
    }

    /// Notes a stream of a session. It leaves when the place is dropped.
    pub(super) fn enter(self: &Arc<Self>, open: &Open, peer: &Peer) -> Place {
        let mut sessions = self.lock();
        let entry = sessions.entry(open.session).or_insert_with(|| {
            let told = peer.user.is_some();
            if told {
                self.outside.began(open.session, peer.key, open.recorded_as);
            }
            Entry {
                peer: peer.key,
                kind: open.recorded_as,
                told,
                streams: 0,
                generation: 0,
                token: self.tasks.token().child_token(),
                moved: Arc::default(),
            }
        });
        entry.streams += 1;
        entry.generation += 1;
        Place {
            register: Arc::clone(self),
            session: open.session,
            token: entry.token.clone(),
            moved: Arc::clone(&entry.moved),
        }
    }

    pub(super) fn cut(&self, session: SessionId) {
        if let Some(entry) = self.lock().get(&session) {
            entry.token.cancel();
        }
    }

    pub(super) fn cut_peer(&self, peer: &PeerKey) {
        self.lock().values().filter(|e| e.peer == *peer).for_each(|e| e.token.cancel());
    }

    /// Tells again that a peer's sessions began.
    pub(super) fn tell_again(&self, peer: &PeerKey) {
        let sessions = self.lock();
        let told = |e: &Entry| e.peer == *peer && e.told && !e.token.is_cancelled();
        for (session, entry) in sessions.iter().filter(|(_, e)| told(e)) {
            self.outside.began(*session, entry.peer, entry.kind);
        }
    }

    pub(super) fn counts(&self) -> Counts {
        let sessions = self.lock().values().filter(|e| e.streams > 0).count();
        Counts {
            sessions: u32::try_from(sessions).unwrap_or(u32::MAX),
            rx_bytes: self.total.read.load(Ordering::Relaxed),
            tx_bytes: self.total.written.load(Ordering::Relaxed),
        }
    }

    fn leave(self: &Arc<Self>, session: SessionId) {
        let mut sessions = self.lock();
        let Some(entry) = sessions.get_mut(&session) else { return };
        entry.streams -= 1;
        if entry.streams > 0 {
            return;
        }
        if entry.token.is_cancelled() {
            let entry = sessions.remove(&session);
            self.tell_end(session, entry);
            return;
        }
        let (this, generation) = (Arc::clone(self), entry.generation);
        self.tasks.spawn("session end", OnPanic::Lose, async move {
            tokio::time::sleep(LINGER).await;
            this.end(session, generation);
        });
    }

    fn end(&self, session: SessionId, generation: u64) {
        let mut sessions = self.lock();
        let over = sessions.get(&session).is_some_and(|e| e.generation == generation);
        if over {
            let entry = sessions.remove(&session);
            self.tell_end(session, entry);
        }
    }

    fn tell_end(&self, session: SessionId, entry: Option<Entry>) {
        if let Some(entry) = entry.filter(|e| e.told) {
            let written = entry.moved.written.load(Ordering::Relaxed);
            self.outside.ended(session, written, entry.moved.read.load(Ordering::Relaxed));
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<SessionId, Entry>> {
        self.sessions.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A stream's place in the register.
pub(super) struct Place {
    register: Arc<Register>,
    session: SessionId,
    token: CancellationToken,
    moved: Arc<Moved>,
}

impl Place {
    /// Waits until the session is cut.
    pub(super) async fn cut(&self) {
        self.token.cancelled().await;
    }

    /// A stream whose bytes are counted for the session.
    pub(super) fn count<S>(&self, inner: S) -> Watched<S, Counted> {
        let total = Arc::clone(&self.register.total);
        Watched::new(inner, Counted { moved: Arc::clone(&self.moved), total })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.register.leave(self.session);
    }
}

/// What counts a stream's bytes.
pub(super) struct Counted {
    moved: Arc<Moved>,
    total: Arc<Moved>,
}

impl Watcher for Counted {
    fn read(&mut self, bytes: &[u8]) {
        for moved in [&self.moved, &self.total] {
            moved.read.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
    }

    fn written(&mut self, bytes: &[u8]) {
        for moved in [&self.moved, &self.total] {
            moved.written.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        }
    }
}
