//! The table `commands`: what was run in recorded sessions, and the index that searches go by.

use rusqlite::{Row, named_params};

use super::codec::Json;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{RecordingId, WorkspaceId};
use crate::model::recording::ledger::Change;
use crate::model::recording::{RanCommand, Recording, Sought};
use crate::model::user::UserRef;

macro_rules! select {
    ($($tail:expr),+) => {
        concat!(
            "SELECT c.recording_id AS recording_id, c.number AS number, u.id AS user_id,
                    u.username AS username, c.workspace_id AS workspace_id,
                    w.name AS workspace_name, o.id AS owner_id, o.username AS owner_name,
                    c.text AS text, c.directory AS directory, c.began_at AS began_at,
                    c.at_ms AS at_ms, c.length_ms AS length_ms, c.exit_code AS exit_code ",
            $($tail),+
        )
    };
}

/// What a row names, behind the row itself.
macro_rules! named {
    () => {
        "CROSS JOIN users u ON u.id = c.user_id
         CROSS JOIN workspaces w ON w.id = c.workspace_id
         CROSS JOIN users o ON o.id = w.owner_id "
    };
}

/// What a search leaves, and in which order.
macro_rules! sought {
    () => {
        "AND (:user IS NULL OR c.user_id = :user)
         AND (:ids IS NULL OR c.workspace_id IN (SELECT value FROM json_each(:ids)))
         AND (:recording IS NULL OR c.recording_id = :recording)
         AND (:from IS NULL OR c.began_at >= :from)
         AND (:until IS NULL OR c.began_at < :until)
         ORDER BY c.seq DESC LIMIT :limit OFFSET :offset"
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<RanCommand> {
    Ok(RanCommand {
        recording: row.get("recording_id")?,
        number: row.get("number")?,
        user: UserRef { id: row.get("user_id")?, username: row.get("username")? },
        workspace_id: row.get("workspace_id")?,
        workspace_name: row.get("workspace_name")?,
        owner: UserRef { id: row.get("owner_id")?, username: row.get("owner_name")? },
        text: row.get("text")?,
        directory: row.get("directory")?,
        began_at: row.get("began_at")?,
        at_ms: row.get("at_ms")?,
        length_ms: row.get("length_ms")?,
        exit_code: row.get("exit_code")?,
    })
}

/// What FTS5 is asked for to find a text of three characters or more; none for an empty one.
pub(super) fn words(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| format!("\"{}\"", text.replace('"', "\"\"")))
}

/// Enters what changed in the list of a recording's commands.
///
/// # Errors
/// When SQLite fails.
pub fn change(tx: &WriteTx<'_>, recording: &Recording, change: &Change) -> Result<()> {
    match change {
        Change::Began { number, text, directory, at_ms } => {
            let n = tx.execute(
                "INSERT INTO commands (recording_id, number, user_id, workspace_id, text,
                     directory, began_at, at_ms)
                 VALUES (:recording, :number, :user, :workspace, :text, :directory, :at, :at_ms)
                 ON CONFLICT (recording_id, number) DO NOTHING",
                named_params! {
                    ":recording": recording.id, ":number": number, ":user": recording.user.id,
                    ":workspace": recording.workspace_id, ":text": text,
                    ":directory": directory,
                    ":at": recording.began_at.0.saturating_add(at_ms / 1000), ":at_ms": at_ms,
                },
            )?;
            if n > 0 && !text.is_empty() {
                tx.execute(
                    "INSERT INTO command_words (rowid, text) VALUES (:seq, :text)",
                    named_params! { ":seq": tx.last_rowid(), ":text": text },
                )?;
            }
        }
        Change::Ended { number, length_ms, code } => {
            tx.execute(
                "UPDATE commands SET length_ms = :length, exit_code = :code
                 WHERE recording_id = :recording AND number = :number",
                named_params! {
                    ":recording": recording.id, ":number": number, ":length": length_ms,
                    ":code": code,
                },
            )?;
        }
    }
    Ok(())
}

/// Commands in these workspaces that a search finds, newest first; in all of them when none are
/// named.
///
/// # Errors
/// When SQLite fails.
pub fn list(
    tx: &ReadTx<'_>,
    within: Option<&[WorkspaceId]>,
    sought: &Sought,
    (limit, offset): (u32, u32),
) -> Result<Vec<RanCommand>> {
    let words = words(&sought.text);
    let params = named_params! {
        ":ids": within.map(Json), ":user": sought.user, ":recording": sought.recording,
        ":from": sought.from, ":until": sought.until, ":words": words, ":limit": limit,
        ":offset": offset,
    };
    let sql = match (&words, within, sought.user) {
        (Some(_), ..) => select!(
            "FROM command_words x CROSS JOIN commands c ON c.seq = x.rowid ",
            named!(),
            "WHERE x.command_words MATCH :words ",
            sought!()
        ),
        (None, Some(_), _) => select!(
            "FROM json_each(:ids) i CROSS JOIN commands c ON c.workspace_id = i.value ",
            named!(),
            "WHERE :words IS NULL ",
            sought!()
        ),
        (None, None, Some(_)) => select!(
            "FROM commands c INDEXED BY commands_by_user ",
            named!(),
            "WHERE c.user_id = :user AND :words IS NULL ",
            sought!()
        ),
        (None, None, None) => {
            select!("FROM commands c ", named!(), "WHERE c.seq > 0 AND :words IS NULL ", sought!())
        }
    };
    tx.list(sql, params, from_row)
}

/// The commands of a recording from a place on, in the order in which they were run.
///
/// # Errors
/// When SQLite fails.
pub fn of_recording(
    tx: &ReadTx<'_>,
    recording: RecordingId,
    (limit, offset): (u32, u32),
) -> Result<Vec<RanCommand>> {
    tx.list(
        select!(
            "FROM commands c ",
            named!(),
            "WHERE c.recording_id = :recording ORDER BY c.number LIMIT :limit OFFSET :offset"
        ),
        named_params! { ":recording": recording, ":limit": limit, ":offset": offset },
        from_row,
    )
}

/// Removes up to `most` commands of a recording. Whether there may be more.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, recording: RecordingId, most: usize) -> Result<bool> {
    let seqs: Vec<i64> = tx.list(
        "SELECT seq FROM commands WHERE recording_id = :recording LIMIT :most",
        named_params! {
            ":recording": recording, ":most": i64::try_from(most).unwrap_or(i64::MAX),
        },
        |row| row.get("seq"),
    )?;
    for seq in &seqs {
        tx.execute("DELETE FROM command_words WHERE rowid = :seq", named_params! { ":seq": seq })?;
        tx.execute("DELETE FROM commands WHERE seq = :seq", named_params! { ":seq": seq })?;
    }
    Ok(seqs.len() == most)
}
