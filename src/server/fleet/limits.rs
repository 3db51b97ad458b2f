//! What an agent may say: more than that is cut before anything is done with it, and told.

use std::net::{IpAddr, SocketAddr};

use super::faults::Faults;
use crate::model::agent::MetadataValue;
use crate::model::time::Timestamp;
use crate::model::waking::{MAX_CARDS, MAX_NETWORKS, Spot};
use crate::wire::agent::{AgentLine, FromAgent, ListeningPort, Machine};

/// Most addresses of one agent: more than a machine has ways in.
const MAX_ENDPOINTS: usize = 32;
/// Longest list of ports that is kept of one report.
const MAX_PORTS: usize = 256;
/// Longest name of a program at a port, in bytes: Linux itself keeps sixteen.
const MAX_PROCESS: usize = 64;
/// Longest version of an agent's program, in bytes.
const MAX_VERSION: usize = 64;
/// Longest name of a machine, in characters: what Linux itself keeps.
const MAX_NAME: usize = 64;
/// Most values in one report of metadata; a template names a few dozen.
const MAX_VALUES: usize = 256;
/// Longest value and error of metadata, in bytes: what the table takes.
const MAX_VALUE: usize = 2048;
/// How far the clock of an agent's machine may be ahead before it is told: an hour.
const AHEAD_MS: i64 = 60 * 60 * 1000;

/// A report as it is worked with; what was cut or moved is noted. No agent says when the future is.
pub(super) fn within(message: FromAgent, now_ms: i64, faults: &mut Faults) -> FromAgent {
    match message {
        FromAgent::Endpoints { endpoints } => {
            FromAgent::Endpoints { endpoints: ways_in(endpoints, faults) }
        }
        FromAgent::Lifecycle { state, at_ms } => {
            FromAgent::Lifecycle { state, at_ms: past(at_ms, now_ms, faults) }
        }
        FromAgent::Logs { seq, mut lines } => {
            lines.iter_mut().for_each(|line: &mut AgentLine| {
                line.at_ms = past(line.at_ms, now_ms, faults);
            });
            FromAgent::Logs { seq, lines }
        }
        FromAgent::Metadata { values } => {
            FromAgent::Metadata { values: metadata(values, now_ms, faults) }
        }
        FromAgent::ScriptDone { script, stage, started_ms, ended_ms, exit_code, timed_out } => {
            let ended_ms = past(ended_ms, now_ms, faults);
            let started_ms = past(started_ms, ended_ms, faults);
            FromAgent::ScriptDone { script, stage, started_ms, ended_ms, exit_code, timed_out }
        }
        FromAgent::Ports { ports } => FromAgent::Ports { ports: listening(ports, faults) },
        same @ (FromAgent::Hello { .. }
        | FromAgent::Directory { .. }
        | FromAgent::Heartbeat
        | FromAgent::AppHealth { .. }
        | FromAgent::Stats { .. }
        | FromAgent::SessionBegan { .. }
        | FromAgent::SessionEnded { .. }
        | FromAgent::TerminalEnded { .. }) => same,
    }
}

/// The addresses at which an agent may be reached.
pub(super) fn ways_in(mut endpoints: Vec<SocketAddr>, faults: &mut Faults) -> Vec<SocketAddr> {
    if endpoints.len() > MAX_ENDPOINTS {
        faults.note("more addresses than a machine has");
        endpoints.truncate(MAX_ENDPOINTS);
    }
    endpoints
}

/// The version that an agent says it is.
pub(super) fn version(mut version: String, faults: &mut Faults) -> String {
    cut(&mut version, MAX_VERSION, faults);
    version
}

/// The machine that an agent says it is on: its name is shown to people, who may be somebody else.
pub(super) fn machine(machine: Machine) -> Machine {
    let plain = |text: String| -> String {
        let fits = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '-' | '.' | '_');
        text.chars().filter(fits).take(MAX_NAME).collect()
    };
    let Machine { name, print, mut cards, mut interfaces } = machine;
    cards.truncate(MAX_CARDS);
    interfaces.truncate(MAX_NETWORKS);
    Machine { name: plain(name), print: plain(print), cards, interfaces }
}

/// Where it says that it is, as far as that can be true.
pub(super) fn spot(machine: &Machine, seen: IpAddr) -> Spot {
    let cards = machine.cards.iter().filter_map(|text| text.parse().ok()).collect();
    let interfaces = machine.interfaces.iter().filter_map(|text| text.parse().ok()).collect();
    Spot { cards, interfaces, seen: seen.to_canonical() }
}

fn metadata(
    mut values: Vec<MetadataValue>,
    now_ms: i64,
    faults: &mut Faults,
) -> Vec<MetadataValue> {
    if values.len() > MAX_VALUES {
        faults.note("more metadata than a template asks for");
        values.truncate(MAX_VALUES);
    }
    for value in &mut values {
        cut(&mut value.value, MAX_VALUE, faults);
        cut(&mut value.error, MAX_VALUE, faults);
        let at_ms = past(value.collected_at.0.saturating_mul(1000), now_ms, faults);
        value.collected_at = Timestamp(at_ms.div_euclid(1000));
    }
    values
}

fn listening(mut ports: Vec<ListeningPort>, faults: &mut Faults) -> Vec<ListeningPort> {
    if ports.len() > MAX_PORTS {
        faults.note("more ports than are kept");
        ports.truncate(MAX_PORTS);
    }
    ports.iter_mut().for_each(|port| cut(&mut port.process, MAX_PROCESS, faults));
    ports
}

fn cut(text: &mut String, max: usize, faults: &mut Faults) {
    if text.len() > max {
        faults.note("a text that is too long");
        text.truncate(text.floor_char_boundary(max));
    }
}

/// A time that is not before the epoch and not after `latest_ms`. A clock that is a little ahead
/// is no fault.
fn past(at_ms: i64, latest_ms: i64, faults: &mut Faults) -> i64 {
    if !(0..=latest_ms.saturating_add(AHEAD_MS)).contains(&at_ms) {
        faults.note("a time that is not now");
    }
    at_ms.clamp(0, latest_ms.max(0))
}
