//! `ssh`: a shell or a command in a workspace, or a `ProxyCommand` for any SSH client.

mod forward;
mod shell;
mod stdio;

use std::sync::Arc;

use anyhow::Context as _;

use super::args::connect::{HostName, Ssh, VscodeSsh, Wait};
use super::client::Client;
use super::context::Context;
use super::link::TunnelLink;
use super::network_info;
use super::reach::{Way, reach};
use super::reference::{Reference, from_editor_host, from_host};
use super::tunnel::Tunnel;
use crate::model::session::SessionKind;

pub use forward::{Local, serve_local};

/// `ssh`
///
/// # Errors
/// When the workspace cannot be reached, or with the remote command's code.
pub async fn run(ctx: &Context, args: Ssh) -> anyhow::Result<()> {
    let (host, command) = args.target.split_first().context("Name a workspace.")?;
    let reference = from_host(host, &args.host)?;
    let app = app(&args.usage_app);
    let way = Way {
        wait: if args.no_wait { Wait::No } else { args.wait },
        autostart: !args.disable_autostart,
        reason: reason(app),
    };
    let client = ctx.client()?;
    if args.stdio {
        return stdio::run(ctx, &client, (&reference, way), (&args.info, app)).await;
    }
    let link = connect(ctx, &client, (&reference, way), (&args.info, app)).await?;
    let command = (!command.is_empty()).then(|| command.join(" "));
    shell::run(ctx, &link, (command, &args)).await
}

/// `vscodessh`
///
/// # Errors
/// When the workspace cannot be reached.
pub async fn vscode(ctx: &Context, args: VscodeSsh) -> anyhow::Result<()> {
    let read = |file: &std::path::Path| {
        let text = std::fs::read_to_string(file);
        text.map(|t| t.trim().to_owned()).with_context(|| format!("Reading {}", file.display()))
    };
    let url = super::context::read_url(&read(&args.url_file)?)?;
    let token = read(&args.session_token_file)?;
    let client = ctx.client_for(url, Some(&token))?;
    let reference =
        from_editor_host(&args.host).or_else(|_| from_host(&args.host, &HostName::default()))?;
    let app = Some(SessionKind::Vscode);
    let way = Way { wait: args.wait, autostart: true, reason: reason(app) };
    stdio::run(ctx, &client, (&reference, way), (&args.info, app)).await
}

/// A link to a workspace that runs.
///
/// # Errors
/// When it cannot be reached.
pub async fn connect(
    ctx: &Context,
    client: &Arc<Client>,
    (reference, way): (&Reference, Way<'_>),
    (info, app): (&super::args::connect::NetworkInfo, Option<SessionKind>),
) -> anyhow::Result<Arc<TunnelLink>> {
    let (_, agent) = reach(ctx, client, (reference, way)).await?;
    let tunnel = Tunnel::start(ctx, Arc::clone(client), agent.id).await?;
    network_info::keep(ctx, info, &tunnel)?;
    Ok(TunnelLink::new(ctx, tunnel, app))
}

fn app(name: &str) -> Option<SessionKind> {
    match name {
        "vscode" => Some(SessionKind::Vscode),
        "jetbrains" => Some(SessionKind::Jetbrains),
        _ => None,
    }
}

fn reason(app: Option<SessionKind>) -> &'static str {
    match app {
        Some(SessionKind::Vscode) => "vscode_connection",
        Some(SessionKind::Jetbrains) => "jetbrains_connection",
        _ => "ssh_connection",
    }
}
