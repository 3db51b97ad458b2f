//! One person: status, roles, workspaces, and what can be done with the account.

use maud::{Markup, Render, html};

use super::factors::remove_theirs;
use super::people::{roles, seen};
use super::person_tokens::{TheirTokens, sessions};
use super::service_accounts::Answers;
use crate::model::factor::Factors;
use crate::model::login_method::LoginMethods;
use crate::model::quota::Quota;
use crate::model::user::{SiteRole, TokenEntry, User, UserKind, UserRef, UserStatus};
use crate::model::workspace::Workspace;
use crate::server::html::layout::{Page, Section, Visit, crumbs, role_word};
use crate::server::html::pages::what_if::look;
use crate::server::html::parts::button::{labelled, link, opens, post};
use crate::server::html::parts::dialog::{Dialog, type_the_name};
use crate::server::html::parts::form::{Input, Line};
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::password::new_password;
use crate::server::html::parts::{avatar, badge, time};
use crate::server::html::paths::{self, Place};

/// The page of a person or a service account.
pub struct Person {
    /// Who looks.
    pub visit: Visit,
    /// Whose page it is.
    pub user: User,
    /// Their workspaces that the one who looks may see.
    pub workspaces: Vec<Workspace>,
    /// What they use and may use in the organization of the start; none for who is not in it.
    pub quota: Option<Quota>,
    /// Whether the one who looks may change the account.
    pub administers: bool,
    /// Their second factors, where the one who looks may remove them.
    pub factors: Option<Factors>,
    /// How they sign in at providers, where the one who looks may know.
    pub logins: Option<LoginMethods>,
    /// Who answers for it, for a service account.
    pub answers: Option<Answers>,
    /// The tokens of a service account, where the one who looks may make them.
    pub tokens: Option<TheirTokens>,
    /// Where they are signed in, where the one who looks may end that.
    pub sessions: Option<Vec<TokenEntry>>,
    /// What was typed into one of the forms.
    pub input: Input,
}

impl Render for Person {
    fn render(&self) -> Markup {
        let u = &self.user;
        let me = UserRef { id: u.id, username: u.username.clone() };
        let section = if self.visit.sees_people() { Section::People } else { Section::Elsewhere };
        let body = html! {
            header class="page-head" {
                div {
                    @if self.visit.sees_people() { (crumbs(&[("People", paths::PEOPLE)])) }
                    h1 { (avatar::of_kind(&me, u.kind, "large")) (u.username) " " (badge::user(u.status)) }
                    p {
                        @if !u.name.is_empty() { (u.name) " · " }
                        @if !u.email.is_empty() { (u.email) " · " }
                        @if let Some(answers) = self.answers.as_ref().filter(|_| !self.changes()) { (answers) " answers for it · " }
                        (roles(u)) " · since " (time::at(u.created_at, self.visit.now)) " · last seen " (seen(u, &self.visit))
                    }
                }
                (self.actions())
            }
            div class="split" {
                div class="stack" {
                    @if let Some(tokens) = &self.tokens { (tokens.card(&self.visit, u)) }
                    (self.workspaces())
                    (self.logins())
                }
                @if self.changes() {
                    aside class="stack" aria-label={ "Account of " (u.username) } {
                        (self.answers_form()) (self.roles_form()) (self.password_form()) (self.factors())
                        @if let Some(list) = &self.sessions { (sessions(&self.visit, u, list)) }
                    }
                }
            }
            (self.dialogs())
        };
        Page { title: u.username.as_str(), visit: &self.visit, section, live: None, body }.render()
    }
}

impl Person {
    fn changes(&self) -> bool {
        self.administers && self.user.status != UserStatus::Deleted
    }

    fn actions(&self) -> Markup {
        let own = self.user.id == self.visit.user.id;
        let activate = paths::person_action(&self.user.username, "activate");
        html! {
            div class="actions" {
                @if self.visit.ways.audit { (link("", &paths::audit_where(&format!("username:{}", self.user.username)), &labelled("audit", "What they did"))) }
                @if self.changes() && !own {
                    @match self.user.status {
                        UserStatus::Suspended => (post(&self.visit.csrf, &activate, &html! { button class="button" { "Let in again" } })),
                        UserStatus::Active | UserStatus::Dormant => (opens("danger", "suspend", &html! { "Suspend" })),
                        UserStatus::Deleted => {}
                    }
                    (opens("danger", "delete", &html! { "Delete" }))
                }
            }
        }
    }

    fn workspaces(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="theirs" {
                header {
                    h2 id="theirs" { "Workspaces" }
                    span class="note" {
                        (self.workspaces.len())
                        @if let Some(quota) = self.quota {
                            @if let Some(budget) = quota.budget { " · " (quota.consumed) " of " (budget) " credits a day" }
                            @else if quota.consumed > 0 { " · " (quota.consumed) " credits a day" }
                        }
                    }
                }
                @if self.workspaces.is_empty() {
                    (empty("workspaces", &html! { "None that you may see." }, &html! {}))
                } @else {
                    ul class="rows" {
                        @for w in &self.workspaces {
                            li {
                                span class="main" {
                                    a class="name" href=(Place::of(w).page()) { (w.name) }
                                    small class="note" { (w.template_name) " · last used " (time::ago(w.last_used_at, self.visit.now)) }
                                }
                                (badge::workspace(w.status()))
                            }
                        }
                    }
                }
            }
        }
    }

    fn logins(&self) -> Markup {
        let logins = self.logins.as_ref().filter(|logins| !logins.methods.is_empty());
        html! {
            @if let Some(logins) = logins {
                section class="card" aria-labelledby="logins" {
                    header {
                        h2 id="logins" { "Signs in at" }
                        (link("small", &paths::claims(&self.user.username), &html! { "What providers say" }))
                    }
                    ul class="rows" {
                        @for identity in logins.methods.iter().map(|m| &m.identity) {
                            li {
                                span class="main" {
                                    (identity.provider)
                                    small class="note" { " as " (identity.subject) " · last spoke " (time::ago(identity.last_used_at, self.visit.now)) }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    fn answers_form(&self) -> Markup {
        html! {
            @if let Some(answers) = &self.answers {
                section class="card" aria-labelledby="answers" {
                    header { h2 id="answers" { "Who answers for it" } (answers) }
                    form class="body fields" method="post" action=(paths::person_action(&self.user.username, "responsible")) {
                        (self.visit.csrf)
                        @if answers.is_lacking { p { "It is suspended until someone who may sign in is named." } }
                        (Line {
                            id: "f-responsible", name: "responsible", label: "A person’s user name",
                            hint: "While they are suspended, so is this account.", ..Line::default()
                        }.draw(&self.input))
                        button class="button" { "Name them" }
                    }
                }
            }
        }
    }

    fn roles_form(&self) -> Markup {
        let keeper = self.logins.as_ref().and_then(|logins| logins.keeper.as_ref());
        let is_owner = self.visit.user.has(SiteRole::Owner);
        let grants_roles = is_owner && keeper.is_none();
        html! {
            section class="card" aria-labelledby="roles" {
                header { h2 id="roles" { "Roles" } }
                form class="body fields" method="post" action=(paths::person_action(&self.user.username, "roles")) {
                    (self.visit.csrf)
                    fieldset class="field" disabled[!grants_roles] {
                        legend { "On the whole site" }
                        @for role in SiteRole::ALL {
                            label class="check" {
                                input type="checkbox" name="role" value=(role) checked[self.user.has(*role)];
                                span { (role_word(*role)) span class="hint" { (role_note(*role)) } }
                            }
                        }
                    }
                    @if let Some(why) = self.input.error("roles") { span class="error" { (why) } }
                    @if grants_roles { div class="actions" { (look()) button class="button" { "Save roles" } } }
                    @else if let Some(keeper) = keeper { p class="note" { (keeper) " keeps them: they follow what it says at each sign-in." } }
                    @else { p class="note" { "Only an owner changes roles." } }
                }
            }
        }
    }

    fn password_form(&self) -> Markup {
        html! {
            @if self.user.kind == UserKind::Person {
                section class="card" aria-labelledby="password" {
                    header { h2 id="password" { "Password" } }
                    form class="body fields" method="post" action=(paths::person_action(&self.user.username, "password")) {
                        (self.visit.csrf)
                        input type="hidden" name="username" value=(self.user.username) autocomplete="username";
                        (new_password("New password", "Signs them out everywhere.", &self.input))
                        button class="button" { "Set password" }
                    }
                }
            }
        }
    }

    fn factors(&self) -> Markup {
        let action = paths::person_action(&self.user.username, "factors/remove");
        let own = self.user.id == self.visit.user.id;
        html! {
            @if let Some(factors) = self.factors.as_ref().filter(|_| !own) {
                (remove_theirs(&self.visit, self.user.username.as_str(), factors, &action))
            }
        }
    }

    fn dialogs(&self) -> Markup {
        let name = self.user.username.as_str();
        let (suspend, delete) = (format!("Suspend {name}"), format!("Delete {name}"));
        html! {
            @if self.changes() {
                (Dialog {
                    id: "suspend", title: &suspend, action: &paths::person_action(&self.user.username, "suspend"),
                    body: html! { p { "Ends all sessions now, and refuses keys and tokens. Workspaces and everything else stay, and return with the account." } },
                    class: "danger primary", deed: &suspend, back: "Keep active",
                }.draw(&self.visit.csrf))
                (Dialog {
                    id: "delete", title: &delete, action: &paths::person_action(&self.user.username, "delete"),
                    body: html! {
                        p { "Ends all sessions, and removes keys and tokens. Their workspaces must be deleted first. The name stays in the log. There is no way back." }
                        (type_the_name("d-name", name))
                    },
                    class: "danger primary", deed: &delete, back: "Keep it",
                }.draw(&self.visit.csrf))
            }
        }
    }
}

const fn role_note(role: SiteRole) -> &'static str {
    match role {
        SiteRole::Owner => "may do everything",
        SiteRole::UserAdmin => "adds, changes and removes people",
        SiteRole::TemplateAdmin => "manages all templates, sees all workspaces",
        SiteRole::Auditor => "reads the audit log",
    }
}
