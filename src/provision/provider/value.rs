//! The part of Terraform's type and value model that our providers need, as msgpack and as JSON.
#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "a value that is of no use to a question is every other kind"
)]

use std::collections::BTreeMap;

use rmpv::Value as Packed;
use serde_json::Value as Json;

/// Deepest value that is read, two for each level: types of ours have a few, and each takes stack.
const MAX_DEPTH: usize = 64;

/// A type of Terraform's.
#[derive(Clone, Debug, PartialEq)]
pub enum Type {
    /// `string`.
    Text,
    /// `number`.
    Number,
    /// `bool`.
    Bool,
    /// `list(…)`.
    List(Box<Type>),
    /// `set(…)`.
    Set(Box<Type>),
    /// `map(…)`.
    Map(Box<Type>),
    /// `object({…})`.
    Object(Vec<(String, Type)>),
}

impl Type {
    /// `map(string)`.
    #[must_use]
    pub fn text_map() -> Self {
        Self::Map(Box::new(Self::Text))
    }

    /// How the type is written in a schema.
    #[must_use]
    pub fn json(&self) -> Json {
        let of = |word: &str, inner: &Self| Json::from(vec![Json::from(word), inner.json()]);
        match self {
            Self::Text => "string".into(),
            Self::Number => "number".into(),
            Self::Bool => "bool".into(),
            Self::List(inner) => of("list", inner),
            Self::Set(inner) => of("set", inner),
            Self::Map(inner) => of("map", inner),
            Self::Object(fields) => {
                let fields = fields.iter().map(|(k, t)| (k.clone(), t.json())).collect();
                Json::from(vec!["object".into(), Json::Object(fields)])
            }
        }
    }
}

/// A value of Terraform's.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// `null`.
    Null,
    /// Known only after apply.
    Unknown,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// Another number.
    Float(f64),
    /// A number too large for the others, in digits.
    Big(String),
    /// A text.
    Text(String),
    /// A list or a set.
    List(Vec<Value>),
    /// A map or an object.
    Map(BTreeMap<String, Value>),
}

impl Value {
    /// Whether it is null.
    #[must_use]
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }

    /// The attribute of this name; null when there is none.
    #[must_use]
    pub fn get(&self, name: &str) -> &Self {
        match self {
            Self::Map(map) => map.get(name).unwrap_or(&Self::Null),
            _ => &Self::Null,
        }
    }

    /// Sets an attribute of an object.
    pub fn set(&mut self, name: &str, value: impl Into<Self>) {
        if let Self::Map(map) = self {
            map.insert(name.to_owned(), value.into());
        }
    }

    /// The text; empty when it is none.
    #[must_use]
    pub fn text(&self) -> &str {
        match self {
            Self::Text(text) => text,
            _ => "",
        }
    }

    /// The whole number.
    #[must_use]
    pub fn int(&self) -> Option<i64> {
        match self {
            Self::Int(n) => Some(*n),
            // Large floats have no exact whole number, so the text is the honest way.
            Self::Float(f) if f.fract() == 0.0 => format!("{f:.0}").parse().ok(),
            _ => None,
        }
    }

    /// Whether it is true.
    #[must_use]
    pub fn bool(&self) -> bool {
        *self == Self::Bool(true)
    }

    /// The elements of a list or set; none when it is neither.
    #[must_use]
    pub fn list(&self) -> &[Self] {
        match self {
            Self::List(list) => list,
            _ => &[],
        }
    }

    /// The entries of a map; none when it is none.
    pub fn entries(&self) -> impl Iterator<Item = (&String, &Self)> {
        let map = if let Self::Map(map) = self { Some(map) } else { None };
        map.into_iter().flatten()
    }

    /// Whether it holds nothing unknown.
    #[must_use]
    pub fn is_known(&self) -> bool {
        match self {
            Self::Unknown => false,
            Self::List(list) => list.iter().all(Self::is_known),
            Self::Map(map) => map.values().all(Self::is_known),
            _ => true,
        }
    }

    /// Reads msgpack as Terraform sends it.
    ///
    /// # Errors
    /// Says what is not Terraform's.
    pub fn from_msgpack(mut bytes: &[u8]) -> Result<Self, String> {
        let packed = rmpv::decode::read_value_with_max_depth(&mut bytes, MAX_DEPTH);
        from_packed(packed.map_err(|e| e.to_string())?)
    }

    /// Writes msgpack in the shape of `of`: objects hold all their attributes, null included.
    ///
    /// # Panics
    /// Never: memory can be written.
    #[must_use]
    pub fn to_msgpack(&self, of: &Type) -> Vec<u8> {
        let mut out = Vec::with_capacity(512);
        rmpv::encode::write_value(&mut out, &self.packed(of)).expect("memory can be written");
        out
    }

    fn packed(&self, of: &Type) -> Packed {
        match (self, of) {
            (Self::Unknown, _) => Packed::Ext(0, vec![0]),
            (Self::Bool(b), _) => Packed::Boolean(*b),
            (Self::Int(n), _) => Packed::from(*n),
            (Self::Float(f), _) => Packed::F64(*f),
            (Self::Big(text) | Self::Text(text), _) => Packed::from(text.as_str()),
            (Self::List(list), Type::List(inner) | Type::Set(inner)) => {
                Packed::Array(list.iter().map(|v| v.packed(inner)).collect())
            }
            (Self::Map(map), Type::Map(inner)) => {
                let entry = |(k, v): (&String, &Self)| (k.as_str().into(), v.packed(inner));
                Packed::Map(map.iter().map(entry).collect())
            }
            (Self::Map(_), Type::Object(fields)) => {
                let field = |(k, t): &(String, Type)| (k.as_str().into(), self.get(k).packed(t));
                Packed::Map(fields.iter().map(field).collect())
            }
            _ => Packed::Nil,
        }
    }

    /// Reads JSON in the shape of `of`: what the type lacks is dropped, what the text lacks is
    /// null, or empty for blocks.
    #[must_use]
    pub fn from_json(json: &Json, of: &Type) -> Self {
        match (json, of) {
            (Json::Bool(b), Type::Text) => Self::Text(b.to_string()),
            (Json::Number(n), Type::Text) => Self::Text(n.to_string()),
            (Json::Bool(b), _) => Self::Bool(*b),
            (Json::Number(n), _) => n.as_i64().map_or_else(
                || n.as_f64().map_or_else(|| Self::Big(n.to_string()), Self::Float),
                Self::Int,
            ),
            (Json::String(s), Type::Number) => {
                s.parse().map_or_else(|_| Self::Big(s.clone()), Self::Int)
            }
            (Json::String(s), Type::Bool) => Self::Bool(s == "true"),
            (Json::String(s), _) => Self::Text(s.clone()),
            (Json::Array(list), Type::List(inner) | Type::Set(inner)) => {
                Self::List(list.iter().map(|v| Self::from_json(v, inner)).collect())
            }
            (Json::Object(map), Type::Map(inner)) => {
                Self::Map(map.iter().map(|(k, v)| (k.clone(), Self::from_json(v, inner))).collect())
            }
            (Json::Object(map), Type::Object(fields)) => {
                let field = |(name, t): &(String, Type)| {
                    let value = map.get(name).map_or_else(|| missing(t), |v| Self::from_json(v, t));
                    (name.clone(), value)
                };
                Self::Map(fields.iter().map(field).collect())
            }
            _ => Self::Null,
        }
    }
}

/// Blocks are never null in Terraform, only empty.
fn missing(of: &Type) -> Value {
    match of {
        Type::List(inner) | Type::Set(inner) if matches!(**inner, Type::Object(_)) => {
            Value::List(vec![])
        }
        _ => Value::Null,
    }
}

fn from_packed(packed: Packed) -> Result<Value, String> {
    Ok(match packed {
        Packed::Nil => Value::Null,
        Packed::Boolean(b) => Value::Bool(b),
        Packed::Integer(n) => n.as_i64().map_or_else(|| Value::Big(n.to_string()), Value::Int),
        Packed::F32(f) => Value::Float(f.into()),
        Packed::F64(f) => Value::Float(f),
        Packed::String(s) => Value::Text(s.into_str().ok_or("a text is not UTF-8")?),
        Packed::Binary(_) => return Err("values of dynamic type are not supported".to_owned()),
        Packed::Array(list) => {
            Value::List(list.into_iter().map(from_packed).collect::<Result<_, _>>()?)
        }
        Packed::Map(map) => {
            let entry = |(k, v): (Packed, Packed)| {
                Ok((k.as_str().ok_or("a key is not a text")?.to_owned(), from_packed(v)?))
            };
            Value::Map(map.into_iter().map(entry).collect::<Result<_, String>>()?)
        }
        // 0 is unknown, 12 is unknown with what is known about it nevertheless.
        Packed::Ext(_, _) => Value::Unknown,
    })
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<String> for Value {
    fn from(text: String) -> Self {
        Self::Text(text)
    }
}

impl From<bool> for Value {
    fn from(b: bool) -> Self {
        Self::Bool(b)
    }
}

impl From<i64> for Value {
    fn from(n: i64) -> Self {
        Self::Int(n)
    }
}

impl From<Vec<Self>> for Value {
    fn from(list: Vec<Self>) -> Self {
        Self::List(list)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shape() -> Type {
        let inner = Type::Object(vec![("n".into(), Type::Number), ("m".into(), Type::text_map())]);
        Type::Object(vec![
            ("t".into(), Type::Text),
            ("b".into(), Type::Bool),
            ("l".into(), Type::List(Box::new(inner))),
        ])
    }

    #[test]
    fn refined_unknowns_are_unknown() {
        assert_eq!(Value::from_msgpack(&[0xc7, 2, 12, 1, 0xc2]), Ok(Value::Unknown));
        assert_eq!(Value::from_msgpack(&[0xd4, 0, 0]), Ok(Value::Unknown));
    }

    #[test]
    fn what_is_endlessly_deep_is_refused() {
        let nested = |n: usize| [vec![0x91; n], vec![0xc0]].concat();
        assert!(Value::from_msgpack(&nested(MAX_DEPTH / 4)).is_ok());
        assert!(Value::from_msgpack(&nested(100_000)).is_err());
    }

    #[test]
    fn states_of_other_versions_are_shaped_to_the_type() {
        let old = serde_json::json!({"t": 5, "gone": true});
        let value = Value::from_json(&old, &shape());
        assert_eq!(value.get("t"), &Value::from("5"));
        assert_eq!(value.get("b"), &Value::Null);
        assert_eq!(value.get("l"), &Value::List(vec![]));
        assert_eq!(value.get("gone"), &Value::Null);
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back(t in ".*", b: bool, n: i64, k in "[a-z]{1,8}", v in ".*") {
            let inner = Value::Map(BTreeMap::from([
                ("n".to_owned(), Value::Int(n)),
                ("m".to_owned(), Value::Map(BTreeMap::from([(k, Value::Text(v))]))),
            ]));
            let value = Value::Map(BTreeMap::from([
                ("t".to_owned(), Value::Text(t)),
                ("b".to_owned(), Value::Bool(b)),
                ("l".to_owned(), Value::List(vec![inner, Value::Unknown, Value::Null])),
            ]));
            prop_assert_eq!(Value::from_msgpack(&value.to_msgpack(&shape())), Ok(value));
        }

        #[test]
        fn any_bytes_are_refused_or_read(bytes: Vec<u8>) {
            let _ = Value::from_msgpack(&bytes);
        }
    }
}
