//! Who must have a second factor, and who of them has none.

use maud::{Markup, Render, html};

use super::people::{roles, seen};
use crate::model::factor::MfaRoles;
use crate::model::user::{LoginType, OrganizationRole, SiteRole, User, UserRef};
use crate::server::html::layout::{Page, Section, Visit, role_word};
use crate::server::html::parts::avatar;
use crate::server::html::parts::form::{Input, wrongs};
use crate::server::html::parts::notice::{Tone, empty, notice};
use crate::server::html::parts::pager::Pager;
use crate::server::html::parts::quantity::grouped;
use crate::server::html::parts::table::{Column, Table, cell, row};
use crate::server::html::paths;

/// The page.
pub struct SecondFactors {
    /// Who looks.
    pub visit: Visit,
    /// Roles that the operator's settings name.
    pub told: MfaRoles,
    /// Where they are named.
    pub from: String,
    /// Roles that owners have added.
    pub added: MfaRoles,
    /// Whether who looks may change these.
    pub changes: bool,
    /// A part of those who must have one and have none.
    pub lacking: Vec<User>,
    /// How many of them come before the page.
    pub offset: i64,
    /// How many there are in all.
    pub total: i64,
    /// What was typed.
    pub input: Input,
}

impl Render for SecondFactors {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" {
                div {
                    h1 { "Second factors" }
                    p { "Whoever holds one of these roles goes no further without an app that shows codes, or a passkey." }
                }
            }
            div class="stack" { (self.roles()) (self.people()) }
        };
        let (title, section) = ("Second factors", Section::SecondFactors);
        Page { title, visit: &self.visit, section, live: None, body }.render()
    }
}

impl SecondFactors {
    /// People on a page at most.
    pub const ON_A_PAGE: i64 = 100;

    fn roles(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="roles" {
                header { h2 id="roles" { "Roles that need one" } }
                form class="body fields" method="post" action=(paths::SECOND_FACTORS) {
                    (self.visit.csrf)
                    @if !self.told.is_empty() {
                        (notice(Tone::Info, &html! {
                            "The server's settings name " b { (self.told) } " (" code { "mfa-required-roles" } ", "
                            (self.from) "). What stands there is changed there."
                        }, &html! {}))
                    }
                    (self.choices("Everyone", &[("member", "everyone")]))
                    (self.choices("On the site", &site_words()))
                    (self.choices("In an organization", &organization_words()))
                    (wrongs(&self.input, &[]))
                    @if self.changes { button class="button primary" { "Save" } }
                }
            }
        }
    }

    fn choices(&self, legend: &str, all: &[(&str, &str)]) -> Markup {
        html! {
            fieldset class="field" {
                legend { (legend) }
                div class="pills" {
                    @for (name, word) in all {
                        @let told = self.told.has(name);
                        label {
                            input type="checkbox" name="role" value=(name)
                                checked[told || self.added.has(name)] disabled[told || !self.changes];
                            (word)
                        }
                    }
                }
            }
        }
    }

    fn people(&self) -> Markup {
        let none = self.told.is_empty() && self.added.is_empty();
        html! {
            section class="card" aria-labelledby="lacking" {
                header {
                    h2 id="lacking" { "Who has none" }
                    @if self.total > 0 { span class="note" { (grouped(self.total)) } }
                }
                @if none {
                    (empty("people", &html! { "No role needs a second factor." }, &html! {}))
                } @else if self.lacking.is_empty() {
                    (empty("people", &html! { "Everyone who must have one has one." }, &html! {}))
                } @else {
                    (self.table())
                }
                (Pager {
                    path: paths::SECOND_FACTORS, query: &[], offset: self.offset,
                    shown: self.lacking.len(), size: Self::ON_A_PAGE, total: self.total,
                })
            }
        }
    }

    fn table(&self) -> Markup {
        let columns = [
            Column::Head("Name"),
            Column::Head("Roles"),
            Column::Head("Signs in"),
            Column::Head("Last seen"),
        ];
        let rows = html! { @for user in &self.lacking { (self.person(user)) } };
        let caption = "People who must have a second factor and have none";
        Table { caption, class: "", columns: &columns, rows }.render()
    }

    fn person(&self, user: &User) -> Markup {
        let me = UserRef::of(user);
        let head = html! {
            a class="who" href=(paths::person(&user.username)) {
                (avatar::of_kind(&me, user.kind, "")) span { (user.username) " " small { (user.email) } }
            }
        };
        let cells = [
            cell("Roles", &html! { (held(user)) }),
            cell("Signs in", &html! { (by(user.login_type)) }),
            cell("Last seen", &seen(user, &self.visit)),
        ];
        row(&format!("u-{}", user.id), &head, &cells)
    }
}

/// Someone's roles in words, those in organizations too.
fn held(user: &User) -> String {
    let mut words = vec![roles(user)];
    let there = user.organization_roles.iter();
    words.extend(there.map(|held| spelled(held.role.as_str())));
    words.dedup();
    words.join(", ")
}

fn site_words() -> Vec<(&'static str, &'static str)> {
    SiteRole::ALL.iter().map(|role| (role.as_str(), role_word(*role))).collect()
}

fn organization_words() -> Vec<(&'static str, &'static str)> {
    OrganizationRole::ALL
        .iter()
        .map(|role| {
            let word = match role {
                OrganizationRole::Admin => "admin",
                OrganizationRole::UserAdmin => "user admin",
                OrganizationRole::TemplateAdmin => "template admin",
                OrganizationRole::Auditor => "auditor",
                OrganizationRole::WorkspaceCreationBan => "no new workspaces",
            };
            (role.as_str(), word)
        })
        .collect()
}

/// A role's name as people read it.
fn spelled(name: &str) -> String {
    name.replace('-', " ")
}

const fn by(login_type: LoginType) -> &'static str {
    match login_type {
        LoginType::Password => "by password",
        LoginType::Oidc => "at a provider",
        LoginType::Github => "at GitHub",
        LoginType::Ldap => "by the directory",
        LoginType::None => "by token only",
    }
}
