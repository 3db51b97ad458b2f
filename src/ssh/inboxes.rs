//! The inboxes of a connection's channels, by channel.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use russh::ChannelId;

use super::inbox::{Inbox, Pressure};

/// The inboxes of a connection's channels, shared with the tasks that empty them.
#[derive(Clone, Default)]
pub(super) struct Inboxes {
    pub(super) pressure: Arc<Pressure>,
    all: Arc<Mutex<BTreeMap<ChannelId, Arc<Inbox>>>>,
}

impl Inboxes {
    /// The inbox of a channel, made when it is not there.
    pub(super) fn of(&self, id: ChannelId) -> Arc<Inbox> {
        let new = || Arc::new(Inbox::new(Arc::clone(&self.pressure)));
        Arc::clone(self.lock().entry(id).or_insert_with(new))
    }

    /// The inbox of a channel that is open.
    pub(super) fn get(&self, id: ChannelId) -> Option<Arc<Inbox>> {
        self.lock().get(&id).map(Arc::clone)
    }

    /// Closes the inbox of a channel that is over.
    pub(super) fn close(&self, id: ChannelId) {
        if let Some(inbox) = self.lock().remove(&id) {
            inbox.close();
        }
    }

    /// Closes all: the connection is gone.
    pub(super) fn lose_all(&self) {
        std::mem::take(&mut *self.lock()).values().for_each(|inbox| inbox.lose());
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.lock().len()
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<ChannelId, Arc<Inbox>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
