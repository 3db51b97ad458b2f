//! Who may use and keep a template.

use maud::{Markup, Render, html};

use super::template::tabs;
use crate::model::id::GroupId;
use crate::model::template::{Template, TemplateRole};
use crate::model::user::{User, UserRef};
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::avatar;
use crate::server::html::parts::badge::{self, Look};
use crate::server::html::parts::form::{Input, notes, wrongs};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::parts::table::{Column, Table, cell, deeds, row};
use crate::server::html::paths;

/// A group as the list names it.
#[derive(Clone, Debug)]
pub struct GroupEntry {
    /// Which.
    pub id: GroupId,
    /// Its name.
    pub name: String,
    /// Whether everyone in the organization is in it.
    pub everyone: bool,
}

/// The page of a template's list.
pub struct TemplatePermissions {
    /// Who looks.
    pub visit: Visit,
    /// The template.
    pub template: Template,
    /// Groups on its list, Everyone first.
    pub groups: Vec<(GroupEntry, TemplateRole)>,
    /// People on its list, by name.
    pub users: Vec<(User, TemplateRole)>,
    /// Groups that are not on it.
    pub more_groups: Vec<GroupEntry>,
    /// People who are not on it.
    pub more_users: Vec<UserRef>,
    /// What was typed into the form that adds someone.
    pub input: Input,
}

impl Render for TemplatePermissions {
    fn render(&self) -> Markup {
        let t = &self.template;
        let name = paths::template(t);
        let private = !self.groups.iter().any(|(group, _)| group.everyone);
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Templates", paths::TEMPLATES), (t.label(), &name)]))
                    h1 { "Permissions" @if private { " " (badge::badge(Look::Warn, "Private")) } }
                    p { "Who may use " (t.label()) ", and who keeps it. Template admins and owners may by their roles." }
                }
            }
            (tabs(t, "Permissions"))
            div class="split" {
                div class="stack" {
                    @if private {
                        (notice(Tone::Info, &html! { "Nobody knows of this template but those below and template admins." }, &html! {}))
                    }
                    (self.list())
                }
                aside class="stack" aria-label="Add someone" { (self.form()) }
            }
        };
        Page {
            title: "Permissions",
            visit: &self.visit,
            section: Section::Templates,
            live: None,
            body,
        }
        .render()
    }
}

impl TemplatePermissions {
    fn list(&self) -> Markup {
        let columns = [Column::Head("Who"), Column::Head("May"), Column::Silent("Actions")];
        let rows = html! {
            @for (group, role) in &self.groups {
                @let head = html! {
                    span class="who" {
                        span class="avatar" data-kind="group" aria-hidden="true" { (icon("people")) }
                        span { (group.name) " " small { @if group.everyone { "all members" } @else { "group" } } }
                    }
                };
                (self.entry(("group", &group.id.to_string()), &group.name, &head, *role))
            }
            @for (user, role) in &self.users {
                @let head = avatar::who(&UserRef::of(user), &user.email);
                (self.entry(("user", &user.id.to_string()), user.username.as_str(), &head, *role))
            }
        };
        html! {
            section class="card" aria-labelledby="list" {
                header { h2 id="list" { "People and groups" } span class="note" { (self.groups.len() + self.users.len()) } }
                @if self.groups.is_empty() && self.users.is_empty() {
                    p class="body note" { "Nobody. Add a group or a person." }
                } @else {
                    (Table { caption: "Who may use and keep this template", class: "", columns: &columns, rows })
                }
            }
        }
    }

    fn entry(
        &self,
        (kind, id): (&str, &str),
        name: &str,
        head: &Markup,
        role: TemplateRole,
    ) -> Markup {
        let (other, text) = match role {
            TemplateRole::Use => (TemplateRole::Admin, "Let keep"),
            TemplateRole::Admin => (TemplateRole::Use, "Only use"),
        };
        let who = format!("{kind}:{id}");
        let change = |role: &str, class: &str, text: &str| {
            html! {
                form method="post" action=(paths::permissions(&self.template)) {
                    (self.visit.csrf)
                    input type="hidden" name="who" value=(who);
                    input type="hidden" name="role" value=(role);
                    button class={ "button small " (class) } { (text) span class="vh" { ": " (name) } }
                }
            }
        };
        let both = html! {
            span class="actions" { (change(other.as_str(), "quiet", text)) (change("", "danger", "Remove")) }
        };
        row(&format!("{kind}-{id}"), head, &[cell("May", &html! { (may(role)) }), deeds(&both)])
    }

    fn form(&self) -> Markup {
        let input = &self.input;
        html! {
            section class="card" aria-labelledby="add" {
                header { h2 id="add" { "Add someone" } }
                form class="body fields" method="post" action=(paths::permissions(&self.template)) {
                    (self.visit.csrf)
                    div class="field" {
                        label for="f-who" { "Who" }
                        select id="f-who" name="who" required aria-describedby=[input.error("who").map(|_| "f-who-e")] {
                            option value="" { "Choose" }
                            @if !self.more_groups.is_empty() {
                                optgroup label="Groups" { @for g in &self.more_groups { option value={ "group:" (g.id) } { (g.name) } } }
                            }
                            @if !self.more_users.is_empty() {
                                optgroup label="People" { @for u in &self.more_users { option value={ "user:" (u.id) } { (u.username) } } }
                            }
                        }
                        (notes("f-who", "", input.error("who")))
                    }
                    fieldset class="field" {
                        legend { "May" }
                        @for role in TemplateRole::ALL {
                            label class="check" {
                                input type="radio" name="role" value=(role) checked[*role == TemplateRole::Use];
                                span { (may(*role)) span class="hint" { (hint(*role)) } }
                            }
                        }
                    }
                    (wrongs(input, &[("who", "Who")]))
                    button class="button primary" { "Add" }
                }
            }
        }
    }
}

/// What a role on the list lets someone do.
const fn may(role: TemplateRole) -> &'static str {
    match role {
        TemplateRole::Use => "use",
        TemplateRole::Admin => "use and keep",
    }
}

const fn hint(role: TemplateRole) -> &'static str {
    match role {
        TemplateRole::Use => "See it and make workspaces from it.",
        TemplateRole::Admin => "Also push versions, change it and this list, and delete it.",
    }
}
