//! What waits to be recorded: bounded in bytes, whatever comes.

use std::collections::VecDeque;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use tokio::sync::Notify;

use crate::model::recording::WhenFull;
use crate::model::recording::events::What;

/// Bytes that wait for a recorder. It empties this in a tenth of a second while the disk keeps up.
const MAX_WAITING: usize = 4 << 20;
/// Bytes that are taken out at once: so long is a thread busy with one recording.
const MAX_TAKEN: usize = 256 << 10;
/// What an event takes besides its bytes.
const OVERHEAD: usize = 96;
/// Bytes a second that are recorded in the long run, where sessions do not wait. Nobody reads more,
/// and one session may neither take a processor nor fill the disk by being loud.
const RATE: i64 = 4 << 20;
/// Bytes that may come at once.
const BURST: i64 = 8 << 20;

/// Something that happened.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// When, in milliseconds from the recording's beginning.
    pub(super) at_ms: i64,
    /// What; none where only something is missing.
    pub(super) what: Option<What>,
    /// Bytes that were left out before it.
    pub(super) lost: u64,
}

/// Between one session and its recorder.
pub(super) struct Queue {
    when_full: WhenFull,
    state: Mutex<State>,
    filled: Notify,
}

struct State {
    pieces: VecDeque<Piece>,
    waiting: usize,
    /// Bytes that were left out since the last piece, and when the last of them came.
    lost: u64,
    lost_ms: i64,
    /// Bytes that may come now, and when that was last counted.
    allowance: i64,
    counted_ms: i64,
    is_closed: bool,
    /// Nothing is recorded any more, whatever comes.
    is_over: bool,
    /// The session ends with that.
    must_end: bool,
    /// Who waits for room: reader and writer may be different tasks.
    reader: Option<Waker>,
    writer: Option<Waker>,
    /// Who is told that the session ends.
    ending: Option<Waker>,
}

/// Who asks for room.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asking {
    /// Who reads from the session's stream.
    Reader,
    /// Who writes to it.
    Writer,
}

/// What a recorder takes out.
#[derive(Default)]
pub(super) struct Taken {
    pub(super) pieces: VecDeque<Piece>,
    /// Nothing else waits.
    pub(super) is_all: bool,
    /// Nothing else comes.
    pub(super) is_closed: bool,
}

impl Queue {
    pub(super) fn new(when_full: WhenFull) -> Self {
        let state = State {
            pieces: VecDeque::new(),
            waiting: 0,
            lost: 0,
            lost_ms: 0,
            allowance: BURST,
            counted_ms: 0,
            is_closed: false,
            is_over: false,
            must_end: false,
            ending: None,
            reader: None,
            writer: None,
        };
        Self { when_full, state: Mutex::new(state), filled: Notify::new() }
    }

    /// Puts an event in, or counts what is left out for want of room.
    pub(super) fn put(&self, at_ms: i64, what: What) {
        let passed = what.passed();
        let mut state = self.lock();
        if state.is_over || state.replaces_size(at_ms, &what) {
            return;
        }
        if self.when_full == WhenFull::Continue && !state.admits(at_ms, passed) {
            state.lost += passed as u64;
            state.lost_ms = at_ms;
            return;
        }
        state.waiting += passed + OVERHEAD;
        let lost = std::mem::take(&mut state.lost);
        state.pieces.push_back(Piece { at_ms, what: Some(what), lost });
        drop(state);
        self.filled.notify_one();
    }

    /// Whether the session may go on; where it is to wait for its recorder it is woken when it may.
    pub(super) fn poll_room(&self, cx: &Context<'_>, asking: Asking) -> Poll<()> {
        let mut state = self.lock();
        let has_room = state.is_over || state.waiting < MAX_WAITING;
        if self.when_full == WhenFull::Continue || has_room {
            return Poll::Ready(());
        }
        let waker = Some(cx.waker().clone());
        match asking {
            Asking::Reader => state.reader = waker,
            Asking::Writer => state.writer = waker,
        }
        Poll::Pending
    }

    /// Nothing is recorded any more. The session goes on without that, unless it `must_end`.
    pub(super) fn end(&self, must_end: bool) {
        let mut state = self.lock();
        (state.is_over, state.must_end) = (true, must_end);
        state.pieces.clear();
        state.waiting = 0;
        let waiting = [state.reader.take(), state.writer.take(), state.ending.take()];
        drop(state);
        waiting.into_iter().flatten().for_each(Waker::wake);
    }

    /// Whether the session must end.
    pub(super) fn must_end(&self) -> bool {
        self.lock().must_end
    }

    /// The same for the session's reader, who is woken when it comes to be so.
    pub(super) fn poll_must_end(&self, cx: &Context<'_>) -> bool {
        let mut state = self.lock();
        state.ending = Some(cx.waker().clone());
        state.must_end
    }

    /// Nothing more comes.
    pub(super) fn close(&self) {
        self.lock().is_closed = true;
        self.filled.notify_one();
    }

    /// Whether nothing more comes.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().is_closed
    }

    /// Waits for something to be put in.
    pub(super) async fn filled(&self) {
        self.filled.notified().await;
    }

    /// Takes out what came first, up to [`MAX_TAKEN`] bytes and one event.
    pub(super) fn take(&self) -> Taken {
        let mut state = self.lock();
        let (mut pieces, mut taken) = (VecDeque::new(), 0);
        while taken < MAX_TAKEN
            && let Some(piece) = state.pieces.pop_front()
        {
            taken += piece.size();
            pieces.push_back(piece);
        }
        state.waiting = state.waiting.saturating_sub(taken);
        let is_all = state.pieces.is_empty();
        if is_all && state.is_closed && state.lost > 0 {
            let lost = std::mem::take(&mut state.lost);
            pieces.push_back(Piece { at_ms: state.lost_ms, what: None, lost });
        }
        let taken = Taken { pieces, is_all, is_closed: is_all && state.is_closed };
        if !is_all {
            self.filled.notify_one();
        }
        let waiting = [state.reader.take(), state.writer.take()];
        drop(state);
        waiting.into_iter().flatten().for_each(Waker::wake);
        taken
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Piece {
    /// What it takes while it waits.
    fn size(&self) -> usize {
        self.what.as_ref().map_or(0, What::passed) + OVERHEAD
    }
}

impl State {
    /// Takes a size in the place of the one before it, if nothing came between: a window that is
    /// dragged says its size all the time, and only the last one matters.
    fn replaces_size(&mut self, at_ms: i64, what: &What) -> bool {
        let Some(last) = self.pieces.back_mut().filter(|_| self.lost == 0) else { return false };
        let are_sizes =
            matches!(what, What::Resize { .. }) && matches!(last.what, Some(What::Resize { .. }));
        if are_sizes {
            (last.at_ms, last.what) = (at_ms, Some(what.clone()));
        }
        are_sizes
    }

    fn admits(&mut self, at_ms: i64, passed: usize) -> bool {
        let since_ms = at_ms.saturating_sub(self.counted_ms).clamp(0, 10_000);
        self.counted_ms = at_ms;
        self.allowance = (self.allowance + since_ms * RATE / 1000).min(BURST);
        let size = i64::try_from(passed).unwrap_or(i64::MAX);
        if self.waiting.saturating_add(passed) > MAX_WAITING || self.allowance < size {
            return false;
        }
        self.allowance -= size;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::task::Wake;

    use bytes::Bytes;

    use super::*;

    struct Nobody;
    impl Wake for Nobody {
        fn wake(self: std::sync::Arc<Self>) {}
    }

    fn output(n: usize) -> What {
        What::Output(Bytes::from(vec![b'x'; n]))
    }

    fn all(queue: &Queue) -> VecDeque<Piece> {
        let mut all = VecDeque::new();
        loop {
            let taken = queue.take();
            let size: usize = taken.pieces.iter().map(Piece::size).sum();
            assert!(size < MAX_TAKEN + (64 << 10) + 2 * OVERHEAD);
            if taken.pieces.is_empty() {
                return all;
            }
            all.extend(taken.pieces);
        }
    }

    #[test]
    fn a_window_that_is_dragged_is_one_size() {
        let queue = Queue::new(WhenFull::End);
        for n in 2..1000 {
            queue.put(i64::from(n), What::Resize { cols: n, rows: n });
        }
        queue.put(1000, output(1));
        queue.put(1001, What::Resize { cols: 80, rows: 24 });
        let sizes: Vec<i64> = queue.take().pieces.iter().map(|piece| piece.at_ms).collect();
        assert_eq!(sizes, [999, 1000, 1001]);
        queue.end(false);
        queue.put(1002, output(1));
        assert!(queue.take().pieces.is_empty(), "what is over takes nothing");
    }

    #[test]
    fn what_has_no_room_is_counted_and_told() {
        let queue = Queue::new(WhenFull::Continue);
        for _ in 0..100 {
            queue.put(0, output(64 << 10));
        }
        assert!(queue.lock().waiting <= MAX_WAITING + 100 * OVERHEAD);
        let kept = all(&queue).len();
        queue.put(1000, output(1));
        let lost = (100 - kept as u64) * (64 << 10);
        let taken = queue.take();
        let expected = Piece { at_ms: 1000, what: Some(output(1)), lost };
        assert_eq!(taken.pieces, [expected]);
        for _ in 0..200 {
            queue.put(1000, output(64 << 10));
        }
        queue.close();
        let last = all(&queue).pop_back().unwrap();
        assert!(last.what.is_none() && last.lost > 0, "the end tells it, too");
    }

    #[test]
    fn a_loud_session_is_recorded_at_a_rate() {
        let queue = Queue::new(WhenFull::Continue);
        let mut kept = 0;
        for ms in 0..10_000 {
            queue.put(ms, output(64 << 10));
            let pieces = queue.take().pieces;
            kept += pieces.iter().flat_map(|piece| &piece.what).map(What::passed).sum::<usize>();
        }
        let most = usize::try_from(BURST + 10 * RATE).unwrap();
        assert!(kept <= most && kept > most / 2, "{kept}");
    }

    #[test]
    fn a_session_waits_where_it_is_to() {
        let queue = Queue::new(WhenFull::End);
        let waker = Waker::from(std::sync::Arc::new(Nobody));
        let cx = Context::from_waker(&waker);
        while queue.poll_room(&cx, Asking::Reader).is_ready() {
            queue.put(0, output(64 << 10));
        }
        assert!(queue.lock().waiting <= MAX_WAITING + (64 << 10) + OVERHEAD);
        assert!(queue.poll_room(&cx, Asking::Writer).is_pending());
        assert!(queue.lock().reader.is_some() && queue.lock().writer.is_some());
        assert!(all(&queue).iter().all(|piece| piece.lost == 0));
        assert!(queue.lock().reader.is_none() && queue.lock().writer.is_none());
        assert!(queue.poll_room(&cx, Asking::Reader).is_ready());
        queue.close();
        assert!(queue.take().is_closed);
    }
}
