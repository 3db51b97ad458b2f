//! A person's process: its command line and environment, and its end together with all it started.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Command, ExitStatus, Stdio};
use std::time::Duration;

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

use super::pty::Follower;
use super::{Settings, signals};
use crate::agent::marks;
use crate::spawn;
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
    /// Starts it in a terminal.
    pub(crate) fn start_in(&self, follower: Follower) -> io::Result<Child> {
        let mut command = self.command();
        command.env("SSH_TTY", &follower.path);
        let (input, output) = (follower.fd.try_clone()?, follower.fd.try_clone()?);
        command.stdin(input).stdout(output).stderr(follower.fd);
        spawn::in_new_terminal_session(&mut command);
        tokio::process::Command::from(command).spawn()
    }

    /// Starts it with pipes.
    pub(crate) fn start(&self) -> io::Result<Child> {
        let mut command = self.command();
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        spawn::in_new_session(&mut command);
        tokio::process::Command::from(command).spawn()
    }

    fn command(&self) -> Command {
        let shell = &self.settings.shell;
        let mut command = Command::new(shell);
        match self.command {
            Some(line) => {
                command.arg("-c").arg(line);
            }
            None => {
                let name = shell.file_name().unwrap_or(shell.as_os_str()).to_string_lossy();
                command.arg0(format!("-{name}"));
                command.args(self.marks.iter().flat_map(|marks| &marks.arguments));
            }
        }
        let home = self.settings.env.get("HOME").map_or("/", String::as_str);
        let directory = &self.settings.directory;
        command.current_dir(if directory.is_dir() { directory.as_path() } else { home.as_ref() });
        command.env_clear().envs(&self.settings.env);
        command.envs(self.wanted.iter().filter(|(name, _)| self.may_set(name)));
        command.envs(&self.added);
        command.envs(self.marks.iter().flat_map(|marks| &marks.environment));
        command
    }

    /// What says where one is cannot be replaced by a client. What SSH clients send by themselves was
    /// filtered where SSH ends; what comes here besides was asked for by name.
    fn may_set(&self, name: &str) -> bool {
        let is_ours = name.starts_with("CODER_") || name.starts_with("STEADING_");
        ssh::is_variable(name) && !(is_ours && self.settings.env.contains_key(name))
    }
}

/// A running process. Dropping it hangs up: the group is asked to end, then made to.
pub(crate) struct Running {
    child: Option<Child>,
    group: Pid,
    tasks: Tasks,
}

impl Running {
    /// Watches over a process that leads its own session.
    pub(crate) fn new(child: Child, tasks: Tasks) -> io::Result<Self> {
        let group = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let group = group.ok_or_else(|| io::Error::other("the process ended at once"))?;
        Ok(Self { child: Some(child), group, tasks })
    }

    /// Its pipes; none of them when it has a terminal.
    pub(crate) fn child(&mut self) -> Option<&mut Child> {
        self.child.as_mut()
    }

    /// Waits until it ends. Afterwards what it left behind may stay.
    pub(crate) async fn wait(&mut self) -> io::Result<ExitStatus> {
        let Some(child) = self.child.as_mut() else { return std::future::pending().await };
        let status = child.wait().await?;
        self.child = None;
        Ok(status)
    }

    /// Sends a signal to its group, or to `group`.
    pub(crate) fn signal(&self, name: &str, group: Option<Pid>) {
        if let Some(signal) = signals::by_name(name)
            && self.child.is_some()
        {
            let _ = kill_process_group(group.unwrap_or(self.group), signal);
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(mut child) = self.child.take() else { return };
        let (group, token) = (self.group, self.tasks.token());
        let _ = kill_process_group(group, Signal::HUP);
        let _ = kill_process_group(group, Signal::CONT);
        self.tasks.spawn_graceful("hang up", OnPanic::Lose, async move {
            // A child that ends quickly may leave others behind in its group: they have as long.
            tokio::select! {
                () = tokio::time::sleep(PATIENCE) => {}
                () = token.cancelled() => {}
            }
            let _ = kill_process_group(group, Signal::KILL);
            let _ = child.wait().await;
        });
    }
}

/// How a process ended, as a frame.
pub(crate) fn end_of(status: ExitStatus) -> Frame {
    match (status.code(), status.signal()) {
        (Some(code), _) => Frame::Exit(code.unsigned_abs()),
        (None, Some(signal)) => Frame::Killed(signals::name_of(signal)),
        (None, None) => Frame::Exit(255),
    }
}
