//! Terraform: reading a template, planning, applying, and the providers served in-process.

mod job;
pub mod mirror;
pub mod provider;
mod settings;
pub mod starters;

use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::clock::{Clock, Entropy};
use crate::model::id::JobId;
use crate::model::log::LogLine;
use crate::model::template::Imported;
use crate::tasks::Tasks;

pub use job::{
    BuildEnd, BuildJob, Failure, Gate, ImportJob, LeftBehind, Owner, Task, UserSecret, Workspace,
};
pub use settings::{FIRST_UID, ProcessSettings, Settings, TIME_LIMIT};

/// Where a job's log lines go. Bounded: a slow reader slows the job's log, not its memory.
pub type LogSink = mpsc::Sender<LogLine>;

/// Runs Terraform for jobs. Cheap to clone; any number of jobs at once.
#[derive(Clone)]
pub struct Provisioner {
    settings: std::sync::Arc<Settings>,
    clock: Clock,
    entropy: Entropy,
    tasks: Tasks,
}

impl Provisioner {
    /// A provisioner. Touches nothing until it is given a job.
    #[must_use]
    pub fn new(settings: Settings, clock: Clock, entropy: Entropy, tasks: &Tasks) -> Self {
        Self { settings: std::sync::Arc::new(settings), clock, entropy, tasks: tasks.child() }
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
        drop((job, log, cancel, self.settings.work_dir.as_os_str(), self.clock.now_ms()));
        Err(Failure::Internal(anyhow::anyhow!("imports are not built yet: {:?}", self.entropy)))
    }

    /// Brings a workspace to where its transition leads. Always ends with the state to keep.
    pub async fn build(&self, job: BuildJob, log: LogSink, cancel: CancellationToken) -> BuildEnd {
        drop((job, log, cancel, self.tasks.token()));
        let result = Err(Failure::Internal(anyhow::anyhow!("builds are not built yet")));
        BuildEnd { result, state: None, resources: vec![], timings: vec![], daily_cost: 0 }
    }

    /// Jobs that an earlier life of this process did not finish. Ends what still runs of them
    /// (one interrupt, patience, then the hard way) and reads the state they left. Call it once at
    /// start, before any job; store what it returns, then [`Provisioner::forget`] each.
    pub async fn left_behind(&self) -> Vec<LeftBehind> {
        vec![]
    }

    /// Removes what a job left on disk, once its state is stored elsewhere.
    pub async fn forget(&self, job: JobId) {
        tracing::debug!(%job, "nothing to forget");
    }

    /// Removes the homes of a workspace on this machine and ends what runs in them. For orphaned
    /// workspaces, which no delete build cleans up.
    pub async fn remove_homes(&self, workspace_id: &str) {
        tracing::debug!(workspace.id = workspace_id, "no homes to remove");
    }
}
