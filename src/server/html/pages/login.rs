//! Signing in.

use maud::{Markup, Render, html};

use crate::server::html::layout::{Csrf, Solo};
use crate::server::html::parts::form::{Input, Line, wrongs};
use crate::server::html::paths;

/// The page to sign in.
pub struct Login {
    /// For the form.
    pub csrf: Csrf,
    /// What was typed.
    pub input: Input,
    /// Where to go after; a path of ours, or empty.
    pub next: String,
    /// The name of the server, as people reach it.
    pub host: String,
}

impl Render for Login {
    fn render(&self) -> Markup {
        let body = html! {
            section class="card" aria-labelledby="t" {
                div class="body fields" {
                    div { h1 id="t" { "Sign in" } p class="note" { "to " (self.host) } }
                    form class="fields" method="post" action=(paths::LOGIN) {
                        (self.csrf)
                        @if !self.next.is_empty() { input type="hidden" name="next" value=(self.next); }
                        (Line {
                            id: "f-username", name: "username", label: "User name or e-mail", autocomplete: "username",
                            autofocus: true, ..Line::default()
                        }.draw(&self.input))
                        (Line {
                            id: "f-password", name: "password", label: "Password", kind: "password",
                            autocomplete: "current-password", ..Line::default()
                        }.draw(&self.input))
                        (wrongs(&self.input, &[]))
                        button class="button primary wide" { "Sign in" }
                    }
                }
                footer class="note" {
                    @if !self.next.is_empty() { "You will return to " code { (self.next) } ". " }
                    "Lost your password? The owner sets a new one."
                }
            }
        };
        Solo { title: "Sign in", class: "", body }.render()
    }
}
