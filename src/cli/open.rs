//! `open`: a workspace in an editor.

use anyhow::Context as _;

use super::api::workspaces::pick_agent;
use super::args::connect::Open;
use super::context::Context;
use super::reference::Reference;
use crate::wire::coder::tokens::CreateToken;

/// How long the token in a link works: enough to be signed in once.
const LINK_TOKEN: std::time::Duration = std::time::Duration::from_secs(24 * 3600);

/// Runs the command.
///
/// # Errors
/// When there is no such workspace or agent, or the server cannot be reached.
pub async fn run(ctx: &Context, command: Open) -> anyhow::Result<()> {
    let Open::Vscode { workspace, directory, generate_token, print } = command;
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
    if print || !ctx.out.is_terminal() {
        return ctx.out.line(link.as_str());
    }
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let status = tokio::process::Command::new(opener).arg(link.as_str()).status().await;
    if status.is_ok_and(|s| s.success()) {
        ctx.out.note(&format!("Opening {reference} in VS Code."));
        return Ok(());
    }
    ctx.out.note("No program here opens links. Open this one yourself:");
    ctx.out.line(link.as_str()).context("Printing the link")
}
