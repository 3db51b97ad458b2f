//! The relay between sockets: frames of one peer to another that the server lets it talk to.
//! It cannot read what it carries.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

use crate::model::peer::PeerKey;
use crate::net::relay::{RelayQueues, Verdict};

/// Who is here, who may talk to whom, and what waits for each.
pub struct Relay {
    /// The server's own key: every connected peer may talk to the server.
    server: PeerKey,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    queues: RelayQueues,
    bells: BTreeMap<PeerKey, Arc<Notify>>,
    pairs: BTreeSet<(PeerKey, PeerKey)>,
}

impl Relay {
    /// A relay with nobody but the server.
    #[must_use]
    pub fn new(server: PeerKey) -> Self {
        Self { server, state: Mutex::default() }
    }

    /// A peer's socket is here; the bell rings when frames wait for it.
    pub fn connect(&self, key: PeerKey) -> Arc<Notify> {
        let mut state = self.lock();
        state.queues.connect(key);
        let bell = Arc::new(Notify::new());
        state.bells.insert(key, Arc::clone(&bell));
        bell
    }

    /// A peer's socket is gone, if `bell` is still the one it was given.
    pub fn disconnect(&self, key: &PeerKey, bell: &Arc<Notify>) {
        let mut state = self.lock();
        if state.bells.get(key).is_some_and(|b| Arc::ptr_eq(b, bell)) {
            state.bells.remove(key);
            state.queues.disconnect(key);
        }
    }

    /// Lets two peers exchange frames.
    pub fn allow(&self, a: PeerKey, b: PeerKey) {
        self.lock().pairs.insert(ordered(a, b));
    }

    /// Lets a peer exchange frames with nobody but the server any more.
    pub fn forget(&self, key: PeerKey) {
        self.lock().pairs.retain(|(a, b)| *a != key && *b != key);
    }

    /// Takes a frame from a peer's socket.
    pub fn push(&self, from: &PeerKey, frame: Bytes) {
        let mut state = self.lock();
        let State { queues, bells, pairs } = &mut *state;
        let server = self.server;
        let may = |a: &PeerKey, b: &PeerKey| {
            *a == server || *b == server || pairs.contains(&ordered(*a, *b))
        };
        if let Verdict::Queued(to) = queues.push(from, frame, may)
            && let Some(bell) = bells.get(&to)
        {
            bell.notify_one();
        }
    }

    /// The next frame that waits for a peer.
    pub fn pop(&self, key: &PeerKey) -> Option<Bytes> {
        self.lock().queues.pop(key)
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn ordered(a: PeerKey, b: PeerKey) -> (PeerKey, PeerKey) {
    if a <= b { (a, b) } else { (b, a) }
}
