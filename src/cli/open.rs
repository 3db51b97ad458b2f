//! `open`: a workspace in an editor, or one of its apps.

use anyhow::{Context as _, bail};

use super::api::workspaces::pick_agent;
use super::args::connect::Open;
use super::context::Context;
use super::reference::Reference;
use crate::wire::coder::tokens::CreateToken;

/// How long the token in a link works: enough to be signed in once.
const LINK_TOKEN: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// The program that opens links here, and what stands before a link.
const OPENER: (&str, &[&str]) = if cfg!(target_os = "macos") {
    ("open", &[])
} else if cfg!(windows) {
    // `start` is a word of the shell, which would read the signs in a link.
    ("rundll32.exe", &["url.dll,FileProtocolHandler"])
} else {
    ("xdg-open", &[])
};

/// Runs the command.
///
/// # Errors
/// When there is no such workspace, agent or app, or the server cannot be reached.
pub async fn run(ctx: &Context, command: Open) -> anyhow::Result<()> {
    match command {
        Open::Vscode { workspace, directory, generate_token, print } => {
            vscode(ctx, &workspace, directory, (generate_token, print)).await
        }
        Open::App { workspace, app, print, .. } => {
            let link = app_link(ctx, &workspace, app.as_deref()).await?;
            open(ctx, &link, (&format!("{workspace} in the browser"), print)).await
        }
    }
}

async fn vscode(
    ctx: &Context,
    workspace: &str,
    directory: Option<String>,
    (generate_token, print): (bool, bool),
) -> anyhow::Result<()> {
    let client = ctx.client()?;
    let reference: Reference = workspace.parse()?;
    let found = client.workspace(&reference).await?;
    let agent = pick_agent(&found, reference.agent.as_deref())?;
    let mut link = url::Url::parse("vscode://coder.coder-remote/open")?;
    {
        let mut query = link.query_pairs_mut();
        query.append_pair("owner", &found.owner_name).append_pair("workspace", &found.name);
        query.append_pair("url", client.server_text()).append_pair("agent", &agent.name);
        let folder =
            directory.or_else(|| Some(agent.expanded_directory.clone())).filter(|d| !d.is_empty());
        if let Some(folder) = folder {
            query.append_pair("folder", &folder);
        }
        if generate_token {
            let lifetime = i64::try_from(LINK_TOKEN.as_nanos()).unwrap_or(i64::MAX);
            let token = CreateToken { lifetime, scope: "all".into(), ..CreateToken::default() };
            query.append_pair("token", &client.create_token("me", &token).await?);
        }
    }
    open(ctx, link.as_str(), (&format!("{reference} in VS Code"), print)).await
}

/// Where an app is: elsewhere, or in a terminal of its workspace's.
async fn app_link(ctx: &Context, workspace: &str, app: Option<&str>) -> anyhow::Result<String> {
    let client = ctx.client()?;
    let reference: Reference = workspace.parse()?;
    let found = client.workspace(&reference).await?;
    let agent = pick_agent(&found, reference.agent.as_deref())?;
    let slugs: Vec<&str> = agent.apps.iter().map(|app| app.slug.as_str()).collect();
    let known = match slugs.as_slice() {
        [] => "It has none.".to_owned(),
        slugs => format!("There are: {}.", slugs.join(", ")),
    };
    let wanted = app.with_context(|| format!("Name an app of {reference}. {known}"))?;
    let app = agent.apps.iter().find(|app| app.slug == wanted);
    let app = app.with_context(|| format!("{reference} has no app {wanted:?}. {known}"))?;
    if app.external {
        return Ok(app.url.clone());
    }
    if app.command.is_empty() {
        bail!(
            "{wanted:?} listens inside the workspace, at {}. `steading port-forward {reference} \
             --tcp PORT` brings it here.",
            app.url
        );
    }
    let mut link = url::Url::parse(client.server_text())?;
    let place = format!("/@{}/{}.{}/terminal", found.owner_name, found.name, agent.name);
    link.set_path(&place);
    link.query_pairs_mut().append_pair("app", wanted);
    Ok(link.into())
}

/// Prints a link, or gives it to the program that opens links here.
async fn open(ctx: &Context, link: &str, (what, print): (&str, bool)) -> anyhow::Result<()> {
    if print || !ctx.out.is_terminal() {
        return ctx.out.line(link);
    }
    let (opener, before) = OPENER;
    let status = tokio::process::Command::new(opener).args(before).arg(link).status().await;
    if status.is_ok_and(|s| s.success()) {
        ctx.out.note(&format!("Opening {what}."));
        return Ok(());
    }
    ctx.out.note("No program here opens links. Open this one yourself:");
    ctx.out.line(link).context("Printing the link")
}
