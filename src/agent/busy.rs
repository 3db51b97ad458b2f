//! Counts what must not be interrupted: scripts that run.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much runs. Clones are the same.
#[derive(Clone, Debug, Default)]
pub struct Busy(Arc<AtomicUsize>);

/// Something that runs, until this is dropped.
#[derive(Debug)]
pub struct Running(Busy);

impl Busy {
    /// Something begins.
    #[must_use]
    pub fn begin(&self) -> Running {
        self.0.fetch_add(1, Ordering::Relaxed);
        Running(self.clone())
    }

    /// Whether nothing runs.
    #[must_use]
    pub fn is_idle(&self) -> bool {
        self.0.load(Ordering::Relaxed) == 0
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.0.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ended_does_not_count() {
        let busy = Busy::default();
        let (one, other) = (busy.begin(), busy.begin());
        assert!(!busy.is_idle());
        drop(one);
        assert!(!busy.is_idle());
        drop(other);
        assert!(busy.is_idle());
    }
}
