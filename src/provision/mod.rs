//! Terraform: reading a template, planning, applying, and the providers served in-process.

mod agents;
mod command;
mod config;
mod dir;
mod environment;
pub mod graph;
mod graphs;
mod job;
mod left;
mod log;
pub mod mirror;
pub mod parse;
mod patience;
pub mod plan;
pub mod planfile;
mod proc;
pub mod provider;
mod questions;
mod resources;
mod run;
pub mod says;
mod seen;
mod session;
mod settings;
mod source;
pub mod starters;
mod tail;
mod terraform;
pub mod unpack;
mod work;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Mutex, mpsc};
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Entropy};
use crate::model::id::JobId;
use crate::model::log::{LogLevel, LogLine};
use crate::model::template::Imported;
use crate::tasks::{OnPanic, Tasks};
use log::Log;
use provider::steading::Processes;
use terraform::Terraform;
use work::WorkDir;

pub use job::{
    BuildEnd, BuildJob, Failure, Gate, ImportJob, LeftBehind, Owner, Task, UserSecret, Workspace,
};
pub use settings::{FIRST_UID, ProcessSettings, Settings, TIME_LIMIT};

/// Where a job's log lines go. Bounded: a slow reader slows the job's log, not its memory.
pub type LogSink = mpsc::Sender<LogLine>;

/// How often the logs of processes on this machine are looked at.
const TRIM_EVERY: Duration = Duration::from_secs(60);
/// How often the machine's accounts are looked at: a package that is installed may add some.
const NAMES_EVERY: Duration = Duration::from_secs(5);

/// Runs Terraform for jobs. Cheap to clone; any number of jobs at once.
#[derive(Clone)]
pub struct Provisioner {
    settings: Arc<Settings>,
    clock: Clock,
    entropy: Entropy,
    tasks: Tasks,
    processes: Processes,
    terraform: terraform::Finder,
    init_lock: Arc<Mutex<()>>,
    graphs: graphs::Graphs,
}

impl Provisioner {
    /// A provisioner. Must be made inside a runtime; runs nothing until it is given a job.
    #[must_use]
    pub fn new(settings: Settings, clock: Clock, entropy: Entropy, tasks: &Tasks) -> Self {
        let search_path = settings.search_path.clone();
        let processes = Processes::new(settings.process.clone(), search_path, clock.clone());
        let this = Self {
            settings: Arc::new(settings),
            clock,
            entropy,
            tasks: tasks.child(),
            processes,
            terraform: terraform::Finder::default(),
            init_lock: Arc::default(),
            graphs: graphs::Graphs::default(),
        };
        this.look_after("process-logs", TRIM_EVERY, Processes::trim_logs);
        this.look_after("process-names", NAMES_EVERY, Processes::renew_names);
        this
    }

    /// Reads a template: variables, parameters, presets, and what start and stop would leave.
    ///
    /// # Errors
    /// Says why the template cannot be used, in words for its author.
    pub async fn import(
        &self,
        job: ImportJob,
        log: LogSink,
        cancel: CancellationToken,
    ) -> Result<Imported, Failure> {
        let log = Log::new(log, self.clock.clone());
        let result = self.run_import(&job, &log, &cancel).await;
        tell(&log, result.as_ref().err()).await;
        result
    }

    /// Brings a workspace to where its transition leads. To cancel it, cancel the token and wait:
    /// dropping the future leaves Terraform at work, for [`Provisioner::left_behind`].
    ///
    /// When the end has a state, the job's directory stays: store the state, then call
    /// [`Provisioner::forget`]. Until then a crash loses nothing.
    pub async fn build(&self, job: BuildJob, log: LogSink, cancel: CancellationToken) -> BuildEnd {
        let log = Log::new(log, self.clock.clone());
        let end = self.run_build(&job, &log, &cancel).await;
        tell(&log, end.result.as_ref().err()).await;
        end
    }

    /// Jobs that an earlier life of this process did not finish. Ends what still runs of them
    /// (one interrupt, patience while objects are under way, then the hard way) and reads the state
    /// they left. Call it once at
    /// start, before any job; store what it returns, then [`Provisioner::forget`] each.
    pub async fn left_behind(&self) -> Vec<LeftBehind> {
        self.left(|_| true).await
    }

    /// What a job of this process left whose future was dropped or panicked, as
    /// [`Provisioner::left_behind`] does it for all.
    pub async fn left_by(&self, job: JobId) -> Option<LeftBehind> {
        self.left(move |left| left == job).await.pop()
    }

    async fn left(&self, wanted: impl Fn(JobId) -> bool + Send + 'static) -> Vec<LeftBehind> {
        let (work_dir, clock) = (self.settings.work_dir.clone(), self.clock.clone());
        let resolve = move || left::resolve(&work_dir, &clock, wanted);
        tokio::task::spawn_blocking(resolve).await.unwrap_or_else(|error| {
            tracing::error!(%error, "looking for interrupted jobs");
            vec![]
        })
    }

    /// Removes what a job left on disk, once its state is stored elsewhere.
    pub async fn forget(&self, job: JobId) {
        self.remove_dir(WorkDir::of(&self.settings.work_dir, job)).await;
    }

    /// Removes the homes of a workspace on this machine and ends what runs in them. A delete build
    /// does this itself; this is for workspaces that are deleted without one.
    ///
    /// # Errors
    /// When a process does not end or a home cannot be removed.
    pub async fn remove_homes(&self, workspace_id: &str) -> anyhow::Result<()> {
        let id = workspace_id.to_owned();
        self.processes.blocking(move |processes| processes.remove_workspace(&id)).await
    }

    async fn terraform(&self) -> Result<Terraform, Failure> {
        self.terraform.find(&self.settings).await
    }

    fn look_after(
        &self,
        name: &'static str,
        every: Duration,
        work: impl Fn(&Processes) + Copy + Send + Sync + 'static,
    ) {
        let processes = self.processes.clone();
        self.tasks.spawn(name, OnPanic::Lose, async move {
            let mut every = tokio::time::interval(every);
            loop {
                every.tick().await;
                let done = processes.blocking(move |processes| {
                    work(processes);
                    Ok(())
                });
                if let Err(error) = done.await {
                    tracing::warn!(%error, name, "looking after processes");
                }
            }
        });
    }
}

/// The last line of a job that failed says why.
async fn tell(log: &Log, failure: Option<&Failure>) {
    if let Some(failure) = failure {
        log.say(LogLevel::Error, &failure.to_string()).await;
    }
}
