//! The blocks of a root module that matter before Terraform runs, from both of its syntaxes.

pub(super) mod hcl;
pub(super) mod json;

use std::collections::{BTreeMap, BTreeSet};

use ::hcl::eval::{Context, Evaluate as _};
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
    let value = text.parse::<Expression>().ok().and_then(|e| e.evaluate(&Context::new()).ok());
    value.unwrap_or_else(|| text.into())
}
