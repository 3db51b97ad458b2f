//! The table `agents`: what a build declared, and what was heard.

use std::collections::BTreeMap;

use rusqlite::{Row, named_params};

use super::codec::Json;
use super::seal::{self, Seal};
use super::{Error, ReadTx, Result, WriteTx, agent_apps};
use crate::model::agent::{Agent, Lifecycle};
use crate::model::id::{AgentId, BuildId, ResourceId, WorkspaceId};
use crate::model::resource::{AgentSpec, ScriptSpec};
use crate::model::secret::TokenHash;

/// Where a new agent stands.
#[derive(Clone, Copy, Debug)]
pub struct Place {
    /// Of which build.
    pub build: BuildId,
    /// Inside what.
    pub resource: ResourceId,
    /// The place in the list.
    pub position: i64,
}

/// Whose an agent is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Home {
    /// The agent.
    pub agent: AgentId,
    /// Its build.
    pub build: BuildId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Its token was ended: the workspace became another's since.
    pub is_revoked: bool,
}

/// What templates put secrets into: kept sealed, read only for the agent itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Sealed {
    /// Environment of sessions and scripts.
    pub env: BTreeMap<String, String>,
    /// What it runs.
    pub scripts: Vec<ScriptSpec>,
    /// The token of an external agent, to show it again; empty otherwise.
    pub token: String,
}

const COLUMN: &str = "agents.sealed";

macro_rules! select {
    ($tail:literal) => {
        concat!(
            "SELECT a.id AS id, a.resource_id AS resource_id, a.spec AS spec,
                    a.created_at AS created_at, a.first_connected_at AS first_connected_at,
                    a.last_connected_at AS last_connected_at, a.disconnected_at AS disconnected_at,
                    a.lifecycle AS lifecycle, a.started_at AS started_at, a.ready_at AS ready_at,
                    a.version AS version, a.expanded_directory AS expanded_directory,
                    (SELECT h.state FROM agent_health h WHERE h.agent_id = a.id) AS health
             FROM agents a ",
            $tail
        )
    };
}

fn from_row(row: &Row<'_>) -> rusqlite::Result<(ResourceId, Agent)> {
    let Json(spec) = row.get("spec")?;
    let agent = Agent {
        id: row.get("id")?,
        spec,
        created_at: row.get("created_at")?,
        first_connected_at: row.get("first_connected_at")?,
        last_connected_at: row.get("last_connected_at")?,
        disconnected_at: row.get("disconnected_at")?,
        lifecycle: row.get("lifecycle")?,
        started_at: row.get("started_at")?,
        ready_at: row.get("ready_at")?,
        version: row.get("version")?,
        expanded_directory: row.get("expanded_directory")?,
        health: row.get("health")?,
        apps: vec![],
    };
    Ok((row.get("resource_id")?, agent))
}

/// Keeps an agent and its apps; rows, apps and scripts get new ids. A token that was ended stays so, when
/// a build has kept it in its state.
///
/// # Errors
/// When SQLite fails or a text is too long.
pub fn insert(tx: &WriteTx<'_>, seal: &Seal, place: &Place, spec: &AgentSpec) -> Result<()> {
    let id: AgentId = tx.fresh();
    let mut open = AgentSpec { token: String::new(), apps: vec![], ..spec.clone() };
    for script in &mut open.scripts {
        script.id = tx.fresh();
    }
    let secrets = Sealed {
        env: std::mem::take(&mut open.env),
        scripts: open.scripts.clone(),
        token: if spec.external { spec.token.clone() } else { String::new() },
    };
    open.scripts.iter_mut().for_each(|s| s.script.clear());
    let row = id.to_string();
    let plain = serde_json::to_vec(&secrets)
        .map_err(|e| Error::Unreadable { what: COLUMN, why: e.to_string() })?;
    let sealed = seal.seal(seal::Place { column: COLUMN, row: &row }, &plain);
    let hash = (!spec.token.is_empty()).then(|| TokenHash::of(&spec.token));
    tx.execute(
        "INSERT INTO agents (id, resource_id, build_id, position, name, token_hash, instance_id,
             spec, sealed, created_at, lifecycle, version, expanded_directory, revoked_at)
         VALUES (:id, :resource, :build, :position, :name, :hash, :instance,
             :spec, :sealed, :now, 'created', '', '',
             (SELECT max(revoked_at) FROM agents WHERE token_hash = :hash))",
        named_params! {
            ":id": id, ":resource": place.resource, ":build": place.build,
            ":position": place.position, ":name": spec.name, ":hash": hash,
            ":instance": spec.instance_id, ":spec": Json(&open), ":sealed": sealed, ":now": tx.now,
        },
    )?;
    agent_apps::insert(tx, id, &spec.apps)
}

/// The agents of these builds, each with its resource; those of one resource in their order.
///
/// # Errors
/// When SQLite fails.
pub fn of(tx: &ReadTx<'_>, builds: &[BuildId]) -> Result<Vec<(ResourceId, Agent)>> {
    let mut agents = tx.list(
        select!(
            "WHERE a.build_id IN (SELECT value FROM json_each(:builds))
             ORDER BY a.resource_id, a.position"
        ),
        named_params! { ":builds": Json(builds) },
        from_row,
    )?;
    let ids: Vec<AgentId> = agents.iter().map(|(_, agent)| agent.id).collect();
    let mut apps = agent_apps::of(tx, &ids)?;
    for (_, agent) in &mut agents {
        agent.apps = apps.remove(&agent.id).unwrap_or_default();
    }
    agents.sort_by_key(|(_, a)| a.spec.order);
    Ok(agents)
}

/// The agents of a build, each with its resource.
///
/// # Errors
/// When SQLite fails.
pub fn list(tx: &ReadTx<'_>, build: BuildId) -> Result<Vec<(ResourceId, Agent)>> {
    of(tx, &[build])
}

/// An agent with its apps.
///
/// # Errors
/// When SQLite fails.
pub fn find(tx: &ReadTx<'_>, id: AgentId) -> Result<Option<(ResourceId, Agent)>> {
    let found = tx.find(select!("WHERE a.id = :id"), named_params! { ":id": id }, from_row)?;
    let Some((resource, mut agent)) = found else { return Ok(None) };
    agent.apps = agent_apps::list(tx, id)?;
    Ok(Some((resource, agent)))
}

/// An agent's name.
///
/// # Errors
/// When SQLite fails.
pub fn name(tx: &ReadTx<'_>, id: AgentId) -> Result<Option<String>> {
    tx.find("SELECT name FROM agents WHERE id = :id", named_params! { ":id": id }, |row| {
        row.get("name")
    })
}

/// What is sealed of an agent.
///
/// # Errors
/// When SQLite fails or the seal does not open.
pub fn sealed(tx: &ReadTx<'_>, seal: &Seal, id: AgentId) -> Result<Option<Sealed>> {
    let found: Option<Vec<u8>> =
        tx.find("SELECT sealed FROM agents WHERE id = :id", named_params! { ":id": id }, |row| {
            row.get("sealed")
        })?;
    let Some(found) = found else { return Ok(None) };
    let plain = seal.open(seal::Place { column: COLUMN, row: &id.to_string() }, &found)?;
    serde_json::from_slice(&plain)
        .map(Some)
        .map_err(|e| Error::Unreadable { what: COLUMN, why: e.to_string() })
}

fn home(row: &Row<'_>) -> rusqlite::Result<Home> {
    Ok(Home {
        agent: row.get("agent")?,
        build: row.get("build")?,
        workspace: row.get("workspace")?,
        is_revoked: row.get("is_revoked")?,
    })
}

/// Whose an agent is.
///
/// # Errors
/// When SQLite fails.
pub fn home_of(tx: &ReadTx<'_>, id: AgentId) -> Result<Option<Home>> {
    tx.find(
        "SELECT a.id AS agent, b.id AS build, b.workspace_id AS workspace,
                a.revoked_at IS NOT NULL AS is_revoked
         FROM agents a CROSS JOIN builds b ON b.id = a.build_id WHERE a.id = :id",
        named_params! { ":id": id },
        home,
    )
}

/// The newest agent with this token; older builds of the workspace may have had it too.
///
/// # Errors
/// When SQLite fails.
pub fn by_token(tx: &ReadTx<'_>, token: TokenHash) -> Result<Option<Home>> {
    tx.find(
        "SELECT a.id AS agent, b.id AS build, b.workspace_id AS workspace,
                a.revoked_at IS NOT NULL AS is_revoked
         FROM agents a CROSS JOIN builds b ON b.id = a.build_id
         WHERE a.token_hash = :token ORDER BY b.number DESC LIMIT 1",
        named_params! { ":token": token },
        home,
    )
}

/// Ends the tokens of all agents that a workspace has had.
///
/// # Errors
/// When SQLite fails.
pub fn revoke(tx: &WriteTx<'_>, workspace: WorkspaceId) -> Result<()> {
    tx.execute(
        "UPDATE agents SET revoked_at = :now WHERE revoked_at IS NULL
           AND build_id IN (SELECT id FROM builds WHERE workspace_id = :workspace)",
        named_params! { ":workspace": workspace, ":now": tx.now },
    )?;
    Ok(())
}

/// Whether a workspace's agents are on machines that someone else runs, and their tokens still pass:
/// the next start must not give them others.
///
/// # Errors
/// When SQLite fails.
pub fn keep_tokens(tx: &ReadTx<'_>, workspace: WorkspaceId) -> Result<bool> {
    let kept = tx.find(
        "SELECT a.revoked_at IS NULL AS kept FROM builds b CROSS JOIN agents a ON a.build_id = b.id
         WHERE b.workspace_id = :workspace AND a.spec ->> '$.external'
         ORDER BY b.number DESC LIMIT 1",
        named_params! { ":workspace": workspace },
        |row| row.get::<_, bool>("kept"),
    )?;
    Ok(kept.unwrap_or(false))
}

/// Notes that an agent connected, and what it is.
///
/// # Errors
/// When SQLite fails or a text is too long.
pub fn set_connected(
    tx: &WriteTx<'_>,
    id: AgentId,
    version: &str,
    expanded_directory: &str,
) -> Result<()> {
    tx.execute(
        "UPDATE agents SET first_connected_at = coalesce(first_connected_at, :now),
             last_connected_at = :now, disconnected_at = NULL, version = :version,
             expanded_directory = :directory
         WHERE id = :id",
        named_params! {
            ":id": id, ":now": tx.now, ":version": version, ":directory": expanded_directory,
        },
    )?;
    Ok(())
}

/// Notes the directory that an agent's sessions start in.
///
/// # Errors
/// When SQLite fails.
pub fn set_directory(tx: &WriteTx<'_>, id: AgentId, expanded: &str) -> Result<()> {
    tx.execute(
        "UPDATE agents SET expanded_directory = :directory WHERE id = :id",
        named_params! { ":id": id, ":directory": expanded },
    )?;
    Ok(())
}

/// Notes that an agent was heard, at most every ten seconds; also when the clock was set back.
///
/// # Errors
/// When SQLite fails.
pub fn set_heard(tx: &WriteTx<'_>, id: AgentId) -> Result<()> {
    tx.execute(
        "UPDATE agents SET last_connected_at = :now, disconnected_at = NULL
         WHERE id = :id AND (last_connected_at IS NULL
             OR last_connected_at NOT BETWEEN :now - 9 AND :now)",
        named_params! { ":id": id, ":now": tx.now },
    )?;
    Ok(())
}

/// Notes that an agent went away.
///
/// # Errors
/// When SQLite fails.
pub fn set_disconnected(tx: &WriteTx<'_>, id: AgentId) -> Result<()> {
    tx.execute(
        "UPDATE agents SET disconnected_at = :now, last_connected_at = min(last_connected_at, :now)
         WHERE id = :id AND last_connected_at IS NOT NULL",
        named_params! { ":id": id, ":now": tx.now },
    )?;
    Ok(())
}

/// Notes how far an agent's scripts are.
///
/// # Errors
/// When SQLite fails.
pub fn set_lifecycle(tx: &WriteTx<'_>, id: AgentId, state: Lifecycle, at_s: i64) -> Result<()> {
    tx.execute(
        "UPDATE agents SET lifecycle = :state,
             started_at = CASE WHEN :state = 'starting' THEN :at ELSE started_at END,
             ready_at = CASE WHEN :state IN ('ready', 'start_error', 'start_timeout') THEN :at
                             ELSE ready_at END
         WHERE id = :id",
        named_params! { ":id": id, ":state": state, ":at": at_s },
    )?;
    Ok(())
}
