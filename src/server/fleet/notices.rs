//! What a person in a session is told while it lasts, as a frame between those of the agent.

use std::io;
use std::task::{Context, Poll};

use bytes::{Bytes, BytesMut};
use tokio::io::ReadBuf;
use tokio::sync::mpsc;

use crate::ssh::watched::{Source, Watched, Watcher};
use crate::wire::frame::Frame;
use crate::wire::frame::follow::Follower;

/// Notices of one session that wait to be read; more are dropped.
pub const MAX_WAITING: usize = 4;

/// Frames that are read before those of the stream. They are put in where it is between two of its own.
#[derive(Default)]
pub(super) struct Ahead(Bytes);

impl Ahead {
    /// Says this behind what is said already.
    pub(super) fn say(&mut self, text: String) {
        let mut frames = BytesMut::from(&*self.0);
        Frame::Notice(text).encode(&mut frames);
        self.0 = frames.freeze();
    }

    /// Whether nothing is to be said.
    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Gives what there is and fits. Returns whether there was anything.
    pub(super) fn give(&mut self, buffer: &mut ReadBuf<'_>) -> bool {
        let n = self.0.len().min(buffer.remaining());
        let is_any = !self.is_empty();
        buffer.put_slice(&self.0.split_to(n));
        is_any
    }
}

/// Puts notices into a stream of frames where one ends and the next has not begun.
pub(super) struct Notices {
    coming: mpsc::Receiver<String>,
    /// A notice on its way.
    ahead: Ahead,
    frames: Follower,
}

/// A stream of frames with notices between them.
pub(super) fn noticed<S>(stream: S, coming: mpsc::Receiver<String>) -> Watched<S, Notices> {
    let (ahead, frames) = (Ahead::default(), Follower::default());
    Watched::new(stream, Notices { coming, ahead, frames })
}

impl Watcher for Notices {
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Source>> {
        if self.ahead.is_empty()
            && self.frames.is_between()
            && let Poll::Ready(Some(text)) = self.coming.poll_recv(cx)
        {
            self.ahead.say(text);
        }
        let own = self.ahead.give(buffer);
        Poll::Ready(Ok(if own { Source::Watcher } else { Source::Stream }))
    }

    fn read(&mut self, bytes: &[u8]) {
        self.frames.feed(bytes, |_| {});
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn encoded(frames: &[Frame]) -> BytesMut {
        let mut all = BytesMut::new();
        frames.iter().for_each(|frame| frame.encode(&mut all));
        all
    }

    #[tokio::test]
    async fn a_notice_waits_for_the_end_of_a_frame_however_that_comes() {
        let output = Frame::Stdout(Bytes::from(vec![b'x'; 100]));
        let bytes = encoded(std::slice::from_ref(&output));
        for cut in 0..=bytes.len() {
            let (mut agent, inner) = tokio::io::duplex(1024);
            let (say, notices) = mpsc::channel(MAX_WAITING);
            let mut stream = noticed(inner, notices);
            let mut got = BytesMut::new();
            agent.write_all(&bytes[..cut]).await.unwrap();
            while got.len() < cut {
                stream.read_buf(&mut got).await.unwrap();
            }
            say.send("soon".to_owned()).await.unwrap();
            agent.write_all(&bytes[cut..]).await.unwrap();
            agent.write_all(&bytes).await.unwrap();
            drop(agent);
            while stream.read_buf(&mut got).await.unwrap() > 0 {}
            let mut frames = vec![];
            while let Some(frame) = Frame::decode(&mut got).unwrap() {
                frames.push(frame);
            }
            let notice = Frame::Notice("soon".to_owned());
            assert_eq!(frames.iter().filter(|frame| **frame == notice).count(), 1, "cut at {cut}");
            assert!(cut == 0 || frames.first() != Some(&notice), "cut at {cut}");
            frames.retain(|frame| *frame != notice);
            assert_eq!(frames, [output.clone(), output.clone()], "cut at {cut}");
        }
    }

    #[tokio::test]
    async fn a_notice_reaches_who_reads_nothing_else() {
        let (_agent, inner) = tokio::io::duplex(64);
        let (say, notices) = mpsc::channel(MAX_WAITING);
        let mut stream = noticed(inner, notices);
        let mut got = BytesMut::new();
        let reading = stream.read_buf(&mut got);
        let (_, n) = tokio::join!(say.send("now".to_owned()), reading);
        assert!(n.unwrap() > 0);
        assert_eq!(Frame::decode(&mut got).unwrap(), Some(Frame::Notice("now".to_owned())));
    }
}
