//! Who else may work in a workspace, and the form that shares it.

use maud::{Markup, Render, html};

use crate::model::grant::{Grant, GrantView, Limits, Recipient};
use crate::model::request::BreakGlassView;
use crate::model::user::UserRef;
use crate::model::workspace::Workspace;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::badge::{self, Look};
use crate::server::html::parts::break_glass::broken;
use crate::server::html::parts::button::{button, labelled, link, post};
use crate::server::html::parts::form::{Input, Line, notes, wrongs};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::may::{Lasts, May, recorded, switch};
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::table::{Column, Table, cell, deeds, row, spare, worded};
use crate::server::html::parts::{avatar, time};
use crate::server::html::paths::{self, Place};

/// A grant that ends so soon is marked.
const SOON_S: i64 = 24 * 3600;
/// What is offered for an end: what is sent, and what is said.
const ENDS: [(&str, &str); 5] = [
    ("2h", "2 hours"),
    ("8h", "8 hours"),
    ("7d", "1 week"),
    ("at", "On a date"),
    ("never", "No end"),
];

/// The page.
pub struct Sharing {
    /// Who looks.
    pub visit: Visit,
    /// The workspace.
    pub workspace: Workspace,
    /// The grants that stand.
    pub grants: Vec<GrantView>,
    /// Those that were taken back just now.
    pub undoable: Vec<GrantView>,
    /// Names of people who can be added.
    pub people: Vec<UserRef>,
    /// Groups and rotations that can be added, with their kind before a colon.
    pub groups: Vec<String>,
    /// Emergencies in it that nobody has looked into.
    pub broken: Vec<BreakGlassView>,
    /// What was typed into the form.
    pub input: Input,
}

impl Render for Sharing {
    fn render(&self) -> Markup {
        let w = &self.workspace;
        let place = Place::of(w);
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Workspaces", paths::WORKSPACES), (w.name.as_str(), place.page())]))
                    h1 { "Sharing " (w.name) }
                    p { "Who else may work in it, and until when. Its owner is " (w.owner.username) "." }
                }
                div class="actions" {
                    (link("", &place.charter(), &labelled("access", "Charter")))
                    (link("", &place.codes(), &labelled("token", "Share codes")))
                    (link("", &place.request_rules(), &html! { "Who answers requests" }))
                }
            }
            (broken(&self.broken, self.visit.now))
            div class="split" {
                div class="stack" { (self.list(&place)) (self.lately(&place)) }
                aside class="stack" aria-label="Share it" { (self.form(&place)) }
            }
        };
        let title = format!("Sharing {}", w.name);
        Page { title: &title, visit: &self.visit, section: Section::Workspaces, live: None, body }
            .render()
    }
}

impl Sharing {
    fn list(&self, place: &Place) -> Markup {
        let columns = [
            Column::Head("Who"),
            Column::Head("May"),
            Column::Head("When"),
            Column::Head("Until"),
            Column::Spare("Granted by"),
            Column::Silent("Revoke"),
        ];
        let rows = html! {
            @for view in &self.grants {
                @let revoke = html! {
                    @if view.may_end {
                        (post(&self.visit.csrf, &place.revoke(view.grant.id), &html! {
                            button class="button small danger" { "Revoke" span class="vh" { ": " (view.name) } }
                        }))
                    }
                };
                (self.entry(view, &deeds(&revoke)))
            }
        };
        html! {
            section class="card" aria-labelledby="sharing" {
                header { h2 id="sharing" { "Who has access" } span class="note" { (self.grants.len()) } }
                @if self.grants.is_empty() {
                    (empty("person-plus", &html! { "It is shared with nobody." }, &html! {}))
                } @else {
                    (Table { caption: "Grants on this workspace", class: "", columns: &columns, rows })
                }
                footer class="bar note" { (icon("info")) "Revoking cuts open sessions within 2 seconds." }
            }
        }
    }

    fn entry(&self, view: &GrantView, deed: &Markup) -> Markup {
        let grant = &view.grant;
        let by = view.by.as_ref().map_or("the server", |user| user.username.as_str());
        row(
            &format!("grant-{}", grant.id),
            &who(view),
            &[
                worded("May", &html! { (may(grant)) }),
                cell("When", &self.when(view)),
                cell("Until", &self.until(&grant.limits)),
                spare(
                    "Granted by",
                    &html! {
                        (by) @if !grant.reason.is_empty() { " " small { (grant.reason) } }
                    },
                ),
                deed.clone(),
            ],
        )
    }

    fn when(&self, view: &GrantView) -> Markup {
        let Limits { from, hours, networks, needs_mfa, is_recorded, .. } = &view.grant.limits;
        let starts = *from > self.visit.now;
        let mut limits: Vec<String> = networks.iter().map(ToString::to_string).collect();
        limits.extend(needs_mfa.then(|| "with a second factor".to_owned()));
        html! {
            @if !view.holds { (badge::badge(Look::Warn, "Does not hold")) " " }
            @if starts { "from " (time::at(*from, self.visit.now)) }
            @else if hours.is_empty() { span class="note" { "any time" } }
            @if !hours.is_empty() { @if starts { ", " } (hours) }
            @for limit in &limits { " " small { (limit) } }
            @if *is_recorded { " " small { "recorded" } }
        }
    }

    fn until(&self, limits: &Limits) -> Markup {
        match limits.until {
            None => html! { span class="tenure none" { "no end" } },
            Some(until) if until.0 - self.visit.now.0 < SOON_S => {
                html! { span class="tenure soon" { (time::at(until, self.visit.now)) } }
            }
            Some(until) => html! { span class="tenure" { (time::at(until, self.visit.now)) } },
        }
    }

    /// What can be undone.
    fn lately(&self, place: &Place) -> Markup {
        if self.undoable.is_empty() {
            return html! {};
        }
        html! {
            section class="card" aria-labelledby="lately" {
                header { h2 id="lately" { "Taken back just now" } }
                ul class="rows" {
                    @for view in &self.undoable {
                        li {
                            span { (view.name) ": " (may(&view.grant)) }
                            (post(&self.visit.csrf, &place.restore(view.grant.id), &html! {
                                button class="button small" { "Undo" span class="vh" { ": " (view.name) } }
                            }))
                        }
                    }
                }
            }
        }
    }

    fn form(&self, place: &Place) -> Markup {
        let input = &self.input;
        html! {
            section class="card" aria-labelledby="share" {
                header { h2 id="share" { "Share it" } }
                form class="body fields" method="post" action=(place.sharing()) {
                    (self.visit.csrf)
                    (self.subject())
                    (May { legend: "May", ..May::default() }.draw(input))
                    (self.ends())
                    (Line {
                        id: "f-window", name: "window", label: "Hours", optional: true,
                        hint: "Such as mon-fri 09:00-17:00 Europe/Berlin.", ..Line::default()
                    }.draw(input))
                    (Line {
                        id: "f-networks", name: "networks", label: "Networks", optional: true,
                        hint: "Such as 10.0.0.0/8, by commas.", ..Line::default()
                    }.draw(input))
                    (Line {
                        id: "f-reason", name: "reason", label: "Reason", optional: true,
                        hint: "Kept in the log.", ..Line::default()
                    }.draw(input))
                    (switch(input, "require_mfa", "Second factor", "Only in a session in which it was given."))
                    (recorded(input))
                    (wrongs(input, &[("who", "Who"), ("verbs", "May"), ("until", "Ends"), ("networks", "Networks"), ("window", "Hours"), ("reason", "Reason")]))
                    div class="actions" { (button("primary", "person-plus", "Share")) }
                }
            }
        }
    }

    fn subject(&self) -> Markup {
        let input = &self.input;
        html! {
            div class="field" {
                label for="f-who" { "Person, group or rotation" }
                input id="f-who" name="who" list="subjects" required autocomplete="off" autocapitalize="off" spellcheck="false"
                    value=[Some(input.value("who", "")).filter(|v| !v.is_empty())]
                    aria-invalid=[input.error("who").map(|_| "true")] aria-describedby="f-who-h";
                datalist id="subjects" {
                    @for person in &self.people { option value=(person.username) {} }
                    @for group in &self.groups { option value=(group) {} }
                }
                (notes("f-who", "A name, group:NAME or rotation:NAME.", input.error("who")))
            }
        }
    }

    fn ends(&self) -> Markup {
        let input = &self.input;
        let at = html! {
            input type="datetime-local" name="until_at" aria-label="On which date, UTC" value=[Some(input.value("until_at", "")).filter(|v| !v.is_empty())];
        };
        Lasts {
            field: "until",
            name: "ends",
            legend: "Ends",
            offers: &ENDS,
            first: "8h",
            hint: "A date is in UTC.",
        }
        .draw(input, &at)
    }
}

/// Whom a grant is to.
fn who(view: &GrantView) -> Markup {
    match view.grant.to {
        Recipient::User(id) => {
            let name = crate::model::name::UserName::parse(&view.name).ok();
            name.map_or_else(
                || html! { (view.name) },
                |username| avatar::who(&UserRef { id, username }, ""),
            )
        }
        Recipient::Rotation(_) => html! {
            span class="who" {
                span class="avatar" data-kind="group" aria-hidden="true" { (icon("calendar")) }
                span { (view.name) " " small { "whoever is on call" } }
            }
        },
        Recipient::Group(_) | Recipient::Everyone => html! {
            span class="who" {
                span class="avatar" data-kind="group" aria-hidden="true" { (icon("people")) }
                span { (view.name) " " small { (view.people) @if view.people == 1 { " person" } @else { " people" } } }
            }
        },
    }
}

/// What a grant gives: the set's name, or each verb.
fn may(grant: &Grant) -> String {
    grant.verbs.preset().map_or_else(|| grant.verbs.to_string(), |preset| preset.to_string())
}
