//! The health of machines as agents tell of it, or do not: the state, its history, and what the audit
//! log says when it changes.

use super::agents::is_current;
use super::{Actor, App, Error, Result, access, trail};
use crate::model::agent::Lifecycle;
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::health::judge::{REPORTS_APART, Verdict};
use crate::model::health::said::clock_for_machine;
use crate::model::health::series::{Point, Step};
use crate::model::health::{Figures, Health, State, Trouble};
use crate::model::id::{AgentId, WorkspaceId};
use crate::model::time::Timestamp;
use crate::server::db::{WriteTx, agent_health, agents, builds, workspaces};

/// What became of an agent that is away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Away {
    /// It is to be asked again: its workspace is being built, or its state is held.
    Later,
    /// Nothing more is to be done: its machine is lost, or nobody waits for it.
    Settled,
}

impl App {
    /// Takes that agents were heard, with what they said of their machines if they did. An agent that
    /// there is no more is passed over. Gives what agents' own logs are to be told.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn agents_heard(
        &self,
        said: Vec<(AgentId, Option<Figures>)>,
    ) -> Result<Vec<(AgentId, String)>> {
        self.db
            .write(move |tx| {
                let mut told = vec![];
                for (id, figures) in said {
                    agents::set_heard(tx, id)?;
                    let Some(figures) = figures else { continue };
                    match take(tx, id, figures) {
                        Ok(text) => told.extend(text.map(|text| (id, text))),
                        Err(Error::NotFound(_)) => {}
                        Err(error) => return Err(error),
                    }
                }
                Ok(told)
            })
            .await
    }

    /// Notes that nothing was heard of an agent for too long.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn agent_lost(&self, id: AgentId) -> Result<Away> {
        self.db
            .write(move |tx| {
                let Some(home) = agents::home_of(tx, id)? else { return Ok(Away::Settled) };
                // A build takes agents away, and brings others.
                if builds::last(tx, home.workspace)?.is_some_and(|b| b.job.status.is_active()) {
                    return Ok(Away::Later);
                }
                let Some((_, agent)) = agents::find(tx, id)? else { return Ok(Away::Settled) };
                let is_off = matches!(agent.lifecycle, Lifecycle::ShuttingDown | Lifecycle::Off);
                if is_off || !is_current(tx, &home)? {
                    return Ok(Away::Settled);
                }
                let name = agent.spec.name;
                let known = agent_health::find(tx, home.workspace, &name)?;
                let mut health = known.unwrap_or_else(|| Health::unheard(&name, id, tx.now));
                health.agent = id;
                let verdict = health.verdict.lost();
                if judged(tx, home.workspace, &mut health, verdict)? {
                    agent_health::put(tx, home.workspace, &health)?;
                }
                let is_lost = health.verdict.is_lost;
                Ok(if is_lost { Away::Settled } else { Away::Later })
            })
            .await
    }

    /// The agents whose machines were not lost when they were last told of. To be asked at the start.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn agents_to_expect(&self) -> Result<Vec<AgentId>> {
        self.db.read_large(|tx| Ok(agent_health::here(tx)?)).await
    }
}

/// Takes what an agent said of its machine. Gives what the agent's own log is to be told, if anything.
fn take(tx: &WriteTx<'_>, id: AgentId, figures: Figures) -> Result<Option<String>> {
    let (home, name) = place(tx, id)?;
    let known = agent_health::find(tx, home.workspace, &name)?;
    let is_early = |known: &Health| {
        known.agent == id
            && known.figures.is_some()
            && !known.verdict.is_lost
            && (known.heard_at..known.heard_at.plus(REPORTS_APART)).contains(&tx.now)
    };
    if known.as_ref().is_some_and(is_early) {
        return Ok(None);
    }
    if known.is_none() {
        // A name that is new: another may be no more.
        let month = Timestamp(tx.now.0 - Step::Quarter.kept_secs());
        agent_health::forget_silent(tx, home.workspace, month)?;
    }
    let mut health = known.unwrap_or_else(|| Health::unheard(&name, id, tx.now));
    let before = (health.agent == id).then(|| health.verdict.clone());
    (health.agent, health.figures, health.heard_at) = (id, Some(figures), tx.now);
    let verdict = health.verdict.heard(&figures);
    judged(tx, home.workspace, &mut health, verdict)?;
    remember(tx, home.workspace, &mut health, &figures)?;
    agent_health::put(tx, home.workspace, &health)?;
    Ok(for_machine(before.as_ref(), &health.verdict, &figures))
}

fn place(tx: &WriteTx<'_>, id: AgentId) -> Result<(agents::Home, String)> {
    let home = agents::home_of(tx, id)?.ok_or(Error::NotFound("agent"))?;
    let name = agents::name(tx, id)?.ok_or(Error::NotFound("agent"))?;
    Ok((home, name))
}

/// Takes a verdict; what changed by it goes into the audit log, and to whoever looks. Whether something did.
fn judged(
    tx: &WriteTx<'_>,
    workspace: WorkspaceId,
    health: &mut Health,
    verdict: Verdict,
) -> Result<bool> {
    let old = health.verdict.clone();
    if !health.take(verdict, tx.now) {
        return Ok(false);
    }
    let found = workspaces::find(tx, workspace)?.ok_or(Error::NotFound("workspace"))?;
    let diff = Diff::new()
        .field(&format!("health of {}", health.name), old.state(), health.verdict.state())
        .field("troubles", words(&old), words(&health.verdict));
    let name = found.name.as_str();
    let entry = trail::entry(AuditAction::Write, AuditTarget::Workspace, workspace.0, name);
    access::record(tx, &Actor::System, &trail::with(entry, &diff))?;
    tx.emit(Event::Agent(workspace, health.agent));
    let state = health.verdict.state();
    match state {
        State::Ok => {
            tracing::info!(workspace.id = %workspace, agent = health.name, "a machine is well");
        }
        State::Degraded | State::Lost => tracing::warn!(
            workspace.id = %workspace, agent = health.name, %state,
            troubles = words(&health.verdict), "a machine is not well"
        ),
    }
    Ok(true)
}

fn words(verdict: &Verdict) -> String {
    verdict.troubles.iter().map(|t| t.label()).collect::<Vec<_>>().join(", ")
}

/// Adds the point of a minute that has none yet, and of the quarter before when it is over.
fn remember(
    tx: &WriteTx<'_>,
    workspace: WorkspaceId,
    health: &mut Health,
    figures: &Figures,
) -> Result<()> {
    let minute = Step::Minute.begin(tx.now);
    if health.point_at == Some(minute) {
        return Ok(());
    }
    let machine = (workspace, health.name.as_str());
    let quarter = health.point_at.map(|at| Step::Quarter.begin(at));
    if let Some(quarter) = quarter.filter(|q| *q != Step::Quarter.begin(minute)) {
        let end = Timestamp(quarter.0 + Step::Quarter.secs());
        let mut points = agent_health::points(tx, machine, Step::Minute, quarter)?;
        points.retain(|point| point.at < end);
        if let Some(point) = Point::fold(quarter, &points) {
            agent_health::append(tx, machine, Step::Quarter, &point)?;
        }
    }
    let troubles = health.verdict.troubles.iter().copied().collect();
    agent_health::append(tx, machine, Step::Minute, &Point::of(minute, figures, troubles))?;
    health.point_at = Some(minute);
    tx.emit(Event::AgentHealth(health.agent));
    Ok(())
}

/// What concerns the machine's own log: a clock that is off, told when that is found, and to each new
/// agent there.
fn for_machine(before: Option<&Verdict>, now: &Verdict, figures: &Figures) -> Option<String> {
    let is_off = |verdict: &Verdict| verdict.troubles.contains(&Trouble::Clock);
    let is_news = is_off(now) && !before.is_some_and(is_off);
    is_news.then(|| clock_for_machine(figures.ahead_ms.unwrap_or_default()))
}
