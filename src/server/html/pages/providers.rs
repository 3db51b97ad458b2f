//! The ways to sign in: settings as they are in force, and what a trial of one found.

use maud::{Markup, Render, html};

use crate::model::provider::{Changed, DEFAULT, Kept, Listed, ProviderKind, Steps};
use crate::server::html::layout::{Page, Section, Visit};
use crate::server::html::parts::badge::{Look, badge};
use crate::server::html::parts::button::{button, labelled, link};
use crate::server::html::parts::code::code;
use crate::server::html::parts::form::{Input, Line};
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::parts::table::{Column, Table, cell, row};
use crate::server::html::parts::time;
use crate::server::html::paths;

/// The page.
pub struct Providers {
    /// Who looks.
    pub visit: Visit,
    /// The ways, that by password first.
    pub listed: Vec<Listed>,
    /// Whether they may try one out.
    pub tries: bool,
    /// What a trial found, by the name of the way.
    pub tried: Option<(String, Steps)>,
    /// What was typed for the trial.
    pub input: Input,
}

impl Render for Providers {
    fn render(&self) -> Markup {
        let body = html! {
            header class="page-head" {
                div {
                    h1 { "Ways to sign in" }
                    p { "As they are in force. What is set up here is in force at once; what a file or the environment says is changed there, and in force after a restart." }
                }
            }
            div class="stack" {
                @for one in &self.listed { (self.card(one)) }
                @if self.tries { (self.more()) }
                p class="note" { "What people are here by what providers say of them: " a href=(paths::sync("default", "groups", "")) { "groups and roles by claims" } "." }
            }
        };
        let (title, section) = ("Ways to sign in", Section::Providers);
        Page { title, visit: &self.visit, section, live: None, body }.render()
    }
}

impl Providers {
    fn card(&self, one: &Listed) -> Markup {
        let id = format!("p-{}", one.name);
        let (addresses, trial) = (addresses(one), self.trial(one));
        let said = self.standing(one);
        html! {
            section class="card" aria-labelledby=(id) {
                header {
                    h2 id=(id) { (one.title) }
                    span class="note" { (kind(one.kind)) }
                    @if let Some(people) = one.people { span class="note" { (people_words(people)) } }
                    @if self.tries && !matches!(one.kept, Kept::Elsewhere) {
                        (link("small", &paths::provider(&one.name), &html! { "Edit" span class="vh" { " " (one.title) } }))
                    }
                }
                @if !one.facts.is_empty() { (facts(one)) }
                @let body = html! { (said) (addresses) (trial) };
                @if !body.0.is_empty() { div class="body stack tight" { (body) } }
            }
        }
    }

    /// Where its settings are kept, where that is to be known.
    fn standing(&self, one: &Listed) -> Markup {
        let changed = |changed: &Changed| {
            html! {
                "Set up here"
                @if !changed.by.is_empty() { " by " (changed.by) }
                ", changed " (time::ago(changed.at, self.visit.now)) "."
            }
        };
        match &one.kept {
            Kept::Elsewhere => html! {},
            Kept::Here(who) => html! { p class="note" { (changed(who)) } },
            Kept::Both => notice(
                Tone::Warn,
                &html! { "Settings of this name are stored here, too. Those of the file are in force." },
                &html! {},
            ),
            Kept::Broken(who, why) => html! {
                (notice(Tone::Bad, &html! { "It cannot be used: " (why) "." }, &html! {}))
                p class="note" { (changed(who)) }
            },
        }
    }

    /// The kinds that there could be one more of.
    fn more(&self) -> Markup {
        let is_there = |kind: ProviderKind| self.listed.iter().any(|one| one.kind == kind);
        let kinds = [ProviderKind::Github, ProviderKind::Ldap, ProviderKind::Scim];
        html! {
            section class="card" aria-labelledby="add" {
                header { h2 id="add" { "Add a way to sign in" } }
                div class="body actions" {
                    (link("", &paths::provider_add(ProviderKind::Oidc), &labelled("plus", "OpenID Connect")))
                    @for kind in kinds.into_iter().filter(|kind| !is_there(*kind)) {
                        (link("", &paths::provider_add(kind), &labelled("plus", name_of(kind))))
                    }
                }
            }
        }
    }

    fn trial(&self, one: &Listed) -> Markup {
        let found = self.tried.as_ref().filter(|(name, _)| *name == one.name);
        let has_trial =
            matches!(one.kind, ProviderKind::Oidc | ProviderKind::Github | ProviderKind::Ldap);
        html! {
            @if let Some((_, steps)) = found { (results(&one.name, one.kind, steps)) }
            @if has_trial && self.tries && !matches!(one.kept, Kept::Broken(..)) {
                form class="fields" method="post" action=(paths::provider_test(&one.name)) {
                    (self.visit.csrf)
                    @if one.kind == ProviderKind::Ldap {
                        (Line {
                            id: "f-username", name: "username", label: "User name", optional: true,
                            hint: "Shows what this person would become here. No password is needed.", ..Line::default()
                        }.draw(&self.input))
                    }
                    (button("", "check", "Test this provider"))
                }
            }
        }
    }
}

fn facts(one: &Listed) -> Markup {
    let columns = [Column::Head("Setting"), Column::Head("Value"), Column::Head("From")];
    let rows = html! {
        @for fact in &one.facts {
            @let from = html! { @if fact.from == DEFAULT { span class="note" { (DEFAULT) } } @else { (fact.from) } };
            (row(
                &format!("s-{}-{}", one.name, fact.key),
                &html! { code { (fact.key) } },
                &[cell("Value", &html! { (fact.value) }), cell("From", &from)],
            ))
        }
    };
    let caption = format!("Settings of {}", one.title);
    Table { caption: &caption, class: "", columns: &columns, rows }.render()
}

fn addresses(one: &Listed) -> Markup {
    html! {
        @for (n, (what, address)) in one.addresses.iter().enumerate() {
            div class="field" {
                span class="label" { (what) }
                (code(&format!("a-{}-{n}", one.name), address))
            }
        }
    }
}

/// What a kind of way to sign in is called.
pub(super) const fn name_of(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Password => "Password",
        ProviderKind::Oidc => "OpenID Connect",
        ProviderKind::Github => "GitHub",
        ProviderKind::Ldap => "LDAP directory",
        ProviderKind::Scim => "SCIM",
    }
}

/// What was found, step by step; after what is wrong nothing was looked at.
pub(super) fn results(name: &str, kind: ProviderKind, steps: &Steps) -> Markup {
    let id = format!("t-{name}");
    let (look, text) = match steps.wrong() {
        None => (Look::Fine, "Nothing is wrong"),
        Some(_) => (Look::Failed, "Something is wrong"),
    };
    html! {
        div role="status" aria-labelledby=(id) {
            h3 id=(id) { "Test: " (badge(look, text)) }
            ul class="rows" {
                @for step in &steps.0 {
                    li {
                        span class="main" { span class="name" { (step.what) } small { (step.said) } }
                        @if step.is_ok { (badge(Look::Fine, "OK")) } @else { (badge(Look::Failed, "Wrong")) }
                    }
                }
            }
            @if steps.wrong().is_none() && matches!(kind, ProviderKind::Oidc | ProviderKind::Github) {
                p class="note" {
                    "The rest of a sign-in needs a person: add this way to your own account under "
                    a href=(paths::SECURITY) { "Sign-in" } ", or sign in by it in a private window."
                }
            }
        }
    }
}

const fn kind(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Password => "kept here",
        ProviderKind::Oidc => "OpenID Connect",
        ProviderKind::Github => "OAuth",
        ProviderKind::Ldap => "LDAP",
        ProviderKind::Scim => "keeps people and groups here",
    }
}

fn people_words(people: i64) -> String {
    match people {
        0 => "nobody came by it".to_owned(),
        1 => "1 person".to_owned(),
        n => format!("{n} people"),
    }
}
