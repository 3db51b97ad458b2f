//! A stream of frames that leaves a copy of what passes: where each begins is found without taking
//! the stream apart.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::ENDS;
use super::queue::{Asking, Queue};
use crate::clock::Clock;
use crate::model::recording::events::What;
use crate::wire::frame::Frame;

/// Sizes that a window may have; what shows a recording draws one of that size.
const SIZES: std::ops::RangeInclusive<u16> = 2..=1000;

/// The stream.
pub(super) struct Tap<S> {
    inner: S,
    queue: Arc<Queue>,
    clock: Clock,
    began: Instant,
    has_input: bool,
    /// A frame that is read before any other: what the person is told.
    ahead: Bytes,
    /// The person was told that the session ends, and nothing more is read.
    is_ended: bool,
    reading: Frames,
    writing: Frames,
}

impl<S> Tap<S> {
    pub(super) fn new(
        inner: S,
        queue: Arc<Queue>,
        clock: Clock,
        (has_input, notice): (bool, Option<&str>),
    ) -> Self {
        let mut ahead = BytesMut::new();
        if let Some(text) = notice {
            Frame::Notice(text.to_owned()).encode(&mut ahead);
        }
        let began = clock.instant();
        let (reading, writing) = (Frames::of(Side::Agent), Frames::of(Side::Person));
        let (ahead, is_ended) = (ahead.freeze(), false);
        Self { inner, queue, clock, began, has_input, ahead, is_ended, reading, writing }
    }

    fn note(&mut self, is_reading: bool, bytes: &[u8]) {
        let since = self.clock.instant().saturating_duration_since(self.began);
        let at_ms = i64::try_from(since.as_millis()).unwrap_or(i64::MAX);
        let frames = if is_reading { &mut self.reading } else { &mut self.writing };
        let (queue, has_input) = (&self.queue, self.has_input);
        frames.feed(bytes, |what| {
            if has_input || !matches!(what, What::Input(_)) {
                queue.put(at_ms, what);
            }
        });
    }
}

impl<S> Drop for Tap<S> {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Tap<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.queue.poll_must_end(cx) && !self.is_ended && self.reading.is_between() {
            let mut notice = BytesMut::new();
            Frame::Notice(ENDS.to_owned()).encode(&mut notice);
            let told = [self.ahead.as_ref(), notice.as_ref()].concat();
            (self.ahead, self.is_ended) = (told.into(), true);
        }
        if !self.ahead.is_empty() {
            let n = self.ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.ahead.split_to(n));
            return Poll::Ready(Ok(()));
        }
        if self.is_ended {
            return Poll::Ready(Ok(()));
        }
        ready!(self.queue.poll_room(cx, Asking::Reader));
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.inner).poll_read(cx, buffer));
        let came = buffer.filled().get(before..).unwrap_or_default();
        self.note(true, came);
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Tap<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.queue.must_end() {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, ENDS)));
        }
        // Sizes need no room of their own: those that follow each other are one.
        if self.has_input {
            ready!(self.queue.poll_room(cx, Asking::Writer));
        }
        let written = ready!(Pin::new(&mut self.inner).poll_write(cx, bytes));
        if let Ok(n) = written {
            self.note(false, bytes.get(..n).unwrap_or_default());
        }
        Poll::Ready(written)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}

/// Bytes before a frame's payload.
const HEADER: usize = 5;
/// The longest payload of a frame that is read as a whole: sizes and codes.
const MAX_WHOLE: usize = 64;

/// Who says the frames of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Agent,
    Person,
}

/// Where frames begin in bytes that come in any pieces.
struct Frames {
    side: Side,
    header: BytesMut,
    /// Bytes of the payload that are still to come.
    left: usize,
    /// The payload so far, of kinds that are read as a whole.
    whole: BytesMut,
}

impl Frames {
    fn of(side: Side) -> Self {
        Self { side, header: BytesMut::new(), left: 0, whole: BytesMut::new() }
    }

    /// Whether one frame has ended and the next has not begun.
    fn is_between(&self) -> bool {
        self.header.is_empty() && self.left == 0
    }

    fn feed(&mut self, mut bytes: &[u8], mut found: impl FnMut(What)) {
        while !bytes.is_empty() {
            if self.header.len() < HEADER {
                let n = (HEADER - self.header.len()).min(bytes.len());
                self.header.extend_from_slice(bytes.get(..n).unwrap_or_default());
                bytes.advance(n);
                if let Some(&[kind, a, b, c, d]) = self.header.first_chunk::<HEADER>() {
                    self.left = u32::from_be_bytes([a, b, c, d]) as usize;
                    if let Some(text) = self.around(kind) {
                        found(What::Output(Bytes::from_static(text)));
                    }
                    self.end_if_over(&mut found);
                }
                continue;
            }
            let n = self.left.min(bytes.len());
            let piece = bytes.get(..n).unwrap_or_default();
            match (self.side, self.header.first()) {
                (Side::Person, Some(0)) => found(What::Input(Bytes::copy_from_slice(piece))),
                (Side::Agent, Some(2 | 3 | 7 | 8)) => {
                    found(What::Output(Bytes::copy_from_slice(piece)));
                }
                _ if self.whole.len() + n <= MAX_WHOLE => self.whole.extend_from_slice(piece),
                _ => {}
            }
            bytes.advance(n);
            self.left -= n;
            self.end_if_over(&mut found);
        }
    }

    /// What is shown before and behind the agent's own words: they are lines of their own.
    fn around(&self, kind: u8) -> Option<&'static [u8]> {
        (self.side == Side::Agent && matches!(kind, 7 | 8)).then_some(b"\r\n")
    }

    fn end_if_over(&mut self, found: &mut impl FnMut(What)) {
        if self.left > 0 {
            return;
        }
        if let Some(text) = self.header.first().and_then(|kind| self.around(*kind)) {
            found(What::Output(Bytes::from_static(text)));
        }
        let mut frame = self.header.split();
        frame.unsplit(self.whole.split());
        match (self.side, Frame::decode(&mut frame)) {
            (Side::Person, Ok(Some(Frame::Resize { cols, rows }))) => {
                let within = |n: u16| n.clamp(*SIZES.start(), *SIZES.end());
                found(What::Resize { cols: within(cols), rows: within(rows) });
            }
            (Side::Agent, Ok(Some(Frame::Exit(code)))) => found(What::Exit(code)),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::model::recording::WhenFull;

    proptest! {
        #[test]
        fn no_byte_is_lost_however_it_is_cut(
            payloads in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..200), 0..8),
            cut in 1usize..50,
        ) {
            let (mut said, mut typed) = (BytesMut::new(), BytesMut::new());
            for payload in &payloads {
                Frame::Stdout(payload.clone().into()).encode(&mut said);
                Frame::Stdin(payload.clone().into()).encode(&mut typed);
                Frame::Resize { cols: 90, rows: u16::MAX }.encode(&mut typed);
                // Nobody says these in that direction.
                Frame::Resize { cols: 90, rows: 20 }.encode(&mut said);
                Frame::Exit(4).encode(&mut typed);
            }
            Frame::Notice("over".to_owned()).encode(&mut said);
            Frame::Killed("HUP".to_owned()).encode(&mut said);
            Frame::Exit(3).encode(&mut said);
            let (mut output, mut input, mut sizes, mut exits) = (vec![], vec![], vec![], vec![]);
            for (side, all) in [(Side::Agent, said), (Side::Person, typed)] {
                let mut frames = Frames::of(side);
                for piece in all.chunks(cut) {
                    frames.feed(piece, |what| match what {
                        What::Output(bytes) => output.extend_from_slice(&bytes),
                        What::Input(bytes) => input.extend_from_slice(&bytes),
                        What::Resize { cols, rows } => sizes.push((cols, rows)),
                        What::Exit(code) => exits.push(code),
                        other @ What::Marker(_) => panic!("{other:?}"),
                    });
                }
                prop_assert!(frames.is_between());
            }
            let expected = [&payloads.concat()[..], b"\r\nover\r\n\r\nHUP\r\n"].concat();
            prop_assert_eq!(output, expected);
            prop_assert_eq!(input, payloads.concat());
            prop_assert_eq!(sizes, vec![(90, 1000); payloads.len()]);
            prop_assert_eq!(exits, vec![3]);
        }

        #[test]
        fn hostile_frames_take_no_room(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
            for side in [Side::Agent, Side::Person] {
                let mut frames = Frames::of(side);
                frames.feed(&bytes, |_| {});
                prop_assert!(frames.whole.len() <= MAX_WHOLE && frames.header.len() <= HEADER);
            }
        }
    }

    #[tokio::test]
    async fn what_passes_is_passed_on_unchanged_behind_the_notice() {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let queue = Arc::new(Queue::new(WhenFull::Continue));
        let told = (false, Some("recorded"));
        let mut tap = Tap::new(near, Arc::clone(&queue), Clock::machine(), told);
        let mut sent = BytesMut::new();
        Frame::Stdout(Bytes::from_static(b"out")).encode(&mut sent);
        far.write_all(&sent).await.unwrap();
        let mut typed = BytesMut::new();
        Frame::Stdin(Bytes::from_static(b"secret")).encode(&mut typed);
        tap.write_all(&typed).await.unwrap();
        drop(far);
        let mut got = vec![];
        tap.read_to_end(&mut got).await.unwrap();
        let mut got = BytesMut::from(&got[..]);
        assert_eq!(Frame::decode(&mut got), Ok(Some(Frame::Notice("recorded".to_owned()))));
        assert_eq!(got, sent);
        drop(tap);
        let taken = queue.take();
        let kept: Vec<What> = taken.pieces.into_iter().filter_map(|piece| piece.what).collect();
        assert_eq!(kept, [What::Output(Bytes::from_static(b"out"))], "what is typed is left out");
        assert!(taken.is_closed);
    }

    #[tokio::test]
    async fn a_session_that_must_end_says_so_between_two_frames() {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let queue = Arc::new(Queue::new(WhenFull::End));
        let mut tap = Tap::new(near, Arc::clone(&queue), Clock::machine(), (true, None));
        let mut sent = BytesMut::new();
        Frame::Stdout(Bytes::from_static(b"out")).encode(&mut sent);
        let (begun, rest) = sent.split_at(4);
        far.write_all(begun).await.unwrap();
        let mut got = vec![0; begun.len()];
        tap.read_exact(&mut got).await.unwrap();
        queue.end(true);
        far.write_all(rest).await.unwrap();
        tap.read_to_end(&mut got).await.unwrap();
        let mut got = BytesMut::from(&got[..]);
        let out = Frame::Stdout(Bytes::from_static(b"out"));
        assert_eq!(Frame::decode(&mut got), Ok(Some(out)));
        assert_eq!(Frame::decode(&mut got), Ok(Some(Frame::Notice(ENDS.to_owned()))));
        assert!(got.is_empty());
        assert!(tap.write_all(b"x").await.is_err(), "nothing is typed any more");
    }
}
