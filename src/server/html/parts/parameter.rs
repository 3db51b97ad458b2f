//! The field of a template's parameter, in every form that templates may ask for.

use maud::{Markup, html};

use super::form::{Input, described, notes};
use super::icon::{icon, like};
use crate::model::parameter::{FormType, Monotonic, Parameter, ParameterOption, ParameterType};

/// The prefix of the names under which parameters are sent, so that none hides a field of ours.
pub const PREFIX: &str = "p.";

/// A parameter with what stands in its field.
#[derive(Clone, Copy)]
pub struct Field<'a> {
    /// The question.
    pub parameter: &'a Parameter,
    /// The value at first: the last build's, a preset's or the default.
    pub value: &'a str,
    /// Cannot be changed any more.
    pub fixed: bool,
}

impl Field<'_> {
    /// Draws it with what was typed before and what is wrong with it.
    #[must_use]
    pub fn draw(&self, input: &Input) -> Markup {
        let p = self.parameter;
        let name = format!("{PREFIX}{}", p.name);
        let drawn = Drawn {
            p,
            id: format!("f-{name}"),
            value: input.value(&name, self.value),
            error: input.error(&name),
            hint: hint(p, self.fixed),
            fixed: self.fixed,
            name,
        };
        match p.form_type {
            FormType::Radio => drawn.radio(),
            FormType::Slider => drawn.slider(),
            FormType::Dropdown => drawn.dropdown(),
            FormType::Checkbox => drawn.check(false),
            FormType::Switch => drawn.check(true),
            FormType::MultiSelect => drawn.multi_select(),
            FormType::TagSelect => drawn.tag_select(),
            FormType::Textarea => drawn.textarea(),
            FormType::Input => drawn.line(),
            FormType::Error => drawn.broken(),
        }
    }
}

struct Drawn<'a> {
    p: &'a Parameter,
    name: String,
    id: String,
    value: &'a str,
    error: Option<&'a str>,
    hint: String,
    fixed: bool,
}

impl Drawn<'_> {
    fn radio(&self) -> Markup {
        let cards = self.p.options.iter().any(|o| !o.description.is_empty() || !o.icon.is_empty());
        self.group(&html! {
            @if cards {
                div class="choices" {
                    @for option in &self.p.options {
                        label class="choice" {
                            (self.pick("radio", option))
                            @if !option.icon.is_empty() { (icon(like(&option.icon, "box"))) }
                            span { b { (option.name) } @if !option.description.is_empty() { small { (option.description) } } }
                        }
                    }
                }
            } @else {
                div class="pills" {
                    @for option in &self.p.options { label { (self.pick("radio", option)) (option.name) } }
                }
            }
        })
    }

    fn multi_select(&self) -> Markup {
        self.group(&html! {
            input type="hidden" name=(self.name) value="" disabled[self.fixed];
            div class="pills" {
                @for option in &self.p.options {
                    label {
                        (self.pick("checkbox", option))
                        @if !option.icon.is_empty() { (icon(like(&option.icon, "box"))) }
                        (option.name)
                    }
                }
            }
        })
    }

    fn slider(&self) -> Markup {
        let v = &self.p.validation;
        let (min, max) = (v.min.unwrap_or(0), v.max.unwrap_or(100));
        self.labelled(&html! {
            div class="affix" {
                input id=(self.id) type="range" name=(self.name) min=(min) max=(max) step="1" value=(self.value)
                    disabled[self.fixed] aria-invalid=[self.invalid()] aria-describedby=[self.described()] data-output={ (self.id) "-o" };
                output id={ (self.id) "-o" } for=(self.id) { (self.value) }
            }
        })
    }

    fn dropdown(&self) -> Markup {
        let known = self.p.options.iter().any(|o| o.value == self.value);
        self.labelled(&html! {
            select id=(self.id) name=(self.name) disabled[self.fixed] required[self.p.required]
                aria-invalid=[self.invalid()] aria-describedby=[self.described()] {
                @if !known { option value="" selected { "Choose one" } }
                @for option in &self.p.options {
                    option value=(option.value) selected[option.value == self.value] {
                        (option.name) @if !option.description.is_empty() { ": " (option.description) }
                    }
                }
            }
        })
    }

    fn check(&self, switch: bool) -> Markup {
        html! {
            div class="field" {
                label class="check" {
                    input id=(self.id) type="checkbox" class=[switch.then_some("switch")] role=[switch.then_some("switch")]
                        name=(self.name) value="true" checked[self.value == "true"] disabled[self.fixed] aria-describedby=[self.described()];
                    span { (self.p.label()) (self.optional()) }
                }
                @if !self.fixed { input type="hidden" name=(self.name) value="false"; }
                (notes(&self.id, &self.hint, self.error))
            }
        }
    }

    fn tag_select(&self) -> Markup {
        let tags = serde_json::from_str::<Vec<String>>(self.value)
            .map_or_else(|_| self.value.to_owned(), |tags| tags.join(", "));
        self.labelled(&html! {
            input id=(self.id) name=(self.name) type="text" value=(tags) disabled[self.fixed] autocomplete="off" spellcheck="false"
                aria-invalid=[self.invalid()] aria-describedby=[self.described()] data-tags;
        })
    }

    fn textarea(&self) -> Markup {
        self.labelled(&html! {
            textarea id=(self.id) name=(self.name) class="mono" rows="4" spellcheck="false" disabled[self.fixed] required[self.p.required]
                placeholder=[self.placeholder()] aria-invalid=[self.invalid()] aria-describedby=[self.described()] { (self.value) }
        })
    }

    fn line(&self) -> Markup {
        let v = &self.p.validation;
        let number = self.p.kind == ParameterType::Number;
        let kind = if number {
            "number"
        } else if masked(self.p) {
            "password"
        } else {
            "text"
        };
        self.labelled(&html! {
            input id=(self.id) type=(kind) name=(self.name) value=(self.value) step=[number.then_some("any")]
                min=[v.min.filter(|_| number)] max=[v.max.filter(|_| number)] disabled[self.fixed] required[self.p.required]
                placeholder=[self.placeholder()] autocomplete="off" spellcheck="false"
                aria-invalid=[self.invalid()] aria-describedby=[self.described()];
        })
    }

    /// The template is wrong here; the import says how.
    fn broken(&self) -> Markup {
        let why = "The template does not say how to ask this. Its author must mend it.";
        html! {
            div class="field" {
                span class="label" { (self.p.label()) }
                (notes(&self.id, &self.hint, Some(why)))
            }
        }
    }

    fn pick(&self, kind: &str, option: &ParameterOption) -> Markup {
        let chosen = if kind == "checkbox" {
            serde_json::from_str::<Vec<String>>(self.value)
                .is_ok_and(|values| values.contains(&option.value))
        } else {
            option.value == self.value
        };
        let required = kind == "radio" && self.p.required;
        html! { input type=(kind) name=(self.name) value=(option.value) checked[chosen] disabled[self.fixed] required[required]; }
    }

    fn group(&self, content: &Markup) -> Markup {
        html! {
            fieldset class="field" id=(self.id) aria-describedby=[self.described()] {
                legend { (self.p.label()) (self.optional()) }
                (content)
                (notes(&self.id, &self.hint, self.error))
            }
        }
    }

    fn labelled(&self, content: &Markup) -> Markup {
        html! {
            div class="field" {
                label for=(self.id) { (self.p.label()) (self.optional()) }
                (content)
                (notes(&self.id, &self.hint, self.error))
            }
        }
    }

    fn optional(&self) -> Markup {
        let optional = !self.p.required && self.p.default_value.is_empty();
        html! { @if optional { " " small { "optional" } } }
    }

    fn invalid(&self) -> Option<&'static str> {
        self.error.map(|_| "true")
    }

    fn described(&self) -> Option<String> {
        described(&self.id, &self.hint, self.error)
    }

    fn placeholder(&self) -> Option<String> {
        styling(self.p).get("placeholder")?.as_str().map(str::to_owned)
    }
}

/// Whether the template asks for the value to be hidden while it is typed.
fn masked(p: &Parameter) -> bool {
    styling(p).get("mask_input").and_then(serde_json::Value::as_bool).unwrap_or(false)
}

fn styling(p: &Parameter) -> serde_json::Value {
    serde_json::from_str(&p.styling).unwrap_or_default()
}

/// The template's description and what the rules say, in words.
fn hint(p: &Parameter, fixed: bool) -> String {
    let v = &p.validation;
    let mut parts: Vec<String> = Vec::new();
    if !p.description.is_empty() {
        parts.push(p.description.trim_end_matches('.').to_owned());
    }
    match (v.min, v.max) {
        (Some(min), Some(max)) => parts.push(format!("{min} to {max}")),
        (Some(min), None) => parts.push(format!("{min} or more")),
        (None, Some(max)) => parts.push(format!("{max} or less")),
        (None, None) => {}
    }
    match v.monotonic {
        Some(Monotonic::Increasing) => parts.push("Later it may only go up".to_owned()),
        Some(Monotonic::Decreasing) => parts.push("Later it may only go down".to_owned()),
        None => {}
    }
    if p.form_type == FormType::TagSelect {
        parts.push("Separate with commas".to_owned());
    }
    if fixed {
        parts.push("Cannot be changed after the workspace was made".to_owned());
    } else if !p.mutable {
        parts.push("Cannot be changed later".to_owned());
    }
    if parts.is_empty() { String::new() } else { format!("{}.", parts.join(". ")) }
}

/// What a form sent for a parameter as the value that builds take.
///
/// `sent` holds every value of the field, in the form's order.
#[must_use]
pub fn read(p: &Parameter, sent: &[&str]) -> String {
    let list = |items: Vec<&str>| serde_json::to_string(&items).unwrap_or_else(|_| "[]".to_owned());
    match p.form_type {
        FormType::Checkbox | FormType::Switch => sent.contains(&"true").to_string(),
        FormType::MultiSelect => list(sent.iter().copied().filter(|v| !v.is_empty()).collect()),
        FormType::TagSelect => list(
            sent.iter()
                .flat_map(|v| v.split(','))
                .map(str::trim)
                .filter(|v| !v.is_empty())
                .collect(),
        ),
        FormType::Textarea => sent.last().map(|v| v.replace("\r\n", "\n")).unwrap_or_default(),
        FormType::Radio
        | FormType::Slider
        | FormType::Input
        | FormType::Dropdown
        | FormType::Error => sent.last().copied().unwrap_or_default().to_owned(),
    }
}
