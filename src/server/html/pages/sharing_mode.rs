//! Whose workspaces may be shared in an organization, and what a change would end.

use maud::{Markup, Render, html};

use crate::model::grant::{GrantView, Mode};
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::{link, post};
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::parts::place::Place;
use crate::server::html::parts::table::{Column, Table, cell, row};
use crate::server::html::parts::time;
use crate::server::html::paths;

/// The page.
pub struct SharingMode {
    /// Who looks.
    pub visit: Visit,
    /// The organization.
    pub place: Place,
    /// How it is set.
    pub mode: Mode,
    /// The operator has turned sharing off everywhere.
    pub is_off: bool,
    /// Grants that can be restored: the workspace, and the grant.
    pub restorable: Vec<(String, GrantView)>,
    /// The mode that is asked for, and the grants that would end with it.
    pub asked: Option<(Mode, Vec<(String, GrantView)>)>,
}

impl Render for SharingMode {
    fn render(&self) -> Markup {
        let organization = &self.place.organization;
        let own = paths::organization(&organization.name);
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Organizations", paths::ORGANIZATIONS), (organization.label(), &own)]))
                    h1 { "Sharing in " (organization.label()) }
                    p { "Whose workspaces may be shared with other members." }
                }
            }
            div class="stack" {
                @if self.is_off {
                    (notice(Tone::Warn, &html! { "The operator has turned sharing off on this server. What is set here counts when it is on again." }, &html! {}))
                }
                @match &self.asked {
                    Some((mode, ends)) => (self.confirm(*mode, ends)),
                    None => { (self.choice()) (self.restore()) }
                }
            }
        };
        let section = Section::Organizations;
        Page { title: "Sharing", visit: &self.visit, section, live: None, body }.render()
    }
}

impl SharingMode {
    fn choice(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="mode" {
                header { h2 id="mode" { "May be shared" } }
                form class="body fields" method="post" action=(paths::sharing_mode(&self.place.organization.name)) {
                    (self.visit.csrf)
                    fieldset class="field" {
                        legend class="vh" { "Whose workspaces may be shared" }
                        @for mode in Mode::ALL {
                            label class="check" {
                                input type="radio" name="mode" value=(mode) checked[*mode == self.mode];
                                span { (label(*mode)) span class="hint" { (hint(*mode)) } }
                            }
                        }
                    }
                    div class="actions" { button class="button primary" { "Go on" } }
                }
            }
        }
    }

    /// What a change ends, before it is made.
    fn confirm(&self, mode: Mode, ends: &[(String, GrantView)]) -> Markup {
        let path = paths::sharing_mode(&self.place.organization.name);
        html! {
            section class="card" aria-labelledby="ends" {
                header { h2 id="ends" { "Grants that end" } span class="note" { (ends.len()) } }
                p class="body" {
                    "With " b { (label(mode)) } " these end at once, with what is open by them. For 30 days they can be restored here."
                }
                (self.table("Grants that end", ends))
                form class="body" method="post" action=(path) {
                    (self.visit.csrf)
                    input type="hidden" name="mode" value=(mode);
                    input type="hidden" name="confirm" value="yes";
                    div class="actions" {
                        button class="button danger primary" { "End them and save" }
                        (link("", &path, &html! { "Keep them" }))
                    }
                }
            }
        }
    }

    fn restore(&self) -> Markup {
        if self.restorable.is_empty() {
            return html! {};
        }
        let restore = paths::restore_sharing(&self.place.organization.name);
        html! {
            section class="card" aria-labelledby="restorable" {
                header {
                    h2 id="restorable" { "Ended by an earlier change" }
                    span class="note" { (self.restorable.len()) }
                    (post(&self.visit.csrf, &restore, &html! { button class="button small" { "Restore them" } }))
                }
                (self.table("Grants that can be restored", &self.restorable))
            }
        }
    }

    fn table(&self, caption: &str, entries: &[(String, GrantView)]) -> Markup {
        let columns = [
            Column::Head("Workspace"),
            Column::Head("Who"),
            Column::Head("May"),
            Column::Head("Until"),
        ];
        let rows = html! {
            @for (workspace, view) in entries {
                @let may = view.grant.verbs.preset().map_or_else(|| view.grant.verbs.to_string(), |p| p.to_string());
                @let until = html! {
                    @match view.grant.limits.until {
                        Some(until) => { (time::at(until, self.visit.now)) }
                        None => { span class="tenure none" { "no end" } }
                    }
                };
                (row(&format!("g-{}", view.grant.id), &html! { (workspace) }, &[
                    cell("Who", &html! { (view.name) @if view.people > 1 { " " small { (view.people) " people" } } }),
                    cell("May", &html! { (may) }),
                    cell("Until", &until),
                ]))
            }
        };
        html! { (Table { caption, class: "", columns: &columns, rows }) }
    }
}

/// A mode as people call it.
#[must_use]
pub const fn label(mode: Mode) -> &'static str {
    match mode {
        Mode::Everyone => "Everyone's",
        Mode::ServiceAccounts => "Those of service accounts",
        Mode::None => "Nobody's",
    }
}

const fn hint(mode: Mode) -> &'static str {
    match mode {
        Mode::Everyone => "Owners share what is theirs, with whom and until when they like.",
        Mode::ServiceAccounts => {
            "People share what a service account owns, when they answer for it."
        }
        Mode::None => "Each workspace is its owner's alone, and open to who may by a role.",
    }
}
