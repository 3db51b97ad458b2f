//! A recorder's task: takes what waits, and has it written once a second.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use super::builder::Builder;
use super::queue::Queue;
use crate::model::recording::{Recording, RecordingReason, WhenFull};
use crate::server::app::recording_blocks::is_refusal;
use crate::server::app::{App, Error};
use crate::server::fleet::register::{Cause, Live};

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

/// Batches that are taken in before what they made is written.
const MAX_BATCHES: usize = 32;
/// What a recording says that takes as many bytes as one may.
const AT_LIMIT: &str = "the recording is full, and nothing after this is recorded";

/// One recorder.
pub(super) struct Writer {
    pub(super) app: App,
    pub(super) recording: Recording,
    pub(super) live: Arc<Live>,
    pub(super) queue: Arc<Queue>,
}

impl Writer {
    /// Records until the session's stream is gone, the recording is full, or the server stops.
    pub(super) async fn run(self, builder: Builder, stop: CancellationToken) {
        let recorded = self.record(builder, stop).await;
        // From here on nobody takes anything out.
        let must_end = !recorded && self.must_end();
        self.queue.end(must_end);
        if must_end {
            // Who reads is told why; who does not is not waited for.
            tokio::time::sleep(PAUSE).await;
            self.live.cut_for(Cause::Record);
        }
    }

    /// Returns whether all of the session is recorded.
    async fn record(&self, mut builder: Builder, stop: CancellationToken) -> bool {
        let mut due = tokio::time::interval(EVERY);
        due.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let mut is_last = false;
            let mut is_due = false;
            tokio::select! {
                () = self.queue.filled() => tokio::time::sleep(GATHER).await,
                _ = due.tick() => is_due = true,
                () = stop.cancelled() => is_last = true,
            }
            let Some((taken_in, is_closed)) = self.take_in(builder).await else { return false };
            builder = taken_in;
            if builder.is_at_limit() {
                builder.mark(AT_LIMIT.to_owned());
                self.write(builder, true).await;
                return false;
            }
            is_last |= is_closed;
            if is_last || (is_due && builder.has_grown()) {
                match self.write(builder, is_last).await {
                    Some(written) if !is_last => builder = written,
                    written => return written.is_some(),
                }
            }
        }
    }

    /// Takes what waits, and says whether it was the last. None when that failed.
    async fn take_in(&self, mut builder: Builder) -> Option<(Builder, bool)> {
        for _ in 0..MAX_BATCHES {
            let taken = self.queue.take();
            if !taken.pieces.is_empty() {
                builder = self
                    .work(builder, move |builder| {
                        taken.pieces.iter().for_each(|piece| builder.add(piece));
                    })
                    .await?
                    .0;
            }
            if taken.is_closed {
                return Some((builder, true));
            }
            if taken.is_all {
                break;
            }
        }
        Some((builder, false))
    }

    /// Works where no other session waits: drawing a screen and packing a block take their time.
    async fn work<T, F>(&self, mut builder: Builder, work: F) -> Option<(Builder, T)>
    where
        T: Send + 'static,
        F: FnOnce(&mut Builder) -> T + Send + 'static,
    {
        let working = tokio::task::spawn_blocking(move || {
            let made = work(&mut builder);
            (builder, made)
        });
        let done = working.await;
        if let Err(error) = &done {
            let id = self.recording.id;
            tracing::error!(recording.id = %id, %error, "a recorder failed");
        }
        done.ok()
    }

    /// Has written what came since the last time, however often that must be tried. None when the
    /// recording cannot go on.
    async fn write(&self, builder: Builder, is_end: bool) -> Option<Builder> {
        let (mut builder, mut growth) = self.work(builder, Builder::growth).await?;
        let mut is_left_out = false;
        for attempt in 1.. {
            let written = if is_end {
                let code = builder.exit_code();
                self.app.end_recording(&self.recording, growth.clone(), code).await
            } else {
                self.app.grow_recording(&self.recording, growth.clone()).await
            };
            let Err(error) = written else { break };
            let id = self.recording.id;
            tracing::error!(recording.id = %id, %error, "a recording was not written");
            if is_refusal(&error) {
                if is_left_out {
                    return None;
                }
                is_left_out = true;
                builder.leave_out();
                (builder, growth) = self.work(builder, Builder::growth).await?;
                continue;
            }
            let is_gone = matches!(error, Error::NotFound(_));
            if self.must_end() && attempt >= PATIENCE {
                self.live.cut_for(Cause::Record);
            }
            if is_gone || (attempt >= LAST_ATTEMPTS && self.queue.is_closed()) {
                return None;
            }
            tokio::time::sleep(PAUSE).await;
        }
        builder.has_written(&growth);
        Some(builder)
    }

    /// Whether the session may not go on unrecorded.
    fn must_end(&self) -> bool {
        self.recording.reason == RecordingReason::Grant
            || self.app.recording_policy().when_full == WhenFull::End
    }
}
