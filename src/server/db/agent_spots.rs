//! The table `agent_spots`: where machines that someone else runs were when they last connected.

use rusqlite::{Row, named_params};

use super::codec::Json;
use super::{ReadTx, Result, WriteTx};
use crate::model::id::{BuildId, WorkspaceId};
use crate::model::waking::{Spot, Whereabouts};

fn from_row(row: &Row<'_>) -> rusqlite::Result<Whereabouts> {
    let (Json(cards), Json(interfaces)) = (row.get("cards")?, row.get("interfaces")?);
    let Json(seen) = row.get("seen_from")?;
    Ok(Whereabouts {
        name: row.get("agent_name")?,
        spot: Spot { cards, interfaces, seen },
        woken_at: row.get("woken_at")?,
    })
}

/// The machines of a workspace, by name.
///
/// # Errors
/// When SQLite fails.
pub fn of(tx: &ReadTx<'_>, workspace: WorkspaceId) -> Result<Vec<Whereabouts>> {
    tx.list(
        "SELECT agent_name, cards, interfaces, seen_from, woken_at FROM agent_spots
         WHERE workspace_id = :workspace ORDER BY agent_name",
        named_params! { ":workspace": workspace },
        from_row,
    )
}

/// Keeps where a machine is, in place of where it was. It is here: nobody waits for it to wake.
///
/// # Errors
/// When SQLite fails.
pub fn put(tx: &WriteTx<'_>, workspace: WorkspaceId, name: &str, spot: &Spot) -> Result<()> {
    tx.execute(
        "INSERT INTO agent_spots (workspace_id, agent_name, cards, interfaces, seen_from)
         VALUES (:workspace, :name, :cards, :interfaces, :seen)
         ON CONFLICT (workspace_id, agent_name) DO UPDATE
         SET cards = excluded.cards, interfaces = excluded.interfaces,
             seen_from = excluded.seen_from, woken_at = NULL",
        named_params! {
            ":workspace": workspace, ":name": name, ":cards": Json(&spot.cards),
            ":interfaces": Json(&spot.interfaces), ":seen": Json(spot.seen),
        },
    )?;
    Ok(())
}

/// Notes that a machine is being woken.
///
/// # Errors
/// When SQLite fails.
pub fn set_woken(tx: &WriteTx<'_>, workspace: WorkspaceId, name: &str) -> Result<()> {
    tx.execute(
        "UPDATE agent_spots SET woken_at = :now
         WHERE workspace_id = :workspace AND agent_name = :name",
        named_params! { ":workspace": workspace, ":name": name, ":now": tx.now },
    )?;
    Ok(())
}

/// Forgets the machines of a workspace whose names no agent of this build has.
///
/// # Errors
/// When SQLite fails.
pub fn forget_others(tx: &WriteTx<'_>, workspace: WorkspaceId, build: BuildId) -> Result<()> {
    tx.execute(
        "DELETE FROM agent_spots WHERE workspace_id = :workspace
           AND agent_name NOT IN (SELECT name FROM agents WHERE build_id = :build)",
        named_params! { ":workspace": workspace, ":build": build },
    )?;
    Ok(())
}

/// Forgets where the machines of a workspace were: it is gone, or another's.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, workspace: WorkspaceId) -> Result<()> {
    tx.execute(
        "DELETE FROM agent_spots WHERE workspace_id = :workspace",
        named_params! { ":workspace": workspace },
    )?;
    Ok(())
}
