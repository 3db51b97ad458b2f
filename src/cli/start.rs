//! `start`, `stop`, `restart`, `update`, `delete`, `rename`: a build asked for, and watched to its end.

use http::StatusCode;

use super::args::workspaces::{Delete, Rename, Start, Stop};
use super::client::{Client, status_of};
use super::context::Context;
use super::parameters::{self, Ask, Known};
use super::reference::Reference;
use super::{progress, prompt};
use crate::model::build::{Transition, WorkspaceStatus};
use crate::model::name::WorkspaceName;
use crate::wire::coder::builds::{Build, BuildParameter, CreateBuild};
use crate::wire::coder::workspaces::Workspace;

/// What a build is recorded as when nothing else is said.
const REASON: &str = "cli";

/// `start`
///
/// # Errors
/// When the request is refused, or the build fails.
pub async fn start(ctx: &Context, args: Start) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let workspace = find(&client, &args.workspace).await?;
    let status = status(&workspace);
    let nothing_new = args.parameters.values.is_empty() && !args.ask && args.preset.is_none();
    if status == Some(WorkspaceStatus::Running) && nothing_new {
        ctx.out.note(&format!("{} runs already.", args.workspace));
        return Ok(());
    }
    if status == Some(WorkspaceStatus::Starting) {
        return join(ctx, &client, &workspace, args.no_wait).await;
    }
    let version =
        if workspace.template_require_active_version || workspace.automatic_updates == "always" {
            workspace.template_active_version_id
        } else {
            workspace.latest_build.template_version_id
        };
    begin(ctx, &client, &workspace, (&args, version)).await
}

/// `restart`
///
/// # Errors
/// When a request is refused, or a build fails.
pub async fn restart(ctx: &Context, args: Start) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let workspace = find(&client, &args.workspace).await?;
    if !args.yes {
        prompt::confirm(&format!("Restart {}? What runs in it ends.", args.workspace))?;
    }
    let version = workspace.latest_build.template_version_id;
    stop_and_wait(ctx, &client, &workspace).await?;
    begin(ctx, &client, &workspace, (&args, version)).await
}

/// `update`
///
/// # Errors
/// When a request is refused, or a build fails.
pub async fn update(ctx: &Context, args: Start) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let workspace = find(&client, &args.workspace).await?;
    let nothing_new = args.parameters.values.is_empty() && !args.ask && args.preset.is_none();
    if !workspace.outdated && nothing_new {
        ctx.out.note(&format!("{} is at its template's active version.", args.workspace));
        return Ok(());
    }
    // A machine that someone else runs is not stopped: a start brings it the new version.
    let is_ours = !workspace.latest_build.has_external_agent;
    if is_ours && status(&workspace) == Some(WorkspaceStatus::Running) {
        stop_and_wait(ctx, &client, &workspace).await?;
    }
    let version = workspace.template_active_version_id;
    begin(ctx, &client, &workspace, (&args, version)).await
}

/// `stop`
///
/// # Errors
/// When the request is refused, or the build fails.
pub async fn stop(ctx: &Context, args: Stop) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let workspace = find(&client, &args.workspace).await?;
    match status(&workspace) {
        Some(WorkspaceStatus::Stopped) => {
            ctx.out.note(&format!("{} rests already.", args.workspace));
            return Ok(());
        }
        Some(WorkspaceStatus::Stopping) => {
            return join(ctx, &client, &workspace, args.no_wait).await;
        }
        _ => {}
    }
    if !args.yes {
        prompt::confirm(&format!("Stop {}? What runs in it ends.", args.workspace))?;
    }
    let wanted = build(Transition::Stop, &args.reason);
    let begun = client.create_build(workspace.id, &wanted).await?;
    watch(ctx, &client, begun.id, args.no_wait).await
}

/// What deleting means where someone else runs the machine.
const MACHINE_STAYS: &str = "Its agent's token ends at once. The machine stays as it is; `steading \
    agent uninstall` there removes the agent's service.";

/// `delete`
///
/// # Errors
/// When the request is refused, or the build fails.
pub async fn delete(ctx: &Context, args: Delete) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let workspace = find(&client, &args.workspace).await?;
    if !args.yes {
        let what = match (args.orphan, workspace.latest_build.has_external_agent) {
            (_, true) => MACHINE_STAYS,
            (true, false) => "Its resources stay.",
            (false, false) => "Its data is lost.",
        };
        prompt::confirm(&format!("Delete {}? {what}", args.workspace))?;
    }
    let wanted = CreateBuild { orphan: args.orphan, ..build(Transition::Delete, "") };
    let begun = client.create_build(workspace.id, &wanted).await?;
    watch(ctx, &client, begun.id, args.no_wait).await?;
    if !args.no_wait {
        ctx.out.note(&format!("{} is deleted.", args.workspace));
    }
    if workspace.latest_build.has_external_agent {
        ctx.out.note(MACHINE_STAYS);
    }
    Ok(())
}

/// `rename`
///
/// # Errors
/// When the request is refused.
pub async fn rename(ctx: &Context, args: Rename) -> anyhow::Result<()> {
    WorkspaceName::parse(&args.name)
        .map_err(|e| anyhow::anyhow!("The name {:?} {e}.", args.name))?;
    let client = ctx.client()?;
    let workspace = find(&client, &args.workspace).await?;
    if !args.yes {
        let warning = "Templates that use the name may make its data anew.";
        prompt::confirm(&format!("Rename {} to {}? {warning}", args.workspace, args.name))?;
    }
    client.rename_workspace(workspace.id, &args.name).await?;
    ctx.out.note(&format!("{} is now {}.", args.workspace, args.name));
    Ok(())
}

/// Starts a stopped workspace for a session, at the version it has.
///
/// # Errors
/// When the request is refused, or the build fails.
pub async fn for_session(
    ctx: &Context,
    client: &Client,
    workspace: &Workspace,
    reason: &str,
) -> anyhow::Result<()> {
    let wanted = CreateBuild {
        template_version_id: Some(workspace.latest_build.template_version_id),
        ..build(Transition::Start, reason)
    };
    let begun = client.create_build(workspace.id, &wanted).await?;
    progress::watch::<Build>(ctx, client, begun.id).await.map(drop)
}

/// What a workspace does now, when this program knows the word.
#[must_use]
pub fn status(workspace: &Workspace) -> Option<WorkspaceStatus> {
    WorkspaceStatus::from_word(&workspace.latest_build.status)
}

async fn find(client: &Client, text: &str) -> anyhow::Result<Workspace> {
    client.workspace(&text.parse::<Reference>()?).await
}

async fn begin(
    ctx: &Context,
    client: &Client,
    workspace: &Workspace,
    (args, version): (&Start, uuid::Uuid),
) -> anyhow::Result<()> {
    let (answers, preset) = answers(client, args, (workspace, version)).await?;
    let wanted = CreateBuild {
        template_version_id: Some(version),
        rich_parameter_values: answers,
        template_version_preset_id: preset,
        ..build(Transition::Start, &args.reason)
    };
    let begun = client.create_build(workspace.id, &wanted).await?;
    watch(ctx, client, begun.id, args.no_wait).await
}

async fn answers(
    client: &Client,
    args: &Start,
    (workspace, version): (&Workspace, uuid::Uuid),
) -> anyhow::Result<(Vec<BuildParameter>, Option<uuid::Uuid>)> {
    let asked = match client.rich_parameters(version).await {
        // Who may not use the template any more is told so by the answer to the build.
        Err(error) if status_of(&error) == Some(StatusCode::NOT_FOUND) => vec![],
        asked => asked?,
    };
    let before = client.build_parameters(workspace.latest_build.id).await?;
    let presets = match &args.preset {
        Some(_) => client.presets(version).await?,
        None => vec![],
    };
    let preset =
        args.preset.as_deref().map(|n| parameters::find_preset(&presets, n)).transpose()?;
    let ask = if args.ask { Ask::All } else { Ask::Missing };
    let known = Known { parameters: &asked, preset, before: &before };
    Ok((parameters::answer(&args.parameters, known, ask)?, preset.map(|p| p.id)))
}

async fn stop_and_wait(
    ctx: &Context,
    client: &Client,
    workspace: &Workspace,
) -> anyhow::Result<()> {
    if status(workspace) == Some(WorkspaceStatus::Stopped) {
        return Ok(());
    }
    let begun = client.create_build(workspace.id, &build(Transition::Stop, "")).await?;
    progress::watch_own::<Build>(ctx, client, begun.id).await.map(drop)
}

async fn watch(
    ctx: &Context,
    client: &Client,
    build: uuid::Uuid,
    no_wait: bool,
) -> anyhow::Result<()> {
    if no_wait {
        ctx.out.note("The build is queued.");
        return Ok(());
    }
    progress::watch_own::<Build>(ctx, client, build).await.map(drop)
}

/// Waits for a build that is under way already.
async fn join(
    ctx: &Context,
    client: &Client,
    workspace: &Workspace,
    no_wait: bool,
) -> anyhow::Result<()> {
    if no_wait {
        return Ok(());
    }
    progress::watch::<Build>(ctx, client, workspace.latest_build.id).await.map(drop)
}

fn build(transition: Transition, reason: &str) -> CreateBuild {
    let reason = if reason.is_empty() { REASON } else { reason };
    CreateBuild {
        transition: transition.as_str().to_owned(),
        reason: reason.to_owned(),
        ..CreateBuild::default()
    }
}
