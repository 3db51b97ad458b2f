//! Blocks in Terraform's own language.
#![expect(clippy::wildcard_enum_match_arm, reason = "expressions are many, and one is meant")]

use hcl_edit::Span as _;
use hcl_edit::expr::{Expression, ObjectKey};
use hcl_edit::structure::{Block, Body};

use super::{Said, Source, evaluate, shown};
use crate::model::parameter::Variable;
use crate::provision::job::Failure;

/// Adds what a `.tf` file says.
pub(in crate::provision) fn add(
    source: &mut Source,
    text: &str,
    name: &str,
) -> Result<(), Failure> {
    let body: Body = hcl_edit::parser::parse_body(text).map_err(|e| {
        let (line, message) = (e.location().line(), e.message());
        Failure::Template(format!("{name}, line {line}: {message}"))
    })?;
    source.files += 1;
    for block in body.blocks() {
        let labels: Vec<&str> =
            block.labels.iter().map(hcl_edit::structure::BlockLabel::as_str).collect();
        match (block.ident.as_str(), labels.as_slice()) {
            ("variable", [variable]) => add_variable(source, text, variable, block),
            ("data" | "resource", [kind, label]) => add_resource(source, kind, label, block),
            ("module", [_]) => source.needs_init = true,
            ("provider", [provider]) => {
                source.used.insert((*provider).to_owned());
            }
            ("terraform", []) => add_terraform(source, block),
            _ => {}
        }
    }
    Ok(())
}

fn value<'a>(block: &'a Block, name: &str) -> Option<&'a Expression> {
    block.body.get_attribute(name).map(|a| &a.value)
}

fn add_variable(source: &mut Source, text: &str, name: &str, block: &Block) {
    let kind = value(block, "type").map(|e| {
        let written = e.span().and_then(|span| text.get(span)).unwrap_or_default().trim();
        e.as_str().unwrap_or(written).to_owned()
    });
    let default = value(block, "default").map(|e| {
        let plain: hcl::Expression = e.clone().into();
        let written = || e.span().and_then(|span| text.get(span)).unwrap_or_default().to_owned();
        evaluate::alone(&plain).map_or_else(|_| written(), |v| shown(&v))
    });
    let description = value(block, "description").and_then(Expression::as_str);
    let said = Said {
        default: default.is_some(),
        kind: kind.is_some(),
        description: description.is_some(),
    };
    let variable = Variable {
        name: name.to_owned(),
        description: description.unwrap_or_default().to_owned(),
        kind: kind.unwrap_or_else(|| "string".to_owned()),
        value: String::new(),
        required: default.is_none(),
        default_value: default.unwrap_or_default(),
        sensitive: value(block, "sensitive").and_then(Expression::as_bool).unwrap_or(false),
    };
    source.add_variable(variable, &said);
}

fn add_resource(source: &mut Source, kind: &str, label: &str, block: &Block) {
    match value(block, "provider") {
        Some(provider) => {
            // `docker` or `docker.alias`.
            let written = provider.to_string();
            let name = written.trim().split('.').next().unwrap_or_default().to_owned();
            source.used.insert(name);
        }
        None => source.add_use(kind),
    }
    match kind {
        "coder_parameter" => {
            source.add_parameter(label, value(block, "default").map(|e| e.clone().into()));
        }
        "coder_workspace_tags" => {
            let Some(Expression::Object(tags)) = value(block, "tags") else { return };
            for (key, tag) in tags {
                source.tags.push((key_expression(key), tag.expr().clone().into()));
            }
        }
        _ => {}
    }
}

fn key_expression(key: &ObjectKey) -> hcl::Expression {
    match key {
        ObjectKey::Ident(name) => name.as_str().into(),
        ObjectKey::Expression(expression) => expression.clone().into(),
    }
}

fn add_terraform(source: &mut Source, block: &Block) {
    source.needs_init |= ["backend", "cloud"].iter().any(|name| block.body.has_blocks(name));
    for providers in block.body.get_blocks("required_providers") {
        for attribute in providers.body.attributes() {
            let name = attribute.key.as_str();
            let plain: hcl::Expression = attribute.value.clone().into();
            let fields =
                if let hcl::Expression::Object(fields) = &plain { Some(fields) } else { None };
            let field = |wanted: &str| {
                fields.into_iter().flatten().find_map(|(key, value)| match value {
                    hcl::Expression::String(text)
                        if key.to_string().trim_matches('"') == wanted =>
                    {
                        Some(text.clone())
                    }
                    _ => None,
                })
            };
            source.add_provider(name, field("source"), field("version"));
        }
    }
}
