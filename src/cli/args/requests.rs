//! Arguments of the commands about requests for access.

use clap::{Args, Subcommand};

use super::Listing;

/// `requests`
#[derive(Debug, Subcommand)]
pub enum Requests {
    /// Ask for access to a workspace, or for more time in it
    #[command(visible_alias = "add")]
    Create(CreateRequest),
    /// List your requests, or those that wait for you
    #[command(visible_alias = "ls")]
    List {
        /// Your own, which is what is listed when nothing is said
        #[arg(long, conflicts_with = "to_decide")]
        mine: bool,
        /// Those that you may answer
        #[arg(long)]
        to_decide: bool,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Let someone in
    Approve {
        /// The request's id
        id: uuid::Uuid,
        /// What to write with it
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        note: String,
        /// For how long at most, such as 1h; as long as was asked when absent
        #[arg(
            long = "for",
            value_name = "DURATION",
            default_value = "",
            hide_default_value = true
        )]
        lasts: String,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Say no; that ends the request
    Deny {
        /// The request's id
        id: uuid::Uuid,
        /// What to write with it
        #[arg(long, value_name = "TEXT", default_value = "", hide_default_value = true)]
        note: String,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Take a request of yours back
    Cancel {
        /// The request's id
        id: uuid::Uuid,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
    },
    /// Print a link by which someone who may answer does so, once they are signed in
    Link {
        /// The request's id
        id: uuid::Uuid,
    },
    /// Show or set who answers requests for a workspace besides those who may share it
    Rules(Rules),
}

/// `requests create`
#[derive(Debug, Args)]
pub struct CreateRequest {
    /// The workspace: OWNER/NAME
    pub workspace: String,
    /// What you want to do: view, watch, connect, execute, operate, manage, share, delete
    #[arg(long, value_delimiter = ',', value_name = "VERBS", conflicts_with = "role")]
    pub verbs: Vec<String>,
    /// The same by name: viewer, observer, runner, use, admin; use when absent
    #[arg(long, value_name = "ROLE")]
    pub role: Option<String>,
    /// For how long, such as 2h or 3d; four hours when absent
    #[arg(long = "for", value_name = "DURATION", default_value = "", hide_default_value = true)]
    pub lasts: String,
    /// Not before: 2026-01-31T09:00:00Z
    #[arg(long, value_name = "TIME", default_value = "", hide_default_value = true)]
    pub from: String,
    /// How long it waits for an answer, such as 30m; an hour when absent
    #[arg(long, value_name = "DURATION", default_value = "", hide_default_value = true)]
    pub wait: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}

/// `requests rules`
#[derive(Debug, Args)]
pub struct Rules {
    /// The workspace: NAME or OWNER/NAME
    pub workspace: String,
    /// How many have to say yes
    #[arg(long, value_name = "N")]
    pub approvals: Option<u8>,
    /// Members of this group may answer, by your right
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
    /// Whoever is on call in this rotation may answer, by your right
    #[arg(long, value_name = "ROTATION")]
    pub on_call: Option<String>,
    /// Whoever is on call in this rotation is let in at once
    #[arg(long, value_name = "ROTATION")]
    pub auto_on_call: Option<String>,
    /// Go back to what its organization has set
    #[arg(long, conflicts_with_all = ["approvals", "group", "on_call", "auto_on_call"])]
    pub unset: bool,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}

/// `break-glass`
#[derive(Debug, Args)]
pub struct BreakGlass {
    /// The workspace: OWNER/NAME
    pub workspace: String,
    /// Why; everyone who keeps the workspace reads it
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}
