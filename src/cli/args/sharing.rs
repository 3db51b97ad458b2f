//! Arguments of the commands about sharing.

use clap::{Args, Subcommand};

use super::Listing;

/// `sharing`
#[derive(Debug, Subcommand)]
pub enum Sharing {
    /// Let people and groups work in a workspace
    #[command(visible_alias = "share")]
    Add(Add),
    /// Take it back; what they have open ends at once
    #[command(visible_aliases = ["unshare", "rm"])]
    Remove {
        /// The workspace: NAME or OWNER/NAME
        workspace: String,
        /// Whom.
        #[command(flatten)]
        whom: Whom,
    },
    /// Show with whom a workspace is shared
    #[command(visible_aliases = ["list", "show"])]
    Status {
        /// The workspace: NAME or OWNER/NAME
        workspace: String,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Leave a workspace that somebody shared with you
    Leave {
        /// The workspace: OWNER/NAME
        workspace: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
}

/// People and groups.
#[derive(Debug, Args)]
#[group(id = "whom", required = true, multiple = true)]
pub struct Whom {
    /// Someone by name, and which role they get: NAME or NAME:ROLE; may be repeated
    #[arg(long = "user", value_delimiter = ',', value_name = "NAME[:ROLE]")]
    pub users: Vec<String>,
    /// A group by name, Everyone for every member of the organization; may be repeated
    #[arg(long = "group", value_delimiter = ',', value_name = "NAME[:ROLE]")]
    pub groups: Vec<String>,
    /// A rotation by name: whoever is on call there; may be repeated
    #[arg(long = "rotation", value_delimiter = ',', value_name = "NAME[:ROLE]")]
    pub rotations: Vec<String>,
}

/// `sharing add`
#[derive(Debug, Args)]
pub struct Add {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
    /// Whom.
    #[command(flatten)]
    pub whom: Whom,
    /// What they may do: view, watch, connect, execute, operate, manage, share, delete, or viewer,
    /// observer, runner, use, admin; use when absent
    #[arg(long, value_delimiter = ',', value_name = "VERBS")]
    pub verbs: Vec<String>,
    /// Not before: 2026-01-31T09:00:00Z
    #[arg(long, value_name = "TIME", default_value = "", hide_default_value = true)]
    pub from: String,
    /// Until when, or for how long: 2026-01-31T17:00:00Z, 8h, 30d
    #[arg(long, value_name = "TIME|DURATION", default_value = "", hide_default_value = true)]
    pub until: String,
    /// At these hours only: 'mon-fri 09:00-17:00 Europe/Berlin'
    #[arg(long, value_name = "HOURS", default_value = "", hide_default_value = true)]
    pub window: String,
    /// From this network only, as 10.0.0.0/8; may be repeated
    #[arg(long = "network", value_delimiter = ',', value_name = "CIDR")]
    pub networks: Vec<String>,
    /// Only in a session with a second factor
    #[arg(long)]
    pub require_mfa: bool,
    /// Record what they do in it
    #[arg(long)]
    pub record: bool,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub reason: String,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}
