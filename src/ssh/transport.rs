//! The socket under an SSH connection: reads ahead, can be cut, and slows down while a channel holds too much.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::time::Sleep;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::inbox::Pressure;

/// What is read at once. Two packets of the largest size OpenSSH sends.
const READ_BYTES: usize = 64 << 10;

/// Between two reads while a channel holds too much, so that what trickles in stays a trickle.
const PACE: Duration = Duration::from_millis(5);

pub(super) struct Transport<S> {
    inner: S,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    pressure: Arc<Pressure>,
    pause: Option<Pin<Box<Sleep>>>,
    cut: Pin<Box<WaitForCancellationFutureOwned>>,
}

impl<S> Transport<S> {
    pub(super) fn new(inner: S, pressure: Arc<Pressure>, cut: CancellationToken) -> Self {
        Self {
            inner,
            buffer: vec![0; READ_BYTES].into(),
            start: 0,
            end: 0,
            pressure,
            pause: None,
            cut: Box::pin(cut.cancelled_owned()),
        }
    }
}

impl<S: AsyncRead + Unpin> Transport<S> {
    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if self.pause.is_none() && self.pressure.is_over() {
            self.pause = Some(Box::pin(tokio::time::sleep(PACE)));
        }
        if let Some(pause) = &mut self.pause {
            ready!(pause.as_mut().poll(cx));
        }
        let mut buf = ReadBuf::new(&mut self.buffer);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buf))?;
        (self.start, self.end) = (0, buf.filled().len());
        self.pause = None;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + Unpin> AsyncRead for Transport<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        out: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        if self.start == self.end {
            ready!(self.poll_fill(cx))?;
        }
        let held = self.buffer.get(self.start..self.end).unwrap_or_default();
        let take = held.get(..out.remaining()).unwrap_or(held);
        out.put_slice(take);
        let taken = take.len();
        self.start += taken;
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncWrite + Unpin> AsyncWrite for Transport<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        data: &[u8],
    ) -> Poll<io::Result<usize>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        Pin::new(&mut self.inner).poll_write(cx, data)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
