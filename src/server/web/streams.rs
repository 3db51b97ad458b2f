//! How many streams each person has open: pages that follow what happens, programs that watch.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use http::StatusCode;

use super::{Answer, Problem};
use crate::model::id::UserId;
use crate::server::app::Actor;

/// Streams that one person has open at most: far more than tabs and editors need, and each of them
/// reads the database whenever something happens.
pub const MAX_STREAMS: usize = 100;
/// When it is worth trying again after too many.
const AGAIN_AFTER: Duration = Duration::from_secs(30);

/// The streams that are open; clones share the count.
#[derive(Clone, Debug, Default)]
pub struct Streams(Arc<Mutex<BTreeMap<UserId, usize>>>);

/// The right to one stream, for as long as it is kept.
#[derive(Debug)]
pub struct Permit {
    streams: Streams,
    user: Option<UserId>,
}

impl Streams {
    /// Counts one more stream of whoever asks. Those of agents are bounded by their number.
    ///
    /// # Errors
    /// When they have [`MAX_STREAMS`] open.
    pub fn open(&self, actor: &Actor) -> Answer<Permit> {
        let user = actor.user_id();
        if let Some(user) = user {
            let mut open = self.lock();
            let n = open.entry(user).or_default();
            if *n >= MAX_STREAMS {
                let why = "You have too many pages or programs open that follow what happens.";
                return Err(Problem {
                    retry_after: Some(AGAIN_AFTER),
                    ..Problem::new(StatusCode::TOO_MANY_REQUESTS, why)
                });
            }
            *n += 1;
        }
        Ok(Permit { streams: self.clone(), user })
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<UserId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let Some(user) = self.user else { return };
        let mut open = self.streams.lock();
        if let Some(n) = open.get_mut(&user) {
            *n -= 1;
            if *n == 0 {
                open.remove(&user);
            }
        }
    }
}
