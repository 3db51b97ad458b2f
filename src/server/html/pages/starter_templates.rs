//! The templates that come with the program.

use maud::{Markup, Render, html};

use crate::model::parameter::Variable;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::{button, post};
use crate::server::html::parts::form::{Area, Input, Line, SECRET};
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
    /// What has to be there before it works, a phrase each.
    pub needs: Vec<String>,
    /// What has to be said before it can be added.
    pub asks: Vec<Variable>,
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

/// The name of the field for a variable: what is secret is called that, so that no page carries it on.
#[must_use]
pub fn field_name(variable: &Variable) -> String {
    let kind = if variable.sensitive { SECRET } else { "plain" };
    format!("{kind}-variable-{}", variable.name)
}

impl Render for StarterTemplates {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Templates", paths::TEMPLATES)]))
                    h1 { "Starter templates" }
                    p { "They come with Steading. To change one, write it out with " code { "steading templates init --id NAME DIR" } " and push it." }
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
                    div class="prose" {
                        p { "What it needs:" }
                        ul { @for need in &starter.needs { li { (need) } } }
                    }
                    @if starter.added {
                        div class="actions" {
                            a class="button" href={ (paths::TEMPLATES) "/" (starter.id) } { "Open " (starter.name) }
                        }
                    } @else if starter.asks.is_empty() {
                        div class="actions" { (self.form(starter)) }
                    } @else {
                        details { summary { "Set up " (starter.name) } (self.form(starter)) }
                    }
                }
            }
        }
    }

    /// Adds it, with what has to be said for that.
    fn form(&self, starter: &Starter) -> Markup {
        let add = button("", "plus", &format!("Add {}", starter.name));
        let content = html! {
            @if starter.asks.is_empty() { (add) } @else {
                div class="fields" {
                    @for variable in &starter.asks { (field(&starter.id, variable)) }
                    (add)
                }
            }
        };
        post(&self.visit.csrf, &paths::add_starter(&starter.id), &content)
    }
}

/// Asks for a variable. Its description says when it may be empty.
fn field(starter: &str, variable: &Variable) -> Markup {
    let (id, name) = (format!("v-{starter}-{}", variable.name), field_name(variable));
    let (id, name, hint) = (id.as_str(), name.as_str(), variable.description.as_str());
    let label = variable.name.as_str();
    let fresh = Input::default();
    // A line would lose the ends of lines of a key.
    if label.ends_with("private_key") {
        return Area { id, name, label, hint, needed: true, ..Area::default() }.draw(&fresh);
    }
    let kind = if variable.sensitive { "password" } else { "" };
    let optional = hint.contains("Empty ");
    Line { id, name, label, hint, kind, optional, ..Line::default() }.draw(&fresh)
}
