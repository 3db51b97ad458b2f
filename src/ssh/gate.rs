//! What an SSH server asks of its surroundings: who may enter, where a login name leads, and who to tell.

use std::future::Future;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::keys::PublicKey;
use super::stream::{BoxFuture, BoxStream};
use crate::model::id::{SessionId, SshKeyId};
use crate::model::session::{EndReason, SessionKind};
use crate::model::user::UserRef;
use crate::wire::session::{Back, Kind};

/// Lines for a person that wait to be written. More are dropped: they only tell about progress.
const MAX_SAID: usize = 64;

/// Someone who may be in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Who {
    /// The user.
    pub user: UserRef,
    /// The key that proved it; none where the tunnel did.
    pub key: Option<SshKeyId>,
}

/// A session that begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Began {
    /// Its id.
    pub session: SessionId,
    /// Who is in it.
    pub who: Who,
    /// The login name, which leads to the workspace.
    pub login: String,
    /// Through what.
    pub kind: SessionKind,
    /// What the client calls itself, for example `SSH-2.0-OpenSSH_9.2p1`.
    pub client: String,
}

/// A session that ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended {
    /// Which.
    pub session: SessionId,
    /// Bytes from the person to the workspace.
    pub bytes_in: u64,
    /// Bytes from the workspace to the person.
    pub bytes_out: u64,
    /// Why.
    pub reason: EndReason,
}

/// Who may log in, where the login name leads, and who is told. Make one per connection when
/// what it says depends on the client's address.
pub trait Gate: Send + Sync + 'static {
    /// Whether this key opens this login name. It is asked when the key is offered and once more
    /// when its possession is proven, so asking must change nothing.
    fn authenticate(
        &self,
        login: &str,
        key: &PublicKey,
    ) -> impl Future<Output = Option<Who>> + Send;

    /// The way to the agent that the login name means. May start a stopped workspace; `say`
    /// writes lines to the person meanwhile. The error is for the person, too.
    fn link(
        &self,
        who: &Who,
        login: &str,
        say: Say,
    ) -> impl Future<Output = Result<Arc<dyn Link>, String>> + Send;

    /// A session began. Called once there is a link and before the first stream is opened; must
    /// not block.
    fn began(&self, began: &Began);

    /// A session ended. Called once for each that began; must not block.
    fn ended(&self, ended: &Ended);
}

/// The way to one agent for one person.
pub trait Link: Send + Sync {
    /// Opens a stream; it comes back after a good [`crate::wire::session::Opened`].
    fn open(
        &self,
        kind: Kind,
        recorded_as: SessionKind,
        session: SessionId,
    ) -> BoxFuture<'_, anyhow::Result<Opening>>;

    /// The streams that the agent opens for this session. Ask before opening what causes them.
    fn backs(&self, session: SessionId) -> mpsc::Receiver<(Back, BoxStream)>;

    /// Ends when a session with an open stream may not go on, with what its person is told: also for
    /// a client that takes nothing, from whose stream nothing is read.
    fn no_longer(&self, _: SessionId) -> BoxFuture<'_, &'static str> {
        Box::pin(std::future::pending())
    }
}

/// A stream that an agent agreed to.
pub struct Opening {
    /// The stream, after the answer.
    pub stream: BoxStream,
    /// The port of a listener; 0 otherwise.
    pub port: u16,
}

/// Writes lines to a person who waits. Clones write to the same person.
#[derive(Clone, Debug)]
pub struct Say(mpsc::Sender<String>);

impl Say {
    /// A pair: what is said at one end is heard at the other.
    #[must_use]
    pub fn new() -> (Self, mpsc::Receiver<String>) {
        let (tx, rx) = mpsc::channel(MAX_SAID);
        (Self(tx), rx)
    }

    /// Says one line, without a line break.
    pub fn say(&self, line: impl Into<String>) {
        let _ = self.0.try_send(line.into());
    }
}
