//! Tokens that were looked up since the last commit: a page and what it loads show the same one many
//! times, and most requests come without a write between them.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// How long what was read is used. Each commit of this program voids it at once; this bounds how long
/// it outlives one of another program on the same file, `reset-password`.
const MAX_AGE: Duration = Duration::from_secs(1);
/// Tokens kept, about half a kilobyte each. More are looked up each time.
const MAX_TOKENS: usize = 256;

/// What was found by the public part of tokens since the last commit. A wrong one is not kept.
pub(super) struct TokenCache<T>(Mutex<Entries<T>>);

/// A moment before a read: no commit that came before it was missed by the read.
#[derive(Clone, Copy, Debug)]
pub(super) struct Moment {
    /// [`crate::server::db::Db::commits`].
    pub commits: u64,
    /// By the monotonic clock.
    pub at: Instant,
}

struct Entries<T> {
    /// From before any of them was read.
    since: Option<Moment>,
    found: BTreeMap<Box<str>, Arc<T>>,
}

impl<T> TokenCache<T> {
    /// What was found by this public part, if no commit came between that and `now`.
    pub(super) fn find(&self, public_id: &str, now: Moment) -> Option<Arc<T>> {
        let entries = self.lock();
        entries.hold_at(now).then(|| entries.found.get(public_id).cloned()).flatten()
    }

    /// Keeps what was read after `then`.
    pub(super) fn keep(&self, public_id: &str, found: &Arc<T>, then: Moment) {
        let mut entries = self.lock();
        if !entries.hold_at(then) {
            if entries.since.is_some_and(|since| then.commits < since.commits) {
                return;
            }
            *entries = Entries { since: Some(then), found: BTreeMap::new() };
        }
        if entries.found.len() < MAX_TOKENS {
            entries.found.insert(public_id.into(), Arc::clone(found));
        }
    }

    fn lock(&self) -> MutexGuard<'_, Entries<T>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Entries<T> {
    fn hold_at(&self, now: Moment) -> bool {
        self.since.is_some_and(|since| {
            since.commits == now.commits && now.at.duration_since(since.at) < MAX_AGE
        })
    }
}

impl<T> Default for TokenCache<T> {
    fn default() -> Self {
        Self(Mutex::new(Entries { since: None, found: BTreeMap::new() }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::Clock;

    #[test]
    fn a_commit_or_a_second_voids_what_is_kept() {
        let (cache, at) = (TokenCache::default(), Clock::machine().instant());
        let moment = |commits| Moment { commits, at };
        assert!(cache.find("a", moment(0)).is_none());
        cache.keep("a", &Arc::new(1), moment(0));
        assert!(cache.find("a", moment(0)).is_some() && cache.find("b", moment(0)).is_none());
        assert!(cache.find("a", moment(1)).is_none(), "a commit voids it");
        cache.keep("b", &Arc::new(2), moment(1));
        assert!(cache.find("b", moment(1)).is_some() && cache.find("a", moment(1)).is_none());
        cache.keep("a", &Arc::new(1), moment(0));
        assert!(cache.find("a", moment(1)).is_none(), "it was read before a commit");
        let later = Moment { commits: 1, at: at + MAX_AGE };
        assert!(cache.find("b", later).is_none(), "another program may have written");
    }

    #[test]
    fn what_is_kept_has_a_bound() {
        let cache = TokenCache::default();
        let now = Moment { commits: 0, at: Clock::machine().instant() };
        for n in 0..MAX_TOKENS + 10 {
            cache.keep(&n.to_string(), &Arc::new(n), now);
        }
        assert_eq!(cache.lock().found.len(), MAX_TOKENS);
    }
}
