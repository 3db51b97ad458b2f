//! The only readers of time and chance; everything else is handed a [`Clock`] or an [`Entropy`].

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use crate::model::time::Timestamp;

/// Tells the time: the machine's, or one that a test moves by hand.
#[derive(Clone, Debug)]
pub struct Clock(Source);

#[derive(Clone, Debug)]
enum Source {
    Machine,
    Manual { wall: Arc<Mutex<Timestamp>>, epoch: Instant, start: Timestamp },
}

impl Clock {
    /// The machine's clock.
    #[must_use]
    pub fn machine() -> Self {
        Self(Source::Machine)
    }

    /// A clock that stands still until [`Clock::advance`] is called.
    #[must_use]
    pub fn manual(start: Timestamp) -> Self {
        #[expect(clippy::disallowed_methods, reason = "this file is the reader of time")]
        let epoch = Instant::now();
        Self(Source::Manual { wall: Arc::new(Mutex::new(start)), epoch, start })
    }

    /// Wall time in whole seconds.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match &self.0 {
            Source::Machine => Timestamp(self.now_ms().div_euclid(1000)),
            Source::Manual { wall, .. } => *lock(wall),
        }
    }

    /// Wall time in milliseconds since the Unix epoch.
    #[must_use]
    pub fn now_ms(&self) -> i64 {
        match &self.0 {
            Source::Machine => {
                #[expect(clippy::disallowed_methods, reason = "this file is the reader of time")]
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
            }
            Source::Manual { wall, .. } => lock(wall).0 * 1000,
        }
    }

    /// Monotonic time, for timeouts and rates.
    #[must_use]
    pub fn instant(&self) -> Instant {
        match &self.0 {
            #[expect(clippy::disallowed_methods, reason = "this file is the reader of time")]
            Source::Machine => Instant::now(),
            Source::Manual { wall, epoch, start } => {
                let secs = u64::try_from(lock(wall).0 - start.0).unwrap_or(0);
                *epoch + Duration::from_secs(secs)
            }
        }
    }

    /// Moves a manual clock forward; the machine's clock is left alone.
    pub fn advance(&self, by: Duration) {
        if let Source::Manual { wall, .. } = &self.0 {
            lock(wall).0 += i64::try_from(by.as_secs()).unwrap_or(i64::MAX);
        }
    }
}

/// Gives random bytes: the machine's, or a seeded sequence for tests.
#[derive(Clone, Debug)]
pub struct Entropy(Option<Arc<Mutex<u64>>>);

impl Entropy {
    /// The operating system's random number generator.
    #[must_use]
    pub fn machine() -> Self {
        Self(None)
    }

    /// A repeatable sequence. For tests and simulations only.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        Self(Some(Arc::new(Mutex::new(seed))))
    }

    /// Fills `out` with random bytes.
    ///
    /// # Panics
    /// When the operating system has no randomness to give: nothing safe can go on without it.
    pub fn fill(&self, out: &mut [u8]) {
        match &self.0 {
            None => getrandom::fill(out).expect("the operating system gives random bytes"),
            Some(state) => {
                let mut state = lock(state);
                for byte in out {
                    // SplitMix64, enough to be well spread and repeatable.
                    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
                    let mut z = *state;
                    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
                    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
                    *byte = (z >> 56) as u8;
                }
            }
        }
    }

    /// An array of `N` random bytes.
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut out = [0; N];
        self.fill(&mut out);
        out
    }

    /// A random version 4 UUID.
    #[must_use]
    pub fn uuid4(&self) -> uuid::Uuid {
        uuid::Builder::from_random_bytes(self.bytes()).into_uuid()
    }

    /// A version 7 UUID for the time `now_ms`, so that ids sort by age.
    #[must_use]
    pub fn uuid7(&self, now_ms: i64) -> uuid::Uuid {
        let ms = u64::try_from(now_ms).unwrap_or(0);
        uuid::Builder::from_unix_timestamp_millis(ms, &self.bytes()).into_uuid()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}
