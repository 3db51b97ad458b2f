//! Arguments of the commands about who reaches what.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::Listing;

/// `access`
#[derive(Debug, Subcommand)]
pub enum Access {
    /// List every grant with what speaks against it
    Review(Review),
    /// Say why someone reaches a workspace, or does not
    Explain {
        /// Who, by name or id
        user: String,
        /// The workspace: NAME or OWNER/NAME
        workspace: String,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Take grants back, by the ids that `review` prints
    Revoke {
        /// Their ids
        #[arg(required = true)]
        grants: Vec<uuid::Uuid>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Sign access off as it is; the audit log keeps that you did
    SignOff {
        /// What is to be kept with it
        #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
        note: String,
    },
}

/// `access review`
#[derive(Debug, Args)]
pub struct Review {
    /// Those that nobody used for 90 days
    #[arg(long, group = "which")]
    pub stale: bool,
    /// Those without an end
    #[arg(long, group = "which")]
    pub no_end: bool,
    /// Those of someone who is gone, suspended, or left the organization
    #[arg(long, group = "which")]
    pub departed: bool,
    /// On workspaces whose OWNER/NAME holds this text
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    pub search: String,
    /// As lines of CSV
    #[arg(long, conflicts_with = "output")]
    /// Those that go beyond a charter
    #[arg(long, group = "which")]
    pub wider: bool,
    pub csv: bool,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}
