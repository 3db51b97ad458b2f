//! Log lines of builds and agents, and the limits they are kept within.

use super::user::define_words;

define_words! {
    /// How loud a line is.
    LogLevel {
        /// Every step.
        Trace = "trace",
        /// For the author of a template.
        Debug = "debug",
        /// What happens.
        Info = "info",
        /// May need care.
        Warn = "warn",
        /// Failed.
        Error = "error",
    }
    /// Who wrote a build's line.
    LogSource {
        /// Terraform and what it runs.
        Provisioner = "provisioner",
        /// Steading around it.
        Daemon = "provisioner_daemon",
    }
}

/// Longest line kept; more is cut with a mark. Long enough for a stack frame, short enough for a page.
pub const MAX_LINE_BYTES: usize = 4096;
/// Most bytes of log kept per build.
pub const MAX_BUILD_LOG_BYTES: usize = 8 << 20;
/// Most bytes of log kept per agent (Coder keeps as much).
pub const MAX_AGENT_LOG_BYTES: usize = 1 << 20;

/// A line of a build's or an import's log.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct LogLine {
    /// Milliseconds since the epoch.
    pub at_ms: i64,
    /// Who wrote it.
    pub source: LogSource,
    /// How loud.
    pub level: LogLevel,
    /// The step, as shown above the lines: `Planning infrastructure`.
    pub stage: String,
    /// The text, one line.
    pub output: String,
}

/// A line of a job's log as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredLine {
    /// Grows with each line of the job; readers go on after it.
    pub id: i64,
    /// The line.
    pub line: LogLine,
}

/// The end of a job's log.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogEnd {
    /// The last lines, oldest first.
    pub lines: Vec<LogLine>,
    /// The id of the last line; readers go on after it.
    pub cursor: i64,
    /// How many lines there are before these.
    pub left_out: u64,
}

/// Cuts a line to [`MAX_LINE_BYTES`] at a character's edge and marks the cut.
#[must_use]
pub fn clip(line: &str) -> String {
    if line.len() <= MAX_LINE_BYTES {
        return line.to_owned();
    }
    let end = line.floor_char_boundary(MAX_LINE_BYTES);
    format!("{} … ({} bytes more)", line.get(..end).unwrap_or_default(), line.len() - end)
}
