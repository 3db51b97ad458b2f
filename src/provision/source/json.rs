//! Blocks in Terraform's JSON.

use hcl::Expression;
use serde_json::{Map, Value as Json};

use super::{Said, Source};
use crate::model::parameter::Variable;
use crate::provision::job::Failure;

/// Adds what a `.tf.json` file says.
pub(in crate::provision) fn add(
    source: &mut Source,
    text: &str,
    name: &str,
) -> Result<(), Failure> {
    let json: Json =
        serde_json::from_str(text).map_err(|e| Failure::Template(format!("{name}: {e}")))?;
    source.files += 1;
    for (block, body) in entries(&json) {
        match block.as_str() {
            "variable" => {
                entries(body).for_each(|(name, variable)| add_variable(source, name, variable));
            }
            "data" | "resource" => {
                for (kind, all) in entries(body) {
                    entries(all).for_each(|(label, one)| add_resource(source, kind, label, one));
                }
            }
            "module" => source.needs_init |= entries(body).next().is_some(),
            "provider" => source.used.extend(entries(body).map(|(name, _)| name.clone())),
            "terraform" => entries(body).for_each(|(key, value)| add_terraform(source, key, value)),
            _ => {}
        }
    }
    Ok(())
}

/// A body may be written as one object or as a list of them.
fn entries(json: &Json) -> Box<dyn Iterator<Item = (&String, &Json)> + '_> {
    match json {
        Json::Object(map) => Box::new(map.iter()),
        Json::Array(list) => Box::new(list.iter().filter_map(Json::as_object).flat_map(Map::iter)),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) => {
            Box::new(std::iter::empty())
        }
    }
}

fn field<'a>(json: &'a Json, name: &str) -> Option<&'a Json> {
    entries(json).find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn text(json: Option<&Json>) -> Option<String> {
    json.and_then(Json::as_str).map(str::to_owned)
}

fn add_variable(source: &mut Source, name: &str, body: &Json) {
    let kind = text(field(body, "type"));
    let description = text(field(body, "description"));
    let default = field(body, "default").map(|value| match value {
        Json::Null => String::new(),
        Json::String(text) => text.clone(),
        other @ (Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_)) => {
            other.to_string()
        }
    });
    let said = Said {
        default: default.is_some(),
        kind: kind.is_some(),
        description: description.is_some(),
    };
    let variable = Variable {
        name: name.to_owned(),
        description: description.unwrap_or_default(),
        kind: kind.unwrap_or_else(|| "string".to_owned()),
        value: String::new(),
        required: default.is_none(),
        default_value: default.unwrap_or_default(),
        sensitive: field(body, "sensitive") == Some(&Json::Bool(true)),
    };
    source.add_variable(variable, &said);
}

fn add_resource(source: &mut Source, kind: &str, label: &str, body: &Json) {
    match text(field(body, "provider")) {
        Some(provider) => {
            source.used.insert(provider.split('.').next().unwrap_or_default().to_owned());
        }
        None => source.add_use(kind),
    }
    match kind {
        "coder_parameter" => source.add_parameter(label, field(body, "default").map(expression)),
        "coder_workspace_tags" => {
            let tags = field(body, "tags").into_iter().flat_map(entries);
            source.tags.extend(tags.map(|(key, tag)| (key.as_str().into(), expression(tag))));
        }
        _ => {}
    }
}

/// Texts are templates.
fn expression(json: &Json) -> Expression {
    match json {
        Json::String(text) => hcl::TemplateExpr::QuotedString(text.clone()).into(),
        other @ (Json::Null
        | Json::Bool(_)
        | Json::Number(_)
        | Json::Array(_)
        | Json::Object(_)) => {
            serde_json::from_value::<hcl::Value>(other.clone()).map_or(Expression::Null, Into::into)
        }
    }
}

fn add_terraform(source: &mut Source, key: &str, body: &Json) {
    match key {
        "backend" | "cloud" => source.needs_init = true,
        "required_providers" => {
            for (name, provider) in entries(body) {
                let (from, version) = (field(provider, "source"), field(provider, "version"));
                source.add_provider(name, text(from), text(version));
            }
        }
        _ => {}
    }
}
