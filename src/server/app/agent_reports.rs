//! What agents report of themselves. The caller has authenticated the agent; these are observations
//! of a machine, not acts of a person, so they leave no entry in the audit log.

use std::collections::BTreeMap;

use super::{App, Error, Result};
use crate::model::agent::{AgentLogLine, Lifecycle, MetadataValue, ScriptRun};
use crate::model::app::AppHealth;
use crate::model::event::Event;
use crate::model::id::{AgentId, AppId};
use crate::server::db::{WriteTx, agent_apps, agent_logs, agent_metadata, agent_scripts, agents};

/// Longest version of an agent's program, in characters.
const MAX_VERSION: usize = 64;
/// Longest directory, in bytes: `PATH_MAX` of Linux.
const MAX_DIRECTORY: usize = 4096;
/// Most lines in one batch of logs.
const MAX_LINES: usize = 1000;

impl App {
    /// Notes that an agent connected, and what it says it is.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn agent_connected(
        &self,
        id: AgentId,
        version: &str,
        expanded_directory: &str,
    ) -> Result<()> {
        let version: String = version.chars().take(MAX_VERSION).collect();
        let directory = clip_directory(expanded_directory);
        self.report(id, move |tx| {
            agents::set_connected(tx, id, &version, &directory)?;
            Ok(true)
        })
        .await
    }

    /// Notes the directory that an agent's sessions start in.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn agent_directory(&self, id: AgentId, expanded: &str) -> Result<()> {
        let directory = clip_directory(expanded);
        self.report(id, move |tx| {
            agents::set_directory(tx, id, &directory)?;
            Ok(true)
        })
        .await
    }

    /// Notes that an agent went away.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn agent_disconnected(&self, id: AgentId) -> Result<()> {
        self.report(id, move |tx| {
            agents::set_disconnected(tx, id)?;
            Ok(true)
        })
        .await
    }

    /// Notes how far an agent's scripts are.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn agent_lifecycle(&self, id: AgentId, state: Lifecycle, at_ms: i64) -> Result<()> {
        self.report(id, move |tx| {
            agents::set_lifecycle(tx, id, state, at_ms.div_euclid(1000))?;
            Ok(true)
        })
        .await
    }

    /// Keeps a batch of log lines, unless it is kept already. `life` names the agent's process, so
    /// that a batch sent again after a lost connection is stored once. Says up to which batch of
    /// this life everything is stored.
    ///
    /// # Errors
    /// When the batch is too long or the database fails.
    pub async fn agent_logs(
        &self,
        id: AgentId,
        (life, seq): (String, u64),
        lines: Vec<AgentLogLine>,
    ) -> Result<u64> {
        if lines.len() > MAX_LINES {
            return Err(Error::invalid("lines", format!("are more than {MAX_LINES}")));
        }
        let number = i64::try_from(seq).map_err(|_| Error::invalid("seq", "is out of range"))?;
        self.db
            .write(move |tx| {
                let last = agent_logs::last_batch(tx, id, &life)?;
                if let Some(last) = last.filter(|l| *l >= number) {
                    return Ok(u64::try_from(last).unwrap_or_default());
                }
                agent_logs::append(tx, id, &lines)?;
                agent_logs::set_batch(tx, id, &life, number)?;
                tx.emit(Event::AgentLog(id));
                Ok(seq)
            })
            .await
    }

    /// Stores what metadata commands printed. Keys that the template does not name are passed over;
    /// says how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn put_agent_metadata(
        &self,
        id: AgentId,
        values: Vec<MetadataValue>,
    ) -> Result<usize> {
        self.db
            .write(move |tx| {
                let Some((_, agent)) = agents::find(tx, id)? else { return Ok(0) };
                let is_known =
                    |v: &&MetadataValue| agent.spec.metadata.iter().any(|m| m.key == v.key);
                let (known, unknown): (Vec<_>, Vec<_>) = values.iter().partition(is_known);
                for value in &known {
                    agent_metadata::put(tx, id, value)?;
                }
                if !known.is_empty() {
                    tx.emit(Event::AgentMetadata(id));
                }
                Ok(unknown.len())
            })
            .await
    }

    /// Stores what health checks of apps found. Apps that are not the agent's are passed over; says
    /// how many there were.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn agent_apps(
        &self,
        id: AgentId,
        mut found: BTreeMap<AppId, AppHealth>,
    ) -> Result<usize> {
        let own = self.db.read(move |tx| Result::Ok(agent_apps::list(tx, id)?)).await?;
        let n = found.len();
        found.retain(|app, _| own.iter().any(|own| own.spec.id == *app));
        let others = n - found.len();
        self.report(id, move |tx| {
            let mut news = false;
            for (app, health) in found {
                news |= agent_apps::set_health(tx, id, app, health)?;
            }
            Ok(news)
        })
        .await?;
        Ok(others)
    }

    /// Notes that a script ended.
    ///
    /// # Errors
    /// When the stage is not one, the script is not the agent's, or the database fails.
    pub async fn agent_script_done(&self, id: AgentId, run: ScriptRun) -> Result<()> {
        if !matches!(run.stage.as_str(), "start" | "stop" | "cron") {
            return Err(Error::invalid("stage", "is not start, stop or cron"));
        }
        self.report(id, move |tx| {
            let own = agents::find(tx, id)?;
            if !own.is_some_and(|(_, a)| a.spec.scripts.iter().any(|s| s.id == run.script)) {
                return Err(Error::invalid("script", "is not one of this agent"));
            }
            agent_scripts::insert(tx, id, &run)?;
            Ok(true)
        })
        .await
    }

    /// Writes, and announces the agent when there is news.
    async fn report<F>(&self, id: AgentId, write: F) -> Result<()>
    where
        F: FnOnce(&WriteTx<'_>) -> Result<bool> + Send + 'static,
    {
        self.db
            .write(move |tx| {
                let news = write(tx)?;
                if let Some(home) = agents::home_of(tx, id)?.filter(|_| news) {
                    tx.emit(Event::Agent(home.workspace, id));
                }
                Ok(())
            })
            .await
    }
}

fn clip_directory(path: &str) -> String {
    let end = path.floor_char_boundary(MAX_DIRECTORY);
    path.get(..end).unwrap_or_default().to_owned()
}
