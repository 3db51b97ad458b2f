//! Recordings of terminals and shells: what is kept of a session, why, and what was run in it.

pub mod cast;
pub mod events;
pub mod ledger;
pub mod marks;
pub mod plain;
pub mod transfers;

use std::time::Duration;

use sha2::{Digest as _, Sha256};

use super::id::{AgentId, RecordingId, SessionId, UserId, WorkspaceId};
use super::time::Timestamp;
use super::user::{UserRef, define_words};

define_words! {
    /// What is recorded.
    RecordingKind {
        /// A terminal of the terminal page.
        Terminal = "terminal",
        /// A login shell by SSH.
        Shell = "shell",
        /// A command by SSH.
        Command = "command",
    }
    /// How a recording stands.
    RecordingStatus {
        /// The session lasts.
        Running = "running",
        /// The session ended, and the recording with it.
        Complete = "complete",
        /// The server stopped, or could write no further. What was written before stands.
        Interrupted = "interrupted",
    }
    /// Why a session is recorded.
    RecordingReason {
        /// The deployment records sessions.
        Policy = "policy",
        /// The grant that the session stands on demands it.
        Grant = "grant",
    }
    /// What happens when more comes than can be recorded.
    WhenFull {
        /// The session goes on, and the recording says how much it lacks.
        Continue = "continue",
        /// The session waits, and ends when nothing can be written any more.
        End = "end",
    }
}

/// The hash of a block and of all before it.
pub type Hash = [u8; 32];

/// Characters of a command that are kept.
pub const MAX_TEXT: usize = 4096;
/// Bytes of a directory that are kept: the longest path there is.
pub const MAX_DIRECTORY: usize = 4096;
/// Characters of a search.
pub const MAX_SEARCH: usize = 200;

/// What the operator chose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Whether every session is recorded.
    pub sessions: bool,
    /// Whether what people type is kept besides what they see. It holds passwords.
    pub input: bool,
    /// What happens when more comes than can be recorded.
    pub when_full: WhenFull,
    /// How long recordings are kept after their end; zero for as long as there is room.
    pub keep: Duration,
    /// How many bytes all recordings may take; zero for any number.
    pub keep_bytes: u64,
}

impl Default for Policy {
    /// Nothing is recorded.
    fn default() -> Self {
        Self {
            sessions: false,
            input: false,
            when_full: WhenFull::Continue,
            keep: Duration::from_hours(90 * 24),
            keep_bytes: 10 << 30,
        }
    }
}

impl Policy {
    /// Whether a session must be recorded, and why: the deployment says so, or `by_grant` the grant
    /// that the session stands on. Where it is demanded nobody goes past the server.
    #[must_use]
    pub fn is_demanded(&self, by_grant: bool) -> Option<RecordingReason> {
        if by_grant {
            return Some(RecordingReason::Grant);
        }
        self.sessions.then_some(RecordingReason::Policy)
    }
}

/// A recording as it is begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewRecording {
    /// Its id.
    pub id: RecordingId,
    /// The session that is recorded.
    pub session: SessionId,
    /// Who is recorded.
    pub user: UserId,
    /// Where.
    pub workspace: WorkspaceId,
    /// In which agent.
    pub agent: AgentId,
    /// What is recorded.
    pub kind: RecordingKind,
    /// The command line that was asked for; empty for a shell.
    pub command: String,
    /// Columns and rows at the beginning; zero without a terminal.
    pub size: (u16, u16),
    /// Why.
    pub reason: RecordingReason,
    /// Whether what is typed is kept.
    pub has_input: bool,
}

/// How far a recording has come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Extent {
    /// Its length in milliseconds.
    pub length_ms: i64,
    /// Bytes that passed and are kept.
    pub bytes: i64,
    /// Bytes that they take.
    pub stored_bytes: i64,
    /// Bytes that passed and are not kept.
    pub lost_bytes: i64,
    /// Commands that are listed.
    pub n_commands: i64,
}

/// A recording.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recording {
    /// Its id.
    pub id: RecordingId,
    /// The session that was recorded.
    pub session: SessionId,
    /// Who was recorded.
    pub user: UserRef,
    /// Where.
    pub workspace_id: WorkspaceId,
    /// That workspace's name.
    pub workspace_name: String,
    /// Whose workspace it is.
    pub owner: UserRef,
    /// In which agent, by name.
    pub agent_name: String,
    /// What was recorded.
    pub kind: RecordingKind,
    /// The command line that was asked for; empty for a shell.
    pub command: String,
    /// Columns and rows at the beginning; zero without a terminal.
    pub size: (u16, u16),
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended; none while it lasts.
    pub ended_at: Option<Timestamp>,
    /// How it stands.
    pub status: RecordingStatus,
    /// Why it was made.
    pub reason: RecordingReason,
    /// Whether what was typed is kept.
    pub has_input: bool,
    /// How far it has come.
    pub extent: Extent,
    /// What the process ended with, when that is known.
    pub exit_code: Option<i64>,
    /// The hash of its last block, which the audit log holds too once it has ended.
    pub hash: Hash,
}

/// A stretch of a recording: a picture of the screen and what came after, packed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Block {
    /// Its place, from 0 and dense.
    pub number: i64,
    /// Where it begins, in milliseconds from the recording's beginning.
    pub began_ms: i64,
    /// Where its last event is.
    pub ended_ms: i64,
    /// The hash of it and of all before it.
    pub hash: Hash,
    /// [`events`] with the picture before them, deflated.
    pub data: Vec<u8>,
}

/// The hash of a block behind one that has the hash `before`.
#[must_use]
pub fn chained(before: &Hash, number: i64, (began_ms, ended_ms): (i64, i64), data: &[u8]) -> Hash {
    let mut hash = Sha256::new();
    hash.update(before);
    hash.update(number.to_be_bytes());
    hash.update(began_ms.to_be_bytes());
    hash.update(ended_ms.to_be_bytes());
    hash.update(data);
    hash.finalize().into()
}

/// A command that was run in a recorded session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RanCommand {
    /// The recording.
    pub recording: RecordingId,
    /// Its place there, from 0.
    pub number: i64,
    /// Who ran it.
    pub user: UserRef,
    /// Where.
    pub workspace_id: WorkspaceId,
    /// That workspace's name.
    pub workspace_name: String,
    /// Whose workspace it is.
    pub owner: UserRef,
    /// What was run; empty when the shell did not say.
    pub text: String,
    /// In which directory; empty when the shell did not say.
    pub directory: String,
    /// When it began.
    pub began_at: Timestamp,
    /// Where in the recording it began, in milliseconds.
    pub at_ms: i64,
    /// How long it took; none while it runs, or when its end was not seen.
    pub length_ms: Option<i64>,
    /// What it ended with.
    pub exit_code: Option<i64>,
}

/// What recordings or commands are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sought {
    /// Only in this workspace.
    pub workspace: Option<WorkspaceId>,
    /// Only this person's.
    pub user: Option<UserId>,
    /// Only of this recording.
    pub recording: Option<RecordingId>,
    /// From this time on.
    pub from: Option<Timestamp>,
    /// Before this time.
    pub until: Option<Timestamp>,
    /// Only with this text in a command; empty for all.
    pub text: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_demands_what_the_deployment_leaves_open() {
        let off = Policy::default();
        assert_eq!(off.is_demanded(false), None);
        assert_eq!(off.is_demanded(true), Some(RecordingReason::Grant));
        let on = Policy { sessions: true, ..off };
        assert_eq!(on.is_demanded(false), Some(RecordingReason::Policy));
    }

    #[test]
    fn a_block_is_bound_to_its_place_and_to_what_was_before() {
        let one = chained(&[0; 32], 0, (0, 5), b"data");
        assert_eq!(one, chained(&[0; 32], 0, (0, 5), b"data"));
        for other in [
            chained(&[1; 32], 0, (0, 5), b"data"),
            chained(&[0; 32], 1, (0, 5), b"data"),
            chained(&[0; 32], 0, (1, 5), b"data"),
            chained(&[0; 32], 0, (0, 6), b"data"),
            chained(&[0; 32], 0, (0, 5), b"datb"),
        ] {
            assert_ne!(one, other);
        }
    }
}
