//! The templates that come with the program.

use maud::{Markup, Render, html};

use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::{button, post};
use crate::server::html::parts::icon::{icon, like};
use crate::server::html::paths;

/// A template that comes with the program.
pub struct Starter {
    /// Its id, and the name it is added under.
    pub id: String,
    /// The name shown.
    pub name: String,
    /// What it is for, a sentence.
    pub description: String,
    /// Path of an icon.
    pub icon: String,
    /// Whether a template of this name is there already.
    pub added: bool,
}

/// The page of starters.
pub struct StarterTemplates {
    /// Who looks.
    pub visit: Visit,
    /// All that come with the program.
    pub starters: Vec<Starter>,
}

impl Render for StarterTemplates {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Templates", paths::TEMPLATES)]))
                    h1 { "Starter templates" }
                    p { "They come with Steading and work at once. To change one, write it out with " code { "steading templates init --id NAME DIR" } " and push it." }
                }
            }
            div class="grid" { @for starter in &self.starters { (self.card(starter)) } }
        };
        Page {
            title: "Starter templates",
            visit: &self.visit,
            section: Section::Templates,
            live: None,
            body,
        }
        .render()
    }
}

impl StarterTemplates {
    fn card(&self, starter: &Starter) -> Markup {
        let heading = format!("s-{}", starter.id);
        html! {
            section class="card" aria-labelledby=(heading) {
                header { (icon(like(&starter.icon, "templates"))) h2 id=(heading) { (starter.name) } }
                div class="body stack tight" {
                    p { (starter.description) }
                    div class="actions" {
                        @if starter.added {
                            a class="button" href={ (paths::TEMPLATES) "/" (starter.id) } { "Open " (starter.name) }
                        } @else {
                            (post(&self.visit.csrf, &paths::add_starter(&starter.id), &button("", "plus", &format!("Add {}", starter.name))))
                        }
                    }
                }
            }
        }
    }
}
