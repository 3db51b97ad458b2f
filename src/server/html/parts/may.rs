//! What is given or asked for, and until when: fields that asking, sharing and codes have in common.

use maud::{Markup, html};

use super::form::{Input, notes};
use crate::model::verb::{Preset, Verb, Verbs};

/// What is sent when the verbs are chosen one by one.
pub const CUSTOM: &str = "custom";

/// The choice of a set of verbs, or of each.
#[derive(Clone, Copy, Debug, Default)]
pub struct May<'a> {
    /// What it asks for.
    pub legend: &'a str,
    /// What is chosen at first; the usual set when it is empty.
    pub first: Verbs,
    /// What is not offered, nor any set with one of them.
    pub never: Verbs,
}

impl May<'_> {
    /// Draws it with what was chosen before and what is wrong with it.
    #[must_use]
    pub fn draw(&self, input: &Input) -> Markup {
        let named = if self.first.is_empty() { Some(Preset::Use) } else { self.first.preset() };
        let chosen = input.value("preset", named.map_or(CUSTOM, Preset::as_str));
        let is_marked = |verb: Verb, name: &str| {
            let is_first = named.is_none() && self.first.contains(verb) && !input.has_values();
            input.value(name, if is_first { "yes" } else { "" }) == "yes"
        };
        let presets = Preset::ALL.iter().filter(|p| p.verbs().minus(self.never) == p.verbs());
        let verbs = Verb::ALL.iter().filter(|verb| !self.never.contains(**verb));
        html! {
            fieldset class="field" id="f-verbs" {
                legend { (self.legend) }
                @for preset in presets {
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
                    @for verb in verbs {
                        @let name = format!("v.{verb}");
                        label { input type="checkbox" name=(name) value="yes" checked[is_marked(*verb, &name)]; (verb) }
                    }
                }
                (notes("f-verbs", "", input.error("verbs")))
            }
        }
    }
}

/// The choice of a time among a few.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lasts<'a> {
    /// The field that is wrong when the time is; the end of its id.
    pub field: &'a str,
    /// The name it is sent under.
    pub name: &'a str,
    /// What it asks for.
    pub legend: &'a str,
    /// What is sent, and what is said.
    pub offers: &'a [(&'a str, &'a str)],
    /// What is chosen at first.
    pub first: &'a str,
    /// What to know before choosing; may be empty.
    pub hint: &'a str,
}

impl Lasts<'_> {
    /// Draws it with what was chosen before and what is wrong with it; behind the choice comes `more`.
    #[must_use]
    pub fn draw(&self, input: &Input, more: &Markup) -> Markup {
        let chosen = input.value(self.name, self.first);
        let id = format!("f-{}", self.field);
        html! {
            fieldset class="field" id=(id) {
                legend { (self.legend) }
                div class="segments" {
                    @for (value, label) in self.offers {
                        label { input type="radio" name=(self.name) value=(value) checked[chosen == *value]; (label) }
                    }
                }
                (more)
                (notes(&id, self.hint, input.error(self.field)))
            }
        }
    }
}

/// A switch with what it means.
#[must_use]
pub fn switch(input: &Input, name: &str, label: &str, hint: &str) -> Markup {
    html! {
        label class="check" {
            input class="switch" role="switch" type="checkbox" name=(name) value="yes" checked[input.value(name, "") == "yes"];
            span { (label) span class="hint" { (hint) } }
        }
    }
}

/// Whether what is done in it is recorded.
#[must_use]
pub fn recorded(input: &Input) -> Markup {
    switch(
        input,
        "record",
        "Record terminals",
        "Everyone in the terminal sees that it is recorded.",
    )
}
