//! The list of templates.

use maud::{Markup, Render, html};

use crate::model::template::Template;
use crate::model::user::Organization;
use crate::server::html::layout::{Page, Section, Visit};
use crate::server::html::parts::button::{labelled, link};
use crate::server::html::parts::icon::{icon, like};
use crate::server::html::parts::notice::empty;
use crate::server::html::parts::table::{Column, Table, cell, deeds, row, spare};
use crate::server::html::parts::time;
use crate::server::html::paths;

/// The page of all templates.
pub struct Templates {
    /// Who looks.
    pub visit: Visit,
    /// The templates that they may use.
    pub templates: Vec<Template>,
    /// The organizations that they see, where there are several.
    pub places: Vec<Organization>,
}

impl Render for Templates {
    fn render(&self) -> Markup {
        let edits = self.visit.edits_templates();
        let body = html! {
            header class="page-head" {
                div { h1 { "Templates" } p { "Terraform that makes a workspace. Coder's templates work as they are." } }
                div class="actions" {
                    @if edits { (link("", paths::STARTER_TEMPLATES, &labelled("book", "Starters"))) }
                }
            }
            div class="stack" {
                section class="card" aria-label="Templates" {
                    @if self.templates.is_empty() { (nothing(edits)) } @else { (self.table()) }
                }
                @if edits && !self.templates.is_empty() {
                    p class="note" { "To add one of your own: " code { "steading templates push NAME -d DIR" } "." }
                }
            }
        };
        Page {
            title: "Templates",
            visit: &self.visit,
            section: Section::Templates,
            live: None,
            body,
        }
        .render()
    }
}

impl Templates {
    fn table(&self) -> Markup {
        let mut columns = vec![
            Column::Head("Template"),
            Column::Head("Active version"),
            Column::Head("Workspaces"),
            Column::Spare("Made by"),
            Column::Head("Last change"),
            Column::Silent("Actions"),
        ];
        if !self.places.is_empty() {
            columns.insert(1, Column::Head("Organization"));
        }
        let rows = html! { @for t in &self.templates { (self.row(t)) } };
        html! { (Table { caption: "Templates you may use", class: "", columns: &columns, rows }) }
    }

    fn row(&self, t: &Template) -> Markup {
        let note = if t.deprecation.is_empty() {
            t.description.clone()
        } else {
            format!("Deprecated: {}", t.deprecation)
        };
        let place = self.places.iter().find(|place| place.id == t.organization_id);
        let head = html! {
            span class="who" {
                (icon(like(&t.icon, "templates")))
                span { a class="name" href=(paths::template(t)) { (t.label()) } small { (note) } }
            }
        };
        let use_it = html! {
            a class={ "button small" @if !t.deprecation.is_empty() { " quiet" } } href=(paths::create(t)) {
                "Use" span class="vh" { " " (t.label()) }
            }
        };
        let mut cells = vec![
            cell("Version", &html! { (t.active_version_name) }),
            cell("Workspaces", &html! { (t.n_workspaces) }),
            spare("Made by", &html! { (t.created_by.username) }),
            cell("Changed", &time::at(t.updated_at, self.visit.now)),
            deeds(&use_it),
        ];
        if !self.places.is_empty() {
            let label = place.map(Organization::label).unwrap_or_default();
            cells.insert(0, cell("Organization", &html! { (label) }));
        }
        row(&format!("t-{}", t.id), &head, &cells)
    }
}

fn nothing(edits: bool) -> Markup {
    html! {
        @if edits {
            (empty(
                "templates",
                &html! { "A template is a directory of Terraform that makes a workspace. Begin with a starter, or push your own with " code { "steading templates push NAME -d DIR" } "." },
                &link("primary", paths::STARTER_TEMPLATES, &labelled("book", "Add a starter template")),
            ))
        } @else {
            (empty("templates", &html! { "There is no template that you may use. An owner or template admin adds one, or lets you use one." }, &html! {}))
        }
    }
}
