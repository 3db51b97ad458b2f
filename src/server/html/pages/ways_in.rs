//! The ways by which someone comes in: their list, adding one, and going on to its provider.

use maud::{Markup, Render, html};

use crate::model::identity::Identity;
use crate::model::user::LoginType;
use crate::server::html::layout::{Solo, Visit};
use crate::server::html::parts::button::post;
use crate::server::html::parts::form::{Input, Line, described, notes, wrongs};
use crate::server::html::parts::time;
use crate::server::html::paths;

/// The ways by which someone comes in.
#[derive(Clone, Debug, Default)]
pub struct WaysIn {
    /// Who they are at providers.
    pub identities: Vec<Identity>,
    /// Providers by which they do not come yet: the name and what they are called.
    pub joinable: Vec<(String, String)>,
}

impl WaysIn {
    /// The card on the page of one's own sign-in.
    #[must_use]
    pub fn card(&self, visit: &Visit, input: &Input) -> Markup {
        let by_password = visit.user.login_type == LoginType::Password;
        html! {
            section class="card" aria-labelledby="ways" {
                header { h2 id="ways" { "Ways to sign in" } }
                ul class="rows" {
                    @if by_password { li { span class="main" { "Password" small class="note" { "kept here" } } } }
                    @for identity in &self.identities { (one(identity, visit)) }
                    @if !by_password && self.identities.is_empty() { li { span class="main note" { "By token only." } } }
                }
                @if by_password && !self.joinable.is_empty() { (self.form(visit, input)) }
            }
        }
    }

    fn form(&self, visit: &Visit, input: &Input) -> Markup {
        let (id, error) = ("f-provider", input.error("provider"));
        let chosen = input.value("provider", "");
        html! {
            form class="body fields" method="post" action=(paths::WAYS_IN) {
                (visit.csrf)
                input type="hidden" name="username" value=(visit.user.username) autocomplete="username";
                div class="field" {
                    label for=(id) { "Another way" }
                    select id=(id) name="provider" aria-describedby=[described(id, "", error)] {
                        @for (name, title) in &self.joinable {
                            option value=(name) selected[chosen == name] { (title) }
                        }
                    }
                    (notes(id, "", error))
                }
                (Line {
                    id: "f-password_now", name: "password_now", label: "Your password", kind: "password",
                    autocomplete: "current-password", ..Line::default()
                }.draw(input))
                @if input.error("password_now").is_some() || error.is_some() {
                    (wrongs(input, &[("provider", "Another way"), ("password_now", "Your password")]))
                }
                div class="actions" { button class="button" { "Add this way" } }
            }
        }
    }
}

fn one(identity: &Identity, visit: &Visit) -> Markup {
    let remove = html! {
        button class="button small danger" { "Remove" span class="vh" { " " (identity.provider) } }
    };
    html! {
        li {
            span class="main" {
                (identity.provider)
                small class="note" {
                    (identity.email) ", used " (time::ago(identity.last_used_at, visit.now))
                }
            }
            (post(&visit.csrf, &paths::way_in_remove(identity.id), &remove))
        }
    }
}

/// The page that leads on to a provider: no form of ours leads away.
pub struct GoOn {
    /// What the provider is called.
    pub title: String,
    /// Where.
    pub href: String,
}

impl Render for GoOn {
    fn render(&self) -> Markup {
        let body = html! {
            section class="card" aria-labelledby="t" {
                div class="body fields" {
                    div {
                        h1 id="t" { "Sign in at " (self.title) }
                        p { "Whoever you are there can sign in as you here from then on." }
                    }
                    a class="button primary wide" href=(self.href) { "Go on to " (self.title) }
                    a class="button wide" href=(paths::SECURITY) { "Back" }
                }
            }
        };
        Solo { title: "Add a way to sign in", class: "", body }.render()
    }
}
