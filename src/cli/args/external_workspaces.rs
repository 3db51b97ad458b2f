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
