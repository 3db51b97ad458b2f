//! Recorders of sessions: on the server's side of the tunnel, so that nobody inside can stop one.
//!
//! A `tap::Tap` lies around the stream to the agent and puts what passes into a `queue::Queue`;
//! a task takes it out, makes blocks of it and has them written. The session never waits for the
//! disk, unless the operator wants it to.

mod builder;
mod queue;
mod tap;
mod transfers;
mod write;

use std::sync::Arc;

use anyhow::{Context as _, bail};
use sha2::{Digest as _, Sha256};

use self::builder::Builder;
use self::queue::Queue;
use self::tap::Tap;
pub(super) use self::transfers::Log;
use super::Fleet;
use super::register::Live;
use crate::model::id::RecordingId;
use crate::model::recording::{NewRecording, RecordingKind, RecordingReason, WhenFull};
use crate::model::session::SessionKind;
use crate::ssh::BoxStream;
use crate::ssh::watched::Watched;
use crate::tasks::OnPanic;
use crate::wire::session::Kind;

/// What the recorded person is told where they type.
const NOTICE: &str = "This session is recorded.";

/// What the person is told when the session may not go on.
const ENDS: &str =
    "This session ends: it can be recorded no further, and may not go on without that.";

/// How a session is recorded.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    kind: RecordingKind,
    reason: RecordingReason,
    command: String,
    size: (u16, u16),
    /// What the marks of its shell hold, so that others' do not count.
    pub(super) marks: Option<String>,
}

impl Fleet {
    /// Whether, why and how what a stream carries is recorded; none when it is not.
    pub(super) fn recording_plan(&self, live: &Live, kind: &Kind) -> Option<Plan> {
        let reason = self.is_recorded(live)?;
        let (kind, command, size, key) = match kind {
            // What a new one would run says nothing of one that is there already.
            Kind::Terminal { id, cols, rows, .. } => {
                (RecordingKind::Terminal, None, (*cols, *rows), id.0)
            }
            Kind::Exec { command, pty, .. } => {
                let kind = match command {
                    Some(_) => RecordingKind::Command,
                    None => RecordingKind::Shell,
                };
                // A client without a window of its own asks for a terminal of no size.
                let cells = |n: u16, usual: u16| if n == 0 { usual } else { n };
                let size = pty.as_ref().map_or((0, 0), |p| (cells(p.cols, 80), cells(p.rows, 24)));
                (kind, command.clone(), size, live.id.0)
            }
            Kind::Sftp
            | Kind::Tcp { .. }
            | Kind::Unix { .. }
            | Kind::Listen { .. }
            | Kind::Speedtest { .. } => return None,
        };
        // A terminal outlives its sessions, and so does the secret of its marks.
        let marks = command.is_none().then(|| self.marks_secret(key));
        Some(Plan { kind, reason, command: command.unwrap_or_default(), size, marks })
    }

    /// Whether a session is to be recorded, and why.
    pub(super) fn is_recorded(&self, live: &Live) -> Option<RecordingReason> {
        self.0.app.recording_policy().is_demanded(live.demands_recording)
    }

    /// A secret that only the server and the shells it is given to can know.
    fn marks_secret(&self, key: uuid::Uuid) -> String {
        let mut hash = Sha256::new();
        hash.update(self.0.marks_key);
        hash.update(key.as_bytes());
        hex::encode(hash.finalize().get(..12).unwrap_or_default())
    }

    /// Puts a recorder around a stream.
    ///
    /// # Errors
    /// When the recording cannot be begun, and the operator wants no session without one.
    pub(super) async fn record(
        &self,
        stream: BoxStream,
        live: &Arc<Live>,
        plan: Plan,
    ) -> anyhow::Result<BoxStream> {
        let policy = *self.0.app.recording_policy();
        let new = NewRecording {
            id: RecordingId(self.0.entropy.uuid7(self.0.clock.now_ms())),
            session: live.id,
            user: live.user,
            workspace: live.workspace,
            agent: live.agent,
            kind: plan.kind,
            command: plan.command.clone(),
            size: plan.size,
            reason: plan.reason,
            has_input: policy.input,
        };
        let recording = match self.0.app.begin_recording(new).await {
            Ok(recording) => recording,
            Err(error) => {
                tracing::error!(session.id = %live.id, %error, "a session could not be recorded");
                if policy.when_full == WhenFull::End || plan.reason == RecordingReason::Grant {
                    bail!("the session could not be recorded, and may not go on without that");
                }
                return Ok(stream);
            }
        };
        // What a grant demands has no gaps: the session waits for its recorder, or ends with it.
        let when_full = match plan.reason {
            RecordingReason::Grant => WhenFull::End,
            RecordingReason::Policy => policy.when_full,
        };
        let queue = Arc::new(Queue::new(when_full));
        let builder = Builder::new(&plan);
        let writer = write::Writer {
            app: self.0.app.clone(),
            recording,
            live: Arc::clone(live),
            queue: Arc::clone(&queue),
        };
        // What was taken in is written before the server stops.
        let run = writer.run(builder, self.0.tasks.token());
        self.0.tasks.spawn_graceful("recorder", OnPanic::Lose, run);
        let is_told = plan.kind == RecordingKind::Shell || plan.size != (0, 0);
        let notice = (is_told && live.kind != SessionKind::Terminal).then_some(NOTICE);
        let tap = Tap::new(queue, self.0.clock.clone(), (policy.input, notice));
        Ok(Box::new(Watched::new(stream, tap)))
    }
}

/// Reads the key that secrets of marks are made from.
///
/// # Errors
/// When it is not as it was made.
pub fn marks_key(stored: &[u8]) -> anyhow::Result<[u8; 32]> {
    stored.try_into().context("Reading the key of the marks of shells")
}
