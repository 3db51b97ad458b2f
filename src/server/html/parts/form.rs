//! Fields of forms, with what was typed kept and what is wrong said beside it.

use std::collections::BTreeMap;

use maud::{Markup, html};

use super::icon::icon;
use super::parameter::PREFIX;
use crate::model::password::MIN_PASSWORD;

/// What was typed into a form, and what is wrong with it; empty when it is fresh.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Input {
    /// By the field's name, what was typed. Secrets are not kept.
    pub values: BTreeMap<String, String>,
    /// By the field's name, what is wrong.
    pub errors: BTreeMap<String, String>,
}

impl Input {
    /// Whether something was typed.
    #[must_use]
    pub fn has_values(&self) -> bool {
        !self.values.is_empty()
    }

    /// With one thing wrong.
    #[must_use]
    pub fn wrong(values: BTreeMap<String, String>, field: &str, why: &str) -> Self {
        Self { values, errors: BTreeMap::from([(field.to_owned(), why.to_owned())]) }
    }

    /// What was typed, else `fallback`.
    #[must_use]
    pub fn value<'a>(&'a self, name: &str, fallback: &'a str) -> &'a str {
        self.values.get(name).map_or(fallback, String::as_str)
    }

    /// What is wrong with a field.
    #[must_use]
    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.get(name).map(String::as_str)
    }
}

/// The field for a secret that a provider shares with us; what the names of others begin with.
pub const SECRET: &str = "secret";

/// Whether a field takes a secret, which no page carries on. An answer to a template is none,
/// whatever it is called: without it the build would be another one.
#[must_use]
pub fn is_secret(name: &str) -> bool {
    let is_named = name.contains("password") || name.starts_with(SECRET) || name == "old";
    !name.starts_with(PREFIX) && is_named
}

/// What to know before choosing a password, and then `more`.
#[must_use]
pub fn password_hint(more: &str) -> String {
    format!("{MIN_PASSWORD} characters or more. {more}").trim_end().to_owned()
}

/// A line of text and what is known of it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Line<'a> {
    /// Its id, unique on the page.
    pub id: &'a str,
    /// The name it is sent under.
    pub name: &'a str,
    /// What it asks for.
    pub label: &'a str,
    /// `text`, `password`, `email`, …; empty for text.
    pub kind: &'a str,
    /// What to know before typing; may be empty.
    pub hint: &'a str,
    /// What the browser may fill in; empty for nothing.
    pub autocomplete: &'a str,
    /// What stands in it at first.
    pub value: &'a str,
    /// May be left empty.
    pub optional: bool,
    /// Where the page begins.
    pub autofocus: bool,
}

impl Line<'_> {
    /// Draws it with what was typed before and what is wrong with it.
    #[must_use]
    pub fn draw(&self, input: &Input) -> Markup {
        let error = input.error(self.name);
        let kind = if self.kind.is_empty() { "text" } else { self.kind };
        let kept = if kind == "password" { "" } else { input.value(self.name, self.value) };
        let complete = if self.autocomplete.is_empty() { "off" } else { self.autocomplete };
        let words = matches!(kind, "text") && !matches!(complete, "name");
        html! {
            div class="field" {
                label for=(self.id) { (self.label) @if self.optional { " " small { "optional" } } }
                input id=(self.id) name=(self.name) type=(kind) value=[Some(kept).filter(|v| !v.is_empty())]
                    autocomplete=(complete) required[!self.optional] autofocus[self.autofocus]
                    autocapitalize=[words.then_some("off")] spellcheck=[words.then_some("false")]
                    aria-invalid=[error.map(|_| "true")] aria-describedby=[described(self.id, self.hint, error)];
                (notes(self.id, self.hint, error))
            }
        }
    }
}

/// Lines of text and what is known of them.
#[derive(Clone, Copy, Debug, Default)]
pub struct Area<'a> {
    /// Its id, unique on the page.
    pub id: &'a str,
    /// The name it is sent under.
    pub name: &'a str,
    /// What it asks for.
    pub label: &'a str,
    /// What to know before typing; may be empty.
    pub hint: &'a str,
    /// What stands in it at first.
    pub value: &'a str,
    /// May not be left empty.
    pub needed: bool,
}

impl Area<'_> {
    /// Draws it with what was typed before and what is wrong with it.
    #[must_use]
    pub fn draw(&self, input: &Input) -> Markup {
        let error = input.error(self.name);
        html! {
            div class="field" {
                label for=(self.id) { (self.label) @if !self.needed { " " small { "optional" } } }
                textarea id=(self.id) name=(self.name) class="mono" rows="3" spellcheck="false" autocapitalize="off" required[self.needed]
                    aria-invalid=[error.map(|_| "true")] aria-describedby=[described(self.id, self.hint, error)] { (input.value(self.name, self.value)) }
                (notes(self.id, self.hint, error))
            }
        }
    }
}

/// The field for the name of a new account, whose form begins with it.
#[must_use]
pub fn user_name(input: &Input) -> Markup {
    Line {
        id: "f-username",
        name: "username",
        label: "User name",
        autocomplete: "username",
        autofocus: true,
        hint: "Letters, digits and hyphens. Part of your addresses.",
        ..Line::default()
    }
    .draw(input)
}

/// The ids of what stands under a field.
#[must_use]
pub fn described(id: &str, hint: &str, error: Option<&str>) -> Option<String> {
    match (error.is_some(), hint.is_empty()) {
        (true, true) => Some(format!("{id}-e")),
        (true, false) => Some(format!("{id}-e {id}-h")),
        (false, false) => Some(format!("{id}-h")),
        (false, true) => None,
    }
}

/// What stands under a field: what is wrong, and what to know.
#[must_use]
pub fn notes(id: &str, hint: &str, error: Option<&str>) -> Markup {
    html! {
        @if let Some(why) = error { span class="error" id={ (id) "-e" } { (icon("s-warn")) (why) } }
        @if !hint.is_empty() { span class="hint" id={ (id) "-h" } { (hint) } }
    }
}

/// What is wrong with the form as a whole, above its button; links lead to the fields.
#[must_use]
pub fn wrongs(input: &Input, labels: &[(&str, &str)]) -> Markup {
    let named: Vec<(&str, &str)> =
        labels.iter().copied().filter(|(name, _)| input.error(name).is_some()).collect();
    let rest: Vec<&String> = input
        .errors
        .iter()
        .filter(|(name, _)| labels.iter().all(|(n, _)| n != name))
        .map(|(_, why)| why)
        .collect();
    html! {
        @if !input.errors.is_empty() {
            div class="notice" data-state="failed" role="alert" {
                (icon("warn"))
                div {
                    @for why in rest { p { (why) } }
                    @if let Some(((first, label), more)) = named.split_first() {
                        p {
                            @if more.is_empty() { "1 field needs a change: " } @else { (named.len()) " fields need a change: " }
                            a href={ "#f-" (first) } { (label) }
                            @for (name, label) in more { ", " a href={ "#f-" (name) } { (label) } }
                            "."
                        }
                    }
                }
            }
        }
    }
}
