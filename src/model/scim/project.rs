//! Which attributes of a resource are answered (RFC 7644, section 3.9).

use serde_json::Value;

use super::filter::Path;
use super::schema::Schema;
use super::{Bad, BadKind, Map};

/// Names in a list of attributes at most.
const MAX_NAMES: usize = 64;

/// Which attributes are wanted.
#[derive(Clone, Debug, Default)]
pub struct Wanted {
    only: Vec<Path>,
    without: Vec<Path>,
}

impl Wanted {
    /// Reads `attributes` and `excludedAttributes`, each divided by commas.
    ///
    /// # Errors
    /// When a name is none.
    pub fn parse(only: &str, without: &str) -> Result<Self, Bad> {
        Ok(Self { only: names(only)?, without: names(without)? })
    }

    /// Whether an attribute is wanted in any part.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        let named = |path: &&Path| path.attribute.eq_ignore_ascii_case(name);
        let left_out = self.without.iter().filter(named).any(|path| path.part.is_none());
        !left_out && (self.only.is_empty() || self.only.iter().any(|path| named(&path)))
    }

    /// What is answered of a resource; `id` and `schemas` always are.
    #[must_use]
    pub fn of(&self, schema: &Schema, resource: Map) -> Map {
        let mut out = Map::new();
        for (name, value) in resource {
            if matches!(name.as_str(), "id" | "schemas") {
                out.insert(name, value);
            } else if self.has(&name) {
                let parts = |paths: &[Path]| -> Vec<String> {
                    let named = paths.iter().filter(|p| p.attribute.eq_ignore_ascii_case(&name));
                    named.filter_map(|p| p.part.clone()).collect()
                };
                let whole = self
                    .only
                    .iter()
                    .any(|p| p.attribute.eq_ignore_ascii_case(&name) && p.part.is_none());
                let only = if whole { Vec::new() } else { parts(&self.only) };
                let value = narrowed(value, &only, &parts(&self.without));
                out.insert(name, value);
            }
        }
        debug_assert!(out.keys().all(|name| schema.find(name).is_some()));
        out
    }
}

fn narrowed(mut value: Value, only: &[String], without: &[String]) -> Value {
    let is_in = |list: &[String], name: &str| list.iter().any(|n| n.eq_ignore_ascii_case(name));
    match &mut value {
        Value::Object(map) => {
            map.retain(|name, _| (only.is_empty() || is_in(only, name)) && !is_in(without, name));
        }
        Value::Array(all) => {
            for one in all {
                *one = narrowed(one.take(), only, without);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
    value
}

fn names(text: &str) -> Result<Vec<Path>, Bad> {
    let names: Vec<&str> = text.split(',').map(str::trim).filter(|n| !n.is_empty()).collect();
    if names.len() > MAX_NAMES {
        let why = format!("at most {MAX_NAMES} attributes may be named");
        return Err(Bad::new(BadKind::InvalidValue, why));
    }
    names.into_iter().map(Path::parse).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::schema::USER;
    use super::*;

    #[test]
    fn what_is_asked_for_is_answered_and_the_id() {
        let ada = json!({ "id": "1", "schemas": ["x"], "userName": "ada", "active": true,
            "name": { "givenName": "Ada", "familyName": "L" } });
        let check = |only: &str, without: &str, expected: &Value| {
            let wanted = Wanted::parse(only, without).unwrap();
            let map = wanted.of(&USER, ada.as_object().unwrap().clone());
            assert_eq!(&Value::Object(map), expected, "{only} {without}");
        };
        check("", "", &ada);
        check("USERNAME", "", &json!({ "id": "1", "schemas": ["x"], "userName": "ada" }));
        check(
            "name.givenname",
            "",
            &json!({ "id": "1", "schemas": ["x"], "name": { "givenName": "Ada" } }),
        );
        let rest = json!({ "id": "1", "schemas": ["x"], "userName": "ada", "name": { "givenName": "Ada" } });
        check("", "active,name.familyName,id", &rest);
        assert!(Wanted::parse("a b", "").is_err());
    }
}
