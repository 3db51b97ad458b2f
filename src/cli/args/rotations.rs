//! Arguments of `rotations`.

use clap::{Args, Subcommand};

use super::Listing;
use super::organizations::Within;

/// `rotations`
#[derive(Debug, Subcommand)]
pub enum Rotations {
    /// Create a rotation
    Create(CreateRotation),
    /// List rotations, and who is on call now
    #[command(visible_alias = "ls")]
    List {
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
        /// Where.
        #[command(flatten)]
        within: Within,
    },
    /// Show a rotation and its shifts to come
    Show {
        /// Its name
        name: String,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
        /// Where.
        #[command(flatten)]
        within: Within,
    },
    /// Print who is on call now; fails when nobody is
    Oncall {
        /// The rotation
        name: String,
        /// How to write it.
        #[command(flatten)]
        listing: Listing,
        /// Where.
        #[command(flatten)]
        within: Within,
    },
    /// Put someone on call instead of whoever's turn it is
    Override(OverrideShift),
    /// Take an override back
    Undo {
        /// The rotation
        name: String,
        /// The override's id, as `override` printed it
        id: String,
        /// Where.
        #[command(flatten)]
        within: Within,
    },
    /// Delete a rotation; nobody is on call by it any more
    #[command(visible_alias = "rm")]
    Delete {
        /// Its name
        name: String,
        /// Where.
        #[command(flatten)]
        within: Within,
    },
}

/// `rotations create`
#[derive(Debug, Args)]
pub struct CreateRotation {
    /// Its name
    pub name: String,
    /// Whose clocks its times are on, such as Europe/Berlin
    #[arg(long, value_name = "ZONE")]
    pub zone: String,
    /// When one hands over to the next, such as 'mon 09:00' or 09:00
    #[arg(long, value_name = "TIME")]
    pub handoff: String,
    /// How long a turn is, such as 12h, 1d or 2w
    #[arg(long, value_name = "LENGTH", default_value = "1w")]
    pub length: String,
    /// Someone who takes turns, by name or id, in their order; may be repeated
    #[arg(long = "member", required = true, value_delimiter = ',', value_name = "USER")]
    pub members: Vec<String>,
    /// Hours of the week it holds in, such as 'mon-fri 18:00-08:00'; may be repeated
    #[arg(long, value_name = "HOURS")]
    pub restrict: Vec<String>,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
    /// Where.
    #[command(flatten)]
    pub within: Within,
}

/// `rotations override`
#[derive(Debug, Args)]
pub struct OverrideShift {
    /// The rotation
    pub name: String,
    /// Who is on call instead, by name or id
    #[arg(long, value_name = "USER")]
    pub user: String,
    /// From when on, by the rotation's clocks: 2026-11-20T09:00; now when absent
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Until when, or for how long: 2026-11-21T09:00, 8h, 2d
    #[arg(long, value_name = "TIME|DURATION")]
    pub until: String,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: Option<String>,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
    /// Where.
    #[command(flatten)]
    pub within: Within,
}
