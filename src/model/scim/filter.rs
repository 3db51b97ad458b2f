//! Filters of lists and paths of changes: `eq` joined by `and`, which is all that providers ask with.

use serde_json::Value;

use super::schema::{GROUP_URN, Schema, USER_URN};
use super::{Bad, BadKind, Map};

/// Characters of a filter or a path at most.
const MAX_TEXT: usize = 2048;
/// Comparisons in one at most.
const MAX_TERMS: usize = 10;

/// Comparisons that all have to hold.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Filter(pub Vec<Term>);

/// An attribute has a value.
#[derive(Clone, Debug, PartialEq)]
pub struct Term {
    /// Which attribute.
    pub path: Path,
    /// The value.
    pub value: Value,
}

/// A place in a resource: `userName`, `name.givenName`, `emails[type eq "work"].value`.
#[derive(Clone, Debug, PartialEq)]
pub struct Path {
    /// The attribute as it was written, without the URN of its schema.
    pub attribute: String,
    /// Which of several values.
    pub narrow: Vec<Term>,
    /// The part of the value.
    pub part: Option<String>,
    /// It belongs to a schema that is not served.
    pub is_foreign: bool,
}

impl Filter {
    /// Reads a filter; nothing narrows nothing.
    ///
    /// # Errors
    /// When it cannot be read, or uses more than `eq` and `and`.
    pub fn parse(text: &str) -> Result<Self, Bad> {
        if text.trim().is_empty() {
            return Ok(Self::default());
        }
        let mut cursor = Cursor::new(text)?;
        let terms = cursor.terms(true)?;
        cursor.end()?;
        Ok(Self(terms))
    }

    /// The text that an attribute, or the part of one, has to have.
    #[must_use]
    pub fn text(&self, attribute: &str, part: Option<&str>) -> Option<&str> {
        let is_it = |path: &Path| {
            let same = |part: &str| path.part.as_deref().unwrap_or("value") == part;
            path.attribute.eq_ignore_ascii_case(attribute) && part.is_none_or(same)
        };
        self.0.iter().find(|term| is_it(&term.path)).and_then(|term| term.value.as_str())
    }

    /// Whether a resource is one that is looked for.
    #[must_use]
    pub fn fits(&self, schema: &Schema, resource: &Map) -> bool {
        self.0.iter().all(|term| term.fits(schema, resource))
    }
}

impl Term {
    fn fits(&self, schema: &Schema, resource: &Map) -> bool {
        let Some(attribute) = schema.find(&self.path.attribute) else { return false };
        let part = self.path.part.as_deref();
        let found = resource.get(attribute.name);
        let is_it = |value: &Value| match value {
            Value::Object(map) => {
                let part = attribute.part(part.unwrap_or("value"));
                let exact = part.is_some_and(|part| part.is_exact);
                let held = part.and_then(|part| map.get(part.name));
                same(held.unwrap_or(&Value::Null), &self.value, exact) && self.path.picks(value)
            }
            Value::Null
            | Value::Bool(_)
            | Value::Number(_)
            | Value::String(_)
            | Value::Array(_) => same(value, &self.value, attribute.is_exact),
        };
        match found {
            Some(Value::Array(all)) => all.iter().any(is_it),
            Some(value) => is_it(value),
            None => self.value.is_null(),
        }
    }
}

impl Path {
    /// Reads a path.
    ///
    /// # Errors
    /// When it is none.
    pub fn parse(text: &str) -> Result<Self, Bad> {
        let wrong = |bad: Bad| Bad::new(BadKind::InvalidPath, bad.why);
        let mut cursor = Cursor::new(text).map_err(wrong)?;
        let path = cursor.path(true).map_err(wrong)?;
        cursor.end().map_err(wrong)?;
        Ok(path)
    }

    /// Whether one of several values is meant.
    #[must_use]
    pub fn picks(&self, value: &Value) -> bool {
        let part = |term: &Term| {
            let found = value.as_object()?.iter();
            let mut found = found.filter(|(k, _)| k.eq_ignore_ascii_case(&term.path.attribute));
            found.next().map(|(_, held)| same(held, &term.value, false))
        };
        self.narrow.iter().all(|term| part(term).unwrap_or(term.value.is_null()))
    }
}

/// Whether a value is the one that was asked for; truths may be asked for in words.
fn same(held: &Value, asked: &Value, is_exact: bool) -> bool {
    match (held, asked) {
        (Value::String(held), Value::String(asked)) if is_exact => held == asked,
        (Value::String(held), Value::String(asked)) => held.eq_ignore_ascii_case(asked),
        (Value::Bool(held), Value::String(asked)) => held.to_string().eq_ignore_ascii_case(asked),
        (held, asked) => held == asked,
    }
}

struct Cursor<'a> {
    rest: &'a str,
}

impl<'a> Cursor<'a> {
    fn new(text: &'a str) -> Result<Self, Bad> {
        if text.len() > MAX_TEXT {
            return Err(bad(format!("a filter may have at most {MAX_TEXT} bytes")));
        }
        Ok(Self { rest: text.trim() })
    }

    fn end(&self) -> Result<(), Bad> {
        match self.rest.trim() {
            "" => Ok(()),
            rest => Err(bad(format!("{rest:?} is left over: use eq, joined by and"))),
        }
    }

    fn terms(&mut self, may_narrow: bool) -> Result<Vec<Term>, Bad> {
        let mut all = Vec::new();
        loop {
            all.push(self.term(may_narrow)?);
            let before = self.rest;
            if !self.word().eq_ignore_ascii_case("and") {
                self.rest = before;
                return Ok(all);
            }
            if all.len() >= MAX_TERMS {
                return Err(bad(format!("a filter may have at most {MAX_TERMS} comparisons")));
            }
        }
    }

    fn term(&mut self, may_narrow: bool) -> Result<Term, Bad> {
        let path = self.path(may_narrow)?;
        let operator = self.word();
        if !operator.eq_ignore_ascii_case("eq") {
            return Err(bad(format!("{operator:?} is not offered: use eq, joined by and")));
        }
        Ok(Term { path, value: self.literal()? })
    }

    fn path(&mut self, may_narrow: bool) -> Result<Path, Bad> {
        let name = self.word();
        let (name, is_foreign) = without_urn(name);
        let (attribute, mut part) = match name.split_once('.') {
            Some((attribute, part)) if !is_foreign => (attribute, Some(part.to_owned())),
            Some(_) | None => (name, None),
        };
        if attribute.is_empty() {
            return Err(bad("an attribute is missing".to_owned()));
        }
        let mut narrow = Vec::new();
        if may_narrow && let Some(inside) = self.rest.strip_prefix('[') {
            self.rest = inside;
            narrow = self.terms(false)?;
            let after = self.rest.trim_start().strip_prefix(']');
            self.rest = after.ok_or_else(|| bad("a ] is missing".to_owned()))?;
            if let Some(after) = self.rest.strip_prefix('.') {
                self.rest = after;
                part = Some(self.word().to_owned());
            }
        }
        Ok(Path { attribute: attribute.to_owned(), narrow, part, is_foreign })
    }

    /// The letters of a name or an operator.
    fn word(&mut self) -> &'a str {
        let text = self.rest.trim_start();
        let fits = |c: char| c.is_ascii_alphanumeric() || matches!(c, '$' | '_' | '-' | '.' | ':');
        let (word, rest) = text.split_at(text.find(|c| !fits(c)).unwrap_or(text.len()));
        self.rest = rest;
        word
    }

    fn literal(&mut self) -> Result<Value, Bad> {
        let text = self.rest.trim_start();
        let end = match text.strip_prefix('"') {
            Some(inside) => closing(inside).map(|at| at + 2),
            None => Some(text.find([' ', ']', ')']).unwrap_or(text.len())),
        };
        let (literal, rest) =
            end.and_then(|at| text.split_at_checked(at)).ok_or_else(|| bad(unclosed(text)))?;
        self.rest = rest;
        // Entra writes `True`.
        let plain = if literal.starts_with('"') { literal.into() } else { literal.to_lowercase() };
        let value: Value = serde_json::from_str(&plain).map_err(|_| bad(unclosed(literal)))?;
        if value.is_array() || value.is_object() {
            return Err(bad(unclosed(literal)));
        }
        Ok(value)
    }
}

/// Where the quotation mark is that ends a text.
fn closing(inside: &str) -> Option<usize> {
    let mut is_escaped = false;
    for (at, c) in inside.char_indices() {
        match c {
            '"' if !is_escaped => return Some(at),
            _ => is_escaped = c == '\\' && !is_escaped,
        }
    }
    None
}

fn unclosed(text: &str) -> String {
    format!("{text:?} is no value: write a text in quotation marks, true or false")
}

/// A name without the URN of a schema that is served, and whether it belongs to another.
fn without_urn(name: &str) -> (&str, bool) {
    for urn in [USER_URN, GROUP_URN] {
        if let Some((head, tail)) = name.split_at_checked(urn.len())
            && head.eq_ignore_ascii_case(urn)
        {
            return match tail.strip_prefix(':') {
                Some(name) => (name, false),
                None => (name, true),
            };
        }
    }
    (name, name.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("urn:")))
}

fn bad(why: String) -> Bad {
    Bad::new(BadKind::InvalidFilter, why)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::schema::USER;
    use super::*;

    fn fits(filter: &str) -> bool {
        let ada = json!({
            "userName": "Ada@example.org", "externalId": "A1", "active": true,
            "name": { "familyName": "Lovelace" },
            "emails": [{ "value": "ada@home.test", "type": "home" },
                       { "value": "ada@example.org", "type": "work" }],
        });
        Filter::parse(filter).unwrap().fits(&USER, ada.as_object().unwrap())
    }

    #[test]
    fn what_providers_ask_with_is_understood() {
        for yes in [
            "",
            "userName eq \"ada@EXAMPLE.org\"",
            "USERNAME Eq \"ada@example.org\" AND externalId eq \"A1\"",
            "urn:ietf:params:scim:schemas:core:2.0:User:userName eq \"ada@example.org\"",
            "emails[type eq \"work\"].value eq \"ada@example.org\"",
            "emails.value eq \"ada@home.test\"",
            "emails eq \"ada@home.test\"",
            "name.familyName eq \"lovelace\" and active eq True",
            "active eq \"True\"",
            "displayName eq null",
        ] {
            assert!(fits(yes), "{yes}");
        }
        for no in [
            "userName eq \"ben\"",
            "externalId eq \"a1\"",
            "emails[type eq \"home\"].value eq \"ada@example.org\"",
            "active eq false",
            "department eq \"x\"",
        ] {
            assert!(!fits(no), "{no}");
        }
    }

    #[test]
    fn what_is_not_offered_is_refused() {
        let long = format!("userName eq \"{}\"", "x".repeat(3000));
        for wrong in [
            "userName co \"a\"",
            "userName eq \"a\" or userName eq \"b\"",
            "userName",
            "userName eq",
            "userName eq \"a",
            "userName eq \"a\\\"",
            "userName eq {}",
            "emails[type eq \"work\"",
            "emails[type[a eq 1] eq 2]",
            "(userName eq \"a\")",
            "eq eq eq eq",
            &long,
            &"a eq 1 and ".repeat(30),
        ] {
            assert!(Filter::parse(wrong).is_err(), "{wrong}");
        }
        let quoted = Filter::parse(r#"userName eq "a\"] and b""#).unwrap();
        assert_eq!(quoted.text("username", None), Some("a\"] and b"));
    }

    #[test]
    fn paths_lose_the_urn_of_their_schema() {
        let path = Path::parse(&format!("{USER_URN}:name.givenName")).unwrap();
        assert_eq!((path.attribute.as_str(), path.part.as_deref()), ("name", Some("givenName")));
        let other = "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department";
        assert!(Path::parse(other).unwrap().is_foreign);
        let members = Path::parse("members[value eq \"2819c223\"]").unwrap();
        assert!(members.picks(&json!({ "value": "2819c223" })));
        assert!(!members.picks(&json!({ "value": "other" })));
        assert!(Path::parse("").is_err() && Path::parse("a b").is_err());
    }
}
