//! How groups or roles of an organization follow a provider, and what that would make of someone.

use maud::{Markup, Render, html};

use super::claims;
use crate::model::name::RoleName;
use crate::model::set_sync::{SetSync, SyncKind};
use crate::model::sync::{GroupHere, Origin, Synced};
use crate::server::html::layout::{Page, Section, Visit};
use crate::server::html::parts::badge::{Look, badge};
use crate::server::html::parts::form::{Input, Line, described, notes, wrongs};
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::parts::place::{Place, Tab};
use crate::server::html::paths;

/// What the fields are called.
const LABELS: [(&str, &str); 4] =
    [("field", "Claim"), ("regex_filter", "Filter"), ("mapping", "Mapping"), ("person", "Person")];

/// What it would make of someone.
#[derive(Clone, Debug)]
pub enum Tried {
    /// Of their groups.
    Groups(Synced<GroupHere>),
    /// Of their roles there.
    Roles(Synced<RoleName>),
    /// Nothing follows: the sync would be off.
    Off,
    /// The provider has said nothing of them that is kept.
    Unknown,
}

/// The page.
pub struct SyncPage {
    /// Who looks.
    pub visit: Visit,
    /// Where.
    pub place: Place,
    /// What follows.
    pub kind: SyncKind,
    /// The provider.
    pub provider: String,
    /// Every provider that people sign in at.
    pub providers: Vec<String>,
    /// How it follows now.
    pub settings: SetSync,
    /// Where that was said.
    pub origin: Origin,
    /// The mapping as it is typed: a line for each word.
    pub mapping: String,
    /// Whether they may change it.
    pub changes: bool,
    /// Someone, and what it would make of them.
    pub tried: Option<(String, Tried)>,
    /// What was typed into the form.
    pub input: Input,
}

impl SyncPage {
    fn one(&self) -> &'static str {
        if self.kind == SyncKind::Roles { "role" } else { "group" }
    }

    fn many(&self) -> &'static str {
        if self.kind == SyncKind::Roles { "Roles" } else { "Groups" }
    }
}

impl Render for SyncPage {
    fn render(&self) -> Markup {
        let (name, provider) = (self.place.organization.name.as_str(), self.provider.as_str());
        let body = html! {
            (self.place.tabs(Tab::Sync))
            header class="page-head" {
                div {
                    h1 { (self.many()) " by " (provider) }
                    p { "What a provider says of people gives " (self.one()) "s here, from each person's next sign-in or renewal on. What it gave, only it takes." }
                }
            }
            nav class="tabs" aria-label="What follows" {
                @for (kind, text) in [(SyncKind::Groups, "Groups"), (SyncKind::Roles, "Roles")] {
                    a href=(paths::sync(name, kind.as_str(), provider)) aria-current=[(kind == self.kind).then_some("page")] { (text) }
                }
                @if self.providers.len() > 1 {
                    @for other in self.providers.iter().filter(|other| *other != provider) {
                        a href=(paths::sync(name, self.kind.as_str(), other)) { "By " (other) }
                    }
                }
            }
            div class="stack" {
                @if self.providers.is_empty() { (notice(Tone::Info, &html! { "No provider is set up. What is set here holds for one named " (provider) "." }, &html! {})) }
                (self.settings())
                @if let Some((person, tried)) = &self.tried { (self.shown(person, tried)) }
            }
        };
        let (title, section) =
            (format!("{} by {provider}", self.many()), self.place.section(Section::Providers));
        Page { title: &title, visit: &self.visit, section, live: None, body }.render()
    }
}

impl SyncPage {
    fn settings(&self) -> Markup {
        let (look, from) = match self.origin {
            Origin::Set => (Look::Fine, "As it was set here"),
            Origin::File => (Look::Stopped, "By the server's settings"),
        };
        let action = paths::sync(&self.place.organization.name, self.kind.as_str(), &self.provider);
        html! {
            section class="card" aria-labelledby="settings" {
                header { h2 id="settings" { "In force" } (badge(look, from)) }
                form class="body fields" method="post" action=(action) {
                    (self.visit.csrf)
                    (Line { id: "f-field", name: "field", label: "Claim", value: &self.settings.field, optional: true, hint: "What it is called there. Without it nothing follows.", ..Line::default() }.draw(&self.input))
                    (self.mapping())
                    @if self.kind == SyncKind::Groups { (self.of_groups()) }
                    (Line { id: "f-person", name: "person", label: "Person", optional: true, hint: "A member's user name: shows what this would make of them, and saves nothing.", ..Line::default() }.draw(&self.input))
                    (wrongs(&self.input, &LABELS))
                    @if self.changes {
                        div class="actions" {
                            button class="button" name="deed" value="try" { "Try it out" }
                            @if self.origin == Origin::Set { button class="button" name="deed" value="back" { "Use the server's settings" } }
                            button class="button primary" name="deed" value="save" { "Save" }
                        }
                    } @else { p class="note" { "You may not change this." } }
                }
            }
        }
    }

    fn mapping(&self) -> Markup {
        let hint = format!("A line for each: word there = {} here", self.one());
        let error = self.input.error("mapping");
        html! {
            div class="field" {
                label for="f-mapping" { "Mapping " small { "optional" } }
                textarea id="f-mapping" name="mapping" class="mono" rows="5" spellcheck="false" aria-describedby=[described("f-mapping", &hint, error)] {
                    (self.input.value("mapping", &self.mapping))
                }
                (notes("f-mapping", &hint, error))
            }
        }
    }

    fn of_groups(&self) -> Markup {
        let creates = if self.input.has_values() {
            self.input.values.contains_key("auto_create")
        } else {
            self.settings.auto_create
        };
        html! {
            (Line { id: "f-regex_filter", name: "regex_filter", label: "Filter", value: &self.settings.regex_filter, optional: true, hint: "A regular expression: which names that are not mapped are looked at. Without it all are.", ..Line::default() }.draw(&self.input))
            label class="check" {
                input type="checkbox" name="auto_create" value="yes" checked[creates];
                span { "Make groups that are not here" }
            }
        }
    }

    fn shown(&self, person: &str, tried: &Tried) -> Markup {
        let place = &self.place.organization;
        html! {
            section class="card" aria-label={ "What it would make of " (person) } {
                header { h2 { "What it would make of " (person) } }
                @match tried {
                    Tried::Groups(synced) => (claims::table(0, ("Groups", "group"), synced, &|here: &GroupHere| claims::group(place, here))),
                    Tried::Roles(synced) => (claims::table(0, ("Roles", "role"), synced, &|role: &RoleName| html! { (role) })),
                    Tried::Off => p class="body note" { "Nothing: without a claim nothing follows." },
                    Tried::Unknown => p class="body note" { (person) " has not signed in at " (self.provider) ", or it said more than is kept." },
                }
            }
        }
    }
}
