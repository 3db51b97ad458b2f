//! `/machines`: the health of the machines that agents run on.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::filter::WorkspaceFilter;
use crate::model::health::{self as model, Health};
use crate::model::id::{AgentId, WorkspaceId};
use crate::model::policy::{Action as A, ResourceType as R};
use crate::model::waking::Interface;
use crate::model::workspace::Workspace;
use crate::server::app;
use crate::server::app::waking::Waking;
use crate::server::web::extract::{Json, Path, Query};
use crate::server::web::routes::Routes;
use crate::server::web::{Access, Answer, State, Who};
use crate::wire::health as wire;

/// Running workspaces whose machines are told at once; a search finds others.
const MAX_WORKSPACES: u32 = 500;

/// The routes.
pub(super) fn routes(routes: Routes) -> Routes {
    let read = Access::may(R::Workspace, A::Read);
    routes
        .get(read, "/api/v2/machines", everywhere)
        .get(read, "/api/v2/workspaces/{workspace}/machines", one)
        .get(read, "/api/v2/workspaces/{workspace}/machines/history", history)
        .post(read, "/api/v2/workspaces/{workspace}/machines/{agent}/wake", wake)
}

#[derive(Default, serde::Deserialize)]
#[serde(default)]
struct Search {
    q: String,
}

async fn everywhere(
    state: State,
    Who(actor): Who,
    Query(search): Query<Search>,
) -> Answer<Json<wire::Machines>> {
    let query = format!("status:running {}", search.q);
    let filter = WorkspaceFilter::parse(&query).map_err(|e| app::Error::invalid("q", e))?;
    let found = state.app.find_workspaces(&actor, filter, MAX_WORKSPACES).await?;
    let mut known = state.app.machines(&actor, found.iter().map(|w| w.id).collect()).await?;
    let of = |w: &Workspace| machines(w, known.remove(&w.id).unwrap_or_default());
    let mut machines: Vec<_> = found.iter().flat_map(of).collect();
    machines.sort_by_key(|machine| match machine.state.as_str() {
        "lost" => 0,
        "degraded" => 1,
        _ => 2,
    });
    let more = u32::try_from(found.len()).is_ok_and(|found| found == MAX_WORKSPACES);
    Ok(Json(wire::Machines { machines, more }))
}

async fn one(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
) -> Answer<Json<wire::Machines>> {
    let workspace = state.app.workspace(&actor, id).await?;
    let mut known = state.app.machines(&actor, vec![id]).await?;
    let known = known.remove(&id).unwrap_or_default();
    Ok(Json(wire::Machines { machines: machines(&workspace, known), more: false }))
}

async fn history(
    state: State,
    Who(actor): Who,
    Path(id): Path<WorkspaceId>,
) -> Answer<Json<wire::Histories>> {
    let all = state.app.machine_histories(&actor, id, true).await?;
    let machines = all.into_iter().map(told_history).collect();
    Ok(Json(wire::Histories { machines }))
}

async fn wake(
    state: State,
    Who(actor): Who,
    Path((id, agent)): Path<(WorkspaceId, String)>,
) -> Answer<Json<wire::Waking>> {
    Ok(Json(woken(id, state.fleet.wake(&actor, (id, agent)).await?)))
}

fn woken(id: WorkspaceId, waking: Waking) -> wire::Waking {
    let on = waking.senders.iter().map(|(_, on)| *on).chain(waking.server);
    let networks: BTreeSet<String> = on.map(Interface::network).collect();
    wire::Waking {
        workspace_id: id.0,
        agent: waking.agent,
        cards: waking.cards.iter().map(ToString::to_string).collect(),
        networks: networks.into_iter().collect(),
        senders: waking.senders.len(),
        by_server: waking.server.is_some(),
    }
}

/// The machines of a workspace's agents; what an agent of an earlier build told is history.
fn machines(workspace: &Workspace, known: Vec<Health>) -> Vec<wire::Machine> {
    let mut known: BTreeMap<AgentId, Health> = known.into_iter().map(|h| (h.agent, h)).collect();
    let agents = workspace.latest_build.resources.iter().flat_map(|r| &r.agents);
    let machine = |agent: &crate::model::agent::Agent| {
        let told = known.remove(&agent.id).map(|health| machine(&health)).unwrap_or_default();
        wire::Machine {
            workspace_id: workspace.id.0,
            workspace: format!("{}/{}", workspace.owner.username, workspace.name),
            agent_id: agent.id.0,
            agent: agent.spec.name.clone(),
            version: agent.version.clone(),
            ..told
        }
    };
    agents.map(machine).collect()
}

fn machine(health: &Health) -> wire::Machine {
    let figures = health.figures.unwrap_or_default();
    let trouble = |t: &model::Trouble| wire::Trouble {
        name: t.to_string(),
        text: t.said(&figures),
        advice: t.advice().to_owned(),
    };
    wire::Machine {
        state: health.verdict.state().to_string(),
        since: Some(health.since.into()),
        troubles: health.verdict.troubles.iter().map(trouble).collect(),
        heard_at: health.figures.is_some().then(|| health.heard_at.into()),
        figures: health.figures.map(told),
        ..wire::Machine::default()
    }
}

fn told(figures: model::Figures) -> wire::Figures {
    wire::Figures {
        cpu: figures.cpu,
        cores: figures.cores,
        load: figures.load,
        memory_used: figures.memory_used,
        memory_total: figures.memory_total,
        disk_used: figures.disk_used,
        disk_total: figures.disk_total,
        inodes_used: figures.inodes_used,
        inodes_total: figures.inodes_total,
        temperature: figures.temperature,
        under_voltage: figures.under_voltage,
        throttled: figures.throttled,
        uptime_s: figures.uptime_s,
        clock_ahead_ms: figures.ahead_ms,
        path: figures.path.map(|path| path.to_string()),
        latency_ms: figures.latency_ms,
    }
}

fn words(troubles: &[model::Trouble]) -> Vec<String> {
    troubles.iter().map(ToString::to_string).collect()
}

fn told_history(history: model::History) -> wire::History {
    let change = |change: model::Change| wire::Change {
        at: change.at.into(),
        state: change.state.to_string(),
        troubles: words(&change.troubles),
    };
    wire::History {
        agent: history.health.name,
        changes: history.health.changes.into_iter().map(change).collect(),
        day: history.day.iter().map(point).collect(),
        month: history.month.iter().map(point).collect(),
    }
}

fn point(point: &model::series::Point) -> wire::Point {
    wire::Point {
        at: point.at.into(),
        minutes: point.minutes,
        cpu: point.cpu,
        load_per_core: point.load,
        memory: point.memory,
        disk: point.disk,
        inodes: point.inodes,
        temperature: point.temperature,
        clock_ahead_ms: point.ahead_ms,
        latency_ms: point.latency_ms,
        path: point.path.map(|path| path.to_string()),
        troubles: words(&point.troubles),
    }
}
