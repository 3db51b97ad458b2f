//! Sockets that are named by a path, and the one of a forwarded SSH agent.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(super) use unix::{Agents, Socket, connect};
#[cfg(windows)]
pub(super) use windows::{Agents, Socket, connect};
