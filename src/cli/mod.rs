//! The command line: one file a command, all flags in [`args`], one typed client of the API.

mod agent;
pub mod api;
pub mod args;
pub mod client;
pub mod config;
mod config_ssh;
pub mod context;
mod create;
mod duration;
mod headers;
mod link;
mod list;
mod log;
mod login;
mod logs;
mod misc;
mod nearest;
mod netcheck;
mod network_info;
mod open;
mod output;
mod parameters;
mod ping;
mod port_forward;
mod progress;
mod prompt;
mod reach;
pub mod reference;
#[cfg(feature = "server")]
mod reset_password;
#[cfg(feature = "server")]
mod serve;
#[cfg(feature = "server")]
mod settings;
mod speedtest;
mod ssh;
mod ssh_keys;
mod start;
mod state;
mod stream;
mod support;
mod table;
mod templates;
mod times;
mod tokens;
mod tunnel;
#[cfg(feature = "server")]
mod up;
mod users;
mod version;
mod zip;

use std::process::ExitCode;

use args::{Cli, Command};
use context::Context;

/// How a command ends when its words were already said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exit {
    /// It failed, and has said why.
    #[error("the command failed")]
    Failed,
    /// The person said no.
    #[error("nothing was done")]
    Declined,
    /// With a remote command's own code.
    #[error("the command ended with {0}")]
    Code(u8),
}

/// The code of a command that was typed wrong, as clap has it.
const USAGE: u8 = 2;

/// Runs the program: as Terraform's provider when it was started as one, else by its arguments.
#[must_use]
pub fn main() -> ExitCode {
    #[cfg(feature = "server")]
    if let Some(code) = crate::provision::provider::plugin::main() {
        return code;
    }
    let (cli, matches) = match args::parse(std::env::args_os().collect()) {
        Ok(parsed) => parsed,
        Err(error) => {
            let _ = error.print();
            return ExitCode::from(u8::try_from(error.exit_code()).unwrap_or(USAGE));
        }
    };
    let runtime = match runtime(&cli.command) {
        Ok(runtime) => runtime,
        Err(error) => return report(&Context::new(cli.globals), &error.into()),
    };
    let ctx = Context::new(cli.globals.clone());
    let result = runtime.block_on(async {
        let done = Box::pin(run(&ctx, cli, &matches)).await;
        ctx.tasks.stop(std::time::Duration::from_millis(700)).await;
        done
    });
    // A read of standard input may still wait in a thread: it is not waited for.
    runtime.shutdown_background();
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => report(&ctx, &error),
    }
}

/// A server uses all processors; an agent and a command one thread.
fn runtime(command: &Command) -> std::io::Result<tokio::runtime::Runtime> {
    #[cfg(feature = "server")]
    if matches!(command, Command::Server(_) | Command::Up(_)) {
        return tokio::runtime::Builder::new_multi_thread().enable_all().build();
    }
    let _ = command;
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Says what went wrong, and gives the code to end with.
fn report(ctx: &Context, error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref::<Exit>() {
        Some(Exit::Failed) => return ExitCode::FAILURE,
        Some(Exit::Code(code)) => return ExitCode::from(*code),
        Some(Exit::Declined) | None => {}
    }
    let io = error.downcast_ref::<std::io::Error>();
    if io.is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe) {
        return ExitCode::FAILURE;
    }
    let mut text = String::new();
    for (depth, cause) in error.chain().enumerate() {
        let cause = cause.to_string();
        if depth == 0 {
            text = cause;
        } else if !text.contains(&cause) {
            text.push_str(&format!(": {cause}"));
        }
    }
    ctx.out.note(&format!("{} {text}", ctx.out.paint(output::Paint::Bad, "error:")));
    ExitCode::FAILURE
}

async fn run(ctx: &Context, cli: Cli, matches: &clap::ArgMatches) -> anyhow::Result<()> {
    log::start(ctx, &cli.command)?;
    match cli.command {
        Command::Login(args) => login::login(ctx, args).await,
        Command::Logout(args) => login::logout(ctx, args).await,
        Command::Whoami(how) => login::whoami(ctx, how).await,
        Command::Version(how) => version::run(&ctx.out, how),
        Command::Tokens(command) => tokens::run(ctx, command).await,
        Command::Users(command) => users::run(ctx, command).await,
        Command::SshKeys(command) => ssh_keys::run(ctx, command).await,
        Command::Publickey(args) => ssh_keys::publickey(ctx, args).await,
        Command::Templates(command) => templates::run(ctx, command).await,
        Command::Completion(args) => misc::completion(ctx, args),
        Command::ExternalAuth(command) => misc::external_auth(command),
        Command::Gitssh(args) => misc::gitssh(args),
        Command::Agent(args) => agent::run(ctx, args).await,
        command => run_workspaces(ctx, command, matches).await,
    }
}

async fn run_workspaces(
    ctx: &Context,
    command: Command,
    matches: &clap::ArgMatches,
) -> anyhow::Result<()> {
    match command {
        Command::Create(args) => create::run(ctx, args).await,
        Command::List(args) => list::list(ctx, args).await,
        Command::Show(args) => list::show(ctx, args).await,
        Command::Start(args) => start::start(ctx, args).await,
        Command::Stop(args) => start::stop(ctx, args).await,
        Command::Restart(args) => start::restart(ctx, args).await,
        Command::Update(args) => start::update(ctx, args).await,
        Command::Rename(args) => start::rename(ctx, args).await,
        Command::Delete(args) => start::delete(ctx, args).await,
        Command::Logs(args) => logs::run(ctx, args).await,
        Command::State(command) => state::run(ctx, command).await,
        command => run_connect(ctx, command, matches).await,
    }
}

async fn run_connect(
    ctx: &Context,
    command: Command,
    matches: &clap::ArgMatches,
) -> anyhow::Result<()> {
    match command {
        Command::Ssh(args) => ssh::run(ctx, args).await,
        Command::Vscodessh(args) => ssh::vscode(ctx, args).await,
        Command::ConfigSsh(args) => config_ssh::run(ctx, args).await,
        Command::Ping(args) => ping::run(ctx, args).await,
        Command::Speedtest(args) => speedtest::run(ctx, args).await,
        Command::Netcheck(_) => netcheck::run(ctx).await,
        Command::PortForward(args) => port_forward::run(ctx, args).await,
        Command::Open(command) => open::run(ctx, command).await,
        Command::Support(command) => support::run(ctx, command).await,
        command => run_server(ctx, command, matches).await,
    }
}

#[cfg(feature = "server")]
async fn run_server(
    ctx: &Context,
    command: Command,
    matches: &clap::ArgMatches,
) -> anyhow::Result<()> {
    let matches = matches.subcommand().map_or(matches, |(_, of_command)| of_command);
    match command {
        Command::Up(args) => up::run(ctx, args, matches).await,
        Command::Server(args) => serve::run(ctx, args, matches).await,
        Command::ProviderMirror(args) => serve::provider_mirror(ctx, &args),
        Command::ResetPassword(args) => reset_password::run(ctx, args).await,
        command => unreachable!("{command:?} is dispatched before"),
    }
}

#[cfg(not(feature = "server"))]
async fn run_server(
    _: &Context,
    command: Command,
    _: &clap::ArgMatches,
) -> anyhow::Result<()> {
    std::future::ready(()).await;
    unreachable!("{command:?} is dispatched before")
}

/// A template that comes with the program.
#[derive(Clone, Debug)]
pub struct Starter {
    /// Its id.
    pub id: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// Its files, as a tar archive.
    pub archive: bytes::Bytes,
}

/// The templates that come with the program; none in the slim one.
#[must_use]
pub fn starters() -> Vec<Starter> {
    #[cfg(feature = "server")]
    return crate::provision::starters::ALL
        .iter()
        .map(|s| Starter { id: s.id, description: s.description, archive: s.archive() })
        .collect();
    #[cfg(not(feature = "server"))]
    vec![]
}
