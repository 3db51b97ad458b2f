//! Arguments of the commands about workspaces and their builds.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::accepted::Yes;
use super::organizations::Within;
pub use super::parameters::Parameters;
use super::{Format, Listing};

/// Commands about workspaces.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Create a workspace
    Create(Create),
    /// List workspaces
    #[command(visible_alias = "ls")]
    List(List),
    /// Workspaces on machines that someone else runs
    #[command(subcommand, visible_alias = "external-workspace")]
    ExternalWorkspaces(super::external_workspaces::ExternalWorkspaces),
    /// Show a workspace's resources and agents
    Show(Show),
    /// Start a workspace
    Start(Start),
    /// Stop a workspace
    Stop(Stop),
    /// Stop a workspace and start it again
    Restart(Start),
    /// Bring a workspace to its template's active version
    Update(Start),
    /// Give a workspace another name
    Rename(Rename),
    /// Delete a workspace
    #[command(visible_alias = "rm")]
    Delete(Delete),
    /// Show the log of a build and of its agents
    Logs(Logs),
    /// When a workspace starts and stops by itself
    #[command(subcommand)]
    Schedule(Schedule),
    /// Whether a workspace follows its template's active version
    Autoupdate(Autoupdate),
    /// Which workspaces lists show first.
    #[command(flatten)]
    Favorites(Favorites),
    /// Take out or put back a workspace's Terraform state
    #[command(subcommand)]
    State(State),
    /// How the machines are that workspaces run on
    Health(super::machines::HealthArgs),
    /// Wake a machine that sleeps, by another on its network
    Wake(super::machines::Wake),
    /// Who is in which workspace now
    Who(WhoArgs),
    /// The terminals of a workspace that people are at
    Terminals(Terminals),
    /// Come to a terminal that others are at, or begin one that they can come to
    Join(Join),
    /// Who else may work in a workspace, and until when
    #[command(subcommand, visible_alias = "share")]
    Sharing(super::sharing::Sharing),
    /// Share codes: whoever has one gets into a workspace for some time
    #[command(subcommand, visible_alias = "code")]
    Codes(super::codes::Codes),
    /// Make a workspace another's: a service account's, or a person's
    Handover(Handover),
    /// Ask for access to a workspace, and answer who asks
    #[command(subcommand)]
    Requests(super::requests::Requests),
    /// Enter a workspace in an emergency: recorded, and everyone is told
    BreakGlass(super::requests::BreakGlass),
}

/// `who`
#[derive(Debug, Args)]
pub struct WhoArgs {
    /// The workspace: NAME or OWNER/NAME; all that you may see when absent
    pub workspace: Option<String>,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}

/// `terminals`
#[derive(Debug, Args)]
pub struct Terminals {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}

/// `join`
#[derive(Debug, Args)]
pub struct Join {
    /// The workspace: NAME, OWNER/NAME, either with .AGENT
    pub workspace: String,
    /// The terminal, by the beginning of its id; the last that was begun when absent
    pub terminal: Option<String>,
    /// Look on, without typing
    #[arg(long)]
    pub watch: bool,
}

/// `create`
#[derive(Debug, Args)]
pub struct Create {
    /// Its name, or OWNER/NAME
    pub name: Option<String>,
    /// The template; asked for when there are several
    #[arg(long, short, env = "STEADING_TEMPLATE_NAME", value_name = "NAME")]
    pub template: Option<String>,
    /// Which version; the active one when absent
    #[arg(long, env = "STEADING_TEMPLATE_VERSION", value_name = "NAME")]
    pub template_version: Option<String>,
    /// A preset of the template; `none` for none
    #[arg(long, env = "STEADING_PRESET_NAME", value_name = "NAME")]
    pub preset: Option<String>,
    /// Answers.
    #[command(flatten)]
    pub parameters: Parameters,
    /// A workspace whose answers are taken where none are given
    #[arg(long, env = "STEADING_WORKSPACE_COPY_PARAMETERS_FROM", value_name = "WORKSPACE")]
    pub copy_parameters_from: Option<String>,
    /// Stop after this long, such as 8h
    #[arg(long, env = "STEADING_WORKSPACE_STOP_AFTER", value_name = "DURATION")]
    pub stop_after: Option<String>,
    /// When to start by itself, such as `CRON_TZ=Europe/Berlin 0 9 * * 1-5`
    #[arg(long, env = "STEADING_WORKSPACE_START_AT", value_name = "SCHEDULE")]
    pub start_at: Option<String>,
    /// Follow the template's active version: always or never
    #[arg(long, default_value = "never", value_name = "WHEN")]
    pub automatic_updates: String,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Return as soon as the build is queued
    #[arg(long)]
    pub no_wait: bool,
    /// Where the template is, and the workspace will be.
    #[command(flatten)]
    pub within: Within,
}

/// `list`
#[derive(Debug, Args)]
pub struct List {
    /// Everyone's
    #[arg(long, short)]
    pub all: bool,
    /// A filter, such as `owner:ada status:running`
    #[arg(long, default_value = "owner:me", value_name = "FILTER")]
    pub search: String,
    /// Those shared with you
    #[arg(long)]
    pub shared: bool,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}

/// `show`
#[derive(Debug, Args)]
pub struct Show {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}

/// `start`, `restart`, `update`
#[derive(Debug, Args)]
pub struct Start {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
    /// Answers.
    #[command(flatten)]
    pub parameters: Parameters,
    /// Ask for every parameter again
    #[arg(long, visible_alias = "always-prompt")]
    pub ask: bool,
    /// A preset of the template
    #[arg(long, env = "STEADING_PRESET_NAME", value_name = "NAME")]
    pub preset: Option<String>,
    /// What the build is recorded as, such as `vscode_connection`
    #[arg(long, default_value = "", value_name = "REASON")]
    pub reason: String,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Return as soon as the build is queued
    #[arg(long)]
    pub no_wait: bool,
}

/// `stop`
#[derive(Debug, Args)]
pub struct Stop {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
    /// What the build is recorded as
    #[arg(long, default_value = "", value_name = "REASON")]
    pub reason: String,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Return as soon as the build is queued
    #[arg(long)]
    pub no_wait: bool,
}

/// `rename`
#[derive(Debug, Args)]
pub struct Rename {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
    /// Its new name
    pub name: String,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// `delete`
#[derive(Debug, Args)]
pub struct Delete {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
    /// Forget the workspace and leave its resources as they are
    #[arg(long)]
    pub orphan: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Return as soon as the build is queued
    #[arg(long)]
    pub no_wait: bool,
}

/// `logs`
#[derive(Debug, Args)]
pub struct Logs {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
    /// Go on as lines come, until the build and its start scripts are done
    #[arg(long, short)]
    pub follow: bool,
    /// The build's number; the latest one by default. 0 and less count back from it
    #[arg(
        long,
        visible_alias = "build-number",
        short = 'n',
        default_value_t = 0,
        allow_negative_numbers = true,
        value_name = "N"
    )]
    pub build: i64,
    /// How to write it
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

/// `schedule`
#[derive(Debug, Subcommand)]
pub enum Schedule {
    /// Show it for a workspace, or for those a filter finds
    Show {
        /// The workspace: NAME or OWNER/NAME; all of yours when absent
        #[arg(conflicts_with_all = ["all", "search"])]
        workspace: Option<String>,
        /// Everyone's
        #[arg(long, short, conflicts_with = "search")]
        all: bool,
        /// A filter, such as `owner:ada`
        #[arg(long, default_value = "owner:me", value_name = "FILTER")]
        search: String,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Start it at a time of day: `9:30AM Mon-Fri Europe/Dublin`, or `manual` for never
    Start {
        /// The workspace: NAME or OWNER/NAME
        workspace: String,
        /// A time; then the days, all by default; then the time zone, UTC by default
        #[arg(required = true, num_args = 1..=3, value_name = "TIME [DAYS [ZONE]]")]
        when: Vec<String>,
    },
    /// Stop it this long after its start: `8h`, or `manual` for never
    Stop {
        /// The workspace: NAME or OWNER/NAME
        workspace: String,
        /// How long it runs
        after: String,
    },
    /// Have it run for this long from now
    #[command(visible_alias = "override-stop")]
    Extend {
        /// The workspace: NAME or OWNER/NAME
        workspace: String,
        /// How long
        duration: String,
    },
}

/// Which workspaces lists show first.
#[derive(Debug, Subcommand)]
pub enum Favorites {
    /// Show a workspace before the others in lists
    #[command(visible_aliases = ["fav", "favou", "favourite"])]
    Favorite(Favorite),
    /// Show it in its place again
    #[command(visible_aliases = ["unfav", "unfavou", "unfavourite"])]
    Unfavorite(Favorite),
}

/// `favorite` and `unfavorite`
#[derive(Debug, Args)]
pub struct Favorite {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
}

/// `autoupdate`
#[derive(Debug, Args)]
pub struct Autoupdate {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
    /// `always` or `never`
    #[arg(value_parser = ["always", "never"])]
    pub policy: String,
    /// Taken for the sake of scripts.
    #[command(flatten)]
    pub accepted: Yes,
}

/// `state`
#[derive(Debug, Subcommand)]
pub enum State {
    /// Write the state to a file, or to standard output
    Pull {
        /// The workspace: NAME or OWNER/NAME
        workspace: String,
        /// Where to
        file: Option<PathBuf>,
        /// Which build; the latest one by default
        #[arg(long, short, default_value_t = 0, value_name = "N")]
        build: i64,
    },
    /// Build the workspace again from a state in a file, or from standard input
    Push {
        /// The workspace: NAME or OWNER/NAME
        workspace: String,
        /// Where from; `-` for standard input
        file: PathBuf,
        /// Put it in place without a build
        #[arg(long, short)]
        no_build: bool,
        /// Which build, with --no-build; the latest one by default
        #[arg(long, short, default_value_t = 0, value_name = "N")]
        build: i64,
    },
}

/// `handover`
#[derive(Debug, Args)]
pub struct Handover {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
    /// Whose it becomes, by name or id
    #[arg(long, value_name = "USER")]
    pub to: String,
    /// End what was granted on it
    #[arg(long)]
    pub end_grants: bool,
    /// Say what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}
