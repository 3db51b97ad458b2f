//! Sessions on the workspace's machine: each incoming stream asks for one thing and is served here.

mod disk;
mod exec;
mod forward;
#[cfg(unix)]
mod ignored;
mod listen;
pub(crate) mod motd;
pub(crate) mod process;
pub(crate) mod pty;
mod register;
mod sftp;
mod sftp_files;
mod sftp_list;
#[cfg(unix)]
pub(crate) mod signals;
mod socket;
mod speedtest;
mod ssh_agent;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite, copy_bidirectional_with_sizes};
use tokio::sync::Semaphore;

use crate::agent::marks;
use crate::agent::terminals::{self, Terminals};
use crate::clock::{Clock, Entropy};
use crate::model::id::{SessionId, TerminalId};
use crate::model::peer::PeerKey;
use crate::model::session::SessionKind;
use crate::model::user::UserRef;
use crate::ssh::frames::{FrameReader, FrameWriter};
use crate::ssh::opening;
use crate::ssh::stream::{BoxFuture, BoxStream};
use crate::tasks::{OnPanic, Tasks};
use crate::wire::session::{Back, Kind, OpenBack, Opened};

use forward::COPY_BYTES as COPY;
pub use register::Counts;
use register::{Place, Register};

/// Connections that one listener or one agent's socket passes back at a time. More are closed.
const MAX_BACKS: usize = 256;

/// Who opened a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Peer {
    /// Its key on the overlay.
    pub key: PeerKey,
    /// Whose peer it is; none for the server, whose word on the user counts.
    pub user: Option<UserRef>,
}

/// What sessions need of the agent around them.
pub trait Outside: Send + Sync + 'static {
    /// Opens a stream towards a peer and says on it what it is for.
    fn open_back(&self, peer: PeerKey, back: OpenBack) -> BoxFuture<'_, io::Result<BoxStream>>;

    /// A session of a peer other than the server began; must not block.
    fn began(&self, session: SessionId, peer: PeerKey, kind: SessionKind);

    /// Such a session ended; must not block.
    fn ended(&self, session: SessionId, bytes_out: u64, bytes_in: u64);

    /// What ran in a terminal has ended; must not block.
    fn terminal_ended(&self, terminal: TerminalId);
}

/// What sessions need from the start.
pub struct SessionsConfig {
    /// The agent around them.
    pub outside: Arc<dyn Outside>,
    /// A private directory for sockets of forwarded SSH agents; made when it is needed.
    pub run_dir: PathBuf,
}

/// What new sessions start with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// The whole environment, with `HOME`, `USER`, `SHELL` and `PATH`.
    pub env: BTreeMap<String, String>,
    /// The login shell.
    pub shell: PathBuf,
    /// Where they start.
    pub directory: PathBuf,
    /// A file shown to interactive shells.
    pub motd_file: Option<PathBuf>,
}

impl Default for Settings {
    /// What holds until the manifest is there.
    fn default() -> Self {
        Self {
            env: BTreeMap::new(),
            shell: PathBuf::from("/bin/sh"),
            directory: PathBuf::from("/"),
            motd_file: None,
        }
    }
}

/// The sessions of an agent. Clones are the same.
#[derive(Clone)]
pub struct Sessions(Arc<Inner>);

struct Inner {
    config: SessionsConfig,
    settings: Mutex<Arc<Settings>>,
    register: Arc<Register>,
    terminals: Terminals,
    clock: Clock,
    entropy: Entropy,
    tasks: Tasks,
}

impl Sessions {
    /// No sessions yet. Called within the runtime.
    #[must_use]
    pub fn new(config: SessionsConfig, clock: &Clock, entropy: Entropy, tasks: Tasks) -> Self {
        let register = Arc::new(Register::new(Arc::clone(&config.outside), tasks.clone()));
        #[cfg(unix)]
        ignored::undo();
        let terminals = Terminals::new(Arc::clone(&config.outside), tasks.clone());
        let settings = Mutex::default();
        Self(Arc::new(Inner {
            config,
            settings,
            register,
            terminals,
            clock: clock.clone(),
            entropy,
            tasks,
        }))
    }

    /// Sets what new sessions start with.
    pub fn configure(&self, settings: Settings) {
        *self.0.settings.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// Ends a session and everything of it at once.
    pub fn cut(&self, session: SessionId) {
        self.0.register.cut(session);
    }

    /// Ends a terminal and what runs in it.
    pub fn end_terminal(&self, terminal: TerminalId) {
        self.0.terminals.end(terminal);
    }

    /// Tells the server again of a peer's sessions.
    pub fn tell_again(&self, peer: &PeerKey) {
        self.0.register.tell_again(peer);
    }

    /// Ends every session of a peer at once.
    pub fn cut_peer(&self, peer: &PeerKey) {
        self.0.register.cut_peer(peer);
    }

    /// How many sessions there are, and how much they moved.
    #[must_use]
    pub fn counts(&self) -> Counts {
        self.0.register.counts()
    }

    /// Whether nobody is here: no session, and no terminal that waits for somebody to come back.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        self.counts().sessions == 0 && self.0.terminals.is_empty()
    }

    /// Serves one incoming stream to its end.
    pub async fn serve(&self, mut stream: BoxStream, peer: Peer) {
        // A stream that asks for nothing was cut on its way.
        let Ok(open) = opening::read_open(&mut stream).await else { return };
        let place = self.0.register.enter(&open, &peer);
        let stream: BoxStream = Box::new(place.count(stream));
        let served = Served {
            inner: Arc::clone(&self.0),
            place: Arc::new(place),
            peer: peer.key,
            is_server: peer.user.is_none(),
            user: peer.user.or(open.user),
            session: open.session,
            marks: open.marks.clone(),
            back_slots: Arc::new(Semaphore::new(MAX_BACKS)),
        };
        let ended = tokio::select! {
            () = served.place.cut() => Ok(()),
            ended = served.dispatch(stream, open.kind) => ended,
        };
        if let Err(error) = ended {
            tracing::debug!(session.id = %served.session, user = ?served.user, %error, "stream broke");
        }
    }
}

/// A stream that is served.
#[derive(Clone)]
struct Served {
    inner: Arc<Inner>,
    place: Arc<Place>,
    peer: PeerKey,
    /// Whether the server asks, which knows who may type at a terminal.
    is_server: bool,
    user: Option<UserRef>,
    session: SessionId,
    /// What a login shell is to sign its marks with.
    marks: Option<String>,
    back_slots: Arc<Semaphore>,
}

impl Served {
    async fn dispatch(&self, stream: BoxStream, kind: Kind) -> io::Result<()> {
        match kind {
            Kind::Tcp { host, port } => forward::tcp(stream, &host, port).await,
            Kind::Unix { path } => forward::unix(stream, &path).await,
            Kind::Listen { on } => listen::serve(self, stream, on).await,
            Kind::Speedtest { down } => speedtest::serve(stream, down).await,
            Kind::Exec { command, env, pty, forward_agent } => {
                let wanted = exec::Wanted { command, env, pty, forward_agent };
                exec::serve(self, stream, wanted).await
            }
            Kind::Terminal { .. } if !self.is_server => {
                refuse(stream, "terminals are joined through the server").await
            }
            Kind::Terminal { id, cols, rows, command, only_join, misses_nothing } => {
                let marks = match &command {
                    None => self.marks(),
                    Some(_) => None,
                };
                let size = (cols, rows);
                let wanted =
                    terminals::Wanted { id, size, command, marks, only_join, misses_nothing };
                self.terminal(stream, wanted).await
            }
            Kind::Sftp => sftp::serve(self, stream).await,
        }
    }

    async fn terminal(&self, mut stream: BoxStream, wanted: terminals::Wanted) -> io::Result<()> {
        match self.inner.terminals.attach(wanted, &self.settings()).await {
            Ok(attached) => {
                accept(&mut stream, 0).await?;
                let (read, write) = tokio::io::split(stream);
                attached.serve(FrameReader::new(read), FrameWriter::new(write)).await
            }
            Err(error) => refuse(stream, format!("Starting a terminal: {error}")).await,
        }
    }

    fn settings(&self) -> Arc<Settings> {
        Arc::clone(&self.inner.settings.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How a login shell is started, where what it runs is to be listed.
    fn marks(&self) -> Option<marks::Start> {
        let (settings, dir) = (self.settings(), self.inner.config.run_dir.join("marks"));
        marks::start(&settings.shell, &dir, self.marks.as_deref()?, &settings.env)
    }

    fn tasks(&self) -> Tasks {
        self.inner.tasks.clone()
    }

    /// Joins a connection to a new stream towards the peer, counted for the session and cut with
    /// it, but not with the stream that is served here.
    fn pass_back<S>(&self, back: Back, mut socket: S)
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    {
        let Ok(slot) = Arc::clone(&self.back_slots).try_acquire_owned() else { return };
        let this = self.clone();
        let join = async move {
            let back = OpenBack { session: this.session, back };
            let stream = this.inner.config.outside.open_back(this.peer, back).await?;
            let mut stream = this.place.count(stream);
            tokio::select! {
                () = this.place.cut() => Ok((0, 0)),
                done = copy_bidirectional_with_sizes(&mut stream, &mut socket, COPY, COPY) => done,
            }
        };
        self.tasks().spawn("pass back", OnPanic::Lose, async move {
            if let Err(error) = join.await {
                tracing::debug!(%error, "a connection towards a peer broke");
            }
            drop(slot);
        });
    }
}

async fn refuse(mut stream: BoxStream, why: impl Into<String> + Send) -> io::Result<()> {
    let refused = Opened::Refused { why: why.into() };
    opening::write_opened(&mut stream, &refused).await?;
    tokio::io::AsyncWriteExt::shutdown(&mut stream).await
}

async fn accept(stream: &mut BoxStream, port: u16) -> io::Result<()> {
    opening::write_opened(stream, &Opened::Ok { port }).await
}
