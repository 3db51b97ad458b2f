//! What the workspace opens towards the client: connections to forwarded ports, and to its SSH agent.

use std::sync::{Arc, PoisonError};

use russh::server::Msg;
use tokio::io::AsyncReadExt as _;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use super::gate::Gate;
use super::inbox::Inbox;
use super::pump::Ends;
use super::session::Connection;
use super::stream::BoxStream;
use crate::model::session::SessionKind;
use crate::tasks::OnPanic;
use crate::wire::session::{Back, Kind, ListenOn};

/// Ports and sockets one connection may listen on.
const MAX_LISTENING: usize = 64;

impl<G: Gate> Connection<G> {
    /// Listens in the workspace. Returns the port, 0 for a socket; none when it cannot.
    pub(super) async fn listen(self: Arc<Self>, on: ListenOn) -> Option<u16> {
        let link = self.link().await.ok()?;
        let recorded = self.forwards();
        self.hear_forwards(|| link.backs(recorded.session));
        let kind = Kind::Listen { on: on.clone() };
        let opening = link.open(kind, SessionKind::Forward, recorded.session).await;
        let opening = match opening {
            Ok(opening) => opening,
            Err(error) => {
                tracing::debug!(%error, "cannot listen in the workspace");
                return None;
            }
        };
        let stop = CancellationToken::new();
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        if listening.len() >= MAX_LISTENING {
            return None;
        }
        if let Some(old) = listening.insert(name_of(&on, opening.port), stop.clone()) {
            old.cancel();
        }
        drop(listening);
        let mut stream = opening.stream;
        self.around.tasks.spawn("ssh listener", OnPanic::Lose, async move {
            // The listener lives as long as its stream.
            tokio::select! {
                () = stop.cancelled() => {}
                _ = stream.read_u8() => {}
            }
        });
        Some(opening.port)
    }

    /// Stops to listen. Returns whether it did listen.
    pub(super) fn unlisten(&self, on: &ListenOn) -> bool {
        let port = match on {
            ListenOn::Tcp { port, .. } => *port,
            ListenOn::Unix { .. } => 0,
        };
        let mut listening = self.listening.lock().unwrap_or_else(PoisonError::into_inner);
        let stop = listening.remove(&name_of(on, port));
        if let Some(stop) = &stop {
            stop.cancel();
        }
        stop.is_some()
    }

    /// Takes what connects to forwarded ports, once for all of them.
    fn hear_forwards(self: &Arc<Self>, backs: impl FnOnce() -> mpsc::Receiver<(Back, BoxStream)>) {
        let mut hears = self.hears_backs.lock().unwrap_or_else(PoisonError::into_inner);
        if !*hears {
            *hears = true;
            self.spawn_hearing(backs(), CancellationToken::new());
        }
    }

    /// Takes what connects to a session's SSH agent, as long as its channel is open.
    pub(super) fn hear_backs(
        self: &Arc<Self>,
        backs: mpsc::Receiver<(Back, BoxStream)>,
        inbox: &Inbox,
    ) {
        self.spawn_hearing(backs, inbox.closing());
    }

    fn spawn_hearing(
        self: &Arc<Self>,
        mut backs: mpsc::Receiver<(Back, BoxStream)>,
        stop: CancellationToken,
    ) {
        let this = Arc::clone(self);
        self.around.tasks.spawn("ssh backs", OnPanic::Lose, async move {
            let hear = async {
                while let Some((back, stream)) = backs.recv().await {
                    let that = Arc::clone(&this);
                    this.around.tasks.spawn("ssh back", OnPanic::Lose, async move {
                        that.pass_on(back, stream).await;
                    });
                }
            };
            tokio::select! {
                () = hear => {}
                () = stop.cancelled() => {}
            }
        });
    }

    async fn pass_on(&self, back: Back, stream: BoxStream) {
        // A client that does not take it has closed its end already.
        let Ok(channel) = self.open_channel(back).await else { return };
        let (_, out) = channel.split();
        let inbox = self.around.inboxes.of(out.id());
        let recorded = self.forwards();
        let ends =
            Ends { inbox: &inbox, out: &out, handle: &self.around.handle, recorded: &recorded };
        let _ = ends.bytes(stream).await;
        let _ = out.close().await;
        self.around.inboxes.close(out.id());
    }

    async fn open_channel(&self, back: Back) -> Result<russh::Channel<Msg>, russh::Error> {
        let handle = &self.around.handle;
        match back {
            Back::SshAgent => handle.channel_open_agent().await,
            Back::Accepted { on: ListenOn::Unix { path }, .. } => {
                handle.channel_open_forwarded_streamlocal(path).await
            }
            Back::Accepted { on: ListenOn::Tcp { host, .. }, port, from_host, from_port } => {
                let (port, from_port) = (u32::from(port), u32::from(from_port));
                handle.channel_open_forwarded_tcpip(host, port, from_host, from_port).await
            }
        }
    }
}

fn name_of(on: &ListenOn, port: u16) -> String {
    match on {
        ListenOn::Tcp { host, .. } => format!("{host} {port}"),
        ListenOn::Unix { path } => path.clone(),
    }
}
