//! The roles of an organization: what each holds, and those it made for itself.

use maud::{Markup, Render, html};

use crate::model::policy::{Permission, Permissions, ResourceType};
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::badge::{self, Look};
use crate::server::html::parts::button::opens;
use crate::server::html::parts::dialog::{Dialog, type_the_name};
use crate::server::html::parts::form::{Input, Line, wrongs};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::place::{Place, Tab};
use crate::server::html::parts::table::{Column, Table, cell, deeds, figure, row};

/// A role in the list.
#[derive(Clone, Debug)]
pub struct RoleRow {
    /// Its name.
    pub name: String,
    /// The name shown; may be empty.
    pub display_name: String,
    /// What it holds.
    pub permissions: Permissions,
    /// Whether the program knows it by itself.
    pub built_in: bool,
}

/// The page of all roles, with the form that makes one.
pub struct Roles {
    /// Who looks.
    pub visit: Visit,
    /// The roles: built-in ones first.
    pub roles: Vec<RoleRow>,
    /// Whether they may make one.
    pub creates: bool,
    /// What they hold there, and so can give.
    pub held: Permissions,
    /// What was chosen in the form.
    pub chosen: Permissions,
    /// What was typed into the form.
    pub input: Input,
    /// Where it is.
    pub place: Place,
}

impl Render for Roles {
    fn render(&self) -> Markup {
        let columns = [
            Column::Head("Role"),
            Column::Head("Kind"),
            Column::Figures("Permissions"),
            Column::Silent("Actions"),
        ];
        let rows = html! { @for role in &self.roles { (one(&self.place, role)) } };
        let body = html! {
            (self.place.tabs(Tab::Roles))
            header class="page-head" {
                div { h1 { "Roles" } p { "What members may do in this organization besides what is their own. Roles add up." } }
            }
            div class="stack" {
                section class="card" aria-label="Roles" {
                    (Table { caption: "Roles of this organization", class: "", columns: &columns, rows })
                }
                @if self.creates { (self.form()) }
            }
        };
        let section = self.place.section(Section::Roles);
        Page { title: "Roles", visit: &self.visit, section, live: None, body }.render()
    }
}

impl Roles {
    fn form(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="add" {
                header { h2 id="add" { "New role" } }
                form class="body fields" method="post" action=(self.place.home().roles()) {
                    (self.visit.csrf)
                    (Line { id: "f-name", name: "name", label: "Name", hint: "Letters, digits and hyphens. It does not change.", ..Line::default() }.draw(&self.input))
                    (Line { id: "f-display_name", name: "display_name", label: "Name shown", optional: true, ..Line::default() }.draw(&self.input))
                    (picker(self.chosen, self.held))
                    (wrongs(&self.input, &[("name", "Name"), ("display_name", "Name shown")]))
                    button class="button primary" { "Make role" }
                }
            }
        }
    }
}

/// The page of one role.
pub struct RolePage {
    /// Who looks.
    pub visit: Visit,
    /// The role.
    pub role: RoleRow,
    /// What they hold there, and so can give.
    pub held: Permissions,
    /// Whether they may change it.
    pub changes: bool,
    /// Whether they may delete it.
    pub deletes: bool,
    /// What was typed into the form.
    pub input: Input,
    /// Where it is.
    pub place: Place,
}

impl Render for RolePage {
    fn render(&self) -> Markup {
        let role = &self.role;
        let body = html! {
            (self.place.tabs(Tab::Roles))
            header class="page-head" {
                div {
                    (crumbs(&[("Roles", &self.place.home().roles())]))
                    h1 { (role.name) @if role.built_in { " " (badge::badge(Look::Fine, "Built in")) } }
                    @if !role.display_name.is_empty() { p { (role.display_name) } }
                }
                div class="actions" { @if self.deletes { (opens("danger", "delete", &html! { "Delete" })) } }
            }
            div class="stack" { @if self.changes { (self.form()) } @else { (self.list()) } }
            @if self.deletes { (self.delete()) }
        };
        let section = self.place.section(Section::Roles);
        Page { title: &role.name, visit: &self.visit, section, live: None, body }.render()
    }
}

impl RolePage {
    fn form(&self) -> Markup {
        let role = &self.role;
        html! {
            section class="card" aria-labelledby="holds" {
                header { h2 id="holds" { "What it holds" } }
                form class="body fields" method="post" action=(self.place.home().role(&role.name)) {
                    (self.visit.csrf)
                    (Line { id: "f-display_name", name: "display_name", label: "Name shown", value: &role.display_name, optional: true, ..Line::default() }.draw(&self.input))
                    (picker(role.permissions, self.held))
                    (wrongs(&self.input, &[("display_name", "Name shown")]))
                    button class="button primary" { "Save role" }
                }
            }
        }
    }

    fn list(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="holds" {
                header { h2 id="holds" { "What it holds" } }
                @if self.role.permissions.is_empty() {
                    p class="body note" { "No permission: it takes some away." }
                } @else {
                    dl class="body kv" {
                        @for kind in ResourceType::ALL {
                            @let actions = of_kind(self.role.permissions, *kind);
                            @if !actions.is_empty() { dt { (things(*kind)) } dd { (actions.join(", ")) } }
                        }
                    }
                }
            }
        }
    }

    fn delete(&self) -> Markup {
        let name = &self.role.name;
        let title = format!("Delete {name}");
        Dialog {
            id: "delete",
            title: &title,
            action: &self.place.home().role_action(name, "delete"),
            body: html! {
                p { "Takes it from whoever holds it. What they could do by it ends at once." }
                (type_the_name("d-name", name))
            },
            class: "danger primary",
            deed: &title,
            back: "Keep it",
        }
        .draw(&self.visit.csrf)
    }
}

fn one(place: &Place, role: &RoleRow) -> Markup {
    let href = place.home().role(&role.name);
    let head = html! {
        a class="name" href=(href) { (role.name) }
        @if !role.display_name.is_empty() { " " small class="note" { (role.display_name) } }
    };
    row(
        &format!("r-{}", role.name),
        &head,
        &[
            cell("Kind", &html! { @if role.built_in { "built in" } @else { "made here" } }),
            figure("Permissions", &html! { (role.permissions.iter().count()) }),
            deeds(&html! {
                a class="button quiet small square" href=(href) aria-label={ "Open " (role.name) } { (icon("right")) }
            }),
        ],
    )
}

/// A box for each permission; nobody gives what they do not hold.
fn picker(chosen: Permissions, held: Permissions) -> Markup {
    html! {
        @for kind in ResourceType::ALL {
            @let all: Vec<Permission> = kind.actions().iter().map(|a| Permission(*kind, *a)).collect();
            @if all.iter().any(|p| held.contains(*p) || chosen.contains(*p)) {
                fieldset class="field" {
                    legend { (things(*kind)) }
                    div class="pills" {
                        @for permission in all {
                            @let may = held.contains(permission);
                            @let has = chosen.contains(permission);
                            @if has && !may { input type="hidden" name="permission" value=(permission); }
                            label {
                                input type="checkbox" name="permission" value=(permission) checked[has] disabled[!may];
                                (words(permission.1.as_str()))
                            }
                        }
                    }
                }
            }
        }
    }
}

fn of_kind(permissions: Permissions, kind: ResourceType) -> Vec<String> {
    permissions.iter().filter(|p| p.0 == kind).map(|p| words(p.1.as_str())).collect()
}

/// What a permission is about, as people say it.
fn things(kind: ResourceType) -> String {
    match kind {
        ResourceType::AssignOrgRole => "roles of members".to_owned(),
        ResourceType::AssignRole => "roles on the site".to_owned(),
        ResourceType::GroupMember => "members of groups".to_owned(),
        ResourceType::IdpsyncSettings => "identity providers".to_owned(),
        ResourceType::OrganizationMember => "members".to_owned(),
        ResourceType::ApiKey
        | ResourceType::AuditLog
        | ResourceType::ConnectionLog
        | ResourceType::DeploymentConfig
        | ResourceType::File
        | ResourceType::Group
        | ResourceType::Organization
        | ResourceType::Rotation
        | ResourceType::Template
        | ResourceType::User
        | ResourceType::Workspace => words(kind.as_str()),
    }
}

/// A word of the API as people read it.
fn words(word: &str) -> String {
    word.replace('_', " ")
}
