//! Answers to a template's parameters: from flags, a file and a preset, else asked at the terminal.

use std::collections::BTreeMap;

use anyhow::{Context as _, bail};

use super::args::workspaces::Parameters;
use super::nearest;
use super::prompt;
use crate::model::parameter::{
    FormType, Monotonic, Parameter, ParameterOption, ParameterType, Validation,
};
use crate::wire::coder::builds::BuildParameter;
use crate::wire::coder::versions::{Preset, RichParameter};

/// Which parameters are asked for when nothing answers them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Those that have neither a default nor a value of before.
    Missing,
    /// All that may be set now.
    All,
}

/// What is known of a template when its parameters are answered.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// What it asks.
    pub parameters: &'a [RichParameter],
    /// The chosen preset.
    pub preset: Option<&'a Preset>,
    /// The values of the last build.
    pub before: &'a [BuildParameter],
}

/// Collects the answers to send: those given, those of the preset, those asked for.
///
/// # Errors
/// When one is given that the template does not ask, or one is missing with nobody to ask.
pub fn answer(
    given: &Parameters,
    known: Known<'_>,
    ask: Ask,
) -> anyhow::Result<Vec<BuildParameter>> {
    let mut answers = typed(given)?;
    let defaults = named(&given.defaults, "--parameter-default")?;
    let names: Vec<&str> = known.parameters.iter().map(|p| p.name.as_str()).collect();
    if let Some(unknown) = answers.keys().find(|name| !names.contains(&name.as_str())) {
        bail!(
            "The template has no parameter {unknown:?}.{}",
            nearest::hint(unknown, names.iter().copied())
        );
    }
    for chosen in known.preset.iter().flat_map(|p| &p.parameters) {
        answers.entry(chosen.name.clone()).or_insert_with(|| chosen.value.clone());
    }
    for parameter in known.parameters {
        if answers.contains_key(&parameter.name) {
            continue;
        }
        let default = defaults.get(&parameter.name);
        let is_new = !known.before.iter().any(|before| before.name == parameter.name);
        let quiet = given.parameter_defaults || !prompt::is_interactive();
        if let Some(value) = default.filter(|_| quiet && is_new) {
            answers.insert(parameter.name.clone(), value.clone());
        } else if let Some(value) = ask_for(parameter, known.before, (ask, default))? {
            answers.insert(parameter.name.clone(), value);
        }
    }
    Ok(answers.into_iter().map(|(name, value)| BuildParameter { name, value }).collect())
}

/// A preset by name.
///
/// # Errors
/// When there is none of this name.
pub fn find_preset<'p>(presets: &'p [Preset], name: &str) -> anyhow::Result<&'p Preset> {
    presets.iter().find(|p| p.name.eq_ignore_ascii_case(name)).with_context(|| {
        let names = presets.iter().map(|p| p.name.as_str());
        format!("The template has no preset {name:?}.{}", nearest::hint(name, names))
    })
}

fn ask_for(
    wanted: &RichParameter,
    before: &[BuildParameter],
    (ask, default): (Ask, Option<&String>),
) -> anyhow::Result<Option<String>> {
    let last = before.iter().find(|b| b.name == wanted.name).map(|b| b.value.clone());
    let changeable = wanted.mutable || last.is_none();
    let missing = wanted.required && last.is_none();
    if !missing && (ask == Ask::Missing || !changeable) {
        return Ok(None);
    }
    let parameter = to_model(wanted);
    let flag = format!("--parameter {}=VALUE", wanted.name);
    let own = || default.unwrap_or(&wanted.default_value).clone();
    let default = last.clone().unwrap_or_else(own);
    let mut question = parameter.label().to_owned();
    if !wanted.description_plaintext.is_empty() {
        question = format!("{question} ({})", first_line(&wanted.description_plaintext));
    }
    loop {
        let value = ask_once(&parameter, &question, &default, &flag)?;
        match parameter.check(&value, last.as_deref()) {
            Ok(()) => return Ok(Some(value)),
            Err(bad) => question = format!("{}: {bad}. Again", parameter.label()),
        }
    }
}

fn ask_once(
    parameter: &Parameter,
    question: &str,
    default: &str,
    flag: &str,
) -> anyhow::Result<String> {
    if parameter.options.is_empty() || parameter.form_type == FormType::MultiSelect {
        return prompt::text(question, default, flag);
    }
    let labels: Vec<String> = parameter.options.iter().map(|o| o.name.clone()).collect();
    let at = prompt::choose(question, &labels, flag)?;
    Ok(parameter.options.get(at).map(|o| o.value.clone()).unwrap_or_default())
}

fn first_line(text: &str) -> &str {
    text.lines().next().unwrap_or_default()
}

/// What was typed: the file's values, then those of the flags.
fn typed(given: &Parameters) -> anyhow::Result<BTreeMap<String, String>> {
    let mut answers = BTreeMap::new();
    if let Some(file) = &given.rich_parameter_file {
        let text = std::fs::read_to_string(file)
            .with_context(|| format!("Reading the parameters in {}", file.display()))?;
        answers.extend(pairs(&text).with_context(|| file.display().to_string())?);
    }
    answers.extend(named(&given.values, "--parameter")?);
    Ok(answers)
}

/// The NAME=VALUE pairs of a flag.
fn named(pairs: &[String], flag: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let pair = |pair: &String| {
        let (name, value) =
            pair.split_once('=').with_context(|| format!("{flag} {pair:?} is not NAME=VALUE"))?;
        Ok((name.trim().to_owned(), value.to_owned()))
    };
    pairs.iter().map(pair).collect()
}

/// Reads `NAME=VALUE` or `NAME: VALUE`, one a line; `#` begins a comment line. Quotes around a value
/// are taken off.
///
/// # Errors
/// Names the first line that is neither.
pub fn pairs(text: &str) -> anyhow::Result<Vec<(String, String)>> {
    let mut all = Vec::new();
    for (number, line) in text.lines().enumerate() {
        let line = line.trim();
        if line.is_empty() || line.starts_with('#') || line == "---" {
            continue;
        }
        let equals = line.find('=').unwrap_or(usize::MAX);
        let colon = line.find(": ").unwrap_or(usize::MAX);
        let split = if equals < colon { line.split_once('=') } else { line.split_once(": ") };
        let (name, value) =
            split.with_context(|| format!("line {} is not NAME=VALUE: {line:?}", number + 1))?;
        all.push((unquoted(name.trim()).to_owned(), unquoted(value.trim()).to_owned()));
    }
    Ok(all)
}

fn unquoted(text: &str) -> &str {
    let inside = |quote: char| text.strip_prefix(quote).and_then(|t| t.strip_suffix(quote));
    inside('"').or_else(|| inside('\'')).unwrap_or(text)
}

/// The parameter in our own words, so that an answer is checked before it is sent.
fn to_model(from: &RichParameter) -> Parameter {
    Parameter {
        name: from.name.clone(),
        display_name: from.display_name.clone(),
        description: from.description_plaintext.clone(),
        kind: ParameterType::from_word(&from.r#type).unwrap_or(ParameterType::String),
        form_type: FormType::from_word(&from.form_type).unwrap_or(FormType::Input),
        styling: "{}".to_owned(),
        mutable: from.mutable,
        ephemeral: from.ephemeral,
        required: from.required,
        default_value: from.default_value.clone(),
        icon: from.icon.clone(),
        order: 0,
        options: from
            .options
            .iter()
            .map(|o| ParameterOption {
                name: o.name.clone(),
                description: o.description.clone(),
                value: o.value.clone(),
                icon: o.icon.clone(),
            })
            .collect(),
        validation: Validation {
            min: from.validation_min,
            max: from.validation_max,
            monotonic: Monotonic::from_word(&from.validation_monotonic),
            regex: from.validation_regex.clone(),
            error: from.validation_error.clone(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::coder::versions::PresetParameter;

    fn region() -> RichParameter {
        RichParameter {
            name: "region".into(),
            r#type: "string".into(),
            required: true,
            mutable: true,
            ..RichParameter::default()
        }
    }

    fn given(values: &[&str]) -> Parameters {
        Parameters {
            values: values.iter().map(|v| (*v).to_owned()).collect(),
            ..Parameters::default()
        }
    }

    fn known<'a>(parameters: &'a [RichParameter], before: &'a [BuildParameter]) -> Known<'a> {
        Known { parameters, preset: None, before }
    }

    fn value(text: &str) -> Vec<BuildParameter> {
        vec![BuildParameter { name: "region".into(), value: text.into() }]
    }

    #[test]
    fn a_flag_wins_over_a_preset() {
        let all = [region()];
        let preset = Preset {
            parameters: vec![PresetParameter { name: "region".into(), value: "eu".into() }],
            ..Preset::default()
        };
        let with = Known { preset: Some(&preset), ..known(&all, &[]) };
        assert_eq!(answer(&given(&[]), with, Ask::Missing).unwrap(), value("eu"));
        assert_eq!(answer(&given(&["region=us"]), with, Ask::Missing).unwrap(), value("us"));
    }

    #[test]
    fn a_value_of_before_is_left_to_the_server() {
        let before = value("eu");
        let all = [region()];
        assert_eq!(answer(&given(&[]), known(&all, &before), Ask::Missing).unwrap(), []);
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest_one() {
        let all = [region()];
        let err = answer(&given(&["regoin=eu"]), known(&all, &[]), Ask::Missing).unwrap_err();
        assert_eq!(
            err.to_string(),
            "The template has no parameter \"regoin\". Did you mean \"region\"?"
        );
    }

    #[test]
    fn files_hold_a_pair_a_line() {
        let read = pairs("# c\nregion: \"eu\"\ncpu=2\nurl: http://x?a=b\n").unwrap();
        let read: Vec<_> = read.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        assert_eq!(read, [("region", "eu"), ("cpu", "2"), ("url", "http://x?a=b")]);
        assert!(pairs("nonsense").is_err());
    }
}
