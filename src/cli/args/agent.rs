//! Arguments of the agent, and of what makes it a service.

use std::path::PathBuf;

use clap::{Args, Subcommand};

/// `agent`
#[derive(Debug, Args)]
pub struct Agent {
    /// What to do with its service; the agent runs when absent
    #[command(subcommand)]
    pub command: Option<AgentCommand>,
    /// The server's address
    #[arg(long, global = true, env = "STEADING_AGENT_URL", value_name = "URL")]
    pub agent_url: Option<String>,
    /// The agent's secret
    #[arg(
        long,
        global = true,
        env = "STEADING_AGENT_TOKEN",
        hide_env_values = true,
        value_name = "TOKEN"
    )]
    pub agent_token: Option<String>,
    /// A file with the agent's secret
    #[arg(long, global = true, env = "STEADING_AGENT_TOKEN_FILE", value_name = "FILE")]
    pub agent_token_file: Option<PathBuf>,
    /// How it proves who it is: token
    #[arg(long, env = "STEADING_AGENT_AUTH", default_value = "token", value_name = "KIND")]
    pub auth: String,
    /// Where it keeps what must outlive it
    #[arg(long, env = "STEADING_AGENT_DIR", value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Run a copy of this program that may be replaced, and make it where it is missing or older
    #[arg(long, env = "STEADING_AGENT_PROGRAM", value_name = "FILE")]
    pub program: Option<PathBuf>,
    /// Never replace this program by a newer one that the server offers
    #[arg(long, env = "STEADING_AGENT_NO_UPDATES")]
    pub no_updates: bool,
    /// How long a newer program may take to reach the server before this one is put back
    #[arg(
        long,
        env = "STEADING_AGENT_UPDATE_PATIENCE",
        default_value = "5m",
        value_name = "DURATION"
    )]
    pub update_patience: String,
    /// Which log lines to write, such as info or debug
    #[arg(long, env = "STEADING_AGENT_LOG", default_value = "info", value_name = "FILTER")]
    pub log_filter: String,
}

/// The agent as a service of its machine.
#[derive(Clone, Debug, Subcommand)]
pub enum AgentCommand {
    /// Make it a service that starts with this machine
    Install(Install),
    /// Remove the service and all that came with it
    Uninstall(Uninstall),
}

/// `agent install`
#[derive(Clone, Debug, Args)]
pub struct Install {
    /// The account it runs as, which must be there; one of its own, without a password, when absent
    #[arg(long, value_name = "NAME")]
    pub user: Option<String>,
    /// Write below this directory and start nothing: for an image
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
}

/// `agent uninstall`
#[derive(Clone, Debug, Args)]
pub struct Uninstall {
    /// Keep the account that was made for it, and its home
    #[arg(long)]
    pub keep_home: bool,
    /// Remove what was written below this directory
    #[arg(long, value_name = "DIR")]
    pub root: Option<PathBuf>,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}
