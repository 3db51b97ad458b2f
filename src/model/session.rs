//! Sessions: every way in is one, and each is told from its first byte to its last.

use std::net::IpAddr;

use super::id::{
    AgentId, IdentityGrantId, OrganizationId, SessionId, SshKeyId, TokenId, UserId, WorkspaceId,
};
use super::time::Timestamp;
use super::user::{UserRef, define_words};

define_words! {
    /// Through what someone is in a workspace.
    SessionKind {
        /// The terminal page.
        Terminal = "terminal",
        /// A shell or a command by SSH.
        Ssh = "ssh",
        /// Files by SSH.
        Sftp = "sftp",
        /// A forwarded port or socket.
        Forward = "forward",
        /// The CLI's own tunnel.
        Tunnel = "tunnel",
        /// An app in the browser.
        App = "app",
        /// VS Code.
        Vscode = "vscode",
        /// JetBrains.
        Jetbrains = "jetbrains",
    }
    /// Why a session ended.
    EndReason {
        /// The person left, or the command ended.
        Closed = "closed",
        /// The network or the other end was lost.
        Lost = "lost",
        /// The right to it ended.
        Revoked = "revoked",
        /// The server stopped or was replaced.
        Server = "server",
    }
}

/// A session as the log of connections tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PastSession {
    /// The session, which may still last.
    pub session: Session,
    /// Where its workspace belongs.
    pub organization: OrganizationId,
    /// Whose that is.
    pub owner: UserRef,
}

/// A session that has begun.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Session {
    /// Its id.
    pub id: SessionId,
    /// Who is in it.
    pub user: UserRef,
    /// Where.
    pub workspace_id: WorkspaceId,
    /// That workspace's name.
    pub workspace_name: String,
    /// In which agent.
    pub agent_id: AgentId,
    /// That agent's name.
    pub agent_name: String,
    /// Through what.
    pub kind: SessionKind,
    /// The client's address.
    pub address: String,
    /// What the client calls itself; may be empty.
    pub client: String,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended; none while it lasts.
    pub ended_at: Option<Timestamp>,
    /// Why it ended.
    pub end_reason: Option<EndReason>,
    /// Bytes from the workspace to the person.
    pub bytes_out: i64,
    /// Bytes from the person to the workspace.
    pub bytes_in: i64,
}

/// What somebody was let in by.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Proof {
    /// A token: of a browser, of the command line, or an API token.
    Token(TokenId),
    /// An SSH key.
    Key(SshKeyId),
}

/// What somebody had shown when they began something that lasts: rights with limits are looked up by it
/// again and again.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Shown {
    /// What a provider granted for it; it ends with that.
    pub identity_grant: Option<IdentityGrantId>,
    /// What let them in; it ends with that. None when that is not known.
    pub by: Option<Proof>,
    /// Where they came from; none when that is not known.
    pub ip: Option<IpAddr>,
    /// When they gave a second factor in the session that they came by.
    pub mfa_at: Option<Timestamp>,
}

/// What is known of a session when it begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewSession {
    /// What they had shown.
    pub shown: Shown,
    /// Whether the right that it stands on demands a recording.
    pub is_recorded: bool,
    /// Who is in it.
    pub user_id: UserId,
    /// Where.
    pub workspace_id: WorkspaceId,
    /// In which agent.
    pub agent_id: AgentId,
    /// Through what.
    pub kind: SessionKind,
    /// The client's address.
    pub address: String,
    /// What the client calls itself; may be empty.
    pub client: String,
}
