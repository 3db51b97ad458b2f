//! The table `transfers`: what passed recorded sessions and is in no recording.

use rusqlite::{Row as SqlRow, named_params};

use super::codec::Json;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{UserId, WorkspaceId};
use crate::model::recording::Sought;
use crate::model::recording::transfers::{Row, Transfer, Whose};
use crate::model::time::Timestamp;
use crate::model::user::UserRef;

macro_rules! select {
    ($($tail:expr),+) => {
        concat!(
            "SELECT t.session_id AS session_id, t.number AS number, u.id AS user_id,
                    u.username AS username, t.workspace_id AS workspace_id,
                    w.name AS workspace_name, o.id AS owner_id, o.username AS owner_name,
                    t.kind AS kind, t.name AS name, t.to_name AS to_name, t.n AS n,
                    t.bytes_out AS bytes_out, t.bytes_in AS bytes_in, t.began_at AS began_at,
                    t.ended_at AS ended_at ",
            $($tail),+
        )
    };
}

/// What a row names, behind the row itself.
macro_rules! named {
    () => {
        "CROSS JOIN users u ON u.id = t.user_id
         CROSS JOIN workspaces w ON w.id = t.workspace_id
         CROSS JOIN users o ON o.id = w.owner_id "
    };
}

/// What a search leaves, and in which order.
macro_rules! sought {
    () => {
        "AND (:user IS NULL OR t.user_id = :user)
         AND (:from IS NULL OR t.began_at >= :from)
         AND (:until IS NULL OR t.began_at < :until)
         AND (:text = '' OR instr(lower(t.name), lower(:text)) > 0
             OR instr(lower(t.to_name), lower(:text)) > 0)
         ORDER BY t.seq DESC LIMIT :limit OFFSET :offset"
    };
}

fn from_row(row: &SqlRow<'_>) -> rusqlite::Result<Transfer> {
    Ok(Transfer {
        session: row.get("session_id")?,
        user: UserRef { id: row.get("user_id")?, username: row.get("username")? },
        workspace_id: row.get("workspace_id")?,
        workspace_name: row.get("workspace_name")?,
        owner: UserRef { id: row.get("owner_id")?, username: row.get("owner_name")? },
        row: Row {
            number: row.get("number")?,
            kind: row.get("kind")?,
            name: row.get("name")?,
            to_name: row.get("to_name")?,
            n: row.get("n")?,
            bytes_out: row.get("bytes_out")?,
            bytes_in: row.get("bytes_in")?,
            began_at: row.get("began_at")?,
            ended_at: row.get("ended_at")?,
        },
    })
}

/// Writes a row, in place of the one of its number.
///
/// # Errors
/// When SQLite fails.
pub fn put(tx: &WriteTx<'_>, whose: Whose, row: &Row) -> Result<()> {
    tx.execute(
        "INSERT INTO transfers (session_id, number, user_id, workspace_id, kind, name, to_name, n,
             bytes_out, bytes_in, began_at, ended_at)
         VALUES (:session, :number, :user, :workspace, :kind, :name, :to_name, :n, :out, :in,
             :began, :ended)
         ON CONFLICT (session_id, number) DO UPDATE SET n = excluded.n,
             bytes_out = excluded.bytes_out, bytes_in = excluded.bytes_in,
             ended_at = excluded.ended_at",
        named_params! {
            ":session": whose.session, ":user": whose.user, ":workspace": whose.workspace,
            ":number": row.number, ":kind": row.kind, ":name": row.name, ":to_name": row.to_name,
            ":n": row.n, ":out": row.bytes_out, ":in": row.bytes_in, ":began": row.began_at,
            ":ended": row.ended_at,
        },
    )?;
    Ok(())
}

/// What passed in these workspaces and a search finds, newest first; in all of them when none are
/// named.
///
/// # Errors
/// When SQLite fails.
pub fn list(
    tx: &ReadTx<'_>,
    within: Option<&[WorkspaceId]>,
    sought: &Sought,
    (limit, offset): (u32, u32),
) -> Result<Vec<Transfer>> {
    let params = named_params! {
        ":ids": within.map(Json), ":user": sought.user, ":from": sought.from,
        ":until": sought.until, ":text": sought.text, ":limit": limit, ":offset": offset,
    };
    let sql = match (within, sought.user) {
        (Some(_), _) => select!(
            "FROM json_each(:ids) i CROSS JOIN transfers t ON t.workspace_id = i.value ",
            named!(),
            "WHERE 1 ",
            sought!()
        ),
        (None, Some(_)) => select!(
            "FROM transfers t INDEXED BY transfers_by_user ",
            named!(),
            "WHERE t.user_id = :user AND :ids IS NULL ",
            sought!()
        ),
        (None, None) => {
            select!("FROM transfers t ", named!(), "WHERE t.seq > 0 AND :ids IS NULL ", sought!())
        }
    };
    tx.list(sql, params, from_row)
}

/// What someone moved in a workspace between two times, in the order in which it began.
///
/// # Errors
/// When SQLite fails.
pub fn between(
    tx: &ReadTx<'_>,
    (user, workspace): (UserId, WorkspaceId),
    (from, until): (Timestamp, Timestamp),
    (limit, offset): (u32, u32),
) -> Result<Vec<Transfer>> {
    tx.list(
        select!(
            "FROM transfers t INDEXED BY transfers_by_user ",
            named!(),
            "WHERE t.user_id = :user AND t.workspace_id = :workspace AND t.began_at <= :until
                 AND (t.ended_at IS NULL OR t.ended_at >= :from)
             ORDER BY t.seq LIMIT :limit OFFSET :offset"
        ),
        named_params! {
            ":user": user, ":workspace": workspace, ":from": from, ":until": until,
            ":limit": limit, ":offset": offset,
        },
        from_row,
    )
}

/// Ends all that lasts: no session does.
///
/// # Errors
/// When SQLite fails.
pub fn end_all(tx: &WriteTx<'_>) -> Result<usize> {
    tx.execute(
        "UPDATE transfers SET ended_at = began_at WHERE seq IN (
             SELECT seq FROM transfers INDEXED BY transfers_open WHERE ended_at IS NULL)",
        [],
    )
}

/// How many rows there are at most: numbers between the first and the last.
///
/// # Errors
/// When SQLite fails.
pub fn span(tx: &ReadTx<'_>) -> Result<u64> {
    let found: Option<i64> = tx.find(
        "SELECT coalesce((SELECT max(seq) FROM transfers) - (SELECT min(seq) FROM transfers) + 1, 0)",
        [],
        |row| row.get(0),
    )?;
    Ok(u64::try_from(found.unwrap_or_default()).unwrap_or_default())
}

/// Removes the first of all rows that have ended. What someone did in an emergency into which nobody has
/// looked stays. Whether there were any.
///
/// # Errors
/// When SQLite fails.
pub fn forget_oldest(tx: &WriteTx<'_>, most: usize) -> Result<bool> {
    let n = tx.execute(
        "DELETE FROM transfers WHERE seq IN (
             SELECT t.seq FROM transfers t WHERE t.seq > 0 AND t.ended_at IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM break_glass b WHERE b.user_id = t.user_id
                   AND b.workspace_id = t.workspace_id AND b.reviewed_at IS NULL)
             ORDER BY t.seq LIMIT :most)",
        named_params! { ":most": i64::try_from(most).unwrap_or(i64::MAX) },
    )?;
    Ok(n > 0)
}

/// The same of the first rows of a workspace that began before a time.
///
/// # Errors
/// When SQLite fails.
pub fn forget_in(
    tx: &WriteTx<'_>,
    workspace: WorkspaceId,
    (before, most): (Timestamp, usize),
) -> Result<bool> {
    let n = tx.execute(
        "DELETE FROM transfers WHERE seq IN (
             SELECT t.seq FROM transfers t WHERE t.workspace_id = :workspace
               AND t.began_at < :before AND t.ended_at IS NOT NULL AND NOT EXISTS (
                 SELECT 1 FROM break_glass b WHERE b.user_id = t.user_id
                   AND b.workspace_id = t.workspace_id AND b.reviewed_at IS NULL)
             ORDER BY t.seq LIMIT :most)",
        named_params! {
            ":workspace": workspace, ":before": before,
            ":most": i64::try_from(most).unwrap_or(i64::MAX),
        },
    )?;
    Ok(n > 0)
}

/// Removes up to `most` rows that began before `before`. Whether there may be more to do.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, before: Timestamp, most: usize) -> Result<bool> {
    let n = tx.execute(
        "DELETE FROM transfers WHERE seq IN (
             SELECT seq FROM transfers WHERE began_at < :before ORDER BY began_at, seq LIMIT :most)",
        named_params! { ":before": before, ":most": i64::try_from(most).unwrap_or(i64::MAX) },
    )?;
    Ok(n == most)
}
