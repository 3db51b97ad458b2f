//! On someone's page: the tokens of a service account, and where a person is signed in.

use maud::{Markup, html};

use super::tokens::{LABELS, List, Made, fields, made};
use crate::model::user::{TokenEntry, User};
use crate::server::html::layout::Visit;
use crate::server::html::parts::button::{labelled, opens, post};
use crate::server::html::parts::dialog::{Asking, Dialog};
use crate::server::html::parts::form::Input;
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::time;
use crate::server::html::paths;

/// The tokens of a service account, for who may make and revoke them.
#[derive(Default)]
pub struct TheirTokens {
    /// The tokens, the last one first.
    pub tokens: Vec<TokenEntry>,
    /// The one that was just made.
    pub made: Option<Made>,
    /// The days that a token may last, at most.
    pub max_days: i64,
    /// What was typed.
    pub input: Input,
}

impl TheirTokens {
    /// The card of them.
    #[must_use]
    pub fn card(&self, visit: &Visit, user: &User) -> Markup {
        let fresh = self.input.errors.is_empty();
        let (title, page) =
            (format!("New token of {}", user.username), paths::person(&user.username));
        let asking = Asking {
            dialog: Dialog {
                id: "new-token",
                title: &title,
                action: &paths::person_action(&user.username, "tokens"),
                body: fields(&self.input, self.max_days, "it"),
                class: "primary",
                deed: "Make token",
                back: "Make none",
            },
            input: &self.input,
            labels: &LABELS,
            page: &page,
        };
        let name = user.username.as_str();
        let revoke = |id: &str| paths::revoke_their_token(&user.username, id);
        let caption = format!("Tokens of {name}");
        html! {
            (made(self.made.as_ref()))
            (asking.again(&visit.csrf))
            section class="card" aria-labelledby="tokens" {
                header {
                    h2 id="tokens" { "Tokens" }
                    @if fresh { (opens("small", "new-token", &labelled("plus", "New token"))) }
                }
                @if self.tokens.is_empty() {
                    (empty("token", &html! { "It has none, and so does nothing yet." }, &html! {}))
                } @else {
                    (List { visit, tokens: &self.tokens, caption: &caption, revoke: &revoke })
                }
            }
            (asking.draw(&visit.csrf))
        }
    }
}

/// The card of someone's sessions, for who may end them.
#[must_use]
pub fn sessions(visit: &Visit, user: &User, list: &[TokenEntry]) -> Markup {
    html! {
        section class="card" aria-labelledby="signed-in" {
            header { h2 id="signed-in" { "Signed in" } span class="note" { (list.len()) } }
            @if list.is_empty() {
                p class="body note" { "Nowhere." }
            } @else {
                ul class="rows" { @for one in list { (session(visit, user, one)) } }
            }
        }
    }
}

fn session(visit: &Visit, user: &User, one: &TokenEntry) -> Markup {
    let name = if one.name.is_empty() { "Browser or CLI" } else { &one.name };
    let end = html! { button class="button small danger" { "End" span class="vh" { " " (name) } } };
    html! {
        li {
            span class="main" {
                (name)
                small class="note" {
                    @if !one.last_used_ip.is_empty() { code { (one.last_used_ip) } ", " }
                    "since " (time::at(one.created_at, visit.now))
                    @if let Some(at) = one.last_used_at { ", used " (time::ago(at, visit.now)) }
                }
            }
            (post(&visit.csrf, &paths::end_their_session(&user.username, &one.public_id), &end))
        }
    }
}
