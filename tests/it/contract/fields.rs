//! The fields that clients read, in the words of `calls.txt`: parsed, and held against an answer.

use std::collections::BTreeMap;
use std::str::FromStr;

use serde_json::Value;

/// What a value must be.
#[derive(Clone, Debug, PartialEq)]
pub enum Shape {
    /// A UUID.
    Id,
    /// RFC 3339, in UTC.
    Time,
    Text,
    /// A number, whole or not.
    Number,
    Whole,
    Truth,
    Any,
    List(Box<Shape>),
    /// Any names, with values of one shape.
    Map(Box<Shape>),
    Object(Vec<(String, Shape)>),
    /// Absent, null, or this.
    Maybe(Box<Shape>),
    /// One that was named before.
    Named(String),
}

/// Shapes by their names.
pub type Named = BTreeMap<String, Shape>;

impl FromStr for Shape {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = Words { rest: text };
        let shape = words.shape()?;
        match words.next() {
            "" => Ok(shape),
            more => Err(format!("{more:?} is too much in {text}")),
        }
    }
}

impl Shape {
    /// What of a value does not fit.
    pub fn wrong_in(&self, value: &Value, named: &Named) -> Vec<String> {
        let mut wrong = Vec::new();
        self.check(Some(value), named, "$", &mut wrong);
        wrong
    }

    fn check(&self, value: Option<&Value>, named: &Named, at: &str, wrong: &mut Vec<String>) {
        let Some(value) = value else {
            if !matches!(self, Self::Maybe(_)) {
                wrong.push(format!("{at} is absent"));
            }
            return;
        };
        let text = |fits: &dyn Fn(&str) -> bool| value.as_str().is_some_and(fits);
        let fits = match self {
            Self::Id => text(&|t| t.len() == 36 && t.parse::<uuid::Uuid>().is_ok()),
            Self::Time => text(&|t| t.ends_with('Z') && t.parse::<jiff::Timestamp>().is_ok()),
            Self::Text => value.is_string(),
            Self::Number => value.is_number(),
            Self::Whole => value.is_i64(),
            Self::Truth => value.is_boolean(),
            Self::Any => true,
            Self::List(of) => {
                for (n, entry) in value.as_array().into_iter().flatten().enumerate() {
                    of.check(Some(entry), named, &format!("{at}[{n}]"), wrong);
                }
                value.is_array()
            }
            Self::Map(of) => {
                for (name, entry) in value.as_object().into_iter().flatten() {
                    of.check(Some(entry), named, &format!("{at}.{name}"), wrong);
                }
                value.is_object()
            }
            Self::Object(fields) => {
                for (name, of) in fields.iter().filter(|_| value.is_object()) {
                    of.check(value.get(name), named, &format!("{at}.{name}"), wrong);
                }
                value.is_object()
            }
            Self::Maybe(_) if value.is_null() => true,
            Self::Maybe(of) => return of.check(Some(value), named, at, wrong),
            Self::Named(name) => match named.get(name) {
                Some(of) => return of.check(Some(value), named, at, wrong),
                None => panic!("no shape is named {name}"),
            },
        };
        if !fits {
            wrong.push(format!("{at} is {value}, not {self:?}"));
        }
    }
}

struct Words<'t> {
    rest: &'t str,
}

impl<'t> Words<'t> {
    /// A name, a sign, or nothing at the end.
    fn next(&mut self) -> &'t str {
        self.rest = self.rest.trim_start();
        let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = self.rest.find(|c| !is_name(c)).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(name.max(1).min(self.rest.len()));
        self.rest = rest;
        word
    }

    fn peek(&self, sign: char) -> bool {
        self.rest.trim_start().starts_with(sign)
    }

    fn sign(&mut self, sign: &str) -> Result<(), String> {
        match self.next() {
            found if found == sign => Ok(()),
            found => Err(format!("{sign:?} is wanted, not {found:?}, before {:?}", self.rest)),
        }
    }

    fn shape(&mut self) -> Result<Shape, String> {
        let shape = match self.next() {
            "{" => {
                let mut fields = Vec::new();
                while !self.peek('}') {
                    let name = self.next().to_owned();
                    self.sign(":")?;
                    fields.push((name, self.shape()?));
                }
                self.sign("}")?;
                Shape::Object(fields)
            }
            "[" => {
                let of = self.shape()?;
                self.sign("]")?;
                Shape::List(Box::new(of))
            }
            "<" => {
                let of = self.shape()?;
                self.sign(">")?;
                Shape::Map(Box::new(of))
            }
            "id" => Shape::Id,
            "time" => Shape::Time,
            "text" => Shape::Text,
            "number" => Shape::Number,
            "whole" => Shape::Whole,
            "truth" => Shape::Truth,
            "any" => Shape::Any,
            name if name.starts_with(|c: char| c.is_ascii_uppercase()) => {
                Shape::Named(name.to_owned())
            }
            other => return Err(format!("{other:?} is no type, before {:?}", self.rest)),
        };
        if self.rest.starts_with('?') {
            self.next();
            return Ok(Shape::Maybe(Box::new(shape)));
        }
        Ok(shape)
    }
}

#[test]
fn what_does_not_fit_is_named() {
    let shape: Shape =
        "{id:id tags:<text> agents:[{name:text at:time?}]? n:whole}".parse().unwrap();
    let wrong = |value: Value| shape.wrong_in(&value, &Named::new()).join("; ");
    let id = uuid::Uuid::nil();
    assert_eq!(wrong(serde_json::json!({ "id": id, "tags": {}, "n": 1 })), "");
    let said =
        wrong(serde_json::json!({ "id": "7", "tags": { "a": 1 }, "agents": [{}], "n": null }));
    for word in ["$.id is", "$.tags.a is", "$.agents[0].name is absent", "$.n is null"] {
        assert!(said.contains(word), "{word}: {said}");
    }
    assert!("{id:uuid}".parse::<Shape>().is_err() && "{id:id".parse::<Shape>().is_err());
}
