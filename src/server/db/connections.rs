//! The table `connections`: sessions from their first byte to their last.

use rusqlite::{Row, named_params};

use super::codec::Json;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{SessionId, WorkspaceId};
use crate::model::session::{EndReason, NewSession, Session, SessionKind};
use crate::model::time::Timestamp;
use crate::model::user::UserRef;

/// The columns of a session `c`, its user `u`, workspace `w` and agent `a`, as [`from_row`] reads them.
macro_rules! session_columns {
    () => {
        "c.id AS id, u.id AS user_id, u.username AS username, c.workspace_id AS workspace_id,
         w.name AS workspace_name, c.agent_id AS agent_id, a.name AS agent_name, c.kind AS kind,
         c.address AS address, c.client AS client, c.began_at AS began_at, c.ended_at AS ended_at,
         c.end_reason AS end_reason, c.bytes_out AS bytes_out, c.bytes_in AS bytes_in"
    };
}
pub(super) use session_columns;

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT ",
            session_columns!(),
            " FROM connections c CROSS JOIN users u ON u.id = c.user_id
             CROSS JOIN workspaces w ON w.id = c.workspace_id
             CROSS JOIN agents a ON a.id = c.agent_id ",
            $tail
        )
    };
}

/// Reads the session of a joined row.
pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Session> {
    Ok(Session {
        id: row.get("id")?,
        user: UserRef { id: row.get("user_id")?, username: row.get("username")? },
        workspace_id: row.get("workspace_id")?,
        workspace_name: row.get("workspace_name")?,
        agent_id: row.get("agent_id")?,
        agent_name: row.get("agent_name")?,
        kind: row.get("kind")?,
        address: row.get("address")?,
        client: row.get("client")?,
        began_at: row.get("began_at")?,
        ended_at: row.get("ended_at")?,
        end_reason: row.get("end_reason")?,
        bytes_out: row.get("bytes_out")?,
        bytes_in: row.get("bytes_in")?,
    })
}

/// A session.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: SessionId) -> Result<Option<Session>> {
    tx.find(select!("WHERE c.id = :id"), named_params! { ":id": id }, from_row)
}

/// Sessions in a workspace, newest first.
///
/// # Errors
/// When SQLite fails.
pub fn list(
    tx: &ReadTx<'_>,
    workspace: WorkspaceId,
    (limit, offset): (u32, u32),
) -> Result<Vec<Session>> {
    tx.list(
        select!(
            "WHERE c.workspace_id = :workspace ORDER BY c.began_at DESC, c.id DESC
             LIMIT :limit OFFSET :offset"
        ),
        named_params! { ":workspace": workspace, ":limit": limit, ":offset": offset },
        from_row,
    )
}

/// Sessions in a workspace that last, newest first.
///
/// # Errors
/// When SQLite fails.
pub fn open(tx: &ReadTx<'_>, workspace: WorkspaceId, limit: i64) -> Result<Vec<Session>> {
    tx.list(
        select!(
            "WHERE c.workspace_id = :workspace AND c.ended_at IS NULL
             ORDER BY c.began_at DESC, c.id DESC LIMIT :limit"
        ),
        named_params! { ":workspace": workspace, ":limit": limit },
        from_row,
    )
}

/// Sessions that last, newest first.
///
/// # Errors
/// When SQLite fails.
pub fn every_open(tx: &ReadTx<'_>, limit: i64) -> Result<Vec<Session>> {
    tx.list(
        select!("WHERE c.ended_at IS NULL ORDER BY c.began_at DESC LIMIT :limit /* scan: of those that last, by their index */"),
        named_params! { ":limit": limit },
        from_row,
    )
}

/// How many sessions of each kind last, with the bytes to people and from them.
///
/// # Errors
/// When SQLite fails.
pub fn open_by_kind(tx: &ReadTx<'_>) -> Result<Vec<(SessionKind, i64, i64, i64)>> {
    tx.list(
        "SELECT kind, count(*) AS n, sum(bytes_out) AS sent, sum(bytes_in) AS taken FROM connections
         WHERE ended_at IS NULL GROUP BY kind /* scan: of those that last, by their index */",
        [],
        |row| Ok((row.get("kind")?, row.get("n")?, row.get("sent")?, row.get("taken")?)),
    )
}

/// Who is in each of these workspaces now, each once.
///
/// # Errors
/// When SQLite fails.
pub fn people_in(tx: &ReadTx<'_>, ids: &[WorkspaceId]) -> Result<Vec<(WorkspaceId, UserRef)>> {
    tx.list(
        "SELECT c.workspace_id, u.id, u.username
         FROM json_each(:ids) x
         CROSS JOIN connections c ON c.workspace_id = x.value AND c.ended_at IS NULL
         CROSS JOIN users u ON u.id = c.user_id
         GROUP BY c.workspace_id, u.id ORDER BY c.workspace_id, max(c.began_at) DESC, u.id",
        named_params! { ":ids": Json(ids) },
        |row| Ok((row.get(0)?, UserRef { id: row.get(1)?, username: row.get(2)? })),
    )
}

/// Begins a session, or goes on with one that a stop of the server interrupted. Whether it could:
/// another session may have the id.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, id: SessionId, s: &NewSession) -> Result<bool> {
    let cut = |text: &str, n: usize| text.chars().take(n).collect::<String>();
    let n = tx.execute(
        "INSERT INTO connections (id, user_id, workspace_id, agent_id, kind, address, client,
             began_at, bytes_out, bytes_in)
         VALUES (:id, :user, :workspace, :agent, :kind, :address, :client, :now, 0, 0)
         ON CONFLICT (id) DO UPDATE SET ended_at = NULL, end_reason = NULL
         WHERE user_id = excluded.user_id AND agent_id = excluded.agent_id
             AND end_reason = 'server'",
        named_params! {
            ":id": id, ":user": s.user_id, ":workspace": s.workspace_id, ":agent": s.agent_id,
            ":kind": s.kind, ":address": cut(&s.address, 64), ":client": cut(&s.client, 256),
            ":now": tx.now,
        },
    )?;
    Ok(n > 0)
}

/// Counts bytes of a session that lasts.
///
/// # Errors
/// When SQLite fails.
pub fn add_bytes(tx: &WriteTx<'_>, id: SessionId, out: i64, inward: i64) -> Result<()> {
    tx.execute(
        "UPDATE connections SET bytes_out = bytes_out + :out, bytes_in = bytes_in + :in
         WHERE id = :id",
        named_params! { ":id": id, ":out": out, ":in": inward },
    )?;
    Ok(())
}

/// Ends a session that lasts. Whether it was so.
///
/// # Errors
/// When SQLite fails.
pub fn end(tx: &WriteTx<'_>, id: SessionId, reason: EndReason) -> Result<bool> {
    let n = tx.execute(
        "UPDATE connections SET ended_at = :now, end_reason = :reason
         WHERE id = :id AND ended_at IS NULL",
        named_params! { ":id": id, ":reason": reason, ":now": tx.now },
    )?;
    Ok(n > 0)
}

/// Ends every session that lasts.
///
/// # Errors
/// When SQLite fails.
pub fn end_all(tx: &WriteTx<'_>, reason: EndReason) -> Result<usize> {
    tx.execute(
        "UPDATE connections SET ended_at = max(began_at, :now), end_reason = :reason
         WHERE ended_at IS NULL",
        named_params! { ":reason": reason, ":now": tx.now },
    )
}

/// Removes up to `most` sessions that ended before `before`. Whether there may be more to do.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, before: Timestamp, most: usize) -> Result<bool> {
    let n = tx.execute(
        "DELETE FROM connections WHERE id IN (
             SELECT id FROM connections WHERE ended_at < :before ORDER BY ended_at LIMIT :most)",
        named_params! { ":before": before, ":most": i64::try_from(most).unwrap_or(i64::MAX) },
    )?;
    Ok(n == most)
}
