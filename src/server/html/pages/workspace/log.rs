//! The log of the last build, which grows while it runs.

use maud::{Markup, html};

use super::WorkspacePage;
use super::builds::why;
use crate::model::log::LogLine;
use crate::server::html::parts::button::{labelled, link};
use crate::server::html::parts::{badge, live, log, time};

/// The id of the list of lines.
pub const LINES_ID: &str = "log-lines";

impl WorkspacePage {
    /// The card with the last build's log.
    #[must_use]
    pub fn log_card(&self) -> Markup {
        let build = &self.workspace.latest_build;
        let place = self.place();
        let content = log::job(&self.log, &build.job);
        html! {
            section class="card" id="log-card" aria-labelledby="log" {
                header {
                    h2 id="log" { "Build " (build.number) ", " (badge::deed(build.transition)) }
                    (self.log_badge())
                    span class="note" { (why(build)) ", " (time::at(build.job.created_at, self.visit.now)) }
                    (link("small quiet", &place.build_text(build.number), &labelled("download", "Raw")))
                }
                (log::view(LINES_ID, "log", &content))
            }
        }
    }

    /// The badge of the log's head, which changes when the build ends.
    #[must_use]
    pub fn log_badge(&self) -> Markup {
        html! { span id="log-state" { (badge::build(&self.workspace.latest_build, self.visit.now)) } }
    }
}

/// New lines for a page that is open, after a line of the step `last_stage`.
#[must_use]
pub fn appended(lines: &[LogLine], last_stage: &str) -> Markup {
    live::append(LINES_ID, &log::lines(lines, last_stage))
}

/// The step that the last of the lines belongs to, else `before`.
#[must_use]
pub fn stage_of<'a>(lines: &'a [LogLine], before: &'a str) -> &'a str {
    lines.iter().rev().map(|l| l.stage.as_str()).find(|s| !s.is_empty()).unwrap_or(before)
}
