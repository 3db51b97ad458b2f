//! One request for access: what is asked for, what was said of it, and the answer.

use std::time::Duration;

use maud::{Markup, Render, html};

use super::requests::{badge_of, may, place, until};
use crate::model::request::{Approval, RequestState, RequestView, Verdict};
use crate::model::time::words;
use crate::model::user::UserRef;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::{button, post};
use crate::server::html::parts::form::{Area, Input, wrongs};
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::parts::{avatar, time};
use crate::server::html::paths;

/// What may be chosen instead of as long as was asked: what is sent, and what is said.
const SHORTER: [(&str, &str, u64); 4] = [
    ("1h", "1 hour", 3_600),
    ("4h", "4 hours", 4 * 3_600),
    ("8h", "8 hours", 8 * 3_600),
    ("1d", "1 day", 86_400),
];

/// The page.
pub struct RequestPage {
    /// Who looks.
    pub visit: Visit,
    /// The request.
    pub view: RequestView,
    /// Where the answer is sent: the request's own page, or the link that led here.
    pub answer_to: String,
    /// A link to it that was just made.
    pub link: Option<String>,
    /// What was typed.
    pub input: Input,
}

impl Render for RequestPage {
    fn render(&self) -> Markup {
        let view = &self.view;
        let title = format!("{} asks for {}", view.by.username, place(view));
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Requests", paths::REQUESTS)]))
                    h1 { (title) " " (badge_of(view.request.state)) }
                    p { (view.request.reason) }
                }
                div class="actions" { (self.actions()) }
            }
            div class="stack" {
                (self.linked())
                @if view.may_decide { (self.answer()) }
                (self.facts())
                (self.said())
            }
        };
        let section = Section::Requests;
        Page { title: &title, visit: &self.visit, section, live: None, body }.render()
    }
}

impl RequestPage {
    fn actions(&self) -> Markup {
        let request = &self.view.request;
        let waits = request.state == RequestState::Pending;
        let csrf = &self.visit.csrf;
        html! {
            @if waits {
                (post(csrf, &paths::request_action(request.id, "link"), &button("", "copy", "Make a link")))
            }
            @if waits && self.view.is_own {
                (post(csrf, &paths::request_action(request.id, "cancel"), &button("danger", "x", "Cancel")))
            }
        }
    }

    fn linked(&self) -> Markup {
        let Some(link) = &self.link else { return html! {} };
        let text = html! {
            p { "Send this to someone who may answer. They sign in, see the request, and decide; it works once." }
            p class="prose" { code id="link" { (link) } }
        };
        let copy = html! { button class="button small" type="button" data-copy="#link" { "Copy" } };
        notice(Tone::Info, &text, &copy)
    }

    fn answer(&self) -> Markup {
        let request = &self.view.request;
        let shorter = SHORTER.iter().filter(|(.., s)| Duration::from_secs(*s) < request.lasts);
        let chosen = self.input.value("for", "");
        html! {
            section class="card" aria-labelledby="answer" {
                header { h2 id="answer" { "Your answer" } span class="note" { "until " (time::at(request.expires_at, self.visit.now)) } }
                form class="body fields" method="post" action=(self.answer_to) {
                    (self.visit.csrf)
                    div class="field" {
                        label for="f-for" { "For how long" }
                        select id="f-for" name="for" {
                            option value="" selected[chosen.is_empty()] { "As asked: " (words(request.lasts)) }
                            @for (value, label, _) in shorter {
                                option value=(value) selected[chosen == *value] { (label) }
                            }
                        }
                    }
                    (Area { id: "f-note", name: "note", label: "Note", hint: "They read it.", ..Area::default() }.draw(&self.input))
                    (wrongs(&self.input, &[("for", "For how long"), ("note", "Note")]))
                    div class="actions" {
                        button class="button primary" name="verdict" value=(Verdict::Approve) { "Approve" }
                        button class="button danger" name="verdict" value=(Verdict::Deny) { "Deny" }
                    }
                }
            }
        }
    }

    fn facts(&self) -> Markup {
        let (view, now) = (&self.view, self.visit.now);
        let request = &view.request;
        html! {
            section class="card" aria-labelledby="asked" {
                header { h2 id="asked" { "What is asked for" } }
                dl class="body kv" {
                    dt { "Who" } dd { (avatar::who(&view.by, "")) }
                    dt { "Workspace" } dd { (self.workspace()) }
                    dt { "May" } dd { (may(request.verbs)) @if request.verbs.preset().is_some() { " " small { (request.verbs) } } }
                    dt { "For" } dd { (words(request.lasts)) @if request.from > now { ", from " (time::at(request.from, now)) } }
                    dt { "Asked" } dd { (time::at(request.made_at, now)) }
                    @if request.state == RequestState::Pending { dt { "Waits until" } dd { (until(request.expires_at, now)) } }
                    @if let Some(end) = view.grant.as_ref().and_then(|grant| grant.limits.until) {
                        dt { "Access" }
                        dd {
                            @if view.grant.as_ref().is_some_and(|grant| grant.ended.is_some()) { "taken back" }
                            @else if end > now { "until " (until(end, now)) }
                            @else { "ended " (time::at(end, now)) }
                        }
                    }
                }
            }
        }
    }

    fn workspace(&self) -> Markup {
        let view = &self.view;
        html! {
            @match &view.workspace {
                Some(known) => { a href={ "/@" (known) } { (known) } }
                None => {
                    (view.request.place)
                    @if view.request.state == RequestState::Pending { " " small { "Steading does not say whether it is there." } }
                }
            }
        }
    }

    fn said(&self) -> Markup {
        let view = &self.view;
        let Some(needed) = view.needed else { return html! {} };
        let yes = view.said.iter().filter(|(_, one)| one.verdict == Verdict::Approve).count();
        html! {
            section class="card" aria-labelledby="said" {
                header { h2 id="said" { "Answers" } span class="note" { (yes) " of " (needed) " needed" } }
                @if view.said.is_empty() { p class="body note" { "Nobody has answered yet." } }
                @else {
                    ul class="rows" { @for (by, one) in &view.said { (self.one(by, one)) } }
                }
            }
        }
    }

    fn one(&self, by: &UserRef, one: &Approval) -> Markup {
        let word = match one.verdict {
            Verdict::Approve => "said yes",
            Verdict::Deny => "said no",
        };
        let shorter = one.verdict == Verdict::Approve && one.lasts < self.view.request.lasts;
        html! {
            li {
                span class="main" {
                    (by.username) " " (word)
                    @if shorter { ", for " (words(one.lasts)) }
                    @if !one.note.is_empty() { small class="note" { (one.note) } }
                }
                (time::ago(one.at, self.visit.now))
            }
        }
    }
}
