//! `logs`: what a build and its agents said.

use uuid::Uuid;

use super::api::workspaces::agents;
use super::args::Format;
use super::args::workspaces::Logs;
use super::client::Client;
use super::context::Context;
use super::progress;
use super::reference::Reference;
use super::stream::Follow;
use crate::model::agent::Lifecycle;
use crate::wire::coder::agents::AgentLog;
use crate::wire::coder::builds::Build;
use crate::wire::coder::jobs::JobLog;

/// Runs the command.
///
/// # Errors
/// When there is no such build, or the server is lost.
pub async fn run(ctx: &Context, args: Logs) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let workspace = client.workspace(&args.workspace.parse::<Reference>()?).await?;
    let build = client.build_by_number(&workspace, args.build).await?;
    if args.follow {
        let build: Build = progress::watch(ctx, &client, build.id).await?;
        for resource in &build.resources {
            for agent in &resource.agents {
                follow_agent(ctx, &client, agent.id).await?;
            }
        }
        return Ok(());
    }
    let lines = client.build_logs(build.id, 0).await?;
    let is_latest = build.id == workspace.latest_build.id;
    let mut of_agents = Vec::new();
    for agent in agents(&workspace).filter(|_| is_latest) {
        of_agents.push((agent.name.clone(), client.agent_logs(agent.id, 0).await?));
    }
    match args.output {
        Format::Json => ctx.out.json(&serde_json::json!({
            "build": lines,
            "agents": of_agents.iter().cloned().collect::<std::collections::BTreeMap<_, _>>(),
        })),
        Format::Table => print(ctx, &lines, &of_agents),
    }
}

fn print(
    ctx: &Context,
    lines: &[JobLog],
    of_agents: &[(String, Vec<AgentLog>)],
) -> anyhow::Result<()> {
    let mut stage = "";
    for line in lines {
        if line.stage != stage {
            stage = &line.stage;
            ctx.out.line(&format!("{}  {stage}", line.created_at))?;
        }
        let text = line.output.trim();
        if !text.is_empty() && text != stage {
            ctx.out.line(&format!("{}    {}", line.created_at, line.output.trim_end()))?;
        }
    }
    for (agent, lines) in of_agents {
        for line in lines {
            ctx.out.line(&format!("{}  {agent}: {}", line.created_at, line.output.trim_end()))?;
        }
    }
    Ok(())
}

/// Shows an agent's log until its start scripts are done.
///
/// # Errors
/// When the server is lost.
pub async fn follow_agent(ctx: &Context, client: &Client, agent: Uuid) -> anyhow::Result<()> {
    let path = format!("/api/v2/workspaceagents/{agent}/logs");
    let query = [("follow", "true"), ("after", "0")];
    let mut stream = Follow::open(client, &ctx.tasks, &path, &query).await?;
    let mut look = tokio::time::interval(std::time::Duration::from_secs(1));
    loop {
        tokio::select! {
            lines = stream.next::<Vec<AgentLog>>() => match lines? {
                None => return Ok(()),
                Some(lines) => {
                    for line in lines {
                        ctx.out.line(line.output.trim_end())?;
                    }
                }
            },
            _ = look.tick() => {
                let state = client.agent(agent).await?.lifecycle_state;
                if Lifecycle::from_word(&state).is_none_or(is_settled) {
                    return catch_up(ctx, &mut stream).await;
                }
            }
        }
    }
}

/// What is still on its way when the scripts are done.
async fn catch_up(ctx: &Context, stream: &mut Follow) -> anyhow::Result<()> {
    let rest = std::time::Duration::from_millis(300);
    while let Ok(lines) = tokio::time::timeout(rest, stream.next::<Vec<AgentLog>>()).await {
        let Some(lines) = lines? else { break };
        for line in lines {
            ctx.out.line(line.output.trim_end())?;
        }
    }
    Ok(())
}

/// Whether the start scripts will say no more.
#[must_use]
pub const fn is_settled(state: Lifecycle) -> bool {
    match state {
        Lifecycle::Created | Lifecycle::Starting => false,
        Lifecycle::StartTimeout
        | Lifecycle::StartError
        | Lifecycle::Ready
        | Lifecycle::ShuttingDown
        | Lifecycle::ShutdownTimeout
        | Lifecycle::ShutdownError
        | Lifecycle::Off => true,
    }
}
