//! From a name to an agent that can be reached: finds the workspace, starts it, waits for its agent.

use std::time::Duration;

use super::Fleet;
use super::target::Target;
use crate::model::agent::{Agent, Lifecycle};
use crate::model::build::{BuildReason, Transition, WorkspaceStatus};
use crate::model::verb::Verb;
use crate::model::workspace::Workspace;
use crate::server::app::build_requests::BuildRequest;
use crate::server::app::{Actor, Error};
use crate::ssh::Say;

/// How long a person waits for a build and an agent before they are told to look at the page.
const PATIENCE: Duration = Duration::from_secs(15 * 60);
/// How often the state is read while nothing is announced.
const LOOK_EVERY: Duration = Duration::from_secs(2);

impl Fleet {
    /// The agent that a login name leads to, started and connected.
    ///
    /// # Errors
    /// Says to the person why not, and what to do.
    pub(super) async fn reach(
        &self,
        actor: &Actor,
        login: &str,
        say: &Say,
    ) -> Result<(Workspace, Agent), String> {
        let Some(target) = Target::parse(login) else {
            return Err(format!(
                "{login:?} is no workspace's name; use workspace, or owner--workspace.agent"
            ));
        };
        let workspace = self.find_workspace(actor, &target).await?;
        let app = &self.0.app;
        app.may(actor, workspace.id, Verb::Connect).await.map_err(|e| words(&e, &target))?;
        let waited = self.wait_for_agent(actor, workspace, &target, say);
        tokio::time::timeout(PATIENCE, waited).await.map_err(|_| {
            "the workspace did not come up in 15 minutes; its page shows the log".to_owned()
        })?
    }

    async fn find_workspace(&self, actor: &Actor, target: &Target) -> Result<Workspace, String> {
        let owner = target.owner.clone().unwrap_or_else(|| "me".to_owned());
        let found = self.0.app.workspace_by_name(actor, &owner, &target.workspace).await;
        found.map_err(|e| words(&e, target))
    }

    async fn wait_for_agent(
        &self,
        actor: &Actor,
        mut workspace: Workspace,
        target: &Target,
        say: &Say,
    ) -> Result<(Workspace, Agent), String> {
        let mut events = self.0.app.events();
        let mut changes = self.0.changes.subscribe();
        let mut told = None;
        loop {
            let status = workspace.status();
            match status {
                WorkspaceStatus::Stopped | WorkspaceStatus::Canceled => {
                    say.say(format!("{} is stopped; starting it", workspace.name));
                    self.ask_to_start(actor, &workspace).await?;
                }
                WorkspaceStatus::Failed => return Err(failed(&workspace)),
                WorkspaceStatus::Deleting | WorkspaceStatus::Deleted => {
                    return Err(format!("{} is being deleted", workspace.name));
                }
                WorkspaceStatus::Running => {
                    let agent = pick_agent(&workspace, target)?;
                    if self.is_connected(agent.id) && is_open(&agent) {
                        return Ok((workspace, agent));
                    }
                }
                WorkspaceStatus::Pending
                | WorkspaceStatus::Starting
                | WorkspaceStatus::Stopping
                | WorkspaceStatus::Canceling => {}
            }
            if told.replace(status) != Some(status) {
                say.say(progress(&workspace, status));
            }
            tokio::select! {
                _ = events.recv() => {}
                _ = changes.changed() => {}
                () = tokio::time::sleep(LOOK_EVERY) => {}
            }
            workspace =
                self.0.app.workspace(actor, workspace.id).await.map_err(|e| words(&e, target))?;
        }
    }

    async fn ask_to_start(&self, actor: &Actor, workspace: &Workspace) -> Result<(), String> {
        let started = self
            .0
            .app
            .create_build(
                actor,
                workspace.id,
                BuildRequest::new(Transition::Start, BuildReason::SshConnection),
            )
            .await;
        match started {
            // Someone else was faster: the loop waits for their build.
            Ok(_) | Err(Error::Conflict(_)) => Ok(()),
            Err(error) => Err(format!("{} could not be started: {error}", workspace.name)),
        }
    }
}

/// People wait for the scripts that say so, and for nothing else.
fn is_open(agent: &Agent) -> bool {
    let blocks = agent.spec.scripts.iter().any(|s| s.run_on_start && s.start_blocks_login);
    match agent.lifecycle {
        Lifecycle::Created | Lifecycle::Starting => !blocks,
        Lifecycle::StartTimeout
        | Lifecycle::StartError
        | Lifecycle::Ready
        | Lifecycle::ShuttingDown
        | Lifecycle::ShutdownTimeout
        | Lifecycle::ShutdownError
        | Lifecycle::Off => true,
    }
}

fn pick_agent(workspace: &Workspace, target: &Target) -> Result<Agent, String> {
    let agents: Vec<&Agent> =
        workspace.latest_build.resources.iter().flat_map(|r| &r.agents).collect();
    let names: Vec<&str> = agents.iter().map(|a| a.spec.name.as_str()).collect();
    let found = match &target.agent {
        Some(name) => agents.iter().find(|a| a.spec.name.eq_ignore_ascii_case(name)),
        None if agents.len() > 1 => {
            return Err(format!(
                "{} has several agents; name one: {}",
                workspace.name,
                names.join(", ")
            ));
        }
        None => agents.first(),
    };
    found.map(|a| (*a).clone()).ok_or_else(|| match &target.agent {
        Some(name) => {
            format!("{} has no agent {name}; it has: {}", workspace.name, names.join(", "))
        }
        None => format!("{} has no agent to connect to", workspace.name),
    })
}

fn failed(workspace: &Workspace) -> String {
    let build = &workspace.latest_build;
    format!("build {} of {} failed: {}", build.number, workspace.name, build.job.error)
}

fn progress(workspace: &Workspace, status: WorkspaceStatus) -> String {
    match status {
        WorkspaceStatus::Running => format!("waiting for {}'s agent", workspace.name),
        WorkspaceStatus::Pending
        | WorkspaceStatus::Starting
        | WorkspaceStatus::Stopping
        | WorkspaceStatus::Stopped
        | WorkspaceStatus::Failed
        | WorkspaceStatus::Canceling
        | WorkspaceStatus::Canceled
        | WorkspaceStatus::Deleting
        | WorkspaceStatus::Deleted => {
            format!("{} is {status}, build {}", workspace.name, workspace.latest_build.number)
        }
    }
}

fn words(error: &Error, target: &Target) -> String {
    match error {
        Error::NotFound(_) => match &target.owner {
            Some(owner) => {
                format!("there is no workspace {} of {owner} that you may reach", target.workspace)
            }
            None => format!("you have no workspace {}", target.workspace),
        },
        Error::Denied(why) | Error::Conflict(why) | Error::Unavailable(why) => why.clone(),
        Error::Unconfirmed(ask) => ask.to_string(),
        Error::Invalid { field, why } => format!("{field}: {why}"),
        Error::Internal(_) => "the server failed; its log says why".to_owned(),
    }
}
