//! Who answers requests for a workspace, or for all of an organization, besides those who may share.

use maud::{Markup, Render, html};

use crate::model::request::{APPROVALS, RuleView};
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::button::{button, post};
use crate::server::html::parts::form::{Input, Line, notes, wrongs};
use crate::server::html::parts::time;

/// The page.
pub struct RequestRules {
    /// Who looks.
    pub visit: Visit,
    /// What it is for, with the page that leads here.
    pub of: (String, String),
    /// Where the form is sent.
    pub action: String,
    /// The rule that holds.
    pub rule: RuleView,
    /// Groups that can be named.
    pub groups: Vec<String>,
    /// Rotations that can be named.
    pub rotations: Vec<String>,
    /// What was typed.
    pub input: Input,
}

impl Render for RequestRules {
    fn render(&self) -> Markup {
        let (name, back) = &self.of;
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[(name.as_str(), back.as_str())]))
                    h1 { "Who answers requests" }
                    p { "Whoever may share it always may. Those named here give what you could, as long as you could." }
                }
            }
            div class="split" {
                div class="stack" { (self.form()) }
                aside class="stack" aria-label="What holds now" { (self.now()) }
            }
        };
        let section = Section::Requests;
        Page { title: "Who answers requests", visit: &self.visit, section, live: None, body }
            .render()
    }
}

impl RequestRules {
    fn form(&self) -> Markup {
        let (rule, input) = (&self.rule, &self.input);
        let approvals = rule.approvals.to_string();
        let hint = format!("{} to {}. One no ends a request.", APPROVALS.start(), APPROVALS.end());
        html! {
            section class="card" aria-labelledby="rule" {
                header { h2 id="rule" { "Rule" } }
                form class="body fields" method="post" action=(self.action) {
                    (self.visit.csrf)
                    (Line { id: "f-approvals", name: "approvals", label: "How many have to say yes", kind: "number", value: &approvals, hint: &hint, ..Line::default() }.draw(input))
                    (self.choice(("group", "Members of a group may answer"), &rule.group, &self.groups))
                    (self.choice(("rotation", "Whoever is on call may answer"), &rule.rotation, &self.rotations))
                    (self.choice(("auto", "Whoever is on call is let in at once"), &rule.auto, &self.rotations))
                    (wrongs(input, &[("approvals", "How many"), ("group", "Group"), ("rotation", "On call"), ("auto", "At once")]))
                    div class="actions" { (button("primary", "check", "Save")) }
                }
            }
        }
    }

    fn choice(&self, (name, label): (&str, &str), now: &str, all: &[String]) -> Markup {
        let chosen = self.input.value(name, now);
        let id = format!("f-{name}");
        let error = self.input.error(name);
        html! {
            div class="field" {
                label for=(id) { (label) }
                select id=(id) name=(name) aria-invalid=[error.map(|_| "true")] {
                    option value="" selected[chosen.is_empty()] { "Nobody" }
                    @for one in all { option value=(one) selected[chosen == one] { (one) } }
                }
                (notes(&id, "", error))
            }
        }
    }

    fn now(&self) -> Markup {
        let rule = &self.rule;
        html! {
            section class="card" aria-labelledby="now" {
                header { h2 id="now" { "Now" } }
                div class="body" {
                    @match &rule.set {
                        None => { p { "None is set: one of those who may share says yes." } }
                        Some((by, at)) => {
                            p { "Set by " (by.username) ", " (time::ago(*at, self.visit.now)) "." }
                            p class="note" { "When " (by.username) " may not share it any more, those named here answer nothing." }
                        }
                    }
                    @if rule.set.is_some() && (!rule.is_of_organization || self.is_organization()) {
                        (post(&self.visit.csrf, &format!("{}/unset", self.action), &html! { button class="button" { "Remove the rule" } }))
                    } @else if rule.set.is_some() { p class="note" { "It is the organization's." } }
                }
            }
        }
    }

    fn is_organization(&self) -> bool {
        self.action.starts_with("/organizations")
    }
}
