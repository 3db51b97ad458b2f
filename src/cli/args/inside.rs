//! Flags of the commands that templates and their scripts call inside a workspace.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

/// Commands of the inside of a workspace.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Show how much of its machine this workspace uses
    Stat(Stat),
    /// Fetch a repository of dotfiles and install it in the home directory
    Dotfiles(Dotfiles),
    /// Commands for scripts of templates
    #[command(subcommand, hide = true)]
    Exp(Exp),
}

/// `stat`
#[derive(Debug, Args)]
pub struct Stat {
    /// Of what; of everything when absent
    #[command(subcommand)]
    pub of: Option<StatOf>,
    /// How to write it
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Plain,
}

/// What is measured.
#[derive(Clone, Debug, Subcommand)]
pub enum StatOf {
    /// Processor time in use, in cores
    Cpu {
        /// Of the whole machine, not of the container
        #[arg(long)]
        host: bool,
        /// How to write it
        #[arg(long, short, value_enum, default_value_t)]
        output: Plain,
    },
    /// Memory in use
    Mem {
        /// Of the whole machine, not of the container
        #[arg(long)]
        host: bool,
        /// The unit
        #[arg(long, value_enum, ignore_case = true, default_value_t)]
        prefix: Prefix,
        /// How to write it
        #[arg(long, short, value_enum, default_value_t)]
        output: Plain,
    },
    /// Space in use on a disk
    Disk {
        /// A path on the disk
        #[arg(long, default_value = "/")]
        path: PathBuf,
        /// The unit
        #[arg(long, value_enum, ignore_case = true, default_value_t)]
        prefix: Prefix,
        /// How to write it
        #[arg(long, short, value_enum, default_value_t)]
        output: Plain,
    },
}

/// How a number is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Plain {
    /// For a person.
    #[default]
    #[value(alias = "table")]
    Text,
    /// JSON.
    Json,
}

/// Units of bytes, each 1024 of the one before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum Prefix {
    /// KiB.
    Ki,
    /// MiB.
    Mi,
    /// GiB.
    #[default]
    Gi,
    /// TiB.
    Ti,
}

/// `dotfiles`
#[derive(Debug, Args)]
pub struct Dotfiles {
    /// The repository, as `git clone` takes it
    pub repository: String,
    /// The branch; the repository's own default, or the one checked out, when absent
    #[arg(long, short)]
    pub branch: Option<String>,
    /// Where links to the files go; the home directory when absent
    #[arg(long, env = "STEADING_SYMLINK_DIR", value_name = "DIR")]
    pub symlink_dir: Option<PathBuf>,
    /// Where the repository goes; relative to the directory of settings
    #[arg(
        long,
        env = "STEADING_DOTFILES_REPO_DIR",
        default_value = "dotfiles",
        value_name = "DIR"
    )]
    pub repo_dir: PathBuf,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// `exp`
#[derive(Debug, Subcommand)]
pub enum Exp {
    /// Scripts that wait for each other
    Sync(Sync),
}

/// `exp sync`
#[derive(Debug, Args)]
pub struct Sync {
    /// Where the agent keeps what scripts say of themselves
    #[arg(long, env = "STEADING_AGENT_SYNC_DIR", hide = true, global = true, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// What to do
    #[command(subcommand)]
    pub command: SyncCommand,
}

/// What a script says of itself.
#[derive(Clone, Debug, Subcommand)]
pub enum SyncCommand {
    /// Say whether scripts can wait for each other here
    Ping,
    /// Say that a unit needs others to be complete
    Want {
        /// The unit
        unit: String,
        /// The others
        #[arg(required = true)]
        dependencies: Vec<String>,
    },
    /// Wait until all that a unit needs is complete, and begin it
    Start {
        /// The unit
        unit: String,
        /// How long to wait at most
        #[arg(long, default_value = "5m", value_name = "DURATION")]
        timeout: String,
    },
    /// Say that a unit is complete
    Complete {
        /// The unit
        unit: String,
    },
    /// Show a unit and what it needs
    Status {
        /// The unit
        unit: String,
        /// How to write it
        #[arg(long, short, value_enum, default_value_t)]
        output: Plain,
    },
    /// Show all units
    List {
        /// How to write it
        #[arg(long, short, value_enum, default_value_t)]
        output: Plain,
    },
}
