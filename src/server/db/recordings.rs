//! The table `recordings`: what sessions showed, one row a recording.

use rusqlite::{Row, named_params};

use super::codec::Json;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{RecordingId, UserId, WorkspaceId};
use crate::model::recording::{Extent, Hash, NewRecording, Recording, RecordingStatus, Sought};
use crate::model::time::Timestamp;
use crate::model::user::UserRef;

macro_rules! select {
    ($($tail:expr),+) => {
        concat!(
            "SELECT r.id AS id, r.session_id AS session_id, u.id AS user_id,
                    u.username AS username, r.workspace_id AS workspace_id,
                    w.name AS workspace_name, o.id AS owner_id, o.username AS owner_name,
                    r.agent_name AS agent_name, r.kind AS kind, r.command AS command,
                    r.cols AS cols, r.rows AS rows, r.reason AS reason, r.has_input AS has_input,
                    r.began_at AS began_at, r.ended_at AS ended_at, r.status AS status,
                    r.exit_code AS exit_code, r.length_ms AS length_ms, r.bytes AS bytes,
                    r.stored_bytes AS stored_bytes, r.lost_bytes AS lost_bytes,
                    r.n_commands AS n_commands, r.hash AS hash ",
            $($tail),+
        )
    };
}

/// What a row names, behind the row itself.
macro_rules! named {
    () => {
        "CROSS JOIN users u ON u.id = r.user_id
         CROSS JOIN workspaces w ON w.id = r.workspace_id
         CROSS JOIN users o ON o.id = w.owner_id "
    };
}

/// What a search leaves, and in which order.
macro_rules! sought {
    () => {
        "AND (:user IS NULL OR r.user_id = :user)
         AND (:from IS NULL OR r.began_at >= :from)
         AND (:until IS NULL OR r.began_at < :until)
         AND (:words IS NULL OR r.id IN (
             SELECT c.recording_id FROM command_words x CROSS JOIN commands c ON c.seq = x.rowid
             WHERE x.command_words MATCH :words))
         ORDER BY r.began_at DESC, r.id DESC LIMIT :limit OFFSET :offset"
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Recording> {
    Ok(Recording {
        id: row.get("id")?,
        session: row.get("session_id")?,
        user: UserRef { id: row.get("user_id")?, username: row.get("username")? },
        workspace_id: row.get("workspace_id")?,
        workspace_name: row.get("workspace_name")?,
        owner: UserRef { id: row.get("owner_id")?, username: row.get("owner_name")? },
        agent_name: row.get("agent_name")?,
        kind: row.get("kind")?,
        command: row.get("command")?,
        size: (row.get("cols")?, row.get("rows")?),
        began_at: row.get("began_at")?,
        ended_at: row.get("ended_at")?,
        status: row.get("status")?,
        reason: row.get("reason")?,
        has_input: row.get("has_input")?,
        extent: Extent {
            length_ms: row.get("length_ms")?,
            bytes: row.get("bytes")?,
            stored_bytes: row.get("stored_bytes")?,
            lost_bytes: row.get("lost_bytes")?,
            n_commands: row.get("n_commands")?,
        },
        exit_code: row.get("exit_code")?,
        hash: row.get("hash")?,
    })
}

/// Begins a recording.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, r: &NewRecording) -> Result<()> {
    let cut = |text: &str, n: usize| text.chars().take(n).collect::<String>();
    tx.execute(
        "INSERT INTO recordings (id, session_id, user_id, workspace_id, agent_name, kind, command,
             cols, rows, reason, has_input, began_at, status, length_ms, bytes, stored_bytes,
             lost_bytes, n_commands, hash)
         VALUES (:id, :session, :user, :workspace,
             coalesce((SELECT substr(name, 1, 64) FROM agents WHERE id = :agent), ''), :kind, :command, :cols, :rows, :reason,
             :has_input, :now, 'running', 0, 0, 0, 0, 0, zeroblob(32))",
        named_params! {
            ":id": r.id, ":session": r.session, ":user": r.user, ":workspace": r.workspace,
            ":agent": r.agent, ":kind": r.kind, ":command": cut(&r.command, 4096),
            ":cols": r.size.0, ":rows": r.size.1, ":reason": r.reason,
            ":has_input": r.has_input, ":now": tx.now,
        },
    )?;
    Ok(())
}

/// A recording.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: RecordingId) -> Result<Option<Recording>> {
    tx.find(
        select!("FROM recordings r ", named!(), "WHERE r.id = :id"),
        named_params! { ":id": id },
        from_row,
    )
}

/// Recordings in these workspaces, newest first; in all of them when none are named.
///
/// # Errors
/// When SQLite fails.
pub fn list(
    tx: &ReadTx<'_>,
    within: Option<&[WorkspaceId]>,
    sought: &Sought,
    (limit, offset): (u32, u32),
) -> Result<Vec<Recording>> {
    let words = super::commands::words(&sought.text);
    let params = named_params! {
        ":ids": within.map(Json), ":user": sought.user, ":from": sought.from,
        ":until": sought.until, ":words": words, ":limit": limit, ":offset": offset,
    };
    let sql = match (within, sought.user) {
        (Some(_), _) => select!(
            "FROM json_each(:ids) i CROSS JOIN recordings r ON r.workspace_id = i.value ",
            named!(),
            "WHERE 1 ",
            sought!()
        ),
        (None, Some(_)) => select!(
            "FROM recordings r INDEXED BY recordings_by_user ",
            named!(),
            "WHERE r.user_id = :user AND :ids IS NULL ",
            sought!()
        ),
        (None, None) => select!(
            "FROM recordings r INDEXED BY recordings_by_time ",
            named!(),
            "WHERE r.began_at >= coalesce(:from, 0) AND :ids IS NULL ",
            sought!()
        ),
    };
    tx.list(sql, params, from_row)
}

/// The workspaces whose recordings someone may see by some right there, deleted ones of their own too; at
/// most `most`. Whether the right holds as they come is asked of each.
///
/// # Errors
/// When SQLite fails.
pub fn within_reach(tx: &ReadTx<'_>, user: UserId, most: u32) -> Result<Vec<WorkspaceId>> {
    tx.list(
        "/* scan: who administers an organization may manage each workspace of it */
         SELECT workspace_id AS id FROM effective_grants
         WHERE user_id = :user AND verb = 'manage' AND (until_at IS NULL OR until_at > :now)
         UNION SELECT workspace_id FROM shift_grants
         WHERE user_id = :user AND verb = 'manage' AND shift_from_at <= :now AND shift_until_at > :now
         UNION SELECT id FROM workspaces WHERE owner_id = :user AND deleted_at IS NOT NULL
         ORDER BY 1 DESC LIMIT :most",
        named_params! { ":user": user, ":now": tx.now, ":most": most },
        |row| row.get("id"),
    )
}

/// Notes how far a recording has come, if it lasts.
///
/// # Errors
/// When SQLite fails.
pub fn grew(tx: &WriteTx<'_>, id: RecordingId, extent: Extent, hash: &Hash) -> Result<bool> {
    let n = tx.execute(
        "UPDATE recordings SET length_ms = :length, bytes = :bytes, stored_bytes = :stored,
             lost_bytes = :lost, n_commands = :commands, hash = :hash
         WHERE id = :id AND status = 'running'",
        named_params! {
            ":id": id, ":length": extent.length_ms, ":bytes": extent.bytes,
            ":stored": extent.stored_bytes, ":lost": extent.lost_bytes,
            ":commands": extent.n_commands, ":hash": hash,
        },
    )?;
    Ok(n > 0)
}

/// Ends a recording that lasts. Whether it did.
///
/// # Errors
/// When SQLite fails.
pub fn end(
    tx: &WriteTx<'_>,
    id: RecordingId,
    status: RecordingStatus,
    (ended_at, exit_code): (Timestamp, Option<i64>),
) -> Result<bool> {
    let n = tx.execute(
        "UPDATE recordings SET status = :status, ended_at = max(began_at, :at), exit_code = :code
         WHERE id = :id AND status = 'running'",
        named_params! { ":id": id, ":status": status, ":at": ended_at, ":code": exit_code },
    )?;
    Ok(n > 0)
}

/// Up to `most` recordings that last, as the table has it.
///
/// # Errors
/// When SQLite fails.
pub fn running(tx: &ReadTx<'_>, most: u32) -> Result<Vec<RecordingId>> {
    tx.list(
        "SELECT id FROM recordings INDEXED BY recordings_running WHERE status = 'running'
         LIMIT :most",
        named_params! { ":most": most },
        |row| row.get("id"),
    )
}

/// The recording that ended first, if it did so before `before`.
///
/// # Errors
/// When SQLite fails.
pub fn oldest(tx: &ReadTx<'_>, before: Timestamp) -> Result<Option<RecordingId>> {
    tx.find(
        "SELECT id FROM recordings WHERE ended_at IS NOT NULL AND ended_at < :before
         ORDER BY ended_at, id LIMIT 1",
        named_params! { ":before": before },
        |row| row.get("id"),
    )
}

/// The oldest recording that has ended, in the workspace whose recordings take most: where room is
/// short it is not those of others that go. What someone did in an emergency into which nobody has looked
/// stays.
///
/// # Errors
/// When SQLite fails.
pub fn oldest_of_most(tx: &ReadTx<'_>) -> Result<Option<RecordingId>> {
    tx.find(
        "/* scan: only when there is no room, and a row is one session */
         WITH free AS (
             SELECT r.id, r.workspace_id, r.began_at FROM recordings r
             WHERE r.ended_at IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM break_glass b WHERE b.user_id = r.user_id
                   AND b.workspace_id = r.workspace_id AND b.reviewed_at IS NULL))
         SELECT id FROM free WHERE workspace_id = (
             SELECT workspace_id FROM recordings
             WHERE workspace_id IN (SELECT workspace_id FROM free)
             GROUP BY workspace_id ORDER BY sum(stored_bytes) DESC, workspace_id LIMIT 1)
         ORDER BY began_at, id LIMIT 1",
        [],
        |row| row.get("id"),
    )
}

/// Bytes that all recordings take, those that last too.
///
/// # Errors
/// When SQLite fails.
pub fn stored_bytes(tx: &ReadTx<'_>) -> Result<u64> {
    let sum = tx.find(
        "SELECT (SELECT coalesce(sum(stored_bytes), 0) FROM recordings INDEXED BY recordings_ended
                 WHERE ended_at IS NOT NULL)
              + (SELECT coalesce(sum(stored_bytes), 0) FROM recordings INDEXED BY recordings_running
                 WHERE status = 'running') AS n",
        [],
        |row| row.get::<_, i64>("n"),
    )?;
    Ok(sum.and_then(|n| u64::try_from(n).ok()).unwrap_or_default())
}

/// Removes a recording whose blocks and commands were removed before, in steps.
///
/// # Errors
/// When SQLite fails.
pub fn delete(tx: &WriteTx<'_>, id: RecordingId) -> Result<()> {
    tx.execute("DELETE FROM recordings WHERE id = :id", named_params! { ":id": id })?;
    Ok(())
}
