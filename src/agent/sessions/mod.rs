//! Sessions on the workspace's machine: each incoming stream asks for one thing and is served here.

mod forward;
mod register;
mod speedtest;

use std::collections::BTreeMap;
use std::io;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};

use crate::clock::{Clock, Entropy};
use crate::model::id::SessionId;
use crate::model::peer::PeerKey;
use crate::model::session::SessionKind;
use crate::model::user::UserRef;
use crate::ssh::opening;
use crate::ssh::stream::{BoxFuture, BoxStream};
use crate::tasks::Tasks;
use crate::wire::session::{Kind, Open, OpenBack, Opened};

pub use register::Counts;
use register::Register;

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
    entropy: Entropy,
    tasks: Tasks,
}

impl Sessions {
    /// No sessions yet.
    #[must_use]
    pub fn new(config: SessionsConfig, clock: &Clock, entropy: Entropy, tasks: Tasks) -> Self {
        let register = Arc::new(Register::new(Arc::clone(&config.outside), tasks.clone()));
        let _ = clock;
        Self(Arc::new(Inner { config, settings: Mutex::default(), register, entropy, tasks }))
    }

    /// Sets what new sessions start with.
    pub fn configure(&self, settings: Settings) {
        *self.0.settings.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(settings);
    }

    /// Ends a session and everything of it at once.
    pub fn cut(&self, session: SessionId) {
        self.0.register.cut(session);
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

    /// Serves one incoming stream to its end.
    pub async fn serve(&self, mut stream: BoxStream, peer: Peer) {
        let open = match opening::read_open(&mut stream).await {
            Ok(open) => open,
            Err(error) => return tracing::debug!(%error, "a stream asked for nothing"),
        };
        let user = peer.user.clone().or_else(|| open.user.clone());
        let place = self.0.register.enter(&open, &peer);
        let span = tracing::info_span!("session", id = %open.session);
        tracing::debug!(parent: &span, ?user, kind = %open.recorded_as, "stream opened");
        let stream: BoxStream = Box::new(place.count(stream));
        tokio::select! {
            () = place.cut() => {}
            ended = self.dispatch(stream, open, &peer) => {
                if let Err(error) = ended {
                    tracing::debug!(parent: &span, %error, "stream ended");
                }
            }
        }
    }

    async fn dispatch(&self, stream: BoxStream, open: Open, peer: &Peer) -> io::Result<()> {
        match open.kind {
            Kind::Tcp { host, port } => forward::tcp(stream, &host, port).await,
            Kind::Unix { path } => forward::unix(stream, &path).await,
            Kind::Speedtest { down } => speedtest::serve(stream, down).await,
            Kind::Exec { .. } | Kind::Terminal { .. } | Kind::Sftp | Kind::Listen { .. } => {
                let _ = peer;
                refuse(stream, "this agent does not offer it").await
            }
        }
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
