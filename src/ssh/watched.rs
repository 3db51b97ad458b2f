//! A stream of which someone sees what passes, and may hold it up, end it or say something first.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// Who is asked before bytes pass a stream, and told which did.
///
/// Reader and writer may be different tasks: what waits has a waker for each.
pub trait Watcher {
    /// Asked before each read, with the buffer to read into. An error is read instead.
    fn poll_read(&mut self, _: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<Source>> {
        Poll::Ready(Ok(Source::Stream))
    }

    /// Asked before each write. An error is its outcome.
    fn poll_write(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    /// These bytes of the stream were read.
    fn read(&mut self, _: &[u8]) {}

    /// These bytes were written to the stream.
    fn written(&mut self, _: &[u8]) {}
}

/// Where the bytes of a read come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// From the stream.
    Stream,
    /// From the watcher, who put into the buffer what there is; nothing is the stream's end.
    Watcher,
}

/// A stream with its watcher, which is dropped after it.
#[derive(Debug)]
pub struct Watched<S, W> {
    inner: S,
    watcher: W,
}

impl<S, W> Watched<S, W> {
    /// Watches a stream.
    #[must_use]
    pub fn new(inner: S, watcher: W) -> Self {
        Self { inner, watcher }
    }
}

impl<S: AsyncRead + Unpin, W: Watcher + Unpin> AsyncRead for Watched<S, W> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if ready!(self.watcher.poll_read(cx, buffer))? == Source::Watcher {
            return Poll::Ready(Ok(()));
        }
        let before = buffer.filled().len();
        let polled = Pin::new(&mut self.inner).poll_read(cx, buffer);
        if let Some(came) = buffer.filled().get(before..).filter(|came| !came.is_empty()) {
            self.watcher.read(came);
        }
        polled
    }
}

impl<S: AsyncWrite + Unpin, W: Watcher + Unpin> AsyncWrite for Watched<S, W> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        ready!(self.watcher.poll_write(cx))?;
        let polled = Pin::new(&mut self.inner).poll_write(cx, bytes);
        if let Poll::Ready(Ok(n)) = polled {
            self.watcher.written(bytes.get(..n).unwrap_or_default());
        }
        polled
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
