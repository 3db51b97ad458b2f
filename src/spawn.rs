//! Starting processes in a session of their own, with or without a controlling terminal.
//! Needs `unsafe` for what runs between fork and exec.
#![expect(
    unsafe_code,
    reason = "pre_exec is unsafe; only async-signal-safe system calls run in it"
)]

use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// Makes the process the leader of a new session and group, so that it outlives its parent's
/// terminal and can be ended with all it started.
pub fn in_new_session(command: &mut Command) {
    // SAFETY: `setsid` is async-signal-safe and touches no memory of the parent.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            Ok(())
        });
    }
}

/// The same, with standard input as its controlling terminal. Standard input must be a terminal's
/// follower end.
pub fn in_new_terminal_session(command: &mut Command) {
    // SAFETY: both calls are async-signal-safe and touch no memory of the parent.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
            Ok(())
        });
    }
}
