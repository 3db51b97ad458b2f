//! The tables `agent_health` and `agent_health_blocks`: how machines are, and how they were.

use rusqlite::{Row, named_params};

use super::codec::Json;
use super::{ReadTx, Result, WriteTx};
use crate::model::health::judge::Verdict;
use crate::model::health::series::{Point, Step};
use crate::model::health::{Health, State};
use crate::model::id::{AgentId, WorkspaceId};
use crate::model::time::Timestamp;

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT workspace_id, agent_name, agent_id, state, troubles, turning, since_at, figures,
                    heard_at, point_at, changes
             FROM agent_health ",
            $tail
        )
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<Health> {
    let (Json(troubles), Json(turning)) = (row.get("troubles")?, row.get("turning")?);
    let state: State = row.get("state")?;
    let figures: Option<Json<_>> = row.get("figures")?;
    let Json(changes) = row.get("changes")?;
    Ok(Health {
        name: row.get("agent_name")?,
        agent: row.get("agent_id")?,
        verdict: Verdict { is_lost: state == State::Lost, troubles, turning },
        since: row.get("since_at")?,
        figures: figures.map(|Json(figures)| figures),
        heard_at: row.get("heard_at")?,
        point_at: row.get("point_at")?,
        changes,
    })
}

/// The machine of an agent's name in a workspace.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, workspace: WorkspaceId, name: &str) -> Result<Option<Health>> {
    tx.find(
        select!("WHERE workspace_id = :workspace AND agent_name = :name"),
        named_params! { ":workspace": workspace, ":name": name },
        from_row,
    )
}

/// The machines of these workspaces, by workspace and name.
///
/// # Errors
/// When SQLite fails.
pub fn of(tx: &ReadTx<'_>, workspaces: &[WorkspaceId]) -> Result<Vec<(WorkspaceId, Health)>> {
    tx.list(
        select!(
            "WHERE workspace_id IN (SELECT value FROM json_each(:workspaces))
             ORDER BY workspace_id, agent_name"
        ),
        named_params! { ":workspaces": Json(workspaces) },
        |row| Ok((row.get("workspace_id")?, from_row(row)?)),
    )
}

/// The agents whose machines are not lost.
///
/// # Errors
/// When SQLite fails.
pub fn here(tx: &ReadTx<'_>) -> Result<Vec<AgentId>> {
    tx.list(
        "/* scan: once at the start */ SELECT agent_id FROM agent_health WHERE state <> 'lost'",
        [],
        |row| row.get("agent_id"),
    )
}

/// Keeps a machine's health in place of what was kept.
///
/// # Errors
/// When SQLite fails.
pub fn put(tx: &WriteTx<'_>, workspace: WorkspaceId, health: &Health) -> Result<()> {
    tx.execute(
        "INSERT INTO agent_health (workspace_id, agent_name, agent_id, state, troubles, turning,
             since_at, figures, heard_at, point_at, changes)
         VALUES (:workspace, :name, :agent, :state, :troubles, :turning, :since, :figures, :heard,
             :point, :changes)
         ON CONFLICT (workspace_id, agent_name) DO UPDATE
         SET agent_id = excluded.agent_id, state = excluded.state, troubles = excluded.troubles,
             turning = excluded.turning, since_at = excluded.since_at, figures = excluded.figures,
             heard_at = excluded.heard_at, point_at = excluded.point_at, changes = excluded.changes",
        named_params! {
            ":workspace": workspace, ":name": health.name, ":agent": health.agent,
            ":state": health.verdict.state(), ":troubles": Json(&health.verdict.troubles),
            ":turning": Json(&health.verdict.turning), ":since": health.since,
            ":figures": health.figures.map(Json), ":heard": health.heard_at,
            ":point": health.point_at, ":changes": Json(&health.changes),
        },
    )?;
    Ok(())
}

/// Adds a point to a machine's history. A block that holds an older time begins anew; a full
/// one takes no more.
///
/// # Errors
/// When SQLite fails.
pub fn append(
    tx: &WriteTx<'_>,
    (workspace, name): (WorkspaceId, &str),
    step: Step,
    point: &Point,
) -> Result<()> {
    let most = i64::try_from(step.max_bytes()).unwrap_or(0);
    tx.execute(
        "INSERT INTO agent_health_blocks (workspace_id, agent_name, step, slot, began_at, points)
         VALUES (:workspace, :name, :step, :slot, :began, :points)
         ON CONFLICT (workspace_id, agent_name, step, slot) DO UPDATE
         SET began_at = excluded.began_at,
             points = CASE WHEN began_at <> excluded.began_at THEN excluded.points
                           WHEN length(points) + length(excluded.points) > :most THEN points
                           ELSE CAST(points || excluded.points AS BLOB) END",
        named_params! {
            ":workspace": workspace, ":name": name, ":step": step, ":slot": step.slot(point.at),
            ":began": step.block(point.at), ":points": point.encode(step).as_slice(), ":most": most,
        },
    )?;
    Ok(())
}

/// The points of a machine from `from` on, the first one first.
///
/// # Errors
/// When SQLite fails.
pub fn points(
    tx: &ReadTx<'_>,
    (workspace, name): (WorkspaceId, &str),
    step: Step,
    from: Timestamp,
) -> Result<Vec<Point>> {
    let mut blocks: Vec<(Timestamp, Vec<u8>)> = tx.list(
        "SELECT began_at, points FROM agent_health_blocks
         WHERE workspace_id = :workspace AND agent_name = :name AND step = :step",
        named_params! { ":workspace": workspace, ":name": name, ":step": step },
        |row| Ok((row.get("began_at")?, row.get("points")?)),
    )?;
    blocks.retain(|(began, _)| *began >= step.block(from));
    blocks.sort_by_key(|(began, _)| *began);
    let points = blocks.iter().flat_map(|(began, bytes)| Point::decode(step, *began, bytes));
    Ok(points.filter(|point| point.at >= from).collect())
}

/// Forgets the machines of a workspace.
///
/// # Errors
/// When SQLite fails.
pub fn forget(tx: &WriteTx<'_>, workspace: WorkspaceId) -> Result<()> {
    let workspace = named_params! { ":workspace": workspace };
    tx.execute("DELETE FROM agent_health_blocks WHERE workspace_id = :workspace", workspace)?;
    tx.execute("DELETE FROM agent_health WHERE workspace_id = :workspace", workspace)?;
    Ok(())
}

/// Forgets the machines of a workspace that nothing was heard of since `before`: its template has them
/// under other names.
///
/// # Errors
/// When SQLite fails.
pub fn forget_silent(tx: &WriteTx<'_>, workspace: WorkspaceId, before: Timestamp) -> Result<()> {
    tx.execute(
        "DELETE FROM agent_health WHERE workspace_id = :workspace AND heard_at < :before",
        named_params! { ":workspace": workspace, ":before": before },
    )?;
    tx.execute(
        "DELETE FROM agent_health_blocks WHERE workspace_id = :workspace AND agent_name NOT IN
             (SELECT agent_name FROM agent_health WHERE workspace_id = :workspace)",
        named_params! { ":workspace": workspace },
    )?;
    Ok(())
}
