//! Agents of machines that someone else runs: what they sign in with.

use super::agents::current_build;
use super::build_requests::{BuildRequest, add_build};
use super::{Actor, App, Error, Result, access, trail};
use crate::model::agent::Agent;
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::build::{BuildReason, Transition};
use crate::model::event::Event;
use crate::model::id::WorkspaceId;
use crate::model::verb::Verb;
use crate::server::db::{agents, builds, workspaces};

/// An external agent and what it signs in with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalAgent {
    /// The agent.
    pub agent: Agent,
    /// Its token; empty when it proves itself otherwise.
    pub token: String,
}

impl App {
    /// The external agents of a workspace's running build, with their tokens, by name. Whoever has a
    /// token can pass for the machine, and so sees what others do there: it takes more than the right
    /// to connect.
    ///
    /// # Errors
    /// When the actor may not connect to the workspace and change it, or has not shown their second factor of late.
    pub async fn external_agents(
        &self,
        actor: &Actor,
        workspace: WorkspaceId,
    ) -> Result<Vec<ExternalAgent>> {
        let (actor, seal) = (actor.clone(), self.seal.clone());
        self.db
            .read(move |tx| {
                access::require(tx, &actor, workspace, Verb::Connect)?;
                access::require(tx, &actor, workspace, Verb::Manage)?;
                actor.require_fresh(tx.now)?;
                let is_taken =
                    builds::last(tx, workspace)?.is_some_and(|b| b.takes_external_tokens());
                let Some(build) = current_build(tx, workspace)?.filter(|_| !is_taken) else {
                    return Ok(vec![]);
                };
                let mut found = Vec::new();
                for (_, agent) in
                    agents::list(tx, build)?.into_iter().filter(|(_, a)| a.spec.external)
                {
                    let token = agents::sealed(tx, &seal, agent.id)?.unwrap_or_default().token;
                    found.push(ExternalAgent { agent, token });
                }
                found.sort_by(|a, b| a.agent.spec.name.cmp(&b.agent.spec.name));
                Ok(found)
            })
            .await
    }

    /// Ends the tokens of a workspace's external agents, for when someone knows one who should not any
    /// more, and has a build give others: until those are brought to the machines, nobody comes by them.
    ///
    /// # Errors
    /// As [`App::external_agents`]; [`Error::Conflict`] when it has none, or is being built.
    pub async fn renew_external_agents(&self, actor: &Actor, workspace: WorkspaceId) -> Result<()> {
        let (actor, seal) = (actor.clone(), self.seal.clone());
        self.db
            .write(move |tx| {
                access::require(tx, &actor, workspace, Verb::Connect)?;
                access::require(tx, &actor, workspace, Verb::Manage)?;
                actor.require_fresh(tx.now)?;
                let of = workspaces::find(tx, workspace)?.ok_or(Error::NotFound("workspace"))?;
                if !of.latest_build.has_external_agent {
                    let why =
                        "no machine of it is run by someone else: a restart renews its tokens";
                    return Err(Error::conflict(why));
                }
                agents::revoke(tx, workspace)?;
                let request = BuildRequest::new(Transition::Start, BuildReason::Initiator);
                add_build(tx, &seal, &actor, (workspace, of.latest_build.version_id, &request))?;
                let name = of.name.as_str();
                let entry =
                    trail::entry(AuditAction::Write, AuditTarget::Workspace, workspace.0, name);
                let diff = Diff::new().secret("agent_token");
                access::record(tx, &actor, &trail::with(entry, &diff))?;
                tx.emit(Event::Workspace(workspace));
                Ok(())
            })
            .await
    }

    /// The one of them with this name that has a token.
    ///
    /// # Errors
    /// When there is none; and as [`App::external_agents`].
    pub async fn external_agent(
        &self,
        actor: &Actor,
        workspace: WorkspaceId,
        name: &str,
    ) -> Result<ExternalAgent> {
        let all = self.external_agents(actor, workspace).await?;
        let is_it = |a: &ExternalAgent| a.agent.spec.name.eq_ignore_ascii_case(name);
        let found = all.into_iter().find(|a| is_it(a) && !a.token.is_empty());
        found.ok_or(Error::NotFound("agent"))
    }
}
