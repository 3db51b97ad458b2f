//! States as a word, a shape and a colour.

use maud::{Markup, html};

use super::icon::icon;
use crate::model::agent::{ConnectionStatus, Lifecycle};
use crate::model::app::AppHealth;
use crate::model::build::{Build, JobStatus, Transition, WorkspaceStatus};
use crate::model::health::State;
use crate::model::time::{Timestamp, words};
use crate::model::user::UserStatus;
use crate::model::workspace::Workspace;

/// How a state looks; each has one colour and one shape.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// Runs.
    Running,
    /// Is on its way up.
    Starting,
    /// Is on its way down.
    Stopping,
    /// Rests.
    Stopped,
    /// Did not work.
    Failed,
    /// Waits.
    Pending,
    /// Is over.
    Expired,
    /// Is as it should be.
    Fine,
    /// Needs care.
    Warn,
}

impl Look {
    /// The value of `data-state`.
    #[must_use]
    pub const fn state(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Starting => "starting",
            Self::Stopping => "stopping",
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Pending => "pending",
            Self::Expired => "expired",
            Self::Fine => "ok",
            Self::Warn => "warn",
        }
    }

    const fn shape(self) -> &'static str {
        match self {
            Self::Running => "s-running",
            Self::Starting | Self::Stopping => "s-starting",
            Self::Stopped => "s-stopped",
            Self::Failed => "s-failed",
            Self::Pending => "s-pending",
            Self::Expired => "s-expired",
            Self::Fine => "s-ok",
            Self::Warn => "s-warn",
        }
    }
}

/// A badge with any words.
#[must_use]
pub fn badge(look: Look, text: &str) -> Markup {
    html! { span class="badge" data-state=(look.state()) { (icon(look.shape())) (text) } }
}

/// How a workspace's status looks and is called.
#[must_use]
pub const fn of_workspace(status: WorkspaceStatus) -> (Look, &'static str) {
    match status {
        WorkspaceStatus::Pending => (Look::Pending, "Waiting"),
        WorkspaceStatus::Starting => (Look::Starting, "Starting"),
        WorkspaceStatus::Running => (Look::Running, "Running"),
        WorkspaceStatus::Stopping => (Look::Stopping, "Stopping"),
        WorkspaceStatus::Stopped => (Look::Stopped, "Stopped"),
        WorkspaceStatus::Failed => (Look::Failed, "Failed"),
        WorkspaceStatus::Canceling => (Look::Stopping, "Cancelling"),
        WorkspaceStatus::Canceled => (Look::Warn, "Cancelled"),
        WorkspaceStatus::Deleting => (Look::Stopping, "Deleting"),
        WorkspaceStatus::Deleted => (Look::Expired, "Deleted"),
    }
}

/// A workspace's status.
#[must_use]
pub fn workspace(status: WorkspaceStatus) -> Markup {
    let (look, word) = of_workspace(status);
    badge(look, word)
}

/// Whether a machine that someone else runs is here.
#[must_use]
pub fn machine(status: ConnectionStatus) -> Markup {
    match status {
        ConnectionStatus::Connected => badge(Look::Running, "Attached"),
        ConnectionStatus::Connecting | ConnectionStatus::Timeout => {
            badge(Look::Starting, "Waits for its machine")
        }
        ConnectionStatus::Disconnected => badge(Look::Failed, "Machine is away"),
    }
}

/// A workspace's status; of one that runs on machines that someone else runs, whether they are here.
#[must_use]
pub fn workspace_now(workspace: &Workspace, now: Timestamp) -> Markup {
    let external = workspace.external_agents().map(|a| a.status(now)).max_by_key(|s| match s {
        ConnectionStatus::Connected => 0,
        ConnectionStatus::Connecting | ConnectionStatus::Timeout => 1,
        ConnectionStatus::Disconnected => 2,
    });
    match (workspace.status(), external) {
        (WorkspaceStatus::Running, Some(status)) => machine(status),
        (status, _) => self::workspace(status),
    }
}

/// How a machine is.
#[must_use]
pub fn health(state: State) -> Markup {
    let look = match state {
        State::Ok => Look::Fine,
        State::Degraded => Look::Warn,
        State::Lost => Look::Failed,
    };
    badge(look, state.label())
}

/// The worst of a workspace's machines that is not well; nothing of those that are, or of one that is
/// said to be away already.
#[must_use]
pub fn unwell(workspace: &Workspace, now: Timestamp) -> Markup {
    let agents = workspace.latest_build.resources.iter().flat_map(|r| &r.agents);
    let state = agents.filter_map(|agent| match agent.health? {
        State::Ok => None,
        State::Degraded => Some(State::Degraded),
        State::Lost if agent.spec.external => None,
        State::Lost => (agent.status(now) != ConnectionStatus::Connected).then_some(State::Lost),
    });
    let worst = state.max().filter(|_| workspace.status() == WorkspaceStatus::Running);
    html! { @if let Some(worst) = worst { " " (health(worst)) } }
}

/// A workspace's status with how long it has lasted.
#[must_use]
pub fn workspace_since(build: &Build, now: Timestamp) -> Markup {
    let (look, word) = of_workspace(build.status());
    let lasts = |since: Timestamp| format!("{word} for {}", words(now.since(since)));
    let text = match build.job.status {
        JobStatus::Pending => word.to_owned(),
        JobStatus::Running | JobStatus::Canceling => {
            build.job.started_at.map_or_else(|| word.to_owned(), lasts)
        }
        JobStatus::Succeeded => build.job.ended_at.map_or_else(|| word.to_owned(), lasts),
        JobStatus::Failed | JobStatus::Canceled => {
            format!("{} {word}", deed(build.transition)).to_lowercase()
        }
    };
    let text = match build.job.status {
        JobStatus::Failed | JobStatus::Canceled => capital(&text),
        JobStatus::Pending | JobStatus::Running | JobStatus::Canceling | JobStatus::Succeeded => {
            text
        }
    };
    badge(look, &text)
}

/// What a build does, as a noun.
#[must_use]
pub const fn deed(transition: Transition) -> &'static str {
    match transition {
        Transition::Start => "start",
        Transition::Stop => "stop",
        Transition::Delete => "delete",
    }
}

/// How far a build is, with how long it took.
#[must_use]
pub fn build(build: &Build, now: Timestamp) -> Markup {
    let job = &build.job;
    let took = job.started_at.map(|since| words(job.ended_at.unwrap_or(now).since(since)));
    let (look, word) = of_job(job.status);
    match (job.status, took) {
        (JobStatus::Succeeded, Some(took)) => badge(look, &format!("Done in {took}")),
        (JobStatus::Running | JobStatus::Canceling, Some(took)) => {
            badge(look, &format!("{word} for {took}"))
        }
        (JobStatus::Failed | JobStatus::Canceled, Some(took)) => {
            badge(look, &format!("{word} after {took}"))
        }
        (_, None) | (JobStatus::Pending, _) => badge(look, word),
    }
}

/// How a job's status looks and is called.
#[must_use]
pub const fn of_job(status: JobStatus) -> (Look, &'static str) {
    match status {
        JobStatus::Pending => (Look::Pending, "Waiting"),
        JobStatus::Running => (Look::Starting, "Running"),
        JobStatus::Canceling => (Look::Stopping, "Cancelling"),
        JobStatus::Canceled => (Look::Warn, "Cancelled"),
        JobStatus::Succeeded => (Look::Fine, "Done"),
        JobStatus::Failed => (Look::Failed, "Failed"),
    }
}

/// Whether an agent is there, and how far its scripts are.
#[must_use]
pub fn agent(status: ConnectionStatus, lifecycle: Lifecycle) -> Markup {
    let (look, word) = match status {
        ConnectionStatus::Connecting => (Look::Starting, "Connecting"),
        ConnectionStatus::Timeout => (Look::Failed, "Did not connect in time"),
        ConnectionStatus::Disconnected => match lifecycle {
            Lifecycle::Off | Lifecycle::ShuttingDown => (Look::Stopped, "Off"),
            Lifecycle::Created
            | Lifecycle::Starting
            | Lifecycle::StartTimeout
            | Lifecycle::StartError
            | Lifecycle::Ready
            | Lifecycle::ShutdownTimeout
            | Lifecycle::ShutdownError => (Look::Failed, "Lost"),
        },
        ConnectionStatus::Connected => of_lifecycle(lifecycle),
    };
    badge(look, word)
}

const fn of_lifecycle(lifecycle: Lifecycle) -> (Look, &'static str) {
    match lifecycle {
        Lifecycle::Created => (Look::Starting, "Connected"),
        Lifecycle::Starting => (Look::Starting, "Start scripts run"),
        Lifecycle::StartTimeout => (Look::Warn, "A start script takes too long"),
        Lifecycle::StartError => (Look::Warn, "A start script failed"),
        Lifecycle::Ready => (Look::Fine, "Ready"),
        Lifecycle::ShuttingDown => (Look::Stopping, "Stop scripts run"),
        Lifecycle::ShutdownTimeout => (Look::Warn, "A stop script takes too long"),
        Lifecycle::ShutdownError => (Look::Warn, "A stop script failed"),
        Lifecycle::Off => (Look::Stopped, "Off"),
    }
}

/// What an app's health check found, in a word.
#[must_use]
pub const fn app_health(health: AppHealth) -> Option<&'static str> {
    match health {
        AppHealth::Disabled | AppHealth::Healthy => None,
        AppHealth::Initializing => Some("starting"),
        AppHealth::Unhealthy => Some("does not answer"),
    }
}

/// Whether someone may sign in.
#[must_use]
pub fn user(status: UserStatus) -> Markup {
    match status {
        UserStatus::Active => badge(Look::Fine, "Active"),
        UserStatus::Dormant => badge(Look::Stopped, "Dormant"),
        UserStatus::Suspended => badge(Look::Failed, "Suspended"),
        UserStatus::Deleted => badge(Look::Expired, "Deleted"),
    }
}

fn capital(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
}
