//! What is said on a stream between a peer and an agent: one opening message, then frames or raw bytes.
//!
//! An opening message is a `u32` length (big endian) and JSON. The answer is the same with
//! [`Opened`]. After that, streams of the kinds [`Kind::Tcp`], [`Kind::Unix`] and [`Kind::Sftp`]
//! carry raw bytes both ways; [`Kind::Exec`] and [`Kind::Terminal`] carry [`super::frame`]s.

use std::collections::BTreeMap;

use crate::model::id::{SessionId, TerminalId};
use crate::model::session::SessionKind;
use crate::model::user::UserRef;

/// Longest opening message. Environment and command line together.
pub const MAX_OPEN_BYTES: usize = 256 << 10;

/// The first message on a stream.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Open {
    /// The session it belongs to; several streams may belong to one.
    pub session: SessionId,
    /// On whose behalf. Believed from the server only; from a client the coordination's word counts.
    pub user: Option<UserRef>,
    /// What the session is recorded as.
    pub recorded_as: SessionKind,
    /// What a login shell is to sign its marks with, where what it runs is listed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub marks: Option<String>,
    /// What is wanted.
    pub kind: Kind,
}

/// What is wanted of a stream.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Kind {
    /// Run a command, or a login shell. Frames.
    Exec {
        /// The command line for the user's shell; none for a login shell.
        command: Option<String>,
        /// What the client asks to set; the agent filters it.
        env: BTreeMap<String, String>,
        /// The terminal, if one is wanted.
        pty: Option<Pty>,
        /// Streams of [`Back::SshAgent`] are accepted for it.
        forward_agent: bool,
    },
    /// Attach to a terminal that outlives the stream; it is made when it is not there. Frames.
    Terminal {
        /// Which.
        id: TerminalId,
        /// The size of this attachment.
        cols: u16,
        /// The size of this attachment.
        rows: u16,
        /// What a new one runs; none for a login shell.
        command: Option<String>,
        /// Whether one that is not there stays so: who looks on begins none.
        #[serde(default)]
        only_join: bool,
        /// Whether this attachment has to get everything, since it is recorded: what runs waits for
        /// it, and one that takes nothing is let go.
        #[serde(default)]
        misses_nothing: bool,
    },
    /// Speak SFTP version 3. Raw.
    Sftp,
    /// Connect to a port from inside the workspace. Raw.
    Tcp {
        /// Host name or address.
        host: String,
        /// Port.
        port: u16,
    },
    /// Connect to a Unix socket in the workspace. Raw.
    Unix {
        /// Its path.
        path: String,
    },
    /// Listen in the workspace; each connection comes back as a stream that the agent opens
    /// with [`Back::Accepted`]. The listener lives as long as this stream.
    Listen {
        /// Where.
        on: ListenOn,
    },
    /// Send or take bytes as fast as they go, to measure. Raw.
    Speedtest {
        /// Whether the agent sends.
        down: bool,
    },
}

impl Kind {
    /// Whether what it carries tells by itself that it ended well: frames have their last one, and
    /// SFTP an answer to each request. Of other bytes only the stream's own end says so.
    #[must_use]
    pub const fn says_its_end(&self) -> bool {
        match self {
            Self::Exec { .. } | Self::Terminal { .. } | Self::Sftp => true,
            Self::Tcp { .. } | Self::Unix { .. } | Self::Listen { .. } | Self::Speedtest { .. } => {
                false
            }
        }
    }

    /// Whether it is a stream of frames that a person looks at: a terminal, here or by SSH.
    #[must_use]
    pub const fn is_looked_at(&self) -> bool {
        match self {
            Self::Terminal { .. } | Self::Exec { pty: Some(_), .. } => true,
            Self::Exec { .. }
            | Self::Sftp
            | Self::Tcp { .. }
            | Self::Unix { .. }
            | Self::Listen { .. }
            | Self::Speedtest { .. } => false,
        }
    }
}

/// Where to listen.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum ListenOn {
    /// A port; 0 for any.
    Tcp {
        /// Address to bind; empty for loopback.
        host: String,
        /// Port.
        port: u16,
    },
    /// A Unix socket.
    Unix {
        /// Its path.
        path: String,
    },
}

/// A terminal as a client asks for it.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Pty {
    /// `TERM`.
    pub term: String,
    /// Columns.
    pub cols: u16,
    /// Rows.
    pub rows: u16,
    /// RFC 4254 section 8 terminal modes: opcode and value.
    pub modes: Vec<(u8, u32)>,
}

/// The answer to an [`Open`].
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Opened {
    /// Go on.
    Ok {
        /// The port of a listener; 0 otherwise.
        port: u16,
    },
    /// Not so.
    Refused {
        /// Why, for a person.
        why: String,
    },
}

/// The first message on a stream that the agent opens towards the peer of a session.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct OpenBack {
    /// The session it belongs to.
    pub session: SessionId,
    /// What came in.
    pub back: Back,
}

/// What came in at the workspace's end. Raw bytes follow, without an answer.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(tag = "type", rename_all = "snake_case")]
pub enum Back {
    /// A connection to a listener of [`Kind::Listen`].
    Accepted {
        /// What was listened on.
        on: ListenOn,
        /// The port that was given when 0 was asked for.
        port: u16,
        /// Who connected; empty for a Unix socket.
        from_host: String,
        /// Who connected.
        from_port: u16,
    },
    /// A connection to the forwarded SSH agent's socket.
    SshAgent,
}
