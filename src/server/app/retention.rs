//! Forgetting: what is older than the operator wants is removed in small steps.

use std::time::Duration;

use super::{Actor, App, Result, recordings as recording_cases};
use crate::model::audit::AuditAction;
use crate::model::lockout::FORGOTTEN_AFTER;
use crate::model::recording::Policy;
use crate::model::time::Timestamp;
use crate::server::db::{
    WriteTx, agent_logs, codes, commands, connections, files, grants, invitations, job_logs,
    lockouts, recording_blocks, recordings, requests, tokens, transfers,
};

/// Lines of logs that one step removes. They lie together: the writer is held for a millisecond and
/// a commit, then others have their turn.
pub const LINES: usize = 500;
/// Rows of other tables that one step removes: each has its own places in several indexes.
pub const ROWS: usize = 50;
/// An upload is made a version of within seconds; who takes longer than a day sends it again.
const UPLOADS_KEPT: Duration = Duration::from_hours(24);

/// Entries of the audit log that one step removes: each has its places in ten indices.
pub const AUDIT_ROWS: i64 = 50;
/// Entries of the audit log go by whole days, so that the log is cut once a day.
const DAY_S: i64 = 86_400;

/// The part of the room for recordings that rows of what passed beside them may take, where these are kept
/// for as long as there is room.
const TRANSFERS_PART: u64 = 10;
/// Bytes that one of them takes with its places in the indices: half of that is its names.
const TRANSFER_BYTES: u64 = 512;

/// Grants that ended with a mode of sharing can be restored for so long.
const GRANTS_KEPT: Duration = Duration::from_hours(30 * 24);

/// How long what happened is kept; zero for as long as there is room.
#[derive(Clone, Copy, Debug, Default)]
pub struct Retention {
    /// Logs and timings of builds, imports and agents, after their end.
    pub logs: Duration,
    /// Sessions, after their end.
    pub connections: Duration,
    /// Entries of the audit log. What is removed leaves a signed word on that.
    pub audit: Duration,
}

/// What is forgotten some time after it is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Old {
    /// Tokens and sessions of browsers.
    Tokens,
    /// Failures of signing in, and invitations that have ended.
    Failures,
    /// Archives that no version was made from.
    Uploads,
    /// Grants and share codes that ended: so long grants can be restored, and are seen in reviews.
    /// Requests that were decided go with them.
    Grants,
    /// Logs and timings of builds and imports.
    JobLogs,
    /// Logs and runs of scripts of agents.
    AgentLogs,
    /// Sessions in workspaces.
    Connections,
    /// What was recorded of them: by age, and by the room that it takes.
    Recordings,
    /// What passed recorded sessions beside that.
    Transfers,
    /// Entries of the audit log.
    Audit,
}

impl Old {
    /// Everything that is forgotten, what leads to most room last.
    pub const ALL: [Self; 10] = [
        Self::Tokens,
        Self::Failures,
        Self::Uploads,
        Self::Grants,
        Self::JobLogs,
        Self::AgentLogs,
        Self::Connections,
        Self::Recordings,
        Self::Transfers,
        Self::Audit,
    ];

    /// How long it is kept after it is over; none for ever.
    fn kept(self, retention: Retention) -> Option<Duration> {
        let chosen = |age: Duration| (!age.is_zero()).then_some(age);
        match self {
            Self::Tokens | Self::Failures => Some(FORGOTTEN_AFTER),
            Self::Uploads => Some(UPLOADS_KEPT),
            Self::Grants => Some(GRANTS_KEPT),
            Self::JobLogs | Self::AgentLogs => chosen(retention.logs),
            Self::Connections => chosen(retention.connections),
            Self::Audit => chosen(retention.audit),
            // By a policy of their own.
            Self::Recordings | Self::Transfers => None,
        }
    }
}

impl App {
    /// Removes some of what is older than it is kept for. Whether there may be more of it.
    ///
    /// # Errors
    /// When the database fails; what was removed before stays so.
    pub async fn forget_step(&self, old: Old) -> Result<bool> {
        if old == Old::Recordings {
            let policy = self.policy.recording;
            return self.db.write(move |tx| forget_recording(tx, &policy)).await;
        }
        let policy = self.policy.recording;
        let age = match old.kept(self.policy.retention) {
            None if old == Old::Transfers && policy.keep.is_zero() => {
                return self.db.write(move |tx| forget_surplus(tx, &policy)).await;
            }
            None if old == Old::Transfers => Some(policy.keep),
            age => age,
        };
        let Some(age) = age else { return Ok(false) };
        let age = i64::try_from(age.as_secs()).unwrap_or(i64::MAX);
        if old == Old::Audit {
            let before = self.clock.now().0.saturating_sub(age);
            return self.forget_audit(Timestamp(before.div_euclid(DAY_S) * DAY_S)).await;
        }
        self.db
            .write(move |tx| {
                let before = Timestamp(tx.now.0.saturating_sub(age));
                let more = match old {
                    Old::Tokens => tokens::forget(tx, before, ROWS),
                    Old::Failures => invitations::forget(tx, before, ROWS)
                        .and_then(|more| Ok(lockouts::forget(tx, before, ROWS)? || more)),
                    Old::Uploads => files::forget(tx, before),
                    Old::Grants => grants::forget(tx, before, ROWS)
                        .and_then(|more| Ok(codes::forget(tx, before, ROWS)? || more))
                        .and_then(|more| Ok(requests::forget(tx, before, ROWS)? || more)),
                    Old::JobLogs => job_logs::forget(tx, before, LINES),
                    Old::AgentLogs => agent_logs::forget(tx, before, LINES),
                    Old::Connections => connections::forget(tx, before, ROWS),
                    Old::Transfers => transfers::forget(tx, before, ROWS),
                    Old::Recordings | Old::Audit => Ok(false),
                };
                Ok(more?)
            })
            .await
    }
}

/// Removes some of what passed beside recordings that are kept for as long as there is room, when it takes
/// more than its part of that. Whether there may be more to do.
fn forget_surplus(tx: &WriteTx<'_>, policy: &Policy) -> Result<bool> {
    if policy.keep_bytes == 0 {
        return Ok(false);
    }
    let most = policy.keep_bytes / TRANSFERS_PART / TRANSFER_BYTES;
    let surplus = transfers::span(tx)?.saturating_sub(most);
    let step = usize::try_from(surplus).unwrap_or(usize::MAX).min(ROWS);
    Ok(step > 0 && transfers::forget_oldest(tx, step)?)
}

/// Removes some of the oldest recording whose time is over; else, when there is no more room, of the
/// oldest one in the workspace that takes most, with what passed there before its end. Whether there may be
/// more to do.
fn forget_recording(tx: &WriteTx<'_>, policy: &Policy) -> Result<bool> {
    let age = i64::try_from(policy.keep.as_secs()).unwrap_or(i64::MAX);
    let over = match policy.keep.is_zero() {
        true => None,
        false => recordings::oldest(tx, Timestamp(tx.now.0.saturating_sub(age)))?,
    };
    let is_full = policy.keep_bytes > 0 && recordings::stored_bytes(tx)? > policy.keep_bytes;
    let over = match over {
        None if is_full => recordings::oldest_of_most(tx)?,
        over => over,
    };
    let Some(id) = over else { return Ok(false) };
    if recording_blocks::forget(tx, id, ROWS)? || commands::forget(tx, id, ROWS)? {
        return Ok(true);
    }
    if let Some(recording) = recordings::find(tx, id)? {
        let until = recording.ended_at.unwrap_or(recording.began_at);
        if is_full && transfers::forget_in(tx, recording.workspace_id, (until, ROWS))? {
            return Ok(true);
        }
        recordings::delete(tx, id)?;
        recording_cases::told(tx, &Actor::System, AuditAction::Delete, &recording)?;
    }
    Ok(true)
}
