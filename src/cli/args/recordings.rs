//! Arguments of `recordings`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use uuid::Uuid;

use super::Listing;

/// `recordings`
#[derive(Debug, Subcommand)]
pub enum Recordings {
    /// List recordings, newest first
    #[command(visible_alias = "ls")]
    List(List),
    /// Who ran what: commands in recorded sessions, newest first
    Commands(Commands),
    /// What passed recorded sessions beside the recordings: files and ports, newest first
    Transfers(Commands),
    /// What is known of a recording, with its commands and what its person moved meanwhile
    Show(Show),
    /// Find a text in what a recording shows
    Search(Search),
    /// Write a recording to a file that players of asciicast read
    Export(Export),
}

/// What is looked for.
#[derive(Debug, Args)]
pub struct Sought {
    /// Only this person's; `me` for yours
    #[arg(long, default_value = "", value_name = "USER")]
    pub user: String,
    /// Only with this text in a command or a file's name, three characters or more
    #[arg(long, default_value = "", value_name = "TEXT")]
    pub search: String,
    /// From this day or time on, such as 2026-01-31 or 2026-01-31T09:00:00Z
    #[arg(long, visible_alias = "since", default_value = "", value_name = "TIME")]
    pub from: String,
    /// Before this day or time
    #[arg(long, default_value = "", value_name = "TIME")]
    pub until: String,
    /// At most so many
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub limit: u32,
    /// After so many
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub offset: u32,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}

/// `recordings list`
#[derive(Debug, Args)]
pub struct List {
    /// The workspace, as NAME or OWNER/NAME; all that you may see by default
    #[arg(default_value = "")]
    pub workspace: String,
    /// What is looked for.
    #[command(flatten)]
    pub sought: Sought,
}

/// `recordings commands` and `recordings transfers`
#[derive(Debug, Args)]
pub struct Commands {
    /// The workspace, as NAME or OWNER/NAME; all that you may see by default
    #[arg(long, default_value = "", value_name = "WORKSPACE")]
    pub workspace: String,
    /// What is looked for.
    #[command(flatten)]
    pub sought: Sought,
}

/// `recordings show`
#[derive(Debug, Args)]
pub struct Show {
    /// The recording
    pub id: Uuid,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}

/// `recordings search`
#[derive(Debug, Args)]
pub struct Search {
    /// The recording
    pub id: Uuid,
    /// The text, whatever its case
    pub text: String,
    /// From this second on
    #[arg(long, default_value_t = 0.0, value_name = "SECONDS")]
    pub from: f64,
    /// At most so many lines
    #[arg(long, default_value_t = 50, value_name = "N")]
    pub limit: usize,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}

/// `recordings export`
#[derive(Debug, Args)]
pub struct Export {
    /// The recording
    pub id: Uuid,
    /// Where to, such as night.cast; `-` for standard output
    pub file: PathBuf,
}
