//! Builds: their states, and whether the next one may begin.

use super::agent::Resource;
use super::id::{BuildId, JobId, VersionId, WorkspaceId};
use super::time::Timestamp;
use super::user::{UserRef, define_words};

define_words! {
    /// What a build does to a workspace.
    Transition {
        /// Makes it run.
        Start = "start",
        /// Makes it rest.
        Stop = "stop",
        /// Removes it.
        Delete = "delete",
    }
    /// What a job is done for.
    JobKind {
        /// A build of a workspace.
        Build = "build",
        /// The import of a template version.
        Import = "import",
    }
    /// How far a job is: a build's, or a template import's.
    JobStatus {
        /// Waits for a runner.
        Pending = "pending",
        /// Has a runner.
        Running = "running",
        /// Was asked to stop.
        Canceling = "canceling",
        /// Stopped because it was asked to.
        Canceled = "canceled",
        /// Did what it should.
        Succeeded = "succeeded",
        /// Did not.
        Failed = "failed",
    }
    /// Why a build was asked for, in Coder's words.
    BuildReason {
        /// Someone asked.
        Initiator = "initiator",
        /// The schedule.
        Autostart = "autostart",
        /// The schedule.
        Autostop = "autostop",
        /// A page.
        Dashboard = "dashboard",
        /// The CLI.
        Cli = "cli",
        /// An SSH connection to a stopped workspace.
        SshConnection = "ssh_connection",
        /// VS Code.
        VscodeConnection = "vscode_connection",
        /// JetBrains.
        JetbrainsConnection = "jetbrains_connection",
    }
    /// What a build's status means for its workspace, in Coder's words.
    WorkspaceStatus {
        /// Waits for a runner.
        Pending = "pending",
        /// Is being started.
        Starting = "starting",
        /// Runs.
        Running = "running",
        /// Is being stopped.
        Stopping = "stopping",
        /// Rests.
        Stopped = "stopped",
        /// The last build failed.
        Failed = "failed",
        /// The build was asked to stop.
        Canceling = "canceling",
        /// The build was stopped.
        Canceled = "canceled",
        /// Is being removed.
        Deleting = "deleting",
        /// Is gone.
        Deleted = "deleted",
    }
}

impl JobStatus {
    /// Whether a runner has it or will.
    #[must_use]
    pub fn is_active(self) -> bool {
        match self {
            Self::Pending | Self::Running | Self::Canceling => true,
            Self::Canceled | Self::Succeeded | Self::Failed => false,
        }
    }
}

/// The workspace's status that a build's transition and job status mean.
#[must_use]
pub fn workspace_status(transition: Transition, job: JobStatus) -> WorkspaceStatus {
    match (job, transition) {
        (JobStatus::Pending, _) => WorkspaceStatus::Pending,
        (JobStatus::Running, Transition::Start) => WorkspaceStatus::Starting,
        (JobStatus::Running, Transition::Stop) => WorkspaceStatus::Stopping,
        (JobStatus::Running, Transition::Delete) => WorkspaceStatus::Deleting,
        (JobStatus::Succeeded, Transition::Start) => WorkspaceStatus::Running,
        (JobStatus::Succeeded, Transition::Stop) => WorkspaceStatus::Stopped,
        (JobStatus::Succeeded, Transition::Delete) => WorkspaceStatus::Deleted,
        (JobStatus::Canceling, _) => WorkspaceStatus::Canceling,
        (JobStatus::Canceled, _) => WorkspaceStatus::Canceled,
        (JobStatus::Failed, _) => WorkspaceStatus::Failed,
    }
}

/// Why the next build may not begin.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildRefused {
    /// Another one is not over.
    #[error("build {0} is not over; wait for it or cancel it")]
    Active(i64),
    /// The workspace is gone.
    #[error("the workspace is deleted")]
    Deleted,
}

/// Why there is no stop of a machine that someone else runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "someone else runs this machine, so there is nothing to stop; deleting the workspace takes its \
     agent's token"
)]
pub struct NothingToStop;

/// What the next build's number is, after the last one.
///
/// # Errors
/// Says why there may be none.
pub fn next_number(last: Option<(i64, Transition, JobStatus)>) -> Result<i64, BuildRefused> {
    match last {
        None => Ok(1),
        Some((number, _, status)) if status.is_active() => Err(BuildRefused::Active(number)),
        Some((_, Transition::Delete, JobStatus::Succeeded)) => Err(BuildRefused::Deleted),
        Some((number, _, _)) => Ok(number + 1),
    }
}

/// Whether a build of this kind means anything after the last one.
///
/// # Errors
/// For a stop of what someone else runs.
pub const fn check_external(last: Option<&Build>, next: Transition) -> Result<(), NothingToStop> {
    match (last, next) {
        (Some(last), Transition::Stop) if last.has_external_agent => Err(NothingToStop),
        (_, Transition::Start | Transition::Stop | Transition::Delete) => Ok(()),
    }
}

/// Which jobs are asked for.
#[derive(Clone, Debug, Default)]
pub struct JobFilter {
    /// In one of these states; in any when absent.
    pub statuses: Option<Vec<JobStatus>>,
    /// Of these; of all when absent.
    pub ids: Option<Vec<JobId>>,
    /// At most so many.
    pub limit: i64,
}

/// A job: what a runner does for a build or an import.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Job {
    /// Its id.
    pub id: JobId,
    /// How far it is.
    pub status: JobStatus,
    /// Why it failed; empty otherwise.
    pub error: String,
    /// When it was asked for.
    pub created_at: Timestamp,
    /// When a runner took it.
    pub started_at: Option<Timestamp>,
    /// When it ended.
    pub ended_at: Option<Timestamp>,
    /// Whether its log is there; after some time it is removed.
    pub log_kept: bool,
}

/// One numbered run of a transition on a workspace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Build {
    /// Its id.
    pub id: BuildId,
    /// Its workspace.
    pub workspace_id: WorkspaceId,
    /// Dense per workspace, from 1.
    pub number: i64,
    /// What it does.
    pub transition: Transition,
    /// Why it was asked for.
    pub reason: BuildReason,
    /// Who asked.
    pub initiator: UserRef,
    /// The template version it uses.
    pub version_id: VersionId,
    /// That version's name.
    pub version_name: String,
    /// How far it is.
    pub job: Job,
    /// Credits a day of what it made.
    pub daily_cost: i64,
    /// Credits a day that its owner's budget had no room for; none unless that is why it failed.
    pub refused_cost: Option<i64>,
    /// When the workspace stops by itself, if it does.
    pub deadline: Option<Timestamp>,
    /// Someone else runs its machine: there is nothing to stop, and it stays when this is deleted.
    pub has_external_agent: bool,
    /// What it made, agents and apps with their state.
    pub resources: Vec<Resource>,
}

impl Build {
    /// What the build means for its workspace.
    #[must_use]
    pub fn status(&self) -> WorkspaceStatus {
        workspace_status(self.transition, self.job.status)
    }

    /// Whether it has taken the tokens of agents that someone else runs. A deletion does so when it is
    /// asked for: nothing of the machine has to be stopped first, and nobody should wait for it.
    #[must_use]
    pub fn takes_external_tokens(&self) -> bool {
        let asked = self.transition == Transition::Delete && self.has_external_agent;
        asked && self.job.status != JobStatus::Canceled
    }
}

/// How long a step of a build took.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Timing {
    /// `init`, `plan`, `graph`, `apply`; or `start` and `stop` for agents' scripts.
    pub stage: String,
    /// `terraform`, the provider's name, or the script's.
    pub source: String,
    /// `create`, `read`, `delete`, or the step.
    pub action: String,
    /// Terraform's address, or empty.
    pub resource: String,
    /// Milliseconds since the epoch.
    pub started_ms: i64,
    /// Milliseconds since the epoch.
    pub ended_ms: i64,
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_build_waits_for_the_last_one() {
        let last = |status| Some((3, Transition::Start, status));
        assert_eq!(next_number(None), Ok(1));
        assert_eq!(next_number(last(JobStatus::Running)), Err(BuildRefused::Active(3)));
        assert_eq!(next_number(last(JobStatus::Failed)), Ok(4));
        assert_eq!(
            next_number(Some((3, Transition::Delete, JobStatus::Succeeded))),
            Err(BuildRefused::Deleted)
        );
    }

    proptest! {
        #[test]
        fn numbers_are_dense_and_one_build_is_active(steps in proptest::collection::vec((0usize..3, 0usize..6), 0..40)) {
            let mut last = None;
            let mut n = 0;
            for (t, s) in steps {
                match next_number(last) {
                    Ok(number) => {
                        prop_assert_eq!(number, n + 1);
                        n = number;
                        last = Some((number, Transition::ALL[t], JobStatus::Pending));
                    }
                    Err(BuildRefused::Active(number)) => {
                        prop_assert_eq!(number, n);
                        last = last.map(|(n, t, _)| (n, t, JobStatus::ALL[s]));
                    }
                    Err(BuildRefused::Deleted) => break,
                }
            }
        }
    }
}
