//! Arguments of the commands about the machines that agents run on.

use clap::Args;

use super::{Format, Listing};

/// `health`
#[derive(Debug, Args)]
pub struct HealthArgs {
    /// The workspace: NAME or OWNER/NAME; all that run and that you may see when absent
    pub workspace: Option<String>,
    /// Only those of running workspaces that fit a search: owner:ada template:docker
    #[arg(long, short, value_name = "SEARCH", conflicts_with = "workspace")]
    pub search: Option<String>,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}

/// `wake`
#[derive(Debug, Args)]
#[command(after_help = WAKE_NEEDS)]
pub struct Wake {
    /// The workspace: NAME or OWNER/NAME, either with .AGENT
    pub workspace: String,
    /// How to write it
    #[arg(long, short, value_enum, default_value_t)]
    pub output: Format,
}

/// What has to be there before a machine can be woken.
const WAKE_NEEDS: &str = "\
Someone else runs the machine (an external workspace). Its card must be set to wake it by a magic packet, \
in its firmware and with `ethtool -s DEVICE wol g`, and another machine of an external workspace, or the \
server, must be on its network.";
