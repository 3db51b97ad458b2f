//! The log of a page that is open: what the page has of it, and what comes next.

use http::HeaderMap;
use maud::{Markup, html};

use super::stream::Message;
use crate::model::log::{LogEnd, LogLine, StoredLine};
use crate::server::app::logs::LogOf;
use crate::server::app::{Actor, App};
use crate::server::html::pages::workspace::{appended, stage_of};
use crate::server::web::Answer;

/// Lines that one message takes at most.
const STEP_LINES: u32 = 500;
/// Bytes of lines after which a message takes no more: some messages may wait for a slow browser.
const STEP_BYTES: usize = 128 << 10;

/// Where a page's log ends: with which line, and of which of its workspace's builds it is.
#[derive(Clone, Copy, Default, serde::Deserialize)]
#[serde(default)]
pub(super) struct After {
    pub(super) build: i64,
    pub(super) after: i64,
}

impl After {
    /// Where the last message of the stream before this one left off, else what the page says.
    pub(super) fn resumed(self, headers: &HeaderMap) -> Self {
        let last = headers.get("last-event-id").and_then(|v| v.to_str().ok());
        let read = |text: &str| {
            let (build, after) = text.split_once('.')?;
            Some(Self { build: build.parse().ok()?, after: after.parse().ok()? })
        };
        last.and_then(read).unwrap_or(self)
    }
}

/// The end of a page's log, from which its stream goes on.
pub(super) struct LogTail {
    of: LogOf,
    at: After,
    /// The step of the last line.
    stage: String,
}

impl LogTail {
    /// Goes on after what the page has.
    pub(super) async fn resume(app: &App, actor: &Actor, of: LogOf, at: After) -> Answer<Self> {
        let stage =
            if at.after > 0 { app.log_stage(actor, of, at.after).await? } else { String::new() };
        Ok(Self { of, at, stage })
    }

    /// Goes on after the log of a build that is drawn anew.
    pub(super) fn behind(of: LogOf, build: i64, drawn: &LogEnd) -> Self {
        let at = After { build, after: drawn.cursor };
        Self { of, at, stage: stage_of(&drawn.lines, "").to_owned() }
    }

    /// Whose log it is.
    pub(super) fn of(&self) -> LogOf {
        self.of
    }

    /// The number of the build that the page's log is of.
    pub(super) fn build(&self) -> i64 {
        self.at.build
    }

    /// A message with these parts of the page and the next lines; none when there is neither.
    pub(super) async fn message(
        &mut self,
        app: &App,
        actor: &Actor,
        parts: Option<Markup>,
    ) -> Answer<Option<Message>> {
        let mut new = app.log_lines(actor, self.of, (self.at.after, STEP_LINES)).await?;
        if new.is_empty() && parts.is_none() {
            return Ok(None);
        }
        let fits = fitting(&new);
        let more = fits < new.len() || new.len() >= STEP_LINES as usize;
        new.truncate(fits);
        let lines = self.take(new);
        let parts = html! {
            @if let Some(parts) = parts { (parts) }
            @if let Some(lines) = lines { (lines) }
        };
        Ok(Some(self.said(parts, more)))
    }

    /// A message with these parts and nothing of the log.
    pub(super) fn said(&self, parts: Markup, more: bool) -> Message {
        Message { parts, id: format!("{}.{}", self.at.build, self.at.after), more }
    }

    /// New lines as a part.
    fn take(&mut self, new: Vec<StoredLine>) -> Option<Markup> {
        self.at.after = new.last()?.id;
        let lines: Vec<LogLine> = new.into_iter().map(|l| l.line).collect();
        let part = appended(&lines, &self.stage);
        self.stage = stage_of(&lines, &self.stage).to_owned();
        Some(part)
    }
}

/// How many of the lines one message takes.
fn fitting(lines: &[StoredLine]) -> usize {
    let mut size = 0;
    let fits = |line: &&StoredLine| {
        let fits = size < STEP_BYTES;
        size += line.line.output.len();
        fits
    };
    lines.iter().take_while(fits).count()
}
