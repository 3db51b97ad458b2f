//! The only writer of standard output and standard error: data on the one, words on the other.

use std::borrow::Cow;
use std::io::{IsTerminal as _, Write as _};

use anyhow::Context as _;

use super::args::{Format, Listing, Surroundings};
use super::table::Table;
use crate::model::text;

/// Where to write, and how.
#[derive(Clone, Debug)]
pub struct Output {
    color: bool,
    live: bool,
}

/// The colours used, by what they say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Paint {
    /// Went well.
    Good,
    /// Went wrong.
    Bad,
    /// Is under way.
    Busy,
    /// Matters less.
    Dim,
    /// Matters more.
    Strong,
}

impl Paint {
    const ALL: [Self; 5] = [Self::Good, Self::Bad, Self::Busy, Self::Dim, Self::Strong];

    const fn code(self) -> &'static str {
        match self {
            Self::Good => "32",
            Self::Bad => "31",
            Self::Busy => "33",
            Self::Dim => "2",
            Self::Strong => "1",
        }
    }
}

impl Output {
    /// Colours and live lines only where a person looks.
    #[must_use]
    pub fn new(around: &Surroundings) -> Self {
        let live = std::io::stderr().is_terminal();
        Self { color: live && !around.no_color, live }
    }

    /// Whether standard output is a terminal.
    #[must_use]
    pub fn is_terminal(&self) -> bool {
        std::io::stdout().is_terminal()
    }

    /// Text in a colour, where colours are wanted.
    #[must_use]
    pub fn paint(&self, paint: Paint, text: &str) -> String {
        if self.color { format!("\x1b[{}m{text}\x1b[0m", paint.code()) } else { text.to_owned() }
    }

    /// What came from elsewhere does nothing to the terminal: only our own colours pass.
    fn shown<'a>(&self, text: &'a str) -> Cow<'a, str> {
        let shown = text::shown(text);
        if !self.color || matches!(shown, Cow::Borrowed(_)) {
            return shown;
        }
        let codes = Paint::ALL.iter().map(|paint| paint.code()).chain(["0"]);
        let back = |text: String, code| {
            text.replace(&format!("\\u{{1b}}[{code}m"), &format!("\x1b[{code}m"))
        };
        Cow::Owned(codes.fold(shown.into_owned(), back))
    }

    /// A line of data.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn line(&self, text: &str) -> anyhow::Result<()> {
        self.bytes(format!("{}\n", self.shown(text)).as_bytes())
    }

    /// Data as it is.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn bytes(&self, data: &[u8]) -> anyhow::Result<()> {
        let mut out = std::io::stdout().lock();
        out.write_all(data).and_then(|()| out.flush()).context("Writing to standard output")
    }

    /// A value as JSON.
    ///
    /// # Errors
    /// When standard output is gone.
    pub fn json<T: serde::Serialize>(&self, value: &T) -> anyhow::Result<()> {
        let json = serde_json::to_string_pretty(value)?;
        self.bytes(format!("{}\n", text::shown_json(&json)).as_bytes())
    }

    /// A list: as JSON when asked for, else as a table.
    ///
    /// # Errors
    /// When a column is not there, or standard output is gone.
    pub fn list<T: serde::Serialize>(
        &self,
        how: &Listing,
        value: &T,
        table: impl FnOnce() -> Table,
    ) -> anyhow::Result<()> {
        match how.output {
            Format::Json => self.json(value),
            Format::Table => {
                let table = table().select(&how.column)?;
                let text = table.render(|head| self.paint(Paint::Strong, head));
                self.bytes(self.shown(&text).as_bytes())
            }
        }
    }

    /// A line for the person. A lost standard error is not worth an end.
    pub fn note(&self, text: &str) {
        let text = self.shown(text);
        let mut err = std::io::stderr().lock();
        let _ = if self.live { writeln!(err, "\r\x1b[K{text}") } else { writeln!(err, "{text}") };
    }

    /// A line that the next one writes over; nothing where that cannot be.
    pub fn passing(&self, text: &str) {
        if self.live {
            let text = self.shown(text);
            let mut err = std::io::stderr().lock();
            let _ = write!(err, "\r\x1b[K{text}").and_then(|()| err.flush());
        }
    }
}
