//! The tables `requests`, `approvals` and `request_links`: who asks for access, and what was said of it.

use std::time::Duration;

use rusqlite::{Row, named_params};

use super::scim_users::bound;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{GrantId, RequestId, UserId};
use crate::model::request::{Approval, Request, RequestState};
use crate::model::secret::{Token, TokenHash};
use crate::model::time::Timestamp;
use crate::model::verb::Verbs;

fn from_row(row: &Row<'_>) -> rusqlite::Result<Request> {
    Ok(Request {
        id: row.get("id")?,
        user_id: row.get("user_id")?,
        place: row.get("place")?,
        workspace_id: row.get("workspace_id")?,
        verbs: Verbs::of_bits(row.get("verbs")?),
        reason: row.get("reason")?,
        from: row.get("from_at")?,
        lasts: duration(row, "lasts_s")?,
        made_at: row.get("made_at")?,
        expires_at: row.get("expires_at")?,
        state: row.get("state")?,
        decided_at: row.get("decided_at")?,
        grant_id: row.get("grant_id")?,
    })
}

fn duration(row: &Row<'_>, column: &str) -> rusqlite::Result<Duration> {
    Ok(Duration::from_secs(u64::try_from(row.get::<_, i64>(column)?).unwrap_or_default()))
}

pub(super) fn seconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_secs()).unwrap_or(i64::MAX)
}

/// A request.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: RequestId) -> Result<Option<Request>> {
    tx.find("SELECT * FROM requests WHERE id = :id", named_params! { ":id": id }, from_row)
}

/// What someone asked for, the last first.
///
/// # Errors
/// When SQLite fails.
pub fn list_of(tx: &ReadTx<'_>, user: UserId, limit: usize) -> Result<Vec<Request>> {
    tx.list(
        "SELECT * FROM requests WHERE user_id = :user ORDER BY made_at DESC, id DESC LIMIT :limit",
        named_params! { ":user": user, ":limit": bound(limit) },
        from_row,
    )
}

/// What others wait for on workspaces that are there, in the organizations of someone, or in all for who has
/// a role on the site; what ends first coming first.
///
/// # Errors
/// When SQLite fails.
pub fn waiting(tx: &ReadTx<'_>, user: UserId, limit: usize) -> Result<Vec<Request>> {
    tx.list(
        "SELECT r.* FROM requests r INDEXED BY requests_pending
         CROSS JOIN workspaces w ON w.id = r.workspace_id
         WHERE r.state = 'pending' AND r.expires_at > :now AND r.user_id <> :user
           AND (EXISTS (SELECT 1 FROM memberships m
                   WHERE m.organization_id = w.organization_id AND m.user_id = :user)
             OR EXISTS (SELECT 1 FROM effective_roles e
                   WHERE e.user_id = :user AND e.organization_id IS NULL))
         ORDER BY r.expires_at, r.id LIMIT :limit",
        named_params! { ":now": tx.now, ":user": user, ":limit": bound(limit) },
        from_row,
    )
}

/// How many of someone's requests wait, and whether one of them is for this place.
///
/// # Errors
/// When SQLite fails.
pub fn waiting_of(tx: &ReadTx<'_>, user: UserId, place: &str) -> Result<(usize, bool)> {
    let found = tx.find(
        "SELECT count(*) AS n, coalesce(max(place = :place), 0) AS is_asked
         FROM requests INDEXED BY requests_waiting_by_user
         WHERE user_id = :user AND state = 'pending' AND expires_at > :now",
        named_params! { ":user": user, ":place": place, ":now": tx.now },
        |row| Ok((row.get::<_, i64>("n")?, row.get("is_asked")?)),
    )?;
    let (n, is_asked) = found.unwrap_or_default();
    Ok((usize::try_from(n).unwrap_or(usize::MAX), is_asked))
}

/// Requests whose time is over and of which that is not written yet.
///
/// # Errors
/// When SQLite fails.
pub fn overdue(tx: &ReadTx<'_>, limit: usize) -> Result<Vec<Request>> {
    tx.list(
        "SELECT * FROM requests WHERE state = 'pending' AND expires_at <= :now
         ORDER BY expires_at, id LIMIT :limit",
        named_params! { ":now": tx.now, ":limit": bound(limit) },
        from_row,
    )
}

/// Writes a new request.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, new: &Request) -> Result<()> {
    tx.execute(
        "INSERT INTO requests (id, user_id, place, workspace_id, verbs, reason, from_at, lasts_s,
         made_at, expires_at, state) VALUES (:id, :user, :place, :workspace, :verbs, :reason, :from,
         :lasts, :made, :expires, 'pending')",
        named_params! {
            ":id": new.id, ":user": new.user_id, ":place": new.place,
            ":workspace": new.workspace_id, ":verbs": new.verbs.bits(), ":reason": new.reason,
            ":from": new.from, ":lasts": seconds(new.lasts), ":made": new.made_at,
            ":expires": new.expires_at,
        },
    )?;
    Ok(())
}

/// Writes what became of a request that waits and whose time is not over. Whether it was one.
///
/// # Errors
/// When SQLite fails.
pub fn settle(
    tx: &WriteTx<'_>,
    id: RequestId,
    (state, grant): (RequestState, Option<GrantId>),
) -> Result<bool> {
    let n = tx.execute(
        "UPDATE requests SET state = :state, decided_at = :now, grant_id = :grant
         WHERE id = :id AND state = 'pending' AND expires_at > :now",
        named_params! { ":id": id, ":state": state, ":grant": grant, ":now": tx.now },
    )?;
    Ok(n > 0)
}

/// Writes that the time of a request is over.
///
/// # Errors
/// When SQLite fails.
pub fn expire(tx: &WriteTx<'_>, id: RequestId) -> Result<()> {
    tx.execute(
        "UPDATE requests SET state = 'expired', decided_at = :now
         WHERE id = :id AND state = 'pending' AND expires_at <= :now",
        named_params! { ":id": id, ":now": tx.now },
    )?;
    Ok(())
}

/// Removes some that were decided before a time. Whether there may be more of them.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, before: Timestamp, at_most: usize) -> Result<bool> {
    let n = tx.execute(
        "DELETE FROM requests WHERE id IN (
             SELECT id FROM requests WHERE decided_at IS NOT NULL AND decided_at < :before
             ORDER BY decided_at LIMIT :limit)",
        named_params! { ":before": before, ":limit": bound(at_most) },
    )?;
    Ok(n >= at_most)
}

/// What was said of a request, the first one first.
///
/// # Errors
/// When SQLite fails.
pub fn said(tx: &ReadTx<'_>, id: RequestId) -> Result<Vec<Approval>> {
    tx.list(
        "SELECT * FROM approvals WHERE request_id = :id ORDER BY at, user_id",
        named_params! { ":id": id },
        |row| {
            let (by, under) = (row.get::<_, Option<UserId>>("right_of")?, row.get("right_under")?);
            Ok(Approval {
                user_id: row.get("user_id")?,
                hook_by: row.get("hook_by")?,
                verdict: row.get("verdict")?,
                note: row.get("note")?,
                lasts: duration(row, "lasts_s")?,
                at: row.get("at")?,
                right: by.map(|by| (by, under)),
            })
        },
    )
}

/// Writes what someone says of a request; each says something once.
///
/// # Errors
/// When SQLite fails, and when they said something before.
pub fn say(tx: &WriteTx<'_>, id: RequestId, one: &Approval) -> Result<()> {
    tx.execute(
        "INSERT INTO approvals (request_id, user_id, hook_by, verdict, note, lasts_s, at, right_of,
             right_under)
         VALUES (:id, :user, :hook, :verdict, :note, :lasts, :at, :right_of, :right_under)",
        named_params! {
            ":id": id, ":user": one.user_id, ":hook": one.hook_by, ":verdict": one.verdict,
            ":note": one.note, ":lasts": seconds(one.lasts), ":at": one.at,
            ":right_of": one.right.map(|(by, _)| by),
            ":right_under": one.right.and_then(|(_, under)| under),
        },
    )?;
    Ok(())
}

/// How many links there are by which a request is answered.
///
/// # Errors
/// When SQLite fails.
pub fn count_links(tx: &ReadTx<'_>, id: RequestId) -> Result<usize> {
    let n: Option<i64> = tx.find(
        "SELECT count(*) FROM request_links WHERE request_id = :id",
        named_params! { ":id": id },
        |row| row.get(0),
    )?;
    Ok(usize::try_from(n.unwrap_or_default()).unwrap_or(usize::MAX))
}

/// Writes a link by which a request is answered.
///
/// # Errors
/// When SQLite fails.
pub fn insert_link(tx: &WriteTx<'_>, id: RequestId, token: &Token) -> Result<()> {
    tx.execute(
        "INSERT INTO request_links (public_id, hash, request_id) VALUES (:public, :hash, :id)",
        named_params! { ":public": token.public_id(), ":hash": token.hash(), ":id": id },
    )?;
    Ok(())
}

/// The request that a link is for, with the hash of the link's secret part.
///
/// # Errors
/// When SQLite fails.
pub fn by_link(tx: &ReadTx<'_>, public_id: &str) -> Result<Option<(TokenHash, RequestId)>> {
    tx.find(
        "SELECT hash, request_id FROM request_links WHERE public_id = :public",
        named_params! { ":public": public_id },
        |row| Ok((row.get("hash")?, row.get("request_id")?)),
    )
}

/// Ends a link. Whether there was one.
///
/// # Errors
/// When SQLite fails.
pub fn delete_link(tx: &WriteTx<'_>, public_id: &str) -> Result<bool> {
    let n = tx.execute(
        "DELETE FROM request_links WHERE public_id = :public",
        named_params! { ":public": public_id },
    )?;
    Ok(n > 0)
}

/// Ends every link to a request.
///
/// # Errors
/// When SQLite fails.
pub fn delete_links(tx: &WriteTx<'_>, id: RequestId) -> Result<()> {
    tx.execute("DELETE FROM request_links WHERE request_id = :id", named_params! { ":id": id })?;
    Ok(())
}
