//! When a provider is asked again whose last answer said nothing new: kept in mind, not in the
//! database, so that asking every minute is not writing every minute.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::model::id::IdentityGrantId;
use crate::model::time::Timestamp;

/// Grants that are kept in mind; of more the answers are written down.
const MAX_GRANTS: usize = 10_000;

/// When each grant is asked about again.
#[derive(Default)]
pub(super) struct AskedAgain(Mutex<BTreeMap<IdentityGrantId, Timestamp>>);

impl AskedAgain {
    /// Asks about a grant no sooner than at `at`. Whether there was room to keep that in mind.
    pub(super) fn later(&self, id: IdentityGrantId, at: Timestamp) -> bool {
        let mut all = self.lock();
        if all.len() >= MAX_GRANTS && !all.contains_key(&id) {
            return false;
        }
        all.insert(id, at);
        true
    }

    /// Those that are not yet to be asked about.
    pub(super) fn waiting(&self, now: Timestamp) -> BTreeMap<IdentityGrantId, Timestamp> {
        let mut all = self.lock();
        all.retain(|_, at| *at > now);
        all.clone()
    }

    /// Asks about all of them as soon as the database says.
    pub(super) fn forget(&self) {
        self.lock().clear();
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<IdentityGrantId, Timestamp>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_waits_until_its_time_or_until_all_are_forgotten() {
        let asked = AskedAgain::default();
        let id = |n: u128| IdentityGrantId(uuid::Uuid::from_u128(n));
        assert!(asked.later(id(1), Timestamp(60)) && asked.later(id(2), Timestamp(120)));
        assert!(asked.waiting(Timestamp(59)).len() == 2);
        let waiting = asked.waiting(Timestamp(60));
        assert_eq!(waiting.into_keys().collect::<Vec<_>>(), [id(2)]);
        asked.forget();
        assert!(asked.waiting(Timestamp(0)).is_empty());
    }
}
