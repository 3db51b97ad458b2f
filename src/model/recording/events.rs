//! What happened in a recorded session, as bytes: for each event its kind, the time since the one
//! before and its payload. Nothing is translated, so that nothing is lost.

use bytes::Bytes;

/// The first byte of a block: how the rest is to be read.
const FORM: u8 = 1;

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The process wrote.
    Output(Bytes),
    /// The person typed.
    Input(Bytes),
    /// The terminal got another size.
    Resize {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// Something that is to be known of this place.
    Marker(String),
    /// The process ended with this.
    Exit(u32),
}

/// What happened, and when.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Milliseconds from the recording's beginning.
    pub at_ms: i64,
    /// What.
    pub what: What,
}

/// A picture of the screen: what to write to an empty terminal of this size to see the same.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Picture {
    /// Columns and rows; zero without a terminal.
    pub size: (u16, u16),
    /// What to write.
    pub drawn: Vec<u8>,
}

/// Bytes that are no block.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a block of a recording cannot be read")]
pub struct BadBlock;

impl What {
    const fn kind(&self) -> u8 {
        match self {
            Self::Output(_) => b'o',
            Self::Input(_) => b'i',
            Self::Resize { .. } => b'r',
            Self::Marker(_) => b'm',
            Self::Exit(_) => b'x',
        }
    }

    /// Bytes that passed between person and process.
    #[must_use]
    pub const fn passed(&self) -> usize {
        match self {
            Self::Output(bytes) | Self::Input(bytes) => bytes.len(),
            Self::Resize { .. } | Self::Marker(_) | Self::Exit(_) => 0,
        }
    }
}

/// Begins a block.
#[must_use]
pub fn begin(picture: &Picture) -> Vec<u8> {
    let mut out = Vec::with_capacity(picture.drawn.len() + 16);
    out.push(FORM);
    out.extend_from_slice(&picture.size.0.to_be_bytes());
    out.extend_from_slice(&picture.size.1.to_be_bytes());
    put_bytes(&mut out, &picture.drawn);
    out
}

/// Adds an event that came `since_ms` after the one before, or after the block's beginning.
pub fn put(out: &mut Vec<u8>, since_ms: u64, what: &What) {
    out.push(what.kind());
    put_number(out, since_ms);
    match what {
        What::Output(bytes) | What::Input(bytes) => put_bytes(out, bytes),
        What::Resize { cols, rows } => {
            put_number(out, u64::from(*cols));
            put_number(out, u64::from(*rows));
        }
        What::Marker(text) => put_bytes(out, text.as_bytes()),
        What::Exit(code) => put_number(out, u64::from(*code)),
    }
}

/// Reads a block that began at `began_ms`.
///
/// # Errors
/// When the bytes are no block.
pub fn read(block: Vec<u8>, began_ms: i64) -> Result<(Picture, Vec<Event>), BadBlock> {
    let mut rest = Bytes::from(block);
    if take(&mut rest, 1)?.first() != Some(&FORM) {
        return Err(BadBlock);
    }
    let size = (take_size(&mut rest)?, take_size(&mut rest)?);
    let picture = Picture { size, drawn: take_bytes(&mut rest)?.to_vec() };
    let (mut events, mut at_ms) = (Vec::new(), began_ms);
    while !rest.is_empty() {
        let kind = take(&mut rest, 1)?;
        let since = i64::try_from(take_number(&mut rest)?).map_err(|_| BadBlock)?;
        at_ms = at_ms.checked_add(since).ok_or(BadBlock)?;
        let small = |n: u64| u16::try_from(n).map_err(|_| BadBlock);
        let what = match kind.first() {
            Some(b'o') => What::Output(take_bytes(&mut rest)?),
            Some(b'i') => What::Input(take_bytes(&mut rest)?),
            Some(b'r') => What::Resize {
                cols: small(take_number(&mut rest)?)?,
                rows: small(take_number(&mut rest)?)?,
            },
            Some(b'm') => {
                What::Marker(String::from_utf8_lossy(&take_bytes(&mut rest)?).into_owned())
            }
            Some(b'x') => What::Exit(u32::try_from(take_number(&mut rest)?).map_err(|_| BadBlock)?),
            Some(_) | None => return Err(BadBlock),
        };
        events.push(Event { at_ms, what });
    }
    Ok((picture, events))
}

fn put_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    put_number(out, bytes.len() as u64);
    out.extend_from_slice(bytes);
}

/// Seven bits a byte, the lowest first; the highest bit says that more follow.
fn put_number(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(0x80 | u8::try_from(number & 0x7f).unwrap_or_default());
        number >>= 7;
    }
    out.push(u8::try_from(number).unwrap_or_default());
}

fn take(rest: &mut Bytes, n: usize) -> Result<Bytes, BadBlock> {
    if rest.len() < n { Err(BadBlock) } else { Ok(rest.split_to(n)) }
}

fn take_size(rest: &mut Bytes) -> Result<u16, BadBlock> {
    let bytes = take(rest, 2)?;
    bytes.first_chunk().map(|two| u16::from_be_bytes(*two)).ok_or(BadBlock)
}

fn take_number(rest: &mut Bytes) -> Result<u64, BadBlock> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = take(rest, 1)?.first().copied().ok_or(BadBlock)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(number);
        }
    }
    Err(BadBlock)
}

fn take_bytes(rest: &mut Bytes) -> Result<Bytes, BadBlock> {
    let n = usize::try_from(take_number(rest)?).map_err(|_| BadBlock)?;
    take(rest, n)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn any_what() -> impl Strategy<Value = What> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..300).prop_map(Bytes::from);
        prop_oneof![
            bytes().prop_map(What::Output),
            bytes().prop_map(What::Input),
            (any::<u16>(), any::<u16>()).prop_map(|(cols, rows)| What::Resize { cols, rows }),
            ".{0,40}".prop_map(What::Marker),
            any::<u32>().prop_map(What::Exit),
        ]
    }

    proptest! {
        #[test]
        fn what_is_put_is_read_again(
            drawn in proptest::collection::vec(any::<u8>(), 0..50),
            all in proptest::collection::vec((0u64..100_000, any_what()), 0..20),
        ) {
            let picture = Picture { size: (80, 24), drawn };
            let mut block = begin(&picture);
            let (mut at_ms, mut expected) = (7, vec![]);
            for (since, what) in all {
                put(&mut block, since, &what);
                at_ms += i64::try_from(since).unwrap();
                expected.push(Event { at_ms, what });
            }
            prop_assert_eq!(read(block, 7), Ok((picture, expected)));
        }

        #[test]
        fn hostile_bytes_are_refused_or_read(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = read([&[FORM], &bytes[..]].concat(), i64::MAX - 3);
        }
    }
}
