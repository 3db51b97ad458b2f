//! What a change of a group or of roles would give and take, before it is made.

use maud::{Markup, Render, html};

use crate::model::what_if::Outlook;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::button;
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::table::{Column, Table, cell, row, worded};

/// What a form is sent with by whoever wants to look first.
pub const LOOK: &str = "look";

/// The page.
pub struct WhatIf {
    /// Who looks.
    pub visit: Visit,
    /// The part of the site that it belongs to.
    pub section: Section,
    /// What would be changed, in a sentence.
    pub said: String,
    /// The page of the thing, by its name.
    pub back: (String, String),
    /// Where the form goes that makes the change.
    pub action: String,
    /// What it is sent with.
    pub fields: Vec<(String, String)>,
    /// What it would give and take.
    pub outlook: Outlook,
}

/// The button that shows what a form would change, beside the one that does it.
#[must_use]
pub fn look() -> Markup {
    html! { button class="button quiet" name=(LOOK) value="yes" { "Show what it changes" } }
}

impl Render for WhatIf {
    fn render(&self) -> Markup {
        let (name, href) = (self.back.0.as_str(), self.back.1.as_str());
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[(name, href)]))
                    h1 { "What it would change" }
                    p { (self.said) }
                }
            }
            section class="card" aria-labelledby="changes" {
                header { h2 id="changes" { "Rights on workspaces" } span class="note" { (self.outlook.shifts.len() + self.outlook.more) } }
                (self.list())
                footer {
                    form class="bar" method="post" action=(self.action) {
                        (self.visit.csrf)
                        @for (name, value) in &self.fields { input type="hidden" name=(name) value=(value); }
                        a class="button" href=(href) { "Leave it" }
                        (button("primary", "access", "Change it"))
                    }
                }
            }
        };
        let title = "What it would change";
        Page { title, visit: &self.visit, section: self.section, live: None, body }.render()
    }
}

impl WhatIf {
    fn list(&self) -> Markup {
        let columns = [
            Column::Head("Workspace"),
            Column::Head("Who"),
            Column::Head("Gains"),
            Column::Head("Loses"),
        ];
        let verbs = |verbs: crate::model::verb::Verbs| {
            html! { @if verbs.is_empty() { span class="note" { "nothing" } } @else { (verbs) } }
        };
        let rows = html! {
            @for (n, shift) in self.outlook.shifts.iter().enumerate() {
                (row(&format!("shift-{n}"), &html! { span class="name" { (shift.workspace) } }, &[
                    cell("Who", &html! { (shift.who) }),
                    worded("Gains", &verbs(shift.gained)),
                    worded("Loses", &verbs(shift.lost)),
                ]))
            }
        };
        html! {
            @if self.outlook.is_empty() {
                (empty("access", &html! { "Nobody gains or loses a right on a workspace." }, &html! {}))
            } @else if !self.outlook.shifts.is_empty() {
                (Table { caption: "Rights that change", class: "", columns: &columns, rows })
            }
            @if self.outlook.more > 0 || self.outlook.hidden > 0 {
                div class="body note" {
                    @if self.outlook.more > 0 { p { "And on " (self.outlook.more) " more." } }
                    @if self.outlook.hidden > 0 { p { "And on " (self.outlook.hidden) " that you may not know." } }
                }
            }
        }
    }
}
