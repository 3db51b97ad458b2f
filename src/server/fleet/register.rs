//! The register of live sessions: who is in which workspace now, through what, and how to cut them.

use std::collections::BTreeMap;
use std::ops::Deref;
use std::sync::atomic::{AtomicI64, AtomicU32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::notices::MAX_WAITING;
use super::recorder::Log;
use crate::clock::Clock;
use crate::model::id::{AgentId, SessionId, UserId, WorkspaceId};
use crate::model::session::{EndReason, SessionKind, Shown};
use crate::model::time::Timestamp;
use crate::model::verb::Verb;

/// Seconds before the end of a right at which whoever is in the workspace by it is told.
const SAID_BEFORE_S: [u32; 2] = [600, 60];

/// Why a session is cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The right that it stands on ended.
    Right,
    /// The sign-in that it was begun by ended at its provider.
    SignIn,
    /// The token or the key that it was begun by was ended.
    Proof,
    /// It began when nobody demanded that it is recorded.
    Unrecorded,
    /// It is not on record, or not all of it, and may not go on without.
    Record,
}

impl Cause {
    /// What its person is told.
    #[must_use]
    pub const fn told(self) -> &'static str {
        match self {
            Self::Right => "Your right to this workspace ended.",
            Self::SignIn => "Your sign-in ended, and what you opened by it with that.",
            Self::Proof => "The sign-in or the key that you came by was ended.",
            Self::Unrecorded => {
                "What is done in this workspace is recorded from now on. Connect again to go on."
            }
            Self::Record => "The session could not be recorded, and may not go on without that.",
        }
    }
}

/// One live session.
#[derive(Debug)]
pub struct Live {
    /// What it was entered with.
    entry: Entry,
    /// Is cancelled when the right to it ends; whoever carries it then ends it at once.
    pub cut: CancellationToken,
    /// Why it was cut.
    cause: OnceLock<Cause>,
    /// What passes it and is in no recording; none before the first.
    pub(super) transfers: OnceLock<Arc<Log>>,
    /// What its person is told while it lasts.
    notices: mpsc::Sender<String>,
    /// Whoever carries it takes them out once.
    heard: Mutex<Option<mpsc::Receiver<String>>>,
    /// Seconds before its end at which its person was told last; `u32::MAX` for not yet.
    told_at: AtomicU32,
    /// Whether its row is written, as soon as that is known; nothing is carried before.
    recorded: watch::Sender<Option<bool>>,
    bytes_out: AtomicU64,
    bytes_in: AtomicU64,
    clock: Clock,
    /// When something last came from the person, in seconds.
    active_at: AtomicI64,
}

/// What a session is entered with.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its id, in the table `connections` too.
    pub id: SessionId,
    /// Who.
    pub user: UserId,
    /// Where.
    pub workspace: WorkspaceId,
    /// In which agent.
    pub agent: AgentId,
    /// Through what.
    pub kind: SessionKind,
    /// What its user had shown.
    pub shown: Shown,
    /// The right that it stands on.
    pub right: Verb,
    /// Whether the grant that it stands on demands a recording.
    pub demands_recording: bool,
}

impl Deref for Live {
    type Target = Entry;

    fn deref(&self) -> &Entry {
        &self.entry
    }
}

impl Live {
    /// Has whoever carries it end it at once.
    pub fn cut_for(&self, cause: Cause) {
        // The first cause is the one that counts.
        let _ = self.cause.set(cause);
        self.cut.cancel();
    }

    /// What its person is told about a cut.
    #[must_use]
    pub fn told(&self) -> &'static str {
        self.cause.get().copied().unwrap_or(Cause::Right).told()
    }

    /// Counts bytes from the workspace to the person.
    pub fn sent(&self, n: usize) {
        self.bytes_out.fetch_add(u64::try_from(n).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    /// Counts bytes from the person to the workspace.
    pub fn received(&self, n: usize) {
        self.bytes_in.fetch_add(u64::try_from(n).unwrap_or(u64::MAX), Ordering::Relaxed);
        self.active_at.store(self.clock.now().0, Ordering::Relaxed);
    }

    /// When something last came from the person.
    #[must_use]
    pub fn active_at(&self) -> Timestamp {
        Timestamp(self.active_at.load(Ordering::Relaxed))
    }

    /// What its person is told while it lasts; none when somebody else has taken it.
    #[must_use]
    pub fn notices(&self) -> Option<mpsc::Receiver<String>> {
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Whether it is time to say that the right to it ends in so many seconds.
    #[must_use]
    pub fn is_end_due(&self, left_s: i64) -> bool {
        due(left_s).is_some_and(|due| due < self.told_at.load(Ordering::Relaxed))
    }

    /// Says that the right to it ends in so many seconds, at each of the times when that is said, and how
    /// to ask for more: `place` is the workspace's owner and name.
    pub fn say_end(&self, left_s: i64, place: &str) {
        let Some(due) = due(left_s) else { return };
        if self.told_at.swap(due, Ordering::Relaxed) <= due {
            return;
        }
        let minutes = u32::try_from(left_s).unwrap_or(0).div_ceil(60).max(1);
        let unit = if minutes == 1 { "minute" } else { "minutes" };
        let text = format!(
            "Your right to this workspace ends in {minutes} {unit}. Ask for more time on its page, or by: \
             steading requests create {place} --for 1h --reason TEXT"
        );
        // Who does not read is not waited for.
        let _ = self.notices.try_send(text);
    }

    /// Its row is written, or cannot be: then it is cut.
    pub fn set_recorded(&self, is_recorded: bool) {
        self.recorded.send_replace(Some(is_recorded));
        if !is_recorded {
            self.cut_for(Cause::Record);
        }
    }

    /// Waits until it is known whether its row is written.
    pub async fn settled(&self) -> bool {
        let mut recorded = self.recorded.subscribe();
        recorded.wait_for(Option::is_some).await.is_ok_and(|known| *known == Some(true))
    }

    /// Waits until its row is written. Returns whether the session may go on.
    pub async fn recorded(&self) -> bool {
        tokio::select! {
            // One that was cut opens nothing more, also when its row was written before.
            biased;
            () = self.cut.cancelled() => false,
            is_recorded = self.settled() => is_recorded,
        }
    }

    /// Bytes to the person and from the person so far.
    #[must_use]
    pub fn bytes(&self) -> (u64, u64) {
        (self.bytes_out.load(Ordering::Relaxed), self.bytes_in.load(Ordering::Relaxed))
    }

    /// Why it ended, when whoever carried it says `reason`: a cut is told as one.
    #[must_use]
    pub fn end_reason(&self, reason: EndReason) -> EndReason {
        if self.cut.is_cancelled() { EndReason::Revoked } else { reason }
    }
}

/// At which of the times before its end that is said a right with so many seconds left is.
fn due(left_s: i64) -> Option<u32> {
    let left = u32::try_from(left_s).unwrap_or(0);
    SAID_BEFORE_S.iter().copied().filter(|s| left <= *s).min()
}

/// All live sessions. Rebuilt from reconnects after a restart, never trusted from before.
#[derive(Debug, Default)]
pub struct Register(Mutex<BTreeMap<SessionId, Arc<Live>>>);

impl Register {
    /// Enters a session.
    pub fn enter(&self, entry: Entry, clock: &Clock) -> Arc<Live> {
        let (notices, heard) = mpsc::channel(MAX_WAITING);
        let live = Arc::new(Live {
            notices,
            heard: Mutex::new(Some(heard)),
            told_at: AtomicU32::new(u32::MAX),
            entry,
            cut: CancellationToken::new(),
            cause: OnceLock::new(),
            transfers: OnceLock::new(),
            recorded: watch::Sender::new(None),
            bytes_out: AtomicU64::new(0),
            bytes_in: AtomicU64::new(0),
            active_at: AtomicI64::new(clock.now().0),
            clock: clock.clone(),
        });
        self.lock().insert(live.id, Arc::clone(&live));
        live
    }

    /// Takes a session out.
    pub fn leave(&self, id: SessionId) -> Option<Arc<Live>> {
        self.lock().remove(&id)
    }

    /// A live session.
    #[must_use]
    pub fn find(&self, id: SessionId) -> Option<Arc<Live>> {
        self.lock().get(&id).cloned()
    }

    /// The sessions that `which` picks.
    #[must_use]
    pub fn pick(&self, which: impl Fn(&Live) -> bool) -> Vec<Arc<Live>> {
        self.lock().values().filter(|l| which(l)).cloned().collect()
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<SessionId, Arc<Live>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_counts_leaves_and_tells_a_cut() {
        let register = Register::default();
        let nil = uuid::Uuid::nil();
        let entry = Entry {
            id: SessionId(nil),
            user: UserId(nil),
            workspace: WorkspaceId(nil),
            agent: AgentId(nil),
            kind: SessionKind::Ssh,
            shown: Shown::default(),
            right: Verb::Connect,
            demands_recording: false,
        };
        let live = register.enter(entry, &Clock::machine());
        live.sent(3);
        live.received(2);
        assert_eq!(live.bytes(), (3, 2));
        assert_eq!(live.end_reason(EndReason::Closed), EndReason::Closed);
        let mut heard = live.notices().unwrap();
        for left in [700, 601, 600, 540, 61, 60, 2] {
            assert_eq!(live.is_end_due(left), matches!(left, 600 | 60), "{left}");
            live.say_end(left, "ada/kiln");
        }
        assert!(heard.try_recv().unwrap().contains("in 10 minutes"));
        let last = heard.try_recv().unwrap();
        assert!(last.contains("in 1 minute.") && last.contains("create ada/kiln"), "{last}");
        assert!(heard.try_recv().is_err());
        live.cut_for(Cause::SignIn);
        live.cut_for(Cause::Right);
        assert!(live.told().contains("sign-in"), "the first cause counts");
        assert_eq!(live.end_reason(EndReason::Closed), EndReason::Revoked);
        assert_eq!(register.pick(|l| l.user == UserId(nil)).len(), 1);
        assert!(register.leave(SessionId(nil)).is_some());
        assert!(register.find(SessionId(nil)).is_none());
    }
}
