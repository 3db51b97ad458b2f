//! Peers the server lets the agent talk to, and the streams they open.

use std::collections::BTreeMap;
use std::io;
use std::net::Ipv6Addr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::model::id::{SessionId, TerminalId};
use crate::model::peer::{Peer, PeerKey, PeerKind};
use crate::model::session::SessionKind;
use crate::net::Overlay;
use crate::ssh::opening;
use crate::ssh::stream::{BoxFuture, BoxStream};
use crate::tasks::OnPanic;
use crate::wire::agent::{FromAgent, HeldClient, Manifest};
use crate::wire::peer::GRACE;
use crate::wire::session::OpenBack;

use super::account::Account;
use super::base::Base;
use super::env::for_sessions;
use super::reports::Reports;
use super::sessions::{Outside, Peer as SessionPeer, Sessions, SessionsConfig, Settings};

/// How often it is looked whether someone's grace is over.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// The overlay with who may use it, and the sessions that come by it.
pub struct Peers {
    overlay: Overlay,
    sessions: Sessions,
    known: Mutex<BTreeMap<PeerKey, Known>>,
    clock: Clock,
}

/// A peer, and since when the server does not vouch for it: it is away itself, or does not know
/// the peer yet since it was restarted.
struct Known {
    peer: Peer,
    alone_since: Option<Instant>,
}

impl Peers {
    /// Nobody is let in yet.
    #[must_use]
    pub fn new(base: &Base, overlay: Overlay) -> Self {
        let outside = Ways { overlay: overlay.clone(), reports: base.reports.clone() };
        let config = SessionsConfig {
            outside: std::sync::Arc::new(outside),
            run_dir: base.state_dir.join("run"),
        };
        let sessions = Sessions::new(config, &base.clock, base.entropy.clone(), base.tasks.clone());
        Self { overlay, sessions, known: Mutex::default(), clock: base.clock.clone() }
    }

    /// The overlay beneath.
    #[must_use]
    pub fn overlay(&self) -> &Overlay {
        &self.overlay
    }

    /// The sessions.
    #[must_use]
    pub fn sessions(&self) -> &Sessions {
        &self.sessions
    }

    /// The server as a peer of sessions; none before its manifest, or when it refused us.
    #[must_use]
    pub fn server(&self) -> Option<SessionPeer> {
        let known = self.lock();
        let server = known.values().find(|known| known.peer.kind == PeerKind::Server)?;
        as_session_peer(&server.peer)
    }

    /// These peers and no others, but for clients that have their grace to come back; and the
    /// agent's own address.
    pub fn replace(&self, address: Ipv6Addr, peers: Vec<Peer>) {
        self.overlay.set_address(address);
        let now = self.clock.instant();
        let mut gone = vec![];
        for (key, known) in self.lock().iter_mut() {
            match known.peer.kind {
                _ if peers.iter().any(|peer| peer.key == *key) => {}
                // From now: the server that is back ends what has no right at once.
                PeerKind::Client => known.alone_since = Some(now),
                PeerKind::Server | PeerKind::Agent => gone.push(*key),
            }
        }
        gone.iter().for_each(|key| self.remove(key));
        self.update(peers);
    }

    /// The server is away: it can tell of no right that ends. Clients have their grace.
    pub fn be_alone(&self) {
        let now = self.clock.instant();
        let mut known = self.lock();
        for client in known.values_mut().filter(|k| k.peer.kind == PeerKind::Client) {
            client.alone_since.get_or_insert(now);
        }
    }

    /// The clients that are here, for a server that may not know of them.
    #[must_use]
    pub fn held(&self) -> Vec<HeldClient> {
        let held = |(key, known): (&PeerKey, &Known)| {
            let user = known.peer.user.as_ref()?.id;
            Some(HeldClient { key: *key, user })
        };
        self.lock().iter().filter_map(held).collect()
    }

    /// Removes clients whose grace is over, again and again.
    pub async fn end_grace(&self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = self.clock.instant();
            let is_over = |known: &Known| {
                known.alone_since.is_some_and(|at| now.saturating_duration_since(at) >= GRACE)
            };
            let known = self.lock();
            let over: Vec<_> = known.iter().filter(|(_, k)| is_over(k)).map(|(k, _)| *k).collect();
            drop(known);
            for key in over {
                tracing::info!(%key, "the server vouches for a client no more; its streams end");
                self.remove(&key);
            }
        }
    }

    /// Sets what new sessions start with.
    pub fn configure(&self, account: &Account, manifest: &Manifest) {
        let motd = manifest.motd_file.as_str();
        self.sessions.configure(Settings {
            env: for_sessions(account, manifest),
            shell: account.shell.clone(),
            directory: account.path(&manifest.directory),
            motd_file: (!motd.is_empty()).then(|| account.path(motd)),
        });
    }

    /// Adds peers, or changes them. Sessions of a peer that now belongs to someone else are cut.
    pub fn update(&self, peers: Vec<Peer>) {
        for peer in peers {
            let known = Known { peer: peer.clone(), alone_since: None };
            let before = self.lock().insert(peer.key, known);
            self.overlay.set_peer(&peer);
            let Some(Known { peer: before, alone_since }) = before else { continue };
            if before.user != peer.user || before.kind != peer.kind {
                self.sessions.cut_peer(&peer.key);
            } else if alone_since.is_some() {
                // The server may be another one, which never heard of them.
                self.sessions.tell_again(&peer.key);
            }
        }
    }

    /// Forgets a peer and cuts everything of it at once.
    pub fn remove(&self, key: &PeerKey) {
        self.lock().remove(key);
        self.overlay.remove_peer(key);
        self.sessions.cut_peer(key);
    }

    /// Forgets everyone: the server does not vouch for them any more.
    pub fn remove_all(&self) {
        let all: Vec<_> = self.lock().keys().copied().collect();
        all.iter().for_each(|key| self.remove(key));
    }

    /// Serves the streams that peers open until the overlay stops.
    pub async fn serve(&self, base: &Base) {
        while let Some((key, stream)) = self.overlay.accept().await {
            let Some(peer) = self.lock().get(&key).and_then(|k| as_session_peer(&k.peer)) else {
                tracing::warn!(%key, "a stream of a peer that may not open any");
                continue;
            };
            let sessions = self.sessions.clone();
            base.tasks.spawn("session", OnPanic::Lose, async move {
                sessions.serve(Box::new(stream), peer).await;
            });
        }
    }

    fn lock(&self) -> MutexGuard<'_, BTreeMap<PeerKey, Known>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Who may open streams: the server, for whomever it says, and clients, for their own person only.
fn as_session_peer(peer: &Peer) -> Option<SessionPeer> {
    match (peer.kind, &peer.user) {
        (PeerKind::Server, _) => Some(SessionPeer { key: peer.key, user: None }),
        (PeerKind::Client, Some(user)) => {
            Some(SessionPeer { key: peer.key, user: Some(user.clone()) })
        }
        (PeerKind::Client, None) | (PeerKind::Agent, _) => None,
    }
}

/// The ways from sessions to the outside.
struct Ways {
    overlay: Overlay,
    reports: Reports,
}

impl Outside for Ways {
    fn open_back(&self, peer: PeerKey, back: OpenBack) -> BoxFuture<'_, io::Result<BoxStream>> {
        Box::pin(async move {
            let mut stream = self.overlay.open(&peer).await.map_err(io::Error::other)?;
            opening::write_back(&mut stream, &back).await?;
            Ok(Box::new(stream) as BoxStream)
        })
    }

    fn began(&self, session: SessionId, peer: PeerKey, kind: SessionKind) {
        self.reports.event(FromAgent::SessionBegan { session, peer, kind });
    }

    fn ended(&self, session: SessionId, bytes_out: u64, bytes_in: u64) {
        self.reports.event(FromAgent::SessionEnded { session, bytes_out, bytes_in });
    }

    fn terminal_ended(&self, terminal: TerminalId) {
        self.reports.event(FromAgent::TerminalEnded { terminal });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_server_and_people_may_open_streams() {
        let peer = |kind| Peer {
            key: PeerKey([1; 32]),
            kind,
            address: Ipv6Addr::LOCALHOST,
            endpoints: vec![],
            user: None,
        };
        let check = |kind, may| assert_eq!(as_session_peer(&peer(kind)).is_some(), may);
        check(PeerKind::Server, true);
        check(PeerKind::Client, false);
        check(PeerKind::Agent, false);
    }
}
