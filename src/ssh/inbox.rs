//! What a client sent on a channel and nobody took yet, and how much more it may send.
//!
//! The transport grants windows by itself, as soon as it has read: it would take in without end
//! what a process does not read. It asks only how large the next window shall be, for all channels
//! of the connection. So while some channel holds too much, windows shrink to two bytes: the client
//! then sends two bytes at a time, and each is a chance to open the window again. Nothing stands
//! still meanwhile: window adjustments for our own output, keystrokes and requests still pass.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::{Bytes, BytesMut};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;

use super::config::WINDOW_BYTES;
use crate::wire::frame::Frame;

/// A channel with more than this unread holds too much. Half a window: refilling starts long
/// before the reader runs dry.
const HIGH_BYTES: usize = WINDOW_BYTES as usize / 2;

/// All channels of a connection together. Beyond it the connection is given up: only a client
/// that breaks the rules, or dozens of channels nobody reads, come here.
const MAX_BYTES: usize = 64 << 20;

/// The window while some channel holds too much.
const TRICKLE: u32 = 2;

/// The window for another channel meanwhile.
const SHARED_WINDOW: u32 = WINDOW_BYTES / 8;

/// Chunks up to this are joined with the one before: keystrokes, and what trickles in.
const JOIN_BYTES: usize = 4 << 10;

/// Signals that wait. A client that sends more has them dropped.
const MAX_CONTROLS: usize = 64;

/// How much all channels of a connection hold.
#[derive(Default)]
pub(super) struct Pressure {
    queued: AtomicUsize,
    over: AtomicUsize,
    relieved: Notify,
}

/// The client sent more than any rule allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too much input that nobody reads")]
pub(super) struct Overrun;

impl Pressure {
    /// Whether some channel holds too much.
    pub(super) fn is_over(&self) -> bool {
        self.over.load(Ordering::Relaxed) > 0
    }

    /// Whether something waits for a reader.
    pub(super) fn is_some(&self) -> bool {
        self.queued.load(Ordering::Relaxed) > 0
    }

    /// Returns when a channel that held too much does not any more. For one waiter.
    pub(super) async fn relieved(&self) {
        self.relieved.notified().await;
    }

    /// The next window, after one of `current` was granted to `inbox`.
    pub(super) fn window(&self, inbox: Option<&Inbox>, current: u32) -> u32 {
        let queued = self.queued.load(Ordering::Relaxed);
        if !self.is_over() {
            return WINDOW_BYTES;
        }
        // Another channel gets its turn: the next window is for whoever sends next, most likely
        // the same channel. When it is not, the loss is one such window.
        let is_free = inbox.is_some_and(|i| !i.is_over());
        if is_free && current == TRICKLE && queued < MAX_BYTES / 2 {
            SHARED_WINDOW
        } else {
            TRICKLE
        }
    }
}

/// What a client sent on one channel.
pub(super) struct Inbox {
    state: Mutex<State>,
    changed: Notify,
    closed: CancellationToken,
    pressure: Arc<Pressure>,
}

#[derive(Default)]
struct State {
    chunks: VecDeque<BytesMut>,
    controls: VecDeque<Frame>,
    queued: usize,
    is_ended: bool,
    is_closed: bool,
    is_lost: bool,
}

/// What comes out of an inbox.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Input {
    /// Data.
    Data(Bytes),
    /// A signal or a new size; these overtake data.
    Control(Frame),
    /// No more data will come.
    End,
    /// The client closed the channel, or is gone.
    Closed,
}

impl Inbox {
    pub(super) fn new(pressure: Arc<Pressure>) -> Self {
        Self {
            state: Mutex::default(),
            changed: Notify::new(),
            closed: CancellationToken::new(),
            pressure,
        }
    }

    /// Takes in data.
    pub(super) fn push(&self, data: &[u8]) -> Result<(), Overrun> {
        let mut state = self.lock();
        if state.is_closed || data.is_empty() {
            return Ok(());
        }
        match state.chunks.back_mut() {
            Some(last) if last.len() + data.len() <= JOIN_BYTES => last.extend_from_slice(data),
            Some(_) | None => {
                let mut chunk = BytesMut::with_capacity(data.len());
                chunk.extend_from_slice(data);
                state.chunks.push_back(chunk);
            }
        }
        self.count(&mut state, data.len(), 0);
        drop(state);
        self.changed.notify_one();
        let queued = self.pressure.queued.load(Ordering::Relaxed);
        if queued > MAX_BYTES { Err(Overrun) } else { Ok(()) }
    }

    /// Takes in a signal or a new size.
    pub(super) fn control(&self, frame: Frame) {
        let mut state = self.lock();
        if matches!(frame, Frame::Resize { .. }) {
            state.controls.retain(|f| !matches!(f, Frame::Resize { .. }));
        }
        if state.controls.len() < MAX_CONTROLS {
            state.controls.push_back(frame);
        }
        drop(state);
        self.changed.notify_one();
    }

    /// No more data will come.
    pub(super) fn end(&self) {
        self.lock().is_ended = true;
        self.changed.notify_one();
    }

    /// The client closed the channel. What it sent before its end is still to be read; without an
    /// end it is dropped.
    pub(super) fn close(&self) {
        let keeps = self.lock().is_ended;
        self.finish(keeps);
    }

    fn finish(&self, keeps: bool) {
        let mut state = self.lock();
        state.is_closed = true;
        if !keeps {
            state.chunks.clear();
            let queued = state.queued;
            self.count(&mut state, 0, queued);
        }
        drop(state);
        self.closed.cancel();
        self.changed.notify_one();
    }

    /// The connection is gone and took the channel with it.
    pub(super) fn lose(&self) {
        self.lock().is_lost = true;
        self.finish(false);
    }

    /// Whether the channel is closed.
    pub(super) fn is_closed(&self) -> bool {
        self.closed.is_cancelled()
    }

    /// Whether the connection is gone.
    pub(super) fn is_lost(&self) -> bool {
        self.lock().is_lost
    }

    /// Waits until the channel is closed, for whoever is not at [`Inbox::next`].
    pub(super) async fn closed(&self) {
        self.closed.cancelled().await;
    }

    /// Is cancelled when the channel is closed.
    pub(super) fn closing(&self) -> CancellationToken {
        self.closed.clone()
    }

    /// The next thing. After [`Input::End`] only controls and [`Input::Closed`] follow; `ended`
    /// says that it was seen. For one reader.
    pub(super) async fn next(&self, ended: bool) -> Input {
        loop {
            if let Some(input) = self.take(ended) {
                return input;
            }
            self.changed.notified().await;
        }
    }

    fn take(&self, ended: bool) -> Option<Input> {
        let mut state = self.lock();
        if let Some(frame) = state.controls.pop_front() {
            return Some(Input::Control(frame));
        }
        if let Some(chunk) = state.chunks.pop_front() {
            self.count(&mut state, 0, chunk.len());
            return Some(Input::Data(chunk.freeze()));
        }
        if state.is_ended && !state.is_lost && !ended {
            return Some(Input::End);
        }
        state.is_closed.then_some(Input::Closed)
    }

    fn is_over(&self) -> bool {
        self.lock().queued > HIGH_BYTES
    }

    fn count(&self, state: &mut State, more: usize, less: usize) {
        let was_over = state.queued > HIGH_BYTES;
        state.queued = state.queued + more - less;
        self.pressure.queued.fetch_add(more, Ordering::Relaxed);
        self.pressure.queued.fetch_sub(less, Ordering::Relaxed);
        match (was_over, state.queued > HIGH_BYTES) {
            (false, true) => {
                self.pressure.over.fetch_add(1, Ordering::Relaxed);
            }
            (true, false) => {
                self.pressure.over.fetch_sub(1, Ordering::Relaxed);
                self.pressure.relieved.notify_one();
            }
            (false, false) | (true, true) => {}
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Inbox {
    fn drop(&mut self) {
        self.finish(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn inbox(pressure: &Arc<Pressure>) -> Inbox {
        Inbox::new(Arc::clone(pressure))
    }

    #[tokio::test]
    async fn signals_overtake_data_and_the_end_is_said_once() {
        let inbox = inbox(&Arc::default());
        inbox.push(b"ab").unwrap();
        inbox.push(b"c").unwrap();
        inbox.end();
        inbox.control(Frame::Resize { cols: 1, rows: 1 });
        inbox.control(Frame::Resize { cols: 2, rows: 2 });
        assert_eq!(inbox.next(false).await, Input::Control(Frame::Resize { cols: 2, rows: 2 }));
        assert_eq!(inbox.next(false).await, Input::Data(Bytes::from_static(b"abc")));
        assert_eq!(inbox.next(false).await, Input::End);
        inbox.control(Frame::Signal("INT".into()));
        assert_eq!(inbox.next(true).await, Input::Control(Frame::Signal("INT".into())));
        inbox.close();
        assert_eq!(inbox.next(true).await, Input::Closed);
    }

    #[tokio::test]
    async fn what_was_sent_before_the_end_outlives_the_channel() {
        let (closed, lost) = (inbox(&Arc::default()), inbox(&Arc::default()));
        closed.push(b"answer").unwrap();
        closed.end();
        closed.close();
        assert_eq!(closed.next(false).await, Input::Data(Bytes::from_static(b"answer")));
        assert_eq!(closed.next(false).await, Input::End);
        assert_eq!(closed.next(true).await, Input::Closed);
        lost.push(b"answer").unwrap();
        lost.end();
        lost.lose();
        assert_eq!(lost.next(false).await, Input::Closed);
    }

    #[tokio::test]
    async fn windows_shrink_while_nobody_reads_and_grow_again() {
        let pressure = Arc::default();
        let (slow, quick) = (inbox(&pressure), inbox(&pressure));
        slow.push(&vec![0; HIGH_BYTES]).unwrap();
        assert_eq!(pressure.window(Some(&slow), WINDOW_BYTES), WINDOW_BYTES);
        slow.push(&[0]).unwrap();
        assert_eq!(pressure.window(Some(&slow), WINDOW_BYTES), TRICKLE);
        assert_eq!(pressure.window(Some(&slow), TRICKLE), TRICKLE);
        assert_eq!(pressure.window(Some(&quick), TRICKLE), SHARED_WINDOW);
        assert_eq!(pressure.window(Some(&quick), SHARED_WINDOW), TRICKLE);
        slow.next(false).await;
        assert_eq!(pressure.window(Some(&slow), TRICKLE), WINDOW_BYTES);
    }

    #[test]
    fn a_client_that_ignores_windows_is_given_up() {
        let pressure = Arc::default();
        let inbox = inbox(&pressure);
        let chunk = vec![0; MAX_BYTES / 4];
        (0..4).for_each(|_| inbox.push(&chunk).unwrap());
        assert_eq!(inbox.push(&chunk), Err(Overrun));
        drop(inbox);
        assert_eq!(pressure.queued.load(Ordering::Relaxed), 0);
        assert!(!pressure.is_over());
    }
}
