//! The only spawner: every task has a name, is cancelled with its group, and its panic is logged.

use std::future::Future;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// What a panic in a task means for the process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnPanic {
    /// Only this task is lost.
    Lose,
    /// The whole group stops: the process would lie about its state otherwise.
    Stop,
}

/// A group of tasks that is stopped as one. Clones share the group.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    token: CancellationToken,
}

impl Tasks {
    /// An empty group.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A group that stops with this one, or before it.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { tracker: self.tracker.clone(), token: self.token.child_token() }
    }

    /// Is cancelled when the group stops.
    #[must_use]
    pub fn token(&self) -> CancellationToken {
        self.token.clone()
    }

    /// Runs `task` until it ends or the group is stopped, whichever is first.
    pub fn spawn<F>(&self, name: &'static str, on_panic: OnPanic, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let token = self.token.clone();
        let outer = self.token.clone();
        let inner = async move {
            tokio::select! {
                () = token.cancelled() => {}
                () = task => {}
            }
        };
        self.spawn_inner(name, on_panic, outer, inner);
    }

    /// Runs `task` to its own end: it watches [`Tasks::token`] itself and tidies up.
    pub fn spawn_graceful<F>(&self, name: &'static str, on_panic: OnPanic, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.spawn_inner(name, on_panic, self.token.clone(), task);
    }

    fn spawn_inner<F>(
        &self,
        name: &'static str,
        on_panic: OnPanic,
        stop: CancellationToken,
        task: F,
    ) where
        F: Future<Output = ()> + Send + 'static,
    {
        use futures_util::FutureExt as _;
        let guarded = async move {
            let caught = std::panic::AssertUnwindSafe(task).catch_unwind().await;
            if caught.is_err() {
                tracing::error!(task.name = name, "a task panicked");
                if on_panic == OnPanic::Stop {
                    stop.cancel();
                }
            }
        };
        #[expect(clippy::disallowed_methods, reason = "this is the one spawner")]
        tokio::spawn(self.tracker.track_future(guarded));
    }

    /// Asks every task to stop, without waiting.
    pub fn cancel(&self) {
        self.token.cancel();
    }

    /// Stops the group and waits up to `patience`. Returns whether everything ended in time.
    pub async fn stop(&self, patience: Duration) -> bool {
        self.token.cancel();
        self.tracker.close();
        tokio::time::timeout(patience, self.tracker.wait()).await.is_ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_panic_loses_one_task_and_stop_waits_for_the_rest() {
        let tasks = Tasks::new();
        tasks.spawn("boom", OnPanic::Lose, async { panic!("planned") });
        let token = tasks.token();
        tasks.spawn_graceful("tidy", OnPanic::Lose, async move { token.cancelled().await });
        assert!(tasks.stop(Duration::from_secs(5)).await);
    }

    #[tokio::test]
    async fn a_panic_may_stop_the_group() {
        let tasks = Tasks::new();
        tasks.spawn("boom", OnPanic::Stop, async { panic!("planned") });
        tasks.token().cancelled().await;
    }
}
