//! Where the link of an invitation leads: making one's own account.

use maud::{Markup, Render, html};

use crate::server::html::layout::{Csrf, Solo};
use crate::server::html::parts::form::{Input, Line, user_name, wrongs};
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
    /// The address that the account will have.
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
                        p { b { (self.made_by) } " invites you to " (self.host) ". Your address here is " b { (self.email) } "." }
                    }
                    form class="fields" method="post" action=(self.action) {
                        (self.csrf)
                        (self.fields())
                        (wrongs(&self.input, &[("username", "User name"), ("name", "Full name"), ("password", "Password")]))
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
            (user_name(&self.input))
            (Line { id: "f-name", name: "name", label: "Full name", autocomplete: "name", optional: true, ..Line::default() }.draw(&self.input))
            (new_password("Password", "", &self.input))
        }
    }
}
