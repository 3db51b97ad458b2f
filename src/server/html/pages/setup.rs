//! The page that makes the first user.

use maud::{Markup, Render, html};

use crate::server::html::layout::{Csrf, Solo};
use crate::server::html::parts::form::{Input, Line, user_name, wrongs};
use crate::server::html::parts::password::new_password;
use crate::server::html::paths;

/// The first page of a new server.
pub struct Setup {
    /// For the form.
    pub csrf: Csrf,
    /// What was typed.
    pub input: Input,
}

impl Render for Setup {
    fn render(&self) -> Markup {
        let body = html! {
            section class="card" aria-labelledby="t" {
                div class="body fields" {
                    div {
                        h1 id="t" { "Create the owner" }
                        p { "This Steading is new and has no people. The first account owns it." }
                    }
                    form class="fields" method="post" action=(paths::SETUP) {
                        (self.csrf)
                        (self.fields())
                        (wrongs(&self.input, &[("username", "User name"), ("email", "E-mail"), ("password", "Password")]))
                        button class="button primary wide" { "Create owner and continue" }
                    }
                }
                footer class="note" { "Nothing is sent anywhere: no telemetry, no licence, no account elsewhere." }
            }
        };
        Solo { title: "Setup", class: "wide", body }.render()
    }
}

impl Setup {
    fn fields(&self) -> Markup {
        html! {
            div class="row2" {
                (user_name(&self.input))
                (Line { id: "f-email", name: "email", label: "E-mail", kind: "email", autocomplete: "email", ..Line::default() }.draw(&self.input))
            }
            (new_password("Password", "", &self.input))
        }
    }
}
