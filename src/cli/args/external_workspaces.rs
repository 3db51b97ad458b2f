//! Arguments of the commands about workspaces on machines that someone else runs.

use clap::{Args, Subcommand};

use super::Format;
use super::workspaces::{Create, List};

/// `external-workspaces`
#[derive(Debug, Subcommand)]
pub enum ExternalWorkspaces {
    /// Create a workspace, and print what to run on its machine
    Create(Box<Create>),
    /// List them
    #[command(visible_alias = "ls")]
    List(List),
    /// Print what to run on the machine so that it becomes the workspace
    AgentInstructions(AgentInstructions),
    /// End the tokens of a workspace's machines, and print the lines with new ones
    NewTokens(NewTokens),
}

/// `external-workspaces new-tokens`
#[derive(Debug, Args)]
pub struct NewTokens {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}

/// `external-workspaces agent-instructions`
#[derive(Debug, Args)]
pub struct AgentInstructions {
    /// The workspace: NAME or OWNER/NAME, either with .AGENT
    pub workspace: String,
    /// How to write it
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
    /// Has no effect: no table is printed
    #[arg(long, short, hide = true, value_name = "COLUMN")]
    pub column: Vec<String>,
}
