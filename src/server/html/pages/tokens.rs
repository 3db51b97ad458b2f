//! One's own tokens for programs, and the parts that a service account's tokens share with them.

use maud::{Markup, Render, html};

use crate::model::time::Timestamp;
use crate::model::user::{TokenEntry, TokenLimits};
use crate::server::html::layout::{Page, Section, Visit, settings_tabs};
use crate::server::html::parts::badge::{Look, badge};
use crate::server::html::parts::button::{labelled, opens};
use crate::server::html::parts::dialog::{Asking, Dialog};
use crate::server::html::parts::form::{Input, Line};
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
                (made(self.made.as_ref()))
                (self.asking().again(&self.visit.csrf))
                section class="card" aria-labelledby="tokens" {
                    header {
                        h2 id="tokens" { "Tokens" }
                        @if self.input.errors.is_empty() { (opens("small", "new", &labelled("plus", "New token"))) }
                    }
                    @if self.tokens.is_empty() {
                        (empty("token", &html! { "Tokens for scripts and editors will be here. The CLI makes its own when it signs in." }, &html! {}))
                    } @else {
                        (List { visit: &self.visit, tokens: &self.tokens, caption: "Your tokens", revoke: &paths::revoke_token })
                    }
                }
            }
            (self.asking().draw(&self.visit.csrf))
        };
        Page { title: "Tokens", visit: &self.visit, section: Section::Settings, live: None, body }
            .render()
    }
}

/// The token that was just made, where there is one.
#[must_use]
pub fn made(made: Option<&Made>) -> Markup {
    html! {
        @if let Some(made) = made {
            (code::made(&format!("Token “{}” made.", made.name), "Copy it now; it is not shown again.", &[("made", &made.token)]))
        }
    }
}

/// A table of tokens that may be revoked.
pub struct List<'a> {
    /// Who looks.
    pub visit: &'a Visit,
    /// The tokens, the last one first.
    pub tokens: &'a [TokenEntry],
    /// What the table is called when it is read out.
    pub caption: &'a str,
    /// Where a token is revoked, by the part it is looked up by.
    pub revoke: &'a dyn Fn(&str) -> String,
}

impl Render for List<'_> {
    fn render(&self) -> Markup {
        let columns = [
            Column::Head("Name"),
            Column::Spare("May"),
            Column::Head("Last used"),
            Column::Spare("Made"),
            Column::Head("Ends"),
            Column::Silent("Actions"),
        ];
        let rows = html! { @for token in self.tokens { (self.token(token)) } };
        html! { (Table { caption: self.caption, class: "", columns: &columns, rows }) }
    }
}

impl List<'_> {
    fn token(&self, t: &TokenEntry) -> Markup {
        let now = self.visit.now;
        let ended = t.expires_at <= now;
        let deed = html! {
            form method="post" action=((self.revoke)(&t.public_id)) {
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
}

/// The fields of a new token. `whose` is what it may do when nothing is said.
#[must_use]
pub fn fields(input: &Input, max_days: i64, whose: &str) -> Markup {
    let days = 90.min(max_days).to_string();
    let hint = format!("At most {max_days}.");
    let scopes = format!(
        "Such as workspace:read workspace:start, or template:*. Empty for everything {whose} may."
    );
    html! {
        (Line { id: "f-name", name: "name", label: "Name", hint: "Where it is used: laptop, backup script.", ..Line::default() }.draw(input))
        (Line { id: "f-days", name: "days", label: "Ends after days", kind: "number", value: &days, hint: &hint, ..Line::default() }.draw(input))
        (Line { id: "f-scopes", name: "scopes", label: "May do", optional: true, hint: &scopes, ..Line::default() }.draw(input))
        (Line {
            id: "f-networks", name: "allow_cidrs", label: "From networks", optional: true,
            hint: "Such as 192.168.4.0/24. Empty for anywhere.", ..Line::default()
        }.draw(input))
    }
}

/// What the fields of a new token are called.
pub const LABELS: [(&str, &str); 4] = [
    ("name", "Name"),
    ("days", "Ends after days"),
    ("scopes", "May do"),
    ("allow_cidrs", "From networks"),
];

impl Tokens {
    fn fields(&self) -> Markup {
        fields(&self.input, self.max_days, "you")
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
            labels: &LABELS,
            page: paths::TOKENS,
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
