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

/// Longest names and values of all variables together, as they are written in an opening message.
const MAX_VARIABLE_BYTES: usize = MAX_OPEN_BYTES / 4;

/// Longest command line, written likewise. The rest of the message is left for the environment.
const MAX_COMMAND_BYTES: usize = MAX_OPEN_BYTES / 2;

/// Longest name of a terminal. The longest that are known have some forty characters.
const MAX_TERM_BYTES: usize = 256;

/// Terminal modes a client may set. RFC 4254 knows sixty.
const MAX_MODES: usize = 128;

/// Tells which editor a session belongs to.
const SESSION_TYPE: &str = "CODER_SSH_SESSION_TYPE";

/// A session channel.
#[derive(Clone, Debug, Default)]
pub struct Channel {
    env: BTreeMap<String, String>,
    env_bytes: usize,
    pty: Option<Pty>,
    forwards_agent: bool,
    is_started: bool,
}

/// A request on a session channel.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Request {
    /// A terminal for what is started.
    Pty(Pty),
    /// A variable of its environment.
    Env {
        /// Its name.
        name: String,
        /// Its value.
        value: String,
    },
    /// Make the client's SSH agent reachable.
    ForwardAgent,
    /// Start a login shell.
    Shell,
    /// Start a command.
    Exec(Vec<u8>),
    /// Start a subsystem, `sftp`.
    Subsystem(String),
    /// The terminal's new size.
    Resize {
        /// Columns.
        cols: u16,
        /// Rows.
        rows: u16,
    },
    /// A signal for what was started, by its name without `SIG`.
    Signal(String),
}

/// What to do about a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
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
pub struct Start {
    /// What the agent is asked for.
    pub kind: Kind,
    /// What the session is recorded as.
    pub recorded_as: SessionKind,
}

impl Channel {
    /// Takes the next request.
    pub fn request(&mut self, request: Request) -> Answer {
        match request {
            Request::Resize { cols, rows } => self.resize(cols, rows),
            Request::Signal(name) if self.is_started => Answer::Pass(Frame::Signal(name)),
            _ if self.is_started => Answer::No,
            Request::Signal(_) => Answer::No,
            Request::Pty(pty) if !fits(&pty.term, MAX_TERM_BYTES) => Answer::No,
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
            Request::Exec(command) => match String::from_utf8(command) {
                Ok(command) if fits(&command, MAX_COMMAND_BYTES) => self.exec(Some(command)),
                Ok(_) | Err(_) => Answer::No,
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
        let bytes = written(&name) + written(&value);
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

/// Bytes of a text in an opening message, where a control character takes six.
fn written(text: &str) -> usize {
    serde_json::to_string(text).map_or(usize::MAX, |json| json.len())
}

/// Whether a text may be an argument of a process and takes no more than `max` bytes in a message.
fn fits(text: &str, max: usize) -> bool {
    text.len() <= max && !text.contains('\0') && written(text) <= max
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
        assert_eq!(channel.request(Request::Exec(b"a\0b".to_vec())), Answer::No);
        assert_eq!(channel.request(Request::Exec(vec![1; MAX_COMMAND_BYTES / 6 + 1])), Answer::No);
        let term = "x".repeat(MAX_TERM_BYTES);
        assert_eq!(channel.request(Request::Pty(Pty { term, ..pty(80) })), Answer::No);
        assert_eq!(channel.request(Request::Subsystem("netconf".into())), Answer::No);
        let sftp = channel.request(Request::Subsystem("sftp".into()));
        assert!(matches!(sftp, Answer::Start(Start { kind: Kind::Sftp, .. })));
    }
}
