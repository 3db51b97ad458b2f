//! As the first process of a container: hand the work to a child, pass signals on, and reap what
//! others left behind.

use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::Path;
use std::process::{Command, ExitStatus};

use anyhow::Context as _;
use rustix::process::{Pid, Signal, WaitOptions, getpid, kill_process, wait};
use tokio::signal::unix::{SignalKind, signal};

/// Whether this process is the first of its container, whom the kernel gives every orphan.
#[must_use]
pub fn is_first() -> bool {
    getpid().is_init()
}

/// Runs this program again with the same arguments as a child, until that ends. The child waits
/// for its own children only; this process reaps the orphans. Gives the child's exit code.
///
/// # Errors
/// When the child cannot be started.
pub async fn run_again(binary: &Path) -> anyhow::Result<u8> {
    let code = run(again(binary)).await?;
    if code != 0 {
        tracing::error!(code, "the agent ended");
    }
    Ok(code)
}

/// This program, or another in its place, with the same name and arguments.
pub(super) fn again(binary: &Path) -> Command {
    let mut args = std::env::args_os();
    let mut again = Command::new(binary);
    // The name it is called by says what it answers as.
    if let Some(name) = args.next() {
        again.arg0(name);
    }
    again.args(args);
    again
}

async fn run(mut again: Command) -> anyhow::Result<u8> {
    // Before the child: a signal in between must not be lost.
    let mut children = signal(SignalKind::child())?;
    let mut passed_on = Signals::listen()?;
    let child = again.spawn().context("Starting the agent beside the first process")?;
    let child =
        i32::try_from(child.id()).ok().and_then(Pid::from_raw).context("Naming the child")?;
    loop {
        tokio::select! {
            _ = children.recv() => if let Some(status) = reap(child) {
                return Ok(exit_code(status));
            },
            number = passed_on.next() => {
                // It may have ended this moment; then its status is on its way.
                let _ = kill_process(child, number);
            }
        }
    }
}

/// Reaps whoever ended; gives the child's status once it did.
fn reap(child: Pid) -> Option<ExitStatus> {
    let mut ended = None;
    while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
        if pid == child {
            ended = Some(ExitStatus::from_raw(status.as_raw()));
        }
    }
    ended
}

/// 128 and the signal's number when it was killed, as shells say it.
fn exit_code(status: ExitStatus) -> u8 {
    let code = status.code().or_else(|| status.signal().map(|s| 128 + s)).unwrap_or(1);
    u8::try_from(code).unwrap_or(u8::MAX)
}

/// The signals that container engines and people send.
struct Signals([(tokio::signal::unix::Signal, Signal); 6]);

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self([
            (signal(SignalKind::terminate())?, Signal::TERM),
            (signal(SignalKind::interrupt())?, Signal::INT),
            (signal(SignalKind::quit())?, Signal::QUIT),
            (signal(SignalKind::hangup())?, Signal::HUP),
            (signal(SignalKind::user_defined1())?, Signal::USR1),
            (signal(SignalKind::user_defined2())?, Signal::USR2),
        ]))
    }

    async fn next(&mut self) -> Signal {
        std::future::poll_fn(|cx| {
            for (signal, number) in &mut self.0 {
                if signal.poll_recv(cx).is_ready() {
                    return std::task::Poll::Ready(*number);
                }
            }
            std::task::Poll::Pending
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statuses_become_exit_codes_as_shells_say_them() {
        let check = |raw, code| assert_eq!(exit_code(ExitStatus::from_raw(raw)), code);
        check(0, 0);
        check(3 << 8, 3);
        check(15, 143);
    }
}
