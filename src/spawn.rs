//! Starting processes in a session of their own, with a controlling terminal or a view of their own.
//! Needs `unsafe` for what runs between fork and exec, for one thread that enters such a view, and for
//! what one program leaves to the next in the same process.
#![expect(
    unsafe_code,
    reason = "pre_exec and unshare are unsafe; only async-signal-safe system calls run before exec"
)]

#[cfg(target_os = "linux")]
mod view;

use std::io;
use std::os::fd::{FromRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use rustix::io::FdFlags;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

#[cfg(target_os = "linux")]
pub use view::{StandIn, in_own_view, renew_view};

/// The limit of open files that this process was started with.
static GIVEN_OPEN_FILES: OnceLock<Rlimit> = OnceLock::new();

/// Raises this process's limit of open files to what the system allows: each connection is one. What
/// it starts gets the limit that it was given itself, since old programs go through all of them.
///
/// # Errors
/// When the kernel refuses; the limit stays as it was.
pub fn raise_open_files() -> io::Result<Option<u64>> {
    let given = *GIVEN_OPEN_FILES.get_or_init(|| getrlimit(Resource::Nofile));
    setrlimit(Resource::Nofile, Rlimit { current: given.maximum, ..given })?;
    Ok(given.maximum)
}

/// Between fork and exec: a load of memory and a system call.
fn lower_open_files() -> io::Result<()> {
    if let Some(given) = GIVEN_OPEN_FILES.get() {
        setrlimit(Resource::Nofile, *given)?;
    }
    Ok(())
}

/// Lets a descriptor stay open for the program that takes this one's place.
///
/// # Errors
/// When the kernel refuses.
pub fn leave_open(fd: &OwnedFd) -> io::Result<()> {
    Ok(rustix::io::fcntl_setfd(fd, FdFlags::empty())?)
}

/// The descriptor that the program before this one in the same process left open. To be asked once
/// for each.
///
/// # Errors
/// When none is open.
pub fn left_open(fd: i32) -> io::Result<OwnedFd> {
    // Looked at by its name, since a number that is none may not be owned.
    if fd <= 2 || std::fs::symlink_metadata(format!("/dev/fd/{fd}")).is_err() {
        return Err(io::ErrorKind::NotFound.into());
    }
    // SAFETY: it is open, and nobody else here knows of it: the program before left it for this.
    let fd = unsafe { OwnedFd::from_raw_fd(fd) };
    rustix::io::fcntl_setfd(&fd, FdFlags::CLOEXEC)?;
    Ok(fd)
}

/// Makes this process another program's, with the same arguments. Returns only when that fails.
pub fn become_other(program: &Path) -> io::Error {
    let mut arguments = std::env::args_os();
    let mut command = Command::new(program);
    // The name it is called by says what it answers as.
    if let Some(name) = arguments.next() {
        command.arg0(name);
    }
    command.args(arguments);
    // SAFETY: a load of memory and a system call, before this process is another program's.
    unsafe { command.pre_exec(lower_open_files) };
    command.exec()
}

/// Makes the process the leader of a new session and group, so that it outlives its parent's
/// terminal and can be ended with all it started.
pub fn in_new_session(command: &mut Command) {
    // SAFETY: `setsid` is async-signal-safe and touches no memory of the parent.
    unsafe {
        command.pre_exec(|| {
            rustix::process::setsid()?;
            lower_open_files()?;
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
            lower_open_files()?;
            rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
            Ok(())
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_started_has_the_limit_of_open_files_that_was_given() {
        let given = getrlimit(Resource::Nofile);
        raise_open_files().unwrap();
        assert_eq!(getrlimit(Resource::Nofile).current, given.maximum);
        let mut shell = Command::new("sh");
        in_new_session(shell.args(["-c", "ulimit -Sn"]));
        let said = String::from_utf8(shell.output().unwrap().stdout).unwrap();
        let given = GIVEN_OPEN_FILES.get().unwrap().current;
        assert_eq!(said.trim(), given.map_or("unlimited".to_owned(), |n| n.to_string()));
    }
}
