//! What a client sent, by the names and kinds of a schema; what it does not know is left out.

use serde_json::Value;

use super::schema::{Attribute, Kind, Mutability, Schema};
use super::{Bad, Map};
use crate::model::text;

/// Characters of a text at most.
const MAX_TEXT: usize = 1024;
/// Values of an attribute at most: the members of the largest group.
pub const MAX_VALUES: usize = 10_000;

/// Reads a resource. Null, an empty text and an empty list stand for no value; what is given here is
/// passed over.
///
/// # Errors
/// Names the attribute whose value does not fit.
pub fn resource(schema: &Schema, sent: &Map) -> Result<Map, Bad> {
    let mut out = Map::new();
    for (name, value) in sent {
        let known = schema.find(name).filter(|a| a.mutability != Mutability::ReadOnly);
        let Some(attribute) = known else { continue };
        match self::value(attribute, value)? {
            Some(value) => out.insert(attribute.name.to_owned(), value),
            None => out.remove(attribute.name),
        };
    }
    Ok(out)
}

/// Reads the value of an attribute; none when it stands for no value.
///
/// # Errors
/// Names the attribute when the value does not fit.
pub fn value(attribute: &Attribute, sent: &Value) -> Result<Option<Value>, Bad> {
    if !attribute.is_multi {
        let only = sent.as_array().filter(|all| all.len() == 1).and_then(|all| all.first());
        return one(attribute, only.unwrap_or(sent));
    }
    let sent = match sent {
        Value::Array(all) => all.as_slice(),
        Value::Null => &[],
        Value::Bool(_) | Value::Number(_) | Value::String(_) | Value::Object(_) => {
            std::slice::from_ref(sent)
        }
    };
    if sent.len() > MAX_VALUES {
        let why = format!("may have at most {MAX_VALUES} values");
        return Err(Bad::value(attribute.name, why));
    }
    let mut all = Vec::new();
    for value in sent {
        all.extend(one(attribute, value)?);
    }
    Ok((!all.is_empty()).then_some(Value::Array(all)))
}

fn one(attribute: &Attribute, sent: &Value) -> Result<Option<Value>, Bad> {
    match attribute.kind {
        _ if sent.is_null() => Ok(None),
        Kind::Truth => truth(attribute.name, sent).map(Some),
        Kind::Text | Kind::Reference(_) => line(attribute.name, sent),
        Kind::Complex(_) => complex(attribute, sent),
    }
}

/// Some providers send the words.
fn truth(name: &str, sent: &Value) -> Result<Value, Bad> {
    let truth = match sent {
        Value::Bool(truth) => Some(*truth),
        Value::String(text) if text.eq_ignore_ascii_case("true") => Some(true),
        Value::String(text) if text.eq_ignore_ascii_case("false") => Some(false),
        Value::String(_) | Value::Null | Value::Number(_) | Value::Array(_) | Value::Object(_) => {
            None
        }
    };
    truth.map(Value::Bool).ok_or_else(|| Bad::value(name, "has to be true or false"))
}

fn line(name: &str, sent: &Value) -> Result<Option<Value>, Bad> {
    let text = match sent {
        Value::String(text) => text.trim().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Bool(_) | Value::Null | Value::Array(_) | Value::Object(_) => {
            return Err(Bad::value(name, "has to be a text"));
        }
    };
    text::check_line(&text, MAX_TEXT).map_err(|why| Bad::value(name, why))?;
    Ok((!text.is_empty()).then_some(Value::String(text)))
}

fn complex(attribute: &Attribute, sent: &Value) -> Result<Option<Value>, Bad> {
    let sent = match sent {
        Value::Object(map) => map.clone(),
        // An address or an id alone.
        Value::String(_) if attribute.part("value").is_some() => {
            Map::from_iter([("value".to_owned(), sent.clone())])
        }
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => {
            return Err(Bad::value(attribute.name, "has to be an object"));
        }
    };
    let mut out = Map::new();
    for (name, value) in &sent {
        let Some(part) = attribute.part(name) else { continue };
        if let Some(value) = self::value(part, value)? {
            out.insert(part.name.to_owned(), value);
        }
    }
    Ok((!out.is_empty()).then_some(Value::Object(out)))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::schema::USER;
    use super::*;

    fn read(sent: &Value) -> Result<Value, Bad> {
        resource(&USER, sent.as_object().unwrap()).map(Value::Object)
    }

    #[test]
    fn names_and_kinds_are_the_schema_s_whatever_was_sent() {
        let read_one = read(&json!({
            "USERNAME": " ada@example.org ", "Active": "False", "externalid": 4711,
            "name": { "GivenName": "Ada", "honorificPrefix": "Countess" },
            "emails": { "value": "ada@example.org", "Type": "work", "primary": "True" },
            "title": "Countess", "displayName": null,
            "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "x" },
        }));
        let expected = json!({
            "userName": "ada@example.org", "active": false, "externalId": "4711",
            "name": { "givenName": "Ada" },
            "emails": [{ "value": "ada@example.org", "type": "work", "primary": true }],
        });
        assert_eq!(read_one.unwrap(), expected);
        let bare = read(&json!({ "emails": ["a@b.test"] })).unwrap();
        assert_eq!(bare, json!({ "emails": [{ "value": "a@b.test" }] }));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        for (sent, name) in [
            (json!({ "active": "perhaps" }), "active"),
            (json!({ "userName": {} }), "userName"),
            (json!({ "userName": "a\nb" }), "userName"),
            (json!({ "name": [1, 2] }), "name"),
            (json!({ "emails": [7] }), "emails"),
            (json!({ "displayName": "x".repeat(2000) }), "displayName"),
        ] {
            let why = read(&sent).unwrap_err().to_string();
            assert!(why.starts_with(name), "{why}");
        }
    }
}
