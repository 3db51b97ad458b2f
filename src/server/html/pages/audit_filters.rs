//! The searches in the audit log that someone keeps, to be renamed, shared and deleted.

use maud::{Markup, Render, html};

use super::audit::save_fields;
use crate::model::audit::saved::SavedFilter;
use crate::model::id::AuditFilterId;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::post;
use crate::server::html::parts::form::{Input, wrongs};
use crate::server::html::parts::notice::empty;
use crate::server::html::paths;

/// Which search a form was about that went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// A new one.
    New,
    /// One that is kept.
    Kept(AuditFilterId),
}

/// The page of searches that are kept.
pub struct AuditFilters {
    /// Who looks.
    pub visit: Visit,
    /// One's own searches.
    pub own: Vec<SavedFilter>,
    /// Searches that others share.
    pub shared: Vec<SavedFilter>,
    /// What was typed into which form, when something was wrong with it.
    pub wrong: Option<(Which, Input)>,
}

impl Render for AuditFilters {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Audit log", paths::AUDIT)]))
                    h1 { "Saved searches" }
                    p { "They stand above the log. A shared one is seen by all who may read the log, and changed by you alone." }
                }
            }
            div class="stack" {
                @if let Some((Which::New, input)) = &self.wrong { (self.new_one(input)) }
                @if self.own.is_empty() && self.wrong.is_none() {
                    section class="card" aria-label="Yours" {
                        (empty("search", &html! { "You keep none. Search the log, then choose “Save this search”." }, &html! {}))
                    }
                }
                @for (n, filter) in self.own.iter().enumerate() { (self.kept(n, filter)) }
                (self.others())
            }
        };
        let (visit, section) = (&self.visit, Section::Audit);
        Page { title: "Saved searches", visit, section, live: None, body }.render()
    }
}

impl AuditFilters {
    fn new_one(&self, input: &Input) -> Markup {
        html! {
            section class="card" aria-labelledby="new-title" {
                header { h2 id="new-title" { "A new one" } }
                form class="body fields" method="post" action=(paths::AUDIT_FILTERS) {
                    (self.visit.csrf)
                    (save_fields("f", ("", false), input))
                    (wrongs(input, &[("name", "Name"), ("q", "Search")]))
                    div class="actions" { a class="button" href=(paths::AUDIT) { "Keep none" } button class="button primary" { "Save search" } }
                }
            }
        }
    }

    fn kept(&self, n: usize, filter: &SavedFilter) -> Markup {
        let none = Input::default();
        let input = match &self.wrong {
            Some((Which::Kept(id), input)) if *id == filter.id => input,
            Some(_) | None => &none,
        };
        let (title, form) = (format!("own-{n}"), format!("s{n}"));
        let mut input = input.clone();
        if !input.has_values() {
            input.values.insert("name".to_owned(), filter.name.clone());
            input.values.insert("q".to_owned(), filter.query.clone());
            let shared = if filter.is_shared { "yes" } else { "" };
            input.values.insert("shared".to_owned(), shared.to_owned());
        }
        html! {
            section class="card" aria-labelledby=(title) {
                header {
                    h2 id=(title) { a class="name" href=(paths::audit_where(&filter.query)) { (filter.name) } }
                    @if filter.is_shared { span class="tag" { "shared" } }
                    (post(&self.visit.csrf, &paths::delete_audit_filter(filter.id), &html! {
                        button class="button small danger" { "Delete" span class="vh" { " " (filter.name) } }
                    }))
                }
                form class="body fields" method="post" action=(paths::audit_filter(filter.id)) {
                    (self.visit.csrf)
                    (save_fields(&form, (&filter.query, filter.is_shared), &input))
                    div class="actions" { button class="button" { "Save" span class="vh" { " " (filter.name) } } }
                }
            }
        }
    }

    fn others(&self) -> Markup {
        html! {
            @if !self.shared.is_empty() {
                section class="card" aria-labelledby="others" {
                    header { h2 id="others" { "Shared by others" } }
                    ul class="rows" {
                        @for filter in &self.shared {
                            li { span class="main" {
                                a class="name" href=(paths::audit_where(&filter.query)) { (filter.name) }
                                small class="note" { "by " (filter.owner.username) ": " code { (filter.query) } }
                            } }
                        }
                    }
                }
            }
        }
    }
}
