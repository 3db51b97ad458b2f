//! One's own tokens for programs.

use maud::{Markup, Render, html};

use crate::model::time::Timestamp;
use crate::model::user::{TokenEntry, TokenLimits};
use crate::server::html::layout::{Page, Section, Visit, settings_tabs};
use crate::server::html::parts::badge::{Look, badge};
use crate::server::html::parts::button::{labelled, opens};
use crate::server::html::parts::dialog::{Asking, Dialog};
use crate::server::html::parts::form::{Input, Line};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::table::{Column, Table, cell, deeds, row, spare};
use crate::server::html::parts::{code, time};
use crate::server::html::paths;

/// An end this near is marked.
const SOON_S: i64 = 7 * 86_400;

/// A token that was just made.
pub struct Made {
    /// The name it was given.
    pub name: String,
    /// The whole token; shown this once.
    pub token: String,
}

/// The page of one's own tokens.
pub struct Tokens {
    /// Who looks.
    pub visit: Visit,
    /// The tokens, the last one first.
    pub tokens: Vec<TokenEntry>,
    /// The one that was just made.
    pub made: Option<Made>,
    /// The days that a token may last, at most.
    pub max_days: i64,
    /// What was typed.
    pub input: Input,
}

impl Render for Tokens {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" { div { h1 { "Tokens" } p { "For programs that act as you. Each has an end. One that leaked is ended by " a href=(paths::LEAKED_TOKEN) { "whoever finds it" } "." } } }
            (settings_tabs(paths::TOKENS))
            div class="stack" {
                (self.made())
                (self.asking().again(&self.visit.csrf))
                section class="card" aria-labelledby="tokens" {
                    header {
                        h2 id="tokens" { "Tokens" }
                        @if self.input.errors.is_empty() { (opens("small", "new", &labelled("plus", "New token"))) }
                    }
                    @if self.tokens.is_empty() {
                        (empty("token", &html! { "Tokens for scripts and editors will be here. The CLI makes its own when it signs in." }, &html! {}))
                    } @else {
                        (self.table())
                    }
                }
            }
            (self.asking().draw(&self.visit.csrf))
        };
        Page { title: "Tokens", visit: &self.visit, section: Section::Settings, live: None, body }
            .render()
    }
}

impl Tokens {
    fn made(&self) -> Markup {
        html! {
            @if let Some(made) = &self.made {
                div class="notice" data-state="ok" role="status" {
                    (icon("s-ok"))
                    div class="stack tight" {
                        div { b { "Token “" (made.name) "” made. " } "Copy it now; it is not shown again." }
                        (code::secret("made", &made.token))
                    }
                }
            }
        }
    }

    fn table(&self) -> Markup {
        let columns = [
            Column::Head("Name"),
            Column::Spare("May"),
            Column::Head("Last used"),
            Column::Spare("Made"),
            Column::Head("Ends"),
            Column::Silent("Actions"),
        ];
        let rows = html! { @for token in &self.tokens { (self.token(token)) } };
        html! { (Table { caption: "Your tokens", class: "", columns: &columns, rows }) }
    }

    fn token(&self, t: &TokenEntry) -> Markup {
        let now = self.visit.now;
        let ended = t.expires_at <= now;
        let deed = html! {
            form method="post" action=(paths::revoke_token(&t.public_id)) {
                (self.visit.csrf)
                button class={ "button small" @if !ended { " danger" } } {
                    @if ended { "Remove" } @else { "Revoke" }
                    span class="vh" { " " (t.name) }
                }
            }
        };
        row(
            &format!("k-{}", t.public_id),
            &html! { span class="name" { (t.name) } small { code { (t.public_id) "-…" } } },
            &[
                spare("May", &limits(&t.limits)),
                cell(
                    "Last used",
                    &html! {
                        @match t.last_used_at { Some(at) => (time::ago(at, now)), None => span class="note" { "never" } }
                        @if !t.last_used_ip.is_empty() { br; small { "from " code { (t.last_used_ip) } } }
                    },
                ),
                spare("Made", &time::at(t.created_at, now)),
                cell("Ends", &end(t.expires_at, now)),
                deeds(&deed),
            ],
        )
    }

    fn fields(&self) -> Markup {
        let days = 90.min(self.max_days).to_string();
        let hint = format!("At most {}.", self.max_days);
        html! {
            (Line { id: "f-name", name: "name", label: "Name", hint: "Where it is used: laptop, backup script.", ..Line::default() }.draw(&self.input))
            (Line { id: "f-days", name: "days", label: "Ends after days", kind: "number", value: &days, hint: &hint, ..Line::default() }.draw(&self.input))
            (Line {
                id: "f-scopes", name: "scopes", label: "May do", optional: true,
                hint: "Such as workspace:read workspace:start, or template:*. Empty for everything you may.", ..Line::default()
            }.draw(&self.input))
            (Line {
                id: "f-networks", name: "allow_cidrs", label: "From networks", optional: true,
                hint: "Such as 192.168.4.0/24. Empty for anywhere.", ..Line::default()
            }.draw(&self.input))
        }
    }

    fn asking(&self) -> Asking<'_> {
        Asking {
            dialog: Dialog {
                id: "new",
                title: "New token",
                action: paths::TOKENS,
                body: self.fields(),
                class: "primary",
                deed: "Make token",
                back: "Make none",
            },
            input: &self.input,
            labels: &[
                ("name", "Name"),
                ("days", "Ends after days"),
                ("scopes", "May do"),
                ("allow_cidrs", "From networks"),
            ],
        }
    }
}

fn limits(limits: &TokenLimits) -> Markup {
    html! {
        @if limits.scope.is_all() { "everything" } @else { code { (limits.scope.words().join(" ")) } }
        @for network in &limits.networks { br; small { "from " code { (network) } } }
    }
}

fn end(at: Timestamp, now: Timestamp) -> Markup {
    html! {
        @if at <= now { (badge(Look::Expired, "Ended")) " " (time::at(at, now)) }
        @else if at.0 - now.0 < SOON_S { span class="tenure soon" { (time::at(at, now)) } " " (time::until(at, now)) }
        @else { (time::at(at, now)) }
    }
}
