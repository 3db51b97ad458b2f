//! What was denied, gathered in memory and written into the audit log together: no answer waits for
//! it, so that nobody learns from how long one takes whether a name exists.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use uuid::Uuid;

use super::attempts::Came;
use super::{Actor, App, Keeper, Result, trail};
use crate::model::audit::{
    AuditAction, AuditActor, AuditEntry, AuditOutcome, AuditSource, AuditTarget, MAX_REASON,
};
use crate::model::time::Timestamp;
use crate::model::user::User;
use crate::server::db::audit;

/// Entries that one actor's refusals make in a minute. Who knocks on every door fills no log; how
/// often they did is told in one more entry.
pub const A_MINUTE: u32 = 10;
/// Refusals that may wait to be written; more than that in a second are many actors at once.
const MAX_WAITING: usize = 1024;
/// What is refused within this time is written together.
const GATHER: Duration = Duration::from_secs(1);
/// After so long the refusals of a minute that were only counted are told.
const MINUTE: Duration = Duration::from_secs(60);

/// What was denied, and why.
#[derive(Clone, Debug)]
pub struct Denied {
    /// What was asked for.
    pub entry: AuditEntry,
    /// The status of the answer.
    pub status: u16,
    /// What the answer said.
    pub reason: String,
}

/// Refusals that wait to be written.
#[derive(Default)]
pub struct Refusals {
    waiting: Mutex<Waiting>,
    wake: Notify,
}

#[derive(Default)]
struct Waiting {
    list: Vec<Refusal>,
    counted: BTreeMap<Uuid, Counted>,
}

#[derive(Clone)]
struct Refusal {
    source: AuditSource,
    denied: Denied,
}

/// The refusals of one actor in one minute.
struct Counted {
    minute: i64,
    n: u32,
    left_out: u32,
    last: Refusal,
}

impl Refusals {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a refusal of `whom`: the actor, or the user whom someone wanted to be.
    fn note(&self, whom: Uuid, refusal: Refusal, now: Timestamp) {
        let mut waiting = self.lock();
        waiting.note(whom, refusal, minute(now));
        drop(waiting);
        self.wake.notify_one();
    }
}

impl Waiting {
    fn note(&mut self, whom: Uuid, refusal: Refusal, minute: i64) {
        let known = self.counted.remove(&whom);
        let known = known
            .and_then(|known| if known.minute == minute { Some(known) } else { self.tell(known) });
        let Counted { n, left_out, .. } =
            known.unwrap_or(Counted { minute, n: 0, left_out: 0, last: refusal.clone() });
        let is_kept = n < A_MINUTE && self.list.len() < MAX_WAITING;
        let left_out = if is_kept { left_out } else { left_out.saturating_add(1) };
        let last = refusal.clone();
        if is_kept {
            self.list.push(refusal);
        }
        self.counted.insert(whom, Counted { minute, n: n.saturating_add(1), left_out, last });
    }

    /// One more entry for those of a minute that is over that were only counted.
    fn tell(&mut self, over: Counted) -> Option<Counted> {
        let Counted { left_out, mut last, .. } = over;
        if left_out > 0 {
            let more = match left_out {
                1 => String::new(),
                n => format!(" ({n} times in that minute, of which this is the last)"),
            };
            let room = MAX_REASON.saturating_sub(more.len());
            let reason: String = last.denied.reason.chars().take(room).collect();
            last.denied.reason = reason + &more;
            self.list.push(last);
        }
        None
    }

    /// What is to be written now.
    fn take(&mut self, minute: i64) -> Vec<Refusal> {
        let over: Vec<Uuid> =
            self.counted.iter().filter(|(_, c)| c.minute != minute).map(|(id, _)| *id).collect();
        for id in over {
            if let Some(counted) = self.counted.remove(&id) {
                self.tell(counted);
            }
        }
        std::mem::take(&mut self.list)
    }
}

fn minute(at: Timestamp) -> i64 {
    at.0.div_euclid(60)
}

impl App {
    /// Notes that an actor was denied a change, for the audit log.
    pub fn refuse(&self, actor: &Actor, denied: Denied) {
        let whom = match actor {
            Actor::User(caller) => caller.user.id.0,
            Actor::Agent { agent, .. } => agent.0,
            // A provider is answered what is wrong; the program is denied nothing.
            Actor::Scim(_) | Actor::Program(_) | Actor::System => return,
        };
        let refusal = Refusal { source: trail::source(actor), denied };
        self.refusals.note(whom, refusal, self.clock.now());
    }

    /// Notes that someone could not sign in as this user. Names there are not leave nothing.
    pub(super) fn refuse_sign_in(&self, user: &User, came: &Came, why: &str) {
        let source = AuditSource {
            ip: came.ip.to_string(),
            ..trail::asked(AuditActor::Nobody, came.request.as_deref())
        };
        let name = user.username.as_str();
        let entry = trail::entry(AuditAction::Login, AuditTarget::User, user.id.0, name);
        let denied = Denied { entry, status: 401, reason: why.to_owned() };
        let refusal = Refusal { source, denied };
        self.refusals.note(user.id.0, refusal, self.clock.now());
    }

    /// Notes that someone showed a wrong token for SCIM, or too many of them.
    pub(super) fn refuse_scim(&self, keeper: &Keeper, why: &str) {
        let source = AuditSource {
            ip: keeper.ip.clone(),
            ..trail::asked(AuditActor::Nobody, keeper.request.as_deref())
        };
        let entry = trail::entry(AuditAction::Login, AuditTarget::Setting, Uuid::nil(), "scim");
        let denied = Denied { entry, status: 401, reason: why.to_owned() };
        let refusal = Refusal { source, denied };
        self.refusals.note(Uuid::nil(), refusal, self.clock.now());
    }

    /// Writes what was refused.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_refusals(&self) -> Result<()> {
        let list = self.refusals.lock().take(minute(self.clock.now()));
        if list.is_empty() {
            return Ok(());
        }
        self.db
            .write(move |tx| {
                for Refusal { source, denied } in &list {
                    let outcome = AuditOutcome::refused(denied.status, &denied.reason);
                    audit::insert(tx, source, &denied.entry, &outcome)?;
                }
                Ok(())
            })
            .await
    }

    /// Writes what was refused, soon after it was, until it is dropped.
    pub async fn keep_refusals(self) {
        loop {
            // Either there is something, or a minute is over whose refusals are to be told.
            let _ = tokio::time::timeout(MINUTE, self.refusals.wake.notified()).await;
            tokio::time::sleep(GATHER).await;
            self.end_refusals().await;
        }
    }

    /// Writes what was refused, or says in the server's log that it could not.
    pub async fn end_refusals(&self) {
        if let Err(error) = self.write_refusals().await {
            tracing::error!(%error, "what was denied is not in the audit log");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refusal() -> Refusal {
        let entry = trail::entry(AuditAction::Delete, AuditTarget::User, Uuid::nil(), "grace");
        let denied = Denied { entry, status: 403, reason: "no".to_owned() };
        Refusal { source: AuditSource::of(AuditActor::User), denied }
    }

    #[test]
    fn many_refusals_of_one_actor_are_few_entries_and_counted() {
        let (ada, ben) = (Uuid::from_u128(1), Uuid::from_u128(2));
        let mut waiting = Waiting::default();
        for _ in 0..1000 {
            waiting.note(ada, refusal(), 7);
        }
        waiting.note(ben, refusal(), 7);
        assert_eq!(waiting.take(7).len(), A_MINUTE as usize + 1);
        assert!(waiting.take(7).is_empty());
        let told = waiting.take(8);
        assert_eq!(told.len(), 1);
        let n = 1000 - A_MINUTE;
        assert!(
            told[0].denied.reason.starts_with(&format!("no ({n} times")),
            "{:?}",
            told[0].denied
        );
        assert!(waiting.counted.is_empty());
        waiting.note(ada, refusal(), 9);
        assert_eq!(waiting.take(9).len(), 1);
    }
}
