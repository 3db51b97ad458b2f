//! A group: its members, what it adds to their budgets, and the templates it may use.

use maud::{Markup, Render, html};

use super::groups::allowance;
use crate::model::name::TemplateName;
use crate::model::quota::Quota;
use crate::model::template::TemplateRole;
use crate::model::user::{Group, User, UserRef};
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::pages::what_if::look;
use crate::server::html::parts::button::opens;
use crate::server::html::parts::dialog::{Dialog, type_the_name};
use crate::server::html::parts::form::{Input, Line, notes, wrongs};
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::place::{Place, Tab};
use crate::server::html::parts::table::{Column, Table, cell, deeds, row};
use crate::server::html::parts::{avatar, quota};
use crate::server::html::paths;

/// The page of a group.
pub struct GroupPage {
    /// Who looks.
    pub visit: Visit,
    /// The group.
    pub group: Group,
    /// Whether everyone in the organization is in it.
    pub everyone: bool,
    /// Its members whom the one who looks may see, with what they use and may use.
    pub members: Vec<(User, Quota)>,
    /// Who may be put in.
    pub more: Vec<UserRef>,
    /// The templates on whose lists it is, as far as the one who looks knows them.
    pub templates: Vec<(TemplateName, TemplateRole)>,
    /// Whether they may change it.
    pub changes: bool,
    /// Whether they may delete it.
    pub deletes: bool,
    /// What was typed into one of the forms.
    pub input: Input,
    /// Where it is.
    pub place: Place,
}

impl Render for GroupPage {
    fn render(&self) -> Markup {
        let g = &self.group;
        let body = html! {
            (self.place.tabs(Tab::Groups))
            header class="page-head" {
                div {
                    (crumbs(&[("Groups", &self.place.home().groups())]))
                    h1 { (g.name) }
                    p {
                        @if !g.display_name.is_empty() { (g.display_name) " · " }
                        @if self.everyone { "Everyone who belongs to the organization." } @else { (self.members.len()) " members" }
                    }
                }
                div class="actions" { @if self.deletes && !self.everyone { (opens("danger", "delete", &html! { "Delete" })) } }
            }
            div class="split" {
                div class="stack" { (self.list()) (self.reach()) }
                @if self.changes { aside class="stack" aria-label={ "Change " (g.name) } { (self.add()) (self.settings()) } }
            }
            @if self.deletes && !self.everyone { (self.delete()) }
        };
        let section = self.place.section(Section::Groups);
        Page { title: &g.name, visit: &self.visit, section, live: None, body }.render()
    }
}

impl GroupPage {
    fn list(&self) -> Markup {
        let columns = [
            Column::Head("Member"),
            Column::Head("Quota, credits a day"),
            Column::Silent("Actions"),
        ];
        let rows = html! { @for (user, used) in &self.members { (self.member(user, *used)) } };
        html! {
            section class="card" aria-labelledby="members" {
                header { h2 id="members" { "Members" } span class="note" { (self.members.len()) } }
                @if self.members.is_empty() {
                    (empty("people", &html! { "Nobody whom you may see." }, &html! {}))
                } @else {
                    (Table { caption: "Members of this group", class: "", columns: &columns, rows })
                }
            }
        }
    }

    fn member(&self, user: &User, used: Quota) -> Markup {
        let remove = html! {
            @if self.changes && !self.everyone {
                form method="post" action=(self.place.home().group_action(&self.group.name, "members")) {
                    (self.visit.csrf)
                    input type="hidden" name="remove" value=(user.id);
                    button class="button danger small" { "Take out" span class="vh" { ": " (user.username) } }
                }
            }
        };
        row(
            &format!("u-{}", user.id),
            &avatar::who(&UserRef::of(user), &user.email),
            &[cell("Quota", &quota::gauge(used, user.username.as_str())), deeds(&remove)],
        )
    }

    fn reach(&self) -> Markup {
        let of = &self.place.organization;
        let home = if of.is_default { "" } else { of.name.as_str() };
        html! {
            section class="card" aria-labelledby="templates" {
                header { h2 id="templates" { "Templates" } span class="note" { (self.templates.len()) } }
                @if self.templates.is_empty() {
                    p class="body note" { "None that you know of names this group. A template's permissions do." }
                } @else {
                    ul class="rows" {
                        @for (name, role) in &self.templates {
                            li {
                                span class="main" { a class="name" href=(paths::template_at(home, name)) { (name) } }
                                span class="note" { @match role { TemplateRole::Use => "use", TemplateRole::Admin => "use and keep" } }
                            }
                        }
                    }
                }
            }
        }
    }

    fn add(&self) -> Markup {
        html! {
            @if !self.everyone {
                section class="card" aria-labelledby="add" {
                    header { h2 id="add" { "Put someone in" } }
                    @if self.more.is_empty() {
                        p class="body note" { "Everyone whom you may see is in it." }
                    } @else {
                        form class="body fields" method="post" action=(self.place.home().group_action(&self.group.name, "members")) {
                            (self.visit.csrf)
                            div class="field" {
                                label for="f-add" { "Who" }
                                select id="f-add" name="add" required {
                                    option value="" { "Choose" }
                                    @for user in &self.more { option value=(user.id) { (user.username) } }
                                }
                                (notes("f-add", "", self.input.error("add")))
                            }
                            div class="actions" { (look()) button class="button primary" { "Put in" } }
                        }
                    }
                }
            }
        }
    }

    fn settings(&self) -> Markup {
        let g = &self.group;
        html! {
            section class="card" aria-labelledby="settings" {
                header { h2 id="settings" { "Settings" } }
                form class="body fields" method="post" action=(self.place.home().group(&g.name)) {
                    (self.visit.csrf)
                    @if !self.everyone {
                        (Line { id: "f-name", name: "name", label: "Name", value: &g.name, ..Line::default() }.draw(&self.input))
                        (Line { id: "f-display_name", name: "display_name", label: "Name shown", value: &g.display_name, optional: true, ..Line::default() }.draw(&self.input))
                    }
                    (allowance(&g.quota_allowance.to_string(), &self.input))
                    (wrongs(&self.input, &[("name", "Name"), ("display_name", "Name shown"), ("quota_allowance", "Quota allowance"), ("add", "Who")]))
                    button class="button" { "Save" }
                }
            }
        }
    }

    fn delete(&self) -> Markup {
        let name = &self.group.name;
        let title = format!("Delete {name}");
        let body = html! {
            p { "Its members lose what they have by it: templates, and " (self.group.quota_allowance) " credits a day each. Their workspaces stay." }
            (type_the_name("d-name", name))
        };
        Dialog {
            id: "delete",
            title: &title,
            action: &self.place.home().group_action(name, "delete"),
            body,
            class: "danger primary",
            deed: &title,
            back: "Keep it",
        }
        .draw(&self.visit.csrf)
    }
}
