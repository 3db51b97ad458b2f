//! A process with everything it starts: begun apart from the agent's own terminal, and ended as one.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

use tokio::process::{ChildStderr, ChildStdin, ChildStdout};

#[cfg(unix)]
pub use unix::{Foreground, Group, killed_by};
#[cfg(windows)]
pub use windows::{Console, Foreground, Group, close, killed_by};

/// The pipes of a process that has some: standard input, output and error.
pub type Pipes = (Option<ChildStdin>, Option<ChildStdout>, Option<ChildStderr>);
