//! The tables `codes` and `code_uses`: share codes, who redeemed them, and which grants came by them.

use std::time::Duration;

use rusqlite::{Row, named_params};

use super::scim_users::bound;
use super::{ReadTx, Result, WriteTx, grants};
use crate::model::code::Code;
use crate::model::grant::Grant;
use crate::model::id::{CodeId, GrantId, UserId, WorkspaceId};
use crate::model::secret::TokenHash;
use crate::model::time::Timestamp;
use crate::model::user::UserRef;
use crate::model::verb::Verbs;

/// What [`from_row`] reads.
macro_rules! select_codes {
    ($rest:literal) => {
        concat!(
            "SELECT c.id, c.workspace_id, c.verbs, c.is_recorded, c.reason, c.made_by, u.username,
             c.created_at, c.expires_at, c.grant_ttl_s, c.max_uses, c.uses, c.last_used_at,
             c.revoked_at FROM codes c JOIN users u ON u.id = c.made_by ",
            $rest
        )
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Code> {
    let seconds: i64 = row.get("grant_ttl_s")?;
    Ok(Code {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        verbs: Verbs::of_bits(row.get("verbs")?),
        is_recorded: row.get("is_recorded")?,
        reason: row.get("reason")?,
        made_by: UserRef { id: row.get("made_by")?, username: row.get("username")? },
        created_at: row.get("created_at")?,
        expires_at: row.get("expires_at")?,
        grant_ttl: Duration::from_secs(u64::try_from(seconds).unwrap_or_default()),
        max_uses: row.get("max_uses")?,
        uses: row.get("uses")?,
        last_used_at: row.get("last_used_at")?,
        revoked_at: row.get("revoked_at")?,
    })
}

/// A code by its id.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: CodeId) -> Result<Option<Code>> {
    tx.find(select_codes!("WHERE c.id = :id"), named_params! { ":id": id }, from_row)
}

/// The code of a text.
///
/// # Errors
/// When SQLite fails.
pub fn of_hash(tx: &ReadTx<'_>, hash: TokenHash) -> Result<Option<Code>> {
    tx.find(select_codes!("WHERE c.hash = :hash"), named_params! { ":hash": hash }, from_row)
}

/// The codes of a workspace that are kept: those that can be redeemed first, then the last one.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, workspace: WorkspaceId, limit: usize) -> Result<Vec<Code>> {
    tx.list(
        select_codes!(
            "WHERE c.workspace_id = :workspace
             ORDER BY (c.revoked_at IS NULL AND c.expires_at > :now AND c.uses < c.max_uses) DESC,
               c.created_at DESC, c.id LIMIT :limit"
        ),
        named_params! { ":workspace": workspace, ":now": tx.now, ":limit": bound(limit) },
        from_row,
    )
}

/// The codes that someone made for a workspace and that can be redeemed, as far as these go themselves.
///
/// # Errors
/// When SQLite fails.
pub fn open_of(tx: &ReadTx<'_>, workspace: WorkspaceId, maker: UserId) -> Result<Vec<Code>> {
    tx.list(
        select_codes!(
            "WHERE c.workspace_id = :workspace AND c.made_by = :maker AND c.revoked_at IS NULL
               AND c.expires_at > :now AND c.uses < c.max_uses ORDER BY c.created_at"
        ),
        named_params! { ":workspace": workspace, ":maker": maker, ":now": tx.now },
        from_row,
    )
}

/// The codes of a workspace that can be redeemed, whoever made them.
///
/// # Errors
/// When SQLite fails.
pub fn open(tx: &ReadTx<'_>, workspace: WorkspaceId) -> Result<Vec<Code>> {
    tx.list(
        select_codes!(
            "WHERE c.workspace_id = :workspace AND c.revoked_at IS NULL AND c.expires_at > :now
               AND c.uses < c.max_uses ORDER BY c.created_at"
        ),
        named_params! { ":workspace": workspace, ":now": tx.now },
        from_row,
    )
}

/// How many codes that someone made for a workspace can be redeemed.
///
/// # Errors
/// When SQLite fails.
pub fn count(tx: &ReadTx<'_>, workspace: WorkspaceId, maker: UserId) -> Result<usize> {
    let n: Option<i64> = tx.find(
        "SELECT count(*) FROM codes WHERE workspace_id = :workspace AND made_by = :maker
           AND revoked_at IS NULL AND expires_at > :now AND uses < max_uses",
        named_params! { ":workspace": workspace, ":maker": maker, ":now": tx.now },
        |row| row.get(0),
    )?;
    Ok(usize::try_from(n.unwrap_or_default()).unwrap_or(usize::MAX))
}

/// Writes a new code.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, new: &Code, hash: TokenHash) -> Result<()> {
    tx.execute(
        "INSERT INTO codes (id, workspace_id, hash, verbs, is_recorded, reason, made_by, created_at,
         expires_at, grant_ttl_s, max_uses, uses)
         VALUES (:id, :workspace, :hash, :verbs, :recorded, :reason, :by, :at, :expires, :ttl, :max, 0)",
        named_params! {
            ":id": new.id, ":workspace": new.workspace_id, ":hash": hash,
            ":verbs": new.verbs.bits(), ":recorded": new.is_recorded, ":reason": new.reason,
            ":by": new.made_by.id, ":at": new.created_at, ":expires": new.expires_at,
            ":ttl": i64::try_from(new.grant_ttl.as_secs()).unwrap_or(i64::MAX), ":max": new.max_uses,
        },
    )?;
    Ok(())
}

/// Whether someone has redeemed a code, whatever became of what it gave.
///
/// # Errors
/// When SQLite fails.
pub fn is_used_by(tx: &ReadTx<'_>, id: CodeId, user: UserId) -> Result<bool> {
    let found = tx.find(
        "SELECT 1 FROM code_uses WHERE code_id = :id AND user_id = :user",
        named_params! { ":id": id, ":user": user },
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Counts someone's use and notes the grant that it gave. Whether the code had one left.
///
/// # Errors
/// When SQLite fails.
pub fn take(tx: &WriteTx<'_>, id: CodeId, (user, grant): (UserId, GrantId)) -> Result<bool> {
    let n = tx.execute(
        "UPDATE codes SET uses = uses + 1, last_used_at = :now
         WHERE id = :id AND uses < max_uses AND revoked_at IS NULL AND expires_at > :now",
        named_params! { ":id": id, ":now": tx.now },
    )?;
    if n == 0 {
        return Ok(false);
    }
    tx.execute(
        "INSERT INTO code_uses (code_id, user_id, grant_id) VALUES (:id, :user, :grant)",
        named_params! { ":id": id, ":user": user, ":grant": grant },
    )?;
    Ok(true)
}

/// The grants that came by a code and stand.
///
/// # Errors
/// When SQLite fails.
pub fn standing(tx: &ReadTx<'_>, id: CodeId) -> Result<Vec<Grant>> {
    tx.list(
        "SELECT g.* FROM code_uses x CROSS JOIN grants g ON g.id = x.grant_id
         WHERE x.code_id = :id AND g.ended_at IS NULL AND (g.until_at IS NULL OR g.until_at > :now)
         ORDER BY g.granted_at, g.id",
        named_params! { ":id": id, ":now": tx.now },
        grants::from_row,
    )
}

/// Takes a code back.
///
/// # Errors
/// When SQLite fails.
pub fn revoke(tx: &WriteTx<'_>, id: CodeId, by: UserId) -> Result<()> {
    tx.execute(
        "UPDATE codes SET revoked_at = :now, revoked_by = :by WHERE id = :id AND revoked_at IS NULL",
        named_params! { ":id": id, ":by": by, ":now": tx.now },
    )?;
    Ok(())
}

/// Removes up to `most` that ended before `at`. Whether there may be more to do.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, at: Timestamp, most: usize) -> Result<bool> {
    let n = tx.execute(
        "DELETE FROM codes WHERE id IN (
             SELECT id FROM codes WHERE expires_at < :at ORDER BY expires_at LIMIT :most)",
        named_params! { ":at": at, ":most": bound(most) },
    )?;
    Ok(n == most)
}
