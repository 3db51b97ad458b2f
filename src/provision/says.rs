//! What Terraform says while it works: its JSON lines as text, errors and times.

use serde::{Deserialize, Serialize};

use crate::model::build::Timing;
use crate::model::log::LogLevel;

/// One line of Terraform's, understood.
#[derive(Debug, Default)]
pub struct Line {
    /// How loud it is; none when it is no JSON.
    pub level: Option<LogLevel>,
    /// The text to show; may be several lines.
    pub text: String,
    /// What to say when this ended the command.
    pub error: Option<String>,
    /// The work that it tells of.
    pub event: Option<Event>,
}

/// The begin or the end of work on one object.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// It begins.
    pub begins: bool,
    /// The object's address.
    pub address: String,
    /// What is done with it.
    pub action: String,
    /// The provider that does it.
    pub provider: String,
    /// Milliseconds since the epoch.
    pub at_ms: i64,
}

#[derive(Deserialize)]
struct Wire {
    #[serde(rename = "@level", default)]
    level: String,
    #[serde(rename = "@message", default)]
    message: String,
    #[serde(rename = "@timestamp", default)]
    timestamp: String,
    #[serde(rename = "type", default)]
    kind: String,
    diagnostic: Option<Diagnostic>,
    hook: Option<Hook>,
}

#[derive(Deserialize)]
struct Hook {
    resource: Option<HookResource>,
    #[serde(default)]
    action: String,
}

#[derive(Deserialize)]
struct HookResource {
    #[serde(default)]
    addr: String,
    #[serde(default)]
    implied_provider: String,
}

#[derive(Deserialize)]
struct Diagnostic {
    #[serde(default)]
    severity: String,
    #[serde(default)]
    summary: String,
    #[serde(default)]
    detail: String,
    range: Option<Range>,
    snippet: Option<Snippet>,
}

#[derive(Deserialize)]
struct Range {
    filename: String,
    start: Position,
}

#[derive(Deserialize)]
struct Position {
    line: u64,
}

#[derive(Deserialize)]
struct Snippet {
    context: Option<String>,
    #[serde(default)]
    code: String,
    #[serde(default)]
    start_line: u64,
    #[serde(default)]
    values: Option<Vec<SnippetValue>>,
}

#[derive(Deserialize)]
struct SnippetValue {
    traversal: String,
    statement: String,
}

/// Understands a line of `-json` output. What is no JSON is shown as it is.
#[must_use]
pub fn understand(line: &str) -> Line {
    let Ok(wire) = serde_json::from_str::<Wire>(line) else {
        return Line { text: line.to_owned(), ..Line::default() };
    };
    let level = match wire.level.as_str() {
        "error" => LogLevel::Error,
        "warn" => LogLevel::Warn,
        "debug" => LogLevel::Debug,
        "trace" => LogLevel::Trace,
        _ => LogLevel::Info,
    };
    let error = wire.diagnostic.as_ref().filter(|d| d.severity == "error").map(brief);
    let text = wire.diagnostic.as_ref().map_or(wire.message, rendered);
    let event = wire.hook.and_then(|hook| event(&wire.kind, hook, &wire.timestamp));
    Line { level: Some(level), text, error, event }
}

/// What to say in one line about why a command failed.
fn brief(diagnostic: &Diagnostic) -> String {
    let detail = diagnostic.detail.split_whitespace().collect::<Vec<_>>().join(" ");
    let place = match &diagnostic.range {
        Some(range) => format!(" ({}, line {})", range.filename, range.start.line),
        None => String::new(),
    };
    match detail.as_str() {
        "" => format!("{}{place}", diagnostic.summary),
        detail => format!("{}: {detail}{place}", diagnostic.summary),
    }
}

fn rendered(diagnostic: &Diagnostic) -> String {
    let what = if diagnostic.severity == "warning" { "Warning" } else { "Error" };
    let mut out = format!("{what}: {}", diagnostic.summary);
    if let Some(range) = &diagnostic.range {
        out.push_str(&format!("\n  on {} line {}", range.filename, range.start.line));
        if let Some(context) = diagnostic.snippet.as_ref().and_then(|s| s.context.as_ref()) {
            out.push_str(&format!(", in {context}"));
        }
    }
    if let Some(snippet) = &diagnostic.snippet {
        for (i, code) in (0..).zip(snippet.code.lines()) {
            let i = snippet.start_line.saturating_add(i);
            out.push_str(&format!("\n  {i}: {code}"));
        }
        for value in snippet.values.iter().flatten() {
            out.push_str(&format!("\n    {} {}", value.traversal, value.statement));
        }
    }
    if !diagnostic.detail.is_empty() {
        out.push('\n');
        out.push_str(&diagnostic.detail);
    }
    out
}

fn event(kind: &str, hook: Hook, timestamp: &str) -> Option<Event> {
    let (step, moment) = kind.rsplit_once('_')?;
    let begins = match moment {
        "start" => true,
        "complete" | "errored" => false,
        _ => return None,
    };
    let action = match step {
        "refresh" => "read".to_owned(),
        "apply" => hook.action,
        _ => return None,
    };
    let resource = hook.resource?;
    Some(Event {
        begins,
        address: resource.addr,
        action,
        provider: resource.implied_provider,
        at_ms: timestamp.parse::<jiff::Timestamp>().ok()?.as_millisecond(),
    })
}

/// The times of one command's objects.
#[derive(Debug, Default)]
pub struct Times {
    open: Vec<Event>,
    done: Vec<(Event, i64)>,
}

/// Most objects whose times are kept. A page shows them all.
const MAX_TIMES: usize = 2_000;

impl Times {
    /// Takes in what began or ended.
    pub fn add(&mut self, event: Event) {
        if event.begins {
            // Terraform works on ten at a time; more at once is not what it says.
            if self.open.len() < MAX_TIMES {
                self.open.push(event);
            }
            return;
        }
        let same = |e: &Event| e.address == event.address && e.action == event.action;
        if let Some(i) = self.open.iter().position(same) {
            let begun = self.open.swap_remove(i);
            if self.done.len() < MAX_TIMES {
                self.done.push((begun, event.at_ms));
            }
        }
    }

    /// With objects that were under way already.
    #[must_use]
    pub fn with(open: Vec<Event>) -> Self {
        Self { open, done: vec![] }
    }

    /// What has begun and not ended.
    #[must_use]
    pub fn open(&self) -> &[Event] {
        &self.open
    }

    /// The objects that are being changed.
    #[must_use]
    pub fn under_way(&self) -> Vec<String> {
        let changed = self.open.iter().filter(|event| event.action != "read");
        changed.map(|event| event.address.clone()).collect()
    }

    /// As they are stored, for a stage.
    pub fn timings(self, stage: &str) -> impl Iterator<Item = Timing> {
        let stage = stage.to_owned();
        self.done.into_iter().map(move |(event, ended_ms)| Timing {
            stage: stage.clone(),
            source: event.provider,
            action: event.action,
            resource: event.address,
            started_ms: event.at_ms,
            ended_ms,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_diagnostic_is_shown_with_its_place() {
        let line = r#"{"@level":"error","@message":"Error: x","type":"diagnostic","diagnostic":{"severity":"error","summary":"Bad size","detail":"It is\ntoo large.","range":{"filename":"main.tf","start":{"line":7,"column":3}},"snippet":{"context":"resource \"a\" \"b\"","code":"  size = var.s","start_line":7,"values":[{"traversal":"var.s","statement":"is 9"}]}}}"#;
        let line = understand(line);
        assert_eq!(line.level, Some(LogLevel::Error));
        assert_eq!(
            line.text,
            "Error: Bad size\n  on main.tf line 7, in resource \"a\" \"b\"\n  7:   size = var.s\n    var.s is 9\nIt is\ntoo large."
        );
        assert_eq!(line.error.unwrap(), "Bad size: It is too large. (main.tf, line 7)");
    }

    #[test]
    fn work_on_an_object_is_timed() {
        let hook = |kind: &str, at: &str| {
            format!(
                r#"{{"@level":"info","@message":"m","@timestamp":"2026-11-21T11:00:{at}Z","type":"{kind}","hook":{{"resource":{{"addr":"a.b","implied_provider":"a"}},"action":"create"}}}}"#
            )
        };
        let mut times = Times::default();
        for (line, under_way) in [
            (hook("apply_start", "01.000"), 1),
            (hook("apply_progress", "02.000"), 1),
            (hook("apply_complete", "03.250"), 0),
        ] {
            understand(&line).event.into_iter().for_each(|e| times.add(e));
            assert_eq!(times.under_way().len(), under_way);
        }
        let timings: Vec<Timing> = times.timings("apply").collect();
        assert_eq!(timings.len(), 1);
        assert_eq!(timings[0].ended_ms - timings[0].started_ms, 2_250);
        assert_eq!((timings[0].action.as_str(), timings[0].resource.as_str()), ("create", "a.b"));
    }

    #[test]
    fn what_is_no_json_is_shown_as_it_is() {
        let line = understand("plain words");
        assert_eq!((line.level, line.text.as_str()), (None, "plain words"));
    }
}
