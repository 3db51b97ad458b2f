//! Where log lines go: standard error, or the file that `ssh --log-dir` asks for.

use std::path::Path;

use anyhow::Context as _;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::fmt::{self, MakeWriter};
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

use super::args::{Command, Other, connect};
use super::context::Context;

/// Sets up what a command logs. The server sets up its own.
///
/// # Errors
/// When the file for it cannot be made.
pub fn start(ctx: &Context, command: &Command) -> anyhow::Result<()> {
    let level = if ctx.globals.verbose { "steading=debug" } else { "error" };
    #[expect(clippy::wildcard_enum_match_arm, reason = "the other commands have no flag for it")]
    let directory = match command {
        Command::Other(Other::Agent(args)) => return lines(&args.log_filter, std::io::stderr),
        Command::Connect(connect::Command::Ssh(args)) => args.log_dir.as_deref(),
        Command::Connect(connect::Command::Vscodessh(args)) => args.log_dir.as_deref(),
        _ => None,
    };
    match directory {
        Some(directory) => lines(level, file(directory, ctx.clock.now_ms())?),
        None => lines(level, std::io::stderr),
    }
}

/// Text lines to a writer.
///
/// # Errors
/// When the filter is not one.
pub fn lines<W>(filter: &str, writer: W) -> anyhow::Result<()>
where
    W: for<'a> MakeWriter<'a> + Send + Sync + 'static,
{
    let lines = fmt::layer().with_writer(writer).with_ansi(false);
    tracing_subscriber::registry().with(targets(filter)?).with(lines).init();
    Ok(())
}

/// Which lines are written: a level, or levels of modules.
///
/// # Errors
/// When the filter is not one.
pub fn targets(filter: &str) -> anyhow::Result<Targets> {
    // A peer that left is asked for a while whether it comes back; boringtun warns each time.
    let full = format!("boringtun=error,{filter}");
    full.parse().with_context(|| format!("{filter:?} is not a filter of log lines"))
}

fn file(directory: &Path, now_ms: i64) -> anyhow::Result<std::sync::Mutex<std::fs::File>> {
    std::fs::create_dir_all(directory)
        .with_context(|| format!("Making the log directory {}", directory.display()))?;
    let name = format!("coder-ssh-{now_ms}-{}.log", std::process::id());
    let path = directory.join(name);
    let file = std::fs::File::create(&path)
        .with_context(|| format!("Making the log file {}", path.display()))?;
    Ok(std::sync::Mutex::new(file))
}
