//! Filters (RFC 4515) with places for what someone typed: it is put in after the filter was read, and
//! so is only ever a value.

use super::ber::{self, SEQUENCE};

/// The longest filter.
const MAX_FILTER: usize = 4096;
/// How deep filters may be within filters.
const MAX_DEPTH: usize = 16;

/// A filter as it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Filter(Node);

/// What is put into a filter.
#[derive(Clone, Copy, Debug, Default)]
pub struct Values<'a> {
    /// For `{username}`.
    pub username: &'a str,
    /// For `{dn}`.
    pub dn: &'a str,
}

/// Why a text is no filter.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFilter {
    /// More than is read.
    #[error("it is longer than {MAX_FILTER} bytes, or too deep")]
    TooMuch,
    /// Something else stands there.
    #[error(
        "at byte {0}: write (attribute=value), with \\28 \\29 \\2a \\5c for ( ) * \\ in values"
    )]
    At(usize),
    /// A place for something that there is not.
    #[error("{{{0}}} is put in by nobody; there are {{username}} and {{dn}}")]
    Place(String),
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Node {
    And(Vec<Node>),
    Or(Vec<Node>),
    Not(Box<Node>),
    /// With the tag of the comparison.
    Compare(u8, String, Value),
    Present(String),
    /// Pieces between stars; those at the ends may be empty.
    Like(String, Vec<Value>),
    Extended {
        attribute: String,
        with_dn: bool,
        rule: String,
        value: Value,
    },
}

type Value = Vec<Piece>;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Byte(u8),
    Username,
    Dn,
}

const AND: u8 = 0xa0;
const OR: u8 = 0xa1;
const NOT: u8 = 0xa2;
const EQUAL: u8 = 0xa3;
const LIKE: u8 = 0xa4;
const AT_LEAST: u8 = 0xa5;
const AT_MOST: u8 = 0xa6;
const PRESENT: u8 = 0x87;
const ABOUT: u8 = 0xa8;
const EXTENDED: u8 = 0xa9;

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// Says what is wrong, and where.
    pub fn parse(text: &str) -> Result<Self, BadFilter> {
        let text = text.trim();
        if text.len() > MAX_FILTER {
            return Err(BadFilter::TooMuch);
        }
        let mut parser = Parser { text: text.as_bytes(), at: 0 };
        let node = parser.filter(0)?;
        if parser.at < text.len() {
            return Err(BadFilter::At(parser.at));
        }
        Ok(Self(node))
    }

    /// The filter for an entry's own existence.
    #[must_use]
    pub fn any() -> Self {
        Self(Node::Present("objectClass".to_owned()))
    }

    /// Whether something is put in for `{username}`.
    #[must_use]
    pub fn asks_for_username(&self) -> bool {
        self.0.values().iter().any(|value| value.contains(&Piece::Username))
    }

    /// As it is sent, with the values in their places.
    #[must_use]
    pub fn to_ber(&self, values: Values<'_>) -> Vec<u8> {
        self.0.to_ber(values)
    }
}

impl Node {
    fn values(&self) -> Vec<&Value> {
        match self {
            Self::And(all) | Self::Or(all) => all.iter().flat_map(Self::values).collect(),
            Self::Not(one) => one.values(),
            Self::Present(_) => vec![],
            Self::Like(_, pieces) => pieces.iter().collect(),
            Self::Compare(_, _, value) | Self::Extended { value, .. } => vec![value],
        }
    }

    fn to_ber(&self, values: Values<'_>) -> Vec<u8> {
        let list = |all: &[Self]| all.iter().map(|node| node.to_ber(values)).collect::<Vec<_>>();
        match self {
            Self::And(all) => ber::all(AND, &list(all)),
            Self::Or(all) => ber::all(OR, &list(all)),
            Self::Not(one) => ber::all(NOT, &[one.to_ber(values)]),
            Self::Present(attribute) => ber::element(PRESENT, attribute.as_bytes()),
            Self::Compare(tag, attribute, value) => {
                ber::all(*tag, &[ber::octets(attribute), ber::octets(filled(value, values))])
            }
            Self::Like(attribute, pieces) => {
                let last = pieces.len().saturating_sub(1);
                let mut parts = vec![];
                for (at, piece) in pieces.iter().enumerate().filter(|(_, p)| !p.is_empty()) {
                    let tag = match at {
                        0 => 0x80,
                        at if at == last => 0x82,
                        _ => 0x81,
                    };
                    parts.push(ber::element(tag, &filled(piece, values)));
                }
                ber::all(LIKE, &[ber::octets(attribute), ber::all(SEQUENCE, &parts)])
            }
            Self::Extended { attribute, with_dn, rule, value } => {
                let mut parts = vec![];
                for (tag, text) in [(0x81, rule), (0x82, attribute)] {
                    if !text.is_empty() {
                        parts.push(ber::element(tag, text.as_bytes()));
                    }
                }
                parts.push(ber::element(0x83, &filled(value, values)));
                if *with_dn {
                    parts.push(ber::element(0x84, &[0xff]));
                }
                ber::all(EXTENDED, &parts)
            }
        }
    }
}

fn filled(value: &Value, values: Values<'_>) -> Vec<u8> {
    let mut out = vec![];
    for piece in value {
        match piece {
            Piece::Byte(byte) => out.push(*byte),
            Piece::Username => out.extend_from_slice(values.username.as_bytes()),
            Piece::Dn => out.extend_from_slice(values.dn.as_bytes()),
        }
    }
    out
}

struct Parser<'a> {
    text: &'a [u8],
    at: usize,
}

impl Parser<'_> {
    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn wrong<T>(&self) -> Result<T, BadFilter> {
        Err(BadFilter::At(self.at))
    }

    fn eat(&mut self, byte: u8) -> Result<(), BadFilter> {
        if self.peek() != Some(byte) {
            return self.wrong();
        }
        self.at += 1;
        Ok(())
    }

    fn filter(&mut self, depth: usize) -> Result<Node, BadFilter> {
        if depth > MAX_DEPTH {
            return Err(BadFilter::TooMuch);
        }
        self.eat(b'(')?;
        let node = match self.peek() {
            Some(b'&') => Node::And(self.list(depth)?),
            Some(b'|') => Node::Or(self.list(depth)?),
            Some(b'!') => {
                self.at += 1;
                Node::Not(Box::new(self.filter(depth + 1)?))
            }
            Some(_) | None => self.item()?,
        };
        self.eat(b')')?;
        Ok(node)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Node>, BadFilter> {
        self.at += 1;
        let mut all = vec![];
        while self.peek() == Some(b'(') {
            all.push(self.filter(depth + 1)?);
        }
        if all.is_empty() { self.wrong() } else { Ok(all) }
    }

    fn item(&mut self) -> Result<Node, BadFilter> {
        let attribute = self.word();
        match self.peek() {
            Some(b':') => return self.extended(attribute),
            _ if attribute.is_empty() => return self.wrong(),
            Some(_) | None => {}
        }
        let tag = match self.peek() {
            Some(b'~') => ABOUT,
            Some(b'>') => AT_LEAST,
            Some(b'<') => AT_MOST,
            Some(_) | None => EQUAL,
        };
        if tag != EQUAL {
            self.at += 1;
        }
        self.eat(b'=')?;
        let mut pieces = vec![self.value()?];
        while tag == EQUAL && self.peek() == Some(b'*') {
            self.at += 1;
            pieces.push(self.value()?);
        }
        if pieces.len() == 2 && pieces.iter().all(Vec::is_empty) {
            return Ok(Node::Present(attribute));
        }
        if pieces.len() > 2 && pieces.iter().all(Vec::is_empty) {
            return self.wrong();
        }
        match pieces.pop() {
            Some(value) if pieces.is_empty() => Ok(Node::Compare(tag, attribute, value)),
            last => Ok(Node::Like(attribute, pieces.into_iter().chain(last).collect())),
        }
    }

    /// `attribute:dn:rule:=value`, of which attribute, `dn` and rule may be left out.
    fn extended(&mut self, attribute: String) -> Result<Node, BadFilter> {
        let (mut with_dn, mut rule) = (false, String::new());
        loop {
            self.eat(b':')?;
            if self.peek() == Some(b'=') {
                break;
            }
            let word = self.word();
            if word == "dn" {
                with_dn = true;
            } else if word.is_empty() || !rule.is_empty() {
                return self.wrong();
            } else {
                rule = word;
            }
        }
        self.eat(b'=')?;
        if attribute.is_empty() && rule.is_empty() {
            return self.wrong();
        }
        Ok(Node::Extended { attribute, with_dn, rule, value: self.value()? })
    }

    /// An attribute, or the number of a rule.
    fn word(&mut self) -> String {
        let start = self.at;
        let fits = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b';' | b'_');
        while self.peek().is_some_and(fits) {
            self.at += 1;
        }
        let word = self.text.get(start..self.at).unwrap_or_default();
        String::from_utf8_lossy(word).into_owned()
    }

    fn value(&mut self) -> Result<Value, BadFilter> {
        let mut value = vec![];
        while let Some(byte) = self.peek() {
            match byte {
                b')' | b'*' => break,
                b'(' | 0 => return self.wrong(),
                b'\\' => value.push(Piece::Byte(self.escape()?)),
                b'{' => value.push(self.place()?),
                _ => {
                    value.push(Piece::Byte(byte));
                    self.at += 1;
                }
            }
        }
        Ok(value)
    }

    fn escape(&mut self) -> Result<u8, BadFilter> {
        let digits = self.text.get(self.at + 1..self.at + 3);
        let digits = digits.filter(|d| d.iter().all(u8::is_ascii_hexdigit));
        let digits = digits.and_then(|d| std::str::from_utf8(d).ok());
        let byte = digits.and_then(|d| u8::from_str_radix(d, 16).ok());
        match byte {
            Some(byte) => {
                self.at += 3;
                Ok(byte)
            }
            None => self.wrong(),
        }
    }

    fn place(&mut self) -> Result<Piece, BadFilter> {
        let rest = self.text.get(self.at + 1..).unwrap_or_default();
        let Some(end) = rest.iter().position(|byte| *byte == b'}') else { return self.wrong() };
        let name = String::from_utf8_lossy(rest.get(..end).unwrap_or_default()).into_owned();
        self.at += end + 2;
        match name.as_str() {
            "username" => Ok(Piece::Username),
            "dn" => Ok(Piece::Dn),
            _ => Err(BadFilter::Place(name)),
        }
    }
}

#[cfg(test)]
#[path = "filter_tests.rs"]
mod tests;
