//! The form of a way to sign in that is stored here, or is to be.

use std::collections::BTreeMap;

use maud::{Markup, Render, html};

use super::providers::{name_of, results};
use crate::model::provider::{Comers, ProviderKind, Steps};
use crate::model::provider_field::{Field, Shape, fields};
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::opens;
use crate::server::html::parts::code::code;
use crate::server::html::parts::dialog::{Dialog, type_the_name};
use crate::server::html::parts::form::{Area, Input, Line, SECRET, described, notes, wrongs};
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::paths;

/// What a name begins as.
pub const USUAL_NAME: &str = "sso";
/// The field that carries on a secret that was typed, sealed.
pub const KEPT: &str = "kept";
/// The field for whom a directory is asked.
pub const TRY_USERNAME: &str = "try_username";

/// The page.
pub struct ProviderForm {
    /// Who looks.
    pub visit: Visit,
    /// What kind.
    pub kind: ProviderKind,
    /// Which one is changed.
    pub state: FormState,
    /// Texts by the keys of settings, without the secret.
    pub values: BTreeMap<String, String>,
    /// What is wrong with what was typed.
    pub input: Input,
    /// A secret that was typed before, sealed; empty for none.
    pub kept: String,
    /// What a trial of what was typed found.
    pub tried: Option<Steps>,
    /// Addresses that are to be told there, and what they are.
    pub addresses: Vec<(&'static str, String)>,
}

/// What the form is of.
pub enum FormState {
    /// A new one, of this name so far.
    New(String),
    /// One that is stored, with who comes by it.
    Stored(String, Comers),
    /// One that is stored, while the file has settings of its name.
    Behind(String),
}

impl FormState {
    fn name(&self) -> &str {
        match self {
            Self::New(name) | Self::Stored(name, _) | Self::Behind(name) => name,
        }
    }
}

impl Render for ProviderForm {
    fn render(&self) -> Markup {
        let name = self.state.name();
        let title = match &self.state {
            FormState::New(_) => format!("Add {}", name_of(self.kind)),
            FormState::Stored(..) | FormState::Behind(_) if self.kind == ProviderKind::Oidc => {
                name.to_owned()
            }
            FormState::Stored(..) | FormState::Behind(_) => name_of(self.kind).to_owned(),
        };
        let removes = !matches!(self.state, FormState::New(_));
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Ways to sign in", paths::PROVIDERS)]))
                    h1 { (title) }
                    p { (purpose(self.kind)) }
                }
                div class="actions" { @if removes { (opens("danger", "remove", &html! { "Remove" })) } }
            }
            div class="stack" {
                @match &self.state {
                    FormState::Behind(_) => (notice(
                        Tone::Warn,
                        &html! { "The file has settings of this name, which are in force. Remove what is stored here, or take it out of the file and restart." },
                        &html! {},
                    )),
                    FormState::New(_) | FormState::Stored(..) => { (self.told()) (self.form()) }
                }
            }
            @if removes { (self.remove()) }
        };
        let section = Section::Providers;
        Page { title: &title, visit: &self.visit, section, live: None, body }.render()
    }
}

impl ProviderForm {
    /// What is to be told at the provider.
    fn told(&self) -> Markup {
        let is_new_name =
            matches!(self.state, FormState::New(_)) && self.kind == ProviderKind::Oidc;
        html! {
            @if !self.addresses.is_empty() {
                section class="card" aria-labelledby="told" {
                    header { h2 id="told" { "To tell there" } }
                    div class="body stack tight" {
                        @if is_new_name { p class="note" { "With another name than " (self.state.name()) ", that name stands in them." } }
                        @for (n, (what, address)) in self.addresses.iter().enumerate() {
                            div class="field" { span class="label" { (what) } (code(&format!("a-{n}"), address)) }
                        }
                    }
                }
            }
        }
    }

    fn form(&self) -> Markup {
        let (action, trial) = match &self.state {
            FormState::New(_) => {
                (paths::provider_add(self.kind), paths::provider_add_try(self.kind))
            }
            FormState::Stored(name, _) | FormState::Behind(name) => {
                (paths::provider(name), paths::provider_try(name))
            }
        };
        let is_new = matches!(self.state, FormState::New(_));
        let all = fields(self.kind);
        let more: Vec<&Field> = all.iter().filter(|field| !field.needed).collect();
        let is_open = more.iter().any(|field| self.input.error(field.key).is_some());
        html! {
            section class="card" aria-labelledby="settings" {
                header { h2 id="settings" { "Settings" } }
                form class="body fields" method="post" action=(action) {
                    (self.visit.csrf)
                    @if is_new && self.kind == ProviderKind::Oidc {
                        (Line { id: "f-name", name: "name", label: "Name", value: self.state.name(), hint: "Small letters, digits and hyphens. It does not change.", ..Line::default() }.draw(&self.input))
                    }
                    @for field in all.iter().filter(|field| field.needed) { (self.field(field)) }
                    @if !more.is_empty() {
                        details open[is_open] {
                            summary { "More" }
                            div class="fields" { @for field in more { (self.field(field)) } }
                        }
                    }
                    @if self.kind == ProviderKind::Ldap {
                        (Line { id: "f-try_username", name: TRY_USERNAME, label: "User name to test with", optional: true, hint: "Shows what this person would become here. No password is needed.", ..Line::default() }.draw(&self.input))
                    }
                    @if let Some(steps) = &self.tried { (results(self.state.name(), self.kind, steps)) }
                    (self.wrongs())
                    @if !is_new { @if let Some(what) = identity(self.kind) {
                        p class="note" { "With another " (what) ", what it says of people is said of others: nobody of now is known by it, and sessions that began with it end." }
                    } }
                    div class="actions" {
                        button class="button primary" { @if is_new { "Add" } @else { "Save" } }
                        @if self.kind != ProviderKind::Scim { button class="button" formaction=(trial) { "Test before saving" } }
                    }
                }
            }
        }
    }

    fn wrongs(&self) -> Markup {
        let label = |field: &Field| {
            let name = if field.shape == Shape::Secret { SECRET } else { field.key };
            (name, field.label)
        };
        let labels: Vec<(&str, &str)> = fields(self.kind).iter().map(label).collect();
        wrongs(&self.input, &[labels.as_slice(), &[("name", "Name")]].concat())
    }

    fn field(&self, field: &Field) -> Markup {
        let (key, hint, label) = (field.key, field.hint, field.label);
        let id = format!("f-{key}");
        let value = self.values.get(key).map_or("", String::as_str);
        match field.shape {
            Shape::Line => {
                let optional = !matches!(key, "issuer" | "client_id" | "url");
                let line =
                    Line { id: &id, name: key, label, hint, value, optional, ..Line::default() };
                line.draw(&self.input)
            }
            Shape::Secret => self.secret(field),
            Shape::Text | Shape::List | Shape::Pairs | Shape::Mapping | Shape::Mappings => {
                Area { id: &id, name: key, label, hint, value, needed: false }.draw(&self.input)
            }
            Shape::Flag(_) => html! {
                label class="check" {
                    input id=(id) type="checkbox" name=(key) value="yes" checked[!value.is_empty()];
                    span { (label) @if !hint.is_empty() { span class="hint" { (hint) } } }
                }
            },
            Shape::Choice(words) => {
                let error = self.input.error(key);
                html! {
                    div class="field" {
                        label for=(id) { (label) }
                        select id=(id) name=(key) aria-describedby=[described(&id, hint, error)] {
                            @for word in words { option value=(word) selected[*word == value] { (choice(word)) } }
                        }
                        (notes(&id, hint, error))
                    }
                }
            }
        }
    }

    fn secret(&self, field: &Field) -> Markup {
        let is_new = matches!(self.state, FormState::New(_));
        let hint = match (self.kept.is_empty(), is_new) {
            (false, _) => "Typed already. Empty keeps what was typed.",
            (true, false) => "Empty keeps the one that is stored.",
            (true, true) => field.hint,
        };
        let optional = !is_new || !self.kept.is_empty() || self.kind == ProviderKind::Ldap;
        let line = Line {
            id: "f-secret",
            name: SECRET,
            label: field.label,
            kind: "password",
            autocomplete: "new-password",
            hint,
            optional,
            ..Line::default()
        };
        html! {
            (line.draw(&self.input))
            @if !self.kept.is_empty() { input type="hidden" name=(KEPT) value=(self.kept); }
        }
    }

    fn remove(&self) -> Markup {
        let name = self.state.name();
        let title = format!("Remove {name}");
        let body = match &self.state {
            FormState::Stored(_, comers) if self.kind != ProviderKind::Scim => stranding(*comers),
            FormState::Stored(..) => html! {
                p { "People and groups that it keeps stay as they are, and nobody keeps them any more." }
            },
            FormState::New(_) | FormState::Behind(_) => html! {
                p { "What is stored here goes. The settings of the file stay in force." }
            },
        };
        Dialog {
            id: "remove",
            title: &title,
            action: &paths::provider_remove(name),
            body: html! { (body) (type_the_name("r-name", name)) },
            class: "danger primary",
            deed: &title,
            back: "Keep it",
        }
        .draw(&self.visit.csrf)
    }
}

/// What tells a way to sign in from another one, whose people are not its own.
const fn identity(kind: ProviderKind) -> Option<&'static str> {
    match kind {
        ProviderKind::Oidc => Some("issuer"),
        ProviderKind::Github => Some("address of GitHub"),
        ProviderKind::Ldap => Some("address, place of people or attribute that never changes"),
        ProviderKind::Password | ProviderKind::Scim => None,
    }
}

/// Who could not come in any more.
fn stranding(comers: Comers) -> Markup {
    html! {
        p {
            @match comers.people { 0 => "Nobody came by it.", 1 => "1 person came by it.", n => { (n) " people came by it." } }
            @match comers.stranded {
                0 => {},
                1 => " One of them has no other way in, and could not sign in any more.",
                n => { " " (n) " of them have no other way in, and could not sign in any more." }
            }
        }
        p { "Sessions that began with it end at once. Accounts and what is theirs stay." }
    }
}

fn choice(word: &str) -> &str {
    match word {
        "members" => "members' accounts",
        "none" => "nobody's account",
        "all" => "any account but an owner's",
        other => other,
    }
}

const fn purpose(kind: ProviderKind) -> &'static str {
    match kind {
        ProviderKind::Oidc => "People sign in at a provider that speaks OpenID Connect.",
        ProviderKind::Github => "People sign in at GitHub, by an OAuth app that you make there.",
        ProviderKind::Ldap => "People sign in by the password that a directory keeps.",
        ProviderKind::Scim => "An identity provider keeps people and groups here.",
        ProviderKind::Password => "",
    }
}
