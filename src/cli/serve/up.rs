//! `up`: the first minute. A server on this machine, its owner, a template, a workspace, and three
//! lines that work when they are pasted.

mod person;
mod place;

use std::path::Path;

use anyhow::Context as _;
use clap::ArgMatches;

use self::person::Person;
use crate::cli::args::serve::Up;
use crate::cli::config::Config;
use crate::cli::context::{Context, Detail, read_url};
use crate::cli::output::Paint;
use crate::cli::settings::Layers;
use crate::server::Server;
use crate::server::config::reachable;

/// What the log of the server shows beside the progress.
const LOG_FILTER: &str = "warn";

/// Runs the command.
///
/// # Errors
/// When the server cannot start, or a part it cannot do without fails.
pub async fn run(ctx: &Context, args: Up, matches: &ArgMatches) -> anyhow::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate()).context("Listening for SIGTERM")?;
    let mut layers = Layers::open(matches, args.settings.config.as_deref())?;
    let config = super::config(&mut layers, &ctx.around)?;
    let log = super::log(&mut layers, LOG_FILTER)?;
    super::start_log(&log)?;
    let (data, plain_http) = (config.data.clone(), config.tls.is_none());
    let server = Server::start(config, ctx.clock.clone(), ctx.entropy.clone()).await?;
    let url =
        if plain_http { format!("http://{}", reachable(server.http)) } else { server.url.clone() };
    let ctx = Context { detail: Detail::Phases, ..ctx.clone() };
    let prepared = tokio::select! {
        prepared = Box::pin(prepare(&ctx, &server, (&args, &data, &url))) => Some(prepared),
        _ = terminate.recv() => None,
        _ = tokio::signal::ctrl_c() => None,
    };
    let failed = match prepared {
        None => false,
        Some(prepared) => {
            if let Err(error) = prepared {
                said(&ctx, &error, &url);
            }
            tokio::select! {
                _ = terminate.recv() => false,
                interrupted = tokio::signal::ctrl_c() => interrupted.is_err(),
                () = server.failed() => true,
            }
        }
    };
    server.stop().await;
    anyhow::ensure!(!failed, "A part of the server failed; the log says which.");
    Ok(())
}

/// The server goes on without a workspace: what is missing can be mended in its pages.
fn said(ctx: &Context, error: &anyhow::Error, url: &str) {
    if error.downcast_ref::<crate::cli::Exit>().is_none() {
        ctx.out.note(&format!("{} {error:#}", ctx.out.paint(Paint::Bad, "error:")));
    }
    ctx.out.note(&format!(
        "The server runs at {url}, without a workspace yet. Mend what is said above and run `up` \
         again. Ctrl-C ends it."
    ));
}

async fn prepare(
    ctx: &Context,
    server: &Server,
    (args, data, url): (&Up, &Path, &str),
) -> anyhow::Result<()> {
    let person = Person::find_or_make(ctx, server, (args, data, url)).await?;
    let client = ctx.client_for(read_url(url)?, Some(&person.token))?;
    let key = person::ssh_key(ctx, &client, data).await?;
    let workspace = place::workspace(ctx, &client).await?;
    let config = person.store(ctx, data, url)?;
    print(ctx, server, &Lines { person: &person, key, workspace, config, url })
}

/// What the last lines are made of.
struct Lines<'a> {
    person: &'a Person,
    key: Option<std::path::PathBuf>,
    workspace: String,
    /// Where the session is, when it is not where the CLI looks by itself.
    config: Option<Config>,
    url: &'a str,
}

fn print(ctx: &Context, server: &Server, lines: &Lines<'_>) -> anyhow::Result<()> {
    if let Some(password) = &lines.person.made_password {
        ctx.out.note(&format!(
            "You are {} with the password {password} (shown this once).",
            ctx.out.paint(Paint::Strong, &lines.person.username)
        ));
    }
    let ssh = reachable(server.ssh);
    let identity = lines.key.as_ref().map(|k| format!("-i {} ", quoted(k))).unwrap_or_default();
    let global = lines
        .config
        .as_ref()
        .map(|c| format!("--global-config {} ", quoted(c.dir())))
        .unwrap_or_default();
    let program = program(ctx)?;
    ctx.out.note("Three ways in:");
    ctx.out.line(lines.url)?;
    ctx.out.line(&format!("ssh {identity}{}@{} -p {}", lines.workspace, ssh.ip(), ssh.port()))?;
    ctx.out.line(&format!("{program} {global}ssh {}", lines.workspace))?;
    ctx.out.note("Ctrl-C ends the server; your workspace stays.");
    Ok(())
}

/// This program as it can be typed: by its name where PATH leads to it.
fn program(ctx: &Context) -> anyhow::Result<String> {
    let own = std::env::current_exe().context("Finding this program")?;
    let own = own.canonicalize().unwrap_or(own);
    let name = own.file_name().map(|n| n.to_string_lossy().into_owned()).unwrap_or_default();
    let path = ctx.around.for_terraform.get("PATH").cloned().unwrap_or_default();
    let first = std::env::split_paths(&path).map(|d| d.join(&name)).find(|p| p.is_file());
    let is_first = first.and_then(|p| p.canonicalize().ok()).is_some_and(|p| p == own);
    Ok(if is_first { name } else { quoted(&own) })
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_./+:@".contains(c);
    if text.chars().all(plain) {
        return text.into_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}
