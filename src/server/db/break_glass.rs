//! The table `break_glass`: who let themselves into which workspace, and who looked into it since.

use rusqlite::{Row, named_params};

use super::scim_users::bound;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{BreakGlassId, UserId, WorkspaceId};
use crate::model::request::BreakGlass;
use crate::model::time::Timestamp;

fn from_row(row: &Row<'_>) -> rusqlite::Result<BreakGlass> {
    let by: Option<UserId> = row.get("reviewed_by")?;
    let at: Option<Timestamp> = row.get("reviewed_at")?;
    let note: String = row.get("note")?;
    Ok(BreakGlass {
        id: row.get("id")?,
        workspace_id: row.get("workspace_id")?,
        user_id: row.get("user_id")?,
        grant_id: row.get("grant_id")?,
        reason: row.get("reason")?,
        taken_at: row.get("taken_at")?,
        until: row.get("until_at")?,
        review: by.zip(at).map(|(by, at)| (by, at, note)),
    })
}

/// One of them.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: BreakGlassId) -> Result<Option<BreakGlass>> {
    tx.find("SELECT * FROM break_glass WHERE id = :id", named_params! { ":id": id }, from_row)
}

/// Those that nobody has looked into, the first one first: all when nobody is named, else those that they
/// took, and those into what they own or whose owner they answer for.
///
/// # Errors
/// When SQLite fails.
pub fn open(tx: &ReadTx<'_>, user: Option<UserId>, limit: usize) -> Result<Vec<BreakGlass>> {
    tx.list(
        "SELECT b.* FROM break_glass b INDEXED BY break_glass_open
         WHERE b.reviewed_at IS NULL AND (:user IS NULL OR b.user_id = :user OR EXISTS (
             SELECT 1 FROM workspaces w LEFT JOIN service_accounts s ON s.user_id = w.owner_id
             WHERE w.id = b.workspace_id AND (w.owner_id = :user OR s.responsible_id = :user)))
         ORDER BY b.taken_at, b.id LIMIT :limit",
        named_params! { ":user": user, ":limit": bound(limit) },
        from_row,
    )
}

/// The workspaces into which someone let themselves while nobody has looked into that.
///
/// # Errors
/// When SQLite fails.
pub fn open_of(tx: &ReadTx<'_>, user: UserId, limit: usize) -> Result<Vec<WorkspaceId>> {
    tx.list(
        "SELECT workspace_id FROM break_glass WHERE user_id = :user AND reviewed_at IS NULL
         ORDER BY workspace_id LIMIT :limit",
        named_params! { ":user": user, ":limit": bound(limit) },
        |row| row.get("workspace_id"),
    )
}

/// Those of one workspace that nobody has looked into, the first one first.
///
/// # Errors
/// When SQLite fails.
pub fn open_in(tx: &ReadTx<'_>, workspace: WorkspaceId, limit: usize) -> Result<Vec<BreakGlass>> {
    tx.list(
        "SELECT * FROM break_glass WHERE workspace_id = :workspace AND reviewed_at IS NULL
         ORDER BY taken_at LIMIT :limit",
        named_params! { ":workspace": workspace, ":limit": bound(limit) },
        from_row,
    )
}

/// Whether someone is in a workspace by having let themselves in.
///
/// # Errors
/// When SQLite fails.
pub fn stands(tx: &ReadTx<'_>, user: UserId, workspace: WorkspaceId) -> Result<bool> {
    let found = tx.find(
        "SELECT 1 FROM break_glass b JOIN grants g ON g.id = b.grant_id
         WHERE b.user_id = :user AND b.workspace_id = :workspace
           AND g.ended_at IS NULL AND g.until_at > :now LIMIT 1",
        named_params! { ":user": user, ":workspace": workspace, ":now": tx.now },
        |_| Ok(()),
    )?;
    Ok(found.is_some())
}

/// Writes that someone let themselves in.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, new: &BreakGlass) -> Result<()> {
    tx.execute(
        "INSERT INTO break_glass (id, workspace_id, user_id, grant_id, reason, taken_at, until_at, note)
         VALUES (:id, :workspace, :user, :grant, :reason, :taken, :until, '')",
        named_params! {
            ":id": new.id, ":workspace": new.workspace_id, ":user": new.user_id,
            ":grant": new.grant_id, ":reason": new.reason, ":taken": new.taken_at,
            ":until": new.until,
        },
    )?;
    Ok(())
}

/// Writes that someone looked into it. Whether nobody had before.
///
/// # Errors
/// When SQLite fails.
pub fn review(tx: &WriteTx<'_>, id: BreakGlassId, (by, note): (UserId, &str)) -> Result<bool> {
    let n = tx.execute(
        "UPDATE break_glass SET reviewed_at = :now, reviewed_by = :by, note = :note
         WHERE id = :id AND reviewed_at IS NULL",
        named_params! { ":id": id, ":now": tx.now, ":by": by, ":note": note },
    )?;
    Ok(n > 0)
}
