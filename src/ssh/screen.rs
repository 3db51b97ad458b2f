//! What a terminal shows, kept so that whoever joins late sees it, too. Pure: bytes in, bytes out.

use std::borrow::Cow;

/// Lines kept above the screen. At 200 columns they take about 3 MB once they are full.
const HISTORY_LINES: usize = 500;

/// Smallest and largest size a client may ask for; a parser's memory grows with the area.
const SIZES: std::ops::RangeInclusive<u16> = 2..=1000;

/// Bytes of a control sequence's parameters that are read. The parser knows 32 of them.
const MAX_PARAMS: usize = 256;

/// A terminal's screen and the lines above it.
///
/// The parser panics on rare mixtures of sizes and wide characters. A terminal must not end by
/// what is written to it: the screen then starts empty, and whoever watches misses nothing.
pub struct Screen {
    parser: vt100::Parser,
    filter: Filter,
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
        Self { parser, filter: Filter::default(), history }
    }

    /// Takes in what the terminal wrote.
    pub fn feed(&mut self, bytes: &[u8]) {
        let bytes = self.filter.pass(bytes, self.size());
        self.guarded(|parser| parser.process(&bytes));
    }

    /// Changes the size. Returns whether it is a new one.
    pub fn resize(&mut self, cols: u16, rows: u16) -> bool {
        let (cols, rows) = (clamp(cols), clamp(rows));
        if self.size() == (cols, rows) {
            return false;
        }
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
    pub fn shown(&self) -> &vt100::Screen {
        self.parser.screen()
    }

    /// Everything for someone who joins: the lines above, the screen, modes and the cursor.
    pub fn whole(&mut self) -> Vec<u8> {
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

/// Limits the numbers of control sequences, in bytes that come in any pieces.
///
/// The parser inserts, deletes and scrolls as often as it is told to, up to 65,535 times for eight
/// bytes. More than the screen has columns or rows changes nothing that could be seen.
#[derive(Default)]
struct Filter {
    place: Place,
    /// The parameters so far, held back until it is known what they are for.
    params: Vec<u8>,
}

/// Where in a control sequence the bytes are.
#[derive(Clone, Copy, Default)]
enum Place {
    /// In none.
    #[default]
    Outside,
    /// Behind an escape.
    Escape,
    /// Behind an escape and a bracket.
    Params,
}

impl Filter {
    fn pass<'a>(&mut self, bytes: &'a [u8], size: (u16, u16)) -> Cow<'a, [u8]> {
        // Most output is text: nothing in it begins a sequence.
        let is_text = matches!(self.place, Place::Outside) && !bytes.contains(&0x1b);
        match is_text {
            true => Cow::Borrowed(bytes),
            false => Cow::Owned(self.limit(bytes, size)),
        }
    }

    fn limit(&mut self, bytes: &[u8], size: (u16, u16)) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len() + self.params.len());
        for &byte in bytes {
            self.place = match (self.place, byte) {
                (_, 0x1b) => {
                    self.params.clear();
                    Place::Escape
                }
                (_, 0x18 | 0x1a) => {
                    self.params.clear();
                    Place::Outside
                }
                (Place::Escape, b'[') => Place::Params,
                (Place::Params, b' '..=b'?') => {
                    if self.params.len() < MAX_PARAMS {
                        self.params.push(byte);
                    }
                    continue;
                }
                (Place::Params, b'@'..=b'~') => {
                    self.put_params(&mut out, byte, size);
                    Place::Outside
                }
                // Control characters take effect within a sequence, and other bytes none.
                (place @ (Place::Escape | Place::Params), ..0x20 | 0x7f..) => place,
                (Place::Escape | Place::Outside, _) => Place::Outside,
            };
            out.push(byte);
        }
        out
    }

    fn put_params(&mut self, out: &mut Vec<u8>, end: u8, (cols, rows): (u16, u16)) {
        let params = std::mem::take(&mut self.params);
        let is_plain = params.iter().all(|b| matches!(b, b'0'..=b'9' | b';' | b':'));
        let most = match end {
            // Modes and colours are no counts.
            b'h' | b'l' | b'm' => None,
            b'L' | b'M' | b'S' | b'T' => Some(rows),
            b'@' | b'P' | b'X' => Some(cols),
            _ => Some(cols.max(rows)),
        };
        let Some(most) = most.filter(|_| is_plain) else {
            out.extend_from_slice(&params);
            return;
        };
        for piece in params.split_inclusive(|b| !b.is_ascii_digit()) {
            let n_digits = piece.iter().take_while(|b| b.is_ascii_digit()).count();
            let (digits, behind) = piece.split_at(n_digits);
            let number = digits.iter().fold(0u16, |number, digit| {
                number.saturating_mul(10).saturating_add(u16::from(digit - b'0'))
            });
            match number > most {
                true => out.extend_from_slice(most.to_string().as_bytes()),
                false => out.extend_from_slice(digits),
            }
            out.extend_from_slice(behind);
        }
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

    #[test]
    fn a_count_is_no_larger_than_the_screen() {
        let hostile = b"\x1b[65535@".repeat(100_000);
        for cut in [1, 7, 4096, hostile.len()] {
            let mut filter = Filter::default();
            let passed: Vec<u8> = hostile
                .chunks(cut)
                .flat_map(|piece| filter.pass(piece, (20, 4)).into_owned())
                .collect();
            assert_eq!(passed, b"\x1b[20@".repeat(100_000), "in pieces of {cut}");
        }
        let mut screen = Screen::new(20, 4);
        for end in "@LMPSTX".chars() {
            screen.feed(format!("\x1b[0065535;99999999{end}").repeat(10_000).as_bytes());
        }
        screen.feed(b"\x1b[Hstill here");
        assert_eq!(screen.parser.screen().contents().trim_end(), "still here");
        let mut filter = Filter::default();
        let long = [b"\x1b[".as_slice(), &b"9".repeat(1 << 20)].concat();
        assert_eq!(*filter.pass(&long, (20, 4)), *b"\x1b[");
        assert_eq!(filter.params.len(), MAX_PARAMS);
        assert_eq!(*filter.pass(b"T", (20, 4)), *b"4T");
    }

    #[test]
    fn ordinary_output_passes_unchanged() {
        let ordinary = "plain \u{e9}\u{4e16}\r\n\x1b[?1049h\x1b[?2004h\x1b[1;38;2;250;128;255mred\x1b[m\
            \x1b[4:3m\x1b[>4;2m\x1b[12;40H\x1b[2J\x1b[3P\x1b]0;title [900@\x07\x1b(B\x1b[!p\x1b[6 q\x1b[4\n2C";
        let expected = ordinary.replace("\x1b[4\n2C", "\x1b[\n42C");
        for cut in 1..ordinary.len() {
            let mut filter = Filter::default();
            let passed: Vec<u8> = ordinary
                .as_bytes()
                .chunks(cut)
                .flat_map(|piece| filter.pass(piece, (80, 24)).into_owned())
                .collect();
            assert_eq!(String::from_utf8_lossy(&passed), expected, "in pieces of {cut}");
        }
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
            prop_assert_eq!(late.screen().contents(), screen.parser.screen().contents());
        }
    }
}
