//! What Terraform says there is: objects of a plan's JSON or of a stored state, in one form.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value as Json};

use super::graph::strip_indices;

/// An object of Terraform's: an instance of a resource or of a data source.
#[derive(Clone, Debug)]
pub struct Object {
    /// Its address without indices: the name that a graph has for it.
    pub node: String,
    /// Its address.
    pub address: String,
    /// Is only read.
    pub is_data: bool,
    /// `docker_container`.
    pub kind: String,
    /// `workspace`.
    pub name: String,
    /// Its attributes as far as they are known.
    pub values: Map<String, Json>,
}

impl Object {
    /// An attribute's text; empty when it is none.
    pub fn text(&self, attribute: &str) -> String {
        text(self.values.get(attribute))
    }

    /// A whole number; 0 when it is none.
    pub fn int(&self, attribute: &str) -> i64 {
        int(self.values.get(attribute)).unwrap_or(0)
    }

    /// Whether it is true.
    pub fn bool(&self, attribute: &str) -> bool {
        self.values.get(attribute) == Some(&Json::Bool(true))
    }

    /// The blocks of a name.
    pub fn blocks(&self, name: &str) -> impl Iterator<Item = &Json> {
        self.values.get(name).and_then(Json::as_array).into_iter().flatten()
    }

    /// A map of texts; what is null is left out.
    pub fn map(&self, attribute: &str) -> BTreeMap<String, String> {
        let map = self.values.get(attribute).and_then(Json::as_object).into_iter().flatten();
        map.filter(|(_, v)| !v.is_null()).map(|(k, v)| (k.clone(), text(Some(v)))).collect()
    }

    /// Whether it is managed and none of Coder's own.
    pub fn is_resource(&self) -> bool {
        !self.is_data && !self.kind.starts_with("coder_")
    }
}

/// A value's text: numbers and switches as they are written.
pub fn text(value: Option<&Json>) -> String {
    match value {
        Some(Json::String(text)) => text.clone(),
        Some(other @ (Json::Number(_) | Json::Bool(_))) => other.to_string(),
        Some(Json::Null | Json::Array(_) | Json::Object(_)) | None => String::new(),
    }
}

/// A whole number, written as a number or as a text.
pub fn int(value: Option<&Json>) -> Option<i64> {
    match value? {
        Json::Number(n) => n.as_i64().or_else(|| n.to_string().split('.').next()?.parse().ok()),
        Json::String(text) => text.parse().ok(),
        Json::Null | Json::Bool(_) | Json::Array(_) | Json::Object(_) => None,
    }
}

/// `terraform show -json` of a plan, as far as it is used.
#[derive(Deserialize)]
struct PlanFile {
    #[serde(default)]
    planned_values: Values,
    #[serde(default)]
    prior_state: PriorState,
}

#[derive(Default, Deserialize)]
struct PriorState {
    #[serde(default)]
    values: Values,
}

#[derive(Default, Deserialize)]
struct Values {
    #[serde(default)]
    root_module: Module,
}

#[derive(Default, Deserialize)]
struct Module {
    #[serde(default)]
    resources: Vec<Resource>,
    #[serde(default)]
    child_modules: Vec<Module>,
}

#[derive(Deserialize)]
struct Resource {
    address: String,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    #[serde(default)]
    values: Option<Map<String, Json>>,
}

/// What a plan would leave: what it plans, and what it has read. What is only in its prior state
/// is about to go.
pub fn planned(json: &[u8]) -> Result<Vec<Object>, serde_json::Error> {
    let plan: PlanFile = serde_json::from_slice(json)?;
    let mut objects = Vec::new();
    collect(plan.planned_values.root_module, &mut objects);
    let mut read = Vec::new();
    collect(plan.prior_state.values.root_module, &mut read);
    objects.extend(read.into_iter().filter(|o| o.is_data));
    sort(&mut objects);
    Ok(objects)
}

fn collect(module: Module, out: &mut Vec<Object>) {
    out.extend(module.resources.into_iter().map(|r| Object {
        node: strip_indices(&r.address),
        address: r.address,
        is_data: r.mode == "data",
        kind: r.kind,
        name: r.name,
        values: r.values.unwrap_or_default(),
    }));
    for child in module.child_modules {
        collect(child, out);
    }
}

/// Orders them by address, each once.
pub fn sort(objects: &mut Vec<Object>) {
    objects.sort_by(|a, b| a.address.cmp(&b.address));
    objects.dedup_by(|a, b| a.address == b.address);
}

/// A state, version 4, as Terraform stores it.
#[derive(Deserialize)]
struct StateFile {
    version: u64,
    #[serde(default)]
    resources: Vec<StateResource>,
}

#[derive(Deserialize)]
struct StateResource {
    #[serde(default)]
    module: String,
    mode: String,
    #[serde(rename = "type")]
    kind: String,
    name: String,
    #[serde(default)]
    provider: String,
    #[serde(default)]
    instances: Vec<StateInstance>,
}

#[derive(Deserialize)]
struct StateInstance {
    #[serde(default)]
    index_key: Json,
    #[serde(default)]
    attributes: Option<Map<String, Json>>,
}

/// What a stored state says there is.
pub fn stored(json: &[u8]) -> Result<Vec<Object>, serde_json::Error> {
    let state: StateFile = serde_json::from_slice(json)?;
    let mut objects = Vec::new();
    for resource in state.resources {
        let StateResource { module, mode, kind, name, provider: _, instances } = resource;
        let is_data = mode == "data";
        let data = if is_data { "data." } else { "" };
        let dot = if module.is_empty() { "" } else { "." };
        let address = format!("{module}{dot}{data}{kind}.{name}");
        objects.extend(instances.into_iter().map(|instance| Object {
            node: strip_indices(&address),
            address: if instance.index_key.is_null() {
                address.clone()
            } else {
                format!("{address}[{}]", instance.index_key)
            },
            is_data,
            kind: kind.clone(),
            name: name.clone(),
            values: instance.attributes.unwrap_or_default(),
        }));
    }
    sort(&mut objects);
    Ok(objects)
}

/// Whether the bytes are a state worth keeping: Terraform ended in the middle of a first write
/// leaves an empty file.
pub fn is_state(json: &[u8]) -> bool {
    serde_json::from_slice::<StateFile>(json).is_ok_and(|state| state.version == 4)
}

/// Whether a state holds nothing that could be removed.
pub fn is_empty_state(json: &[u8]) -> bool {
    serde_json::from_slice::<StateFile>(json)
        .is_ok_and(|state| state.resources.iter().all(|r| r.mode == "data"))
}

/// The providers that a state's objects were made by, `registry.terraform.io/kreuzwerker/docker`.
pub fn providers_of_state(json: &[u8]) -> Vec<String> {
    let Ok(state) = serde_json::from_slice::<StateFile>(json) else { return vec![] };
    state
        .resources
        .iter()
        .filter_map(|r| r.provider.split("provider[\"").nth(1)?.split('"').next())
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plan_leaves_what_is_planned_and_what_was_read() {
        let json = serde_json::json!({
            "planned_values": {"root_module": {
                "resources": [{"address": "a.b[0]", "mode": "managed", "type": "a", "name": "b", "values": {"x": 1}}],
                "child_modules": [{"resources": [
                    {"address": "module.m[0].c.d", "mode": "managed", "type": "c", "name": "d"}]}],
            }},
            "prior_state": {"values": {"root_module": {"resources": [
                {"address": "data.e.f", "mode": "data", "type": "e", "name": "f", "values": {}},
                {"address": "gone.g", "mode": "managed", "type": "gone", "name": "g", "values": {}},
            ]}}},
        });
        let objects = planned(json.to_string().as_bytes()).unwrap();
        let nodes: Vec<&str> = objects.iter().map(|o| o.node.as_str()).collect();
        assert_eq!(nodes, ["a.b", "data.e.f", "module.m.c.d"]);
    }

    #[test]
    fn a_state_gives_the_same_form() {
        let json = serde_json::json!({"version": 4, "resources": [
            {"module": "module.m[\"k\"]", "mode": "managed", "type": "a", "name": "b",
             "provider": "provider[\"registry.terraform.io/x/y\"]",
             "instances": [{"index_key": 0, "attributes": {"id": "i"}}, {"index_key": "z"}]},
            {"mode": "data", "type": "c", "name": "d", "instances": [{"attributes": {}}]},
        ]})
        .to_string();
        let objects = stored(json.as_bytes()).unwrap();
        let addresses: Vec<&str> = objects.iter().map(|o| o.address.as_str()).collect();
        assert_eq!(addresses, ["data.c.d", "module.m[\"k\"].a.b[\"z\"]", "module.m[\"k\"].a.b[0]"]);
        assert!(objects.iter().skip(1).all(|o| o.node == "module.m.a.b"));
        assert_eq!(providers_of_state(json.as_bytes()), ["registry.terraform.io/x/y"]);
        assert!(is_state(json.as_bytes()) && !is_empty_state(json.as_bytes()));
    }

    #[test]
    fn what_a_killed_terraform_leaves_is_no_state() {
        for broken in ["", "{", "{}", "{\"version\": 3}"] {
            assert!(!is_state(broken.as_bytes()), "{broken}");
        }
        assert!(is_empty_state(b"{\"version\": 4, \"resources\": []}"));
    }
}
