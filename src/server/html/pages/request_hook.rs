//! The program that is told of requests for access in an organization, and answers them for people.

use maud::{Markup, Render, html};

use crate::model::request::Hook;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::{button, post};
use crate::server::html::parts::code::secret;
use crate::server::html::parts::form::{Input, Line, wrongs};
use crate::server::html::parts::place::Place;
use crate::server::html::parts::time;
use crate::server::html::paths;

/// The page.
pub struct RequestHookPage {
    /// Who looks.
    pub visit: Visit,
    /// The organization.
    pub place: Place,
    /// The program; none where there is none.
    pub hook: Option<Hook>,
    /// What it and the server sign with, once: when it was just set.
    pub secret: Option<String>,
    /// What was typed.
    pub input: Input,
}

impl Render for RequestHookPage {
    fn render(&self) -> Markup {
        let organization = &self.place.organization;
        let own = paths::organization(&organization.name);
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Organizations", paths::ORGANIZATIONS), (organization.label(), &own)]))
                    h1 { "Program for requests" }
                    p { "It is told of each request for access here, and of who lets themselves in. It may answer requests for people." }
                }
            }
            div class="split" {
                div class="stack" {
                    @if let Some(text) = &self.secret { (self.made(text)) }
                    (self.form())
                }
                aside class="stack" aria-label="What holds now" { (self.now()) }
            }
        };
        let (title, section) = ("Program for requests", Section::Organizations);
        Page { title, visit: &self.visit, section, live: None, body }.render()
    }
}

impl RequestHookPage {
    fn made(&self, text: &str) -> Markup {
        html! {
            section class="card" aria-labelledby="made" {
                header { h2 id="made" { "Its secret" } }
                div class="body stack tight" {
                    p { "It is shown this once. Notices are signed with it in " code { "x-steading-signature" } ", and so are answers." }
                    (secret("hook-secret", text))
                }
            }
        }
    }

    fn form(&self) -> Markup {
        let action = paths::request_hook(&self.place.organization.name);
        let hint = if self.hook.is_some() {
            "Another takes the place of this one, with a new secret."
        } else {
            ""
        };
        html! {
            section class="card" aria-labelledby="program" {
                header { h2 id="program" { "Program" } }
                form class="body fields" method="post" action=(action) {
                    (self.visit.csrf)
                    (Line { id: "f-url", name: "url", label: "Address", kind: "url", hint, ..Line::default() }.draw(&self.input))
                    (wrongs(&self.input, &[("url", "Address")]))
                    div class="actions" { (button("primary", "check", "Save")) }
                }
            }
        }
    }

    fn now(&self) -> Markup {
        let remove = paths::remove_request_hook(&self.place.organization.name);
        html! {
            section class="card" aria-labelledby="now" {
                header { h2 id="now" { "Now" } }
                div class="body stack tight" {
                    @match &self.hook {
                        None => { p { "No program is told." } }
                        Some(hook) => {
                            p { strong { (hook.host) } " is told. Set " (time::ago(hook.set_at, self.visit.now)) "." }
                            p class="note" { "It answers for who may answer themselves, and only as long as whoever set it may." }
                            (post(&self.visit.csrf, &remove, &html! { button class="button" { "Tell no program" } }))
                        }
                    }
                }
            }
        }
    }
}
