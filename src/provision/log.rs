//! A job's log: its stages, its limit, and what is never shown in it.

use std::sync::{Arc, Mutex, PoisonError};

use super::LogSink;
use crate::clock::Clock;
use crate::model::log::{LogLevel, LogLine, LogSource, MAX_BUILD_LOG_BYTES, clip};

/// Shortest text that is masked: shorter ones would blot out words that are no secret.
const MIN_SECRET_BYTES: usize = 6;

/// What stands for a secret.
const MASK: &str = "•••";

/// Writes a job's log lines.
pub(super) struct Log {
    sink: LogSink,
    clock: Clock,
    secrets: Secrets,
    state: Mutex<State>,
}

struct State {
    stage: &'static str,
    bytes_left: usize,
}

/// What is never shown. Clones share it: providers add the tokens that they make.
#[derive(Clone, Default)]
pub(super) struct Secrets(Arc<Mutex<Vec<String>>>);

impl Secrets {
    /// Never shows these from now on. Of a text of several lines, each line is a secret.
    pub(super) fn add(&self, secrets: impl IntoIterator<Item = String>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for secret in secrets {
            let lines = secret.lines().map(str::trim).filter(|l| l.len() >= MIN_SECRET_BYTES);
            all.extend(lines.map(str::to_owned));
        }
        // Longest first, so that a secret that holds another is masked as a whole.
        all.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        all.dedup();
    }

    fn mask(&self, text: &str) -> String {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = text.to_owned();
        for secret in all.iter().filter(|s| text.contains(s.as_str())) {
            out = out.replace(secret.as_str(), MASK);
        }
        out
    }
}

impl Log {
    pub(super) fn new(sink: LogSink, clock: Clock) -> Self {
        let state = State { stage: "", bytes_left: MAX_BUILD_LOG_BYTES };
        Self { sink, clock, secrets: Secrets::default(), state: Mutex::new(state) }
    }

    fn state(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is never shown.
    pub(super) fn secrets(&self) -> &Secrets {
        &self.secrets
    }

    /// The text without the secrets.
    pub(super) fn masked(&self, text: &str) -> String {
        self.secrets.mask(text)
    }

    /// Begins a stage: the heading of the lines that follow.
    pub(super) async fn stage(&self, stage: &'static str) {
        self.state().stage = stage;
        self.write(LogSource::Daemon, LogLevel::Info, stage).await;
    }

    /// A line of our own.
    pub(super) async fn say(&self, level: LogLevel, text: &str) {
        self.write(LogSource::Daemon, level, text).await;
    }

    /// Lines of Terraform's.
    pub(super) async fn terraform(&self, level: LogLevel, text: &str) {
        for line in text.lines() {
            self.write(LogSource::Provisioner, level, line).await;
        }
    }

    /// The stage and the text to send, as long as there is room.
    fn place(&self, output: String) -> Option<(String, String)> {
        let mut state = self.state();
        let needed = output.len() + 1;
        if needed <= state.bytes_left {
            state.bytes_left -= needed;
            return Some((state.stage.to_owned(), output));
        }
        let was_full = std::mem::take(&mut state.bytes_left) == 0;
        let last = "The log is longer than is kept; the rest is left out.";
        (!was_full).then(|| (state.stage.to_owned(), last.to_owned()))
    }

    fn is_full(&self) -> bool {
        self.state().bytes_left == 0
    }

    async fn write(&self, source: LogSource, level: LogLevel, text: &str) {
        if self.is_full() {
            return;
        }
        let output = clip(&self.masked(text));
        let Some((stage, output)) = self.place(output) else { return };
        // Nobody listens any more: the job goes on without.
        let line = LogLine { at_ms: self.clock.now_ms(), source, level, stage, output };
        let _ = self.sink.send(line).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn secrets_are_masked_and_lines_are_clipped() {
        let (sink, mut lines) = tokio::sync::mpsc::channel(8);
        let log = Log::new(sink, Clock::machine());
        log.secrets().add(["hunter22".to_owned(), "hunter22-and-more".to_owned(), "x".to_owned()]);
        log.stage("Setting up").await;
        log.terraform(LogLevel::Info, "a hunter22-and-more x\nb hunter22").await;
        log.say(LogLevel::Info, &"y".repeat(10_000)).await;
        drop(log);
        let mut out = Vec::new();
        while let Some(line) = lines.recv().await {
            assert_eq!(line.stage, "Setting up");
            out.push(line.output);
        }
        assert_eq!(out[1..3], ["a ••• x", "b •••"]);
        assert!(out[3].len() < 5_000);
    }

    #[tokio::test]
    async fn a_log_that_is_too_long_ends_with_a_word_about_it() {
        let (sink, mut lines) = tokio::sync::mpsc::channel(8_000);
        let log = Log::new(sink, Clock::machine());
        let line = "y".repeat(4_000);
        for _ in 0..3_000 {
            log.say(LogLevel::Info, &line).await;
        }
        drop(log);
        let mut out = Vec::new();
        while let Some(line) = lines.recv().await {
            out.push(line.output);
        }
        assert!(out.iter().map(String::len).sum::<usize>() <= MAX_BUILD_LOG_BYTES + 100);
        assert!(out.last().unwrap().contains("the rest is left out"));
    }
}
