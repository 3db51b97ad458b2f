//! Changes of a part of a resource (RFC 7644, section 3.5.2), in the forms that providers send them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::filter::Path;
use super::read;
use super::schema::{Attribute, Mutability, Schema};
use super::{Bad, BadKind, Map};

/// Operations in one request at most.
const MAX_OPERATIONS: usize = 200;
/// From so many values on they are looked up instead of compared one by one.
const MANY: usize = 8;

/// What is done at a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Add,
    Replace,
    Remove,
}

/// One change.
#[derive(Clone, Debug)]
pub struct Operation {
    deed: Deed,
    path: Option<Path>,
    value: Value,
}

/// Reads the body of a `PATCH`.
///
/// # Errors
/// When it is none.
pub fn parse(body: &Map) -> Result<Vec<Operation>, Bad> {
    let syntax = |why: &str| Bad::new(BadKind::InvalidSyntax, why);
    let sent = field(body, "Operations").and_then(Value::as_array);
    let sent = sent.ok_or_else(|| syntax("Operations has to be a list"))?;
    if sent.is_empty() || sent.len() > MAX_OPERATIONS {
        let why = format!("Operations may hold 1 to {MAX_OPERATIONS} of them");
        return Err(syntax(&why));
    }
    let one = |value: &Value| {
        let map = value.as_object().ok_or_else(|| syntax("an operation has to be an object"))?;
        let deed = field(map, "op").and_then(Value::as_str).unwrap_or_default();
        let deed = match deed.to_ascii_lowercase().as_str() {
            "add" => Deed::Add,
            "replace" => Deed::Replace,
            "remove" => Deed::Remove,
            _ => return Err(syntax("op has to be add, replace or remove")),
        };
        let path = match field(map, "path") {
            None | Some(Value::Null) => None,
            Some(path) => Some(Path::parse(path.as_str().unwrap_or_default())?),
        };
        let value = field(map, "value").cloned().unwrap_or_default();
        Ok(Operation { deed, path, value })
    };
    sent.iter().map(one).collect()
}

fn field<'a>(map: &'a Map, name: &str) -> Option<&'a Value> {
    map.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
}

/// Makes the changes, all or with an error none that is kept.
///
/// # Errors
/// When a path names nothing that may be changed, or a value does not fit.
pub fn apply(schema: &Schema, resource: &mut Map, operations: &[Operation]) -> Result<(), Bad> {
    for Operation { deed, path, value } in operations {
        match (path, value) {
            (Some(path), value) => {
                if let Some(attribute) = target(schema, path)? {
                    change(resource, *deed, (attribute, path), value)?;
                }
            }
            (None, _) if *deed == Deed::Remove => {
                return Err(Bad::new(BadKind::NoTarget, "remove needs a path"));
            }
            (None, Value::Object(all)) => each(schema, resource, *deed, all)?,
            (None, _) => {
                let why = "without a path the value has to be an object";
                return Err(Bad::new(BadKind::InvalidSyntax, why));
            }
        }
    }
    Ok(())
}

/// Without a path each name in the value is one. What is given here is passed over: providers send
/// whole resources.
fn each(schema: &Schema, resource: &mut Map, deed: Deed, all: &Map) -> Result<(), Bad> {
    for (name, value) in all {
        let path = Path::parse(name)?;
        let known = (!path.is_foreign).then(|| schema.find(&path.attribute)).flatten();
        let Some(attribute) = known.filter(|a| a.mutability != Mutability::ReadOnly) else {
            continue;
        };
        change(resource, deed, (attribute, &path), value)?;
    }
    Ok(())
}

/// The attribute of a path; none when nothing here keeps it.
fn target(schema: &Schema, path: &Path) -> Result<Option<&'static Attribute>, Bad> {
    if path.is_foreign || Schema::is_elsewhere(&path.attribute) {
        return Ok(None);
    }
    let name = &path.attribute;
    let missing = || Bad::new(BadKind::InvalidPath, format!("there is no attribute {name:?}"));
    let attribute = schema.find(name).ok_or_else(missing)?;
    if attribute.mutability == Mutability::ReadOnly {
        return Err(Bad::new(BadKind::Mutability, format!("{} is given here", attribute.name)));
    }
    Ok(Some(attribute))
}

fn change(
    resource: &mut Map,
    deed: Deed,
    (attribute, path): (&Attribute, &Path),
    value: &Value,
) -> Result<(), Bad> {
    let whole = path.part.is_none() && path.narrow.is_empty();
    let name = attribute.name;
    if deed == Deed::Remove && whole && attribute.is_required {
        return Err(Bad::new(BadKind::Mutability, format!("{name} is required")));
    }
    if !attribute.is_multi {
        return single(resource, deed, (attribute, path), value);
    }
    let mut items = match resource.remove(name) {
        Some(Value::Array(items)) => items,
        Some(_) | None => Vec::new(),
    };
    match (deed, path.narrow.is_empty()) {
        (Deed::Remove, _) if whole && value.is_null() => items.clear(),
        (Deed::Remove, _) if whole => take_out(&mut items, &values(attribute, value)?),
        (Deed::Remove, _) => remove_from(&mut items, (attribute, path)),
        (Deed::Add, true) if whole => put_in(&mut items, values(attribute, value)?),
        (Deed::Replace, true) if whole => items = values(attribute, value)?,
        (Deed::Add | Deed::Replace, _) => write_at(&mut items, (attribute, path), value)?,
    }
    if items.len() > read::MAX_VALUES {
        let why = format!("may have at most {} values", read::MAX_VALUES);
        return Err(Bad::value(name, why));
    }
    items.retain(|item| item.as_object().is_none_or(|map| !map.is_empty()));
    if !items.is_empty() {
        resource.insert(name.to_owned(), Value::Array(items));
    }
    Ok(())
}

fn single(
    resource: &mut Map,
    deed: Deed,
    (attribute, path): (&Attribute, &Path),
    value: &Value,
) -> Result<(), Bad> {
    let name = attribute.name;
    let Some(part) = &path.part else {
        let read = if deed == Deed::Remove { None } else { read::value(attribute, value)? };
        match (read, resource.get_mut(name)) {
            // The parts that are sent take the place of those that are there.
            (Some(Value::Object(new)), Some(Value::Object(old))) => old.extend(new),
            (Some(new), _) => drop(resource.insert(name.to_owned(), new)),
            (None, _) if deed == Deed::Add => {}
            (None, _) => drop(resource.remove(name)),
        }
        return Ok(());
    };
    let Some(part) = attribute.part(part) else { return unknown_part(attribute, part) };
    let read = if deed == Deed::Remove { None } else { read::value(part, value)? };
    let held = resource.entry(name).or_insert_with(|| Value::Object(Map::new()));
    if let Value::Object(map) = held {
        match read {
            Some(value) => drop(map.insert(part.name.to_owned(), value)),
            None => drop(map.remove(part.name)),
        }
        if map.is_empty() {
            resource.remove(name);
        }
    }
    Ok(())
}

/// Parts that the standard has and nothing here keeps are passed over.
fn unknown_part(attribute: &Attribute, part: &str) -> Result<(), Bad> {
    const KNOWN: &[&str] = &["middleName", "honorificPrefix", "honorificSuffix", "display"];
    if KNOWN.iter().any(|known| known.eq_ignore_ascii_case(part)) {
        return Ok(());
    }
    let why = format!("{} has no part {part:?}", attribute.name);
    Err(Bad::new(BadKind::InvalidPath, why))
}

fn values(attribute: &Attribute, value: &Value) -> Result<Vec<Value>, Bad> {
    Ok(match read::value(attribute, value)? {
        Some(Value::Array(all)) => all,
        Some(_) | None => Vec::new(),
    })
}

fn key(item: &Value) -> Option<&str> {
    item.get("value")?.as_str()
}

/// Whether two values are the same one: a type that is not said may be any.
fn is_same(one: &Value, other: &Value) -> bool {
    let types = (one.get("type"), other.get("type"));
    let alike = !matches!(types, (Some(a), Some(b)) if a != b);
    key(one) == key(other) && alike
}

fn put_in(items: &mut Vec<Value>, new: Vec<Value>) {
    let first = items.len();
    if new.len() > MANY {
        let mut known: BTreeSet<String> = items.iter().filter_map(key).map(str::to_owned).collect();
        items.extend(new.into_iter().filter(|v| known.insert(key(v).unwrap_or_default().into())));
    } else {
        for value in new {
            if !items.iter().any(|item| is_same(item, &value)) {
                items.push(value);
            }
        }
    }
    keep_one_primary(items, first);
}

fn take_out(items: &mut Vec<Value>, gone: &[Value]) {
    let gone: BTreeSet<&str> = gone.iter().filter_map(key).collect();
    items.retain(|item| key(item).is_none_or(|key| !gone.contains(key)));
}

fn remove_from(items: &mut Vec<Value>, (attribute, path): (&Attribute, &Path)) {
    let Some(part) = &path.part else {
        items.retain(|item| !path.picks(item));
        return;
    };
    let Some(part) = attribute.part(part) else { return };
    for item in items.iter_mut().filter(|item| path.picks(item)) {
        if let Value::Object(map) = item {
            map.remove(part.name);
        }
    }
}

/// Writes into the values that are meant. Where there is none it is made of what the path says of it,
/// as Entra has it.
fn write_at(
    items: &mut Vec<Value>,
    (attribute, path): (&Attribute, &Path),
    value: &Value,
) -> Result<(), Bad> {
    let new = match &path.part {
        None => {
            let all = values(attribute, value)?;
            all.into_iter().next().and_then(|v| v.as_object().cloned()).unwrap_or_default()
        }
        Some(name) => {
            let Some(part) = attribute.part(name) else { return unknown_part(attribute, name) };
            let read = read::value(part, value)?;
            read.map(|value| (part.name.to_owned(), value)).into_iter().collect()
        }
    };
    let mut written = None;
    for (at, item) in items.iter_mut().enumerate().filter(|(_, item)| path.picks(item)) {
        if let Value::Object(map) = item {
            map.extend(new.clone());
            written = Some(at);
        }
    }
    if written.is_none() {
        let mut made = Map::new();
        for term in &path.narrow {
            if let Some(part) = attribute.part(&term.path.attribute)
                && let Some(value) = read::value(part, &term.value)?
            {
                made.insert(part.name.to_owned(), value);
            }
        }
        made.extend(new);
        items.push(Value::Object(made));
        written = Some(items.len() - 1);
    }
    keep_one_primary(items, written.unwrap_or_default());
    Ok(())
}

/// When one of the values from `first` on is primary, the others are not.
fn keep_one_primary(items: &mut [Value], first: usize) {
    let is_primary = |item: &Value| item.get("primary") == Some(&Value::Bool(true));
    let chosen = items.iter().skip(first).position(is_primary).map(|at| at + first);
    let Some(chosen) = chosen else { return };
    for (at, item) in items.iter_mut().enumerate().filter(|(at, _)| *at != chosen) {
        debug_assert_ne!(at, chosen);
        if let Some(primary) = item.get_mut("primary") {
            *primary = Value::Bool(false);
        }
    }
}

#[cfg(test)]
#[path = "patch_tests.rs"]
mod tests;
