//! Bodies that come too slowly: each has a pace to keep, so that nobody holds a request open.

use std::future::Future as _;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, Sleep};

/// The longest wait for the next part, and what a body may keep us waiting before its pace counts.
const GRACE: Duration = Duration::from_secs(20);
/// The slowest average after that, in bytes a second; a bad telephone line is faster.
const PACE: u64 = 1024;

/// Whether a body was given up.
#[derive(Clone, Debug, Default)]
pub(super) struct Late(Arc<AtomicBool>);

impl Late {
    pub(super) fn is_so(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }
}

/// Gives a request's body a pace to keep; what is not there needs none.
pub(super) fn pace(request: &mut Request) -> Late {
    let late = Late::default();
    if !request.body().is_end_stream() {
        let inner = std::mem::take(request.body_mut());
        let paced = Paced {
            inner,
            late: late.clone(),
            patience: Patience { left: GRACE },
            waiting: None,
            timer: None,
        };
        *request.body_mut() = Body::new(paced);
    }
    late
}

/// How long a body may keep us waiting. Only waiting counts: who reads it may take their time.
#[derive(Clone, Copy, Debug)]
struct Patience {
    left: Duration,
}

impl Patience {
    /// The longest wait for the next part.
    fn wait(self) -> Duration {
        self.left.min(GRACE)
    }

    /// A part came after a wait.
    fn arrived(&mut self, waited: Duration, bytes: usize) {
        let millis = u64::try_from(bytes).unwrap_or(u64::MAX).saturating_mul(1000) / PACE;
        let earned = Duration::from_millis(millis);
        self.left = self.left.saturating_sub(waited).saturating_add(earned);
    }
}

/// A body that ends with an error when it falls behind.
struct Paced {
    inner: Body,
    late: Late,
    patience: Patience,
    waiting: Option<Instant>,
    /// Made when the first part is waited for; most bodies are there with their heads.
    timer: Option<Pin<Box<Sleep>>>,
}

impl Paced {
    fn poll_late(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let timer = self.timer.get_or_insert_with(|| Box::pin(tokio::time::sleep(GRACE)));
        if self.waiting.is_none() {
            let now = Instant::now();
            self.waiting = Some(now);
            timer.as_mut().reset(now + self.patience.wait());
        }
        timer.as_mut().poll(cx)
    }
}

impl HttpBody for Paced {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if let Poll::Ready(frame) = Pin::new(&mut self.inner).poll_frame(cx) {
            let data = frame.as_ref().and_then(|f| f.as_ref().ok()?.data_ref());
            let bytes = data.map_or(0, Bytes::len);
            let waited = self.waiting.take().map(|since| since.elapsed()).unwrap_or_default();
            self.patience.arrived(waited, bytes);
            return Poll::Ready(frame);
        }
        ready!(self.poll_late(cx));
        self.late.0.store(true, Ordering::Relaxed);
        Poll::Ready(Some(Err(axum::Error::new("it came too slowly"))))
    }

    fn is_end_stream(&self) -> bool {
        self.inner.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.inner.size_hint()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many of the parts come before the body is given up.
    fn came(parts: usize, bytes: usize, pause: Duration) -> usize {
        let mut patience = Patience { left: GRACE };
        let in_time = |patience: &mut Patience| {
            let waits = pause < patience.wait();
            patience.arrived(pause, bytes);
            waits
        };
        (0..parts).take_while(|_| in_time(&mut patience)).count()
    }

    #[test]
    fn a_steady_body_is_taken_however_long_and_a_slow_or_stopped_one_is_given_up() {
        let second = Duration::from_secs(1);
        assert_eq!(came(9000, 2048, second), 9000, "two kilobytes a second");
        assert_eq!(came(9000, 1, second), 19, "a byte a second");
        assert_eq!(came(3, 1 << 20, 21 * second), 0, "nothing for 21 s");
        assert_eq!(came(3, 1 << 20, 19 * second), 3, "large parts after 19 s");
    }
}
