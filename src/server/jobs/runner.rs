//! A runner: claims a job, has the provisioner do it, and ends it whatever happens.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt as _;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::{log_pump, work};
use crate::model::build::{JobKind, Transition};
use crate::model::event::Event;
use crate::model::id::JobId;
use crate::model::log::{LogLevel, LogLine, LogSource};
use crate::model::template::Imported;
use crate::provision::{BuildEnd, BuildJob, Failure, Gate, LogSink, Provisioner};
use crate::server::app::jobs::{BuildOutcome, Claim, ImportFailure};
use crate::server::app::{self, App};
use crate::tasks::Tasks;

/// A waiting job is announced; this only makes up for an announcement that was lost.
const SAFETY: Duration = Duration::from_secs(30);
/// How often a running job says that it is alive.
const BEAT: Duration = Duration::from_secs(10);
/// How often storing an ending is tried before it is left to the next start.
const TRIES: u32 = 6;
/// How often it is tried while the database takes no writes at all, as on a full disk. The runner
/// waits for as long as that lasts: what it would do next could not be stored either.
const AGAIN: Duration = Duration::from_secs(2);

/// Why a job ended that a stop of the server interrupted.
const STOPPED: &str = "the server was stopped";
/// Why a build failed whose resources do not fit the database.
const UNRECORDED: &str = "what the build made cannot be recorded; its state is kept";
/// Why a job ended whose runner failed.
const PANICKED: &str = "the runner failed; the server's log says more";

/// A runner of builds and imports.
pub(super) struct Runner {
    app: App,
    provisioner: Provisioner,
    stop: CancellationToken,
    name: String,
}

/// How a job is told to stop, and why.
struct Watch {
    cancel: CancellationToken,
    stop: CancellationToken,
}

impl Runner {
    /// A runner that stops with the group.
    pub(super) fn new(app: &App, provisioner: &Provisioner, tasks: &Tasks, name: String) -> Self {
        let (app, provisioner) = (app.clone(), provisioner.clone());
        Self { app, provisioner, stop: tasks.token(), name }
    }

    /// Does what waits, then waits for more.
    pub(super) async fn run(self) {
        let mut events = self.app.events();
        while !self.stop.is_cancelled() {
            match self.app.claim_job(&self.name).await {
                Ok(Some(claim)) => {
                    self.run_job(claim).await;
                    continue;
                }
                Ok(None) => {}
                Err(error) => tracing::error!(runner = self.name, %error, "no job can be claimed"),
            }
            tokio::select! {
                () = self.stop.cancelled() => {}
                () = queue_changed(&mut events) => {}
                () = tokio::time::sleep(SAFETY) => {}
            }
        }
    }

    async fn run_job(&self, claim: Claim) {
        tracing::info!(job.id = %claim.job, runner = self.name, "a job began");
        let (log, lines) = mpsc::channel(log_pump::WAITING);
        let watch = Watch { cancel: CancellationToken::new(), stop: self.stop.clone() };
        let work = AssertUnwindSafe(self.end_job(claim, log, &watch)).catch_unwind();
        let keep = log_pump::run(&self.app, claim, lines);
        let done = async { tokio::join!(work, keep).0 };
        let result = tokio::select! {
            result = done => result,
            never = watch.run(&self.app, claim.job) => match never {},
        };
        match result {
            Ok(ending) => self.store(claim, ending).await,
            Err(_) => {
                let ending = self.after_panic(claim).await;
                self.store(claim, ending).await;
            }
        }
    }

    /// A panic leaves Terraform at work and its state on disk: both are seen to.
    async fn after_panic(&self, claim: Claim) -> Ending {
        tracing::error!(job.id = %claim.job, "the runner of a job panicked");
        let left = self.provisioner.left_by(claim.job).await;
        if let Some(left) = left.as_ref().filter(|l| !l.said.is_empty()) {
            let lines = left.said.iter().map(|l| self.line(LogLevel::Error, "Finishing up", l));
            if let Err(error) = self.app.append_logs(claim, lines.collect()).await {
                tracing::error!(job.id = %claim.job, %error, "lines of a job's log are lost");
            }
        }
        match Ending::failed(claim.kind, PANICKED) {
            Ending::Build(outcome) => {
                let state = left.and_then(|l| l.state);
                Ending::Build(Box::new(BuildOutcome { state, ..*outcome }))
            }
            import @ Ending::Import(_) => import,
        }
    }

    /// Does the job; what it returns is how the job ends.
    async fn end_job(&self, claim: Claim, log: LogSink, watch: &Watch) -> Ending {
        let ending = match claim.kind {
            JobKind::Import => self.import(claim.job, log, watch).await,
            JobKind::Build => self.build(claim.job, log, watch).await,
        };
        ending.unwrap_or_else(|error| {
            tracing::error!(job.id = %claim.job, %error, "a job could not begin");
            Ending::failed(claim.kind, &error.to_string())
        })
    }

    async fn import(&self, job: JobId, log: LogSink, watch: &Watch) -> app::Result<Ending> {
        let work = work::import(job, self.app.import_work(job).await?);
        let result = self.provisioner.import(work, log, watch.cancel.clone()).await;
        Ok(Ending::Import(result.map_err(|failure| match (failure, watch.is_stopping()) {
            (Failure::Canceled, false) => ImportFailure::Canceled,
            (Failure::Canceled, true) => ImportFailure::Failed(STOPPED.to_owned()),
            (other, _) => ImportFailure::Failed(words(&other)),
        })))
    }

    /// What no delete build cleans up. A home that stays is told in the log, and costs only disk.
    async fn remove_homes(&self, workspace: &str) {
        if let Err(error) = self.provisioner.remove_homes(workspace).await {
            tracing::warn!(workspace.id = workspace, error = format!("{error:#}"), "a home stays");
        }
    }

    async fn build(&self, job: JobId, log: LogSink, watch: &Watch) -> app::Result<Ending> {
        let work = self.app.build_work(job).await?;
        let deletes = work.build.transition == Transition::Delete;
        if work.orphan {
            self.say(&log, "The record is deleted; what the workspace was made of stays.").await;
            self.remove_homes(&work.workspace.id.to_string()).await;
            return Ok(Ending::Build(Box::default()));
        }
        if deletes && work.state.is_none() {
            self.say(&log, "No build of this workspace made anything: there is nothing to delete.")
                .await;
            self.remove_homes(&work.workspace.id.to_string()).await;
            return Ok(Ending::Build(Box::default()));
        }
        let work = BuildJob { gate: Some(gate(&self.app, job)), ..work::build(job, work) };
        let end = Box::pin(self.provisioner.build(work, log, watch.cancel.clone())).await;
        Ok(Ending::Build(Box::new(outcome(end, watch.is_stopping()))))
    }

    async fn say(&self, log: &LogSink, text: &str) {
        // The pump lives as long as the sink.
        let _ = log.send(self.line(LogLevel::Info, "Deleting", text)).await;
    }

    /// A line of the server itself.
    fn line(&self, level: LogLevel, stage: &str, output: &str) -> LogLine {
        LogLine {
            at_ms: self.app.clock().now_ms(),
            source: LogSource::Daemon,
            level,
            stage: stage.to_owned(),
            output: output.to_owned(),
        }
    }

    /// Stores how a job ended. What it left on disk is removed only after that.
    async fn store(&self, claim: Claim, mut ending: Ending) {
        let mut n = 0;
        while n < TRIES {
            if n == TRIES / 2 {
                ending = ending.without_resources();
            }
            let Err(error) = self.try_store(claim, ending.clone()).await else {
                return self.provisioner.forget(claim.job).await;
            };
            not_stored(claim.job, &error);
            if matches!(error, app::Error::Unavailable(_)) && !self.stop.is_cancelled() {
                tokio::time::sleep(AGAIN).await;
                continue;
            }
            // The job is over or gone: trying again changes nothing.
            if matches!(error, app::Error::Conflict(_) | app::Error::NotFound(_)) {
                break;
            }
            tokio::time::sleep(Duration::from_millis(250) * 2u32.pow(n)).await;
            n += 1;
        }
        tracing::error!(job.id = %claim.job, "a job's ending is left to the next start");
    }

    async fn try_store(&self, claim: Claim, ending: Ending) -> app::Result<()> {
        match ending {
            Ending::Import(result) => self.app.finish_import(claim.job, result).await?,
            Ending::Build(outcome) => self.app.finish_build(claim.job, *outcome).await?,
        }
        tracing::info!(job.id = %claim.job, "a job ended");
        Ok(())
    }
}

fn not_stored(job: JobId, error: &app::Error) {
    tracing::error!(job.id = %job, ?error, "a job's ending is not stored yet");
}

/// Asks between plan and apply whether the owner's budget has room for what a build makes.
fn gate(app: &App, job: JobId) -> Gate {
    let app = app.clone();
    Arc::new(move |cost| {
        let app = app.clone();
        let asked = async move {
            match app.commit_cost(job, cost).await {
                Ok(Ok(())) => Ok(()),
                Ok(Err(over)) => Err(over.to_string()),
                Err(error) => Err(error.to_string()),
            }
        };
        asked.boxed()
    })
}

/// How a job ends.
#[derive(Clone)]
enum Ending {
    Import(Result<Imported, ImportFailure>),
    Build(Box<BuildOutcome>),
}

impl Ending {
    /// The same with what the build made left out, for when that cannot be recorded: the state must
    /// be kept all the same.
    fn without_resources(self) -> Self {
        match self {
            Self::Build(outcome) if outcome.error.is_none() => {
                Self::Build(Box::new(BuildOutcome {
                    error: Some(UNRECORDED.to_owned()),
                    resources: vec![],
                    timings: vec![],
                    ..*outcome
                }))
            }
            Self::Build(outcome) => {
                Self::Build(Box::new(BuildOutcome { timings: vec![], ..*outcome }))
            }
            Self::Import(result) => Self::Import(result),
        }
    }

    fn failed(kind: JobKind, why: &str) -> Self {
        match kind {
            JobKind::Import => Self::Import(Err(ImportFailure::Failed(why.to_owned()))),
            JobKind::Build => {
                let error = Some(why.to_owned());
                Self::Build(Box::new(BuildOutcome { error, ..BuildOutcome::default() }))
            }
        }
    }
}

impl Watch {
    /// Whether the server stops, so that a cancelled job was not meant.
    fn is_stopping(&self) -> bool {
        self.stop.is_cancelled()
    }

    /// Beats for the job and cancels it when it is asked for or the server stops.
    async fn run(&self, app: &App, job: JobId) -> std::convert::Infallible {
        let mut events = app.events();
        loop {
            match app.beat_job(job).await {
                Ok(true) => self.cancel.cancel(),
                Ok(false) => {}
                Err(error) => tracing::warn!(job.id = %job, %error, "a job's beat is not stored"),
            }
            tokio::select! {
                () = self.stop.cancelled(), if !self.cancel.is_cancelled() => self.cancel.cancel(),
                () = queue_changed(&mut events) => {}
                () = tokio::time::sleep(BEAT) => {}
            }
        }
    }
}

fn outcome(end: BuildEnd, stopping: bool) -> BuildOutcome {
    let (error, canceled) = match end.result {
        Ok(()) => (None, false),
        Err(Failure::Canceled) if stopping => (Some(STOPPED.to_owned()), false),
        Err(Failure::Canceled) => (Some("cancelled".to_owned()), true),
        Err(other) => (Some(words(&other)), false),
    };
    BuildOutcome {
        error,
        canceled,
        state: end.state,
        resources: end.resources,
        timings: end.timings,
        daily_cost: end.daily_cost,
    }
}

fn words(failure: &Failure) -> String {
    if let Failure::Internal(error) = failure {
        tracing::error!(error = format!("{error:#}"), "a job failed by a fault of ours");
    }
    failure.to_string()
}

/// Returns when a job waits or was asked to stop; also when announcements were missed.
async fn queue_changed(events: &mut Receiver<Event>) {
    loop {
        match events.recv().await {
            Ok(Event::Queue) | Err(RecvError::Lagged(_)) => return,
            Ok(_) => {}
            Err(RecvError::Closed) => std::future::pending::<()>().await,
        }
    }
}
