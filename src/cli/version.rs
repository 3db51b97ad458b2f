//! `version`: what this program is, in the form that plug-ins read.

use super::args::{Format, Listing};
use super::output::Output;
use crate::wire::coder;

/// This program's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Prints it.
///
/// # Errors
/// When standard output is gone.
pub fn run(out: &Output, how: &Listing) -> anyhow::Result<()> {
    match how.output {
        Format::Json => out.json(&serde_json::json!({
            "version": coder::VERSION,
            "steading_version": VERSION,
            "external_url": "",
            "slim": !cfg!(feature = "server"),
            "agpl": false,
            "boring_crypto": false,
        })),
        Format::Table => {
            out.line(&format!("Steading {VERSION} (to Coder's clients: Coder {})", coder::VERSION))
        }
    }
}
