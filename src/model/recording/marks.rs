//! The marks by which a shell says in its output what it runs: OSC 133 for where a command begins and
//! ends, OSC 633;E for its text, OSC 7 for the directory.
//!
//! A mark counts only with the secret that the shell was started with. A program that finds the
//! secret out can forge marks; it cannot change what else is recorded.

use super::{MAX_DIRECTORY, MAX_TEXT};

/// Longest sequence that is read: each character of a command may take four bytes, or four to
/// escape it. Whoever writes more writes no mark.
const MAX_SEQUENCE: usize = 4 * MAX_TEXT + 256;

const BELL: u8 = 0x07;
const CANCEL: u8 = 0x18;
const SUBSTITUTE: u8 = 0x1a;
const ESCAPE: u8 = 0x1b;

/// What a shell said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mark {
    /// This is about to be run.
    Text(String),
    /// A command begins to run.
    Began,
    /// It ended, with this if it is known.
    Ended(Option<u32>),
    /// The shell is in this directory.
    Directory(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Text,
    Escape,
    Sequence,
    SequenceEscape,
}

/// Finds marks in what a terminal shows, however it is cut.
#[derive(Clone, Debug)]
pub struct Marks {
    state: State,
    sequence: Vec<u8>,
    secret: String,
}

impl Marks {
    /// Takes marks with this secret.
    #[must_use]
    pub fn new(secret: String) -> Self {
        Self { state: State::Text, sequence: Vec::new(), secret }
    }

    /// Reads on, and hands over each mark.
    pub fn feed(&mut self, mut bytes: &[u8], mut found: impl FnMut(Mark)) {
        while !bytes.is_empty() {
            if self.state == State::Text {
                let Some(at) = bytes.iter().position(|b| *b == ESCAPE) else { return };
                bytes = bytes.get(at..).unwrap_or_default();
            }
            let Some((byte, rest)) = bytes.split_first() else { return };
            bytes = rest;
            self.step(*byte, &mut found);
        }
    }

    fn step(&mut self, byte: u8, found: &mut impl FnMut(Mark)) {
        self.state = match (self.state, byte) {
            (State::SequenceEscape, b'\\') | (State::Sequence, BELL) => {
                if let Some(mark) = self.read() {
                    found(mark);
                }
                State::Text
            }
            (State::Sequence, ESCAPE) => State::SequenceEscape,
            (State::Sequence, CANCEL | SUBSTITUTE) => State::Text,
            (State::Sequence, byte) => {
                if self.sequence.len() <= MAX_SEQUENCE {
                    self.sequence.push(byte);
                }
                State::Sequence
            }
            // An escape within a sequence ends it, and may begin another.
            (State::Escape | State::SequenceEscape, b']') => {
                self.sequence.clear();
                State::Sequence
            }
            (State::Text | State::Escape | State::SequenceEscape, ESCAPE) => State::Escape,
            (State::Text | State::Escape | State::SequenceEscape, _) => State::Text,
        };
        if self.state == State::Text {
            self.sequence = Vec::new();
        }
    }

    fn read(&self) -> Option<Mark> {
        if self.sequence.len() > MAX_SEQUENCE {
            return None;
        }
        let text = String::from_utf8_lossy(&self.sequence);
        let (kind, rest) = text.split_once(';')?;
        match kind {
            "7" => directory(rest).map(Mark::Directory),
            "133" => self.place(rest),
            "633" => {
                let rest = rest.strip_prefix("E;")?;
                let (text, secret) = rest.rsplit_once(';')?;
                self.is_ours(secret).then(|| Mark::Text(unescaped(text)))
            }
            _ => None,
        }
    }

    fn place(&self, rest: &str) -> Option<Mark> {
        let mut parts = rest.split(';');
        let letter = parts.next()?;
        let mut code = None;
        let mut is_ours = false;
        for part in parts {
            match part.strip_prefix("steading=") {
                Some(secret) => is_ours = self.is_ours(secret),
                None => code = code.or_else(|| part.parse().ok()),
            }
        }
        match (letter, is_ours) {
            ("C", true) => Some(Mark::Began),
            ("D", true) => Some(Mark::Ended(code)),
            _ => None,
        }
    }

    fn is_ours(&self, secret: &str) -> bool {
        !self.secret.is_empty() && secret == self.secret
    }
}

/// The path of `file://host/path`.
fn directory(url: &str) -> Option<String> {
    let rest = url.strip_prefix("file://")?;
    let path = rest.get(rest.find('/')?..)?;
    let bytes: Vec<u8> = percent_decoded(path.as_bytes());
    let text = String::from_utf8_lossy(&bytes).into_owned();
    (text.len() <= MAX_DIRECTORY).then(|| printable(&text))
}

fn percent_decoded(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, more)) = rest.split_first() {
        let pair = more.first_chunk::<2>().filter(|_| *first == b'%');
        let byte = pair.and_then(hex_byte);
        out.push(byte.unwrap_or(*first));
        rest = if byte.is_some() { more.get(2..).unwrap_or_default() } else { more };
    }
    out
}

/// `\\` is a backslash, `\x3b` the character of that number; everything else is itself.
fn unescaped(text: &str) -> String {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, more)) = rest.split_first() {
        let (byte, used) = match (*first, more) {
            (b'\\', [b'\\', ..]) => (b'\\', 1),
            (b'\\', [b'x', a, b, ..]) => match hex_byte(&[*a, *b]) {
                Some(byte) => (byte, 3),
                None => (b'\\', 0),
            },
            (byte, _) => (byte, 0),
        };
        out.push(byte);
        rest = more.get(used..).unwrap_or_default();
    }
    let text = String::from_utf8_lossy(&out);
    printable(&text).chars().take(MAX_TEXT).collect()
}

fn hex_byte(pair: &[u8; 2]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()
}

/// What a page and a table can show: line breaks and tabs stay, other control characters do not.
fn printable(text: &str) -> String {
    let shown = |c: char| if c.is_control() && !matches!(c, '\n' | '\t') { '\u{fffd}' } else { c };
    text.chars().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const SECRET: &str = "5ec2e7";

    fn found(pieces: &[&[u8]]) -> Vec<Mark> {
        let (mut marks, mut all) = (Marks::new(SECRET.to_owned()), vec![]);
        pieces.iter().for_each(|piece| marks.feed(piece, |mark| all.push(mark)));
        all
    }

    #[test]
    fn a_shell_says_what_it_runs() {
        let said = b"\x1b]7;file://host/home/ada/a%20b\x07$ ls\r\n\
            \x1b]633;E;echo a\\x3bb \\\\n\\x0aend;5ec2e7\x07\x1b]133;C;steading=5ec2e7\x1b\\out\r\n\
            \x1b]133;D;3;steading=5ec2e7\x07";
        let expected = [
            Mark::Directory("/home/ada/a b".to_owned()),
            Mark::Text("echo a;b \\n\nend".to_owned()),
            Mark::Began,
            Mark::Ended(Some(3)),
        ];
        assert_eq!(found(&[said]), expected);
        let bytes: Vec<&[u8]> = said.chunks(1).collect();
        assert_eq!(found(&bytes), expected, "byte by byte");
    }

    #[test]
    fn a_mark_without_the_secret_is_none() {
        for said in [
            "\x1b]633;E;rm -rf /;guess\x07",
            "\x1b]633;E;rm -rf /\x07",
            "\x1b]133;C\x07",
            "\x1b]133;D;0\x07",
            "\x1b]133;D;0;steading=\x07",
            "\x1b]133;A;steading=5ec2e7\x07",
            "\x1b]7;http://host/x\x07",
            "\x1b]7;file://host\x07",
        ] {
            assert_eq!(found(&[said.as_bytes()]), [], "{said:?}");
        }
        let mut open = Marks::new(String::new());
        open.feed(b"\x1b]133;C;steading=\x07", |mark| panic!("{mark:?}"));
    }

    #[test]
    fn hostile_sequences_end_and_take_no_room() {
        let mut marks = Marks::new(SECRET.to_owned());
        marks.feed(b"\x1b]633;E;", |mark| panic!("{mark:?}"));
        let much = vec![b'x'; 1 << 20];
        for _ in 0..64 {
            marks.feed(&much, |mark| panic!("{mark:?}"));
            assert!(marks.sequence.capacity() <= 2 * MAX_SEQUENCE);
        }
        marks.feed(b";5ec2e7\x07", |mark| panic!("{mark:?}"));
        let mut all = vec![];
        marks.feed(b"\x1b]633;E;ls;5ec2e7\x07", |mark| all.push(mark));
        assert_eq!(all, [Mark::Text("ls".to_owned())], "the next one is read");
        let within = b"\x1b]633;E;a\x1b]633;E;b;5ec2e7\x07\x1b]633;E;c\x18d;5ec2e7\x07";
        assert_eq!(found(&[within]), [Mark::Text("b".to_owned())]);
        let control = b"\x1b]633;E;a\\x1b[31m\\x9;5ec2e7\x07";
        assert_eq!(found(&[control]), [Mark::Text("a\u{fffd}[31m\\x9".to_owned())]);
    }

    proptest! {
        #[test]
        fn marks_are_found_however_they_are_cut(
            text in "[ -:<-\\[\\]-~]{0,40}",
            noise in proptest::collection::vec(any::<u8>(), 0..60),
            cut in 1usize..20,
        ) {
            // A noise that leaves a sequence open would take the mark in; ESC and CAN end it.
            let said = [&noise[..], format!("\x18\x1b]633;E;{text};5ec2e7\x07").as_bytes()].concat();
            let pieces: Vec<&[u8]> = said.chunks(cut).collect();
            prop_assert_eq!(found(&pieces).pop(), Some(Mark::Text(text)));
        }
    }
}
