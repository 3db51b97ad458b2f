//! A session of its own, as POSIX has it.

use std::io;
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};

use rustix::process::{Pid, Signal, kill_process_group};
use tokio::process::Child;

use super::Pipes;
use crate::agent::sessions::signals;
use crate::spawn;

/// The part of a group that has the terminal.
pub type Foreground = Pid;

/// A process that leads its own session.
pub struct Group {
    child: Child,
    id: Pid,
}

impl Group {
    /// Starts one.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(mut command: Command) -> io::Result<Self> {
        spawn::in_new_session(&mut command);
        Self::of(command)
    }

    /// Starts one in the terminal that its standard input is.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start_in_terminal(mut command: Command) -> io::Result<Self> {
        spawn::in_new_terminal_session(&mut command);
        Self::of(command)
    }

    fn of(command: Command) -> io::Result<Self> {
        let child = tokio::process::Command::from(command).spawn()?;
        let id = child.id().and_then(|id| i32::try_from(id).ok()).and_then(Pid::from_raw);
        let id = id.ok_or_else(|| io::Error::other("the process ended at once"))?;
        Ok(Self { child, id })
    }

    /// Its pipes, once.
    pub fn pipes(&mut self) -> Pipes {
        (self.child.stdin.take(), self.child.stdout.take(), self.child.stderr.take())
    }

    /// Waits until the process that was started ends. What that left behind may stay.
    ///
    /// # Errors
    /// When its end cannot be learnt.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        self.child.wait().await
    }

    /// Sends a signal by its name to all of it, or to what has its terminal.
    pub fn signal(&mut self, name: &str, foreground: Option<Foreground>) {
        if let Some(signal) = signals::by_name(name) {
            self.send(foreground.unwrap_or(self.id), signal);
        }
    }

    /// Asks all of it to end.
    pub fn ask(&mut self) {
        self.send(self.id, Signal::TERM);
    }

    /// Tells all of it that whoever watched is gone.
    pub fn hang_up(&mut self) {
        self.send(self.id, Signal::HUP);
        self.send(self.id, Signal::CONT);
    }

    /// Ends all of it.
    pub fn end(&mut self) {
        self.send(self.id, Signal::KILL);
    }

    fn send(&self, group: Pid, signal: Signal) {
        // Fails when the group is gone already, which is what is wanted.
        let _ = kill_process_group(group, signal);
    }
}

/// The name of the signal that ended a process.
#[must_use]
pub fn killed_by(status: ExitStatus) -> Option<String> {
    status.signal().map(signals::name_of)
}
