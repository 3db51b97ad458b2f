//! A console of Windows, asked to read and write the sequences of a terminal.

use std::io::{self, IsTerminal as _};
use std::time::Duration;

use bytes::Bytes;
use crossterm_winapi::{ConsoleMode, Handle, ScreenBuffer};
use tokio::signal::windows::{CtrlBreak, CtrlC, CtrlClose, ctrl_break, ctrl_c, ctrl_close};

use super::Told;

/// Modes of input, as `SetConsoleMode` has them.
const PROCESSED_INPUT: u32 = 0x1;
const LINE_INPUT: u32 = 0x2;
const ECHO_INPUT: u32 = 0x4;
const VIRTUAL_TERMINAL_INPUT: u32 = 0x200;
/// Modes of output.
const PROCESSED_OUTPUT: u32 = 0x1;
const VIRTUAL_TERMINAL_PROCESSING: u32 = 0x4;
const NO_AUTO_RETURN: u32 = 0x8;

/// A console tells of its size only among keys, which another reads: it is looked at instead.
const LOOK_EVERY: Duration = Duration::from_millis(500);

/// Raw mode; dropping it gives the console back as it was.
pub struct Raw {
    input: (ConsoleMode, u32),
    output: (ConsoleMode, u32),
}

impl Raw {
    /// Turns it on; none when there is no console.
    #[must_use]
    pub fn enter() -> Option<Self> {
        let input = mode(Handle::current_in_handle())?;
        let output = mode(Handle::current_out_handle())?;
        let raw = input.1 & !(PROCESSED_INPUT | LINE_INPUT | ECHO_INPUT) | VIRTUAL_TERMINAL_INPUT;
        let drawn = output.1 | PROCESSED_OUTPUT | VIRTUAL_TERMINAL_PROCESSING | NO_AUTO_RETURN;
        let this = Self { input, output };
        this.input.0.set_mode(raw).ok()?;
        // What is left undone on the way is undone when this is dropped.
        this.output.0.set_mode(drawn).ok()?;
        Some(this)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = self.input.0.set_mode(self.input.1);
        let _ = self.output.0.set_mode(self.output.1);
    }
}

fn mode(handle: io::Result<Handle>) -> Option<(ConsoleMode, u32)> {
    let mode = ConsoleMode::from(handle.ok()?);
    let now = mode.mode().ok()?;
    Some((mode, now))
}

/// What is typed is not shown, until this is dropped.
pub struct Silent(ConsoleMode, u32);

impl Silent {
    /// Hides it.
    ///
    /// # Errors
    /// When there is no console.
    pub fn enter() -> io::Result<Self> {
        let (mode, before) = mode(Handle::current_in_handle())
            .ok_or_else(|| io::Error::other("standard input is no console"))?;
        mode.set_mode(before & !ECHO_INPUT)?;
        Ok(Self(mode, before))
    }
}

impl Drop for Silent {
    fn drop(&mut self) {
        let _ = self.0.set_mode(self.1);
    }
}

/// Columns and rows, when there is a console to ask.
pub fn asked_size() -> Option<(u16, u16)> {
    let size = ScreenBuffer::current().ok()?.info().ok()?.terminal_size();
    let side = |cells: i16| u16::try_from(cells.checked_add(1)?).ok();
    Some((side(size.width)?, side(size.height)?))
}

/// When the console has another size.
pub struct Resized(Option<(u16, u16)>);

impl Resized {
    /// From now on.
    ///
    /// # Errors
    /// Never here.
    pub fn listen() -> io::Result<Self> {
        Ok(Self(asked_size()))
    }

    /// The next time.
    pub async fn recv(&mut self) {
        loop {
            tokio::time::sleep(LOOK_EVERY).await;
            let now = asked_size();
            if std::mem::replace(&mut self.0, now) != now {
                return;
            }
        }
    }
}

/// All that is told. From now on Ctrl-C does not end the program.
pub struct Heard {
    resized: Resized,
    interrupted: CtrlC,
    broken: CtrlBreak,
    closed: CtrlClose,
}

impl Heard {
    /// From now on.
    ///
    /// # Errors
    /// When the system does not tell us.
    pub fn listen() -> io::Result<Self> {
        let (interrupted, broken, closed) = (ctrl_c()?, ctrl_break()?, ctrl_close()?);
        Ok(Self { resized: Resized::listen()?, interrupted, broken, closed })
    }

    /// What is told next.
    pub async fn next(&mut self) -> Told {
        tokio::select! {
            () = self.resized.recv() => Told::Resized,
            _ = self.interrupted.recv() => Told::Interrupted,
            _ = self.broken.recv() => Told::Terminated,
            _ = self.closed.recv() => Told::Terminated,
        }
    }
}

/// What a workspace prints, on its way to this console, which refuses all that is no text. A letter may
/// come in two pieces.
pub struct Shown {
    is_console: bool,
    held: Vec<u8>,
}

impl Default for Shown {
    fn default() -> Self {
        Self { is_console: io::stdout().is_terminal(), held: vec![] }
    }
}

impl Shown {
    /// The next of it.
    pub fn next(&mut self, bytes: Bytes) -> Bytes {
        if !self.is_console {
            return bytes;
        }
        self.held.extend_from_slice(&bytes);
        let last = self.held.utf8_chunks().last().map_or(&[][..], |chunk| chunk.invalid());
        let is_unfinished = str::from_utf8(last).is_err_and(|error| error.error_len().is_none());
        let rest = if is_unfinished { last.len() } else { 0 };
        let rest = self.held.split_off(self.held.len() - rest);
        let whole = std::mem::replace(&mut self.held, rest);
        String::from_utf8_lossy(&whole).into_owned().into()
    }
}
