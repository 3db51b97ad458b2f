//! Pseudo-terminals: made, sized, read and written without blocking.

#[cfg(unix)]
mod modes;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::{Master, start};
#[cfg(windows)]
pub(crate) use windows::{Master, start};
