//! Pages of recordings.

use super::segment;
use crate::model::id::RecordingId;

/// The list of recordings.
pub const RECORDINGS: &str = "/recordings";
/// What was run in them.
pub const COMMANDS: &str = "/recordings/commands";

/// What passed beside them.
pub const TRANSFERS: &str = "/recordings/transfers";

/// A recording's page.
#[must_use]
pub fn recording(id: RecordingId) -> String {
    format!("{RECORDINGS}/{id}")
}

/// The same from a place on.
#[must_use]
pub fn recording_at(id: RecordingId, at_ms: i64) -> String {
    format!("{RECORDINGS}/{id}#t={}.{:03}", at_ms / 1000, at_ms % 1000)
}

/// A recording as a file.
#[must_use]
pub fn cast(id: RecordingId) -> String {
    format!("/api/v2/recordings/{id}/cast")
}

/// Where a text is looked for in a recording.
#[must_use]
pub fn search(id: RecordingId) -> String {
    format!("/api/v2/recordings/{id}/search")
}

/// What someone moved in a workspace, `OWNER/NAME`.
#[must_use]
pub fn transfers_of(user: &str, workspace: &str) -> String {
    format!("{TRANSFERS}?user={}&workspace={}", segment(user), segment(workspace))
}

/// The recordings of a workspace, `OWNER/NAME`.
#[must_use]
pub fn recordings_in(workspace: &str) -> String {
    format!("{RECORDINGS}?workspace={}", segment(workspace))
}
