//! One SSH connection: owns its link to the agent and runs each channel as a task.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt as _;
use futures_util::future::Shared;
use russh::server::{ChannelOpenHandle, Handle, Msg};
use russh::{ChannelOpenFailure, ChannelWriteHalf};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{broadcast, mpsc, watch};
use tokio_util::sync::CancellationToken;

use super::channel::Start;
use super::config::{Config, LOGIN_GRACE};
use super::gate::{Began, Gate, Link, Say};
use super::handler::{Event, Handler, Login};
use super::inbox::Inbox;
use super::inboxes::Inboxes;
use super::pump::{self, Ends};
use super::record::{Ending, Recorded};
use super::stream::{BoxFuture, BoxStream};
use super::transport::Transport;
use crate::model::id::SessionId;
use crate::model::session::{EndReason, SessionKind};
use crate::tasks::{OnPanic, Tasks};
use crate::wire::session::Kind;

/// Events that wait for their task to be started, which takes no time.
const MAX_EVENTS: usize = 32;

/// Lines about the workspace's start that wait for a channel to show them.
const MAX_SAID: usize = 64;

/// How long a client may take with why its channel ends.
const SAID_WITHIN: Duration = Duration::from_secs(1);

/// What a client sees when a command could not be run at all; `ssh` itself uses it, too.
const NOT_RUN: u32 = 255;

/// Serves one connection to its end. Dropping the future cuts it.
///
/// # Errors
/// When the client breaks the protocol or is lost.
pub async fn serve<S, G>(io: S, config: Arc<Config>, gate: Arc<G>) -> anyhow::Result<()>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    G: Gate,
{
    let tasks = config.tasks.child();
    let _cut = tasks.token().drop_guard();
    let inboxes = Inboxes::default();
    let (login, mut logged_in) = watch::channel(None);
    let (events, wanted) = mpsc::channel(MAX_EVENTS);
    let transport = Transport::new(io, Arc::clone(&inboxes.pressure), tasks.token());
    let handler = Handler {
        gate: Arc::clone(&gate),
        auth: config.auth.clone(),
        login,
        inboxes: inboxes.clone(),
        events,
        channels: BTreeMap::new(),
        proven: None,
    };
    let hello = russh::server::run_stream(Arc::clone(&config.transport), transport, handler);
    let mut running = tokio::time::timeout(LOGIN_GRACE, hello).await??;
    let login = tokio::select! {
        ended = &mut running => return ended,
        login = tokio::time::timeout(LOGIN_GRACE, logged_in.wait_for(Option::is_some)) => {
            login??.clone()
        }
    };
    let Some(login) = login else { return Ok(()) };
    let handle = running.handle();
    let connection = Connection::new(gate, login, Surroundings { config, tasks, handle, inboxes });
    let ended = tokio::select! {
        ended = running => ended,
        () = Arc::clone(&connection).run(wanted) => Ok(()),
    };
    if ended.is_err() {
        *connection.ending.lock().unwrap_or_else(PoisonError::into_inner) = EndReason::Lost;
    }
    ended
}

type LinkResult = Result<Arc<dyn Link>, String>;

pub(super) struct Surroundings {
    config: Arc<Config>,
    pub(super) tasks: Tasks,
    pub(super) handle: Handle,
    pub(super) inboxes: Inboxes,
}

pub(super) struct Connection<G: Gate> {
    gate: Arc<G>,
    login: Login,
    pub(super) around: Surroundings,
    link: Shared<BoxFuture<'static, LinkResult>>,
    said: broadcast::Sender<String>,
    ending: Ending,
    /// All forwarded ports and sockets of a connection are one session.
    forwards: Mutex<Option<Arc<Recorded<G>>>>,
    /// What is listened on in the workspace, and the way to stop it.
    pub(super) listening: Mutex<BTreeMap<String, CancellationToken>>,
    pub(super) hears_backs: Mutex<bool>,
}

impl<G: Gate> Connection<G> {
    fn new(gate: Arc<G>, login: Login, around: Surroundings) -> Arc<Self> {
        let (said, _) = broadcast::channel(MAX_SAID);
        let link = Self::linking(Arc::clone(&gate), &login, said.clone()).shared();
        Arc::new(Self {
            gate,
            login,
            around,
            link,
            said,
            ending: Arc::new(Mutex::new(EndReason::Closed)),
            forwards: Mutex::default(),
            listening: Mutex::default(),
            hears_backs: Mutex::default(),
        })
    }

    fn linking(
        gate: Arc<G>,
        login: &Login,
        said: broadcast::Sender<String>,
    ) -> BoxFuture<'static, LinkResult> {
        let login = login.clone();
        let (say, mut lines) = Say::new();
        let linking = async move {
            let link = gate.link(&login.who, &login.name, say);
            tokio::pin!(link);
            let link = loop {
                tokio::select! {
                    biased;
                    Some(line) = lines.recv() => drop(said.send(line)),
                    link = &mut link => break link,
                }
            };
            while let Ok(line) = lines.try_recv() {
                let _ = said.send(line);
            }
            link
        };
        linking.boxed()
    }

    async fn run(self: Arc<Self>, mut wanted: mpsc::Receiver<Event>) {
        while let Some(event) = wanted.recv().await {
            let this = Arc::clone(&self);
            let tasks = &self.around.tasks;
            match event {
                Event::Start { start, inbox, out } => {
                    tasks.spawn("ssh channel", OnPanic::Lose, async move {
                        this.start(start, &inbox, &out).await;
                    });
                }
                Event::Connect { kind, reply, inbox, out } => {
                    tasks.spawn("ssh forward", OnPanic::Lose, async move {
                        this.connect(kind, reply, &inbox, &out).await;
                    });
                }
                Event::Listen { on, reply } => {
                    tasks.spawn("ssh listen", OnPanic::Lose, async move {
                        let _ = reply.send(this.listen(on).await);
                    });
                }
                Event::Unlisten { on, reply } => {
                    let _ = reply.send(self.unlisten(&on));
                }
            }
        }
    }

    fn begin(&self, kind: SessionKind) -> Recorded<G> {
        let config = &self.around.config;
        let session = SessionId(config.entropy.uuid7(config.clock.now_ms()));
        let began = Began {
            session,
            who: self.login.who.clone(),
            login: self.login.name.clone(),
            kind,
            client: self.login.client.clone(),
        };
        Recorded::begin(Arc::clone(&self.gate), &began, Arc::clone(&self.ending))
    }

    /// The session that all forwards of this connection belong to.
    pub(super) fn forwards(&self) -> Arc<Recorded<G>> {
        let mut forwards = self.forwards.lock().unwrap_or_else(PoisonError::into_inner);
        Arc::clone(forwards.get_or_insert_with(|| Arc::new(self.begin(SessionKind::Forward))))
    }

    pub(super) async fn link(&self) -> LinkResult {
        self.link.clone().await
    }

    async fn start(self: Arc<Self>, start: Start, inbox: &Inbox, out: &ChannelWriteHalf<Msg>) {
        let linked = tokio::select! {
            () = inbox.closed() => None,
            link = self.link_aloud(out) => Some(link),
        };
        let failed = match linked {
            None => None,
            Some(Ok(link)) => self.start_on(link.as_ref(), start, inbox, out).await.err(),
            Some(Err(why)) => Some(why),
        };
        if let Some(why) = failed {
            // Who reads nothing is not waited for.
            let _ = tokio::time::timeout(SAID_WITHIN, pump::say(out, &why)).await;
            let _ = out.exit_status(NOT_RUN).await;
        }
        let _ = out.eof().await;
        let _ = out.close().await;
        self.around.inboxes.close(out.id());
    }

    async fn start_on(
        self: &Arc<Self>,
        link: &dyn Link,
        start: Start,
        inbox: &Inbox,
        out: &ChannelWriteHalf<Msg>,
    ) -> Result<(), String> {
        let recorded = self.begin(start.recorded_as);
        let ends = Ends { inbox, out, handle: &self.around.handle, recorded: &recorded };
        // What holds when nothing else is said below: this may stop anywhere.
        recorded.ends(EndReason::Lost);
        let served = tokio::select! {
            () = inbox.closed() => Ok(()),
            served = self.serve_channel(link, start, &ends) => served,
        };
        if (inbox.is_closed() && !inbox.is_lost()) || served.is_err() {
            recorded.ends(EndReason::Closed);
        }
        served
    }

    async fn serve_channel(
        self: &Arc<Self>,
        link: &dyn Link,
        start: Start,
        ends: &Ends<'_, G>,
    ) -> Result<(), String> {
        let session = ends.recorded.session;
        let forwards_agent = matches!(start.kind, Kind::Exec { forward_agent: true, .. });
        if forwards_agent {
            self.hear_backs(link.backs(session), ends.inbox);
        }
        let is_sftp = start.kind == Kind::Sftp;
        let opening = link.open(start.kind, start.recorded_as, session).await;
        let stream = opening.map_err(|e| format!("{e:#}"))?.stream;
        tokio::select! {
            biased;
            told = link.no_longer(session) => Err(told.to_owned()),
            () = Self::carry(stream, is_sftp, ends) => Ok(()),
        }
    }

    async fn carry(stream: BoxStream, is_sftp: bool, ends: &Ends<'_, G>) {
        if is_sftp {
            let ended = ends.answers(stream).await;
            ends.recorded.ends(if ended.is_ok() { EndReason::Closed } else { EndReason::Lost });
            let _ = ends.out.exit_status(u32::from(ended.is_err())).await;
        } else {
            // An error here means that the client is gone; nobody is left to be told.
            let _ = ends.process(stream).await;
        }
    }

    /// Waits for the link and shows what is said meanwhile.
    async fn link_aloud(&self, out: &ChannelWriteHalf<Msg>) -> LinkResult {
        let mut said = self.said.subscribe();
        let link = self.link();
        tokio::pin!(link);
        let link = loop {
            tokio::select! {
                biased;
                Ok(line) = said.recv() => drop(pump::say(out, &line).await),
                link = &mut link => break link,
            }
        };
        while let Ok(line) = said.try_recv() {
            let _ = pump::say(out, &line).await;
        }
        link
    }

    async fn connect(
        self: Arc<Self>,
        kind: Kind,
        reply: ChannelOpenHandle,
        inbox: &Inbox,
        out: &ChannelWriteHalf<Msg>,
    ) {
        let opened = async {
            let link = self.link().await?;
            let recorded = self.forwards();
            let opening = link.open(kind, SessionKind::Forward, recorded.session).await;
            opening.map(|opening| (opening, recorded, link)).map_err(|e| format!("{e:#}"))
        };
        match opened.await {
            Ok((opening, recorded, link)) => {
                reply.accept().await;
                let ends = Ends { inbox, out, handle: &self.around.handle, recorded: &recorded };
                tokio::select! {
                    biased;
                    _ = link.no_longer(recorded.session) => {}
                    _ = ends.bytes(opening.stream) => {}
                }
                let _ = out.close().await;
            }
            Err(why) => {
                let code = CONNECT_FAILED;
                reply.reject(ChannelOpenFailure::Other { code, reason: why }).await;
            }
        }
        self.around.inboxes.close(out.id());
    }
}

/// RFC 4254's number for a connection that could not be made.
const CONNECT_FAILED: u32 = 2;
