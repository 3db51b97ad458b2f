//! One build: its log, how long each step took, and with which answers.

use maud::{Markup, Render, html};

use super::workspace::{LINES_ID, advice, build_reason};
use crate::model::build::{Build, JobStatus, Timing};
use crate::model::log::LogEnd;
use crate::model::quota::QuotaView;
use crate::model::verb::Verb;
use crate::model::workspace::Workspace;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::{button, labelled, link, post};
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::parts::table::{Column, Table, cell, figure, row};
use crate::server::html::parts::{badge, log, quota, time};
use crate::server::html::paths::{self, Place};

/// Steps listed; the shortest are left out beyond these.
const MAX_STEPS: usize = 40;

/// The page of a build.
pub struct BuildPage {
    /// Who looks.
    pub visit: Visit,
    /// The workspace.
    pub workspace: Workspace,
    /// The build.
    pub build: Build,
    /// What the one who looks may do with the workspace.
    pub may: Vec<Verb>,
    /// The end of its log; its stream goes on after it.
    pub log: LogEnd,
    /// How long its steps took.
    pub timings: Vec<Timing>,
    /// Its parameters: the name shown, and the value.
    pub parameters: Vec<(String, String)>,
    /// The owner's budget, for a build that it had no room for.
    pub budget: Option<QuotaView>,
}

impl Render for BuildPage {
    fn render(&self) -> Markup {
        let (w, build) = (&self.workspace, &self.build);
        let place = Place::of(w);
        let title = format!("Build {} · {}", build.number, w.name);
        let live = place.build_live(build.number, self.log.cursor);
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Workspaces", paths::WORKSPACES), (w.name.as_str(), place.page()), ("Builds", &place.builds())]))
                    h1 { "Build " (build.number) ", " (badge::deed(build.transition)) " " (self.status()) }
                    p {
                        (build_reason(build)) ", " (time::at(build.job.created_at, self.visit.now)) " · "
                        a href=(paths::version_of(w, &build.version_name)) { (w.template_name) " " (build.version_name) }
                        @if build.daily_cost > 0 { " · " (build.daily_cost) " credits a day" }
                    }
                }
                (self.actions(&place))
            }
            div class="stack" {
                (self.failure())
                @if let Some(budget) = &self.budget { (quota::uses(budget)) }
                div class="split" {
                    div class="stack" { (self.log_card(&place)) }
                    aside class="stack" aria-label="About this build" { (self.steps()) (self.answers()) }
                }
            }
        };
        Page {
            title: &title,
            visit: &self.visit,
            section: Section::Workspaces,
            live: build.job.status.is_active().then_some(live.as_str()),
            body,
        }
        .render()
    }
}

impl BuildPage {
    /// The status, spoken when it changes.
    #[must_use]
    pub fn status(&self) -> Markup {
        html! { span id="status" role="status" { (badge::build(&self.build, self.visit.now)) } }
    }

    /// The buttons beside the number.
    #[must_use]
    pub fn actions(&self, place: &Place) -> Markup {
        let cancel = self.build.job.status.is_active() && self.may.contains(&Verb::Operate);
        html! {
            div class="actions" id="actions" {
                @if cancel { (post(&self.visit.csrf, &place.cancel(&self.build), &button("", "x", "Cancel"))) }
                (link("", &place.build_text(self.build.number), &labelled("download", "Raw log")))
            }
        }
    }

    /// Why it failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Markup {
        html! {
            div id="failure" hidden[self.build.job.error.is_empty()] {
                @if !self.build.job.error.is_empty() {
                    (notice(Tone::Bad, &self.why(), &html! {}))
                }
            }
        }
    }

    fn why(&self) -> Markup {
        let last = self.build.number == self.workspace.latest_build.number;
        html! {
            p { (self.build.job.error) }
            @if last && self.build.job.status == JobStatus::Failed && self.build.refused_cost.is_none() { p class="note" { (advice(self.build.transition)) } }
        }
    }

    fn log_card(&self, place: &Place) -> Markup {
        let content = log::job(&self.log, &self.build.job);
        html! {
            section class="card" aria-labelledby="log" {
                header { h2 id="log" { "Log" } a class="note" href=(place.page()) { "The workspace now" } }
                (log::view(LINES_ID, "log", &content))
            }
        }
    }

    /// How long its steps took, the longest first.
    #[must_use]
    pub fn steps(&self) -> Markup {
        let columns = [Column::Head("Step"), Column::Head("What"), Column::Figures("Took")];
        let mut timings: Vec<&Timing> = self.timings.iter().collect();
        timings.sort_by_key(|t| t.started_ms - t.ended_ms);
        let rows = html! {
            @for (n, t) in timings.iter().take(MAX_STEPS).enumerate() {
                (row(&format!("t-{n}"), &html! { (t.stage) }, &[
                    cell("What", &html! { @if t.resource.is_empty() { (t.action) } @else { code { (t.resource) } " " (t.action) } }),
                    figure("Took", &html! { (milliseconds(t.ended_ms - t.started_ms)) }),
                ]))
            }
        };
        html! {
            div id="steps" hidden[self.timings.is_empty()] {
                @if !self.timings.is_empty() {
                    section class="card" aria-labelledby="timings" {
                        header { h2 id="timings" { "Time" } }
                        (Table { caption: "How long each step took, the longest first", class: "", columns: &columns, rows })
                    }
                }
            }
        }
    }

    fn answers(&self) -> Markup {
        html! {
            @if !self.parameters.is_empty() {
                section class="card" aria-labelledby="answers" {
                    header { h2 id="answers" { "Parameters" } }
                    dl class="body kv" {
                        @for (name, value) in &self.parameters {
                            dt { (name) }
                            dd { @if value.is_empty() { span class="note" { "empty" } } @else { (value) } }
                        }
                    }
                }
            }
        }
    }
}

fn milliseconds(ms: i64) -> String {
    let ms = ms.max(0);
    if ms < 1000 { format!("{ms} ms") } else { format!("{}.{} s", ms / 1000, ms % 1000 / 100) }
}
