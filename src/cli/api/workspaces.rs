//! Calls about workspaces and their builds.

use anyhow::{Context as _, bail};
use bytes::Bytes;
use http::{Method, StatusCode};
use uuid::Uuid;

use super::people::of_user;
use crate::cli::client::{Client, retold, segment, status_of};
use crate::cli::nearest;
use crate::cli::reference::Reference;
use crate::wire::coder::Time;
use crate::wire::coder::agents::{Agent, AgentLog, ExternalAgentCredentials, ListeningPorts};
use crate::wire::coder::builds::{Build, BuildParameter, CreateBuild};
use crate::wire::coder::jobs::JobLog;
use crate::wire::coder::workspaces::{
    CreateWorkspace, Extend, UpdateAutomaticUpdates, UpdateAutostart, UpdateTtl, UpdateWorkspace,
    Workspace, WorkspacesResponse,
};
use crate::wire::handover::{HandedOver, Handover};
use crate::wire::health::Waking;

/// Workspaces asked for at once.
const PAGE: usize = 100;

impl Client {
    /// A workspace by name, or by its id.
    ///
    /// # Errors
    /// When there is none, or the server cannot be reached.
    pub async fn workspace(&self, reference: &Reference) -> anyhow::Result<Workspace> {
        let path = match Uuid::parse_str(&reference.workspace) {
            Ok(id) => format!("/api/v2/workspaces/{id}"),
            Err(_) => {
                let path = format!("/workspace/{}", segment(&reference.workspace));
                of_user(&reference.owner, &path)
            }
        };
        match self.get(&path).await {
            Err(error) if status_of(&error) == Some(StatusCode::NOT_FOUND) => {
                let others = self.workspaces(&format!("owner:{}", reference.owner)).await;
                let others = others.unwrap_or_default();
                let hint =
                    nearest::hint(&reference.workspace, others.iter().map(|w| w.name.as_str()));
                let message = format!(
                    "There is no workspace {reference} that you may see.{hint} `steading list` \
                     shows yours."
                );
                Err(retold(error, message))
            }
            found => found,
        }
    }

    /// Sets when a workspace starts by itself; an empty schedule is never.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn set_autostart(&self, id: Uuid, schedule: Option<String>) -> anyhow::Result<()> {
        let path = format!("/api/v2/workspaces/{id}/autostart");
        self.tell(Method::PUT, &path, &UpdateAutostart { schedule }).await
    }

    /// Sets how long a workspace runs after its start; none for as long as it likes.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn set_ttl(&self, id: Uuid, ttl_ms: Option<i64>) -> anyhow::Result<()> {
        self.tell(Method::PUT, &format!("/api/v2/workspaces/{id}/ttl"), &UpdateTtl { ttl_ms }).await
    }

    /// Moves the time a running workspace stops at.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn extend(&self, id: Uuid, deadline: Time) -> anyhow::Result<()> {
        let path = format!("/api/v2/workspaces/{id}/extend");
        self.tell(Method::PUT, &path, &Extend { deadline }).await
    }

    /// Sets whether a workspace follows its template: `always` or `never`.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn set_automatic_updates(&self, id: Uuid, policy: &str) -> anyhow::Result<()> {
        let body = UpdateAutomaticUpdates { automatic_updates: policy.to_owned() };
        self.tell(Method::PUT, &format!("/api/v2/workspaces/{id}/autoupdates"), &body).await
    }

    /// Makes a workspace a favorite of the caller's, or not.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn set_favorite(&self, id: Uuid, is_one: bool) -> anyhow::Result<()> {
        let path = format!("/api/v2/workspaces/{id}/favorite");
        if is_one {
            return self.tell(Method::PUT, &path, &serde_json::json!({})).await;
        }
        self.delete(&path).await
    }

    /// Has the machine of an agent woken.
    ///
    /// # Errors
    /// When nobody can wake it, or the server cannot be reached.
    pub async fn wake(&self, id: Uuid, agent: &str) -> anyhow::Result<Waking> {
        let path = format!("/api/v2/workspaces/{id}/machines/{}/wake", segment(agent));
        self.call(Method::POST, &path, &serde_json::json!({})).await
    }

    /// Cancels a build or an import; `path` is where.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn cancel(&self, path: &str) -> anyhow::Result<()> {
        self.tell(Method::PATCH, path, &serde_json::json!({})).await
    }

    /// Workspaces that a filter finds, all pages of them.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn workspaces(&self, filter: &str) -> anyhow::Result<Vec<Workspace>> {
        let mut all = Vec::new();
        loop {
            let (limit, offset) = (PAGE.to_string(), all.len().to_string());
            let query = [("q", filter), ("limit", &limit), ("offset", &offset)];
            let page: WorkspacesResponse = self.query("/api/v2/workspaces", &query).await?;
            let last = page.workspaces.len() < PAGE;
            all.extend(page.workspaces);
            if last {
                return Ok(all);
            }
        }
    }

    /// Makes a workspace; its first build is queued.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn create_workspace(
        &self,
        owner: &str,
        workspace: &CreateWorkspace,
    ) -> anyhow::Result<Workspace> {
        self.call(Method::POST, &of_user(owner, "/workspaces"), workspace).await
    }

    /// Gives a workspace another name.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn rename_workspace(&self, id: Uuid, name: &str) -> anyhow::Result<()> {
        let body = UpdateWorkspace { name: name.to_owned() };
        self.tell(Method::PATCH, &format!("/api/v2/workspaces/{id}"), &body).await
    }

    /// Hands a workspace over.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn hand_over(&self, id: Uuid, to: &Handover) -> anyhow::Result<HandedOver> {
        self.call(Method::POST, &format!("/api/v2/workspaces/{id}/handover"), to).await
    }

    /// What that would change.
    ///
    /// # Errors
    /// As [`Client::hand_over`].
    pub async fn try_handover(&self, id: Uuid, to: &Handover) -> anyhow::Result<HandedOver> {
        self.call(Method::POST, &format!("/api/v2/workspaces/{id}/handover/preview"), to).await
    }

    /// Asks for a build.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn create_build(
        &self,
        workspace: Uuid,
        build: &CreateBuild,
    ) -> anyhow::Result<Build> {
        self.call(Method::POST, &format!("/api/v2/workspaces/{workspace}/builds"), build).await
    }

    /// A build by id.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn build(&self, id: Uuid) -> anyhow::Result<Build> {
        self.get(&format!("/api/v2/workspacebuilds/{id}")).await
    }

    /// A build of a workspace: by number from 1, or counted back from the latest by 0 and less.
    ///
    /// # Errors
    /// When there is none, or the server cannot be reached.
    pub async fn build_by_number(&self, workspace: &Workspace, n: i64) -> anyhow::Result<Build> {
        let latest = workspace.latest_build.build_number;
        let number = if n > 0 { n } else { latest + n };
        if number < 1 || number > latest {
            bail!("{} has the builds 1 to {latest}; there is no build {number}.", workspace.name);
        }
        let path = format!("/workspace/{}/builds/{number}", segment(&workspace.name));
        self.get(&of_user(&workspace.owner_name, &path)).await
    }

    /// The values of a build.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn build_parameters(&self, build: Uuid) -> anyhow::Result<Vec<BuildParameter>> {
        self.get(&format!("/api/v2/workspacebuilds/{build}/parameters")).await
    }

    /// A build's log so far.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn build_logs(&self, build: Uuid, after: i64) -> anyhow::Result<Vec<JobLog>> {
        let path = format!("/api/v2/workspacebuilds/{build}/logs");
        self.query(&path, &[("after", &after.to_string())]).await
    }

    /// A build's Terraform state.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn state(&self, build: Uuid) -> anyhow::Result<Bytes> {
        self.bytes(&format!("/api/v2/workspacebuilds/{build}/state")).await
    }

    /// Puts a Terraform state in a build's place.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn put_state(&self, build: Uuid, state: Bytes) -> anyhow::Result<()> {
        let path = format!("/api/v2/workspacebuilds/{build}/state");
        self.upload(Method::PUT, &path, "application/json", state).await.map(drop)
    }

    /// An agent by id.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn agent(&self, id: Uuid) -> anyhow::Result<Agent> {
        self.get(&format!("/api/v2/workspaceagents/{id}")).await
    }

    /// An agent's log so far.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn agent_logs(&self, agent: Uuid, after: i64) -> anyhow::Result<Vec<AgentLog>> {
        let path = format!("/api/v2/workspaceagents/{agent}/logs");
        self.query(&path, &[("after", &after.to_string())]).await
    }

    /// How a machine that someone else runs becomes this agent's; none when the workspace has no
    /// external agent of this name.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn external_agent(
        &self,
        workspace: Uuid,
        agent: &str,
    ) -> anyhow::Result<Option<ExternalAgentCredentials>> {
        let agent = segment(agent);
        let path = format!("/api/v2/workspaces/{workspace}/external-agent/{agent}/credentials");
        match self.get(&path).await {
            Err(error) if status_of(&error) == Some(StatusCode::NOT_FOUND) => Ok(None),
            found => found.map(Some),
        }
    }

    /// Ends the tokens of a workspace's external agents, and has a build give others.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn renew_external_agents(&self, workspace: Uuid) -> anyhow::Result<()> {
        let path = format!("/api/v2/workspaces/{workspace}/external-agent/new-tokens");
        self.tell(Method::POST, &path, &()).await
    }

    /// What listens in an agent's machine.
    ///
    /// # Errors
    /// When the server cannot be reached, or refuses.
    pub async fn listening_ports(&self, agent: Uuid) -> anyhow::Result<ListeningPorts> {
        self.get(&format!("/api/v2/workspaceagents/{agent}/listening-ports")).await
    }
}

/// The agents of a workspace's latest build, in the order given.
pub fn agents(workspace: &Workspace) -> impl Iterator<Item = &Agent> {
    let resources = workspace.latest_build.resources.iter();
    resources.flat_map(|r| &r.agents).filter(|a| a.parent_id.is_none())
}

/// The agent a reference means: by name, or the only one.
///
/// # Errors
/// When there is none, or it is not clear which.
pub fn pick_agent<'w>(workspace: &'w Workspace, wanted: Option<&str>) -> anyhow::Result<&'w Agent> {
    let all: Vec<&Agent> = agents(workspace).collect();
    let names = || all.iter().map(|a| a.name.as_str()).collect::<Vec<_>>().join(", ");
    let name = &workspace.name;
    match (wanted, &*all) {
        (_, []) => bail!(
            "{name} has no agent now: it is {}. Start it with `steading start {name}`.",
            workspace.latest_build.status
        ),
        (None, [only]) => Ok(only),
        (None, [first, ..]) => {
            bail!("{name} has the agents {}. Say which one: {name}.{}", names(), first.name)
        }
        (Some(wanted), agents) => agents
            .iter()
            .find(|a| a.name.eq_ignore_ascii_case(wanted))
            .copied()
            .with_context(|| format!("{name} has no agent {wanted:?}, but {}.", names())),
    }
}
