//! A stream of frames that leaves a copy of what passes: where each begins is found without taking
//! the stream apart.

use std::io;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Bytes, BytesMut};
use tokio::io::ReadBuf;

use super::ENDS;
use super::queue::{Asking, Queue};
use crate::clock::Clock;
use crate::model::recording::events::What;
use crate::server::fleet::notices::Ahead;
use crate::ssh::watched::{Source, Watcher};
use crate::wire::frame::Frame;
use crate::wire::frame::follow::{Follower, HEAD_BYTES, Part};

/// Sizes that a window may have; what shows a recording draws one of that size.
const SIZES: std::ops::RangeInclusive<u16> = 2..=1000;

/// What copies a stream's frames into a queue.
pub(super) struct Tap {
    queue: Arc<Queue>,
    clock: Clock,
    began: Instant,
    has_input: bool,
    /// What the person is told.
    ahead: Ahead,
    /// The person was told that the session ends, and nothing more is read.
    is_ended: bool,
    reading: Frames,
    writing: Frames,
}

impl Tap {
    pub(super) fn new(
        queue: Arc<Queue>,
        clock: Clock,
        (has_input, notice): (bool, Option<&str>),
    ) -> Self {
        let mut ahead = Ahead::default();
        if let Some(text) = notice {
            ahead.say(text.to_owned());
        }
        let (began, is_ended) = (clock.instant(), false);
        let (reading, writing) = (Frames::of(Side::Agent), Frames::of(Side::Person));
        Self { queue, clock, began, has_input, ahead, is_ended, reading, writing }
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

impl Drop for Tap {
    fn drop(&mut self) {
        self.queue.close();
    }
}

impl Watcher for Tap {
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Source>> {
        if self.queue.poll_must_end(cx) && !self.is_ended && self.reading.follower.is_between() {
            self.ahead.say(ENDS.to_owned());
            self.is_ended = true;
        }
        if self.ahead.give(buffer) || self.is_ended {
            return Poll::Ready(Ok(Source::Watcher));
        }
        ready!(self.queue.poll_room(cx, Asking::Reader));
        Poll::Ready(Ok(Source::Stream))
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.queue.must_end() {
            return Poll::Ready(Err(io::Error::new(io::ErrorKind::BrokenPipe, ENDS)));
        }
        // Sizes need no room of their own: those that follow each other are one.
        if self.has_input {
            ready!(self.queue.poll_room(cx, Asking::Writer));
        }
        Poll::Ready(Ok(()))
    }

    fn read(&mut self, bytes: &[u8]) {
        self.note(true, bytes);
    }

    fn written(&mut self, bytes: &[u8]) {
        self.note(false, bytes);
    }
}

/// The longest frame that is read as a whole: sizes and codes.
const MAX_WHOLE: usize = HEAD_BYTES + 64;

/// Who says the frames of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Agent,
    Person,
}

/// What the frames of a direction say.
struct Frames {
    side: Side,
    follower: Follower,
    /// The frame so far, of kinds that are read as a whole.
    whole: BytesMut,
}

impl Frames {
    fn of(side: Side) -> Self {
        Self { side, follower: Follower::default(), whole: BytesMut::new() }
    }

    fn feed(&mut self, bytes: &[u8], mut found: impl FnMut(What)) {
        let Self { side, follower, whole } = self;
        // The agent's own words are lines of their own.
        let is_own_line = |kind| *side == Side::Agent && matches!(kind, 7 | 8);
        let line = || What::Output(Bytes::from_static(b"\r\n"));
        follower.feed(bytes, |part| match part {
            Part::Head(head) => {
                whole.clear();
                whole.extend_from_slice(&head);
                if is_own_line(head[0]) {
                    found(line());
                }
            }
            Part::Payload(kind, piece) => match (*side, kind) {
                (Side::Person, 0) => found(What::Input(Bytes::copy_from_slice(piece))),
                (Side::Agent, 2 | 3 | 7 | 8) => {
                    found(What::Output(Bytes::copy_from_slice(piece)));
                }
                _ if whole.len() + piece.len() <= MAX_WHOLE => whole.extend_from_slice(piece),
                _ => {}
            },
            Part::End(kind) => {
                if is_own_line(kind) {
                    found(line());
                }
                if let Some(what) = said(*side, whole) {
                    found(what);
                }
            }
        });
    }
}

/// What a frame says that was read as a whole.
fn said(side: Side, whole: &mut BytesMut) -> Option<What> {
    match (side, Frame::decode(whole)) {
        (Side::Person, Ok(Some(Frame::Resize { cols, rows }))) => {
            let within = |n: u16| n.clamp(*SIZES.start(), *SIZES.end());
            Some(What::Resize { cols: within(cols), rows: within(rows) })
        }
        (Side::Agent, Ok(Some(Frame::Exit(code)))) => Some(What::Exit(code)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;
    use crate::model::recording::WhenFull;
    use crate::ssh::watched::Watched;

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
                prop_assert!(frames.follower.is_between());
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
                prop_assert!(frames.whole.len() <= MAX_WHOLE);
            }
        }
    }

    #[tokio::test]
    async fn what_passes_is_passed_on_unchanged_behind_the_notice() {
        let (near, mut far) = tokio::io::duplex(1 << 16);
        let queue = Arc::new(Queue::new(WhenFull::Continue));
        let told = (false, Some("recorded"));
        let tap = Tap::new(Arc::clone(&queue), Clock::machine(), told);
        let mut tap = Watched::new(near, tap);
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
        let tap = Tap::new(Arc::clone(&queue), Clock::machine(), (true, None));
        let mut tap = Watched::new(near, tap);
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
