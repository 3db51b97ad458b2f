//! A stream of frames that leaves a copy of what passes: where each begins is found without taking
//! the stream apart.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::queue::Queue;
use crate::clock::Clock;
use crate::model::recording::events::What;
use crate::wire::frame::Frame;

/// The stream.
pub(super) struct Tap<S> {
    inner: S,
    queue: Arc<Queue>,
    clock: Clock,
    began: Instant,
    has_input: bool,
    /// A frame that is read before any other: what the person is told.
    ahead: Bytes,
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
        let (reading, writing) = (Frames::default(), Frames::default());
        Self { inner, queue, clock, began, has_input, ahead: ahead.freeze(), reading, writing }
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
        if !self.ahead.is_empty() {
            let n = self.ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.ahead.split_to(n));
            return Poll::Ready(Ok(()));
        }
        ready!(self.queue.poll_room(cx));
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

/// Where frames begin in bytes that come in any pieces.
#[derive(Default)]
struct Frames {
    header: BytesMut,
    /// Bytes of the payload that are still to come.
    left: usize,
    /// The payload so far, of kinds that are read as a whole.
    whole: BytesMut,
}

impl Frames {
    fn feed(&mut self, mut bytes: &[u8], mut found: impl FnMut(What)) {
        while !bytes.is_empty() {
            if self.header.len() < HEADER {
                let n = (HEADER - self.header.len()).min(bytes.len());
                self.header.extend_from_slice(bytes.get(..n).unwrap_or_default());
                bytes.advance(n);
                if let Some(&[_, a, b, c, d]) = self.header.first_chunk::<HEADER>() {
                    self.left = u32::from_be_bytes([a, b, c, d]) as usize;
                    self.end_if_over(&mut found);
                }
                continue;
            }
            let n = self.left.min(bytes.len());
            let piece = bytes.get(..n).unwrap_or_default();
            match self.header.first() {
                Some(0) => found(What::Input(Bytes::copy_from_slice(piece))),
                Some(2 | 3) => found(What::Output(Bytes::copy_from_slice(piece))),
                _ if self.whole.len() + n <= MAX_WHOLE => self.whole.extend_from_slice(piece),
                _ => {}
            }
            bytes.advance(n);
            self.left -= n;
            self.end_if_over(&mut found);
        }
    }

    fn end_if_over(&mut self, found: &mut impl FnMut(What)) {
        if self.left > 0 {
            return;
        }
        let mut frame = self.header.split();
        frame.unsplit(self.whole.split());
        if let Ok(Some(Frame::Resize { cols, rows })) = Frame::decode(&mut frame.clone()) {
            found(What::Resize { cols, rows });
        } else if let Ok(Some(Frame::Exit(code))) = Frame::decode(&mut frame) {
            found(What::Exit(code));
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
            let mut all = BytesMut::new();
            for payload in &payloads {
                Frame::Stdout(payload.clone().into()).encode(&mut all);
                Frame::Resize { cols: 90, rows: 20 }.encode(&mut all);
            }
            Frame::Exit(3).encode(&mut all);
            let (mut frames, mut output, mut sizes, mut exits) = (Frames::default(), vec![], 0, vec![]);
            for piece in all.chunks(cut) {
                frames.feed(piece, |what| match what {
                    What::Output(bytes) => output.extend_from_slice(&bytes),
                    What::Resize { cols: 90, rows: 20 } => sizes += 1,
                    What::Exit(code) => exits.push(code),
                    other @ (What::Input(_) | What::Resize { .. } | What::Marker(_)) => {
                        panic!("{other:?}")
                    }
                });
            }
            prop_assert_eq!(output, payloads.concat());
            prop_assert_eq!(sizes, payloads.len());
            prop_assert_eq!(exits, vec![3]);
        }

        #[test]
        fn hostile_frames_take_no_room(bytes in proptest::collection::vec(any::<u8>(), 0..500)) {
            let mut frames = Frames::default();
            frames.feed(&bytes, |_| {});
            prop_assert!(frames.whole.len() <= MAX_WHOLE && frames.header.len() <= HEADER);
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
}
