//! Frames over a byte stream: reading them one by one and writing them without a copy of the payload.

use std::io;

use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};

use crate::wire::frame::{Frame, MAX_FRAME_BYTES};

/// Bytes before a frame's payload.
const HEADER: usize = 5;

/// Room for a read where little comes, as keys do: every open session keeps it.
const LEAST_ROOM: usize = 2 << 10;
/// Room for a read where much comes: a whole frame.
const MOST_ROOM: usize = MAX_FRAME_BYTES + HEADER;

/// Reads frames from one half of a stream. Cancel-safe: nothing is lost when a read is dropped.
pub struct FrameReader<R> {
    inner: R,
    buffer: BytesMut,
    /// Room for the next read: more once reads fill it, less once they do not.
    room: usize,
}

impl<R: AsyncRead + Unpin> FrameReader<R> {
    /// Reads from `inner`.
    pub fn new(inner: R) -> Self {
        Self { inner, buffer: BytesMut::new(), room: LEAST_ROOM }
    }

    /// The next frame; none at the end of the stream.
    ///
    /// # Errors
    /// When the stream breaks, ends within a frame, or holds something else.
    pub async fn next(&mut self) -> io::Result<Option<Frame>> {
        loop {
            let decoded = Frame::decode(&mut self.buffer)
                .map_err(|e| io::Error::new(io::ErrorKind::InvalidData, e))?;
            if decoded.is_some() {
                return Ok(decoded);
            }
            self.make_room();
            let read = self.inner.read_buf(&mut self.buffer).await?;
            if read == 0 {
                let whole = self.buffer.is_empty();
                return if whole { Ok(None) } else { Err(io::ErrorKind::UnexpectedEof.into()) };
            }
            self.room = match read {
                filled if filled >= self.room => (self.room * 4).min(MOST_ROOM),
                little if little < self.room / 8 => (self.room / 2).max(LEAST_ROOM),
                _ => self.room,
            };
        }
    }

    fn make_room(&mut self) {
        if self.buffer.is_empty() && self.buffer.capacity() > 2 * self.room {
            self.buffer = BytesMut::with_capacity(self.room);
        }
        self.buffer.reserve(self.room);
    }
}

/// Writes frames to one half of a stream, reusing one buffer.
pub struct FrameWriter<W> {
    inner: W,
    buffer: BytesMut,
}

impl<W: AsyncWrite + Unpin> FrameWriter<W> {
    /// Writes to `inner`.
    pub fn new(inner: W) -> Self {
        Self { inner, buffer: BytesMut::new() }
    }

    /// Writes one frame; a payload above [`MAX_FRAME_BYTES`] becomes several.
    ///
    /// # Errors
    /// When the stream breaks.
    pub async fn write(&mut self, frame: &Frame) -> io::Result<()> {
        self.buffer.clear();
        for piece in pieces(frame) {
            piece.encode(&mut self.buffer);
        }
        self.inner.write_all(&self.buffer).await?;
        self.inner.flush().await
    }

    /// Ends the writing half.
    ///
    /// # Errors
    /// When the stream breaks.
    pub async fn finish(&mut self) -> io::Result<()> {
        self.inner.shutdown().await
    }
}

fn pieces(frame: &Frame) -> Vec<Frame> {
    let split = |all: &bytes::Bytes, make: fn(bytes::Bytes) -> Frame| {
        let mut rest = all.clone();
        let mut out = vec![];
        while rest.len() > MAX_FRAME_BYTES {
            out.push(make(rest.split_to(MAX_FRAME_BYTES)));
        }
        out.push(make(rest));
        out
    };
    match frame {
        Frame::Stdin(b) => split(b, Frame::Stdin),
        Frame::Stdout(b) => split(b, Frame::Stdout),
        Frame::Stderr(b) => split(b, Frame::Stderr),
        Frame::StdinEnd
        | Frame::Resize { .. }
        | Frame::Signal(_)
        | Frame::Exit(_)
        | Frame::Killed(_)
        | Frame::Notice(_) => vec![frame.clone()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_long_payload_arrives_whole_and_the_end_is_seen() {
        let (near, far) = tokio::io::duplex(1000);
        let payload = bytes::Bytes::from(vec![7; 3 * MAX_FRAME_BYTES + 1]);
        let sent = Frame::Stdout(payload.clone());
        let write = async {
            let mut writer = FrameWriter::new(near);
            writer.write(&sent).await.unwrap();
            writer.write(&Frame::Exit(3)).await.unwrap();
            writer.finish().await.unwrap();
        };
        let read = async {
            let mut reader = FrameReader::new(far);
            let mut got = vec![];
            while let Some(Frame::Stdout(b)) = reader.next().await.unwrap() {
                got.extend_from_slice(&b);
            }
            assert_eq!(got, payload);
            assert_eq!(reader.next().await.unwrap(), None);
        };
        tokio::join!(write, read);
    }
}
