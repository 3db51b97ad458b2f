//! Two machines with one token, as copied disks make them: the second is refused, and both are told.

use std::net::IpAddr;

use super::{Fleet, lock};
use crate::model::agent::Clash;
use crate::model::id::AgentId;
use crate::model::peer::PeerKey;
use crate::model::waking::Spot;
use crate::wire::agent::{Machine, ToAgent};

/// Machines with another's token that it is told of: one line in its log for each.
const MAX_TOLD_OF: usize = 8;

/// Where an agent is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Seat {
    /// The machine.
    pub(super) machine: Machine,
    /// Where its connection comes from.
    pub(super) address: IpAddr,
    /// On which networks it is, when someone else runs it.
    pub(super) spot: Option<Spot>,
}

impl std::fmt::Display for Seat {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let name = if self.machine.name.is_empty() { "a machine" } else { &self.machine.name };
        write!(f, "{name} at {}", self.address)
    }
}

/// Whether two agents of one token are on two machines. Who cannot tell is let in, as before.
fn differ(one: &Machine, other: &Machine) -> bool {
    !one.print.is_empty() && !other.print.is_empty() && one.print != other.print
}

impl Fleet {
    /// Why an agent that comes may not be here: another machine is it. Only where someone else runs
    /// the machine; a workspace that is built anew may well get another one. An agent that went
    /// without a word holds its place as long as nothing may be heard of it.
    pub(super) async fn clash(
        &self,
        (agent, key): (AgentId, PeerKey),
        seat: &Seat,
    ) -> Option<String> {
        if !self.is_held_elsewhere(agent, &key, seat) {
            return None;
        }
        let brief = self.0.app.agent_brief(agent).await;
        if !brief.is_ok_and(|brief| brief.agent.spec.external) {
            return None;
        }
        let now = self.0.clock.now();
        let mut agents = lock(&self.0.agents);
        let first = agents.get_mut(&agent)?;
        let (here, other) = (first.seat.to_string(), seat.to_string());
        first.clash = Some(Clash { here: here.clone(), other: other.clone(), at: now });
        // Each of them asks again each minute.
        if first.told_of.len() < MAX_TOLD_OF && first.told_of.insert(other.clone()) {
            tracing::warn!(agent.id = %agent, here, other, "two machines have one token");
            let text = format!(
                "A second machine came with this one's token and was refused: {other}. Was the disk \
                 copied? It needs a workspace of its own."
            );
            first.control.say(&ToAgent::Told { text });
        }
        Some(format!(
            "this is {other}, and {here} is here with the same token. Was the disk copied? Each \
             machine needs a workspace of its own: make one, and run its line here"
        ))
    }

    fn is_held_elsewhere(&self, agent: AgentId, key: &PeerKey, seat: &Seat) -> bool {
        let agents = lock(&self.0.agents);
        let first = agents.get(&agent).filter(|first| first.key != *key);
        first.is_some_and(|first| differ(&first.seat.machine, &seat.machine))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn machines_differ_only_when_both_can_tell() {
        let machine =
            |print: &str| Machine { name: "pi".into(), print: print.into(), ..Machine::default() };
        assert!(differ(&machine("a"), &machine("b")));
        assert!(!differ(&machine("a"), &machine("a")));
        assert!(!differ(&machine(""), &machine("b")));
        assert!(!differ(&machine("a"), &Machine::default()));
        let seat =
            Seat { machine: machine("a"), address: "192.0.2.7".parse().unwrap(), spot: None };
        assert_eq!(seat.to_string(), "pi at 192.0.2.7");
    }
}
