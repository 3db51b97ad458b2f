//! `version`: what this program is, in the form that plug-ins read.

use super::args::{Format, Listing};
use super::output::Output;
use crate::wire::{coder, program};

/// Prints it.
///
/// # Errors
/// When standard output is gone.
pub fn run(out: &Output, how: &Listing) -> anyhow::Result<()> {
    match how.output {
        Format::Json => out.json(&serde_json::json!({
            "version": coder::VERSION,
            "steading_version": program::version(),
            "external_url": "",
            "slim": !cfg!(feature = "server"),
            "agpl": false,
            "boring_crypto": false,
        })),
        // The older form that plug-ins read.
        Format::Table if super::args::is_called_coder() => {
            out.line(&format!("Coder {} (Steading {})", coder::VERSION, program::version()))
        }
        Format::Table => {
            let (ours, theirs) = (program::version(), coder::VERSION);
            out.line(&format!("Steading {ours} (to Coder's clients: Coder {theirs})"))
        }
    }
}
