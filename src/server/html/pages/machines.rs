//! How the machines of a workspace were: their changes, a day and a month.

use maud::{Markup, Render, html};

use crate::model::health::series::{Point, Step};
use crate::model::health::{Change, History};
use crate::model::time::Timestamp;
use crate::model::workspace::Workspace;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::machine::WARM;
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::spark::Spark;
use crate::server::html::parts::table::{Column, Table, cell, figure, row};
use crate::server::html::parts::{badge, machine, time};
use crate::server::html::paths::{self, Place};

/// Parts of a picture: seven and a half minutes of a day, four hours of a month.
const PARTS: u16 = 180;

/// The page.
pub struct MachinesPage {
    /// Who looks.
    pub visit: Visit,
    /// The workspace.
    pub workspace: Workspace,
    /// Its machines, by the names of their agents.
    pub machines: Vec<History>,
}

/// A figure that is shown over time.
struct Line {
    name: &'static str,
    of: fn(&Point) -> Option<f64>,
    range: (f64, f64),
    say: fn(f64) -> String,
}

const SHARE: (f64, f64) = (0.0, 1.0);

/// What is shown of a machine, in this order.
const LINES: [Line; 7] = [
    Line { name: "CPU", of: |p| p.cpu, range: SHARE, say: percent },
    Line {
        name: "Load for each core",
        of: |p| p.load,
        range: (0.0, 4.0),
        say: |v| format!("{v:.2}"),
    },
    Line { name: "Memory", of: |p| p.memory, range: SHARE, say: percent },
    Line { name: "Disk", of: |p| p.disk, range: SHARE, say: percent },
    Line { name: "Inodes", of: |p| p.inodes, range: SHARE, say: percent },
    Line {
        name: "Temperature", of: |p| p.temperature, range: WARM, say: |v| format!("{v:.0} °C")
    },
    Line {
        name: "Round trip",
        of: |p| p.latency_ms,
        range: (0.0, 300.0),
        say: |v| format!("{v:.0} ms"),
    },
];

fn percent(share: f64) -> String {
    crate::model::health::said::percent(Some(share))
}

impl Render for MachinesPage {
    fn render(&self) -> Markup {
        let w = &self.workspace;
        let title = format!("Machines of {}", w.name);
        let place = Place::of(w);
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Workspaces", paths::WORKSPACES), (w.name.as_str(), place.page())]))
                    h1 { (title) }
                    p { "A point a minute for a day, and one each quarter of an hour for thirty days. Where a line is broken, nothing was heard." }
                }
            }
            div class="stack" {
                @if self.machines.is_empty() {
                    section class="card" aria-label=(title) {
                        (empty("board", &html! { "How its machines were will be here, once their agents have told it." }, &html! {}))
                    }
                }
                @for (n, machine) in self.machines.iter().enumerate() { (self.machine(n, machine)) }
            }
        };
        Page { title: &title, visit: &self.visit, section: Section::Workspaces, live: None, body }
            .render()
    }
}

impl MachinesPage {
    fn machine(&self, n: usize, machine: &History) -> Markup {
        let (health, id) = (&machine.health, format!("machine-{n}"));
        html! {
            section class="card" aria-labelledby=(id) {
                header {
                    h2 id=(id) { (health.name) }
                    (badge::health(health.verdict.state()))
                    span class="note" { "since " (time::at(health.since, self.visit.now)) }
                }
                div class="body stack" {
                    (machine::troubles(health, self.visit.now))
                    (self.pictures("The last day", Step::Minute, &machine.day))
                    (self.pictures("Thirty days", Step::Quarter, &machine.month))
                }
                (self.changes(&id, &health.changes))
            }
        }
    }

    fn pictures(&self, title: &str, step: Step, points: &[Point]) -> Markup {
        html! {
            h3 { (title) }
            @if points.is_empty() {
                p class="note" { "Nothing yet." }
            } @else {
                div class="grid" { @for line in &LINES { (self.picture(title, line, step, points)) } }
            }
        }
    }

    fn picture(&self, title: &str, line: &Line, step: Step, points: &[Point]) -> Markup {
        let told: Vec<(Timestamp, f64)> =
            points.iter().filter_map(|p| Some((p.at, (line.of)(p)?))).collect();
        let figures = || told.iter().map(|(_, figure)| *figure);
        let (Some(low), Some(high)) = (figures().reduce(f64::min), figures().reduce(f64::max))
        else {
            return html! {};
        };
        let words = format!("{} to {}", (line.say)(low), (line.say)(high));
        let now = self.visit.now;
        let spark = Spark {
            label: format!("{}, {}: {words}", line.name, title.to_lowercase()),
            span: (Timestamp(now.0 - step.kept_secs()), now),
            range: line.range,
            parts: PARTS,
        };
        html! {
            div class="gauge" {
                span { (line.name) } span { (words) }
                (spark.of(told.iter().copied()))
            }
        }
    }

    fn changes(&self, id: &str, changes: &[Change]) -> Markup {
        let columns = [
            Column::Head("When"),
            Column::Head("State"),
            Column::Head("What needed care"),
            Column::Figures("Lasted"),
        ];
        let ends = changes.iter().skip(1).map(|c| c.at).chain([self.visit.now]);
        let all: Vec<(&Change, Timestamp)> = changes.iter().zip(ends).collect();
        let rows = html! {
            @for (n, (change, end)) in all.iter().enumerate().rev() {
                (row(&format!("{id}-change-{n}"), &time::at(change.at, self.visit.now), &[
                    cell("", &badge::health(change.state)),
                    cell("What needed care", &html! { (needed(change)) }),
                    figure("Lasted", &html! { (time::lasted(change.at, *end)) }),
                ]))
            }
        };
        html! {
            @if !changes.is_empty() { (Table { caption: "Its last changes", class: "", columns: &columns, rows }) }
        }
    }
}

fn needed(change: &Change) -> String {
    let all: Vec<&str> = change.troubles.iter().map(|t| t.label()).collect();
    if all.is_empty() { "nothing".to_owned() } else { all.join(", ") }
}
