//! A person's process: its command line and environment, and its end together with all it started.

use std::collections::BTreeMap;
use std::io;
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use super::Settings;
use super::pty::{self, Master};
use crate::agent::env::one_name;
use crate::agent::group::{Foreground, Group, Pipes, killed_by};
use crate::agent::{marks, platform};
use crate::ssh;
use crate::tasks::{OnPanic, Tasks};
use crate::wire::frame::Frame;

/// How long processes have to end by themselves once their session was cut.
const PATIENCE: Duration = Duration::from_secs(3);

/// What to run.
pub(crate) struct Program<'a> {
    /// What holds for all sessions.
    pub(crate) settings: &'a Settings,
    /// A command line for the shell; none for a login shell.
    pub(crate) command: Option<&'a str>,
    /// What the client wants set; filtered here.
    pub(crate) wanted: &'a BTreeMap<String, String>,
    /// What the session adds.
    pub(crate) added: BTreeMap<&'static str, String>,
    /// How a login shell is started that marks what it runs.
    pub(crate) marks: Option<marks::Start>,
}

impl Program<'_> {
    /// Starts it in a terminal of this size with these modes.
    pub(crate) fn start_in_terminal(
        &self,
        size: (u16, u16),
        modes: &[(u8, u32)],
    ) -> io::Result<(Master, Group)> {
        pty::start(self.command(), size, modes)
    }

    /// Starts it with pipes.
    pub(crate) fn start(&self) -> io::Result<Group> {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        Group::start(command)
    }

    fn command(&self) -> Command {
        let marks = self.marks.iter().flat_map(|marks| &marks.arguments).copied();
        let mut command = platform::shell(&self.settings.shell, self.command, marks);
        let home = self.settings.env.get("HOME").map_or("/", String::as_str);
        let directory = &self.settings.directory;
        command.current_dir(if directory.is_dir() { directory.as_path() } else { home.as_ref() });
        let own = self.settings.env.iter();
        let wanted = self.wanted.iter().filter(|(name, _)| self.may_set(name));
        let marks = self.marks.iter().flat_map(|marks| &marks.environment);
        command.env_clear();
        for (name, value) in own.chain(wanted).chain(marks) {
            command.env(one_name(name), value);
        }
        command.envs(&self.added);
        command
    }

    /// What says where one is cannot be replaced by a client. What SSH clients send by themselves was
    /// filtered where SSH ends; what comes here besides was asked for by name.
    fn may_set(&self, name: &str) -> bool {
        let known = one_name(name);
        let is_ours = known.starts_with("CODER_") || known.starts_with("STEADING_");
        ssh::is_variable(name) && !(is_ours && self.settings.env.contains_key(&known))
    }
}

/// A running process. Dropping it hangs up: the group is asked to end, then made to.
pub(crate) struct Running {
    group: Option<Group>,
    tasks: Tasks,
}

impl Running {
    /// Watches over a process and what it starts.
    pub(crate) fn new(group: Group, tasks: Tasks) -> Self {
        Self { group: Some(group), tasks }
    }

    /// Its pipes, once; none of them when it has a terminal.
    pub(crate) fn pipes(&mut self) -> Pipes {
        self.group.as_mut().map(Group::pipes).unwrap_or_default()
    }

    /// Waits until it ends. Afterwards what it left behind may stay.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let Some(group) = self.group.as_mut() else { return std::future::pending().await };
        let status = group.wait().await?;
        self.group = None;
        Ok(status)
    }

    /// Sends a signal to all of it, or to what has its terminal.
    pub(crate) fn signal(&mut self, name: &str, foreground: Option<Foreground>) {
        if let Some(group) = &mut self.group {
            group.signal(name, foreground);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(mut group) = self.group.take() else { return };
        let token = self.tasks.token();
        group.hang_up();
        self.tasks.spawn_graceful("hang up", OnPanic::Lose, async move {
            // A child that ends quickly may leave others behind in its group: they have as long.
            tokio::select! {
                () = tokio::time::sleep(PATIENCE) => {}
                () = token.cancelled() => {}
            }
            group.end();
            let _ = group.wait().await;
        });
    }
}

/// How a process ended, as a frame.
pub(crate) fn end_of(status: ExitStatus) -> Frame {
    match (status.code(), killed_by(status)) {
        (Some(code), _) => Frame::Exit(code.unsigned_abs()),
        (None, Some(signal)) => Frame::Killed(signal),
        (None, None) => Frame::Exit(255),
    }
}
