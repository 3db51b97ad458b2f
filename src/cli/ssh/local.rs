//! The person's own terminal: its size, and raw mode for as long as a remote one is shown in it.

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};

/// Raw mode; dropping it gives the terminal back as it was.
pub struct Raw(Termios);

impl Raw {
    /// Turns it on; none when standard input is no terminal.
    #[must_use]
    pub fn enter() -> Option<Self> {
        let stdin = std::io::stdin();
        let before = tcgetattr(&stdin).ok()?;
        let mut raw = before.clone();
        raw.make_raw();
        tcsetattr(&stdin, OptionalActions::Now, &raw).ok()?;
        Some(Self(before))
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        let _ = tcsetattr(std::io::stdin(), OptionalActions::Drain, &self.0);
    }
}

/// Columns and rows; those of a DEC VT100 when there is no terminal to ask.
#[must_use]
pub fn size() -> (u16, u16) {
    let asked = tcgetwinsize(std::io::stdout()).or_else(|_| tcgetwinsize(std::io::stdin()));
    asked.ok().map(|s| (s.ws_col, s.ws_row)).filter(|(c, r)| *c > 0 && *r > 0).unwrap_or((80, 24))
}
