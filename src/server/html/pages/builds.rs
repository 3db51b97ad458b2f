//! All builds of a workspace, the last one first.

use maud::{Markup, Render, html};

use super::workspace::build_reason;
use crate::model::build::Build;
use crate::model::workspace::Workspace;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::link;
use crate::server::html::parts::table::{Column, Table, cell, figure, row, spare};
use crate::server::html::parts::{badge, time};
use crate::server::html::paths::{self, Place};

/// Builds on one page.
pub const PER_PAGE: i64 = 50;

/// The list of builds.
pub struct Builds {
    /// Who looks.
    pub visit: Visit,
    /// The workspace.
    pub workspace: Workspace,
    /// At most [`PER_PAGE`] builds, the last one first.
    pub builds: Vec<Build>,
}

impl Render for Builds {
    fn render(&self) -> Markup {
        let w = &self.workspace;
        let place = Place::of(w);
        let title = format!("Builds of {}", w.name);
        let columns = [
            Column::Head("Build"),
            Column::Head("State"),
            Column::Head("Asked by"),
            Column::Head("When"),
            Column::Spare("Version"),
            Column::Figures("Credits a day"),
        ];
        let rows = html! {
            @for build in &self.builds {
                (row(&format!("b-{}", build.number), &html! {
                    a class="name" href=(place.build(build.number)) { (build.number) " " (badge::deed(build.transition)) }
                }, &[
                    cell("", &badge::build(build, self.visit.now)),
                    cell("Asked by", &html! { (build_reason(build)) }),
                    cell("When", &time::at(build.job.created_at, self.visit.now)),
                    spare("Version", &html! { (build.version_name) }),
                    figure("Credits", &html! { (build.daily_cost) }),
                ]))
            }
        };
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Workspaces", paths::WORKSPACES), (w.name.as_str(), place.page())]))
                    h1 { (title) }
                }
            }
            section class="card" aria-label=(title) {
                (Table { caption: &title, class: "", columns: &columns, rows })
            }
            (self.pages(&place))
        };
        Page { title: &title, visit: &self.visit, section: Section::Workspaces, live: None, body }
            .render()
    }
}

impl Builds {
    fn pages(&self, place: &Place) -> Markup {
        let last = self.builds.last().map_or(1, |b| b.number);
        let first = self.builds.first().map_or(0, |b| b.number);
        let newest = self.workspace.latest_build.number;
        html! {
            @if last > 1 || first < newest {
                nav class="pages" aria-label="Pages" {
                    span { "Builds " (first) " to " (last) " of " (newest) }
                    @if first < newest { (link("small", &place.builds(), &html! { "Newest" })) }
                    @if last > 1 { (link("small", &format!("{}?before={last}", place.builds()), &html! { "Earlier" })) }
                }
            }
        }
    }
}
