//! The first thing an agent says on its control channel.

use std::net::SocketAddr;
use std::time::Duration;

use super::faults::Faults;
use super::limits;
use super::socket::{Message, Socket};
use crate::model::peer::PeerKey;
use crate::wire::PROTOCOL;
use crate::wire::agent::{FromAgent, HeldClient, Machine, ToAgent};
use crate::wire::program::Platform;

/// Time for it after the socket opened.
const WITHIN: Duration = Duration::from_secs(10);

/// What an agent says first.
pub(super) struct Hello {
    pub(super) key: PeerKey,
    pub(super) endpoints: Vec<SocketAddr>,
    pub(super) version: String,
    pub(super) directory: String,
    pub(super) clients: Vec<HeldClient>,
    pub(super) tells_terminal_ends: bool,
    pub(super) place: String,
    /// For which machine it is offered newer programs; none when it wants none.
    pub(super) updates: Option<Platform>,
    pub(super) machine: Machine,
}

impl Hello {
    /// The hello of an agent whose socket has opened; none when something else came, or nothing in time.
    pub(super) async fn read(socket: &mut Socket) -> Option<Self> {
        tokio::time::timeout(WITHIN, read(socket)).await.ok().flatten()
    }

    /// The same with no more in it than is kept.
    pub(super) fn within(self, faults: &mut Faults) -> Self {
        let endpoints = limits::ways_in(self.endpoints, faults);
        let version = limits::version(self.version, faults);
        let machine = limits::machine(self.machine);
        Self { endpoints, version, machine, ..self }
    }
}

async fn read(socket: &mut Socket) -> Option<Hello> {
    let Some(Message::Text(text)) = socket.incoming.recv().await else { return None };
    match serde_json::from_str(&text) {
        Ok(FromAgent::Hello {
            protocol,
            version,
            key,
            endpoints,
            expanded_directory: directory,
            clients,
            tells_terminal_ends,
            place,
            os,
            arch,
            updates,
            machine,
        }) if protocol <= PROTOCOL => {
            let updates = if updates { Platform::new(&os, &arch) } else { None };
            Some(Hello {
                key,
                endpoints,
                version,
                directory,
                clients,
                tells_terminal_ends,
                place,
                updates,
                machine,
            })
        }
        Ok(FromAgent::Hello { protocol, .. }) => {
            let why = format!(
                "the agent speaks protocol {protocol}, this server {PROTOCOL}; update the server"
            );
            socket.control.say(&ToAgent::Refused { why });
            None
        }
        Ok(_) | Err(_) => None,
    }
}
