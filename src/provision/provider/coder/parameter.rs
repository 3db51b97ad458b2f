//! `coder_parameter`: its value, how it is asked, and whether the value fits.

use super::Context;
use crate::provision::provider::proto::Diagnostic;
use crate::provision::provider::value::Value;
use crate::provision::provider::values::{
    IMPORTING, parameter_variable, previous_parameter_variable,
};

/// Reads the parameter's value from the job, else its default, and checks it.
pub(super) fn read(context: &Context, config: &Value, out: &mut Value) -> Result<(), Diagnostic> {
    out.set("id", context.uuid());
    let has_default = !config.get("default").is_null();
    out.set("optional", has_default);
    mark_bounds(config, out);
    check_flags(out, has_default)?;

    let kind = out.get("type").text().to_owned();
    let options = out.get("option").list().to_vec();
    let form = form_type(&kind, out.get("form_type").text(), !options.is_empty())?;
    out.set("form_type", form.as_str());
    // Each option of a list in which several may be chosen is one element of it.
    let option_kind = if form == "multi-select" { "string" } else { &kind };
    let options = option_values(&options, option_kind)?;

    let name = out.get("name").text();
    let input = context.values.given(&parameter_variable(name)).map(str::to_owned);
    let previous = context.values.given(&previous_parameter_variable(name)).map(str::to_owned);
    let what = if input.is_none() && has_default { "Default value" } else { "Value" };
    let given = input.or_else(|| has_default.then(|| config.get("default").text().to_owned()));
    let bounds = out.get("validation").list().first().cloned();
    if given.is_none() && context.values.is_true(IMPORTING) {
        out.set("value", stand_in(&kind, &form, &options, bounds.as_ref()));
        return Ok(());
    }
    if given.is_none() && bounds.is_none() {
        out.set("value", "");
        return Ok(());
    }
    let value = given.unwrap_or_default();
    check_options(&value, &options, &form, what)?;
    if let Some(bounds) = bounds {
        check_bounds(&bounds, &kind, &value, previous.as_deref()).map_err(|why| {
            let what = what.to_lowercase();
            Diagnostic::error(
                format!("Invalid parameter {what} according to 'validation' block"),
                why,
            )
        })?;
    }
    check_type(&kind, &value).map_err(|why| {
        Diagnostic::error(format!("Parameter value is not of type {kind:?}"), why)
    })?;
    out.set("value", value);
    Ok(())
}

/// A value for a template's first look at itself, when nobody was asked yet: one that fits, so
/// that what is computed from it can be.
fn stand_in(kind: &str, form: &str, options: &[String], bounds: Option<&Value>) -> String {
    match (options.first(), kind) {
        (Some(first), _) if form == "multi-select" => serde_json::json!([first]).to_string(),
        (Some(first), _) => first.clone(),
        (None, "number") => {
            let bound = |name| bounds.and_then(|b| b.get(name).int());
            bound("min").or_else(|| bound("max")).unwrap_or(0).to_string()
        }
        (None, "bool") => "false".to_owned(),
        (None, "list(string)") => "[]".to_owned(),
        (None, _) => String::new(),
    }
}

/// 0 is a bound too, so whether there is one is told apart.
fn mark_bounds(config: &Value, out: &mut Value) {
    let mut validation = out.get("validation").list().to_vec();
    for (bounds, given) in validation.iter_mut().zip(config.get("validation").list()) {
        bounds.set("min_disabled", given.get("min").is_null());
        bounds.set("max_disabled", given.get("max").is_null());
    }
    out.set("validation", validation);
}

fn check_flags(out: &Value, has_default: bool) -> Result<(), Diagnostic> {
    if !out.get("ephemeral").bool() {
        return Ok(());
    }
    if !out.get("mutable").bool() {
        return Err(Diagnostic::error(
            "parameter can't be immutable and ephemeral",
            "An ephemeral parameter needs mutable = true.",
        ));
    }
    if !has_default {
        return Err(Diagnostic::error("ephemeral parameter requires the default property", ""));
    }
    Ok(())
}

/// The ways to ask for this type; the first is the default.
fn forms(kind: &str, has_options: bool) -> &'static [&'static str] {
    match (kind, has_options) {
        ("list(string)", true) => &["radio", "multi-select"],
        ("list(string)", false) => &["tag-select"],
        (_, true) => &["radio", "dropdown"],
        ("number", false) => &["input", "slider"],
        ("bool", false) => &["checkbox", "switch"],
        (_, false) => &["input", "textarea"],
    }
}

fn form_type(kind: &str, given: &str, has_options: bool) -> Result<String, Diagnostic> {
    let allowed = forms(kind, has_options);
    if given.is_empty() {
        return Ok(allowed.first().copied().unwrap_or_default().to_owned());
    }
    if allowed.contains(&given) {
        return Ok(given.to_owned());
    }
    let options = if has_options { "with" } else { "without" };
    let detail = format!(
        "form_type {given:?} is not supported for type {kind:?} {options} options, choose one of {}",
        allowed.join(", "),
    );
    Err(Diagnostic::error("Invalid form_type for parameter", detail))
}

fn option_values(options: &[Value], kind: &str) -> Result<Vec<String>, Diagnostic> {
    let mut names = Vec::new();
    let mut values = Vec::new();
    for option in options {
        let (name, value) = (option.get("name").text(), option.get("value").text());
        if names.contains(&name) {
            let detail = format!("The name {name:?} is there twice.");
            return Err(Diagnostic::error("Option names must be unique.", detail));
        }
        if values.iter().any(|v| v == value) {
            let detail = format!("The value {value:?} is there twice.");
            return Err(Diagnostic::error("Option values must be unique.", detail));
        }
        check_type(kind, value).map_err(|why| {
            Diagnostic::error(
                format!("Option {name:?} with value={value:?} is not of type {kind:?}"),
                why,
            )
        })?;
        names.push(name);
        values.push(value.to_owned());
    }
    Ok(values)
}

fn check_options(
    value: &str,
    options: &[String],
    form: &str,
    what: &str,
) -> Result<(), Diagnostic> {
    if options.is_empty() {
        return Ok(());
    }
    if form != "multi-select" {
        if options.iter().any(|option| option == value) {
            return Ok(());
        }
        let detail = format!(
            "the value {value:?} must be defined as one of options: {}",
            options.join(", ")
        );
        return Err(Diagnostic::error(format!("{what} must be a valid option"), detail));
    }
    let chosen = texts(value).map_err(|why| {
        let summary = "When using list(string) type, value must be a json encoded list of strings";
        Diagnostic::error(summary, why)
    })?;
    let unknown: Vec<String> = chosen.into_iter().filter(|c| !options.contains(c)).collect();
    if unknown.is_empty() {
        return Ok(());
    }
    let detail = format!("not among the options: {}", unknown.join(", "));
    Err(Diagnostic::error(format!("{what}s must be a valid option"), detail))
}

/// A JSON list of texts; `null` is an empty one.
fn texts(value: &str) -> Result<Vec<String>, String> {
    serde_json::from_str::<Option<Vec<String>>>(value)
        .map(Option::unwrap_or_default)
        .map_err(|_| format!("value {value:?} is not a valid list of strings"))
}

fn check_type(kind: &str, value: &str) -> Result<(), String> {
    match kind {
        "number" => {
            value.parse::<f64>().map(drop).map_err(|_| format!("{value:?} is not a number"))
        }
        "bool" => match value {
            "1" | "t" | "T" | "TRUE" | "true" | "True" | "0" | "f" | "F" | "FALSE" | "false"
            | "False" => Ok(()),
            _ => Err(format!("{value:?} is not a bool")),
        },
        "list(string)" => texts(value).map(drop),
        _ => Ok(()),
    }
}

fn check_bounds(
    bounds: &Value,
    kind: &str,
    value: &str,
    previous: Option<&str>,
) -> Result<(), String> {
    let (min, max) = (bounds.get("min").int(), bounds.get("max").int());
    let (regex, monotonic) = (bounds.get("regex").text(), bounds.get("monotonic").text());
    if kind != "number" {
        let refused = [
            (min.is_some(), "a min cannot be specified for a"),
            (max.is_some(), "a max cannot be specified for a"),
            (
                !monotonic.is_empty(),
                "monotonic validation can only be specified for number types, not",
            ),
        ];
        if let Some((_, why)) = refused.iter().find(|(is_set, _)| *is_set) {
            return Err(format!("{why} {kind} type"));
        }
    }
    if kind != "string" && !regex.is_empty() {
        return Err(format!("a regex cannot be specified for a {kind} type"));
    }
    match kind {
        "bool" if value != "true" && value != "false" => {
            Err("boolean value can be either \"true\" or \"false\"".to_owned())
        }
        "string" if !regex.is_empty() => check_regex(regex, bounds.get("error").text(), value),
        "number" => {
            Number { min, max, monotonic, error: bounds.get("error").text() }.check(value, previous)
        }
        "list(string)" => texts(value).map(drop),
        _ => Ok(()),
    }
}

fn check_regex(pattern: &str, error: &str, value: &str) -> Result<(), String> {
    let regex =
        regex::Regex::new(pattern).map_err(|e| format!("compile regex {pattern:?}: {e}"))?;
    if error.is_empty() {
        return Err("an error must be specified with a regex validation".to_owned());
    }
    if regex.is_match(value) {
        return Ok(());
    }
    Err(format!("{} (value {value:?} does not match {pattern:?})", error.replace("{value}", value)))
}

/// The bounds of a number.
struct Number<'a> {
    min: Option<i64>,
    max: Option<i64>,
    monotonic: &'a str,
    error: &'a str,
}

impl Number<'_> {
    fn check(&self, value: &str, previous: Option<&str>) -> Result<(), String> {
        let Ok(number) = value.parse::<i64>() else {
            return Err(self.own_words(value, format!("value {value:?} is not a number")));
        };
        if let Some(min) = self.min.filter(|min| number < *min) {
            return Err(
                self.own_words(value, format!("value {number} is less than the minimum {min}"))
            );
        }
        if let Some(max) = self.max.filter(|max| number > *max) {
            return Err(
                self.own_words(value, format!("value {number} is more than the maximum {max}"))
            );
        }
        let previous = previous.and_then(|p| p.parse::<i64>().ok());
        match (self.monotonic, previous) {
            ("" | "increasing" | "decreasing", None) | ("", Some(_)) => Ok(()),
            ("increasing", Some(p)) if number >= p => Ok(()),
            ("decreasing", Some(p)) if number <= p => Ok(()),
            ("increasing", Some(p)) => Err(format!(
                "parameter value '{number}' must be equal or greater than previous value: {p}"
            )),
            ("decreasing", Some(p)) => Err(format!(
                "parameter value '{number}' must be equal or lower than previous value: {p}"
            )),
            _ => {
                Err("number monotonicity can be either \"increasing\" or \"decreasing\"".to_owned())
            }
        }
    }

    /// The template's own message when it has one.
    fn own_words(&self, value: &str, ours: String) -> String {
        let number = |n: Option<i64>| n.unwrap_or_default().to_string();
        if self.error.is_empty() {
            return ours;
        }
        self.error
            .replace("{min}", &number(self.min))
            .replace("{max}", &number(self.max))
            .replace("{value}", value)
    }
}
