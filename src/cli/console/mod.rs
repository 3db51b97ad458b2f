//! The person's own terminal: its size, raw mode for as long as a remote one is shown in it, and a
//! silence for secrets.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub use unix::{Heard, Raw, Resized, Shown, Silent, asked_size};
#[cfg(windows)]
pub use windows::{Heard, Raw, Resized, Shown, Silent, asked_size};

/// What the system tells a program of its terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// It has another size.
    Resized,
    /// Ctrl-C.
    Interrupted,
    /// The program is to end.
    Terminated,
}

/// Columns and rows; those of a DEC VT100 when there is no terminal to ask.
#[must_use]
pub fn size() -> (u16, u16) {
    asked_size().filter(|(cols, rows)| *cols > 0 && *rows > 0).unwrap_or((80, 24))
}
