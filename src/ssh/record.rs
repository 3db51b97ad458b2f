//! A session's entry in the record: begun when made, ended when dropped, with the bytes between.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::gate::{Began, Ended, Gate};
use crate::model::id::SessionId;
use crate::model::session::EndReason;

/// Why the sessions of a connection ended that still lasted when it did.
pub(super) type Ending = Arc<Mutex<EndReason>>;

pub(super) struct Recorded<G: Gate> {
    gate: Arc<G>,
    pub(super) session: SessionId,
    bytes_in: AtomicU64,
    bytes_out: AtomicU64,
    own_ending: Mutex<Option<EndReason>>,
    ending: Ending,
}

impl<G: Gate> Recorded<G> {
    pub(super) fn begin(gate: Arc<G>, began: &Began, ending: Ending) -> Self {
        gate.began(began);
        Self {
            gate,
            session: began.session,
            bytes_in: AtomicU64::new(0),
            bytes_out: AtomicU64::new(0),
            own_ending: Mutex::new(None),
            ending,
        }
    }

    /// Bytes from the person.
    pub(super) fn moved_in(&self, bytes: usize) {
        self.bytes_in.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Bytes to the person.
    pub(super) fn moved_out(&self, bytes: usize) {
        self.bytes_out.fetch_add(bytes as u64, Ordering::Relaxed);
    }

    /// Says why it ends; without it the connection's end counts.
    pub(super) fn ends(&self, reason: EndReason) {
        *self.own_ending.lock().unwrap_or_else(PoisonError::into_inner) = Some(reason);
    }
}

impl<G: Gate> Drop for Recorded<G> {
    fn drop(&mut self) {
        let own = *self.own_ending.lock().unwrap_or_else(PoisonError::into_inner);
        let reason =
            own.unwrap_or_else(|| *self.ending.lock().unwrap_or_else(PoisonError::into_inner));
        self.gate.ended(&Ended {
            session: self.session,
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            bytes_out: self.bytes_out.load(Ordering::Relaxed),
            reason,
        });
    }
}
