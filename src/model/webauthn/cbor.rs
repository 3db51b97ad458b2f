//! The part of CBOR that authenticators send (CTAP2 canonical form), read strictly.

/// How deep values lie in each other: a statement holds a list of certificates.
const MAX_DEPTH: u8 = 4;
/// Values in one list or map at most.
const MAX_ITEMS: u64 = 32;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'a> {
    /// A whole number.
    Int(i64),
    /// Bytes.
    Bytes(&'a [u8]),
    /// Text.
    Text(&'a str),
    /// A list.
    List(Vec<Self>),
    /// A map; no key is in it twice.
    Map(Vec<(Self, Self)>),
    /// Yes or no.
    Bool(bool),
    /// Nothing.
    Null,
}

impl<'a> Value<'a> {
    /// The value of a key of a map.
    #[must_use]
    pub fn get(&self, key: &Value<'_>) -> Option<&Self> {
        let Self::Map(pairs) = self else { return None };
        pairs.iter().find(|(k, _)| k == key).map(|(_, value)| value)
    }

    /// The bytes, if it is bytes.
    #[must_use]
    pub fn bytes(&self) -> Option<&'a [u8]> {
        if let Self::Bytes(bytes) = self { Some(bytes) } else { None }
    }

    /// The number, if it is one.
    #[must_use]
    pub fn int(&self) -> Option<i64> {
        if let Self::Int(n) = self { Some(*n) } else { None }
    }
}

/// Reads one value; gives it with what follows. Lengths are finite and written in the shortest form;
/// there are no tags and no fractions.
#[must_use]
pub fn read(bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let mut reader = Reader(bytes);
    let value = reader.value(0)?;
    Some((value, reader.0))
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, n: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(n).ok()?)?;
        self.0 = rest;
        Some(taken)
    }

    /// The kind of the next value, and its number or length.
    fn head(&mut self) -> Option<(u8, u64)> {
        let first = *self.take(1)?.first()?;
        let (kind, short) = (first >> 5, first & 0x1f);
        let (n, least) = match short {
            0..=23 => return Some((kind, u64::from(short))),
            24 => (u64::from(*self.take(1)?.first()?), 24),
            25 => (u64::from(u16::from_be_bytes(self.take(2)?.try_into().ok()?)), 1 << 8),
            26 => (u64::from(u32::from_be_bytes(self.take(4)?.try_into().ok()?)), 1 << 16),
            27 => (u64::from_be_bytes(self.take(8)?.try_into().ok()?), 1 << 32),
            _ => return None,
        };
        (n >= least && kind != 7).then_some((kind, n))
    }

    fn value(&mut self, depth: u8) -> Option<Value<'a>> {
        if depth > MAX_DEPTH {
            return None;
        }
        let (kind, n) = self.head()?;
        match kind {
            0 => Some(Value::Int(i64::try_from(n).ok()?)),
            1 => Some(Value::Int(-1 - i64::try_from(n).ok()?)),
            2 => Some(Value::Bytes(self.take(n)?)),
            3 => Some(Value::Text(std::str::from_utf8(self.take(n)?).ok()?)),
            4 if n <= MAX_ITEMS => {
                (0..n).map(|_| self.value(depth + 1)).collect::<Option<_>>().map(Value::List)
            }
            5 if n <= MAX_ITEMS => self.map(n, depth),
            7 => match n {
                20 | 21 => Some(Value::Bool(n == 21)),
                22 => Some(Value::Null),
                _ => None,
            },
            _ => None,
        }
    }

    fn map(&mut self, n: u64, depth: u8) -> Option<Value<'a>> {
        let mut pairs: Vec<(Value<'a>, Value<'a>)> = Vec::new();
        for _ in 0..n {
            let key = self.value(depth + 1)?;
            if pairs.iter().any(|(known, _)| *known == key) {
                return None;
            }
            pairs.push((key, self.value(depth + 1)?));
        }
        Some(Value::Map(pairs))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn whole(bytes: &[u8]) -> Option<Value<'_>> {
        read(bytes).filter(|(_, rest)| rest.is_empty()).map(|(value, _)| value)
    }

    #[test]
    fn values_are_read_in_their_shortest_form_only() {
        assert_eq!(whole(&[0x00]), Some(Value::Int(0)));
        assert_eq!(whole(&[0x39, 0x01, 0x00]), Some(Value::Int(-257)));
        assert_eq!(whole(&[0x43, 1, 2, 3]), Some(Value::Bytes(&[1, 2, 3])));
        assert_eq!(whole(b"\x64none"), Some(Value::Text("none")));
        assert_eq!(
            whole(&[0x82, 0xf5, 0xf6]),
            Some(Value::List(vec![Value::Bool(true), Value::Null]))
        );
        let map = [0xa2, 0x01, 0x02, 0x20, 0x41, 0x09];
        assert_eq!(whole(&map).unwrap().get(&Value::Int(-1)).unwrap().bytes(), Some(&[9][..]));
        for (why, bytes) in [
            ("a small number in two bytes", &[0x18, 0x17][..]),
            ("a small length in three bytes", &[0x59, 0x00, 0x01, 0x00]),
            ("no length", &[0x5f, 0x41, 0x00, 0xff]),
            ("a tag", &[0xc0, 0x00]),
            ("a fraction", &[0xf9, 0x3c, 0x00]),
            ("the same key twice", &[0xa2, 0x01, 0x00, 0x01, 0x00]),
            ("more announced than there is", &[0x5a, 0xff, 0xff, 0xff, 0xff]),
            ("more items than anyone has", &[0x98, 0xff]),
            ("too deep", &[0x81, 0x81, 0x81, 0x81, 0x81, 0x00]),
            ("text that is none", &[0x61, 0xff]),
            ("nothing", &[]),
        ] {
            assert_eq!(whole(bytes), None, "{why}");
        }
    }

    proptest! {
        #[test]
        fn nothing_makes_it_fail(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            if let Some((_, rest)) = read(&bytes) {
                prop_assert!(rest.len() < bytes.len());
            }
        }
    }
}
