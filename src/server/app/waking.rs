//! Waking machines that someone else runs and that sleep: who may, and which machines send for them.
//!
//! Who may start a workspace may wake its machine. Who sends is never asked of a person: it is the
//! server, or agents of machines that someone else runs too, connected now, in the same organization,
//! and on the same network as far as that can be known ([`Spot::shared_with`]). Workspaces that the
//! deployment makes send nothing: what runs in them is their template's business. What a sender does
//! for others is 102 bytes a card, made by the sender itself, to its own network, once a second in
//! the long run; its log says so. It learns a hardware address that everyone on that network may learn, and
//! who wakes learns of it no more than that it is there: not whose it is.

use super::agents::current_build;
use super::{Actor, App, Error, Result, access, trail};
use crate::model::agent::Agent;
use crate::model::audit::{AuditAction, AuditTarget, Diff};
use crate::model::event::Event;
use crate::model::id::{AgentId, OrganizationId, WorkspaceId};
use crate::model::time::words;
use crate::model::verb::Verb;
use crate::model::waking::{Card, Interface, MAX_SENDERS, Spot, WAKES_APART, Whereabouts};
use crate::server::db::{ReadTx, WriteTx, agent_spots, agents, workspaces};

/// A connected agent of a machine that someone else runs.
#[derive(Clone, Debug)]
pub struct Neighbour {
    /// The agent.
    pub agent: AgentId,
    /// Its workspace.
    pub workspace: WorkspaceId,
    /// Where its machine is.
    pub spot: Spot,
}

/// What is connected when a machine is to be woken.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// The agents of machines that someone else runs.
    pub agents: Vec<Neighbour>,
    /// The server's own addresses on the networks of its cards.
    pub server: Vec<Interface>,
}

/// Who is to send what wakes a machine. The change is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Waking {
    /// The name of its agent.
    pub agent: String,
    /// Its network cards.
    pub cards: Vec<Card>,
    /// Agents that send, each with its own address on the network.
    pub senders: Vec<(AgentId, Interface)>,
    /// The server's address there, when it sends too.
    pub server: Option<Interface>,
}

impl App {
    /// Notes where the machine of an external agent is, and that it is awake.
    ///
    /// # Errors
    /// When there is no such agent or the database fails.
    pub async fn agent_spot(&self, id: AgentId, spot: Spot) -> Result<()> {
        self.db
            .write(move |tx| {
                let home = agents::home_of(tx, id)?.ok_or(Error::NotFound("agent"))?;
                let name = agents::name(tx, id)?.ok_or(Error::NotFound("agent"))?;
                let known = known(tx, home.workspace, &name)?;
                if known.as_ref().is_some_and(|k| k.spot == spot && k.woken_at.is_none()) {
                    return Ok(());
                }
                if known.is_none() {
                    // A name that is new: another may be no more.
                    agent_spots::forget_others(tx, home.workspace, home.build)?;
                }
                agent_spots::put(tx, home.workspace, &name, &spot)?;
                tx.emit(Event::Agent(home.workspace, id));
                Ok(())
            })
            .await
    }

    /// Where the machines of a workspace were that someone else runs, and since when they are being woken.
    ///
    /// # Errors
    /// When there is no workspace that the actor may see.
    pub async fn machine_spots(&self, actor: &Actor, id: WorkspaceId) -> Result<Vec<Whereabouts>> {
        let actor = actor.clone();
        self.db
            .read(move |tx| {
                access::require(tx, &actor, id, Verb::View)?;
                Ok(agent_spots::of(tx, id)?)
            })
            .await
    }

    /// Has the machine of an agent woken, by the agent's name or id: decides who sends, and writes that
    /// it was asked. The caller sends.
    ///
    /// # Errors
    /// When the actor may not start the workspace; when the machine is not one that someone else runs
    /// or is here already; when it was woken a moment ago; when no hardware address or no network of
    /// it is known, or nobody connected is there.
    pub async fn wake(
        &self,
        actor: &Actor,
        (id, name): (WorkspaceId, String),
        around: Around,
    ) -> Result<Waking> {
        let actor = actor.clone();
        self.db
            .write(move |tx| {
                access::require(tx, &actor, id, Verb::Operate)?;
                let agent = sleeper(tx, id, &name)?;
                let name = agent.spec.name.as_str();
                if around.agents.iter().any(|n| n.agent == agent.id) {
                    return Err(Error::conflict(format!("the machine of {name} is here already")));
                }
                let spot = spot(tx, id, name)?;
                let organization = organization(tx, id)?;
                let waking = Waking {
                    agent: name.to_owned(),
                    cards: spot.cards.clone(),
                    senders: senders(tx, organization, &spot, &around)?,
                    server: around.server.iter().copied().find(|own| sees(*own, &spot)),
                };
                if waking.senders.is_empty() && waking.server.is_none() {
                    return Err(nobody(name, &spot));
                }
                agent_spots::set_woken(tx, id, name)?;
                audited(tx, &actor, id, &waking)?;
                tx.emit(Event::Agent(id, agent.id));
                Ok(waking)
            })
            .await
    }
}

/// The agent whose machine is to be woken.
fn sleeper(tx: &ReadTx<'_>, id: WorkspaceId, name: &str) -> Result<Agent> {
    let Some(build) = current_build(tx, id)? else {
        return Err(Error::conflict("the workspace does not run; start it"));
    };
    let all = agents::list(tx, build)?.into_iter().map(|(_, agent)| agent);
    let is_it =
        |agent: &Agent| agent.spec.name.eq_ignore_ascii_case(name) || agent.id.to_string() == name;
    let found = all.into_iter().find(is_it);
    let agent = found.ok_or(Error::NotFound("agent"))?;
    if !agent.spec.external {
        return Err(Error::conflict(
            "the deployment runs this machine: it is started and stopped with its workspace",
        ));
    }
    Ok(agent)
}

fn known(tx: &ReadTx<'_>, id: WorkspaceId, name: &str) -> Result<Option<Whereabouts>> {
    let all = agent_spots::of(tx, id)?;
    Ok(all.into_iter().find(|known| known.name.eq_ignore_ascii_case(name)))
}

/// Where a machine was that may be woken now.
fn spot(tx: &ReadTx<'_>, id: WorkspaceId, name: &str) -> Result<Spot> {
    let known = known(tx, id, name)?;
    let woken = known.as_ref().and_then(|known| known.woken_at);
    if let Some(at) = woken.filter(|at| tx.now < at.plus(WAKES_APART)) {
        let ago = words(tx.now.since(at));
        let why = format!("the machine of {name} was woken {ago} ago; give it a moment");
        return Err(Error::conflict(why));
    }
    let spot = known.map(|known| known.spot).filter(|spot| !spot.cards.is_empty());
    let spot = spot.ok_or_else(|| {
        Error::conflict(format!(
            "no hardware address is known of the machine of {name}: its agent tells it when it \
             connects from Linux or macOS with a network card of its own"
        ))
    })?;
    if spot.interfaces.is_empty() {
        return Err(Error::conflict(format!(
            "no network is known of the machine of {name}: it had no IPv4 address on one when it last \
             connected"
        )));
    }
    if !spot.is_telling() {
        return Err(Error::conflict(format!(
            "{}, from where {name} reached this server, does not tell its network: it is a proxy's or a \
             gateway's. A proxy before the server has to be trusted (--trusted-proxy)",
            spot.seen
        )));
    }
    Ok(spot)
}

fn organization(tx: &ReadTx<'_>, id: WorkspaceId) -> Result<OrganizationId> {
    let belonging = workspaces::belonging(tx, id)?.ok_or(Error::NotFound("workspace"))?;
    Ok(belonging.1)
}

/// The agents that send.
fn senders(
    tx: &ReadTx<'_>,
    organization: OrganizationId,
    spot: &Spot,
    around: &Around,
) -> Result<Vec<(AgentId, Interface)>> {
    let mut found = Vec::new();
    for neighbour in &around.agents {
        if found.len() == MAX_SENDERS {
            break;
        }
        let Some(on) = spot.shared_with(&neighbour.spot) else { continue };
        if self::organization(tx, neighbour.workspace)? == organization {
            found.push((neighbour.agent, on));
        }
    }
    Ok(found)
}

/// Whether the server is on a machine's network by this address of its own: when it saw the machine
/// there by the machine's own address.
fn sees(own: Interface, spot: &Spot) -> bool {
    let server = Spot { cards: vec![], interfaces: vec![own], seen: own.address().into() };
    server.shared_with(spot).is_some()
}

fn nobody(name: &str, spot: &Spot) -> Error {
    Error::conflict(format!(
        "nobody is there to wake {name}: it takes a machine on {} that is connected now, is one of an \
         external workspace of the same organization, runs Linux or macOS, and reaches this server from \
         where {name} did, {}",
        spot.networks(),
        spot.seen
    ))
}

fn audited(tx: &WriteTx<'_>, actor: &Actor, id: WorkspaceId, waking: &Waking) -> Result<()> {
    let found = workspaces::find(tx, id)?.ok_or(Error::NotFound("workspace"))?;
    let mut by = Vec::new();
    for (agent, _) in &waking.senders {
        let home = agents::home_of(tx, *agent)?.ok_or(Error::NotFound("agent"))?;
        let names = workspaces::names(tx, home.workspace)?;
        by.extend(names.map(|(owner, name)| format!("{owner}/{name}")));
    }
    by.extend(waking.server.map(|_| "the server".to_owned()));
    let cards: Vec<String> = waking.cards.iter().map(ToString::to_string).collect();
    let diff = Diff::new()
        .field(&format!("wake {}", waking.agent), String::new(), cards.join(", "))
        .field("sent by", String::new(), by.join(", "));
    let entry = trail::entry(AuditAction::Write, AuditTarget::Workspace, id.0, found.name.as_str());
    access::record(tx, actor, &trail::with(entry, &diff))
}
