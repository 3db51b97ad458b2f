//! Requests to answer, one's own, and what has to be looked into; and the page that asks for access.

use maud::{Markup, Render, html};

use crate::model::request::{BreakGlassView, RequestState, RequestView};
use crate::model::time::{Timestamp, words};
use crate::model::verb::Verbs;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::ask::{Wanted, ask};
use crate::server::html::parts::avatar;
use crate::server::html::parts::badge::{self, Look};
use crate::server::html::parts::button::{button, link};
use crate::server::html::parts::form::{Area, Input, Line, wrongs};
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::table::{Column, Table, cell, deeds, row, worded};
use crate::server::html::parts::time;
use crate::server::html::paths;

/// The page of requests.
pub struct Requests {
    /// Who looks.
    pub visit: Visit,
    /// Those that wait for the one who looks.
    pub to_decide: Vec<RequestView>,
    /// Their own.
    pub own: Vec<RequestView>,
    /// Emergencies that nobody has looked into.
    pub broken: Vec<BreakGlassView>,
}

/// The page that asks for access.
pub struct AskPage {
    /// Who looks.
    pub visit: Visit,
    /// What is filled in.
    pub wanted: Wanted,
    /// Whether they may let themselves in somewhere.
    pub breaks_glass: bool,
    /// What was typed.
    pub input: Input,
    /// What was typed into the form for emergencies.
    pub emergency: Input,
}

impl Render for Requests {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" {
                div {
                    h1 { "Requests" }
                    p { "Access to a workspace for a while. Whoever may share it answers." }
                }
                div class="actions" { (link("primary", paths::NEW_REQUEST, &html! { "Ask for access" })) }
            }
            div class="stack" {
                (self.emergencies())
                (self.waiting())
                (self.mine())
            }
        };
        let section = Section::Requests;
        Page { title: "Requests", visit: &self.visit, section, live: None, body }.render()
    }
}

impl Requests {
    fn emergencies(&self) -> Markup {
        if self.broken.is_empty() {
            return html! {};
        }
        html! {
            section class="card" aria-labelledby="broken" {
                header { h2 id="broken" { "Let in in an emergency" } span class="badge" data-state="failed" { (self.broken.len()) " open" } }
                ul class="rows" {
                    @for one in &self.broken { li { (self.emergency(one)) } }
                }
            }
        }
    }

    fn emergency(&self, one: &BreakGlassView) -> Markup {
        let (taken, now) = (&one.taken, self.visit.now);
        let id = format!("f-note-{}", taken.id);
        html! {
            div class="main" {
                p { b { (one.by.username) " let themselves in" } " to " (one.workspace) ", " (time::at(taken.taken_at, now)) ", until " (time::at(taken.until, now)) }
                p class="note" { (taken.reason) }
                @if one.may_review {
                    form class="bar" method="post" action=(paths::review_break_glass(taken.id)) {
                        (self.visit.csrf)
                        label class="vh" for=(id) { "What you found" }
                        input id=(id) class="grow" name="note" required placeholder="What you found" autocomplete="off";
                        button class="button primary" { "Looked into it" }
                    }
                } @else { p class="note" { "Someone else has to look into it." } }
            }
        }
    }

    fn waiting(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="waiting" {
                header { h2 id="waiting" { "Wait for you" } span class="note" { (self.to_decide.len()) " to answer" } }
                @if self.to_decide.is_empty() {
                    (empty("check", &html! { "No request waits for you." }, &html! {}))
                } @else { (self.table("Requests that wait for you", &self.to_decide, true)) }
            }
        }
    }

    fn mine(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="mine" {
                header { h2 id="mine" { "Yours" } }
                @if self.own.is_empty() {
                    (empty("hand", &html! { "You have asked for nothing." }, &html! {}))
                } @else { (self.table("Requests of yours", &self.own, false)) }
            }
        }
    }

    fn table(&self, caption: &str, all: &[RequestView], asks: bool) -> Markup {
        let columns = [
            Column::Head("Workspace"),
            Column::Head(if asks { "Who" } else { "State" }),
            Column::Head("May"),
            Column::Head("For"),
            Column::Head("Reason"),
            Column::Silent("Open"),
        ];
        let rows = html! {
            @for view in all {
                @let (request, path) = (&view.request, paths::request(view.request.id));
                @let state = html! { @if asks { (avatar::who(&view.by, "")) } @else { (badge_of(request.state)) } };
                @let open = link("small", &path, &html! { @if asks { "Answer" } @else { "Open" } span class="vh" { ": " (place(view)) } });
                (row(&format!("r-{}", request.id), &html! { (place(view)) }, &[
                    cell(if asks { "Who" } else { "State" }, &state),
                    worded("May", &html! { (may(request.verbs)) }),
                    cell("For", &html! { (words(request.lasts)) }),
                    cell("Reason", &html! { (request.reason) }),
                    deeds(&open),
                ]))
            }
        };
        html! { (Table { caption, class: "", columns: &columns, rows }) }
    }
}

impl Render for AskPage {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Requests", paths::REQUESTS)]))
                    h1 { "Ask for access" }
                    p { "Its owner and whoever may share it answer within an hour, or not at all. It ends by itself." }
                }
            }
            div class="split" {
                div class="stack" {
                    section class="card" aria-labelledby="ask" {
                        header { h2 id="ask" { "What you need" } }
                        div class="body" { (ask(&self.visit.csrf, &self.wanted, &self.input)) }
                    }
                }
                aside class="stack" aria-label="In an emergency" { (self.emergency()) }
            }
        };
        let section = Section::Requests;
        Page { title: "Ask for access", visit: &self.visit, section, live: None, body }.render()
    }
}

impl AskPage {
    fn emergency(&self) -> Markup {
        if !self.breaks_glass {
            return html! {};
        }
        html! {
            section class="card" aria-labelledby="emergency" {
                header { h2 id="emergency" { "In an emergency" } }
                form class="body fields" method="post" action=(paths::BREAK_GLASS) {
                    (self.visit.csrf)
                    p class="note" { "Lets you in for 60 minutes, without anyone's answer. You are recorded, its owner and the auditors are told, and someone else looks into it." }
                    (Line {
                        id: "f-emergency-workspace", name: "workspace", label: "Workspace to enter",
                        value: &self.wanted.workspace, ..Line::default()
                    }.draw(&self.emergency))
                    (Area { id: "f-emergency-reason", name: "reason", label: "What happened", needed: true, ..Area::default() }.draw(&self.emergency))
                    (wrongs(&self.emergency, &[]))
                    div class="actions" { (button("danger primary", "warn", "Let me in")) }
                }
            }
        }
    }
}

/// The workspace as whoever looks may know it.
pub(super) fn place(view: &RequestView) -> &str {
    view.workspace.as_deref().unwrap_or(&view.request.place)
}

/// The set's name, or each verb.
pub(super) fn may(verbs: Verbs) -> String {
    verbs.preset().map_or_else(|| verbs.to_string(), |preset| preset.to_string())
}

/// What became of a request.
pub(super) fn badge_of(state: RequestState) -> Markup {
    let (look, word) = match state {
        RequestState::Pending => (Look::Pending, "Waits"),
        RequestState::Approved => (Look::Fine, "Approved"),
        RequestState::Denied => (Look::Failed, "Denied"),
        RequestState::Cancelled => (Look::Stopped, "Cancelled"),
        RequestState::Expired => (Look::Expired, "Expired"),
    };
    badge::badge(look, word)
}

/// When something is over, or that it is.
pub(super) fn until(at: Timestamp, now: Timestamp) -> Markup {
    html! { (time::at(at, now)) " " (time::until(at, now)) }
}
