//! The tables `mails` and `mail_refusals`: what people are to be told by mail, and who wants none.

use std::time::Duration;

use rusqlite::{Row, named_params};

use super::requests::seconds;
use super::scim_users::bound;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{GrantId, UserId, WorkspaceId};
use crate::model::time::Timestamp;

/// A mail as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mail {
    /// Its number: mails are sent in their order.
    pub seq: i64,
    /// To whom.
    pub user: UserId,
    /// What it says, as JSON.
    pub letter: String,
    /// When it was written.
    pub made_at: Timestamp,
    /// How often it was tried.
    pub tries: u32,
    /// Why it was not taken; empty until then.
    pub failure: String,
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Mail> {
    Ok(Mail {
        seq: row.get("seq")?,
        user: row.get("user_id")?,
        letter: row.get("letter")?,
        made_at: row.get("made_at")?,
        tries: row.get("tries")?,
        failure: row.get("failure")?,
    })
}

/// Writes a mail that is to be sent.
///
/// # Errors
/// When SQLite fails.
pub fn push(tx: &WriteTx<'_>, to: UserId, letter: &str) -> Result<()> {
    tx.execute(
        "INSERT INTO mails (user_id, letter, made_at, tries, next_at, failure)
         VALUES (:to, :letter, :now, 0, :now, '')",
        named_params! { ":to": to, ":letter": letter, ":now": tx.now },
    )?;
    Ok(())
}

/// Mails whose time has come, what has waited longest coming first.
///
/// # Errors
/// When SQLite fails.
pub fn due(tx: &ReadTx<'_>, limit: usize) -> Result<Vec<Mail>> {
    tx.list(
        "SELECT seq, user_id, letter, made_at, tries, failure FROM mails
         WHERE next_at IS NOT NULL AND next_at <= :now ORDER BY next_at, seq LIMIT :limit",
        named_params! { ":now": tx.now, ":limit": bound(limit) },
        from_row,
    )
}

/// How many wait; at most as many as asked for.
///
/// # Errors
/// When SQLite fails.
pub fn waiting(tx: &ReadTx<'_>, most: usize) -> Result<usize> {
    let n: Option<i64> = tx.find(
        "SELECT count(*) FROM (SELECT 1 FROM mails WHERE next_at IS NOT NULL LIMIT :most)",
        named_params! { ":most": bound(most) },
        |row| row.get(0),
    )?;
    Ok(usize::try_from(n.unwrap_or_default()).unwrap_or(usize::MAX))
}

/// Those that were given up, the last one first.
///
/// # Errors
/// When SQLite fails.
pub fn given_up(tx: &ReadTx<'_>, limit: usize) -> Result<Vec<Mail>> {
    tx.list(
        "SELECT seq, user_id, letter, made_at, tries, failure FROM mails
         WHERE next_at IS NULL ORDER BY seq DESC LIMIT :limit",
        named_params! { ":limit": bound(limit) },
        from_row,
    )
}

/// Removes one that was taken, or that nobody is to have any more.
///
/// # Errors
/// When SQLite fails.
pub fn done(tx: &WriteTx<'_>, seq: i64) -> Result<()> {
    tx.execute("DELETE FROM mails WHERE seq = :seq", named_params! { ":seq": seq })?;
    Ok(())
}

/// Writes that one was not taken, and when it is tried again; none for one that is given up.
///
/// # Errors
/// When SQLite fails.
pub fn failed(tx: &WriteTx<'_>, seq: i64, (why, next): (&str, Option<Timestamp>)) -> Result<()> {
    tx.execute(
        "UPDATE mails SET tries = tries + 1, next_at = :next, failure = :why WHERE seq = :seq",
        named_params! { ":seq": seq, ":next": next, ":why": why },
    )?;
    Ok(())
}

/// Removes those that were given up, but for the last ones.
///
/// # Errors
/// When SQLite fails.
pub fn forget_given_up(tx: &WriteTx<'_>, kept: usize) -> Result<()> {
    tx.execute(
        "DELETE FROM mails WHERE next_at IS NULL AND seq <= (
           SELECT seq FROM mails WHERE next_at IS NULL ORDER BY seq DESC LIMIT 1 OFFSET :kept)",
        named_params! { ":kept": bound(kept) },
    )?;
    Ok(())
}

/// Whether someone wants no mails.
///
/// # Errors
/// When SQLite fails.
pub fn is_refused(tx: &ReadTx<'_>, user: UserId) -> Result<bool> {
    let found = tx.find(
        "SELECT 1 FROM mail_refusals WHERE user_id = :user",
        named_params! { ":user": user },
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Writes that someone wants no mails.
///
/// # Errors
/// When SQLite fails.
pub fn refuse(tx: &WriteTx<'_>, user: UserId) -> Result<()> {
    tx.execute(
        "INSERT INTO mail_refusals (user_id, refused_at) VALUES (:user, :now)
         ON CONFLICT (user_id) DO NOTHING",
        named_params! { ":user": user, ":now": tx.now },
    )?;
    Ok(())
}

/// Writes that they want them again.
///
/// # Errors
/// When SQLite fails.
pub fn accept(tx: &WriteTx<'_>, user: UserId) -> Result<()> {
    tx.execute("DELETE FROM mail_refusals WHERE user_id = :user", named_params! { ":user": user })?;
    Ok(())
}

/// Who looks after the site: its owners and auditors.
///
/// # Errors
/// When SQLite fails.
pub fn keepers(tx: &ReadTx<'_>, most: usize) -> Result<Vec<UserId>> {
    tx.list(
        "SELECT DISTINCT user_id FROM effective_roles
         WHERE role IN ('owner', 'auditor') AND organization_id IS NULL LIMIT :most",
        named_params! { ":most": bound(most) },
        |row| row.get("user_id"),
    )
}

/// The first end of a grant in a span of time, of those that were given for at least `least`: whoever
/// was given less was told the end with it.
///
/// # Errors
/// When SQLite fails.
pub fn next_end(
    tx: &ReadTx<'_>,
    (after, until): (Timestamp, Timestamp),
    least: Duration,
) -> Result<Option<Timestamp>> {
    tx.find(
        "SELECT until_at FROM grants
         WHERE (ended_at IS NOT NULL OR until_at IS NOT NULL) AND ended_at IS NULL
           AND coalesce(ended_at, until_at) > :after AND coalesce(ended_at, until_at) <= :until
           AND until_at - granted_at >= :least
         ORDER BY coalesce(ended_at, until_at) LIMIT 1",
        named_params! { ":after": after, ":until": until, ":least": seconds(least) },
        |row| row.get("until_at"),
    )
}

/// Whose grants of at least `least` end then, each with its workspace.
///
/// # Errors
/// When SQLite fails.
pub fn ending(
    tx: &ReadTx<'_>,
    (at, least): (Timestamp, Duration),
    most: usize,
) -> Result<Vec<(GrantId, WorkspaceId, UserId)>> {
    tx.list(
        "SELECT g.id AS id, g.workspace_id AS workspace_id, h.user_id AS user_id
         FROM grants g CROSS JOIN grant_holders h ON h.grant_id = g.id
         WHERE (g.ended_at IS NOT NULL OR g.until_at IS NOT NULL) AND g.ended_at IS NULL
           AND coalesce(g.ended_at, g.until_at) = :at
           AND g.until_at - g.granted_at >= :least LIMIT :most",
        named_params! { ":at": at, ":least": seconds(least), ":most": bound(most) },
        |row| Ok((row.get("id")?, row.get("workspace_id")?, row.get("user_id")?)),
    )
}
