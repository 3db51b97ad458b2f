//! Frames of a session's stream, as a pure codec: one byte of kind, a `u32` length, the payload.

pub mod follow;

/// Longest payload of a frame. One read of a pipe; small enough to interleave with signals.
pub const MAX_FRAME_BYTES: usize = 64 << 10;

/// One frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame {
    /// To the process.
    Stdin(bytes::Bytes),
    /// No more input.
    StdinEnd,
    /// From the process; a terminal has only this.
    Stdout(bytes::Bytes),
    /// From the process.
    Stderr(bytes::Bytes),
    /// The terminal's new size.
    Resize {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// A signal for the process, by its name without `SIG`.
    Signal(String),
    /// The process ended by itself.
    Exit(u32),
    /// The process was ended by a signal, by its name without `SIG`.
    Killed(String),
    /// Why the stream ends although the process may go on, for a person.
    Notice(String),
}

/// A stream that does not hold frames.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadFrame {
    /// Longer than [`MAX_FRAME_BYTES`].
    #[error("a frame of {0} bytes is longer than allowed")]
    TooLong(usize),
    /// A kind this version does not know, or a payload that does not fit its kind.
    #[error("a frame of kind {0} cannot be read")]
    Unknown(u8),
}

impl Frame {
    /// Appends the frame to `out`. Payloads above [`MAX_FRAME_BYTES`] are the caller's to split.
    pub fn encode(&self, out: &mut bytes::BytesMut) {
        use bytes::BufMut as _;
        let (kind, payload): (u8, &[u8]) = match self {
            Self::Stdin(b) => (0, b),
            Self::StdinEnd => (1, &[]),
            Self::Stdout(b) => (2, b),
            Self::Stderr(b) => (3, b),
            Self::Resize { cols, rows } => {
                out.put_u8(4);
                out.put_u32(4);
                out.put_u16(*cols);
                out.put_u16(*rows);
                return;
            }
            Self::Signal(name) => (5, name.as_bytes()),
            Self::Exit(code) => {
                out.put_u8(6);
                out.put_u32(4);
                out.put_u32(*code);
                return;
            }
            Self::Killed(name) => (7, name.as_bytes()),
            Self::Notice(text) => (8, text.as_bytes()),
        };
        out.put_u8(kind);
        out.put_u32(u32::try_from(payload.len()).unwrap_or(u32::MAX));
        out.put_slice(payload);
    }

    /// Takes one frame off the front of `input`; none when more bytes are needed.
    ///
    /// # Errors
    /// When the bytes are no frames; the stream is to be dropped.
    pub fn decode(input: &mut bytes::BytesMut) -> Result<Option<Self>, BadFrame> {
        use bytes::Buf as _;
        let Some(&[kind, a, b, c, d]) = input.first_chunk::<5>() else { return Ok(None) };
        let len = u32::from_be_bytes([a, b, c, d]) as usize;
        if len > MAX_FRAME_BYTES {
            return Err(BadFrame::TooLong(len));
        }
        if input.len() < 5 + len {
            return Ok(None);
        }
        input.advance(5);
        let payload = input.split_to(len).freeze();
        let text = || String::from_utf8(payload.to_vec()).map_err(|_| BadFrame::Unknown(kind));
        Ok(Some(match (kind, payload.len()) {
            (0, _) => Self::Stdin(payload),
            (1, _) => Self::StdinEnd,
            (2, _) => Self::Stdout(payload),
            (3, _) => Self::Stderr(payload),
            (4, 4) => {
                let mut p = payload;
                Self::Resize { cols: p.get_u16(), rows: p.get_u16() }
            }
            (5, _) => Self::Signal(text()?),
            (6, 4) => Self::Exit(payload.clone().get_u32()),
            (7, _) => Self::Killed(text()?),
            (8, _) => Self::Notice(text()?),
            _ => return Err(BadFrame::Unknown(kind)),
        }))
    }
}

#[cfg(test)]
mod tests {
    use bytes::BytesMut;
    use proptest::prelude::*;

    use super::*;

    fn any_frame() -> impl Strategy<Value = Frame> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..300).prop_map(bytes::Bytes::from);
        prop_oneof![
            bytes().prop_map(Frame::Stdin),
            Just(Frame::StdinEnd),
            bytes().prop_map(Frame::Stdout),
            bytes().prop_map(Frame::Stderr),
            (any::<u16>(), any::<u16>()).prop_map(|(cols, rows)| Frame::Resize { cols, rows }),
            "[A-Z]{1,6}".prop_map(Frame::Signal),
            any::<u32>().prop_map(Frame::Exit),
            "[A-Z]{1,6}".prop_map(Frame::Killed),
            ".{0,40}".prop_map(Frame::Notice),
        ]
    }

    proptest! {
        #[test]
        fn frames_survive_any_cut(frames in proptest::collection::vec(any_frame(), 0..8), cut in 1usize..40) {
            let mut all = BytesMut::new();
            frames.iter().for_each(|f| f.encode(&mut all));
            let (mut input, mut got) = (BytesMut::new(), vec![]);
            for piece in all.chunks(cut) {
                input.extend_from_slice(piece);
                while let Some(f) = Frame::decode(&mut input).unwrap() {
                    got.push(f);
                }
            }
            prop_assert_eq!(got, frames);
        }

        #[test]
        fn hostile_bytes_never_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let mut input = BytesMut::from(&bytes[..]);
            while let Ok(Some(_)) = Frame::decode(&mut input) {}
        }
    }
}
