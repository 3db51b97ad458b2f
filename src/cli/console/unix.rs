//! A terminal by termios and signals.

use std::io;

use bytes::Bytes;
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::Told;

/// Raw mode; dropping it gives the terminal back as it was.
pub struct Raw(Termios);

impl Raw {
    /// Turns it on; none when standard input is no terminal.
    #[must_use]
    pub fn enter() -> Option<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&stdin, OptionalActions::Now, &raw).ok()?;
        Some(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Drain, &self.0);
    }
}

/// What is typed is not shown, until this is dropped.
pub struct Silent(Termios);

impl Silent {
    /// Hides it.
    ///
    /// # Errors
    /// When standard input is no terminal.
    pub fn enter() -> io::Result<Self> {
        let stdin = io::stdin();
        let before = tcgetattr(&stdin)?;
        let mut silent = before.clone();
        silent.local_modes.remove(LocalModes::ECHO);
        tcsetattr(&stdin, OptionalActions::Now, &silent)?;
        Ok(Self(before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        let _ = tcsetattr(io::stdin(), OptionalActions::Now, &self.0);
    }
}

/// Columns and rows, when there is a terminal to ask.
pub fn asked_size() -> Option<(u16, u16)> {
    let asked = tcgetwinsize(io::stdout()).or_else(|_| tcgetwinsize(io::stdin()));
    asked.ok().map(|size| (size.ws_col, size.ws_row))
}

/// When the terminal has another size.
pub struct Resized(Signal);

impl Resized {
    /// From now on.
    ///
    /// # Errors
    /// When the system has no more signals for us.
    pub fn listen() -> io::Result<Self> {
        signal(SignalKind::window_change()).map(Self)
    }

    /// The next time.
    pub async fn recv(&mut self) {
        self.0.recv().await;
    }
}

/// All that is told. From now on Ctrl-C does not end the program.
pub struct Heard {
    resized: Resized,
    interrupted: Signal,
    terminated: Signal,
}

impl Heard {
    /// From now on.
    ///
    /// # Errors
    /// When the system has no more signals for us.
    pub fn listen() -> io::Result<Self> {
        Ok(Self {
            resized: Resized::listen()?,
            interrupted: signal(SignalKind::interrupt())?,
            terminated: signal(SignalKind::terminate())?,
        })
    }

    /// What is told next.
    pub async fn next(&mut self) -> Told {
        tokio::select! {
            () = self.resized.recv() => Told::Resized,
            _ = self.interrupted.recv() => Told::Interrupted,
            _ = self.terminated.recv() => Told::Terminated,
        }
    }
}

/// What a workspace prints, on its way to this terminal.
#[derive(Default)]
pub struct Shown {}

impl Shown {
    /// The next of it: as it came.
    pub fn next(&mut self, bytes: Bytes) -> Bytes {
        bytes
    }
}
