//! Text that waits to be drawn: a program that prints as fast as it can writes lines that nobody sees,
//! and to draw each costs more than all else that is done with them.

use crate::ssh::many;

/// Bytes that wait at most. At a hundred columns they are five times the lines that are kept.
const MAX_WAITING: usize = 256 << 10;
/// Fewer bytes than this are drawn at once when nothing else waits: a prompt, an echo, an answer.
const FEW: usize = 2048;

/// The text so far.
#[derive(Default)]
pub(super) struct Waiting(Vec<u8>);

impl Waiting {
    /// Takes text in. Refuses what is none, and what is hardly any.
    pub(super) fn takes(&mut self, bytes: &[u8]) -> bool {
        let is_taken = (bytes.len() >= FEW || !self.0.is_empty()) && is_text(bytes);
        if is_taken {
            self.0.extend_from_slice(bytes);
        }
        is_taken
    }

    /// Whether it is to be drawn now.
    pub(super) fn is_full(&self) -> bool {
        self.0.len() >= MAX_WAITING
    }

    /// All of it.
    pub(super) fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

/// Whether all it does is to write from left to right, and to go on in the next line: no escape, and of
/// the control characters only those that stay in the line or end it.
fn is_text(bytes: &[u8]) -> bool {
    many::all(bytes, |b| matches!(b, 0x07..=0x0a | b'\r' | 0x20..=0x7e | 0x80..))
}

/// The end of a text that is all that can be seen when it was drawn: `lines` line feeds, from where a
/// line begins at the left. With twice the rows of the screen, whatever the text met there has left at
/// the top; with the kept lines besides, it has left those, too.
pub(super) fn seen(text: &[u8], lines: usize) -> &[u8] {
    let mut rest = text;
    let mut n = 0;
    while let Some(at) = rest.iter().rposition(|b| *b == b'\n') {
        n += 1;
        let (before, _) = rest.split_at(at);
        if n >= lines && before.ends_with(b"\r") {
            let (_, end) = text.split_at(at.saturating_sub(1));
            return end;
        }
        rest = before;
    }
    text
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Screen;
    use super::*;

    #[test]
    fn the_end_begins_with_a_whole_line() {
        assert_eq!(seen(b"a\r\nb\r\nc\r\nd", 2), b"\r\nc\r\nd");
        assert_eq!(seen(b"a\r\nb\nc\nd", 2), b"\r\nb\nc\nd");
        assert_eq!(seen(b"a\nb\nc\nd", 2), b"a\nb\nc\nd");
        assert_eq!(seen(b"a\r\nb", 2), b"a\r\nb");
        assert_eq!(seen(b"", 0), b"");
    }

    #[test]
    fn a_flood_waits_in_bounds_and_a_prompt_not_at_all() {
        let mut screen = Screen::new(80, 24);
        screen.feed(b"$ ");
        assert!(screen.waiting.0.is_empty());
        for n in 0..20_000 {
            screen.feed(format!("{n} {}\r\n", "x".repeat(FEW)).as_bytes());
            assert!(screen.waiting.0.capacity() <= 4 * MAX_WAITING);
        }
        assert!(!screen.waiting.0.is_empty());
        screen.feed(b"\x1b[1mend");
        assert!(screen.waiting.0.is_empty());
        assert!(screen.shown().contents().ends_with("end"));
    }

    /// What programs write: lines, and what moves, colours, scrolls a part or changes screens.
    fn piece() -> impl Strategy<Value = Vec<u8>> {
        const WAYS: &[&str] = &[
            "\x1b[H",
            "\x1b[3;7H",
            "\x1b[2J",
            "\x1b[31m",
            "\x1b[m",
            "\x1b[2;4r",
            "\x1b[r",
            "\x1b[1;6r",
            "\x1b[?1049h",
            "\x1b[?1049l",
            "\x1bM",
            "\x1b7",
            "\x1b8",
            "\x1b[?6h",
            "\x1bc",
            "\x1b[4h",
            "\x1b[2L",
            "\x1b",
            "\x1b[",
            "\x0b",
            "\x1b[?25l",
            "\x1b[K",
            "\x1b]0;title\x07",
            "\x1b]0;ti",
            "tle\x07",
            "\x07",
            "\x1bPq",
            "\x1b_",
            "\x1b\\",
            "\x1b(",
        ];
        let lines = proptest::collection::vec("[ -~\u{e9}\u{4e16}]{0,30}", 0..90);
        let text =
            (lines, prop_oneof![3 => Just("\r\n"), 1 => Just("\n"), 1 => Just("\x08\r\n\t")])
                .prop_map(|(lines, end)| lines.join(end).into_bytes());
        let way = proptest::sample::select(WAYS).prop_map(|way| way.as_bytes().to_vec());
        let cut = any::<Vec<u8>>().prop_map(|mut bytes| {
            bytes.truncate(3);
            bytes
        });
        prop_oneof![4 => text, 3 => way, 1 => cut]
    }

    proptest! {
        #[test]
        fn what_waited_is_drawn_as_if_it_had_not(
            pieces in proptest::collection::vec((piece(), 3u16..9), 1..12),
            history in prop_oneof![Just(0usize), Just(7)],
        ) {
            let mut at_once = Screen::keeping(history, 20, 6);
            let mut late = Screen::keeping(history, 20, 6);
            for (bytes, rows) in pieces {
                // As it was before anything waited: each piece through the parser.
                let passed = at_once.filter.pass(&bytes, at_once.size()).into_owned();
                at_once.guarded(|parser| parser.process(&passed));
                match late.filter.is_outside() && is_text(&bytes) {
                    true => late.waiting.0.extend_from_slice(&bytes),
                    false => late.feed(&bytes),
                }
                if rows == 5 {
                    at_once.resize(20, rows);
                    late.resize(20, rows);
                }
            }
            prop_assert_eq!(late.whole(), at_once.whole());
            prop_assert_eq!(late.again(), at_once.again());
        }
    }
}
