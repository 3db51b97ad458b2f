//! One's own password, and where one is signed in.

use maud::{Markup, Render, html};

use super::factors;
use super::ways_in::WaysIn;
use crate::model::factor::Factors;
use crate::model::id::TokenId;
use crate::model::user::{LoginType, TokenEntry};
use crate::server::html::layout::{Page, Section, Visit, settings_tabs};
use crate::server::html::parts::button::post;
use crate::server::html::parts::form::{Input, Line, wrongs};
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::parts::password::new_password;
use crate::server::html::parts::time;
use crate::server::html::paths;

/// The page of one's own sign-in.
pub struct Security {
    /// Who looks.
    pub visit: Visit,
    /// The signed-in browsers and CLIs.
    pub sessions: Vec<TokenEntry>,
    /// The one that this page was asked with.
    pub current: TokenId,
    /// What was typed.
    pub input: Input,
    /// The second factors.
    pub factors: Factors,
    /// Whether the role of who looks needs one.
    pub must: bool,
    /// The ways by which they come in.
    pub ways: WaysIn,
    /// Whether passkeys can be made for where the server is reached.
    pub takes_passkeys: bool,
}

impl Render for Security {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" { div { h1 { "Sign-in" } p { "Your password, your second factors, and where you are signed in." } } }
            (settings_tabs(paths::SECURITY))
            @if self.must && !self.factors.any() {
                (notice(Tone::Warn, &html! { "Your role needs a second factor. Set one up to go on: an app that shows codes, or a passkey." }, &html! {}))
            }
            div class="split" {
                div class="stack" {
                    (factors::cards(&self.visit, &self.factors, self.takes_passkeys))
                    (self.password())
                    (self.ways.card(&self.visit, &self.input))
                }
                aside class="stack" aria-label="Signed in" { (self.list()) }
            }
        };
        Page { title: "Sign-in", visit: &self.visit, section: Section::Settings, live: None, body }
            .render()
    }
}

impl Security {
    fn password(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="password" {
                header { h2 id="password" { "Password" } }
                @match self.visit.user.login_type {
                    LoginType::None => p class="body note" { "You sign in by token only." },
                    LoginType::Ldap => p class="body note" { "The directory keeps your password; change it there." },
                    LoginType::Oidc | LoginType::Github => p class="body note" { "You sign in at a provider, which keeps your password." },
                    LoginType::Password => {
                        form class="body fields" method="post" action=(paths::SECURITY) {
                            (self.visit.csrf)
                            input type="hidden" name="username" value=(self.visit.user.username) autocomplete="username";
                            (Line { id: "f-old", name: "old", label: "Password now", kind: "password", autocomplete: "current-password", ..Line::default() }.draw(&self.input))
                            (new_password("New password", "Ends all your other sessions.", &self.input))
                            @if self.input.error("password_now").is_none() && self.input.error("provider").is_none() {
                                (wrongs(&self.input, &[("old", "Password now"), ("password", "New password")]))
                            }
                            div class="actions" { button class="button primary" { "Change password" } }
                        }
                    }
                }
            }
        }
    }

    fn list(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="signed-in" {
                header { h2 id="signed-in" { "Signed in" } span class="note" { (self.sessions.len()) } }
                ul class="rows" { @for s in &self.sessions { (self.session(s)) } }
                @if self.sessions.len() > 1 {
                    footer { (post(&self.visit.csrf, paths::OTHER_SESSIONS, &html! { button class="button danger" { "End all others" } })) }
                }
            }
        }
    }

    fn session(&self, s: &TokenEntry) -> Markup {
        let name = if s.name.is_empty() { "Browser or CLI" } else { &s.name };
        html! {
            li {
                span class="main" {
                    (name)
                    small class="note" {
                        @if s.id == self.current { "this one, " }
                        @if !s.last_used_ip.is_empty() { code { (s.last_used_ip) } ", " }
                        "since " (time::at(s.created_at, self.visit.now))
                        @if let Some(at) = s.last_used_at { ", used " (time::ago(at, self.visit.now)) }
                    }
                }
                @if s.id != self.current {
                    form method="post" action=(paths::revoke_token(&s.public_id)) {
                        (self.visit.csrf)
                        input type="hidden" name="next" value=(paths::SECURITY);
                        button class="button small danger" { "End" span class="vh" { " " (name) } }
                    }
                }
            }
        }
    }
}
