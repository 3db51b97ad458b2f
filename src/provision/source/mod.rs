//! The blocks of a root module that matter before Terraform runs, from both of its syntaxes.

pub(super) mod evaluate;
pub(super) mod hcl;
pub(super) mod json;

use std::collections::{BTreeMap, BTreeSet};

use ::hcl::{Expression, Value};

use crate::model::parameter::Variable;

/// What the files of a root module say.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// How many files there are.
    pub files: usize,
    /// Variables as they appear; `value` is not filled in.
    pub variables: Vec<Variable>,
    /// `coder_parameter` blocks by name, with their defaults.
    pub parameters: Vec<(String, Option<Expression>)>,
    /// Entries of `coder_workspace_tags`.
    pub tags: Vec<(Expression, Expression)>,
    /// Local names of providers with their sources.
    pub sources: BTreeMap<String, String>,
    /// What the template says about the version of `coder/coder`.
    pub coder_version: Option<String>,
    /// Local names of providers that are used.
    pub used: BTreeSet<String>,
    /// Calls modules, or keeps its state elsewhere.
    pub needs_init: bool,
}

/// What this process serves itself, and what is in Terraform.
const NO_INIT: [&str; 3] = ["coder/coder", "steading/steading", "terraform.io/builtin/terraform"];

/// Whether Terraform can use a provider without fetching it.
pub(super) fn is_served(source: &str) -> bool {
    let source = source.to_ascii_lowercase();
    let short = ["registry.terraform.io/", "registry.opentofu.org/"]
        .iter()
        .find_map(|host| source.strip_prefix(host));
    NO_INIT.contains(&short.unwrap_or(&source))
}

impl Source {
    /// Whether Terraform has to fetch something before it can plan.
    pub(super) fn needs_init(&self) -> bool {
        let source_of = |name: &String| match self.sources.get(name) {
            Some(source) => source.clone(),
            None if name == "terraform" => "terraform.io/builtin/terraform".to_owned(),
            None => format!("hashicorp/{name}"),
        };
        let names = self.sources.keys().chain(&self.used);
        self.needs_init || names.map(source_of).any(|source| !is_served(&source))
    }

    /// Notes where a provider comes from.
    fn add_provider(&mut self, name: &str, source: Option<String>, version: Option<String>) {
        let source = source.unwrap_or_else(|| format!("hashicorp/{name}"));
        if source.to_ascii_lowercase().ends_with("coder/coder") {
            self.coder_version = version;
        }
        self.sources.insert(name.to_owned(), source);
    }

    /// Says that `coder` is used and nothing says where it comes from.
    pub(super) fn lacks_coder(&self) -> bool {
        self.used.contains("coder") && !self.sources.contains_key("coder")
    }

    /// What the template says about the version of `coder/coder`, when only versions before 2
    /// would do.
    pub(super) fn wants_old_coder(&self) -> Option<&str> {
        let version = self.coder_version.as_deref()?;
        version.split(',').any(is_before_two).then_some(version)
    }

    /// Adds a variable, or what an override says about it.
    fn add_variable(&mut self, variable: Variable, says: &Said) {
        let Some(known) = self.variables.iter_mut().find(|v| v.name == variable.name) else {
            self.variables.push(variable);
            return;
        };
        if says.default {
            known.default_value = variable.default_value;
            known.required = false;
        }
        if says.kind {
            known.kind = variable.kind;
        }
        if says.description {
            known.description = variable.description;
        }
        known.sensitive |= variable.sensitive;
    }

    fn add_parameter(&mut self, name: &str, default: Option<Expression>) {
        match self.parameters.iter_mut().find(|(known, _)| known == name) {
            Some((_, known)) => *known = default.or_else(|| known.take()),
            None => self.parameters.push((name.to_owned(), default)),
        }
    }

    /// Notes the provider of a resource of this type.
    fn add_use(&mut self, kind: &str) {
        let name = kind.split('_').next().unwrap_or(kind);
        self.used.insert(name.to_owned());
    }
}

/// Whether one part of a version constraint, such as `~> 0.12`, leaves out every version 2.
fn is_before_two(part: &str) -> bool {
    let part = part.trim();
    let digits = part.trim_start_matches(|c: char| !c.is_ascii_digit());
    let operator = part.strip_suffix(digits).unwrap_or_default().trim();
    let mut numbers = digits.split('.').map_while(|n| n.parse::<u64>().ok());
    let Some(major) = numbers.next() else { return false };
    match operator {
        "" | "=" | "<=" => major < 2,
        "~>" => major < 2 && digits.contains('.'),
        "<" => major < 2 || (major == 2 && numbers.all(|n| n == 0)),
        _ => false,
    }
}

/// What a block says at all, for overrides.
#[derive(Default)]
struct Said {
    default: bool,
    kind: bool,
    description: bool,
}

/// A variable's default as it is shown: a text as it is, nothing for null, else JSON.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            serde_json::to_string(value).unwrap_or_default()
        }
    }
}

/// A simple value's text.
pub(super) fn text_of(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(on) => Some(on.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A variable's value from its text.
pub(super) fn value_of(kind: &str, text: &str) -> Value {
    if kind == "string" {
        return text.into();
    }
    let value = text.parse::<Expression>().ok().and_then(|e| evaluate::alone(&e).ok());
    value.unwrap_or_else(|| text.into())
}
