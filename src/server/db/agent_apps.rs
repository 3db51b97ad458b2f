//! The table `agent_apps`: apps of agents, and what their health checks found.

use std::collections::BTreeMap;

use rusqlite::named_params;

use super::codec::Json;
use super::{ReadTx, Result, WriteTx};
use crate::model::agent::App;
use crate::model::app::{AppHealth, AppSpec};
use crate::model::id::{AgentId, AppId};

/// Keeps the apps of an agent; each gets a new id.
///
/// # Errors
/// When SQLite fails.
pub fn insert(tx: &WriteTx<'_>, agent: AgentId, apps: &[AppSpec]) -> Result<()> {
    for (position, app) in (0i64..).zip(apps) {
        let spec = AppSpec { id: tx.fresh(), ..app.clone() };
        let health = match spec.healthcheck {
            Some(_) => AppHealth::Initializing,
            None => AppHealth::Disabled,
        };
        tx.execute(
            "INSERT INTO agent_apps (id, agent_id, position, spec, health)
             VALUES (:id, :agent, :position, :spec, :health)",
            named_params! {
                ":id": spec.id, ":agent": agent, ":position": position, ":spec": Json(&spec),
                ":health": health,
            },
        )?;
    }
    Ok(())
}

/// The apps of each of these agents in their order.
///
/// # Errors
/// When SQLite fails.
pub fn of(tx: &ReadTx<'_>, agents: &[AgentId]) -> Result<BTreeMap<AgentId, Vec<App>>> {
    let rows = tx.list(
        "SELECT agent_id, spec, health FROM agent_apps
         WHERE agent_id IN (SELECT value FROM json_each(:agents)) ORDER BY agent_id, position",
        named_params! { ":agents": Json(agents) },
        |row| {
            let Json(spec) = row.get("spec")?;
            Ok((row.get("agent_id")?, App { spec, health: row.get("health")? }))
        },
    )?;
    let mut all: BTreeMap<AgentId, Vec<App>> = BTreeMap::new();
    for (agent, app) in rows {
        all.entry(agent).or_default().push(app);
    }
    all.values_mut().for_each(|apps| apps.sort_by_key(|a| a.spec.order));
    Ok(all)
}

/// The apps of an agent in their order.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, agent: AgentId) -> Result<Vec<App>> {
    Ok(of(tx, &[agent])?.remove(&agent).unwrap_or_default())
}

/// Stores what a health check found. Whether it is news.
///
/// # Errors
/// When SQLite fails.
pub fn set_health(tx: &WriteTx<'_>, agent: AgentId, app: AppId, health: AppHealth) -> Result<bool> {
    let n = tx.execute(
        "UPDATE agent_apps SET health = :health
         WHERE id = :app AND agent_id = :agent AND health <> :health",
        named_params! { ":app": app, ":agent": agent, ":health": health },
    )?;
    Ok(n > 0)
}
