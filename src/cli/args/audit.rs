//! Arguments of `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::Listing;

/// `audit`
#[derive(Debug, Subcommand)]
pub enum Audit {
    /// List entries, newest first
    #[command(visible_alias = "ls")]
    List(List),
    /// Write entries to standard output, oldest first
    Export(Export),
    /// Check that no entry was changed, added or removed
    Verify(Verify),
}

/// `audit list`
#[derive(Debug, Args)]
pub struct List {
    /// What to look for, such as `username:me action:delete date_from:2026-01-31`
    #[arg(long, short, visible_alias = "search", default_value = "", value_name = "SEARCH")]
    pub filter: String,
    /// At most so many
    #[arg(long, default_value_t = 25, value_name = "N")]
    pub limit: u32,
    /// After so many
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub offset: u32,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}

/// How an export is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub enum ExportFormat {
    /// A JSON object a line.
    #[default]
    Jsonl,
    /// Comma-separated values, with a line of names.
    Csv,
}

/// `audit export`
#[derive(Debug, Args)]
pub struct Export {
    /// How to write it
    #[arg(long, value_enum, default_value_t)]
    pub format: ExportFormat,
    /// Only what this finds
    #[arg(long, short, visible_alias = "search", default_value = "", value_name = "SEARCH")]
    pub filter: String,
    /// From this day or time on, such as 2026-01-31 or 2026-01-31T09:00:00Z
    #[arg(long, default_value = "", value_name = "TIME")]
    pub since: String,
    /// Before this day or time
    #[arg(long, default_value = "", value_name = "TIME")]
    pub until: String,
    /// The signed checkpoints instead, one JSON object a line: to be kept where the server's
    /// operator has no hand in it
    #[arg(long, conflicts_with_all = ["format", "filter", "since", "until"])]
    pub checkpoints: bool,
}

/// `audit verify`
#[derive(Debug, Args)]
pub struct Verify {
    /// The server's data directory, or a copy of it, to be read without a server
    #[arg(long, value_name = "DIR")]
    pub data: Option<PathBuf>,
    /// The file with the key that secrets are sealed with, when the server is given one
    #[arg(long, env = "STEADING_MASTER_KEY_FILE", value_name = "FILE", requires = "data")]
    pub master_key_file: Option<PathBuf>,
    /// The key that checkpoints must be signed with, in hex
    #[arg(long, value_name = "KEY")]
    pub public_key: Option<String>,
    /// Checkpoints that were exported before: the log must go on from them
    #[arg(long, value_name = "FILE")]
    pub checkpoint: Option<PathBuf>,
    /// How to write it.
    #[command(flatten)]
    pub listing: Listing,
}
