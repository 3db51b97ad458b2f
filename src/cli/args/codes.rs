//! Arguments of the commands about share codes.

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::Listing;

/// `codes`
#[derive(Debug, Subcommand)]
pub enum Codes {
    /// Make a code by which someone gets into a workspace for some time
    Create(CreateCode),
    /// Get into a workspace by a code
    Redeem {
        /// The code; read from the terminal or standard input when absent
        code: Option<String>,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Show the codes of a workspace
    List {
        /// The workspace: NAME or OWNER/NAME
        workspace: String,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Take a code back, by the id that `list` prints
    #[command(visible_alias = "rm")]
    Revoke {
        /// Its id
        id: Uuid,
        /// Take back what came by it, too; what is open by that ends at once
        #[arg(long)]
        grants: bool,
    },
}

/// `codes create`
#[derive(Debug, Args)]
pub struct CreateCode {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
    /// What it lets do: view, watch, connect, execute, operate, manage, or viewer, observer, runner,
    /// use; use when absent
    #[arg(long, alias = "role", value_delimiter = ',', value_name = "VERBS")]
    pub verbs: Vec<String>,
    /// For how long, from when it is redeemed
    #[arg(long = "for", default_value = "8h", value_name = "DURATION")]
    pub lasts: String,
    /// How often it can be redeemed
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub uses: i64,
    /// Until when it can be redeemed, or for how long: 2026-01-31T17:00:00Z, 1d
    #[arg(long, default_value = "1d", value_name = "TIME|DURATION")]
    pub until: String,
    /// Record what is done by it
    #[arg(long)]
    pub record: bool,
    /// Why
    #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
    pub reason: String,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}
