//! The list of organizations, and the page of one: what it is called, and how it ends.

use maud::{Markup, Render, html};

use crate::model::user::{Contents, Organization};
use crate::server::html::layout::{Page, Section, Visit};
use crate::server::html::parts::badge::{Look, badge};
use crate::server::html::parts::button::{labelled, opens};
use crate::server::html::parts::dialog::{Asking, Dialog, type_the_name};
use crate::server::html::parts::form::{Input, Line, wrongs};
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::place::{Place, Tab};
use crate::server::html::parts::table::{Column, Table, cell, deeds, row};
use crate::server::html::paths;

/// What the fields are called.
const LABELS: [(&str, &str); 4] = [
    ("name", "Name"),
    ("display_name", "Name shown"),
    ("description", "Description"),
    ("icon", "Icon"),
];

/// The page of all organizations.
pub struct Organizations {
    /// Who looks.
    pub visit: Visit,
    /// Those that they may see, by name.
    pub organizations: Vec<Organization>,
    /// Whether they may make one.
    pub creates: bool,
    /// What was typed into the form that makes one.
    pub input: Input,
}

impl Render for Organizations {
    fn render(&self) -> Markup {
        let again = !self.input.errors.is_empty();
        let body = html! {
            header class="page-head" {
                div { h1 { "Organizations" } p { "Each has its own members, groups, roles and templates." } }
                div class="actions" {
                    @if self.creates && !again { (opens("primary", "add", &labelled("plus", "New organization"))) }
                }
            }
            div class="stack" {
                (self.asking().again(&self.visit.csrf))
                section class="card" aria-label="Organizations" { (self.table()) }
                @if self.organizations.len() < 2 && self.creates {
                    p class="note" { "With one organization, nothing is said of organizations anywhere else. A second one is for people who are to have nothing in common with the others." }
                }
            }
            @if self.creates { (self.asking().draw(&self.visit.csrf)) }
        };
        let section = Section::Organizations;
        Page { title: "Organizations", visit: &self.visit, section, live: None, body }.render()
    }
}

impl Organizations {
    fn table(&self) -> Markup {
        let columns = [
            Column::Head("Organization"),
            Column::Head("What it is for"),
            Column::Silent("Actions"),
        ];
        let rows = html! { @for one in &self.organizations { (entry(one)) } };
        html! { (Table { caption: "Organizations that you may see", class: "", columns: &columns, rows }) }
    }

    fn asking(&self) -> Asking<'_> {
        Asking {
            dialog: Dialog {
                id: "add",
                title: "New organization",
                action: paths::ORGANIZATIONS,
                body: fields(None, &self.input),
                class: "primary",
                deed: "Make organization",
                back: "Make none",
            },
            input: &self.input,
            labels: &LABELS,
            page: paths::ORGANIZATIONS,
        }
    }
}

fn entry(organization: &Organization) -> Markup {
    let href = paths::organization(&organization.name);
    let head = html! {
        a class="who" href=(href) {
            span class="avatar" data-kind="group" aria-hidden="true" { (icon("board")) }
            span { (organization.label()) " " small { (organization.name) } }
        }
        @if organization.is_default { " " (badge(Look::Fine, "Of the start")) }
    };
    row(
        &format!("o-{}", organization.id),
        &head,
        &[
            cell("", &html! { (organization.description) }),
            deeds(&html! {
                a class="button quiet small square" href=(href) aria-label={ "Open " (organization.label()) } { (icon("right")) }
            }),
        ],
    )
}

fn fields(now: Option<&Organization>, input: &Input) -> Markup {
    let was = |text: fn(&Organization) -> &str| now.map(text).unwrap_or_default();
    html! {
        (Line { id: "f-name", name: "name", label: "Name", value: was(|o| &o.name), hint: "Letters, digits and hyphens, at most 36. Part of addresses.", ..Line::default() }.draw(input))
        (Line { id: "f-display_name", name: "display_name", label: "Name shown", value: was(|o| &o.display_name), optional: true, ..Line::default() }.draw(input))
        (Line { id: "f-description", name: "description", label: "Description", value: was(|o| &o.description), optional: true, ..Line::default() }.draw(input))
        (Line { id: "f-icon", name: "icon", label: "Icon", value: was(|o| &o.icon), hint: "URL or path of a picture, for programs that show one.", optional: true, ..Line::default() }.draw(input))
    }
}

/// The page of one organization.
pub struct OrganizationPage {
    /// Who looks.
    pub visit: Visit,
    /// Which.
    pub place: Place,
    /// Whether they may change it.
    pub changes: bool,
    /// What is in it; none for who may not delete it.
    pub holds: Option<Contents>,
    /// What was typed into the form.
    pub input: Input,
}

impl Render for OrganizationPage {
    fn render(&self) -> Markup {
        let organization = &self.place.organization;
        let holds = self.holds.filter(|_| !organization.is_default);
        let body = html! {
            (self.place.tabs(Tab::Settings))
            header class="page-head" {
                div {
                    h1 { (organization.label()) @if organization.is_default { " " (badge(Look::Fine, "Of the start")) } }
                    @if !organization.description.is_empty() { p { (organization.description) } }
                }
                div class="actions" { @if holds == Some(Contents::Nothing) { (opens("danger", "delete", &html! { "Delete" })) } }
            }
            div class="stack" {
                (self.settings())
                @if self.changes {
                    p class="note" { a href=(paths::sharing_mode(&organization.name)) { "Whose workspaces may be shared" } }
                    p class="note" { a href=(paths::charter(&organization.name)) { "Charter: who may at most what" } }
                    p class="note" { a href=(paths::request_rules(&organization.name)) { "Who answers requests for access" } }
                    p class="note" { a href=(paths::request_hook(&organization.name)) { "A program that is told of requests" } }
                }
                @match holds {
                    Some(Contents::Things { templates, workspaces }) => p class="note" { "It can be deleted once nothing is in it. Now there are: templates " (templates) ", workspaces " (workspaces) "." },
                    Some(Contents::Past) => p class="note" { "It cannot be deleted: it had templates, which the audit log speaks of. It can be renamed, and its members removed." },
                    Some(Contents::Nothing) | None => {}
                }
            }
            @if holds == Some(Contents::Nothing) { (self.delete()) }
        };
        let (title, section) = (organization.label(), Section::Organizations);
        Page { title, visit: &self.visit, section, live: None, body }.render()
    }
}

impl OrganizationPage {
    fn settings(&self) -> Markup {
        let organization = &self.place.organization;
        html! {
            section class="card" aria-labelledby="settings" {
                header { h2 id="settings" { "Settings" } }
                @if self.changes {
                    form class="body fields" method="post" action=(paths::organization(&organization.name)) {
                        (self.visit.csrf)
                        (fields(Some(organization), &self.input))
                        (wrongs(&self.input, &LABELS))
                        button class="button primary" { "Save" }
                    }
                } @else {
                    dl class="body kv" {
                        dt { "Name" } dd { (organization.name) }
                        @if !organization.display_name.is_empty() { dt { "Name shown" } dd { (organization.display_name) } }
                    }
                }
            }
        }
    }

    fn delete(&self) -> Markup {
        let organization = &self.place.organization;
        let name = organization.name.as_str();
        let title = format!("Delete {name}");
        Dialog {
            id: "delete",
            title: &title,
            action: &paths::delete_organization(name),
            body: html! {
                p { "Its groups and roles end, and with them what people have by them. Accounts stay." }
                (type_the_name("d-name", name))
            },
            class: "danger primary",
            deed: &title,
            back: "Keep it",
        }
        .draw(&self.visit.csrf)
    }
}
