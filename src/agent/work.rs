//! The work that a manifest asks for: start scripts once a build, schedules, metadata and health
//! while it lasts, stop scripts at its end.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::model::agent::Lifecycle;
use crate::tasks::OnPanic;
use crate::wire::agent::Manifest;

use super::base::Base;
use super::lifecycle::{Outcome, Progress};
use super::scripts::{STOP_LIMIT, Stage, run_all, schedule_all};
use super::{health, marker, metadata};

/// Longest wait for the stop scripts: their limit, and the grace that killing them takes.
const SHUTDOWN_WITHIN: Duration = Duration::from_secs(10).saturating_add(STOP_LIMIT);

/// What is being done. Clones are the same.
#[derive(Clone)]
pub struct Work {
    base: Base,
    state: Arc<Mutex<State>>,
    told: watch::Sender<Lifecycle>,
}

#[derive(Default)]
struct State {
    progress: Progress,
    /// The manifest that is worked on, without what does not concern work.
    manifest: Option<Arc<Manifest>>,
    /// Ends start scripts.
    starting: CancellationToken,
    /// Ends schedules, metadata and health checks.
    watching: CancellationToken,
}

/// What follows from a manifest.
enum Next {
    /// It is the one that is worked on.
    Nothing,
    /// Watch what it asks for; the start scripts ran.
    Watch,
    /// Run its start scripts, and watch.
    Start,
}

impl Work {
    /// Nothing to do yet.
    #[must_use]
    pub fn new(base: Base) -> Self {
        Self { base, state: Arc::default(), told: watch::Sender::new(Lifecycle::Created) }
    }

    /// Takes a manifest. The same one again changes nothing.
    pub fn take(&self, manifest: &Manifest) {
        let manifest = Arc::new(only_work(manifest));
        let ran = marker::ran(&self.base.state_dir, &manifest);
        let (next, starting, watching) = {
            let mut state = self.lock();
            let next = state.take(&manifest, ran);
            (next, state.starting.clone(), state.watching.clone())
        };
        match next {
            Next::Nothing => {}
            Next::Watch => {
                self.tell();
                self.watch(&manifest, &watching);
                schedule_all(&self.base, &manifest, &watching);
            }
            Next::Start => {
                self.tell();
                self.watch(&manifest, &watching);
                let this = self.clone();
                self.base.tasks.spawn_graceful("start scripts", OnPanic::Lose, async move {
                    this.start(&manifest, &starting, &watching).await;
                });
            }
        }
    }

    async fn start(
        &self,
        manifest: &Arc<Manifest>,
        starting: &CancellationToken,
        watching: &CancellationToken,
    ) {
        let outcome = run_all(&self.base, manifest, Stage::Start, starting).await;
        // Cancelled: this build is over, and the state is another's to tell.
        if starting.is_cancelled() {
            return;
        }
        if self.lock().progress.start_ended(outcome) {
            marker::write(&self.base.state_dir, manifest);
            self.tell();
        }
        schedule_all(&self.base, manifest, watching);
    }

    fn watch(&self, manifest: &Arc<Manifest>, watching: &CancellationToken) {
        self.base.reports.forget_observations();
        metadata::watch_all(&self.base, manifest, watching);
        health::watch_all(&self.base, manifest, watching);
    }

    /// Ends everything and runs the stop scripts, once.
    pub fn shut_down(&self) {
        let manifest = {
            let mut state = self.lock();
            if !state.progress.shut_down() {
                return;
            }
            state.starting.cancel();
            state.watching.cancel();
            state.manifest.clone()
        };
        self.tell();
        let this = self.clone();
        self.base.tasks.spawn_graceful("stop scripts", OnPanic::Lose, async move {
            let outcome = match &manifest {
                Some(manifest) => {
                    run_all(&this.base, manifest, Stage::Stop, &CancellationToken::new()).await
                }
                None => Outcome::Done,
            };
            this.lock().progress.stop_ended(outcome);
            this.tell();
        });
    }

    /// Waits until the stop scripts ended, as long as they may take.
    pub async fn over(&self) {
        let mut told = self.told.subscribe();
        let _ = timeout(SHUTDOWN_WITHIN, told.wait_for(|_| self.lock().progress.is_over())).await;
    }

    fn tell(&self) {
        let state = self.lock().progress.state();
        tracing::info!(%state, "lifecycle");
        self.base.reports.state(state);
        self.told.send_replace(state);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn take(&mut self, manifest: &Arc<Manifest>, ran: bool) -> Next {
        let fresh = self.progress.manifest(manifest, ran);
        let same = self.manifest.as_ref().is_some_and(|m| is_same_work(m, manifest));
        let stopped = self.progress.state() == Lifecycle::ShuttingDown || self.progress.is_over();
        if stopped || (same && !fresh) {
            return Next::Nothing;
        }
        self.manifest = Some(manifest.clone());
        self.watching.cancel();
        self.watching = CancellationToken::new();
        if !fresh {
            return Next::Watch;
        }
        self.starting.cancel();
        self.starting = CancellationToken::new();
        Next::Start
    }
}

/// The manifest without peers, which come and go.
fn only_work(manifest: &Manifest) -> Manifest {
    Manifest { peers: vec![], ..manifest.clone() }
}

fn is_same_work(a: &Manifest, b: &Manifest) -> bool {
    let plain = |m: &Manifest| Manifest {
        scripts_done: false,
        address: std::net::Ipv6Addr::UNSPECIFIED,
        ..m.clone()
    };
    plain(a) == plain(b)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::{Place, manifest, place, script};
    use crate::model::resource::ScriptSpec;
    use crate::wire::agent::FromAgent;

    /// Waits for the state and gives those before it.
    async fn until(place: &Place, wanted: Lifecycle) -> Vec<Lifecycle> {
        let mut seen = vec![];
        loop {
            let report = place.base.reports.next().await;
            let FromAgent::Lifecycle { state, .. } = report else { continue };
            seen.push(state);
            if state == wanted {
                return seen;
            }
        }
    }

    #[tokio::test]
    async fn a_build_goes_from_starting_to_off() {
        let place = place();
        let work = Work::new(place.base.clone());
        let stop = ScriptSpec {
            run_on_start: false,
            run_on_stop: true,
            ..script(2, "echo stopped >> ~/log")
        };
        let manifest =
            Manifest { scripts: vec![script(1, "echo started >> ~/log"), stop], ..manifest() };
        work.take(&manifest);
        let seen = until(&place, Lifecycle::Ready).await;
        assert_eq!(seen, [Lifecycle::Starting, Lifecycle::Ready]);
        // The server was replaced and says the same again.
        work.take(&manifest);
        work.shut_down();
        work.shut_down();
        let seen = until(&place, Lifecycle::Off).await;
        assert_eq!(seen, [Lifecycle::ShuttingDown, Lifecycle::Off]);
        work.over().await;
        let log = std::fs::read_to_string(place.dir.path().join("log")).unwrap();
        assert_eq!(log, "started\nstopped\n");
    }

    #[tokio::test]
    async fn an_agent_that_is_started_again_does_not_run_them_again() {
        let place = place();
        let manifest = Manifest { scripts: vec![script(1, "echo started >> ~/log")], ..manifest() };
        Work::new(place.base.clone()).take(&manifest);
        until(&place, Lifecycle::Ready).await;
        Work::new(place.base.clone()).take(&Manifest { scripts_done: true, ..manifest });
        assert_eq!(until(&place, Lifecycle::Ready).await, [Lifecycle::Ready]);
        let log = std::fs::read_to_string(place.dir.path().join("log")).unwrap();
        assert_eq!(log, "started\n");
    }

    #[tokio::test]
    async fn stopping_ends_start_scripts_that_never_end() {
        let place = place();
        let work = Work::new(place.base.clone());
        work.take(&Manifest { scripts: vec![script(1, "exec sleep 1000")], ..manifest() });
        work.shut_down();
        let seen = until(&place, Lifecycle::Off).await;
        assert_eq!(seen, [Lifecycle::Starting, Lifecycle::ShuttingDown, Lifecycle::Off]);
        assert!(place.base.tasks.stop(Duration::from_secs(5)).await);
    }

    #[tokio::test]
    async fn an_agent_that_never_had_a_manifest_stops_at_once() {
        let place = place();
        let work = Work::new(place.base.clone());
        work.shut_down();
        work.over().await;
        assert_eq!(until(&place, Lifecycle::Off).await.len(), 2);
    }
}
