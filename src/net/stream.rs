//! A stream to a peer, as bytes to read and write.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::driver::Shared;
use super::node::StreamRef;
use super::stack::StreamError;

/// One stream. Shutting down closes the writing half, the other may still be read; dropping it
/// resets what is not finished.
pub struct Stream {
    shared: Arc<Shared>,
    stream: StreamRef,
    finished: bool,
    failed: Option<StreamError>,
}

impl Stream {
    pub(super) fn new(shared: Arc<Shared>, stream: StreamRef) -> Self {
        Self { shared, stream, finished: false, failed: None }
    }
}

impl std::fmt::Debug for Stream {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Stream").field("stream", &self.stream).finish_non_exhaustive()
    }
}

impl From<StreamError> for io::Error {
    fn from(error: StreamError) -> Self {
        let kind = match error {
            StreamError::Lost => io::ErrorKind::ConnectionAborted,
            StreamError::Reset => io::ErrorKind::ConnectionReset,
            StreamError::Closed => io::ErrorKind::BrokenPipe,
        };
        Self::new(kind, error)
    }
}

impl AsyncRead for Stream {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if let Some(error) = self.failed {
            // A stream that failed must not seem to end well when it is read once more.
            return Poll::Ready(Err(error.into()));
        }
        let now = self.shared.clock.instant();
        let room = out.initialize_unfilled();
        let mut node = self.shared.node();
        let read = node.poll_read(self.stream, now, cx.waker(), room);
        // The peer may be waiting for room.
        let work = node.has_work();
        drop(node);
        if work {
            self.shared.wake.notify_one();
        }
        let read = ready!(read);
        self.failed = read.err();
        out.advance(read?);
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Stream {
    fn poll_write(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        if data.is_empty() {
            return Poll::Ready(Ok(0));
        }
        let now = self.shared.clock.instant();
        let written = self.shared.node().poll_write(self.stream, now, cx.waker(), data);
        let written = ready!(written)?;
        self.shared.wake.notify_one();
        Poll::Ready(Ok(written))
    }

    /// What is written leaves at once; nothing waits here.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// What was written is still delivered afterwards.
    fn poll_shutdown(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        let now = self.shared.clock.instant();
        let finished = self.shared.node().finish(self.stream, now);
        self.finished = true;
        self.shared.wake.notify_one();
        Poll::Ready(finished.map_err(io::Error::from))
    }
}

impl Drop for Stream {
    fn drop(&mut self) {
        let now = self.shared.clock.instant();
        self.shared.node().release(self.stream, self.finished, now);
        self.shared.wake.notify_one();
    }
}
