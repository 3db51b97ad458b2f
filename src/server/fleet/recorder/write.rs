//! A recorder's task: takes what waits, and has it written once a second.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::builder::Builder;
use super::queue::Queue;
use crate::model::recording::{Recording, RecordingReason, WhenFull};
use crate::server::app::{App, Error};
use crate::server::fleet::register::Live;

/// The longest that something waits to be written: so much of a session is lost with the server.
const EVERY: Duration = Duration::from_secs(1);
/// Between two looks at what waits, so that a busy session does not wake its recorder for each byte.
const GATHER: Duration = Duration::from_millis(20);
/// Between two attempts to write.
const PAUSE: Duration = Duration::from_secs(1);
/// Attempts after which a session ends that may not go on unrecorded.
const PATIENCE: usize = 10;
/// Attempts after which a recording is given up whose session is over. The next start finds it.
const LAST_ATTEMPTS: usize = 30;

/// One recorder.
pub(super) struct Writer {
    pub(super) app: App,
    pub(super) recording: Recording,
    pub(super) live: Arc<Live>,
    pub(super) queue: Arc<Queue>,
    pub(super) builder: Builder,
}

impl Writer {
    /// Records until the session's stream is gone, or the server stops.
    pub(super) async fn run(mut self, stop: CancellationToken) {
        let mut due = tokio::time::interval(EVERY);
        due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let is_stopping = tokio::select! {
                () = self.queue.filled() => {
                    tokio::time::sleep(GATHER).await;
                    false
                }
                _ = due.tick() => {
                    if self.builder.has_grown() {
                        self.write(false).await;
                    }
                    false
                }
                () = stop.cancelled() => true,
            };
            if self.take_in() || is_stopping {
                return self.write(true).await;
            }
        }
    }

    /// Takes what waits. Returns whether it was the last.
    fn take_in(&mut self) -> bool {
        let taken = self.queue.take();
        for piece in &taken.pieces {
            self.builder.add(piece);
        }
        taken.is_closed
    }

    /// Has written what came since the last time, however often that must be tried.
    async fn write(&mut self, is_end: bool) {
        let growth = self.builder.growth();
        for attempt in 1.. {
            let written = if is_end {
                let code = self.builder.exit_code();
                self.app.end_recording(&self.recording, growth.clone(), code).await
            } else {
                self.app.grow_recording(&self.recording, growth.clone()).await
            };
            let Err(error) = written else { return };
            let id = self.recording.id;
            tracing::error!(recording.id = %id, %error, "a recording was not written");
            let is_gone = matches!(error, Error::NotFound(_));
            if self.must_end() && (is_gone || attempt >= PATIENCE) {
                self.live.cut.cancel();
            }
            if is_gone || (attempt >= LAST_ATTEMPTS && self.queue.is_closed()) {
                return;
            }
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// Whether the session may not go on unrecorded.
    fn must_end(&self) -> bool {
        self.recording.reason == RecordingReason::Grant
            || self.app.recording_policy().when_full == WhenFull::End
    }
}
