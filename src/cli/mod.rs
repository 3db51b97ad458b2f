//! The command line: one file a command, all flags in [`args`], one typed client of the API.

mod access;
mod agent;
#[cfg_attr(not(unix), path = "no_agent_service.rs")]
mod agent_service;
pub mod api;
pub mod args;
mod audit;
#[cfg(feature = "server")]
mod audit_file;
mod charter;
pub mod client;
mod codes;
pub mod config;
mod config_ssh;
mod console;
pub mod context;
mod create;
mod dotfiles;
mod external_workspaces;
mod favorites;
mod features;
mod groups;
mod handover;
mod headers;
mod health;
mod invitations;
mod join;
mod link;
mod list;
mod log;
mod login;
mod logs;
mod misc;
mod nearest;
mod netcheck;
mod network_info;
#[cfg(feature = "server")]
mod on_machine;
mod open;
mod organizations;
mod output;
mod parameters;
mod ping;
mod port_forward;
mod progress;
mod prompt;
mod provisioner;
mod reach;
mod recordings;
pub mod reference;
mod requests;
mod rotations;
mod schedule;
#[cfg(feature = "server")]
mod serve;
#[cfg(feature = "server")]
mod settings;
mod sharing;
mod speedtest;
mod ssh;
mod ssh_keys;
mod start;
mod state;
mod stream;
mod support;
mod sync;
mod table;
mod templates;
mod times;
mod tokens;
mod tunnel;
#[cfg(feature = "server")]
mod up;
mod users;
mod version;
mod wake;
mod what_if;
mod who;
mod zip;

use std::process::ExitCode;

use args::{Cli, Command};
use context::Context;

use crate::tasks::OnPanic;

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

/// What a program ends with that writes into a pipe nobody reads: as if by SIGPIPE.
const CLOSED_PIPE: u8 = 128 + 13;

/// Runs the program: as Terraform's provider when it was started as one, else by its arguments.
#[must_use]
pub fn main() -> ExitCode {
    crate::memory::settle();
    #[cfg(feature = "server")]
    if let Some(code) = crate::provision::provider::plugin::main() {
        return code;
    }
    let (cli, matches) = match args::parse(&std::env::args_os().collect::<Vec<_>>()) {
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
        ctx.tasks.spawn("memory", OnPanic::Lose, crate::memory::let_go_of_start());
        let done = Box::pin(run_confirmed(&ctx, cli, &matches)).await;
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

fn is_server(command: &Command) -> bool {
    #[cfg(feature = "server")]
    {
        use args::serve::Command as C;
        matches!(command, Command::Serve(C::Up(_)))
            || matches!(command, Command::Serve(C::Server(server)) if server.command.is_none())
    }
    #[cfg(not(feature = "server"))]
    {
        let _ = command;
        false
    }
}

/// A server uses all processors; an agent and a command one thread.
fn runtime(command: &Command) -> std::io::Result<tokio::runtime::Runtime> {
    if is_server(command) {
        return tokio::runtime::Builder::new_multi_thread().enable_all().build();
    }
    tokio::runtime::Builder::new_current_thread().enable_all().build()
}

/// Whether output went into a pipe that nobody reads any more.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let io = error.downcast_ref::<std::io::Error>();
    io.is_some_and(|e| e.kind() == std::io::ErrorKind::BrokenPipe)
}

/// Says what went wrong, and gives the code to end with.
fn report(ctx: &Context, error: &anyhow::Error) -> ExitCode {
    match error.downcast_ref::<Exit>() {
        Some(Exit::Failed) => return ExitCode::FAILURE,
        Some(Exit::Code(code)) => return ExitCode::from(*code),
        Some(Exit::Declined) => {
            ctx.out.note("Nothing was done.");
            return ExitCode::FAILURE;
        }
        None => {}
    }
    if is_closed_pipe(error) {
        return ExitCode::from(CLOSED_PIPE);
    }
    let mut text = String::new();
    for (depth, cause) in error.chain().enumerate() {
        let cause = cause.to_string();
        if depth == 0 {
            text = cause;
        } else if !text.contains(&cause) {
            let between = if text.ends_with(['.', '?']) { " " } else { ": " };
            text.push_str(&format!("{between}{cause}"));
        }
    }
    ctx.out.note(&format!("{} {text}", ctx.out.paint(output::Paint::Bad, "error:")));
    ExitCode::FAILURE
}

/// Runs a command, and once more when a second factor was asked for and given.
async fn run_confirmed(ctx: &Context, cli: Cli, matches: &clap::ArgMatches) -> anyhow::Result<()> {
    if !is_server(&cli.command) {
        log::start(ctx, &cli.command)?;
    }
    let Err(error) = Box::pin(run(ctx, cli, matches)).await else { return Ok(()) };
    if !login::confirm(ctx, &error).await? {
        return Err(error);
    }
    let (cli, matches) = args::parse(&std::env::args_os().collect::<Vec<_>>())?;
    Box::pin(run(ctx, cli, &matches)).await
}

#[cfg_attr(not(feature = "server"), expect(unused_variables, reason = "only the server looks"))]
async fn run(ctx: &Context, cli: Cli, matches: &clap::ArgMatches) -> anyhow::Result<()> {
    match cli.command {
        Command::People(command) => people(ctx, command).await,
        Command::Templates(command) => templates::run(ctx, command).await,
        Command::Workspaces(command) => workspaces(ctx, command).await,
        Command::Connect(command) => connect(ctx, command).await,
        Command::Inside(command) => inside(ctx, command).await,
        Command::Other(command) => other(ctx, command).await,
        #[cfg(feature = "server")]
        Command::Serve(command) => serve(ctx, command, matches).await,
    }
}

async fn people(ctx: &Context, command: args::people::Command) -> anyhow::Result<()> {
    use args::people::Command as C;
    match command {
        C::Login(args) => login::login(ctx, args).await,
        C::Logout(args) => login::logout(ctx, args).await,
        C::Whoami(how) => login::whoami(ctx, &how).await,
        C::Tokens(command) => tokens::run(ctx, command).await,
        C::Users(command) => users::run(ctx, command).await,
        C::Groups(command) => groups::run(ctx, command).await,
        C::Organizations(command) => organizations::run(ctx, command).await,
        C::Access(command) => access::run(ctx, command).await,
        C::Rotations(command) => rotations::run(ctx, command).await,
        C::SshKeys(command) => ssh_keys::run(ctx, command).await,
        C::Publickey(args) => ssh_keys::publickey(ctx, args).await,
    }
}

#[expect(clippy::cognitive_complexity, reason = "one arm a command")]
async fn workspaces(ctx: &Context, command: args::workspaces::Command) -> anyhow::Result<()> {
    use args::workspaces::Command as C;
    match command {
        C::Create(args) => create::run(ctx, args).await,
        C::List(args) => list::list(ctx, args).await,
        C::ExternalWorkspaces(command) => external_workspaces::run(ctx, command).await,
        C::Show(args) => list::show(ctx, args).await,
        C::Start(args) => start::start(ctx, args).await,
        C::Stop(args) => start::stop(ctx, args).await,
        C::Restart(args) => start::restart(ctx, args).await,
        C::Update(args) => start::update(ctx, args).await,
        C::Rename(args) => start::rename(ctx, args).await,
        C::Delete(args) => start::delete(ctx, args).await,
        C::Logs(args) => logs::run(ctx, args).await,
        C::Schedule(command) => schedule::run(ctx, command).await,
        C::Autoupdate(args) => schedule::autoupdate(ctx, args).await,
        C::Favorites(command) => favorites::run(ctx, command).await,
        C::State(command) => state::run(ctx, command).await,
        C::Health(args) => health::run(ctx, args).await,
        C::Wake(args) => wake::run(ctx, args).await,
        C::Who(args) => who::run(ctx, args).await,
        C::Terminals(args) => join::list(ctx, args).await,
        C::Join(args) => join::join(ctx, args).await,
        C::Sharing(command) => sharing::run(ctx, command).await,
        C::Codes(command) => codes::run(ctx, command).await,
        C::Handover(args) => handover::run(ctx, args).await,
        C::Requests(command) => requests::run(ctx, command).await,
        C::BreakGlass(args) => requests::break_glass(ctx, args).await,
    }
}

async fn connect(ctx: &Context, command: args::connect::Command) -> anyhow::Result<()> {
    use args::connect::Command as C;
    match command {
        C::Ssh(args) => ssh::run(ctx, args).await,
        C::Vscodessh(args) => ssh::vscode(ctx, args).await,
        C::ConfigSsh(args) => config_ssh::run(ctx, args).await,
        C::Ping(args) => ping::run(ctx, args).await,
        C::Speedtest(args) => speedtest::run(ctx, args).await,
        C::Netcheck(_) => netcheck::run(ctx).await,
        C::PortForward(args) => port_forward::run(ctx, args).await,
        C::Open(command) => open::run(ctx, command).await,
    }
}

async fn inside(ctx: &Context, command: args::inside::Command) -> anyhow::Result<()> {
    use args::inside::Command as C;
    match command {
        C::Stat(args) => agent::stat(ctx, args).await,
        C::Dotfiles(args) => dotfiles::run(ctx, &args),
        C::Exp(args::inside::Exp::Sync(args)) => sync::run(ctx, args).await,
    }
}

async fn other(ctx: &Context, command: args::Other) -> anyhow::Result<()> {
    use args::Other as C;
    match command {
        C::Version(how) => version::run(&ctx.out, &how),
        C::Audit(command) => audit(ctx, command).await,
        C::Recordings(command) => recordings::run(ctx, command).await,
        C::Support(command) => support::run(ctx, command).await,
        C::Completion(args) => misc::completion(ctx, &args),
        C::ExternalAuth(command) => misc::external_auth(command),
        C::Provisioner(command) => provisioner::run(ctx, command).await,
        C::Features(command) => features::run(ctx, command).await,
        C::Gitssh(args) => misc::gitssh(args),
        C::Agent(args) => agent::run(ctx, args).await,
    }
}

/// A data directory is read by the server's own code.
async fn audit(ctx: &Context, command: args::audit::Audit) -> anyhow::Result<()> {
    #[cfg(feature = "server")]
    if let args::audit::Audit::Verify(args) = &command
        && let Some(data) = &args.data
    {
        return audit_file::verify(ctx, args, data);
    }
    audit::run(ctx, command).await
}

#[cfg(feature = "server")]
async fn serve(
    ctx: &Context,
    command: args::serve::Command,
    matches: &clap::ArgMatches,
) -> anyhow::Result<()> {
    use args::serve::{Command as C, ServerCommand};
    let matches = matches.subcommand().map_or(matches, |(_, of_command)| of_command);
    match command {
        C::Up(args) => up::run(ctx, args, matches).await,
        C::Server(args) => match args.command {
            Some(ServerCommand::CreateAdminUser(args)) => {
                on_machine::create_admin_user::run(ctx, args).await
            }
            None => serve::run(ctx, args, matches).await,
        },
        C::ProviderMirror(args) => serve::provider_mirror(ctx, &args),
        C::ResetPassword(args) => on_machine::reset_password::run(ctx, args).await,
        C::CreateAdminUser(args) => on_machine::create_admin_user::run(ctx, args).await,
    }
}

/// A template that comes with the program.
#[derive(Clone, Debug)]
pub struct Starter {
    /// Its id.
    pub id: &'static str,
    /// What it is for.
    pub description: &'static str,
    /// What has to be there before it works, a phrase each.
    pub needs: Vec<&'static str>,
    /// Its variables without a default, which a push has to give.
    pub asks: Vec<String>,
    /// Its files, as a tar archive.
    pub archive: bytes::Bytes,
}

/// The templates that come with the program; none in the slim one.
#[must_use]
pub fn starters() -> Vec<Starter> {
    #[cfg(feature = "server")]
    return crate::provision::starters::ALL
        .iter()
        .map(|s| Starter {
            id: s.id,
            description: s.description,
            needs: s.needs.clone(),
            asks: s.asks.iter().map(|v| v.name.clone()).collect(),
            archive: s.archive(),
        })
        .collect();
    #[cfg(not(feature = "server"))]
    vec![]
}
