//! Who watches a terminal, whose size it has, and who could not keep up. Pure but for the queues.
//!
//! The quickest gives the pace: what runs waits for them as on any terminal, so that nothing is
//! missing above their screen. Nobody waits for those who are slower, or take nothing at all, but for
//! those who are recorded: what they did not get would be in no recording.

use std::collections::BTreeMap;
use std::time::Duration;

use futures_util::future::select_all;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout_at};

use crate::wire::frame::Frame;

/// Frames that wait for an attachment. At 16 KiB each it is 512 KiB; whoever is slower than others
/// gets the screen as it is once the queue is empty.
pub(super) const QUEUED_FRAMES: usize = 32;

/// Attachments of one terminal.
pub(super) const MAX_ATTACHMENTS: usize = 32;

/// How long what runs is held up when nobody takes anything.
const PATIENCE: Duration = Duration::from_millis(250);

/// How long it is held up for one that has to get everything. Then that one is let go.
const LONGER_PATIENCE: Duration = Duration::from_secs(2);

/// One attachment's number, unique in a terminal's life.
pub(super) type AttachmentId = u64;

#[derive(Default)]
pub(super) struct Attachments {
    all: BTreeMap<AttachmentId, Attachment>,
    next: AttachmentId,
    /// Since when room is waited for.
    full_since: Option<Instant>,
}

struct Attachment {
    frames: mpsc::Sender<Frame>,
    size: (u16, u16),
    /// When it was last active, counted up.
    active: u64,
    lags: bool,
    misses_nothing: bool,
}

impl Attachment {
    fn keeps_up(&self) -> bool {
        !self.lags && !self.frames.is_closed()
    }

    /// Whether what runs waits for it, whoever else has room.
    fn holds_up(&self) -> bool {
        self.misses_nothing && self.keeps_up() && self.frames.capacity() == 0
    }
}

impl Attachments {
    /// Adds one and shows it the screen. None when there are too many.
    pub(super) fn add(
        &mut self,
        frames: mpsc::Sender<Frame>,
        (size, misses_nothing): ((u16, u16), bool),
        screen: Vec<u8>,
    ) -> Option<AttachmentId> {
        self.prune();
        if self.all.len() >= MAX_ATTACHMENTS {
            return None;
        }
        self.next += 1;
        let lags = !split(screen).all(|frame| frames.try_send(frame).is_ok());
        let attachment = Attachment { frames, size, active: self.next, lags, misses_nothing };
        self.all.insert(self.next, attachment);
        Some(self.next)
    }

    /// One is active, perhaps with a new size.
    pub(super) fn touch(&mut self, id: AttachmentId, size: Option<(u16, u16)>) {
        self.next += 1;
        if let Some(attachment) = self.all.get_mut(&id) {
            attachment.active = self.next;
            attachment.size = size.unwrap_or(attachment.size);
        }
    }

    /// One left.
    pub(super) fn remove(&mut self, id: AttachmentId) {
        self.all.remove(&id);
    }

    /// Forgets those whose other end is gone.
    pub(super) fn prune(&mut self) {
        self.all.retain(|_, a| !a.frames.is_closed());
    }

    /// The size of the one that was active last.
    pub(super) fn size(&self) -> Option<(u16, u16)> {
        self.all.values().max_by_key(|a| a.active).map(|a| a.size)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// Whether one waits for the screen because it could not keep up.
    pub(super) fn lags(&self) -> bool {
        self.all.values().any(|a| a.lags)
    }

    /// Passes a frame to all who keep up. To be called when it is not [full](Self::is_full).
    pub(super) fn send(&mut self, frame: &Frame) {
        for attachment in self.all.values_mut().filter(|a| !a.lags) {
            attachment.lags = attachment.frames.try_send(frame.clone()).is_err();
        }
        self.full_since = None;
    }

    /// Whether nobody who keeps up has room for another frame, or one that has to get it has none.
    pub(super) fn is_full(&self) -> bool {
        if self.all.values().any(Attachment::holds_up) {
            return true;
        }
        let mut up = self.all.values().filter(|a| a.keeps_up()).peekable();
        up.peek().is_some() && up.all(|a| a.frames.capacity() == 0)
    }

    /// Waits until the quickest has room, and those who have to get everything. When nobody takes
    /// anything, all keep up no longer. To be called when it [is full](Self::is_full).
    pub(super) async fn room(&mut self) {
        let since = *self.full_since.get_or_insert_with(Instant::now);
        if let Some(slow) = self.all.values().find(|a| a.holds_up()) {
            if timeout_at(since + LONGER_PATIENCE, slow.frames.reserve()).await.is_err() {
                self.all.retain(|_, a| !a.holds_up());
            }
            self.full_since = None;
            return;
        }
        let until = since + PATIENCE;
        let waiting = self.all.values().filter(|a| a.keeps_up());
        let waiting: Vec<_> = waiting.map(|a| Box::pin(a.frames.reserve())).collect();
        if waiting.is_empty() {
            return;
        }
        let in_time = timeout_at(until, select_all(waiting)).await.is_ok();
        self.full_since = None;
        if !in_time {
            self.all.values_mut().for_each(|a| a.lags = true);
        }
    }

    /// Shows the screen to those who have taken all that waited for them.
    pub(super) fn catch_up(&mut self, mut screen: impl FnMut() -> Vec<u8>) {
        for attachment in self.all.values_mut().filter(|a| a.lags) {
            if attachment.frames.capacity() == attachment.frames.max_capacity() {
                attachment.lags =
                    !split(screen()).all(|frame| attachment.frames.try_send(frame).is_ok());
            }
        }
    }

    /// Passes the last frame on and lets all go.
    pub(super) async fn finish(&mut self, frame: &Frame) {
        for attachment in std::mem::take(&mut self.all).into_values() {
            let sending = attachment.frames.send(frame.clone());
            let _ = tokio::time::timeout(FAREWELL, sending).await;
        }
    }
}

/// How long an attachment has to take the last frame.
const FAREWELL: Duration = Duration::from_secs(5);

fn split(screen: Vec<u8>) -> impl Iterator<Item = Frame> {
    let mut rest = bytes::Bytes::from(screen);
    std::iter::from_fn(move || {
        let len = rest.len().min(crate::wire::frame::MAX_FRAME_BYTES);
        (len > 0).then(|| Frame::Stdout(rest.split_to(len)))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_size_is_that_of_the_last_active() {
        let mut all = Attachments::default();
        let (a, _ra) = mpsc::channel(QUEUED_FRAMES);
        let (b, _rb) = mpsc::channel(QUEUED_FRAMES);
        let a = all.add(a, ((80, 24), false), vec![]).unwrap();
        let b = all.add(b, ((100, 30), false), vec![]).unwrap();
        assert_eq!(all.size(), Some((100, 30)));
        all.touch(a, None);
        assert_eq!(all.size(), Some((80, 24)));
        all.touch(b, Some((90, 20)));
        assert_eq!(all.size(), Some((90, 20)));
        all.remove(b);
        assert_eq!(all.size(), Some((80, 24)));
    }

    fn full(all: &mut Attachments) -> (mpsc::Receiver<Frame>, AttachmentId) {
        let (frames, end) = mpsc::channel(2);
        let id = all.add(frames, ((80, 24), false), vec![]).unwrap();
        (0..2u8).for_each(|n| all.send(&Frame::Stdout(vec![n].into())));
        (end, id)
    }

    #[tokio::test]
    async fn what_runs_waits_for_the_quickest() {
        let mut all = Attachments::default();
        let (mut end, _) = full(&mut all);
        assert!(all.is_full());
        end.try_recv().unwrap();
        all.room().await;
        assert!(!all.is_full() && !all.lags());
        let (quick, _quick_end) = mpsc::channel(QUEUED_FRAMES);
        all.add(quick, ((80, 24), false), vec![]).unwrap();
        (0..3u8).for_each(|n| all.send(&Frame::Stdout(vec![n].into())));
        assert!(!all.is_full(), "one has room");
        assert!(all.lags(), "and the other is not waited for");
    }

    #[tokio::test]
    async fn who_has_to_get_everything_is_waited_for_and_then_let_go() {
        let mut all = Attachments::default();
        let (slow, mut slow_end) = mpsc::channel(1);
        let (quick, mut quick_end) = mpsc::channel(QUEUED_FRAMES);
        all.add(slow, ((80, 24), true), vec![]).unwrap();
        all.add(quick, ((80, 24), false), vec![]).unwrap();
        all.send(&Frame::Stdout(vec![0].into()));
        assert!(all.is_full());
        slow_end.try_recv().unwrap();
        all.room().await;
        assert!(!all.is_full());
        all.send(&Frame::Stdout(vec![1].into()));
        all.room().await;
        assert!(!all.is_full() && !all.lags());
        all.send(&Frame::Stdout(vec![2].into()));
        let got =
            |end: &mut mpsc::Receiver<Frame>| std::iter::from_fn(|| end.try_recv().ok()).count();
        assert_eq!((got(&mut slow_end), got(&mut quick_end)), (1, 3));
        assert_eq!(slow_end.try_recv(), Err(mpsc::error::TryRecvError::Disconnected));
    }

    #[tokio::test]
    async fn nobody_who_takes_nothing_is_waited_for_long() {
        let mut all = Attachments::default();
        let (_end, id) = full(&mut all);
        all.room().await;
        assert!(all.lags() && !all.is_full());
        all.remove(id);
        let (end, _) = full(&mut all);
        assert!(all.is_full());
        drop(end);
        assert!(!all.is_full(), "who left has no say");
        all.room().await;
    }

    #[test]
    fn who_is_slow_gets_the_screen_and_nobody_waits() {
        let mut all = Attachments::default();
        let (slow, mut slow_end) = mpsc::channel(2);
        let (quick, mut quick_end) = mpsc::channel(QUEUED_FRAMES);
        all.add(slow, ((80, 24), false), vec![]).unwrap();
        all.add(quick, ((80, 24), false), vec![]).unwrap();
        (0..5u8).for_each(|n| all.send(&Frame::Stdout(vec![n].into())));
        assert!(all.lags());
        all.catch_up(|| b"early".to_vec());
        assert_eq!(slow_end.try_recv(), Ok(Frame::Stdout(vec![0].into())));
        assert_eq!(slow_end.try_recv(), Ok(Frame::Stdout(vec![1].into())));
        all.catch_up(|| b"screen".to_vec());
        assert!(!all.lags());
        assert_eq!(slow_end.try_recv(), Ok(Frame::Stdout("screen".into())));
        assert_eq!(std::iter::from_fn(|| quick_end.try_recv().ok()).count(), 5);
        drop(quick_end);
        all.prune();
        assert!(!all.is_empty());
    }
}
