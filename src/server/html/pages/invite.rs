//! Where the link of an invitation leads: making one's own account.

use maud::{Markup, Render, html};

use crate::server::html::layout::{Csrf, Solo};
use crate::server::html::parts::form::{Input, Line, wrongs};
use crate::server::html::parts::password::new_password;

/// The page of an invitation.
pub struct Invite {
    /// For the form.
    pub csrf: Csrf,
    /// Where the form leads: the link itself.
    pub action: String,
    /// The name of the server, as people reach it.
    pub host: String,
    /// Who made the invitation.
    pub made_by: String,
    /// The address that the account will have; empty when the guest says it.
    pub email: String,
    /// What was typed.
    pub input: Input,
}

impl Render for Invite {
    fn render(&self) -> Markup {
        let body = html! {
            section class="card" aria-labelledby="t" {
                div class="body fields" {
                    div {
                        h1 id="t" { "Make your account" }
                        p { b { (self.made_by) } " invites you to " (self.host) "." }
                    }
                    form class="fields" method="post" action=(self.action) {
                        (self.csrf)
                        (self.fields())
                        (wrongs(&self.input, &[("username", "User name"), ("email", "E-mail"), ("name", "Full name"), ("password", "Password")]))
                        button class="button primary wide" { "Make account and sign in" }
                    }
                }
                footer class="note" { "The link works once." }
            }
        };
        Solo { title: "Invitation", class: "wide", body }.render()
    }
}

impl Invite {
    fn fields(&self) -> Markup {
        html! {
            div class="row2" {
                (Line {
                    id: "f-username", name: "username", label: "User name", autocomplete: "username", autofocus: true,
                    hint: "Letters, digits and hyphens. Part of your addresses.", ..Line::default()
                }.draw(&self.input))
                @if self.email.is_empty() {
                    (Line { id: "f-email", name: "email", label: "E-mail", kind: "email", autocomplete: "email", ..Line::default() }.draw(&self.input))
                } @else {
                    p { "Your address here is " b { (self.email) } "." }
                }
            }
            (Line { id: "f-name", name: "name", label: "Full name", autocomplete: "name", optional: true, ..Line::default() }.draw(&self.input))
            (new_password("Password", "", &self.input))
        }
    }
}
