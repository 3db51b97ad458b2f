//! What is kept from the parser, and what is known of what it was told.

use std::borrow::Cow;

/// Bytes of a control sequence's parameters that are read. The parser knows 32 of them.
const MAX_PARAMS: usize = 256;
/// Bytes of an operating system command (a title, a link) that are passed on. The parser keeps as many
/// as it is given until the command ends, which it may never do.
const MAX_COMMAND: usize = 1024;

/// Limits the numbers and the length of control sequences, in bytes that come in any pieces.
///
/// The parser inserts, deletes and scrolls as often as it is told to, up to 65,535 times for eight
/// bytes. More than the screen has columns or rows changes nothing that could be seen.
#[derive(Default)]
pub(super) struct Filter {
    place: Place,
    /// Whether only a part of the screen may scroll. It stays so: each of the two screens has its own.
    has_region: bool,
    /// The parameters so far, held back until it is known what they are for.
    params: Vec<u8>,
    /// Bytes of the operating system command so far.
    in_command: usize,
}

/// Where in a control sequence the bytes are.
#[derive(Clone, Copy, Default)]
enum Place {
    /// In none.
    #[default]
    Outside,
    /// Behind an escape.
    Escape,
    /// Behind an escape and what waits for one more byte, as a character set does.
    Intermediate,
    /// Behind an escape and a bracket.
    Params,
    /// In an operating system command, which a bell ends, too.
    Command,
    /// In a string that only a control character ends.
    Text,
}

impl Filter {
    /// What of some bytes the parser is to see.
    pub(super) fn pass<'a>(&mut self, bytes: &'a [u8], size: (u16, u16)) -> Cow<'a, [u8]> {
        // Most output is text: nothing in it begins a sequence.
        match self.is_outside() && !bytes.contains(&0x1b) {
            true => Cow::Borrowed(bytes),
            false => Cow::Owned(self.limit(bytes, size)),
        }
    }

    /// Whether the bytes so far end in no control sequence.
    pub(super) const fn is_outside(&self) -> bool {
        matches!(self.place, Place::Outside)
    }

    /// Whether only a part of the screen may scroll.
    pub(super) const fn has_region(&self) -> bool {
        self.has_region
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
                (Place::Escape, b']') => {
                    self.in_command = 0;
                    Place::Command
                }
                (Place::Command, 0x07) => Place::Outside,
                (Place::Command, _) => {
                    self.in_command += 1;
                    if self.in_command > MAX_COMMAND {
                        continue;
                    }
                    Place::Command
                }
                (Place::Escape, b'P' | b'X' | b'^' | b'_') | (Place::Text, _) => Place::Text,
                (Place::Escape | Place::Intermediate, b' '..=b'/') => Place::Intermediate,
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
                (
                    place @ (Place::Escape | Place::Intermediate | Place::Params),
                    ..0x20 | 0x7f..,
                ) => place,
                (Place::Escape | Place::Intermediate | Place::Outside, _) => Place::Outside,
            };
            out.push(byte);
        }
        out
    }

    fn put_params(&mut self, out: &mut Vec<u8>, end: u8, (cols, rows): (u16, u16)) {
        let params = std::mem::take(&mut self.params);
        let is_plain = params.iter().all(|b| matches!(b, b'0'..=b'9' | b';' | b':'));
        let is_whole = params.is_empty() || params == format!("1;{rows}").as_bytes();
        self.has_region |= end == b'r' && !is_whole;
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

#[cfg(test)]
mod tests {
    use super::super::Screen;
    use super::*;

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
        assert_eq!(screen.shown().contents().trim_end(), "still here");
        let mut filter = Filter::default();
        let long = [b"\x1b[".as_slice(), &b"9".repeat(1 << 20)].concat();
        assert_eq!(*filter.pass(&long, (20, 4)), *b"\x1b[");
        assert_eq!(filter.params.len(), MAX_PARAMS);
        assert_eq!(*filter.pass(b"T", (20, 4)), *b"4T");
    }

    #[test]
    fn a_command_that_never_ends_is_not_kept() {
        let (mut filter, mut passed) = (Filter::default(), 0);
        passed += filter.pass(b"\x1b]0;", (20, 4)).len();
        for _ in 0..1000 {
            passed += filter.pass(&[b'x'; 4096], (20, 4)).len();
        }
        assert!(passed <= MAX_COMMAND + 2, "{passed}");
        assert!(!filter.is_outside());
        assert_eq!(*filter.pass(b"\x07shown", (20, 4)), *b"\x07shown");
        assert!(filter.is_outside());
    }

    #[test]
    fn who_is_within_a_string_is_not_outside() {
        for (begin, end) in [
            ("\x1b]0;ti", "\x07"),
            ("\x1b]0;ti", "\x1b\\"),
            ("\x1bPq#0", "\x1b\\"),
            ("\x1b_G", "\x18"),
            ("\x1b(", "B"),
            ("\x1b[1;", "H"),
        ] {
            let mut filter = Filter::default();
            filter.pass(begin.as_bytes(), (20, 4));
            assert!(!filter.is_outside(), "{begin:?}");
            filter.pass(end.as_bytes(), (20, 4));
            assert!(filter.is_outside(), "{begin:?} {end:?}");
        }
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
}
