//! Every flag and environment variable, with its help. Nothing else reads the environment.

pub mod accepted;
pub mod access;
pub mod agent;
pub mod audit;
pub mod codes;
pub mod connect;
pub mod external_workspaces;
pub mod inside;
pub mod machines;
pub mod organizations;
pub mod parameters;
pub mod people;
pub mod provisioner;
pub mod recordings;
pub mod requests;
pub mod rotations;
#[cfg(feature = "server")]
pub mod serve;
pub mod sharing;
mod surroundings;
pub mod templates;
pub mod workspaces;

use std::ffi::OsString;
use std::path::PathBuf;

use clap::{ArgMatches, CommandFactory as _, FromArgMatches as _, Parser, Subcommand, ValueEnum};

pub use surroundings::{Surroundings, whole_environment};

/// Dev workspaces for a homelab or a small team.
#[derive(Debug, Parser)]
#[command(
    name = "steading",
    version,
    propagate_version = false,
    max_term_width = 100,
    disable_help_subcommand = true,
    after_help = "Start with `steading up` on this machine, or `steading login URL` for a server."
)]
pub struct Cli {
    /// What holds for every command.
    #[command(flatten)]
    pub globals: Globals,
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
}

/// Flags that every command takes.
#[derive(Clone, Debug, Default, clap::Args)]
#[command(next_help_heading = "Global options")]
pub struct Globals {
    /// The server's address; the one `login` stored by default
    #[arg(long, global = true, env = "STEADING_URL", value_name = "URL")]
    pub url: Option<String>,
    /// A session or API token; the one `login` stored by default
    #[arg(
        long,
        global = true,
        env = "STEADING_SESSION_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub token: Option<String>,
    /// Where address and token are kept
    #[arg(long, global = true, env = "STEADING_CONFIG_DIR", value_name = "DIR")]
    pub global_config: Option<PathBuf>,
    /// A header to send with each request, KEY=VALUE; may be repeated
    #[arg(
        long,
        global = true,
        env = "STEADING_HEADER",
        value_name = "KEY=VALUE",
        value_delimiter = ','
    )]
    pub header: Vec<String>,
    /// A command that prints further headers, one KEY=VALUE a line
    #[arg(long, global = true, env = "STEADING_HEADER_COMMAND", value_name = "COMMAND")]
    pub header_command: Option<String>,
    /// Say more on standard error
    #[arg(long, short, global = true, env = "STEADING_VERBOSE")]
    pub verbose: bool,
    /// Take no part in direct connections: everything goes through the server
    #[arg(long, global = true, env = "STEADING_DISABLE_DIRECT_CONNECTIONS")]
    pub disable_direct_connections: bool,
    /// Taken for the sake of Coder's plug-ins.
    #[command(flatten)]
    pub accepted: accepted::Accepted,
}

/// How lists are written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// Columns.
    #[default]
    #[value(alias = "text")]
    Table,
    /// JSON, as the API gives it.
    Json,
}

/// The flags for it.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Listing {
    /// How to write it
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
    /// Which columns of the table, in which order
    #[arg(long, short, value_delimiter = ',', value_name = "COLUMN")]
    pub column: Vec<String>,
}

/// Everything the program does. Flattened: the groups are not seen by who types.
#[cfg_attr(feature = "server", expect(clippy::large_enum_variant, reason = "one is made a run"))]
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Sessions, people, keys.
    #[command(flatten)]
    People(people::Command),
    /// Push, pull and change templates
    #[command(subcommand, visible_alias = "template")]
    Templates(templates::Templates),
    /// Workspaces and their builds.
    #[command(flatten)]
    Workspaces(workspaces::Command),
    /// Ways into workspaces.
    #[command(flatten)]
    Connect(connect::Command),
    /// What is for the inside of a workspace.
    #[command(flatten)]
    Inside(inside::Command),
    /// What stands alone.
    #[command(flatten)]
    Other(Other),
    /// The server's own.
    #[cfg(feature = "server")]
    #[command(flatten)]
    Serve(serve::Command),
}

/// Commands that stand alone.
#[derive(Debug, Subcommand)]
pub enum Other {
    /// Print this program's version
    Version(Listing),
    /// Who did what, and whether the log of it is as it was written
    #[command(subcommand)]
    Audit(audit::Audit),
    /// What recorded sessions showed, and who ran what in them
    #[command(subcommand, visible_alias = "recording")]
    Recordings(recordings::Recordings),
    /// Collect what is needed to find a fault
    #[command(subcommand)]
    Support(connect::Support),
    /// Print the completion script for a shell
    Completion(connect::Completion),
    /// Tokens of other services
    #[command(subcommand)]
    ExternalAuth(connect::ExternalAuth),
    /// What the server's runners of Terraform do
    #[command(subcommand)]
    Provisioner(provisioner::Provisioner),
    /// What of Coder's paid features is here: all that is there is free
    #[command(subcommand)]
    Features(provisioner::Features),
    /// SSH for Git inside a workspace
    #[command(hide = true, disable_help_flag = true)]
    Gitssh(connect::GitSsh),
    /// Run a workspace's agent
    #[command(hide = true)]
    Agent(agent::Agent),
}

/// Environment variables of Coder's that have another name than our twin of them.
const TWINS: &[(&str, &str)] = &[
    ("STEADING_TRUSTED_PROXY", "CODER_PROXY_TRUSTED_ORIGINS"),
    ("STEADING_PROVISIONERS", "CODER_PROVISIONER_DAEMONS"),
];

/// Reads the command line. The matches tell the server's settings where each came from.
///
/// # Errors
/// What to print, and with which code to end.
pub fn parse(words: &[OsString]) -> Result<(Cli, ArgMatches), clap::Error> {
    let as_coder = words.first().is_some_and(is_coder);
    // To look through all commands takes a millisecond: only those are looked through that are named.
    let is_named = |command: &clap::Command| {
        let mut names = command.get_all_aliases().chain([command.get_name()]);
        names.any(|name| words.iter().any(|word| word == name))
    };
    let matches = tree(as_coder, &is_named).try_get_matches_from(words)?;
    Ok((Cli::from_arg_matches(&matches)?, matches))
}

/// Whether the program was called by Coder's name.
#[must_use]
pub fn is_called_coder() -> bool {
    std::env::args_os().next().is_some_and(|word| is_coder(&word))
}

/// The whole command tree; with Coder's names in the help when called as `coder`.
#[must_use]
pub fn command(as_coder: bool) -> clap::Command {
    tree(as_coder, &|_| true)
}

fn tree(as_coder: bool, is_named: &dyn Fn(&clap::Command) -> bool) -> clap::Command {
    let name = if as_coder { "coder" } else { "steading" };
    twin_variables(Cli::command().name(name).bin_name(name), as_coder, is_named)
}

fn is_coder(word: &OsString) -> bool {
    let path = std::path::Path::new(word);
    path.file_stem().is_some_and(|s| s.eq_ignore_ascii_case("coder"))
        || path.file_name().is_some_and(|s| s.to_string_lossy().starts_with("coder-"))
}

/// Lets each `STEADING_X` be given as Coder's twin too; ours wins when both are set. Of the commands
/// below, in those that are named.
fn twin_variables(
    command: clap::Command,
    as_coder: bool,
    is_named: &dyn Fn(&clap::Command) -> bool,
) -> clap::Command {
    command
        .mut_args(|arg| {
            let arg = arg.hide_env_values(true);
            let Some(ours) = arg.get_env().and_then(|e| e.to_str()).map(str::to_owned) else {
                return arg;
            };
            let twin = twin_of(&ours);
            let set = |name: &str| std::env::var_os(name).is_some_and(|v| !v.is_empty());
            if set(&ours) || !(as_coder || set(&twin)) { arg } else { arg.env(twin) }
        })
        .mut_subcommands(|sub| match is_named(&sub) {
            true => twin_variables(sub, as_coder, is_named),
            false => sub,
        })
}

fn twin_of(ours: &str) -> String {
    let named = TWINS.iter().find(|(o, _)| *o == ours).map(|(_, coder)| (*coder).to_owned());
    named.unwrap_or_else(|| ours.replacen("STEADING_", "CODER_", 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(line: &str) -> Cli {
        parse(&line.split(' ').map(OsString::from).collect::<Vec<_>>()).unwrap().0
    }

    #[test]
    fn the_command_tree_is_sound() {
        command(false).debug_assert();
        command(true).debug_assert();
    }

    #[test]
    fn the_lines_of_plug_ins_are_understood() {
        let check = |line: &str| {
            read(line);
        };
        check("coder version --output json");
        check("coder --global-config /d login --use-token-as-session https://x");
        check("coder login token --url https://x");
        check("coder logout --url https://x --yes");
        check("coder --global-config /d start --yes --reason vscode_connection ada/kiln");
        check("coder start --yes --reason jetbrains_connection -- ada/kiln");
        check("coder update --parameter a=b ada/kiln");
        check("coder speedtest kiln --output json -t 5s");
        check("coder support bundle kiln --output-file /f --yes");
        check("coder login https://x --token t --global-config /d");
        check("coder create kiln -t docker -O default --ephemeral-parameter a=b -y");
        check("coder restart kiln --build-option a=b -y");
        check("coder templates push -d . --name v2 --org default -y");
        check("coder templates list -c name -o table");
        check("coder users list --column username,status");
        check("coder speedtest kiln -d --direction up");
        check("coder ssh --workspace-poll-interval 1m --identity-agent /s kiln");
        check("coder config-ssh --force-unix-filepaths --skip-proxy-command=false -y");
        check("coder schedule start kiln 9:30AM Mon-Fri Europe/Dublin");
        check("coder schedule stop kiln 8h");
        check("coder schedule override-stop kiln 3h");
        check("coder schedule show --all");
        check("coder autoupdate kiln always");
        check("coder vscodessh --network-info-dir /n --session-token-file /s --url-file /u host");
    }

    #[test]
    fn proxy_commands_name_their_workspace_after_two_hyphens_too() {
        #[expect(clippy::wildcard_enum_match_arm, reason = "only one of them is meant")]
        let ssh = |line: &str| match read(line).command {
            Command::Connect(connect::Command::Ssh(ssh)) => ssh,
            _ => panic!("{line}"),
        };
        let vscode =
            ssh("coder --global-config /d ssh --disable-autostart --stdio --usage-app=vscode \
             --network-info-dir /n --log-dir /l -v --ssh-host-prefix coder-vscode.x-- \
             coder-vscode.x--ada--kiln.main");
        assert!(vscode.stdio);
        assert_eq!(vscode.target, ["coder-vscode.x--ada--kiln.main"]);
        let jetbrains =
            ssh("coder --url https://x ssh --stdio --usage-app=jetbrains -- ada/kiln.main");
        assert_eq!(jetbrains.target, ["ada/kiln.main"]);
        let command = ssh("steading ssh kiln -A -- ls -la");
        assert_eq!(command.target, ["kiln", "ls", "-la"]);
    }

    #[test]
    fn help_of_the_program() {
        let help = command(false).term_width(100).render_help().to_string();
        expect_test::expect_file!["testdata/help.txt"].assert_eq(&help);
        for name in ["login", "create", "ssh", "config-ssh"] {
            let mut tree = command(false).term_width(100);
            let sub = tree.find_subcommand_mut(name).unwrap().clone();
            let help = sub.term_width(100).render_help().to_string();
            expect_test::expect_file![format!("testdata/help-{name}.txt")].assert_eq(&help);
        }
    }

    #[test]
    fn called_as_coder_the_help_speaks_of_coder() {
        let help = command(true).render_help().to_string();
        assert!(help.contains("CODER_URL") && !help.contains("STEADING_URL"), "{help}");
    }
}
