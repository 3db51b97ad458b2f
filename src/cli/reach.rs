//! From a workspace's name to an agent that can be reached: started when it rests, waited for.

use std::sync::Arc;
use std::time::Duration;

use anyhow::bail;

use super::api::workspaces::pick_agent;
use super::args::connect::Wait;
use super::client::Client;
use super::context::{Context, Detail};
use super::reference::Reference;
use super::{logs, progress, start};
use crate::model::agent::{ConnectionStatus, Lifecycle};
use crate::model::build::WorkspaceStatus;
use crate::wire::coder::agents::Agent;
use crate::wire::coder::builds::Build;
use crate::wire::coder::workspaces::Workspace;

/// How soon a waited-for agent is looked at again. It comes a moment after its build has ended, or
/// takes as long as its machine needs to start.
const FIRST_LOOK: Duration = Duration::from_millis(10);
/// Pauses between looks grow by half, up to this.
const MAX_LOOK: Duration = Duration::from_millis(250);

/// What is done on the way.
#[derive(Clone, Copy, Debug)]
pub struct Way<'a> {
    /// Whether to wait for start scripts.
    pub wait: Wait,
    /// Whether a resting workspace is started.
    pub autostart: bool,
    /// What such a start is recorded as.
    pub reason: &'a str,
}

/// Finds the workspace, has it run, and gives the agent once it is connected.
///
/// # Errors
/// When there is none, it may not be started, or it does not come.
pub async fn reach(
    ctx: &Context,
    client: &Arc<Client>,
    (reference, way): (&Reference, Way<'_>),
) -> anyhow::Result<(Workspace, Agent)> {
    // Who waits for a session wants the phases, not the log.
    let detail = if ctx.globals.verbose { ctx.detail } else { Detail::Phases };
    let quiet = Context { detail, ..ctx.clone() };
    let ctx = &quiet;
    let found = client.workspace(reference).await?;
    let workspace = if have_running(ctx, client, (&found, way)).await? {
        client.workspace(reference).await?
    } else {
        found
    };
    let agent = pick_agent(&workspace, reference.agent.as_deref())?.clone();
    let agent = connected(ctx, client, agent).await?;
    scripts_done(ctx, client, (&agent, way.wait)).await?;
    Ok((workspace, agent))
}

/// Starts the workspace when it rests. Says whether there is something new to read.
async fn have_running(
    ctx: &Context,
    client: &Arc<Client>,
    (workspace, way): (&Workspace, Way<'_>),
) -> anyhow::Result<bool> {
    use WorkspaceStatus as S;
    let name = &workspace.name;
    match start::status(workspace) {
        Some(S::Running) => Ok(false),
        Some(S::Pending | S::Starting) => {
            ctx.out.note(&format!("{name} is starting; waiting for it."));
            progress::watch::<Build>(ctx, client, workspace.latest_build.id).await?;
            Ok(true)
        }
        Some(S::Stopped | S::Failed | S::Canceled) if way.autostart => {
            ctx.out.note(&format!("{name} is {}; starting it.", workspace.latest_build.status));
            start::for_session(ctx, client, workspace, way.reason).await?;
            Ok(true)
        }
        Some(S::Stopping) if way.autostart => {
            ctx.out.note(&format!("{name} is stopping; it is started when that is done."));
            progress::watch::<Build>(ctx, client, workspace.latest_build.id).await?;
            start::for_session(ctx, client, workspace, way.reason).await?;
            Ok(true)
        }
        _ => bail!(
            "{name} is {}. Start it with `steading start {name}`.",
            workspace.latest_build.status
        ),
    }
}

/// Waits until the agent is connected.
async fn connected(ctx: &Context, client: &Client, agent: Agent) -> anyhow::Result<Agent> {
    let mut agent = agent;
    let mut told = false;
    let mut pause = FIRST_LOOK;
    loop {
        match ConnectionStatus::from_word(&agent.status) {
            Some(ConnectionStatus::Connected) | None => return Ok(agent),
            Some(ConnectionStatus::Timeout) => {
                let help = match &*agent.troubleshooting_url {
                    "" => "`steading logs` shows what the workspace said.".to_owned(),
                    url => format!("The template's author says where to look: {url}"),
                };
                bail!("The agent {} did not connect in time. {help}", agent.name);
            }
            Some(ConnectionStatus::Connecting | ConnectionStatus::Disconnected) => {}
        }
        if !told {
            ctx.out.note(&format!("Waiting for the agent {}: it is {}.", agent.name, agent.status));
            told = true;
        }
        look_again(&mut pause).await;
        agent = client.agent(agent.id).await?;
    }
}

async fn look_again(pause: &mut Duration) {
    tokio::time::sleep(*pause).await;
    *pause = (*pause * 3 / 2).min(MAX_LOOK);
}

/// Waits for start scripts, when that is wanted; what they say goes to standard error.
async fn scripts_done(
    ctx: &Context,
    client: &Client,
    (agent, wait): (&Agent, Wait),
) -> anyhow::Result<()> {
    let wanted = match wait {
        Wait::Yes => true,
        Wait::No => false,
        Wait::Auto => agent.scripts.iter().any(|s| s.start_blocks_login),
    };
    let mut state = Lifecycle::from_word(&agent.lifecycle_state);
    if !wanted || state.is_none_or(logs::is_settled) {
        return Ok(());
    }
    ctx.out.note("Waiting for the start scripts. --wait=no enters at once.");
    let mut last = 0;
    let mut pause = FIRST_LOOK;
    while state.is_some_and(|s| !logs::is_settled(s)) {
        look_again(&mut pause).await;
        for line in client.agent_logs(agent.id, last).await? {
            last = line.id;
            ctx.out.note(&format!("  {}", line.output.trim_end()));
        }
        state = Lifecycle::from_word(&client.agent(agent.id).await?.lifecycle_state);
    }
    if matches!(state, Some(Lifecycle::StartError | Lifecycle::StartTimeout)) {
        ctx.out.note("A start script failed or took too long; the workspace may lack something.");
    }
    Ok(())
}
