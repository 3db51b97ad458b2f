//! The share codes of a workspace, and making one.

use maud::{Markup, Render, html};

use crate::model::code::{CodeState, MAX_USES, never_given};
use crate::model::time::words;
use crate::model::workspace::Workspace;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::badge::{self, Look};
use crate::server::html::parts::button::{button, post};
use crate::server::html::parts::form::{Input, Line, wrongs};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::may::{May, recorded};
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::table::{Column, Table, cell, deeds, row, spare};
use crate::server::html::parts::{code, time};
use crate::server::html::paths::{self, Place};

/// A code as the page lists it.
pub struct Listed {
    /// The code.
    pub code: crate::model::code::Code,
    /// Whether it can be redeemed, as far as it goes itself.
    pub state: CodeState,
    /// Whether its maker could still give what it gives.
    pub holds: bool,
    /// How many grants that came by it stand.
    pub grants: usize,
}

/// The page.
pub struct Codes {
    /// Who looks.
    pub visit: Visit,
    /// The workspace.
    pub workspace: Workspace,
    /// Its codes, the last one first.
    pub codes: Vec<Listed>,
    /// The link with the code that was just made; shown this once.
    pub made: Option<String>,
    /// What was typed into the form.
    pub input: Input,
}

impl Render for Codes {
    fn render(&self) -> Markup {
        let w = &self.workspace;
        let place = Place::of(w);
        let sharing = place.sharing();
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Workspaces", paths::WORKSPACES), (w.name.as_str(), place.page()), ("Sharing", &sharing)]))
                    h1 { "Share codes of " (w.name) }
                    p { "Whoever is signed in and has a code gets in by it for some time. They must be a member of the workspace’s organization." }
                }
            }
            (self.made())
            div class="split" {
                div class="stack" { (self.list(&place)) }
                aside class="stack" aria-label="Make a code" { (self.form(&place)) }
            }
        };
        let title = format!("Share codes of {}", w.name);
        Page { title: &title, visit: &self.visit, section: Section::Workspaces, live: None, body }
            .render()
    }
}

impl Codes {
    fn made(&self) -> Markup {
        html! {
            @if let Some(link) = &self.made {
                (code::made("The code is made.", "Copy its link now; it is not shown again.", &[("made", link)]))
            }
        }
    }

    fn list(&self, place: &Place) -> Markup {
        let columns = [
            Column::Head("May"),
            Column::Head("For"),
            Column::Head("Used"),
            Column::Head("Until"),
            Column::Spare("Made by"),
            Column::Silent("Revoke"),
        ];
        let rows = html! { @for listed in &self.codes { (self.entry(place, listed)) } };
        html! {
            section class="card" aria-labelledby="codes" {
                header { h2 id="codes" { "Codes" } span class="note" { (self.codes.len()) } }
                @if self.codes.is_empty() {
                    (empty("token", &html! { "There is no code for it." }, &html! {}))
                } @else {
                    (Table { caption: "Share codes of this workspace", class: "", columns: &columns, rows })
                }
                footer class="bar note" { (icon("info")) "Nobody redeems a code whose maker could not give what it gives." }
            }
        }
    }

    fn entry(&self, place: &Place, listed: &Listed) -> Markup {
        let (one, now) = (&listed.code, self.visit.now);
        let may = one.verbs.preset().map_or(one.verbs.to_string(), |preset| preset.to_string());
        row(
            &format!("code-{}", one.id),
            &html! {
                span class="name" { (may) }
                @if one.is_recorded { " " small { "recorded" } }
                @if !one.reason.is_empty() { " " small { (one.reason) } }
            },
            &[
                cell("For", &html! { (words(one.grant_ttl)) }),
                cell(
                    "Used",
                    &html! {
                        (one.uses) " of " (one.max_uses)
                        @if let Some(at) = one.last_used_at { " " small { (time::ago(at, now)) } }
                    },
                ),
                cell("Until", &self.state(listed)),
                spare(
                    "Made by",
                    &html! { (one.made_by.username) " " (time::ago(one.created_at, now)) },
                ),
                deeds(&self.deed(place, listed)),
            ],
        )
    }

    fn state(&self, listed: &Listed) -> Markup {
        let until = time::at(listed.code.expires_at, self.visit.now);
        html! {
            @match listed.state {
                CodeState::Open if !listed.holds => { (badge::badge(Look::Warn, "Its maker may no more")) }
                CodeState::Open => { (until) },
                CodeState::Revoked => span class="note" { "taken back" },
                CodeState::UsedUp => span class="note" { "used up" },
                CodeState::Expired => span class="note" { "over" },
            }
        }
    }

    /// Taking it back: the code, or what came by it as well.
    fn deed(&self, place: &Place, listed: &Listed) -> Markup {
        let is_open = listed.state == CodeState::Open;
        if !is_open && listed.grants == 0 {
            return html! {};
        }
        let of = listed.code.created_at;
        let action = place.revoke_code(listed.code.id);
        let form = html! {
            div class="stack" {
                @if is_open { button class="button small danger" { "Revoke" span class="vh" { " the code made " (of.rfc3339()) } } }
                @if listed.grants > 0 {
                    button class="button small danger" name="grants" value="yes" {
                        "With " (listed.grants) @if listed.grants == 1 { " grant" } @else { " grants" }
                        span class="vh" { ": revoke the code made " (of.rfc3339()) " and what came by it" }
                    }
                }
            }
        };
        post(&self.visit.csrf, &action, &form)
    }

    fn form(&self, place: &Place) -> Markup {
        let input = &self.input;
        let names = [
            ("verbs", "May"),
            ("for", "Lasts"),
            ("until", "Redeemed within"),
            ("uses", "Times"),
            ("reason", "Reason"),
        ];
        html! {
            section class="card" aria-labelledby="make" {
                header { h2 id="make" { "Make a code" } }
                form class="body fields" method="post" action=(place.codes()) {
                    (self.visit.csrf)
                    (May { legend: "May", never: never_given(), ..May::default() }.draw(input))
                    (Line { id: "f-for", name: "for", label: "Lasts", value: "8h", hint: "From when it is redeemed: 2h, 8h, at most 30d.", ..Line::default() }.draw(input))
                    (Line { id: "f-until", name: "until", label: "Redeemed within", value: "1d", hint: "1d, 8h, at most 30d.", ..Line::default() }.draw(input))
                    (Line { id: "f-uses", name: "uses", label: "Times", kind: "number", value: "1", hint: &format!("At most {MAX_USES}."), ..Line::default() }.draw(input))
                    (Line { id: "f-reason", name: "reason", label: "Reason", optional: true, hint: "Kept in the log, and shown to who redeems it.", ..Line::default() }.draw(input))
                    (recorded(input))
                    (wrongs(input, &names))
                    div class="actions" { (button("primary", "token", "Make the code")) }
                }
            }
        }
    }
}
