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
    /// Who may at most what: what goes beyond it is in `review --wider`
    #[command(subcommand)]
    Charter(Charter),
    /// Show what a change of a group or of roles would give and take
    WhatIf(WhatIf),
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
    /// Those that go beyond a charter
    #[arg(long, group = "which")]
    pub wider: bool,
    /// On workspaces whose OWNER/NAME holds this text
    #[arg(long, default_value = "", hide_default_value = true, value_name = "TEXT")]
    pub search: String,
    /// As lines of CSV
    #[arg(long, conflicts_with = "output")]
    pub csv: bool,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}

/// `access charter`
#[derive(Debug, Subcommand)]
pub enum Charter {
    /// Print a charter
    Show {
        /// Whose.
        #[command(flatten)]
        of: CharterOf,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Write a charter; an empty text removes it
    Set {
        /// Whose.
        #[command(flatten)]
        of: CharterOf,
        /// The file with its text, as TOML; standard input when absent
        #[arg(value_name = "FILE")]
        file: Option<PathBuf>,
    },
}

/// Whose charter.
#[derive(Debug, Args)]
pub struct CharterOf {
    /// A workspace's: NAME or OWNER/NAME
    #[arg(long, value_name = "WORKSPACE", conflicts_with = "organization")]
    pub workspace: Option<String>,
    /// An organization's, by name; that of the start when absent
    #[arg(long, visible_alias = "org", value_name = "NAME")]
    pub organization: Option<String>,
}

/// `access what-if`
#[derive(Debug, Args)]
pub struct WhatIf {
    /// A group, by name or id
    #[arg(long, value_name = "GROUP", required_unless_present = "user")]
    pub group: Option<String>,
    /// Put someone into the group; may be repeated
    #[arg(long, value_delimiter = ',', value_name = "USER", conflicts_with = "user")]
    pub add: Vec<String>,
    /// Take someone out of the group; may be repeated
    #[arg(long, value_delimiter = ',', value_name = "USER", conflicts_with = "user")]
    pub remove: Vec<String>,
    /// Someone whose roles change
    #[arg(long, value_name = "USER")]
    pub user: Option<String>,
    /// The roles that they would have: on the site, or in --organization; none when absent
    #[arg(long, value_delimiter = ',', value_name = "ROLE", conflicts_with = "group")]
    pub roles: Vec<String>,
    /// The organization of the group, or of the roles
    #[arg(long, visible_alias = "org", value_name = "NAME")]
    pub organization: Option<String>,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}
