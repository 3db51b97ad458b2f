//! A machine with POSIX.

use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, symlink};
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use tokio::signal::unix::{Signal, SignalKind, signal};

/// Between the directories in `PATH`.
pub const BETWEEN_PATHS: char = ':';
/// Where programs are when the machine's environment does not say.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What the machine calls itself.
#[must_use]
pub fn host() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// The system asks this process to end: SIGTERM and SIGINT.
pub struct Ends {
    terminate: Signal,
    interrupt: Signal,
}

impl Ends {
    /// From now on.
    ///
    /// # Errors
    /// When the system has no more signals for us.
    pub fn listen() -> io::Result<Self> {
        let (terminate, interrupt) = (SignalKind::terminate(), SignalKind::interrupt());
        Ok(Self { terminate: signal(terminate)?, interrupt: signal(interrupt)? })
    }

    /// The next time.
    pub async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

/// Names this account in the names of what it keeps where all may write.
#[must_use]
pub fn account() -> String {
    rustix::process::geteuid().as_raw().to_string()
}

/// Makes a directory where anyone may make one; one that is there has to be this account's alone.
///
/// # Errors
/// When it cannot be made, or may be somebody else's.
pub fn own_dir(path: &Path) -> io::Result<()> {
    match std::fs::DirBuilder::new().mode(0o700).create(path) {
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
        made => return made,
    }
    let there = path.symlink_metadata()?;
    let uid = rustix::process::geteuid().as_raw();
    if there.is_dir() && there.uid() == uid && there.mode() & 0o077 == 0 {
        return Ok(());
    }
    Err(io::Error::other("what is there may be somebody else's"))
}

/// Makes a program callable by a name in a directory.
///
/// # Errors
/// When the directory cannot be written.
pub fn name_program(program: &Path, dir: &Path, name: &str) -> io::Result<()> {
    let at = dir.join(name);
    if std::fs::read_link(&at).is_ok_and(|old| old == program) {
        return Ok(());
    }
    let _ = std::fs::remove_file(&at);
    symlink(program, at)
}

/// Whether files can be put into a directory.
#[must_use]
pub fn is_writable(dir: &Path) -> bool {
    rustix::fs::access(dir, rustix::fs::Access::WRITE_OK).is_ok()
}

/// Adds arguments to a command.
pub fn add_arguments(command: &mut Command, arguments: &[OsString]) {
    command.args(arguments);
}

/// A path as an argument.
#[must_use]
pub fn argument(path: &Path) -> OsString {
    path.into()
}

/// The arguments by which a shell reads a command line.
#[must_use]
pub fn shell_arguments(_: &Path, line: &str) -> Vec<OsString> {
    vec!["-c".into(), line.into()]
}

/// A shell that reads a command line, or a login shell with these arguments.
pub fn shell(
    program: &Path,
    line: Option<&str>,
    login: impl Iterator<Item = &'static str>,
) -> Command {
    let mut command = Command::new(program);
    match line {
        Some(line) => add_arguments(&mut command, &shell_arguments(program, line)),
        None => {
            let name = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy();
            command.arg0(format!("-{name}")).args(login);
        }
    }
    command
}

/// The arguments by which a program reads a script.
#[must_use]
pub fn file_arguments(_: &Path, script: &Path) -> Vec<OsString> {
    vec![script.into()]
}

/// The program that a script's first line names.
#[must_use]
pub fn named_program(name: &str) -> PathBuf {
    name.into()
}

/// What the name of a script for this program ends with.
#[must_use]
pub fn script_ending(_: &Path) -> &'static str {
    ""
}
