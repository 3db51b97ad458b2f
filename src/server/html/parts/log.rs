//! Logs: what builds, imports and agents said.

use maud::{Markup, html};

use super::time;
use crate::model::agent::AgentLogLine;
use crate::model::build::Job;
use crate::model::log::{LogEnd, LogLevel, LogLine, LogSource};

/// Most lines drawn into a page; the rest is in the plain text. Keeps a page below 200 KB.
pub const MAX_LINES: u32 = 1000;

/// The lines of a build or an import; a step's name stands above its lines.
///
/// `last_stage` is the step of the line before, so that what is appended later fits on.
#[must_use]
pub fn lines(lines: &[LogLine], last_stage: &str) -> Markup {
    let mut stage = last_stage;
    let marked: Vec<(Option<&str>, &LogLine)> = lines
        .iter()
        .map(|line| {
            let new =
                (!line.stage.is_empty() && line.stage != stage).then_some(line.stage.as_str());
            stage = if line.stage.is_empty() { stage } else { &line.stage };
            (new, line)
        })
        .collect();
    html! {
        @for (stage, line) in marked {
            @if let Some(stage) = stage { li class="stage" { (stage) } }
            @if !line.output.is_empty() {
                li class=[class(line)] { (time::clock(line.at_ms)) (line.output) }
            }
        }
    }
}

/// The end of a job's log, else what stands in place of it.
#[must_use]
pub fn job(log: &LogEnd, of: &Job) -> Markup {
    html! {
        @if log.left_out > 0 { li class="stage" { (log.left_out) " earlier lines are left out" } }
        (lines(&log.lines, ""))
        @if log.lines.is_empty() {
            li class="stage none" { (empty(of)) }
        }
    }
}

/// The lines of an agent's scripts.
#[must_use]
pub fn agent_lines(lines: &[AgentLogLine]) -> Markup {
    html! {
        @for line in lines { li class=[level_class(line.level)] { (time::clock(line.at_ms)) (line.output) } }
    }
}

/// A box of lines under the head `labelled_by`; `id` names the list, for what is appended.
#[must_use]
pub fn view(id: &str, labelled_by: &str, content: &Markup) -> Markup {
    html! {
        div class="log" role="log" tabindex="0" aria-labelledby=(labelled_by) aria-live="off" data-follow {
            ol id=(id) { (content) }
        }
    }
}

/// What is told of a log without lines.
fn empty(job: &Job) -> &'static str {
    match (job.status.is_active(), job.log_kept) {
        (true, _) => "waits for its first line",
        (false, true) => "nothing was logged",
        (false, false) => "the log was removed for its age",
    }
}

fn class(line: &LogLine) -> Option<&'static str> {
    match (line.level, line.source) {
        (LogLevel::Info, LogSource::Daemon) => Some("good"),
        (level, LogSource::Daemon | LogSource::Provisioner) => level_class(level),
    }
}

const fn level_class(level: LogLevel) -> Option<&'static str> {
    match level {
        LogLevel::Error => Some("error"),
        LogLevel::Warn => Some("warn"),
        LogLevel::Trace | LogLevel::Debug | LogLevel::Info => None,
    }
}
