//! Agents as people see them, and who an agent is.

use super::{Actor, App, Error, Result, access};
use crate::model::agent::{Agent, AgentLogLine, MetadataValue, ScriptRun};
use crate::model::build::Transition;
use crate::model::id::{AgentId, BuildId, ResourceId, WorkspaceId};
use crate::model::log::MAX_AGENT_LOG_BYTES;
use crate::model::resource::ScriptSpec;
use crate::model::secret::TokenHash;
use crate::model::user::{User, UserStatus};
use crate::model::verb::Verb;
use crate::model::workspace::Workspace;
use crate::server::db::{
    ReadTx, agent_logs, agent_metadata, agent_scripts, agents, builds, users, workspaces,
};

/// An agent with where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AgentView {
    /// The agent. Its environment and scripts' texts are not filled in.
    pub agent: Agent,
    /// Its resource.
    pub resource_id: ResourceId,
    /// Its build.
    pub build_id: BuildId,
    /// Its workspace.
    pub workspace: Workspace,
    /// Its log reached the limit.
    pub logs_overflowed: bool,
}

/// What an agent needs to know of itself.
#[derive(Clone, Debug)]
pub struct AgentBrief {
    /// The agent with environment and scripts.
    pub agent: Agent,
    /// Its workspace.
    pub workspace: Workspace,
    /// Whose that is.
    pub owner: User,
    /// Its start scripts ran already.
    pub scripts_done: bool,
}

/// What an external agent signs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalAgent {
    /// `linux`.
    pub os: String,
    /// `amd64`.
    pub arch: String,
    /// Its token.
    pub token: String,
}

impl App {
    /// The agent with this token. Only agents of a workspace's running build have one that counts:
    /// once a stop or another start has succeeded, or the workspace became another's, the token is dead.
    ///
    /// # Errors
    /// [`Error::NotFound`] for any other token.
    pub async fn agent_by_token(&self, token: &str) -> Result<Actor> {
        let hash = TokenHash::of(token);
        let home = self
            .db
            .read(move |tx| {
                let home = agents::by_token(tx, hash)?.ok_or(Error::NotFound("agent"))?;
                if is_current(tx, &home)? { Ok(home) } else { Err(Error::NotFound("agent")) }
            })
            .await?;
        Ok(Actor::Agent { agent: home.agent, workspace: home.workspace })
    }

    /// Whether an agent's workspace still runs by the build that made the agent.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn agent_is_current(&self, id: AgentId) -> Result<bool> {
        self.db
            .read(move |tx| match agents::home_of(tx, id)? {
                Some(home) => is_current(tx, &home),
                None => Ok(false),
            })
            .await
    }

    /// The workspace of an agent that the actor may connect to.
    ///
    /// # Errors
    /// When there is no agent that the actor may see, they may not connect, or its workspace does
    /// not run by the build that made it.
    pub async fn agent_to_connect(&self, actor: &Actor, id: AgentId) -> Result<WorkspaceId> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let home = require(tx, &actor, id, Verb::Connect)?;
                if is_current(tx, &home)? {
                    Ok(home.workspace)
                } else {
                    Err(Error::conflict("the workspace does not run; start it"))
                }
            })
            .await
    }

    /// The agents of a workspace's running build; none when it does not run.
    ///
    /// # Errors
    /// When there is no workspace that the actor may see.
    pub async fn current_agents(&self, actor: &Actor, id: WorkspaceId) -> Result<Vec<Agent>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                access::require(tx, &actor, id, Verb::View)?;
                match current_build(tx, id)? {
                    Some(build) => {
                        Ok(agents::list(tx, build)?.into_iter().map(|(_, a)| a).collect())
                    }
                    None => Ok(vec![]),
                }
            })
            .await
    }

    /// An agent with where it stands.
    ///
    /// # Errors
    /// When there is none that the actor may see.
    pub async fn agent(&self, actor: &Actor, id: AgentId) -> Result<AgentView> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                let home = require(tx, &actor, id, Verb::View)?;
                let (resource_id, agent) = agents::find(tx, id)?.ok_or(Error::NotFound("agent"))?;
                Ok(AgentView {
                    agent,
                    resource_id,
                    build_id: home.build,
                    workspace: workspaces::find(tx, home.workspace)?
                        .ok_or(Error::NotFound("agent"))?,
                    logs_overflowed: agent_logs::size(tx, id)? > MAX_AGENT_LOG_BYTES,
                })
            })
            .await
    }

    /// What an agent needs to know of itself. For the agent alone.
    ///
    /// # Errors
    /// When there is no such agent.
    pub async fn agent_brief(&self, id: AgentId) -> Result<AgentBrief> {
        let seal = self.seal.clone();
        self.db
            .read(move |tx| {
                let home = agents::home_of(tx, id)?.ok_or(Error::NotFound("agent"))?;
                let (_, mut agent) = agents::find(tx, id)?.ok_or(Error::NotFound("agent"))?;
                let sealed = agents::sealed(tx, &seal, id)?.ok_or(Error::NotFound("agent"))?;
                agent.spec.env = sealed.env;
                agent.spec.scripts = sealed.scripts;
                let workspace =
                    workspaces::find(tx, home.workspace)?.ok_or(Error::NotFound("agent"))?;
                let owner = users::find(tx, workspace.owner.id)?.ok_or(Error::NotFound("agent"))?;
                let scripts_done = agent.ready_at.is_some();
                Ok(AgentBrief { agent, workspace, owner, scripts_done })
            })
            .await
    }

    /// Lines of an agent's log after the one with id `after`.
    ///
    /// # Errors
    /// When there is no agent that the actor may see.
    pub async fn agent_log_lines(
        &self,
        actor: &Actor,
        id: AgentId,
        (after, limit): (i64, u32),
    ) -> Result<Vec<AgentLogLine>> {
        let actor = actor.clone();
        self.db
            .read_rows(limit, move |tx| {
                require(tx, &actor, id, Verb::View)?;
                Ok(agent_logs::list(tx, id, after, limit)?)
            })
            .await
    }

    /// What an agent's metadata commands printed last.
    ///
    /// # Errors
    /// When there is no agent that the actor may see.
    pub async fn agent_metadata(&self, actor: &Actor, id: AgentId) -> Result<Vec<MetadataValue>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                require(tx, &actor, id, Verb::View)?;
                Ok(agent_metadata::list(tx, id)?)
            })
            .await
    }

    /// The runs of the start and stop scripts of a build's agents.
    ///
    /// # Errors
    /// When there is no build that the actor may see.
    pub async fn script_runs(
        &self,
        actor: &Actor,
        build: BuildId,
    ) -> Result<Vec<(Agent, Vec<ScriptRun>)>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                super::builds::find(tx, &actor, build)?;
                let list = agents::list(tx, build)?.into_iter();
                list.map(|(_, a)| Ok((agent_scripts::list(tx, a.id)?, a)))
                    .map(|found: Result<_>| found.map(|(runs, a)| (a, runs)))
                    .collect()
            })
            .await
    }

    /// The texts of an agent's scripts, for who may connect to it.
    ///
    /// # Errors
    /// When there is no agent that the actor may see, or they may not connect.
    pub async fn agent_scripts(&self, actor: &Actor, id: AgentId) -> Result<Vec<ScriptSpec>> {
        let (actor, seal) = (actor.clone(), self.seal.clone());
        self.db
            .read(move |tx| {
                require(tx, &actor, id, Verb::Connect)?;
                Ok(agents::sealed(tx, &seal, id)?.unwrap_or_default().scripts)
            })
            .await
    }

    /// What the agent of this name of a workspace that someone else runs signs in with.
    ///
    /// # Errors
    /// When there is none, or the actor may not connect.
    pub async fn external_agent(
        &self,
        actor: &Actor,
        workspace: WorkspaceId,
        name: &str,
    ) -> Result<ExternalAgent> {
        let (actor, seal, name) = (actor.clone(), self.seal.clone(), name.to_owned());
        self.db
            .read(move |tx| {
                access::require(tx, &actor, workspace, Verb::Connect)?;
                let build = current_build(tx, workspace)?.ok_or(Error::NotFound("agent"))?;
                let agent = agents::list(tx, build)?
                    .into_iter()
                    .map(|(_, a)| a)
                    .find(|a| a.spec.external && a.spec.name.eq_ignore_ascii_case(&name))
                    .ok_or(Error::NotFound("agent"))?;
                let sealed = agents::sealed(tx, &seal, agent.id)?.unwrap_or_default();
                let (os, arch) = (agent.spec.os, agent.spec.arch);
                Ok(ExternalAgent { os, arch, token: sealed.token })
            })
            .await
    }
}

/// The build by which a workspace runs, if it does: the last that succeeded, when it is a start.
pub(super) fn current_build(tx: &ReadTx<'_>, id: WorkspaceId) -> Result<Option<BuildId>> {
    if workspaces::is_deleted(tx, id)? {
        return Ok(None);
    }
    let good = builds::last_good(tx, id)?;
    Ok(good.filter(|b| b.transition == Transition::Start).map(|b| b.id))
}

/// Whether an agent's build is the one by which its workspace runs, and its owner may be here. Whoever owned
/// the workspace before may know the token of an agent that ran then.
pub(super) fn is_current(tx: &ReadTx<'_>, home: &agents::Home) -> Result<bool> {
    let owner = match workspaces::owner(tx, home.workspace)? {
        Some(owner) => users::find(tx, owner)?.map(|u| u.status),
        None => None,
    };
    let present = owner.is_some_and(UserStatus::may_act);
    Ok(present && !home.is_revoked && current_build(tx, home.workspace)? == Some(home.build))
}

/// Asks for a right on an agent's workspace.
pub(super) fn require(
    tx: &ReadTx<'_>,
    actor: &Actor,
    id: AgentId,
    action: Verb,
) -> Result<agents::Home> {
    let home = agents::home_of(tx, id)?.ok_or(Error::NotFound("agent"))?;
    match access::require(tx, actor, home.workspace, action) {
        Ok(()) => Ok(home),
        Err(Error::NotFound(_)) => Err(Error::NotFound("agent")),
        Err(other) => Err(other),
    }
}
