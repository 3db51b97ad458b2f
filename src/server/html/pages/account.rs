//! One's own names.

use maud::{Markup, Render, html};

use super::people::roles;
use crate::model::user::LoginType;
use crate::server::html::layout::{Page, Section, Visit, settings_tabs};
use crate::server::html::parts::form::{Input, Line, wrongs};
use crate::server::html::parts::time;
use crate::server::html::paths;

/// The page of one's own account.
pub struct Account {
    /// Who looks.
    pub visit: Visit,
    /// Whether they get mails; none where none are sent.
    pub mails: Option<bool>,
    /// What was typed.
    pub input: Input,
}

impl Account {
    fn mails(&self, wants: bool) -> Markup {
        html! {
            section class="card" aria-labelledby="mails" {
                header { h2 id="mails" { "Mails" } }
                form class="body fields" method="post" action=(paths::MY_MAILS) {
                    (self.visit.csrf)
                    label class="check" {
                        input type="checkbox" name="mails" value="on" checked[wants];
                        span { "Tell me by mail" span class="hint" { "Requests that you may answer, and what became of yours; emergencies; the end of your access." } }
                    }
                    div class="actions" { button class="button" { "Save" } }
                }
            }
        }
    }
}

impl Render for Account {
    fn render(&self) -> Markup {
        let u = &self.visit.user;
        let body = html! {
            header class="page-head" { div { h1 { "Account" } p { "What others see of you." } } }
            (settings_tabs(paths::ACCOUNT))
            div class="split" {
                section class="card" aria-labelledby="names" {
                    header { h2 id="names" { "Names" } }
                    form class="body fields" method="post" action=(paths::ACCOUNT) {
                        (self.visit.csrf)
                        (Line {
                            id: "f-username", name: "username", label: "User name", value: u.username.as_str(), autocomplete: "username",
                            hint: "Part of your workspaces' addresses: they change with it.", ..Line::default()
                        }.draw(&self.input))
                        (Line { id: "f-name", name: "name", label: "Full name", value: &u.name, autocomplete: "name", optional: true, ..Line::default() }.draw(&self.input))
                        (wrongs(&self.input, &[("username", "User name"), ("name", "Full name")]))
                        div class="actions" { button class="button primary" { "Save names" } }
                    }
                }
                aside class="stack" aria-label="Your account" {
                    @if let Some(wants) = self.mails { (self.mails(wants)) }
                    section class="card" aria-labelledby="facts" {
                        header { h2 id="facts" { "About" } }
                        dl class="body kv" {
                            dt { "E-mail" } dd { (u.email) }
                            dt { "Roles" } dd { (roles(u)) }
                            dt { "Since" } dd { (time::at(u.created_at, self.visit.now)) }
                            @if matches!(u.login_type, LoginType::Oidc | LoginType::Github | LoginType::Ldap) {
                                dt { "Provider" } dd { a href=(paths::claims(&u.username)) { "What it says of you" } }
                            }
                        }
                    }
                }
            }
        };
        Page { title: "Account", visit: &self.visit, section: Section::Settings, live: None, body }
            .render()
    }
}
