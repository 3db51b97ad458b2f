//! What a person in a session is told while it lasts, as a frame between those of the agent.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::sync::mpsc;

use crate::wire::frame::Frame;

/// Notices of one session that wait to be read; more are dropped.
pub const MAX_WAITING: usize = 4;
/// Bytes before a frame's payload: its kind, and its length.
const HEADER: usize = 5;

/// A stream of frames into which notices are put where one frame ends and the next has not begun.
pub(super) struct Noticed<S> {
    inner: S,
    notices: mpsc::Receiver<String>,
    /// A notice on its way.
    ahead: Bytes,
    header: Vec<u8>,
    /// Bytes of the payload that are still to come.
    left: usize,
}

impl<S> Noticed<S> {
    pub(super) fn new(inner: S, notices: mpsc::Receiver<String>) -> Self {
        let header = Vec::with_capacity(HEADER);
        Self { inner, notices, ahead: Bytes::new(), header, left: 0 }
    }

    fn is_between(&self) -> bool {
        self.left == 0 && self.header.is_empty()
    }

    /// Follows where frames begin and end.
    fn follow(&mut self, mut bytes: &[u8]) {
        while !bytes.is_empty() {
            if self.left > 0 {
                let n = self.left.min(bytes.len());
                self.left -= n;
                bytes.advance(n);
                continue;
            }
            let n = (HEADER - self.header.len()).min(bytes.len());
            self.header.extend(bytes.iter().take(n));
            bytes.advance(n);
            if let [_, a, b, c, d] = *self.header.as_slice() {
                self.left = u32::from_be_bytes([a, b, c, d]) as usize;
                self.header.clear();
            }
        }
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Noticed<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.ahead.is_empty()
            && self.is_between()
            && let Poll::Ready(Some(text)) = self.notices.poll_recv(cx)
        {
            let mut frame = BytesMut::new();
            Frame::Notice(text).encode(&mut frame);
            self.ahead = frame.freeze();
        }
        if !self.ahead.is_empty() {
            let n = self.ahead.len().min(buffer.remaining());
            buffer.put_slice(&self.ahead.split_to(n));
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let read = ready!(Pin::new(&mut self.inner).poll_read(cx, buffer));
        let came = buffer.filled().get(before..).unwrap_or_default();
        self.follow(came);
        Poll::Ready(read)
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Noticed<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
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
            let mut stream = Noticed::new(inner, notices);
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
        let mut stream = Noticed::new(inner, notices);
        let mut got = BytesMut::new();
        let reading = stream.read_buf(&mut got);
        let (_, n) = tokio::join!(say.send("now".to_owned()), reading);
        assert!(n.unwrap() > 0);
        assert_eq!(Frame::decode(&mut got).unwrap(), Some(Frame::Notice("now".to_owned())));
    }
}
