//! A session channel's requests, as a pure state machine: what is allowed when, and what they start.
//!
//! 1. Each request of the client goes into [`Channel::request`].
//! 2. The [`Answer`] says what to reply, and what to start or to pass on.
//! 3. A channel starts one thing; after that only signals and sizes are taken.

use std::collections::BTreeMap;

use crate::model::session::SessionKind;
use crate::wire::frame::Frame;
use crate::wire::session::{Kind, MAX_OPEN_BYTES, Pty};

/// Variables a client may set on a channel. `ssh` sends a dozen.
const MAX_ENV: usize = 64;

/// Longest name and value of a variable together.
const MAX_VARIABLE_BYTES: usize = 32 << 10;

/// Longest command line. The rest of an opening message is left for the environment.
const MAX_COMMAND_BYTES: usize = MAX_OPEN_BYTES / 4;

/// Terminal modes a client may set. RFC 4254 knows sixty.
const MAX_MODES: usize = 128;

/// Tells which editor a session belongs to.
const SESSION_TYPE: &str = "CODER_SSH_SESSION_TYPE";

/// A session channel.
#[derive(Clone, Debug, Default)]
pub(super) struct Channel {
    env: BTreeMap<String, String>,
    env_bytes: usize,
    pty: Option<Pty>,
    forwards_agent: bool,
    is_started: bool,
}

/// A request on a session channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Request {
    Pty(Pty),
    Env { name: String, value: String },
    ForwardAgent,
    Shell,
    Exec(Vec<u8>),
    Subsystem(String),
    Resize { cols: u16, rows: u16 },
    Signal(String),
}

/// What to do about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    /// Say yes.
    Yes,
    /// Say no.
    No,
    /// Say yes and start this.
    Start(Start),
    /// Pass it on; there is nothing to say.
    Pass(Frame),
}

/// What a channel starts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Start {
    pub(super) kind: Kind,
    pub(super) recorded_as: SessionKind,
}

impl Channel {
    /// Takes the next request.
    pub(super) fn request(&mut self, request: Request) -> Answer {
        match request {
            Request::Resize { cols, rows } => self.resize(cols, rows),
            Request::Signal(name) if self.is_started => Answer::Pass(Frame::Signal(name)),
            _ if self.is_started => Answer::No,
            Request::Signal(_) => Answer::No,
            Request::Pty(mut pty) => {
                pty.modes.truncate(MAX_MODES);
                self.pty = Some(pty);
                Answer::Yes
            }
            Request::Env { name, value } => self.set(name, value),
            Request::ForwardAgent => {
                self.forwards_agent = true;
                Answer::Yes
            }
            Request::Shell => self.exec(None),
            Request::Exec(command) if command.len() > MAX_COMMAND_BYTES => Answer::No,
            Request::Exec(command) => match String::from_utf8(command) {
                Ok(command) => self.exec(Some(command)),
                Err(_) => Answer::No,
            },
            Request::Subsystem(name) if name == "sftp" => self.start(Kind::Sftp, SessionKind::Sftp),
            Request::Subsystem(_) => Answer::No,
        }
    }

    fn resize(&mut self, cols: u16, rows: u16) -> Answer {
        let Some(pty) = &mut self.pty else { return Answer::No };
        (pty.cols, pty.rows) = (cols, rows);
        if self.is_started { Answer::Pass(Frame::Resize { cols, rows }) } else { Answer::Yes }
    }

    fn set(&mut self, name: String, value: String) -> Answer {
        let bytes = name.len() + value.len();
        let is_full = self.env.len() >= MAX_ENV || self.env_bytes + bytes > MAX_VARIABLE_BYTES;
        if is_full || !may_set(&name) || value.contains('\0') {
            return Answer::No;
        }
        self.env_bytes += bytes;
        self.env.insert(name, value);
        Answer::Yes
    }

    fn exec(&mut self, command: Option<String>) -> Answer {
        let recorded_as = match self.env.get(SESSION_TYPE).map(|t| t.to_ascii_lowercase()) {
            Some(editor) if editor == "vscode" => SessionKind::Vscode,
            Some(editor) if editor == "jetbrains" => SessionKind::Jetbrains,
            Some(_) | None => SessionKind::Ssh,
        };
        let kind = Kind::Exec {
            command,
            env: std::mem::take(&mut self.env),
            pty: self.pty.clone(),
            forward_agent: self.forwards_agent,
        };
        self.start(kind, recorded_as)
    }

    fn start(&mut self, kind: Kind, recorded_as: SessionKind) -> Answer {
        self.is_started = true;
        Answer::Start(Start { kind, recorded_as })
    }
}

/// Whether a client may set this variable: its language, what its terminal can do, and what is
/// ours or Git's.
#[must_use]
pub fn may_set(name: &str) -> bool {
    let prefixes = ["LC_", "CODER_", "STEADING_", "GIT_"];
    is_variable(name)
        && (matches!(name, "LANG" | "COLORTERM" | "TERM_PROGRAM" | "TERM_PROGRAM_VERSION" | "TZ")
            || prefixes.iter().any(|p| name.starts_with(p)))
}

/// Whether this can name an environment variable.
#[must_use]
pub fn is_variable(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pty(cols: u16) -> Pty {
        Pty { term: "xterm".into(), cols, rows: 24, modes: vec![(53, 1)] }
    }

    fn env(name: &str, value: &str) -> Request {
        Request::Env { name: name.into(), value: value.into() }
    }

    #[test]
    fn a_shell_starts_with_all_that_was_asked_before() {
        let mut channel = Channel::default();
        assert_eq!(channel.request(Request::Pty(pty(80))), Answer::Yes);
        assert_eq!(channel.request(env("LANG", "C")), Answer::Yes);
        assert_eq!(channel.request(env("LD_PRELOAD", "/x.so")), Answer::No);
        assert_eq!(channel.request(env("GIT_A=B", "")), Answer::No);
        assert_eq!(channel.request(Request::ForwardAgent), Answer::Yes);
        assert_eq!(channel.request(Request::Resize { cols: 100, rows: 24 }), Answer::Yes);
        let Answer::Start(start) = channel.request(Request::Shell) else { panic!("not started") };
        let env = BTreeMap::from([("LANG".to_owned(), "C".to_owned())]);
        let kind = Kind::Exec { command: None, env, pty: Some(pty(100)), forward_agent: true };
        assert_eq!(start, Start { kind, recorded_as: SessionKind::Ssh });
    }

    #[test]
    fn one_channel_starts_one_thing() {
        let mut channel = Channel::default();
        assert_eq!(channel.request(Request::Signal("INT".into())), Answer::No);
        assert!(matches!(channel.request(Request::Exec(b"ls".to_vec())), Answer::Start(_)));
        assert_eq!(channel.request(Request::Exec(b"ls".to_vec())), Answer::No);
        assert_eq!(channel.request(Request::Shell), Answer::No);
        assert_eq!(channel.request(env("LANG", "C")), Answer::No);
        assert_eq!(channel.request(Request::Resize { cols: 1, rows: 1 }), Answer::No);
        let passed = Answer::Pass(Frame::Signal("INT".into()));
        assert_eq!(channel.request(Request::Signal("INT".into())), passed);
    }

    #[test]
    fn editors_say_who_they_are() {
        let mut channel = Channel::default();
        channel.request(env(SESSION_TYPE, "JetBrains"));
        let Answer::Start(start) = channel.request(Request::Shell) else { panic!("not started") };
        assert_eq!(start.recorded_as, SessionKind::Jetbrains);
    }

    #[test]
    fn what_is_too_much_is_refused() {
        let mut channel = Channel::default();
        let long = "x".repeat(MAX_VARIABLE_BYTES);
        assert_eq!(channel.request(env("LC_ALL", &long)), Answer::No);
        assert_eq!(channel.request(Request::Exec(vec![b'a'; MAX_COMMAND_BYTES + 1])), Answer::No);
        assert_eq!(channel.request(Request::Exec(vec![0xff])), Answer::No);
        assert_eq!(channel.request(Request::Subsystem("netconf".into())), Answer::No);
        let sftp = channel.request(Request::Subsystem("sftp".into()));
        assert!(matches!(sftp, Answer::Start(Start { kind: Kind::Sftp, .. })));
    }
}
