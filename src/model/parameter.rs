//! Template variables, parameters and presets: what a template asks, and whether an answer fits.

use std::collections::BTreeMap;

use sha2::{Digest as _, Sha256};

use super::id::{PresetId, VersionId};
use super::text;
use super::user::define_words;

define_words! {
    /// The type of a parameter's value. Values travel as text; a list as a JSON array.
    ParameterType {
        /// Any text.
        String = "string",
        /// A number.
        Number = "number",
        /// `true` or `false`.
        Bool = "bool",
        /// A JSON array of texts.
        ListString = "list(string)",
    }
    /// How a parameter is asked.
    FormType {
        /// One of a few, all in sight.
        Radio = "radio",
        /// A number on a line.
        Slider = "slider",
        /// A line of text.
        Input = "input",
        /// One of many.
        Dropdown = "dropdown",
        /// On or off.
        Checkbox = "checkbox",
        /// On or off.
        Switch = "switch",
        /// Several of many.
        MultiSelect = "multi-select",
        /// Free words.
        TagSelect = "tag-select",
        /// Several lines of text.
        Textarea = "textarea",
        /// The template is wrong here.
        Error = "error",
    }
    /// Which way a number may change from build to build.
    Monotonic {
        /// Never down.
        Increasing = "increasing",
        /// Never up.
        Decreasing = "decreasing",
    }
}

/// A `variable` block of the template's root module: set by the template's admin.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Variable {
    /// Its name.
    pub name: String,
    /// Its description.
    pub description: String,
    /// Terraform's type expression, as written; `string` when absent.
    pub kind: String,
    /// The value used: given, else the default, as text or JSON.
    pub value: String,
    /// The default, as text or JSON.
    pub default_value: String,
    /// Has no default.
    pub required: bool,
    /// Is not shown.
    pub sensitive: bool,
}

/// One of the values a parameter may take.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ParameterOption {
    /// The name shown.
    pub name: String,
    /// A longer text.
    pub description: String,
    /// The value.
    pub value: String,
    /// URL or path of an icon; may be empty.
    pub icon: String,
}

/// The bounds of a parameter's value.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Validation {
    /// Smallest number allowed.
    pub min: Option<i64>,
    /// Largest number allowed.
    pub max: Option<i64>,
    /// Which way a number may change.
    pub monotonic: Option<Monotonic>,
    /// What a text must match; empty for anything.
    pub regex: String,
    /// The message instead of ours; may hold `{min}`, `{max}` and `{value}`.
    pub error: String,
}

/// A `coder_parameter`: a question a template asks when a workspace is made.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Parameter {
    /// Its name, unique in the template.
    pub name: String,
    /// The name shown; empty for the name itself.
    pub display_name: String,
    /// Markdown in small doses; shown as text.
    pub description: String,
    /// The type of its value.
    pub kind: ParameterType,
    /// How it is asked.
    pub form_type: FormType,
    /// JSON with hints such as `placeholder`; `{}` when absent.
    pub styling: String,
    /// May be changed after the workspace was made.
    pub mutable: bool,
    /// Is not kept from build to build.
    pub ephemeral: bool,
    /// Has no default.
    pub required: bool,
    /// The default; empty when required.
    pub default_value: String,
    /// URL or path of an icon; may be empty.
    pub icon: String,
    /// The place in the form.
    pub order: i64,
    /// The values it may take; empty for any.
    pub options: Vec<ParameterOption>,
    /// The bounds of its value.
    pub validation: Validation,
}

/// Answers for a template's parameters under one name.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Preset {
    /// Its name, unique in the template.
    pub name: String,
    /// A longer text.
    pub description: String,
    /// URL or path of an icon; may be empty.
    pub icon: String,
    /// Whether it is chosen at first.
    pub is_default: bool,
    /// The answers, by parameter name.
    pub parameters: BTreeMap<String, String>,
    /// How many prebuilt workspaces it asks for.
    pub prebuilds: Option<i64>,
}

impl Preset {
    /// The preset's id in a version: the same each time it is asked for.
    #[must_use]
    pub fn id(&self, version: VersionId) -> PresetId {
        let digest = Sha256::new().chain_update(version.0).chain_update(&self.name).finalize();
        let mut bytes = [0; 16];
        bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = from);
        PresetId(uuid::Builder::from_custom_bytes(bytes).into_uuid())
    }
}

/// A parameter's value in one build.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct ParameterValue {
    /// The parameter's name.
    pub name: String,
    /// The value as text.
    pub value: String,
}

/// Why an answer does not fit.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{why}")]
pub struct BadValue {
    /// What to tell the person, without the parameter's name.
    pub why: String,
}

impl Parameter {
    /// The name shown.
    #[must_use]
    pub fn label(&self) -> &str {
        if self.display_name.is_empty() { &self.name } else { &self.display_name }
    }

    /// Checks `value`; `previous` is the value of the last build, for monotonic numbers.
    ///
    /// # Errors
    /// Says why the value does not fit.
    pub fn check(&self, value: &str, previous: Option<&str>) -> Result<(), BadValue> {
        text::check_lines(value, usize::MAX).map_err(|e| bad(e.to_string()))?;
        self.check_type(value)?;
        self.check_options(value)?;
        self.check_bounds(value, previous)
    }

    fn check_type(&self, value: &str) -> Result<(), BadValue> {
        let ok = match self.kind {
            ParameterType::String => true,
            ParameterType::Number => value.parse::<f64>().is_ok_and(f64::is_finite),
            ParameterType::Bool => matches!(value, "true" | "false"),
            ParameterType::ListString => serde_json::from_str::<Vec<String>>(value).is_ok(),
        };
        let wanted = match self.kind {
            ParameterType::String => "text",
            ParameterType::Number => "a number",
            ParameterType::Bool => "true or false",
            ParameterType::ListString => "a JSON list of texts",
        };
        if ok { Ok(()) } else { Err(bad(format!("{value:?} is not {wanted}"))) }
    }

    fn check_options(&self, value: &str) -> Result<(), BadValue> {
        if self.options.is_empty() {
            return Ok(());
        }
        let chosen =
            if self.kind == ParameterType::ListString && self.form_type == FormType::MultiSelect {
                serde_json::from_str::<Vec<String>>(value).unwrap_or_default()
            } else {
                vec![value.to_owned()]
            };
        match chosen.iter().find(|c| self.options.iter().all(|o| &o.value != *c)) {
            None => Ok(()),
            Some(c) => {
                let allowed: Vec<&str> = self.options.iter().map(|o| o.value.as_str()).collect();
                Err(bad(format!("{c:?} is not one of {}", allowed.join(", "))))
            }
        }
    }

    fn check_pattern(&self, value: &str) -> Result<(), BadValue> {
        let pattern = &self.validation.regex;
        // What reads patterns is a twentieth of the small program, where the server's word is enough.
        let is_read = cfg!(feature = "server") && self.kind == ParameterType::String;
        if !is_read || pattern.is_empty() {
            return Ok(());
        }
        let fits = regex::Regex::new(pattern)
            .map_err(|_| bad("the template's pattern is not valid".into()))?;
        if fits.is_match(value) {
            return Ok(());
        }
        Err(bad(self.own_words(value, &format!("{value:?} does not match {pattern}"))))
    }

    fn check_bounds(&self, value: &str, previous: Option<&str>) -> Result<(), BadValue> {
        let v = &self.validation;
        self.check_pattern(value)?;
        if self.kind != ParameterType::Number {
            return Ok(());
        }
        let Ok(number) = value.parse::<f64>() else { return Ok(()) };
        #[expect(clippy::cast_precision_loss, reason = "bounds of parameters are small numbers")]
        let as_float = |n: i64| n as f64;
        if let Some(min) = v.min.filter(|m| number < as_float(*m)) {
            return Err(bad(self.own_words(
                value,
                &format!("{value} is below the {min} that this template asks for"),
            )));
        }
        if let Some(max) = v.max.filter(|m| number > as_float(*m)) {
            return Err(bad(self.own_words(
                value,
                &format!("{value} is above the {max} that this template allows"),
            )));
        }
        let before = previous.and_then(|p| p.parse::<f64>().ok());
        let why = match (v.monotonic, before) {
            (Some(Monotonic::Increasing), Some(p)) if number < p => {
                format!("{value} is below {p}; it may only go up")
            }
            (Some(Monotonic::Decreasing), Some(p)) if number > p => {
                format!("{value} is above {p}; it may only go down")
            }
            _ => return Ok(()),
        };
        Err(bad(self.own_words(value, &why)))
    }

    /// The template's own message when it has one.
    fn own_words(&self, value: &str, ours: &str) -> String {
        let v = &self.validation;
        if v.error.is_empty() {
            return ours.to_owned();
        }
        let number = |n: Option<i64>| n.map(|n| n.to_string()).unwrap_or_default();
        v.error
            .replace("{min}", &number(v.min))
            .replace("{max}", &number(v.max))
            .replace("{value}", value)
    }
}

fn bad(why: String) -> BadValue {
    BadValue { why }
}

/// Why a set of answers does not fit a template: one parameter is named.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{name}: {why}")]
pub struct BadAnswer {
    /// The parameter.
    pub name: String,
    /// What to tell the person.
    pub why: String,
}

/// Makes a build's values: what was asked for, else the last build's, else the default.
///
/// # Errors
/// Names the first parameter whose answer is missing, unknown, not changeable, or does not fit.
pub fn resolve(
    parameters: &[Parameter],
    asked: &[ParameterValue],
    last: &[ParameterValue],
) -> Result<Vec<ParameterValue>, BadAnswer> {
    let refuse = |name: &str, why: String| BadAnswer { name: name.to_owned(), why };
    if let Some(unknown) = asked.iter().find(|a| parameters.iter().all(|p| p.name != a.name)) {
        return Err(refuse(&unknown.name, "the template has no parameter of this name".to_owned()));
    }
    let find = |values: &[ParameterValue], name: &str| {
        values.iter().find(|v| v.name == name).map(|v| v.value.clone())
    };
    let mut out = Vec::with_capacity(parameters.len());
    for p in parameters {
        let before = find(last, &p.name).filter(|_| !p.ephemeral);
        let wanted = find(asked, &p.name);
        if let (false, Some(b), Some(w)) = (p.mutable, &before, &wanted)
            && b != w
        {
            return Err(refuse(
                &p.name,
                format!("cannot be changed after the workspace was made; it is {b:?}"),
            ));
        }
        let fallback = (!p.required).then(|| p.default_value.clone());
        let Some(value) = wanted.or_else(|| before.clone()).or(fallback) else {
            return Err(refuse(&p.name, "has no default: a value is needed".to_owned()));
        };
        p.check(&value, before.as_deref()).map_err(|e| refuse(&p.name, e.why))?;
        out.push(ParameterValue { name: p.name.clone(), value });
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cores() -> Parameter {
        Parameter {
            name: "cores".into(),
            display_name: String::new(),
            description: String::new(),
            kind: ParameterType::Number,
            form_type: FormType::Slider,
            styling: "{}".into(),
            mutable: true,
            ephemeral: false,
            required: false,
            default_value: "2".into(),
            icon: String::new(),
            order: 0,
            options: vec![],
            validation: Validation {
                min: Some(1),
                max: Some(8),
                monotonic: Some(Monotonic::Increasing),
                ..Validation::default()
            },
        }
    }

    fn value(v: &str) -> Vec<ParameterValue> {
        vec![ParameterValue { name: "cores".into(), value: v.into() }]
    }

    #[test]
    fn answers_come_from_the_request_then_the_last_build_then_the_default() {
        assert_eq!(resolve(&[cores()], &[], &[]).unwrap(), value("2"));
        assert_eq!(resolve(&[cores()], &[], &value("4")).unwrap(), value("4"));
        assert_eq!(resolve(&[cores()], &value("6"), &value("4")).unwrap(), value("6"));
    }

    #[test]
    fn a_refusal_names_the_parameter_and_the_bound() {
        let why = |asked: &str, last: &[ParameterValue]| {
            resolve(&[cores()], &value(asked), last).unwrap_err().to_string()
        };
        assert_eq!(why("9", &[]), "cores: 9 is above the 8 that this template allows");
        assert_eq!(why("x", &[]), "cores: \"x\" is not a number");
        assert_eq!(why("2", &value("4")), "cores: 2 is below 4; it may only go up");
        let fixed = Parameter { mutable: false, ..cores() };
        let err = resolve(&[fixed], &value("3"), &value("2")).unwrap_err();
        assert!(err.why.contains("cannot be changed"));
    }
}
