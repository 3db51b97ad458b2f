//! What a window shows of a terminal that has another size: as much as fits around the cursor, and a
//! line about who is there. Pure: a screen in, bytes out.
//!
//! A terminal's own bytes are for a window of its own size. Drawn from the screen they suit any, and
//! nothing that a program asks its terminal comes through.

use std::fmt::Write as _;

use vt100::{Cell, Color};

/// Columns and rows that are drawn: a larger window keeps its rest empty.
const MOST: (u16, u16) = (400, 200);

/// Rows from which on there is one to spare for the line.
const LEAST_ROWS: u16 = 4;

/// A window.
pub struct View {
    size: (u16, u16),
    /// The rows as they were drawn; none where all is to be drawn anew.
    drawn: Vec<Row>,
    modes: Vec<u8>,
    line: String,
}

/// A row as it was drawn.
#[derive(Clone, Default)]
struct Row {
    /// What it was drawn from: where that is the same nothing is made of it again.
    cells: Vec<Cell>,
    text: String,
}

impl View {
    /// A window in which nothing is drawn yet.
    #[must_use]
    pub fn new(size: (u16, u16)) -> Self {
        let size = within(size);
        Self { size, drawn: Vec::new(), modes: Vec::new(), line: String::new() }
    }

    /// What a window of this size leaves to the terminal.
    #[must_use]
    pub fn room((cols, rows): (u16, u16)) -> (u16, u16) {
        (cols, if rows >= LEAST_ROWS { rows - 1 } else { rows })
    }

    /// The window has another size, or was disturbed: all is drawn anew.
    pub fn resize(&mut self, size: (u16, u16)) {
        *self = Self::new(size);
    }

    /// What brings the window from what was drawn to what is to be seen.
    pub fn draw(&mut self, screen: &vt100::Screen, line: &str) -> Vec<u8> {
        let mut out = String::new();
        let is_fresh = self.drawn.is_empty();
        if is_fresh {
            // An own screen, without wrapping: what is there comes back when it is left.
            out.push_str("\x1b[?1049h\x1b[?7l\x1b[m\x1b[2J");
        }
        let (cols, rows) = Self::room(self.size);
        let ((_, wide), (at_row, at_col)) = (screen.size(), screen.cursor_position());
        let top = (at_row + 1).saturating_sub(rows);
        let left = if wide <= cols { 0 } else { (at_col + 1).saturating_sub(cols) };
        self.drawn.resize(usize::from(rows), Row::default());
        for (n, drawn) in (0..rows).zip(&mut self.drawn) {
            if let Some(text) = drawn.change(cells(screen, top + n, (left, cols))) {
                let _ = write!(out, "\x1b[{};1H\x1b[m\x1b[2K{text}", n + 1);
            }
        }
        if rows < self.size.1 && (is_fresh || line != self.line) {
            let text = fitting(line, cols);
            let _ = write!(out, "\x1b[{};1H\x1b[m\x1b[7m\x1b[2K{text}\x1b[m", self.size.1);
            line.clone_into(&mut self.line);
        }
        let modes = modes(screen);
        if modes != self.modes {
            out.push_str(&String::from_utf8_lossy(&modes));
            self.modes = modes;
        }
        let cursor = if screen.hide_cursor() { 'l' } else { 'h' };
        let (y, x) = ((at_row - top).min(rows - 1) + 1, (at_col - left).min(cols - 1) + 1);
        let end = format!("\x1b[{y};{x}H\x1b[?25{cursor}");
        // The cursor alone is told of, too: it moves without a row that changes.
        out.push_str(&end);
        out.into_bytes()
    }

    /// What gives the window back as it was before.
    #[must_use]
    pub fn leave() -> &'static [u8] {
        b"\x1b[m\x1b>\x1b[?1l\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l\
          \x1b[?2004l\x1b[?7h\x1b[?25h\x1b[?1049l"
    }
}

/// Which keys the terminal wants: those of the mouse and of a paste are turned off before.
fn modes(screen: &vt100::Screen) -> Vec<u8> {
    let mut modes = b"\x1b[?9l\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1005l\x1b[?1006l".to_vec();
    modes.extend(screen.input_mode_formatted());
    modes
}

impl Row {
    /// What is to be written when it is made of these cells; none when that looks the same.
    fn change<'a>(&mut self, cells: impl Iterator<Item = &'a Cell> + Clone) -> Option<&str> {
        if self.cells.iter().eq(cells.clone()) {
            return None;
        }
        self.cells.clear();
        self.cells.extend(cells.cloned());
        let text = row(&self.cells);
        if text == self.text {
            return None;
        }
        self.text = text;
        Some(&self.text)
    }
}

/// The cells of a row of the screen from a column on, as many as there are.
fn cells(
    screen: &vt100::Screen,
    row: u16,
    (left, cols): (u16, u16),
) -> impl Iterator<Item = &Cell> + Clone {
    let (rows, wide) = screen.size();
    let end = if row < rows { wide.min(left.saturating_add(cols)) } else { left };
    (left..end).map_while(move |col| screen.cell(row, col))
}

/// One row of a window.
fn row(cells: &[Cell]) -> String {
    let mut out = String::new();
    let (mut style, mut blanks) = (String::new(), 0usize);
    for (n, cell) in cells.iter().enumerate() {
        let is_cut = cell.is_wide() && n + 1 == cells.len();
        if cell.is_wide_continuation() && n > 0 {
            continue;
        }
        let now = styled(cell);
        let text = if is_cut || cell.is_wide_continuation() { "" } else { cell.contents() };
        if text.is_empty() && now.is_empty() {
            blanks += 1;
            continue;
        }
        if blanks > 0 {
            change(&mut out, &mut style, String::new());
            out.extend(std::iter::repeat_n(' ', std::mem::take(&mut blanks)));
        }
        change(&mut out, &mut style, now);
        out.push_str(if text.is_empty() { " " } else { text });
    }
    change(&mut out, &mut style, String::new());
    out
}

fn change(out: &mut String, style: &mut String, to: String) {
    if *style != to {
        out.push_str("\x1b[m");
        out.push_str(&to);
        *style = to;
    }
}

/// The sequence that sets a cell's look after a reset; empty for the usual one.
fn styled(cell: &Cell) -> String {
    let mut codes = String::new();
    let flags = [
        (cell.bold(), "1;"),
        (cell.dim(), "2;"),
        (cell.italic(), "3;"),
        (cell.underline(), "4;"),
        (cell.inverse(), "7;"),
    ];
    flags.iter().filter(|(is_set, _)| *is_set).for_each(|(_, code)| codes.push_str(code));
    color(&mut codes, cell.fgcolor(), 38);
    color(&mut codes, cell.bgcolor(), 48);
    match codes.strip_suffix(';') {
        Some(codes) => format!("\x1b[{codes}m"),
        None => codes,
    }
}

fn color(codes: &mut String, color: Color, which: u8) {
    let _ = match color {
        Color::Default => Ok(()),
        Color::Idx(n) => write!(codes, "{which};5;{n};"),
        Color::Rgb(r, g, b) => write!(codes, "{which};2;{r};{g};{b};"),
    };
}

/// As much of a line as fits, without what a terminal would obey and with nothing wider than a column.
fn fitting(line: &str, cols: u16) -> String {
    let narrow = |c| matches!(c, ' '..='~' | '\u{a1}'..='\u{ac}' | '\u{ae}'..='\u{ff}');
    let letters = line.chars().filter(|c| !c.is_control());
    letters.map(|c| if narrow(c) { c } else { '?' }).take(usize::from(cols)).collect()
}

fn within((cols, rows): (u16, u16)) -> (u16, u16) {
    (cols.clamp(2, MOST.0), rows.clamp(2, MOST.1))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::ssh::screen::Screen;

    fn seen(
        view: &mut View,
        window: &mut vt100::Parser,
        screen: &mut Screen,
        line: &str,
    ) -> String {
        window.process(&view.draw(screen.shown(), line));
        window.screen().contents()
    }

    #[test]
    fn a_larger_window_shows_all_and_who_is_there() {
        let mut screen = Screen::new(20, 3);
        let (mut view, mut window) = (View::new((30, 8)), vt100::Parser::new(8, 30, 0));
        (0..9).for_each(|n| screen.feed(format!("line {n}\r\n").as_bytes()));
        screen.feed("\x1b[1;31mred\x1b[m \u{4e16}\u{754c}!".as_bytes());
        let text = seen(&mut view, &mut window, &mut screen, "ada types");
        assert_eq!(text, "line 7\nline 8\nred \u{4e16}\u{754c}!\n\n\n\n\nada types");
        let red = window.screen().cell(2, 0).unwrap();
        assert!(red.bold() && red.fgcolor() == Color::Idx(1));
        assert_eq!(window.screen().cursor_position(), (2, 9));
        screen.feed(b"\x1b[2J\x1b[H\x1b[6n\x1b[c\x1b]11;?\x07again");
        let drawn = view.draw(screen.shown(), "ada types");
        assert!(!String::from_utf8_lossy(&drawn).contains("line"), "what is the same stays");
        window.process(&drawn);
        assert_eq!(window.screen().contents(), "again\n\n\n\n\n\n\nada types");
    }

    #[test]
    fn a_smaller_window_follows_the_cursor() {
        let mut screen = Screen::new(20, 6);
        let (mut view, mut window) = (View::new((10, 4)), vt100::Parser::new(4, 10, 0));
        screen.feed(b"0123456789abcdefghij\x1b[6;1Hlast");
        assert_eq!(seen(&mut view, &mut window, &mut screen, "who"), "\n\nlast\nwho");
        screen.feed(b"\x1b[1;20H");
        assert_eq!(seen(&mut view, &mut window, &mut screen, "who"), "abcdefghij\n\n\nwho");
        assert_eq!(window.screen().cursor_position(), (0, 9));
        view.resize((10, 2));
        assert_eq!(View::room((10, 2)), (10, 2));
        screen.feed(b"\x1b[6;3H");
        let mut window = vt100::Parser::new(2, 10, 0);
        assert_eq!(seen(&mut view, &mut window, &mut screen, "who"), "\nlast");
    }

    #[test]
    fn nothing_of_the_line_is_obeyed_and_the_window_is_given_back() {
        let mut screen = Screen::new(20, 6);
        let mut window = vt100::Parser::new(7, 20, 0);
        window.process(b"before");
        let mut view = View::new((20, 7));
        seen(&mut view, &mut window, &mut screen, "\x1b[2Jx\r\n\u{9b}6n");
        assert_eq!(window.screen().contents().trim_start(), "[2Jx6n");
        window.process(View::leave());
        assert_eq!(window.screen().contents(), "before");
    }

    /// All that can be seen of a window.
    fn all_of(window: &vt100::Parser) -> (Vec<u8>, Vec<u8>, (u16, u16)) {
        let screen = window.screen();
        let (text, modes) = (screen.contents_formatted(), screen.input_mode_formatted());
        (text, modes, screen.cursor_position())
    }

    proptest! {
        #[test]
        fn what_is_drawn_bit_by_bit_is_what_is_drawn_at_once(
            steps in proptest::collection::vec(
                "([ -~\u{4e16}\u{301}]|\r\n|\x1b\\[[0-9;]{0,5}[@HJKLMPSTXm]|\x1b\\[(3|4|9)[1-7]m|\x1b\\[\\?(25|1049|2004)[hl]){0,30}",
                1..8,
            ),
            cols in 2u16..40,
            rows in 2u16..12,
        ) {
            let mut screen = Screen::new(20, 6);
            let (mut view, mut window) = (View::new((cols, rows)), vt100::Parser::new(rows, cols, 0));
            for step in steps {
                screen.feed(step.as_bytes());
                seen(&mut view, &mut window, &mut screen, &step);
                let (mut fresh, mut other) = (View::new((cols, rows)), vt100::Parser::new(rows, cols, 0));
                seen(&mut fresh, &mut other, &mut screen, &step);
                prop_assert_eq!(all_of(&window), all_of(&other));
                let again = view.draw(screen.shown(), &step).len();
                prop_assert!(again < 20, "{} bytes for what is the same", again);
            }
        }
    }
}
