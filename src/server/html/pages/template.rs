//! A template: its README, its versions, what it asks.

use maud::{Markup, Render, html};

use super::version::state;
use crate::model::build::JobStatus;
use crate::model::parameter::Parameter;
use crate::model::template::{Template, Version};
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::{link, opens, post};
use crate::server::html::parts::dialog::{Dialog, type_the_name};
use crate::server::html::parts::notice::{Tone, empty, notice};
use crate::server::html::parts::table::{Column, Table, cell, deeds, row, spare};
use crate::server::html::parts::{avatar, badge, markdown, time};
use crate::server::html::paths;

/// Versions listed on the page.
pub const RECENT_VERSIONS: usize = 20;

/// The page of a template.
pub struct TemplatePage {
    /// Who looks.
    pub visit: Visit,
    /// The template.
    pub template: Template,
    /// Its versions, the last one first; at most [`RECENT_VERSIONS`].
    pub versions: Vec<Version>,
    /// The README of its active version; may be empty.
    pub readme: String,
    /// What its active version asks.
    pub parameters: Vec<Parameter>,
    /// Whether the one who looks keeps it.
    pub keeps: bool,
}

/// The sections of a template for who keeps it.
#[must_use]
pub fn tabs(template: &Template, here: &str) -> Markup {
    let tabs =
        [(paths::template(template), "Overview"), (paths::permissions(template), "Permissions")];
    html! {
        nav class="tabs" aria-label={ "Sections of " (template.label()) } {
            @for (href, text) in tabs { a href=(href) aria-current=[(text == here).then_some("page")] { (text) } }
        }
    }
}

impl Render for TemplatePage {
    fn render(&self) -> Markup {
        let t = &self.template;
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Templates", paths::TEMPLATES)]))
                    h1 { (t.label()) " " (badge::badge(badge::Look::Fine, &format!("{} active", t.active_version_name))) }
                    p { (t.description) }
                }
                div class="actions" {
                    @if self.keeps { (opens("danger", "delete", &html! { "Delete" })) }
                    (link("primary", &paths::create(t), &html! { "New workspace" }))
                }
            }
            @if self.keeps { (tabs(t, "Overview")) }
            div class="stack" {
                @if !t.deprecation.is_empty() { (notice(Tone::Warn, &html! { b { "Deprecated. " } (t.deprecation) }, &html! {})) }
                div class="split" {
                    div class="stack" { (self.readme()) (self.versions()) }
                    aside class="stack" aria-label={ "About " (t.label()) } { (self.about()) (self.questions()) }
                }
            }
            (self.delete())
        };
        Page { title: t.label(), visit: &self.visit, section: Section::Templates, live: None, body }
            .render()
    }
}

impl TemplatePage {
    fn readme(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="readme" {
                header { h2 id="readme" { "README" } span class="note" { (self.template.active_version_name) } }
                @if self.readme.trim().is_empty() {
                    (empty("book", &html! { "This version has no README.md. Its author would say here what a workspace is made of." }, &html! {}))
                } @else {
                    div class="body prose" { (markdown::draw(&self.readme)) }
                }
            }
        }
    }

    fn versions(&self) -> Markup {
        let caption = format!("Versions of {}", self.template.label());
        let columns = [
            Column::Head("Version"),
            Column::Head("State"),
            Column::Head("Change"),
            Column::Spare("By"),
            Column::Head("When"),
            Column::Silent("Actions"),
        ];
        let rows = html! { @for v in &self.versions { (self.version(v)) } };
        html! {
            section class="card" aria-labelledby="versions" {
                header { h2 id="versions" { "Versions" } }
                (Table { caption: &caption, class: "", columns: &columns, rows })
            }
        }
    }

    fn version(&self, v: &Version) -> Markup {
        let t = &self.template;
        let active = v.id == t.active_version_id;
        let may = self.keeps && !active && v.job.status == JobStatus::Succeeded;
        let deed = html! {
            @if may {
                (post(&self.visit.csrf, &paths::promote(t, &v.name), &html! {
                    button class="button small" { "Make active" span class="vh" { ": " (v.name) } }
                }))
            }
        };
        let change = if v.message.is_empty() {
            html! { span class="note" { "not said" } }
        } else {
            html! { (v.message) }
        };
        row(
            &format!("v-{}", v.id),
            &html! { a class="name" href=(paths::version(t, &v.name)) { (v.name) } },
            &[
                cell("", &state(v, active)),
                cell("Change", &change),
                spare("By", &avatar::who(&v.created_by, "")),
                cell("When", &time::at(v.created_at, self.visit.now)),
                deeds(&deed),
            ],
        )
    }

    fn about(&self) -> Markup {
        let t = &self.template;
        let stop = match t.default_ttl_s {
            0 => "never by itself".to_owned(),
            s => format!(
                "after {}",
                crate::model::time::words(std::time::Duration::from_secs(s.unsigned_abs()))
            ),
        };
        html! {
            section class="card" aria-labelledby="about" {
                header { h2 id="about" { "About" } }
                dl class="body kv" {
                    dt { "Workspaces" } dd { (t.n_workspaces) }
                    dt { "Stops" } dd { (stop) }
                    dt { "Name" } dd { code { (t.name) } }
                    dt { "Made by" } dd { (t.created_by.username) ", " (time::at(t.created_at, self.visit.now)) }
                    dt { "Changed" } dd { (time::at(t.updated_at, self.visit.now)) }
                }
            }
        }
    }

    fn questions(&self) -> Markup {
        html! {
            @if !self.parameters.is_empty() {
                section class="card" aria-labelledby="asks" {
                    header { h2 id="asks" { "What it asks" } span class="note" { (self.parameters.len()) } }
                    ul class="rows" {
                        @for p in &self.parameters {
                            li { span class="main" { span class="name" { (p.label()) } @if !p.description.is_empty() { small class="note" { (p.description) } } } }
                        }
                    }
                }
            }
        }
    }

    fn delete(&self) -> Markup {
        let t = &self.template;
        let title = format!("Delete {}", t.label());
        let used = t.n_workspaces > 0;
        let body = html! {
            @if used {
                p { (t.n_workspaces) " workspaces are made from it. They must be deleted first." }
            } @else {
                p { "Removes the template with all its versions and their logs. There is no way back." }
            }
            (type_the_name("d-name", t.name.as_str()))
        };
        html! {
            @if self.keeps {
                (Dialog { id: "delete", title: &title, action: &paths::delete_template(t), body, class: "danger primary", deed: &title, back: "Keep it" }.draw(&self.visit.csrf))
            }
        }
    }
}
