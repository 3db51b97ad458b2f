//! Questions that a program asks its terminal, found in what it writes however that is cut.
//!
//! A terminal that several people look at would be asked as often as there are windows, and each would
//! type an answer. So one party reads the questions and answers them, and windows are sent the rest.

use bytes::Bytes;

use super::many;

/// Bytes of a control sequence that are held until it is known what it is. Longer ones are dropped:
/// nobody writes them in earnest, and a question may hide behind any number of zeros.
const MAX_HELD: usize = 256;

/// What is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Query {
    /// What kind of terminal it is.
    Attributes,
    /// Which version of that kind.
    Second,
    /// What program it is.
    Version,
    /// Whether it is well.
    Status,
    /// Where the cursor is.
    Cursor {
        /// Whether the answer is to be marked as one of DEC's.
        is_private: bool,
    },
    /// Whether a mode is set.
    Mode {
        /// Whether it is one of DEC's.
        is_private: bool,
        /// Its number.
        number: u16,
    },
    /// A colour: 10 of text, 11 behind it, 12 of the cursor.
    Color(u16),
    /// A setting, such as the cursor's shape.
    Setting,
    /// What the terminal's description says.
    Capability,
    /// How many columns and rows there are.
    Size,
    /// Something that terminals of ours do not answer.
    Other,
}

/// Finds questions, and takes them out.
#[derive(Debug, Default)]
pub struct Queries {
    place: Place,
    /// The sequence so far.
    held: Vec<u8>,
    /// Where what is said by the sequence begins in `held`.
    body: usize,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Place {
    #[default]
    Outside,
    /// Behind an escape.
    Escape,
    /// Behind the first byte of a control character of two.
    Lead,
    /// In a control sequence.
    Control,
    /// In a command to the operating system.
    System,
    /// In the head of a device's string.
    Device,
    /// In something that is dropped to its end.
    Dropped,
    /// Behind an escape that ended a command to the system, or something that was dropped.
    Ended,
}

const ESC: u8 = 0x1b;
const BEL: u8 = 0x07;
/// What control characters of eight bits begin with in UTF-8.
const LEAD: u8 = 0xc2;

impl Queries {
    /// Takes in what was written. Gives what is left of it without questions, and each question with
    /// the place in `bytes` behind it.
    pub fn pass(&mut self, bytes: &Bytes) -> (Bytes, Vec<(usize, Query)>) {
        let is_plain = self.place == Place::Outside && many::all(bytes, |b| !is_special(b));
        if is_plain {
            return (bytes.clone(), Vec::new());
        }
        let (mut kept, mut asked) = (Vec::with_capacity(bytes.len()), Vec::new());
        for (at, byte) in bytes.iter().enumerate() {
            self.take(*byte, &mut kept, |query| asked.push((at + 1, query)));
        }
        (kept.into(), asked)
    }

    fn take(&mut self, byte: u8, kept: &mut Vec<u8>, mut asks: impl FnMut(Query)) {
        let is_second = self.held.last() == Some(&LEAD);
        match (self.place, byte) {
            (Place::Outside, ESC | LEAD) => self.begin(byte),
            (Place::Outside, _) => kept.push(byte),
            (Place::System, ESC | BEL) => self.end_system(byte, kept, &mut asks),
            (Place::System, 0x9c) if is_second => self.end_system(byte, kept, &mut asks),
            (Place::Dropped, 0x9c) if is_second => self.reset(),
            (Place::Dropped, BEL) => self.reset(),
            (Place::Dropped, ESC) => {
                self.begin(ESC);
                self.place = Place::Ended;
            }
            (Place::System | Place::Device | Place::Dropped, 0x90 | 0x9b | 0x9d) if is_second => {
                self.begin(LEAD);
                self.introduce(byte);
            }
            (Place::Ended, b'\\') => self.reset(),
            // What is broken off is never obeyed: without it nothing new comes about behind it.
            (_, ESC) => self.begin(byte),
            (_, 0x18 | 0x1a) => self.reset(),
            (Place::Dropped, _) => {
                self.held.clear();
                self.held.push(byte);
            }
            (Place::Lead, LEAD) => self.begin(byte),
            (Place::Lead, 0x90 | 0x9b | 0x9d) => self.introduce(byte),
            (Place::Escape | Place::Ended, b'[' | b']' | b'P') => self.introduce(byte),
            (Place::Escape | Place::Ended, b'Z') => {
                self.reset();
                asks(Query::Attributes);
            }
            // Control characters take effect within a sequence.
            (Place::Escape | Place::Ended | Place::Control | Place::Device, ..0x20) => {
                kept.push(byte);
            }
            (Place::System, ..0x20) => {}
            (Place::Escape | Place::Ended, 0x80..) => self.give_up(byte, kept),
            (Place::Escape | Place::Ended | Place::Lead, _) => {
                self.held.push(byte);
                self.flush(kept);
            }
            (Place::Control, _) => self.control(byte, kept, &mut asks),
            (Place::System, _) => self.system(byte, kept),
            (Place::Device, _) => self.device(byte, kept, &mut asks),
        }
    }

    fn begin(&mut self, byte: u8) {
        self.held.clear();
        self.held.push(byte);
        self.place = if byte == ESC { Place::Escape } else { Place::Lead };
    }

    fn introduce(&mut self, byte: u8) {
        self.held.push(byte);
        self.body = self.held.len();
        self.place = match byte {
            b'[' | 0x9b => Place::Control,
            b']' | 0x9d => Place::System,
            _ => Place::Device,
        };
    }

    fn reset(&mut self) {
        self.held.clear();
        self.place = Place::Outside;
    }

    fn flush(&mut self, kept: &mut Vec<u8>) {
        kept.append(&mut self.held);
        self.reset();
    }

    /// The sequence is none; the byte may begin another.
    fn give_up(&mut self, byte: u8, kept: &mut Vec<u8>) {
        self.reset();
        match byte {
            LEAD => self.begin(byte),
            _ => kept.push(byte),
        }
    }

    /// Holds a byte, or drops all when it is one too many.
    fn hold(&mut self, byte: u8) {
        self.held.push(byte);
        if self.held.len() > MAX_HELD {
            self.held.clear();
            self.place = Place::Dropped;
        }
    }

    fn control(&mut self, byte: u8, kept: &mut Vec<u8>, asks: &mut impl FnMut(Query)) {
        match byte {
            0x20..=0x3f => {
                self.held.push(byte);
                // Dropped up to its last byte, which nothing else marks.
                if self.held.len() > MAX_HELD {
                    self.held.truncate(MAX_HELD);
                }
            }
            0x40..=0x7e if self.held.len() >= MAX_HELD => self.reset(),
            0x40..=0x7e => {
                match control_query(self.held.get(self.body..).unwrap_or_default(), byte) {
                    Some(query) => {
                        self.reset();
                        asks(query);
                    }
                    None => {
                        self.held.push(byte);
                        self.flush(kept);
                    }
                }
            }
            0x7f => {}
            _ => self.give_up(byte, kept),
        }
    }

    fn system(&mut self, byte: u8, kept: &mut Vec<u8>) {
        self.hold(byte);
        let body = self.held.get(self.body..).unwrap_or_default();
        let number = body.iter().take_while(|b| b.is_ascii_digit()).count();
        let is_known = number < body.len();
        if self.place == Place::System && is_known && !may_ask(digits(body)) {
            self.flush(kept);
            // Its text may hold a control character of eight bits.
            if byte == LEAD {
                kept.pop();
                self.begin(byte);
            }
        }
    }

    /// An escape, a bell or the second byte of a terminator ends it; it is obeyed in each case.
    fn end_system(&mut self, end: u8, kept: &mut Vec<u8>, asks: &mut impl FnMut(Query)) {
        let held = std::mem::take(&mut self.held);
        let body = held.get(self.body..).unwrap_or_default();
        let asked = |part: &[u8]| part.first() == Some(&b'?');
        let parts = || body.split(|b| *b == b';').skip(1);
        let number = digits(body);
        let is_question = may_ask(number) && parts().any(asked);
        for (number, _) in (number..).zip(parts()).filter(|(_, part)| is_question && asked(part)) {
            asks(if (10..=12).contains(&number) { Query::Color(number) } else { Query::Other });
        }
        let end_of: &[u8] = if end == ESC { b"\x1b\\" } else { &[end] };
        if !is_question {
            kept.extend_from_slice(&held);
            // Written out whole: what follows an escape may be taken out.
            kept.extend_from_slice(end_of);
        }
        self.reset();
        if end == ESC {
            self.begin(ESC);
            self.place = Place::Ended;
        }
    }

    fn device(&mut self, byte: u8, kept: &mut Vec<u8>, asks: &mut impl FnMut(Query)) {
        match byte {
            0x20..=0x3f => self.hold(byte),
            0x40..=0x7e => {
                let is_setting = self.held.last() == Some(&b'$');
                if byte == b'q' && (is_setting || self.held.last() == Some(&b'+')) {
                    self.held.clear();
                    self.place = Place::Dropped;
                    asks(if is_setting { Query::Setting } else { Query::Capability });
                } else {
                    self.held.push(byte);
                    self.flush(kept);
                }
            }
            0x7f => {}
            _ => self.give_up(byte, kept),
        }
    }
}

const fn is_special(byte: u8) -> bool {
    matches!(byte, ESC | LEAD)
}

/// Whether a command to the system of this number may be a question: colours, fonts, the clipboard.
const fn may_ask(number: u16) -> bool {
    matches!(number, 4 | 5 | 10..=19 | 50 | 52 | 60 | 61)
}

/// The number that a text begins with; 0 for none.
fn digits(text: &[u8]) -> u16 {
    let digits = text.iter().take_while(|b| b.is_ascii_digit());
    digits.fold(0u16, |n, digit| n.saturating_mul(10).saturating_add(u16::from(digit - b'0')))
}

/// What a control sequence asks; none when it is no question.
fn control_query(body: &[u8], end: u8) -> Option<Query> {
    let marker = body.first().copied().filter(|b| matches!(b, b'<'..=b'?'));
    let rest = if marker.is_some() { body.get(1..).unwrap_or_default() } else { body };
    let between = rest.last().copied().filter(|b| matches!(b, 0x20..=0x2f));
    let number = digits(rest);
    match (marker, between, end) {
        (None, None, b'c') => Some(Query::Attributes),
        (Some(b'>'), None, b'c') => Some(Query::Second),
        (Some(b'='), None, b'c') => Some(Query::Other),
        (Some(b'>'), None, b'q') => Some(Query::Version),
        (None, None, b'n') if number == 5 => Some(Query::Status),
        (marker @ (None | Some(b'?')), None, b'n') if number == 6 => {
            Some(Query::Cursor { is_private: marker.is_some() })
        }
        (marker @ (None | Some(b'?')), Some(b'$'), b'p') => {
            Some(Query::Mode { is_private: marker.is_some(), number })
        }
        (None, None, b't') if number == 18 => Some(Query::Size),
        (None, None, b't') if matches!(number, 11 | 13..=16 | 19..=21) => Some(Query::Other),
        (None | Some(b'?'), None, b'n')
        | (None, None, b'x')
        | (Some(b'?'), None, b'u' | b'S')
        | (None, Some(b'$'), b'w' | b'u')
        | (None, Some(b'*'), b'y')
        | (None, Some(b'\''), b'|') => Some(Query::Other),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
