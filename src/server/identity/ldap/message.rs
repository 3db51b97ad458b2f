//! The messages of LDAP that are sent and read here (RFC 4511, section 4).

use super::ber::{self, BadBer, ENUMERATED, INTEGER, OCTETS, Reader, SEQUENCE, SET};

/// The extended operation that begins TLS (RFC 4511, section 4.14).
pub const START_TLS: &str = "1.3.6.1.4.1.1466.20037";

const BIND: u8 = 0x60;
const UNBIND: u8 = 0x42;
const SEARCH: u8 = 0x63;
const EXTENDED: u8 = 0x77;
const BOUND: u8 = 0x61;
const ENTRY: u8 = 0x64;
const DONE: u8 = 0x65;
const REFERENCE: u8 = 0x73;
const EXTENDED_DONE: u8 = 0x78;

/// Attributes of one entry that are read; we ask for less than ten.
const MAX_ATTRIBUTES: usize = 64;
/// Values of one attribute that are read. Who is in more groups is in fewer here.
const MAX_VALUES: usize = 2000;
/// Longest text of the directory's that goes into a log.
const MAX_SAID: usize = 200;

/// What is asked of a directory.
#[derive(Clone, Debug)]
pub enum Request {
    /// Talk TLS from now on.
    StartTls,
    /// Be someone: a name and their password; both empty for nobody.
    Bind(String, zeroize::Zeroizing<String>),
    /// Find entries.
    Search(Search),
    /// The end.
    Unbind,
}

/// Which entries are looked for, and what of them.
#[derive(Clone, Debug)]
pub struct Search {
    /// Where.
    pub base: String,
    /// The entry itself, or all below it.
    pub scope: Scope,
    /// Which, as BER.
    pub filter: Vec<u8>,
    /// The attributes that are wanted.
    pub attributes: Vec<String>,
    /// No more entries than this.
    pub at_most: u32,
    /// No longer than this, in seconds.
    pub within_s: u32,
}

/// How far a search reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// The base alone.
    Base,
    /// Everything below it, and itself.
    Subtree,
}

/// What a directory answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Response {
    /// One entry that was found.
    Entry(Entry),
    /// Somewhere else that could be asked, and is not.
    Reference,
    /// The end of a search.
    Done(Outcome),
    /// What came of a bind.
    Bound(Outcome),
    /// What came of an extended operation.
    Extended(Outcome),
}

/// How something ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outcome {
    /// The result's code.
    pub code: i32,
    /// What the directory says of it, shortened, for a log.
    pub said: String,
}

/// An entry with what was asked of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Entry {
    /// Where it is.
    pub dn: String,
    attributes: Vec<(String, Vec<Vec<u8>>)>,
}

impl Entry {
    /// The values of an attribute. Its name has no case, and may come with options.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let is = move |found: &str| {
            found.split(';').next().is_some_and(|plain| plain.eq_ignore_ascii_case(name))
        };
        let all = self.attributes.iter().filter(move |(found, _)| is(found));
        all.flat_map(|(_, values)| values.iter().map(Vec::as_slice))
    }

    /// The values of an attribute that are texts.
    pub fn texts<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.values(name).filter_map(|value| std::str::from_utf8(value).ok())
    }
}

impl Request {
    /// As it is sent, with its number.
    #[must_use]
    pub fn to_ber(&self, id: u32) -> Vec<u8> {
        let operation = match self {
            Self::StartTls => ber::all(EXTENDED, &[ber::element(0x80, START_TLS.as_bytes())]),
            Self::Bind(name, password) => {
                let password = ber::element(0x80, password.as_bytes());
                ber::all(BIND, &[ber::number(INTEGER, 3), ber::octets(name), password])
            }
            Self::Search(search) => search.to_ber(),
            Self::Unbind => ber::element(UNBIND, &[]),
        };
        ber::all(SEQUENCE, &[ber::number(INTEGER, id), operation])
    }
}

impl Search {
    fn to_ber(&self) -> Vec<u8> {
        let scope = match self.scope {
            Scope::Base => 0,
            Scope::Subtree => 2,
        };
        let attributes: Vec<Vec<u8>> = self.attributes.iter().map(ber::octets).collect();
        let parts = [
            ber::octets(&self.base),
            ber::number(ENUMERATED, scope),
            // Aliases are never followed: they lead out of the base.
            ber::number(ENUMERATED, 0),
            ber::number(INTEGER, self.at_most),
            ber::number(INTEGER, self.within_s),
            ber::truth(false),
            self.filter.clone(),
            ber::all(SEQUENCE, &attributes),
        ];
        ber::all(SEARCH, &parts)
    }
}

impl Response {
    /// Reads a message: its number, and what it says.
    ///
    /// # Errors
    /// When it is none that a client gets.
    pub fn read(message: &[u8]) -> Result<(i32, Self), BadBer> {
        let mut inside = Reader(message).inside(SEQUENCE)?;
        let id = inside.number(INTEGER)?;
        let (tag, content) = inside.element()?;
        let response = match tag {
            BOUND => Self::Bound(outcome(content)?),
            ENTRY => Self::Entry(entry(content)?),
            DONE => Self::Done(outcome(content)?),
            REFERENCE => Self::Reference,
            EXTENDED_DONE => Self::Extended(outcome(content)?),
            found => return Err(BadBer::Other { found, wanted: DONE }),
        };
        Ok((id, response))
    }
}

fn outcome(content: &[u8]) -> Result<Outcome, BadBer> {
    let mut inside = Reader(content);
    let code = inside.number(ENUMERATED)?;
    inside.expect(OCTETS)?;
    let said = String::from_utf8_lossy(inside.expect(OCTETS)?);
    Ok(Outcome { code, said: said.trim().chars().take(MAX_SAID).collect() })
}

fn entry(content: &[u8]) -> Result<Entry, BadBer> {
    let mut inside = Reader(content);
    let dn = inside.text()?.to_owned();
    let mut list = inside.inside(SEQUENCE)?;
    let mut attributes = vec![];
    while !list.is_empty() && attributes.len() < MAX_ATTRIBUTES {
        let mut one = list.inside(SEQUENCE)?;
        let name = one.text()?.to_owned();
        let mut set = one.inside(SET)?;
        let mut values = vec![];
        while !set.is_empty() && values.len() < MAX_VALUES {
            values.push(set.expect(OCTETS)?.to_vec());
        }
        attributes.push((name, values));
    }
    Ok(Entry { dn, attributes })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bind_is_as_the_standard_has_it() {
        let password = zeroize::Zeroizing::new("pw".to_owned());
        let sent = Request::Bind("cn=a".to_owned(), password).to_ber(1);
        let wanted = [
            0x30, 0x12, 2, 1, 1, 0x60, 0x0d, 2, 1, 3, 4, 4, b'c', b'n', b'=', b'a', 0x80, 2, b'p',
            b'w',
        ];
        assert_eq!(sent, wanted);
        assert_eq!(Request::Unbind.to_ber(7), [0x30, 5, 2, 1, 7, 0x42, 0]);
    }

    #[test]
    fn an_entry_is_read_with_its_attributes() {
        let attribute = |name: &str, values: &[&str]| {
            let values: Vec<Vec<u8>> = values.iter().map(ber::octets).collect();
            ber::all(SEQUENCE, &[ber::octets(name), ber::all(SET, &values)])
        };
        let list = [attribute("UID", &["ada"]), attribute("memberOf;x", &["cn=a", "cn=b"])];
        let entry = [ber::octets("uid=ada,dc=x"), ber::all(SEQUENCE, &list)];
        let message = [ber::number(INTEGER, 2), ber::all(ENTRY, &entry)];
        let (id, response) = Response::read(&ber::all(SEQUENCE, &message)).unwrap();
        let Response::Entry(entry) = response else { panic!("{response:?}") };
        assert_eq!((id, entry.dn.as_str()), (2, "uid=ada,dc=x"));
        assert_eq!(entry.texts("uid").collect::<Vec<_>>(), ["ada"]);
        assert_eq!(entry.texts("memberof").count(), 2);
        assert_eq!(entry.values("member").count(), 0);
    }

    #[test]
    fn what_a_server_may_not_say_is_refused() {
        for bad in [
            &b""[..],
            b"\x30\x00",
            b"\x30\x05\x02\x01\x01\x60\x00",
            b"\x30\x05\x02\x01\x01\x65\x00",
            b"\x30\x84\xff\xff\xff\xff\x02\x01\x01",
            b"HTTP/1.1 400 Bad Request",
        ] {
            assert!(Response::read(bad).is_err(), "{bad:?}");
        }
    }
}
