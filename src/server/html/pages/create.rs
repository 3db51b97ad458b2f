//! The form that makes a workspace from a template.

use maud::{Markup, Render, html};

use crate::model::parameter::{Parameter, Preset};
use crate::model::quota::{Quota, bounded};
use crate::model::resource::ResourceSpec;
use crate::model::template::Template;
use crate::server::html::layout::{Page, Section, Visit, crumbs};
use crate::server::html::parts::form::{Input, Line, wrongs};
use crate::server::html::parts::icon::{icon, like};
use crate::server::html::parts::notice::{Tone, notice};
use crate::server::html::parts::parameter::{Field, PREFIX};
use crate::server::html::parts::quota;
use crate::server::html::paths;

/// The page to make a workspace.
pub struct Create {
    /// Who looks.
    pub visit: Visit,
    /// The template.
    pub template: Template,
    /// The version that is used.
    pub version_name: String,
    /// What the template asks, in its order.
    pub parameters: Vec<Parameter>,
    /// Answers under a name.
    pub presets: Vec<Preset>,
    /// The preset that is chosen; none for one's own answers.
    pub preset: Option<String>,
    /// What a start makes.
    pub resources: Vec<ResourceSpec>,
    /// Credits a day of a stopped one.
    pub stop_cost: i64,
    /// What the one who looks uses and may use.
    pub quota: Quota,
    /// External logins that it cannot do without.
    pub external_auth: Vec<String>,
    /// What was typed.
    pub input: Input,
}

impl Render for Create {
    fn render(&self) -> Markup {
        let label = self.template.label();
        let title = format!("New workspace from {label}");
        let body = html! {
            header class="page-head" {
                div {
                    (crumbs(&[("Templates", paths::TEMPLATES), (label, &paths::template(&self.template))]))
                    h1 { (title) }
                    p { (self.template.description) " " a href=(paths::TEMPLATES) { "Choose another template" } }
                }
            }
            form class="split" method="post" action=(paths::create(&self.template)) {
                (self.visit.csrf)
                div class="stack" id="form" {
                    (self.unusable())
                    (self.start())
                    (self.questions())
                }
                aside class="stack sticky" aria-label="What it makes" {
                    (self.result())
                    (self.cost())
                    (self.deed())
                }
            }
        };
        Page { title: &title, visit: &self.visit, section: Section::Templates, live: None, body }
            .render()
    }
}

impl Create {
    fn unusable(&self) -> Markup {
        html! {
            @if !self.external_auth.is_empty() {
                (notice(
                    Tone::Bad,
                    &html! {
                        b { "This template needs a login elsewhere. " }
                        "It asks for " code { (self.external_auth.join(", ")) } ", which is not set up on this server. A build would fail."
                    },
                    &html! {},
                ))
            }
            @if !self.template.deprecation.is_empty() {
                (notice(Tone::Warn, &html! { b { "Deprecated. " } (self.template.deprecation) }, &html! {}))
            }
        }
    }

    fn start(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="start" {
                div class="body fields" {
                    h2 id="start" class="vh" { "Start" }
                    (Line {
                        id: "f-name", name: "name", label: "Name", autofocus: true,
                        hint: "Letters, digits and hyphens, at most 32. Part of its addresses.", ..Line::default()
                    }.draw(&self.input))
                    @if !self.presets.is_empty() { (self.preset_choice()) }
                }
            }
        }
    }

    fn preset_choice(&self) -> Markup {
        html! {
            fieldset class="field" {
                legend { "Preset" }
                div class="choices" {
                    @for preset in &self.presets {
                        label class="choice" {
                            input type="radio" name="preset" value=(preset.name) checked[self.preset.as_ref() == Some(&preset.name)] data-resend;
                            (icon(like(&preset.icon, "box")))
                            span { b { (preset.name) } small { (preset.description) } }
                        }
                    }
                    label class="choice" {
                        input type="radio" name="preset" value="" checked[self.preset.is_none()] data-resend;
                        (icon("edit"))
                        span { b { "My own" } small { "Answer each question." } }
                    }
                }
                button class="button small" id="evaluate" name="evaluate" value="true" formnovalidate { "Fill in the preset" }
            }
        }
    }

    fn questions(&self) -> Markup {
        let (once, kept): (Vec<&Parameter>, Vec<&Parameter>) =
            self.parameters.iter().partition(|p| p.ephemeral);
        html! {
            @if self.parameters.is_empty() {
                section class="card" aria-labelledby="questions" {
                    div class="body" { h2 id="questions" { "Nothing to choose" } p class="note" { "The template asks nothing more." } }
                }
            }
            @if !kept.is_empty() { (self.card("questions", "Parameters", &kept)) }
            @if !once.is_empty() { (self.card("once", "For this start only", &once)) }
        }
    }

    fn card(&self, id: &str, title: &str, parameters: &[&Parameter]) -> Markup {
        let preset = self.presets.iter().find(|p| Some(&p.name) == self.preset.as_ref());
        let set = parameters
            .iter()
            .filter(|p| preset.is_some_and(|s| s.parameters.contains_key(&p.name)))
            .count();
        html! {
            section class="card" aria-labelledby=(id) {
                header {
                    h2 id=(id) { (title) }
                    @if set > 0 { span class="note" { (set) " of " (parameters.len()) " set by the preset" } }
                }
                div class="body fields" {
                    @for p in parameters {
                        @let value = preset.and_then(|s| s.parameters.get(&p.name)).unwrap_or(&p.default_value);
                        (Field { parameter: p, value, fixed: false }.draw(&self.input))
                    }
                }
            }
        }
    }

    fn result(&self) -> Markup {
        html! {
            section class="card" aria-labelledby="result" {
                header { h2 id="result" { "What it makes" } span class="note" { (self.version_name) } }
                @if self.resources.is_empty() {
                    p class="body note" { "The template makes nothing by itself." }
                } @else {
                    ul class="rows" {
                        @for r in self.resources.iter().filter(|r| !r.hide) {
                            li {
                                (icon(like(&r.icon, "server")))
                                span class="main" {
                                    span class="name" { (r.name) }
                                    small class="note" { (r.kind) @for a in &r.agents { " · agent " (a.name) } }
                                }
                            }
                        }
                    }
                }
            }
        }
    }

    /// What it costs, as far as the plan of its import knew, and what remains.
    fn cost(&self) -> Markup {
        let costs = self.resources.iter().map(|r| bounded(r.daily_cost));
        let cost = costs.fold(0, i64::saturating_add);
        let after = self.quota.consumed.saturating_add(cost);
        html! {
            @if cost > 0 || self.quota.budget.is_some() {
                section class="card" aria-labelledby="cost" {
                    header { h2 id="cost" { "Cost" } span class="note" { "quota of " (self.visit.user.username) } }
                    div class="body stack tight" {
                        dl class="kv" {
                            dt { "While running" } dd class="end" { b { (cost) " credits a day" } }
                            dt { "While stopped" } dd class="end" { (self.stop_cost) }
                            dt { "Used by your workspaces" } dd class="end" { (self.quota.consumed) }
                            @if let Some(budget) = self.quota.budget { dt { "After this" } dd class="end" { b { (after) " of " (budget) } } }
                        }
                        @if let Some(budget) = self.quota.budget {
                            (quota::meter(after, budget, "Quota after this workspace"))
                            @if cost > 0 && after > budget {
                                (notice(
                                    Tone::Warn,
                                    &html! { "This does not fit: " (self.quota.remaining().unwrap_or(0)) " of " (budget) " credits a day remain. Its build would be refused." },
                                    &html! {},
                                ))
                            }
                        }
                    }
                }
            }
        }
    }

    fn deed(&self) -> Markup {
        let names: Vec<(String, &str)> = std::iter::once(("name".to_owned(), "Name"))
            .chain(self.parameters.iter().map(|p| (format!("{PREFIX}{}", p.name), p.label())))
            .collect();
        let labels: Vec<(&str, &str)> = names.iter().map(|(n, l)| (n.as_str(), *l)).collect();
        html! {
            div class="stack tight" {
                (wrongs(&self.input, &labels))
                button class="button primary wide" { "Create workspace" }
            }
        }
    }
}
