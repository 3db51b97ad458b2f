//! What was found, and what can be done: the command palette as a page.

use maud::{Markup, Render, html};

use crate::model::user::{SiteRole, UserRef};
use crate::server::html::layout::{Page, Section, Visit};
use crate::server::html::parts::avatar;
use crate::server::html::parts::icon::icon;
use crate::server::html::parts::notice::empty;
use crate::server::html::paths;

/// Something found that has a page.
pub struct Hit {
    /// What it is called.
    pub name: String,
    /// What it is, in a few words.
    pub note: String,
    /// Where its page is.
    pub href: String,
}

/// The page of what was found.
pub struct Find {
    /// Who looks.
    pub visit: Visit,
    /// What was asked for.
    pub query: String,
    /// Workspaces that fit.
    pub workspaces: Vec<Hit>,
    /// Templates that fit.
    pub templates: Vec<Hit>,
    /// People that fit.
    pub people: Vec<UserRef>,
    /// Pages that fit.
    pub pages: Vec<Hit>,
}

impl Render for Find {
    fn render(&self) -> Markup {
        let nothing = self.workspaces.is_empty()
            && self.templates.is_empty()
            && self.people.is_empty()
            && self.pages.is_empty();
        let body = html! {
            header class="page-head" { div { h1 { @if self.query.is_empty() { "Find or run" } @else { "Found for “" (self.query) "”" } } } }
            form class="filters" role="search" aria-label="Again" action=(paths::FIND) method="get" {
                label class="find" {
                    (icon("search"))
                    span class="vh" { "Find" }
                    input type="search" name="q" value=(self.query) placeholder="a workspace, a template, a person, a page" autocomplete="off" autofocus;
                }
                button class="button" { "Find" }
            }
            div class="stack" {
                @if nothing {
                    section class="card" aria-label="Nothing" { (empty("search", &html! { "Nothing that you may see fits." }, &html! {})) }
                }
                (hits("workspaces", "Workspaces", &self.workspaces))
                (hits("templates", "Templates", &self.templates))
                @if !self.people.is_empty() {
                    section class="card" aria-labelledby="found-people" {
                        header { h2 id="found-people" { "People" } }
                        ul class="rows" { @for user in &self.people { li { (avatar::who(user, "")) } } }
                    }
                }
                (hits("right", "Pages", &self.pages))
            }
        };
        Page { title: "Find", visit: &self.visit, section: Section::Elsewhere, live: None, body }
            .render()
    }
}

/// The pages that the palette knows, those that may be seen.
#[must_use]
pub fn pages(visit: &Visit) -> Vec<Hit> {
    let home = &visit.home;
    let (sync, groups) = (home.sync(), home.groups());
    let (members, roles, rotations) = (home.members(), home.roles(), home.rotations());
    let all = [
        ("Workspaces", "all that you may see", paths::WORKSPACES, true),
        ("New workspace", "from a template", paths::TEMPLATES, true),
        ("Templates", "what workspaces are made from", paths::TEMPLATES, true),
        ("Starter templates", "add one", paths::STARTER_TEMPLATES, visit.edits_templates()),
        ("People", "accounts and roles", paths::PEOPLE, visit.sees_people()),
        (
            "Organizations",
            "who and what belongs together",
            paths::ORGANIZATIONS,
            visit.ways.organizations || visit.user.has(SiteRole::Owner),
        ),
        ("Group and role sync", "what follows providers", &sync, visit.ways.syncs),
        ("Groups", "who is together, and what they may spend", &groups, visit.ways.groups),
        ("Members", "who belongs here, and their roles", &members, visit.ways.groups),
        ("Roles", "what members may do", &roles, visit.ways.groups),
        ("Rotations", "who is on call", &rotations, visit.ways.rotations),
        ("Access review", "who was granted what", paths::ACCESS_REVIEW, visit.ways.audit),
        ("Audit log", "who did what", paths::AUDIT, visit.ways.audit),
        ("Ways to sign in", "providers, and tests of them", paths::PROVIDERS, visit.ways.providers),
        ("Account", "your names", paths::ACCOUNT, true),
        ("Password", "change it, see where you are signed in", paths::SECURITY, true),
        ("Tokens", "make one, revoke one", paths::TOKENS, true),
        ("SSH keys", "add one, remove one", paths::SSH_KEYS, true),
    ];
    all.into_iter()
        .filter(|(_, _, _, shown)| *shown)
        .map(|(name, note, href, _)| Hit {
            name: name.to_owned(),
            note: note.to_owned(),
            href: href.to_owned(),
        })
        .collect()
}

fn hits(name: &str, title: &str, hits: &[Hit]) -> Markup {
    let heading = format!("found-{}", title.to_lowercase());
    html! {
        @if !hits.is_empty() {
            section class="card" aria-labelledby=(heading) {
                header { h2 id=(heading) { (title) } }
                ul class="rows" {
                    @for hit in hits {
                        li { (icon(name)) span class="main" { a class="name" href=(hit.href) { (hit.name) } small class="note" { (hit.note) } } }
                    }
                }
            }
        }
    }
}
