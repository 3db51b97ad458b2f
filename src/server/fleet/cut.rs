//! Streams that break at once when what they stand on ends: a session's, whose bytes are counted, and
//! an agent's on this machine.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::io::ReadBuf;
use tokio_util::sync::{CancellationToken, WaitForCancellationFutureOwned};

use super::register::Live;
use crate::ssh::watched::{Source, Watched, Watcher};

/// A stream until a token is cancelled.
pub(super) struct Until {
    // Two, since reader and writer may be different tasks: each future keeps one waker.
    reading: Pin<Box<WaitForCancellationFutureOwned>>,
    writing: Pin<Box<WaitForCancellationFutureOwned>>,
    /// What its reader and its writer are told then.
    why: &'static str,
}

impl Until {
    pub(super) fn new(end: &CancellationToken, why: &'static str) -> Self {
        let wait = || Box::pin(end.clone().cancelled_owned());
        Self { reading: wait(), writing: wait(), why }
    }

    fn ended(&self) -> io::Error {
        io::Error::new(io::ErrorKind::ConnectionReset, self.why)
    }
}

impl Watcher for Until {
    fn poll_read(&mut self, cx: &mut Context<'_>, _: &mut ReadBuf<'_>) -> Poll<io::Result<Source>> {
        let is_over = self.reading.as_mut().poll(cx).is_ready();
        Poll::Ready(if is_over { Err(self.ended()) } else { Ok(Source::Stream) })
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let is_over = self.writing.as_mut().poll(cx).is_ready();
        Poll::Ready(if is_over { Err(self.ended()) } else { Ok(()) })
    }
}

/// A stream of a live session.
pub(super) struct Cut {
    until: Until,
    live: Arc<Live>,
}

/// Has a stream counted for a session, and broken with it.
pub(super) fn cuttable<S>(stream: S, live: Arc<Live>) -> Watched<S, Cut> {
    let until = Until::new(&live.cut, "the right to this session ended");
    Watched::new(stream, Cut { until, live })
}

impl Watcher for Cut {
    fn poll_read(
        &mut self,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<Source>> {
        self.until.poll_read(cx, buffer)
    }

    fn poll_write(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.until.poll_write(cx)
    }

    fn read(&mut self, bytes: &[u8]) {
        self.live.sent(bytes.len());
    }

    fn written(&mut self, bytes: &[u8]) {
        self.live.received(bytes.len());
    }
}
