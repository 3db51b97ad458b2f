//! From data sources to what a template asks: parameters, presets, external logins.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::plan::{self, Object};
use super::resources::{Found, Wrong};
use crate::model::parameter::{
    FormType, Monotonic, Parameter, ParameterOption, ParameterType, Preset, Validation,
};

/// The parameters, by their `order`, then as they appear in the template: `appearance` lists the
/// names of the root module's blocks. Those of modules come after.
pub(super) fn parameters(
    found: &Found<'_>,
    appearance: &[String],
) -> Result<Vec<Parameter>, Wrong> {
    let mut seen = BTreeMap::new();
    let mut out = Vec::new();
    for object in found.data("coder_parameter") {
        let parameter = parameter(object);
        if let Some(other) = seen.insert(parameter.name.clone(), &object.address) {
            return Err(format!(
                "{other} and {} have the same name {:?}; names are unique in a template",
                object.address, parameter.name
            ));
        }
        let place = appearance
            .iter()
            .position(|name| object.node == format!("data.coder_parameter.{name}"))
            .unwrap_or(usize::MAX);
        out.push((parameter.order, place, object.address.as_str(), parameter));
    }
    out.sort_by(|a, b| (a.0, a.1, a.2).cmp(&(b.0, b.1, b.2)));
    Ok(out.into_iter().map(|(_, _, _, parameter)| parameter).collect())
}

fn parameter(object: &Object) -> Parameter {
    let kind = ParameterType::from_word(&object.text("type")).unwrap_or(ParameterType::String);
    let default = object.values.get("default").filter(|d| !d.is_null());
    Parameter {
        name: object.text("name"),
        display_name: object.text("display_name"),
        description: object.text("description"),
        kind,
        form_type: FormType::from_word(&object.text("form_type")).unwrap_or(FormType::Error),
        styling: object.text("styling"),
        mutable: object.bool("mutable"),
        ephemeral: object.bool("ephemeral"),
        required: default.is_none(),
        default_value: plan::text(default),
        icon: object.text("icon"),
        order: object.int("order"),
        options: object.blocks("option").map(option).collect(),
        validation: object.blocks("validation").next().map(validation).unwrap_or_default(),
    }
}

fn option(block: &Json) -> ParameterOption {
    ParameterOption {
        name: plan::text(block.get("name")),
        description: plan::text(block.get("description")),
        value: plan::text(block.get("value")),
        icon: plan::text(block.get("icon")),
    }
}

fn validation(block: &Json) -> Validation {
    let bound = |name: &str| {
        let off = block.get(format!("{name}_disabled")) == Some(&Json::Bool(true));
        plan::int(block.get(name)).filter(|_| !off)
    };
    Validation {
        min: bound("min"),
        max: bound("max"),
        monotonic: Monotonic::from_word(&plan::text(block.get("monotonic"))),
        regex: plan::text(block.get("regex")),
        error: plan::text(block.get("error")),
    }
}

/// The presets, the default one first. Also says what is odd about them.
pub(super) fn presets(
    found: &Found<'_>,
    parameters: &[Parameter],
) -> Result<(Vec<Preset>, Vec<String>), Wrong> {
    let mut presets: Vec<Preset> = Vec::new();
    let mut warnings = Vec::new();
    for object in found.data("coder_workspace_preset") {
        let preset = Preset {
            name: object.text("name"),
            description: object.text("description"),
            icon: object.text("icon"),
            is_default: object.bool("default"),
            parameters: object.map("parameters"),
            prebuilds: object
                .blocks("prebuilds")
                .next()
                .and_then(|p| plan::int(p.get("instances"))),
        };
        if presets.iter().any(|p| p.name == preset.name) {
            return Err(format!("two presets have the name {:?}", preset.name));
        }
        if let Some(other) = presets.iter().find(|p| p.is_default && preset.is_default) {
            let (a, b) = (&other.name, &preset.name);
            return Err(format!("{a:?} and {b:?} are both default presets; there can be one"));
        }
        warnings.extend(preset.parameters.iter().filter_map(|(name, value)| {
            let why = match parameters.iter().find(|p| p.name == *name) {
                Some(parameter) => parameter.check(value, None).err()?.to_string(),
                None => "there is no such parameter in the template".to_owned(),
            };
            Some(format!("The preset {:?} sets {name:?} to {value:?}: {why}", preset.name))
        }));
        presets.push(preset);
    }
    presets.sort_by_key(|p| !p.is_default);
    Ok((presets, warnings))
}

/// The external logins: id, and whether the template can do without.
pub(super) fn external_auth(found: &Found<'_>) -> Vec<(String, bool)> {
    let mut out: Vec<(String, bool)> = Vec::new();
    for object in found.data("coder_external_auth") {
        let (id, optional) = (object.text("id"), object.bool("optional"));
        match out.iter_mut().find(|(other, _)| *other == id) {
            Some((_, both)) => *both &= optional,
            None => out.push((id, optional)),
        }
    }
    out
}
