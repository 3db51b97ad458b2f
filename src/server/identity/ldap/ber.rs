//! The part of BER that LDAP uses (RFC 4511, section 5.1): definite lengths, tags of one byte.

/// Why bytes are no BER, or more than is read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadBer {
    /// An element is longer than what holds it.
    #[error("an element is cut off")]
    Cut,
    /// A length without an end, or one of more bytes than any message here.
    #[error("an element has no length that is read")]
    Length,
    /// A tag of several bytes; LDAP has none.
    #[error("an element has a long tag")]
    Tag,
    /// Another element than belongs there.
    #[error("an element {found:#04x} stands where {wanted:#04x} belongs")]
    Other {
        /// What stands there.
        found: u8,
        /// What belongs there.
        wanted: u8,
    },
    /// A number that does not fit.
    #[error("a number is empty or too large")]
    Number,
    /// A text that is not UTF-8.
    #[error("a text is not UTF-8")]
    Text,
}

/// A number.
pub const INTEGER: u8 = 0x02;
/// Bytes or a text.
pub const OCTETS: u8 = 0x04;
/// A choice out of a list.
pub const ENUMERATED: u8 = 0x0a;
/// Elements in order.
pub const SEQUENCE: u8 = 0x30;
/// Elements in any order.
pub const SET: u8 = 0x31;
const BOOLEAN: u8 = 0x01;

/// Bytes of a tag and the longest length that is read.
const MAX_HEAD: usize = 6;

/// Reads elements one after another.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    /// Whether everything is read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The tag of the next element.
    #[must_use]
    pub fn peek(&self) -> Option<u8> {
        self.0.first().copied()
    }

    /// The next element: its tag and what is in it.
    ///
    /// # Errors
    /// When it is not whole.
    pub fn element(&mut self) -> Result<(u8, &'a [u8]), BadBer> {
        let (tag, start, length) = head(self.0)?.ok_or(BadBer::Cut)?;
        let end = start.checked_add(length).ok_or(BadBer::Length)?;
        let content = self.0.get(start..end).ok_or(BadBer::Cut)?;
        self.0 = self.0.get(end..).unwrap_or_default();
        Ok((tag, content))
    }

    /// What is in the next element, which has this tag.
    ///
    /// # Errors
    /// When it is not whole, or another.
    pub fn expect(&mut self, wanted: u8) -> Result<&'a [u8], BadBer> {
        match self.element()? {
            (found, content) if found == wanted => Ok(content),
            (found, _) => Err(BadBer::Other { found, wanted }),
        }
    }

    /// The elements of the next element, which has this tag.
    ///
    /// # Errors
    /// As [`Reader::expect`].
    pub fn inside(&mut self, wanted: u8) -> Result<Self, BadBer> {
        self.expect(wanted).map(Self)
    }

    /// A number with this tag.
    ///
    /// # Errors
    /// As [`Reader::expect`], and when it takes more than 32 bits.
    pub fn number(&mut self, tag: u8) -> Result<i32, BadBer> {
        let bytes = self.expect(tag)?;
        let first = bytes.first().ok_or(BadBer::Number)?;
        let sign = if first & 0x80 == 0 { 0i64 } else { -1 };
        if bytes.len() > 5 {
            return Err(BadBer::Number);
        }
        let value = bytes.iter().fold(sign, |value, byte| (value << 8) | i64::from(*byte));
        i32::try_from(value).map_err(|_| BadBer::Number)
    }

    /// A text.
    ///
    /// # Errors
    /// As [`Reader::expect`], and when it is not UTF-8.
    pub fn text(&mut self) -> Result<&'a str, BadBer> {
        std::str::from_utf8(self.expect(OCTETS)?).map_err(|_| BadBer::Text)
    }
}

/// How long the element is that these bytes begin with, head and all; none while they do not say.
///
/// # Errors
/// When they can be no element's.
pub fn whole(bytes: &[u8]) -> Result<Option<usize>, BadBer> {
    let Some((_, start, length)) = head(bytes)? else { return Ok(None) };
    start.checked_add(length).map(Some).ok_or(BadBer::Length)
}

/// Tag, bytes of the head, and length of what follows; none while the head is not whole. Lengths may
/// have more bytes than they need: some directories always write four.
fn head(bytes: &[u8]) -> Result<Option<(u8, usize, usize)>, BadBer> {
    let Some((&tag, rest)) = bytes.split_first() else { return Ok(None) };
    if tag & 0x1f == 0x1f {
        return Err(BadBer::Tag);
    }
    let Some((&first, rest)) = rest.split_first() else { return Ok(None) };
    if first < 0x80 {
        return Ok(Some((tag, 2, usize::from(first))));
    }
    let n = usize::from(first & 0x7f);
    if n == 0 || n + 2 > MAX_HEAD {
        return Err(BadBer::Length);
    }
    let Some(bytes) = rest.get(..n) else { return Ok(None) };
    let length = bytes.iter().fold(0u64, |length, byte| (length << 8) | u64::from(*byte));
    let length = usize::try_from(length).map_err(|_| BadBer::Length)?;
    Ok(Some((tag, n + 2, length)))
}

/// An element with this tag.
#[must_use]
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let mut out = vec![tag];
    let length = content.len();
    match u8::try_from(length) {
        Ok(short) if short < 0x80 => out.push(short),
        Ok(_) | Err(_) => {
            let bytes = length.to_be_bytes();
            let skipped = bytes.iter().take_while(|byte| **byte == 0).count();
            let kept = bytes.get(skipped..).unwrap_or_default();
            out.push(0x80 | u8::try_from(kept.len()).unwrap_or(8));
            out.extend_from_slice(kept);
        }
    }
    out.extend_from_slice(content);
    out
}

/// An element that holds these.
#[must_use]
pub fn all(tag: u8, parts: &[Vec<u8>]) -> Vec<u8> {
    element(tag, &parts.concat())
}

/// Bytes or a text.
#[must_use]
pub fn octets(bytes: impl AsRef<[u8]>) -> Vec<u8> {
    element(OCTETS, bytes.as_ref())
}

/// A number that is not negative, with this tag.
#[must_use]
pub fn number(tag: u8, value: u32) -> Vec<u8> {
    let bytes = [&[0][..], &value.to_be_bytes()].concat();
    // As short as it can be: the first bit kept says that it is not negative.
    let needless = |pair: &[u8]| matches!(pair, [0, second] if *second < 0x80);
    let skipped = bytes.windows(2).take_while(|pair| needless(pair)).count();
    element(tag, bytes.get(skipped..).unwrap_or_default())
}

/// Yes or no.
#[must_use]
pub fn truth(value: bool) -> Vec<u8> {
    element(BOOLEAN, &[if value { 0xff } else { 0 }])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_come_back_and_are_as_short_as_they_can_be() {
        for value in [0, 1, 127, 128, 255, 256, 32_767, 32_768, 65_536, 0x7fff_ffff] {
            let written = number(INTEGER, value);
            let read = Reader(&written).number(INTEGER).unwrap();
            assert_eq!(u32::try_from(read).unwrap(), value);
        }
        assert_eq!(number(INTEGER, 127), [2, 1, 127]);
        assert_eq!(number(INTEGER, 128), [2, 2, 0, 128]);
        assert_eq!(Reader(&[2, 1, 0xff]).number(INTEGER), Ok(-1));
        assert_eq!(Reader(&[2, 0]).number(INTEGER), Err(BadBer::Number));
        assert_eq!(Reader(&[2, 5, 1, 0, 0, 0, 0]).number(INTEGER), Err(BadBer::Number));
        assert_eq!(Reader(&[2, 6, 0, 0, 0, 0, 0, 1]).number(INTEGER), Err(BadBer::Number));
    }

    #[test]
    fn lengths_are_short_or_long_and_never_open() {
        for n in [0, 1, 127, 128, 255, 256, 70_000] {
            let written = octets(vec![7; n]);
            assert_eq!(whole(&written), Ok(Some(written.len())));
            assert_eq!(Reader(&written).expect(OCTETS).unwrap().len(), n);
        }
        let wasteful = [SEQUENCE, 0x84, 0, 0, 0, 1, 9];
        assert_eq!(Reader(&wasteful).expect(SEQUENCE), Ok(&[9][..]));
        assert_eq!(whole(&[SEQUENCE, 0x80, 0, 0]), Err(BadBer::Length));
        assert_eq!(whole(&[SEQUENCE, 0x85, 0, 0, 0, 0, 1]), Err(BadBer::Length));
        assert_eq!(whole(&[0x1f, 0x81, 1]), Err(BadBer::Tag));
        assert_eq!(whole(&[SEQUENCE, 0x82, 1]), Ok(None));
        assert_eq!(whole(&[]), Ok(None));
    }

    #[test]
    fn what_is_cut_off_or_elsewhere_is_no_element() {
        assert_eq!(Reader(&[OCTETS, 3, 1, 2]).element(), Err(BadBer::Cut));
        let other = BadBer::Other { found: OCTETS, wanted: INTEGER };
        assert_eq!(Reader(&[OCTETS, 0]).number(INTEGER), Err(other));
        assert_eq!(Reader(&[OCTETS, 1, 0xff]).text(), Err(BadBer::Text));
    }
}
