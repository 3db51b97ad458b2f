//! What a terminal shows, kept so that whoever joins late sees it, too. Pure: bytes in, bytes out.

mod filter;
mod waiting;

use self::filter::Filter;
use self::waiting::Waiting;

/// Lines kept above the screen. At 200 columns they take about 3 MB once they are full.
const HISTORY_LINES: usize = 500;

/// Smallest and largest size a client may ask for; a parser's memory grows with the area.
const SIZES: std::ops::RangeInclusive<u16> = 2..=1000;

/// A terminal's screen and the lines above it.
///
/// The parser panics on rare mixtures of sizes and wide characters. A terminal must not end by
/// what is written to it: the screen then starts empty, and whoever watches misses nothing.
pub struct Screen {
    parser: vt100::Parser,
    filter: Filter,
    waiting: Waiting,
    /// Lines that are kept above the screen.
    history: usize,
}

impl Screen {
    /// An empty screen with lines kept above it.
    #[must_use]
    pub fn new(cols: u16, rows: u16) -> Self {
        Self::keeping(HISTORY_LINES, cols, rows)
    }

    /// An empty screen that forgets the lines above it.
    #[must_use]
    pub fn without_history(cols: u16, rows: u16) -> Self {
        Self::keeping(0, cols, rows)
    }

    fn keeping(history: usize, cols: u16, rows: u16) -> Self {
        let parser = vt100::Parser::new(clamp(rows), clamp(cols), history);
        Self { parser, filter: Filter::default(), waiting: Waiting::default(), history }
    }

    /// Takes in what the terminal wrote. Much text waits until somebody looks, or there is more of it:
    /// of what ran through unseen only the last lines are then drawn.
    pub fn feed(&mut self, bytes: &[u8]) {
        if self.filter.is_outside() && self.waiting.takes(bytes) {
            if self.waiting.is_full() {
                self.settle();
            }
            return;
        }
        self.settle();
        let bytes = self.filter.pass(bytes, self.size());
        self.guarded(|parser| parser.process(&bytes));
    }

    /// Draws what waits.
    pub fn settle(&mut self) {
        let text = self.waiting.take();
        if text.is_empty() {
            return;
        }
        let (_, rows) = self.size();
        let seen = match self.filter.has_region() {
            true => text.as_slice(),
            false => waiting::seen(&text, self.history + 2 * usize::from(rows)),
        };
        self.guarded(|parser| parser.process(seen));
    }

    /// Changes the size. Returns whether it is a new one.
    pub fn resize(&mut self, cols: u16, rows: u16) -> bool {
        let (cols, rows) = (clamp(cols), clamp(rows));
        if self.size() == (cols, rows) {
            return false;
        }
        self.settle();
        self.guarded(|parser| parser.screen_mut().set_size(rows, cols));
        if self.size() != (cols, rows) {
            *self = Self::keeping(self.history, cols, rows);
        }
        true
    }

    /// Columns and rows.
    #[must_use]
    pub fn size(&self) -> (u16, u16) {
        let (rows, cols) = self.parser.screen().size();
        (cols, rows)
    }

    /// What it shows.
    #[must_use]
    pub fn shown(&mut self) -> &vt100::Screen {
        self.settle();
        self.parser.screen()
    }

    /// Everything for someone who joins: the lines above, the screen, modes and the cursor.
    pub fn whole(&mut self) -> Vec<u8> {
        self.settle();
        let mut out = b"\x1b[!p\x1b[?1049l\x1b[H\x1b[2J\x1b[3J".to_vec();
        let drawn = self.guarded(|parser| {
            let mut drawn = Vec::new();
            if parser.screen().alternate_screen() {
                drawn.extend_from_slice(b"\x1b[?1049h");
            } else {
                history(parser.screen_mut(), &mut drawn);
            }
            drawn.extend_from_slice(&parser.screen().state_formatted());
            drawn
        });
        out.extend(drawn.unwrap_or_default());
        out
    }

    /// The same without the lines above, for someone who was there but could not keep up.
    pub fn again(&mut self) -> Vec<u8> {
        self.settle();
        let drawn = self.guarded(|parser| {
            let screen = parser.screen();
            let is_other = screen.alternate_screen();
            let which: &[u8] = if is_other { b"\x1b[?1049h" } else { b"\x1b[?1049l" };
            [b"\x1b[!p", which, &screen.state_formatted()].concat()
        });
        drawn.unwrap_or_else(|| b"\x1b[!p\x1b[2J".to_vec())
    }

    fn guarded<T>(&mut self, work: impl FnOnce(&mut vt100::Parser) -> T) -> Option<T> {
        let (cols, rows) = self.size();
        let parser = &mut self.parser;
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| work(parser)));
        if done.is_err() {
            *self = Self::keeping(self.history, cols, rows);
        }
        done.ok()
    }
}

fn history(screen: &mut vt100::Screen, out: &mut Vec<u8>) {
    let (rows, cols) = screen.size();
    screen.set_scrollback(usize::MAX);
    let mut above = screen.scrollback();
    if above == 0 {
        return;
    }
    while above > 0 {
        screen.set_scrollback(above);
        let page = above.min(usize::from(rows));
        for line in screen.rows_formatted(0, cols).take(page) {
            out.extend_from_slice(&line);
            out.extend_from_slice(b"\x1b[m\r\n");
        }
        above -= page;
    }
    screen.set_scrollback(0);
    // The screen is drawn over what is visible: these lines must be above it.
    out.extend(std::iter::repeat_n(*b"\r\n", usize::from(rows)).flatten());
}

fn clamp(size: u16) -> u16 {
    size.clamp(*SIZES.start(), *SIZES.end())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(bytes: &[u8], cols: u16, rows: u16) -> vt100::Parser {
        let mut parser = vt100::Parser::new(rows, cols, HISTORY_LINES);
        parser.process(bytes);
        parser
    }

    #[test]
    fn who_joins_late_sees_the_screen_and_what_was_above() {
        let mut screen = Screen::new(20, 4);
        (0..10).for_each(|n| screen.feed(format!("line {n}\r\n").as_bytes()));
        screen.feed(b"\x1b[1;31mred\x1b[m");
        let mut late = shown(&screen.whole(), 20, 4);
        assert_eq!(late.screen().contents(), "line 7\nline 8\nline 9\nred");
        assert_eq!(late.screen().cursor_position(), (3, 3));
        late.screen_mut().set_scrollback(usize::MAX);
        assert!(late.screen().contents().starts_with("line 0\nline 1"));
    }

    #[test]
    fn an_editor_stays_an_editor() {
        let mut screen = Screen::new(20, 4);
        screen.feed(b"$ vi\r\n\x1b[?1049h\x1b[2J\x1b[Hediting\x1b[?1h\x1b[?2004h");
        let late = shown(&screen.whole(), 20, 4);
        assert!(late.screen().alternate_screen() && late.screen().bracketed_paste());
        assert_eq!(late.screen().contents(), "editing");
        let again = shown(&screen.again(), 20, 4);
        assert_eq!(again.screen().contents(), "editing");
    }

    #[test]
    fn sizes_are_kept_in_bounds() {
        let mut screen = Screen::new(0, 0);
        assert_eq!(screen.size(), (2, 2));
        assert!(screen.resize(u16::MAX, 30));
        assert_eq!(screen.size(), (1000, 30));
        assert!(!screen.resize(2000, 30));
    }

    proptest! {
        #[test]
        fn hostile_bytes_and_sizes_never_panic(
            steps in proptest::collection::vec(
                (proptest::collection::vec(any::<u8>(), 0..80), 0u16..60, 0u16..20),
                0..12,
            ),
        ) {
            let mut screen = Screen::new(20, 5);
            for (bytes, cols, rows) in steps {
                screen.feed(b"\x1b[");
                screen.feed(&bytes);
                screen.resize(cols, rows);
                screen.whole();
                screen.again();
            }
        }

        #[test]
        fn any_text_is_shown_the_same_to_who_joins_late(
            lines in proptest::collection::vec("[ -~]{0,30}", 0..30),
            cols in 5u16..40,
            rows in 2u16..12,
        ) {
            let mut screen = Screen::new(cols, rows);
            lines.iter().for_each(|l| screen.feed(format!("{l}\r\n").as_bytes()));
            let late = shown(&screen.whole(), cols, rows);
            prop_assert_eq!(late.screen().contents(), screen.shown().contents());
        }
    }
}
