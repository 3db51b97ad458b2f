//! The socket under an SSH connection: reads ahead, can be cut, and slows down while a channel holds too much.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::inbox::Pressure;
use super::stream::BoxFuture;

/// What is read at once. Two packets of the largest size OpenSSH sends.
const READ_BYTES: usize = 64 << 10;

/// At most this between two reads while a channel holds too much, so that what trickles in stays a
/// trickle.
const PACE: Duration = Duration::from_millis(5);

/// What comes between two reads.
enum Turn {
    /// Those who read channels go first.
    Theirs,
    /// They went.
    Next,
    /// They are not done: some channel holds too much.
    Waiting(BoxFuture<'static, ()>),
    /// It is ours.
    Ours,
}

pub(super) struct Transport<S> {
    inner: S,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    pressure: Arc<Pressure>,
    turn: Turn,
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
            turn: Turn::Theirs,
            cut: Box::pin(cut.cancelled_owned()),
        }
    }
}

impl<S: AsyncRead + Unpin> Transport<S> {
    /// Reading never blocks while a client sends faster than we decrypt, and whoever takes what was
    /// read stands in line behind this task: without a turn of theirs there would soon be too much.
    fn poll_turn(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        loop {
            self.turn = match &mut self.turn {
                Turn::Theirs if self.pressure.is_some() => {
                    self.turn = Turn::Next;
                    cx.waker().wake_by_ref();
                    return Poll::Pending;
                }
                Turn::Next if self.pressure.is_over() => {
                    let pressure = Arc::clone(&self.pressure);
                    Turn::Waiting(Box::pin(async move {
                        let _ = tokio::time::timeout(PACE, pressure.relieved()).await;
                    }))
                }
                Turn::Waiting(pause) => {
                    ready!(pause.as_mut().poll(cx));
                    Turn::Ours
                }
                Turn::Theirs | Turn::Next => Turn::Ours,
                Turn::Ours => return Poll::Ready(()),
            };
        }
    }

    fn poll_fill(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        if self.cut.as_mut().poll(cx).is_ready() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        ready!(self.poll_turn(cx));
        let mut buf = ReadBuf::new(&mut self.buffer);
        ready!(Pin::new(&mut self.inner).poll_read(cx, &mut buf))?;
        (self.start, self.end) = (0, buf.filled().len());
        self.turn = Turn::Theirs;
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
