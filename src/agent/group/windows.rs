//! A job, as Windows has it, or a console with what is attached to it.

use std::convert::Infallible;
use std::io;
use std::os::windows::process::ExitStatusExt as _;
use std::process::{Command, ExitStatus};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use process_wrap::tokio::{ChildWrapper, CommandWrap, CreationFlags, JobObject};
use windows::Win32::System::Threading::CREATE_NO_WINDOW;

use super::Pipes;

/// No part of a group has the terminal alone.
pub type Foreground = Infallible;

/// A process in a console of its own. There is none any more once it is closed.
pub type Console = Arc<Mutex<Option<conpty::Process>>>;

/// What is given as the exit code of what had to be ended, as by a shell after Ctrl-C.
const ENDED: u32 = 130;
/// How often it is looked whether a process in a console has ended.
const LOOK_EVERY: Duration = Duration::from_millis(25);

/// A process with all it starts.
pub enum Group {
    /// With pipes.
    Job(Box<dyn ChildWrapper>),
    /// In a console.
    Console(Console),
}

impl Group {
    /// Starts one, in a console that nobody sees: Ctrl-C at the agent's is not for it.
    ///
    /// # Errors
    /// When the program cannot be started.
    pub fn start(command: Command) -> io::Result<Self> {
        let mut command = CommandWrap::from(tokio::process::Command::from(command));
        command.wrap(CreationFlags(CREATE_NO_WINDOW)).wrap(JobObject);
        command.spawn().map(Self::Job)
    }

    /// Its pipes, once.
    pub fn pipes(&mut self) -> Pipes {
        match self {
            Self::Job(job) => (job.stdin().take(), job.stdout().take(), job.stderr().take()),
            Self::Console(_) => (None, None, None),
        }
    }

    /// Waits until the process that was started ends. What that left behind may stay.
    ///
    /// # Errors
    /// When its end cannot be learnt.
    pub async fn wait(&mut self) -> io::Result<ExitStatus> {
        match self {
            // The job itself ends only with the last of its processes.
            Self::Job(job) => job.inner_mut().wait().await,
            Self::Console(console) => loop {
                if let Some(code) = code(console)? {
                    return Ok(ExitStatus::from_raw(code));
                }
                tokio::time::sleep(LOOK_EVERY).await;
            },
        }
    }

    /// Does what a signal of this name is mostly sent for: there are none.
    pub fn signal(&mut self, name: &str, _: Option<Foreground>) {
        if matches!(name, "HUP" | "INT" | "KILL" | "QUIT" | "TERM") {
            self.end();
        }
    }

    /// Ends all of it: it cannot be asked to.
    pub fn ask(&mut self) {
        self.end();
    }

    /// Ends all of it: what is attached to a console is told, and has a moment.
    pub fn hang_up(&mut self) {
        match self {
            Self::Job(_) => self.end(),
            Self::Console(console) => close(console),
        }
    }

    /// Ends all of it.
    pub fn end(&mut self) {
        match self {
            Self::Job(job) => {
                // Fails when all of it is gone already.
                let _ = job.start_kill();
            }
            Self::Console(console) => {
                if let Some(process) = &mut *lock(console) {
                    let _ = process.exit(ENDED);
                }
                close(console);
            }
        }
    }
}

/// Closes a console. That waits until what it showed was read, so that no task may do it.
pub fn close(console: &Console) {
    if let Some(process) = lock(console).take() {
        tokio::task::spawn_blocking(move || drop(process));
    }
}

/// The exit code of the process in a console; none while it runs.
fn code(console: &Console) -> io::Result<Option<u32>> {
    let console = lock(console);
    // Closed: it was ended.
    let Some(process) = &*console else { return Ok(Some(ENDED)) };
    match process.is_alive() {
        true => Ok(None),
        false => process.wait(Some(0)).map(Some).map_err(io::Error::other),
    }
}

fn lock(console: &Console) -> std::sync::MutexGuard<'_, Option<conpty::Process>> {
    console.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Nothing is ended by a signal.
#[must_use]
pub fn killed_by(_: ExitStatus) -> Option<String> {
    None
}
