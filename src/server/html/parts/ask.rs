//! The form that asks for access to a workspace: on a page of its own, and wherever a page says no.

use maud::{Markup, html};

use super::button::button;
use super::form::{Area, Input, Line, notes, wrongs};
use crate::model::verb::{Preset, Verb, Verbs};
use crate::server::html::layout::Csrf;
use crate::server::html::paths;

/// What is offered for how long: what is sent, and what is said.
pub const LASTS: [(&str, &str); 5] =
    [("1h", "1 hour"), ("4h", "4 hours"), ("8h", "8 hours"), ("1d", "1 day"), ("7d", "1 week")];
/// What is sent when the verbs are chosen one by one.
pub const CUSTOM: &str = "custom";

/// What is filled in.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Owner and name of the workspace; empty when that is to be written.
    pub workspace: String,
    /// What they want to do.
    pub verbs: Verbs,
}

/// The form.
#[must_use]
pub fn ask(csrf: &Csrf, wanted: &Wanted, input: &Input) -> Markup {
    html! {
        form class="fields" method="post" action=(paths::REQUESTS) {
            (csrf)
            (Line {
                id: "f-workspace", name: "workspace", label: "Workspace", value: &wanted.workspace,
                hint: "Its owner and its name: ada/kiln.", ..Line::default()
            }.draw(input))
            (verbs(wanted, input))
            (lasts(input))
            (Area {
                id: "f-reason", name: "reason", label: "Reason", needed: true,
                hint: "Whoever answers reads it, and the log keeps it.", ..Area::default()
            }.draw(input))
            (wrongs(input, &[("workspace", "Workspace"), ("verbs", "I want to"), ("for", "For"), ("reason", "Reason")]))
            div class="actions" { (button("primary", "hand", "Ask for access")) }
        }
    }
}

fn verbs(wanted: &Wanted, input: &Input) -> Markup {
    let named = if wanted.verbs.is_empty() { Some(Preset::Use) } else { wanted.verbs.preset() };
    let chosen = input.value("preset", named.map_or(CUSTOM, Preset::as_str));
    let is_marked = |verb: Verb, name: &str| {
        let known = if input.has_values() { "" } else { "yes" };
        let first = if named.is_none() && wanted.verbs.contains(verb) { known } else { "" };
        input.value(name, first) == "yes"
    };
    html! {
        fieldset class="field" id="f-verbs" {
            legend { "I want to" }
            @for preset in Preset::ALL {
                label class="check" {
                    input type="radio" name="preset" value=(preset) checked[chosen == preset.as_str()];
                    span { (preset) span class="hint" { (preset.says()) } }
                }
            }
            label class="check" {
                input type="radio" name="preset" value=(CUSTOM) checked[chosen == CUSTOM];
                span { "these" span class="hint" { "what is marked below" } }
            }
            div class="pills" {
                @for verb in Verb::ALL {
                    @let name = format!("v.{verb}");
                    label { input type="checkbox" name=(name) value="yes" checked[is_marked(*verb, &name)]; (verb) }
                }
            }
            (notes("f-verbs", "", input.error("verbs")))
        }
    }
}

fn lasts(input: &Input) -> Markup {
    let chosen = input.value("for", "4h");
    html! {
        fieldset class="field" id="f-for" {
            legend { "For" }
            div class="segments" {
                @for (value, label) in LASTS {
                    label { input type="radio" name="for" value=(value) checked[chosen == value]; (label) }
                }
            }
            (notes("f-for", "", input.error("for")))
        }
    }
}
