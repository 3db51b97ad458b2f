//! A template version: its import, what it asks, what it makes.

use maud::{Markup, Render, html};

use crate::model::build::JobStatus;
use crate::model::log::LogEnd;
use crate::model::parameter::{Parameter, Variable};
use crate::model::resource::ResourceSpec;
use crate::model::template::{Template, Version};
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::pages::workspace::LINES_ID;
use crate::server::html::parts::badge::{Look, badge, of_job};
use crate::server::html::parts::button::{button, post};
use crate::server::html::parts::icon::{icon, like};
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::parts::table::{Column, Table, cell, row, spare};
use crate::server::html::parts::{log, markdown, time};
use crate::server::html::paths;

/// The page of a version.
pub struct VersionPage {
    /// Who looks.
    pub visit: Visit,
    /// Its template.
    pub template: Template,
    /// The version.
    pub version: Version,
    /// The end of its import's log; its stream goes on after it.
    pub log: LogEnd,
    /// What it asks.
    pub parameters: Vec<Parameter>,
    /// The variables that its pusher set.
    pub variables: Vec<Variable>,
    /// What a start makes.
    pub resources: Vec<ResourceSpec>,
    /// Whether the one who looks keeps the template.
    pub keeps: bool,
}

impl Render for VersionPage {
    fn render(&self) -> Markup {
        let (t, v) = (&self.template, &self.version);
        let live = paths::version_live(t, &v.name, self.log.cursor);
        let title = format!("{} {}", t.label(), v.name);
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Templates", paths::TEMPLATES), (t.label(), &paths::template(t))]))
                    h1 { (v.name) " " (self.status()) }
                    p {
                        @if !v.message.is_empty() { (v.message) " · " }
                        (v.created_by.username) ", " (time::at(v.created_at, self.visit.now))
                    }
                }
                (self.actions())
            }
            div class="stack" {
                (self.failure())
                div class="split" {
                    div class="stack" { (self.log_card()) (self.found()) }
                    aside class="stack" aria-label="What was found" { (self.makes()) (self.settings()) }
                }
            }
        };
        Page {
            title: &title,
            visit: &self.visit,
            section: Section::Templates,
            live: v.job.status.is_active().then_some(live.as_str()),
            body,
        }
        .render()
    }
}

/// How a version looks in a word.
#[must_use]
pub fn state(version: &Version, active: bool) -> Markup {
    match version.job.status {
        JobStatus::Succeeded if active => badge(Look::Fine, "Active"),
        JobStatus::Succeeded if version.archived => badge(Look::Expired, "Archived"),
        JobStatus::Succeeded => badge(Look::Stopped, "Imported"),
        JobStatus::Failed => badge(Look::Failed, "Import failed"),
        JobStatus::Running => badge(Look::Starting, "Importing"),
        other @ (JobStatus::Pending | JobStatus::Canceling | JobStatus::Canceled) => {
            let (look, word) = of_job(other);
            badge(look, word)
        }
    }
}

impl VersionPage {
    /// The status, spoken when it changes.
    #[must_use]
    pub fn status(&self) -> Markup {
        let active = self.version.id == self.template.active_version_id;
        html! { span id="status" role="status" { (state(&self.version, active)) } }
    }

    /// The buttons beside the name.
    #[must_use]
    pub fn actions(&self) -> Markup {
        let (t, v) = (&self.template, &self.version);
        let may = self.keeps && v.id != t.active_version_id;
        html! {
            div class="actions" id="actions" {
                @if may && v.job.status == JobStatus::Succeeded {
                    @if !v.archived { (post(&self.visit.csrf, &paths::archive(t, &v.name), &html! { button class="button" { "Archive" } })) }
                    (post(&self.visit.csrf, &paths::promote(t, &v.name), &button("primary", "check", "Make active")))
                }
            }
        }
    }

    /// Why the import failed, if it did.
    #[must_use]
    pub fn failure(&self) -> Markup {
        let error = &self.version.job.error;
        html! {
            div id="failure" hidden[error.is_empty()] {
                @if !error.is_empty() { (notice(Tone::Bad, &self.why(), &html! {})) }
            }
        }
    }

    fn why(&self) -> Markup {
        html! {
            p { b { "The import failed. " } (self.version.job.error) }
            p class="note" {
                "Workspaces keep the version they have. Mend the files and push them again: "
                code { "steading templates push " (self.template.name) " -d DIR" }
            }
        }
    }

    fn log_card(&self) -> Markup {
        let content = log::job(&self.log, &self.version.job);
        html! {
            section class="card" aria-labelledby="log" {
                header { h2 id="log" { "Import" } }
                (log::view(LINES_ID, "log", &content))
            }
        }
    }

    /// What it asks, and its README.
    #[must_use]
    pub fn found(&self) -> Markup {
        html! {
            div id="found" class="stack" hidden[self.parameters.is_empty() && self.version.readme.is_empty()] {
                @if !self.parameters.is_empty() {
                    section class="card" aria-labelledby="asks" {
                        header { h2 id="asks" { "What it asks" } }
                        (self.parameters())
                    }
                }
                @if !self.version.readme.is_empty() {
                    section class="card" aria-labelledby="readme" {
                        header { h2 id="readme" { "README" } }
                        div class="body prose" { (markdown::draw(&self.version.readme)) }
                    }
                }
            }
        }
    }

    fn parameters(&self) -> Markup {
        let columns = [
            Column::Head("Parameter"),
            Column::Head("Type"),
            Column::Spare("Asked by"),
            Column::Head("Default"),
            Column::Spare("Later"),
        ];
        let rows = html! {
            @for p in &self.parameters {
                (row(&format!("p-{}", p.name), &html! { span class="name" { (p.label()) } @if !p.description.is_empty() { small { (p.description) } } }, &[
                    cell("Type", &html! { code { (p.kind) } }),
                    spare("Asked by", &html! { (p.form_type) }),
                    cell("Default", &html! { @if p.required { span class="note" { "none: must be answered" } } @else { code { (p.default_value) } } }),
                    spare("Later", &html! { @if p.ephemeral { "one start only" } @else if p.mutable { "may change" } @else { "stays" } }),
                ]))
            }
        };
        html! { (Table { caption: "Parameters", class: "", columns: &columns, rows }) }
    }

    fn makes(&self) -> Markup {
        html! {
            @if !self.resources.is_empty() {
                section class="card" aria-labelledby="makes" {
                    header { h2 id="makes" { "What it makes" } }
                    ul class="rows" {
                        @for r in &self.resources {
                            li {
                                (icon(like(&r.icon, "server")))
                                span class="main" { span class="name" { (r.name) } small class="note" { (r.kind) @for a in &r.agents { " · agent " (a.name) } } }
                            }
                        }
                    }
                }
            }
        }
    }

    fn settings(&self) -> Markup {
        html! {
            @if !self.variables.is_empty() {
                section class="card" aria-labelledby="variables" {
                    header { h2 id="variables" { "Variables" } }
                    dl class="body kv" {
                        @for v in &self.variables {
                            dt { (v.name) }
                            dd { @if v.sensitive { span class="note" { "hidden" } } @else if v.value.is_empty() { span class="note" { "empty" } } @else { code { (v.value) } } }
                        }
                    }
                }
            }
        }
    }
}
