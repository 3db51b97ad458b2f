//! The table `resources`: what a build made, with its agents.

use std::collections::BTreeMap;

use rusqlite::named_params;

use super::codec::Json;
use super::seal::Seal;
use super::{ReadTx, Result, WriteTx, agents};
use crate::model::agent::{Agent, Resource};
use crate::model::id::{BuildId, ResourceId};
use crate::model::resource::ResourceSpec;

/// Keeps what a build made; every row gets a new id.
///
/// # Errors
/// When SQLite fails or a text is too long.
pub fn insert(tx: &WriteTx<'_>, seal: &Seal, build: BuildId, specs: &[ResourceSpec]) -> Result<()> {
    for (position, spec) in (0i64..).zip(specs) {
        let id: ResourceId = tx.fresh();
        tx.execute(
            "INSERT INTO resources (id, build_id, position, address, kind, name, hide, icon,
                 daily_cost, instance_type, metadata)
             VALUES (:id, :build, :position, :address, :kind, :name, :hide, :icon,
                 :cost, :instance_type, :metadata)",
            named_params! {
                ":id": id, ":build": build, ":position": position, ":address": spec.address,
                ":kind": spec.kind, ":name": spec.name, ":hide": spec.hide, ":icon": spec.icon,
                ":cost": spec.daily_cost, ":instance_type": spec.instance_type,
                ":metadata": Json(&spec.metadata),
            },
        )?;
        for (position, agent) in (0i64..).zip(&spec.agents) {
            agents::insert(tx, seal, &agents::Place { build, resource: id, position }, agent)?;
        }
    }
    Ok(())
}

/// What each of these builds made, with agents and apps as they are now.
///
/// # Errors
/// When SQLite fails.
pub fn of(tx: &ReadTx<'_>, builds: &[BuildId]) -> Result<BTreeMap<BuildId, Vec<Resource>>> {
    let rows = tx.list(
        "SELECT r.build_id AS build_id, r.id AS id, r.kind AS kind, r.name AS name, r.hide AS hide,
                r.icon AS icon, r.daily_cost AS daily_cost, r.metadata AS metadata,
                coalesce(j.ended_at, b.created_at) AS created_at
         FROM resources r CROSS JOIN builds b ON b.id = r.build_id
         CROSS JOIN jobs j ON j.id = b.job_id
         WHERE r.build_id IN (SELECT value FROM json_each(:builds))
         ORDER BY r.build_id, r.position",
        named_params! { ":builds": Json(builds) },
        |row| {
            let resource = Resource {
                id: row.get("id")?,
                created_at: row.get("created_at")?,
                kind: row.get("kind")?,
                name: row.get("name")?,
                hide: row.get("hide")?,
                icon: row.get("icon")?,
                daily_cost: row.get("daily_cost")?,
                metadata: row.get("metadata").map(|Json(m)| m)?,
                agents: vec![],
            };
            Ok((row.get("build_id")?, resource))
        },
    )?;
    let mut agents: BTreeMap<ResourceId, Vec<Agent>> = BTreeMap::new();
    if !rows.is_empty() {
        for (resource, agent) in agents::of(tx, builds)? {
            agents.entry(resource).or_default().push(agent);
        }
    }
    let mut all: BTreeMap<BuildId, Vec<Resource>> = BTreeMap::new();
    for (build, mut resource) in rows {
        resource.agents = agents.remove(&resource.id).unwrap_or_default();
        all.entry(build).or_default().push(resource);
    }
    Ok(all)
}

/// What a build made, with agents and apps as they are now.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, build: BuildId) -> Result<Vec<Resource>> {
    Ok(of(tx, &[build])?.remove(&build).unwrap_or_default())
}
