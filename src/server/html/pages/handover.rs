//! Handing a workspace over: the form, and what it would change before it is done.

use maud::{Markup, Render, html};

use crate::model::handover::HandedOver;
use crate::model::workspace::Workspace;
use crate::server::html::layout::{Csrf, Page, Section, Visit, crumbs};
use crate::server::html::parts::button::button;
use crate::server::html::parts::form::{Input, Line};
use crate::server::html::parts::icon::icon;
use crate::server::html::paths::{self, Place};

/// What is sent by who has seen what it changes.
pub const SEEN: &str = "seen";

/// The page that says what a handover would change.
pub struct HandoverPage {
    /// Who looks.
    pub visit: Visit,
    /// The workspace as it is.
    pub workspace: Workspace,
    /// What would become of it.
    pub would: HandedOver,
    /// Whether all that was granted on it is to end.
    pub end_grants: bool,
}

/// The form that asks whose a workspace is to become.
#[must_use]
pub fn form(csrf: &Csrf, place: &Place, input: &Input) -> Markup {
    let is_on = |name: &str| input.value(name, "") == "yes";
    html! {
        section class="card" aria-labelledby="handover" {
            header { h2 id="handover" { "Hand it over" } }
            form class="body fields" method="post" action=(place.handover()) {
                (csrf)
                (Line {
                    id: "f-to", name: "to", label: "To", hint: "A person or a service account. What changes is shown first.",
                    ..Line::default()
                }.draw(input))
                label class="check" {
                    input type="checkbox" name="end_grants" value="yes" checked[is_on("end_grants")];
                    span { "End what was granted on it" span class="hint" { "Its share codes are taken back, too." } }
                }
                div class="actions" { button class="button" { "Show what changes" } }
            }
        }
    }
}

impl Render for HandoverPage {
    fn render(&self) -> Markup {
        let w = &self.workspace;
        let place = Place::of(w);
        let settings = place.settings();
        let title = format!("Hand {} over", w.name);
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Workspaces", paths::WORKSPACES), (w.name.as_str(), place.page()), ("Settings", &settings)]))
                    h1 { (title) }
                }
            }
            section class="card" aria-labelledby="changes" {
                header { h2 id="changes" { "What changes" } }
                div class="body stack" {
                    dl class="kv" { (self.changes()) }
                    div class="notice" data-state="warn" {
                        (icon("warn"))
                        div { "What its former owner keeps on its disk stays there: keys and sign-ins that they left in files are theirs to remove." }
                    }
                    form class="actions" method="post" action=(place.handover()) {
                        (self.visit.csrf)
                        input type="hidden" name="to" value=(self.would.to.username);
                        @if self.end_grants { input type="hidden" name="end_grants" value="yes"; }
                        input type="hidden" name=(SEEN) value="yes";
                        a class="button" href=(settings) { "Keep it" }
                        (button("danger primary", "person-plus", &format!("Hand it to {}", self.would.to.username)))
                    }
                }
            }
        };
        Page { title: &title, visit: &self.visit, section: Section::Workspaces, live: None, body }
            .render()
    }
}

impl HandoverPage {
    fn changes(&self) -> Markup {
        let would = &self.would;
        let (from, to, name) = (&would.from.username, &would.to.username, &would.workspace.name);
        html! {
            dt { "Owner" }
            dd {
                (from) " → " b { (to) }
                @if would.to_service { ", a service account" }
                @if let Some(user) = &would.responsible { " that " (user.username) " answers for" }
            }
            dt { "Address" } dd { (from) "/" (name) " → " (to) "/" (name) }
            dt { (from) }
            dd {
                @if would.stays.is_empty() { "has nothing there any more; what they have open ends" }
                @else { "may still " (would.stays) }
            }
            dt { "Grants on it" }
            dd {
                @match (would.kept, would.ended) {
                    (0, 0) => "none",
                    (kept, 0) => { (kept) " stand as they are" }
                    (_, ended) => { (ended) " end" }
                }
            }
            @if would.codes > 0 { dt { "Share codes" } dd { (would.codes) " give nothing any more" } }
            dt { "Its token" }
            dd { "The one it was lent in " (from) "’s name ends now." }
            @if would.restarts {
                dt { "What runs" }
                dd { "restarts: its agents get new tokens, and " (to) "’s names" }
            }
        }
    }
}
