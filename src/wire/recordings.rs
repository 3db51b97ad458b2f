//! Recordings and the commands in them, as the API has them.

use serde::{Deserialize, Serialize};
use uuid::Uuid;

use super::coder::Time;

/// A recording.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Recording {
    /// Its id.
    pub id: Uuid,
    /// The session that was recorded.
    pub session_id: Uuid,
    /// Who was recorded.
    pub user_id: Uuid,
    /// Their name.
    pub username: String,
    /// Where.
    pub workspace_id: Uuid,
    /// That workspace's name.
    pub workspace_name: String,
    /// Whose workspace it is.
    pub workspace_owner_name: String,
    /// In which agent, by name.
    pub agent_name: String,
    /// What was recorded: `terminal`, `shell` or `command`.
    pub kind: String,
    /// The command line that was asked for; empty for a shell.
    pub command: String,
    /// Columns at the beginning; 0 without a terminal.
    pub cols: u16,
    /// Rows at the beginning; 0 without a terminal.
    pub rows: u16,
    /// When it began.
    pub began_at: Time,
    /// When it ended; none while it lasts.
    pub ended_at: Option<Time>,
    /// `running`, `complete` or `interrupted`.
    pub status: String,
    /// Why it was made: `policy` or `grant`.
    pub reason: String,
    /// Whether what was typed is kept.
    pub has_input: bool,
    /// Its length in milliseconds.
    pub length_ms: i64,
    /// Bytes that passed and are kept.
    pub bytes: i64,
    /// Bytes that they take.
    pub stored_bytes: i64,
    /// Bytes that passed and are not kept.
    pub lost_bytes: i64,
    /// Commands that are listed.
    pub command_count: i64,
    /// What the process ended with, when that is known.
    pub exit_code: Option<i64>,
    /// The hash of its last block, in hex; the audit log holds it too once the recording ended.
    pub hash: String,
}

/// A command that was run in a recorded session.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Command {
    /// The recording.
    pub recording_id: Uuid,
    /// Its place there, from 0.
    pub number: i64,
    /// Who ran it.
    pub user_id: Uuid,
    /// Their name.
    pub username: String,
    /// Where.
    pub workspace_id: Uuid,
    /// That workspace's name.
    pub workspace_name: String,
    /// Whose workspace it is.
    pub workspace_owner_name: String,
    /// What was run, as the shell said it; empty when it did not.
    pub command: String,
    /// In which directory; empty when the shell did not say.
    pub directory: String,
    /// When it began.
    pub began_at: Time,
    /// Where in the recording it began, in milliseconds.
    pub at_ms: i64,
    /// How long it took; none while it runs, or when its end was not seen.
    pub length_ms: Option<i64>,
    /// What it ended with.
    pub exit_code: Option<i64>,
}

/// What passed a recorded session and is in no recording: a file, a port, a socket.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Transfer {
    /// The session.
    pub session_id: Uuid,
    /// Its place there, from 0.
    pub number: i64,
    /// Who.
    pub user_id: Uuid,
    /// Their name.
    pub username: String,
    /// Where.
    pub workspace_id: Uuid,
    /// That workspace's name.
    pub workspace_name: String,
    /// Whose workspace it is.
    pub workspace_owner_name: String,
    /// `download`, `upload`, `remove`, `rename`, `port`, `socket`, `listener`, or `rest` for all that
    /// came beyond the rows of a session.
    pub kind: String,
    /// The file's path as the client had it, the port as `HOST:PORT`, or the socket's path.
    pub name: String,
    /// The new name of what was renamed; empty otherwise.
    pub to_name: String,
    /// How often: connections, or things in the rest.
    pub count: i64,
    /// Bytes to the person.
    pub bytes_out: i64,
    /// Bytes from the person.
    pub bytes_in: i64,
    /// When it began.
    pub began_at: Time,
    /// When it ended; none while it lasts.
    pub ended_at: Option<Time>,
}

/// Where a text is in a recording.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Found {
    /// The places, first things first; one a line.
    pub places: Vec<Place>,
    /// Where to look on, in milliseconds from the beginning, when the answer is not about all of it.
    pub next_ms: Option<i64>,
}

/// A line of a recording that has a text.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Place {
    /// When the text was there, in milliseconds from the recording's beginning.
    pub at_ms: i64,
    /// The line as it was shown, without control sequences.
    pub line: String,
}
