//! Who is connected now; coordination; the SSH front door.

pub mod address;
mod agents;
pub mod clients;
mod clones;
pub mod coming;
mod cut;
mod drawn;
mod faults;
pub mod front_door;
mod health;
mod heard;
mod hello;
mod joined;
mod limits;
mod link;
mod local;
mod notices;
mod ranks;
pub mod recorder;
pub mod register;
pub mod relay;
mod reports;
mod revoke;
mod sessions;
pub mod socket;
mod strangers;
pub mod target;
pub mod terminal;
pub mod terminals;
mod updates;
pub mod viewers;
mod wake;
mod waking;

use std::collections::BTreeMap;
use std::net::{Ipv6Addr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};

use anyhow::Context as _;
use tokio::sync::watch;

use self::address::Prefix;
use self::agents::AgentSocket;
use self::clients::ClientSocket;
use self::health::Missing;
use self::heard::Heard;
use self::local::Local;
use self::register::Register;
use self::relay::Relay;
use self::sessions::Backs;
use self::terminals::Terminals;
use self::viewers::Viewers;
use super::app::App;
use crate::clock::{Clock, Entropy};
use crate::model::agent::Clash;
use crate::model::id::AgentId;
use crate::model::peer::{Peer, PeerKey, PeerKind};
use crate::net::{Overlay, OverlayConfig};
use crate::tasks::{OnPanic, Tasks};

/// Everyone who is connected; clones share it.
#[derive(Clone)]
pub struct Fleet(Arc<Inner>);

struct Inner {
    app: App,
    overlay: Overlay,
    local: Local,
    relay: Relay,
    prefix: Prefix,
    register: Register,
    backs: Backs,
    terminals: Terminals,
    viewers: Viewers,
    agents: Mutex<BTreeMap<AgentId, AgentSocket>>,
    clients: Mutex<BTreeMap<PeerKey, ClientSocket>>,
    /// Agents that went, and may come again.
    missing: Missing,
    /// What agents said lately of themselves.
    heard: Heard,
    /// Counts changes of `agents`, for those who wait for one.
    changes: watch::Sender<u64>,
    /// What the secrets of shells' marks are made from.
    marks_key: [u8; 32],
    clock: Clock,
    entropy: Entropy,
    tasks: Tasks,
}

/// What the fleet starts with.
pub struct Start {
    /// The server's WireGuard key, kept in the database.
    pub secret: [u8; 32],
    /// What the secrets of shells' marks are made from, kept in the database.
    pub marks_key: [u8; 32],
    /// The deployment's addresses, kept in the database.
    pub prefix: Prefix,
    /// Where the UDP socket is.
    pub bind: SocketAddr,
}

/// What is known of an agent only while it is connected.
#[derive(Clone, Debug, Default)]
pub struct Presence {
    /// How it is reached from the server: `local`, `direct` or `relay`.
    pub path: &'static str,
    /// Round trip in milliseconds, when measured.
    pub latency_ms: Option<f64>,
    /// Another machine that came with its token.
    pub clash: Option<Clash>,
}

impl Fleet {
    /// Opens the overlay and listens for what agents open.
    ///
    /// # Errors
    /// When the UDP socket cannot be bound.
    pub async fn start(
        app: App,
        start: Start,
        clock: Clock,
        entropy: Entropy,
        tasks: &Tasks,
    ) -> anyhow::Result<Self> {
        let address = start.prefix.server();
        let config = OverlayConfig { secret: start.secret, bind: start.bind, address };
        let overlay = Overlay::start(config, clock.clone(), entropy.clone(), tasks)
            .await
            .with_context(|| format!("Opening the WireGuard socket on {}", start.bind))?;
        let inner = Inner {
            app,
            relay: Relay::new(overlay.key()),
            overlay,
            local: Local::start(&entropy, tasks),
            prefix: start.prefix,
            register: Register::default(),
            backs: Backs::default(),
            terminals: Terminals::default(),
            viewers: Viewers::default(),
            agents: Mutex::default(),
            clients: Mutex::default(),
            missing: Missing::default(),
            heard: Heard::default(),
            changes: watch::Sender::new(0),
            marks_key: start.marks_key,
            clock,
            entropy,
            tasks: tasks.clone(),
        };
        let fleet = Self(Arc::new(inner));
        fleet.start_loops();
        Ok(fleet)
    }

    fn start_loops(&self) {
        let tasks = &self.0.tasks;
        let fleet = self.clone();
        tasks.spawn("fleet-relay", OnPanic::Stop, async move { fleet.relay_own_frames().await });
        let fleet = self.clone();
        tasks.spawn("fleet-accept", OnPanic::Stop, async move { fleet.accept_backs().await });
        let fleet = self.clone();
        tasks.spawn("fleet-revoke", OnPanic::Stop, async move { fleet.watch_rights().await });
        let fleet = self.clone();
        tasks.spawn("fleet-missing", OnPanic::Stop, async move { fleet.watch_missing().await });
        let fleet = self.clone();
        tasks.spawn("fleet-heard", OnPanic::Stop, async move { fleet.keep_heard().await });
    }

    /// The address of the overlay's UDP socket.
    #[must_use]
    pub fn wireguard_address(&self) -> SocketAddr {
        self.0.overlay.local_addr()
    }

    /// What is known of a connected agent; none when it is not connected.
    #[must_use]
    pub fn presence(&self, agent: AgentId) -> Option<Presence> {
        let (key, clash) = {
            let agents = lock(&self.0.agents);
            let socket = agents.get(&agent)?;
            (socket.key, socket.clash.clone())
        };
        let status = self.0.overlay.status(&key);
        let latency_ms = status.as_ref().and_then(|s| s.rtt).map(|rtt| rtt.as_secs_f64() * 1000.0);
        let direct = status.is_some_and(|s| matches!(s.path, Some(crate::net::Path::Direct(_))));
        let path = match direct {
            _ if self.0.local.reaches(agent) => "local",
            true => "direct",
            false => "relay",
        };
        Some(Presence { path, latency_ms, clash })
    }

    /// What others are told about the server's own node.
    fn server_peer(&self) -> Peer {
        Peer {
            key: self.0.overlay.key(),
            kind: PeerKind::Server,
            address: self.server_address(),
            endpoints: self.0.overlay.endpoints(),
            user: None,
        }
    }

    fn server_address(&self) -> Ipv6Addr {
        self.0.prefix.server()
    }

    /// The server's own frames go through the relay like anyone's.
    async fn relay_own_frames(&self) {
        let key = self.0.overlay.key();
        let bell = self.0.relay.connect(key);
        let (to_relay, mut from_overlay) = tokio::sync::mpsc::channel(socket::QUEUED);
        let input = self.0.overlay.attach_relay(to_relay);
        loop {
            tokio::select! {
                frame = from_overlay.recv() => match frame {
                    Some(frame) => self.0.relay.push(&key, frame),
                    None => return,
                },
                () = bell.notified() => {
                    while let Some(frame) = self.0.relay.pop(&key) {
                        input.push(frame);
                    }
                }
            }
        }
    }

    fn changed(&self) {
        self.0.changes.send_modify(|n| *n += 1);
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
