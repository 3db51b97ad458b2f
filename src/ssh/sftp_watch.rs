//! What a client does by SFTP, seen in the bytes that pass: which files, and how much of each. Only the
//! heads of packets are looked at, and nothing is held back or changed. Pure: bytes in, deeds out.

use std::collections::{BTreeMap, VecDeque};

use bytes::Buf as _;

use super::sftp::MAX_PACKET;

/// Bytes of a packet's beginning: length, kind, number.
const HEADER: usize = 9;
/// Bytes that are looked at where names are: two of the longest paths there are, and the rest.
const MAX_NAMED: usize = 2 * 4096 + 256;
/// Bytes that are looked at elsewhere: the longest handle, an offset and a length.
const MAX_HANDLED: usize = HEADER + 4 + 256 + 12;
/// Questions with names in them that wait for their answers. `sftp` has one.
const MAX_NAMES: usize = 64;
/// Questions that wait for their answers. OpenSSH has 64.
const MAX_WAITING: usize = 4096;
/// Files that are open at once.
const MAX_OPEN: usize = 256;

/// Flags of a file that is opened to be written: write, append, create.
const WRITES: u32 = 2 | 4 | 8;

/// What was done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deed {
    /// A file was opened.
    Opened {
        /// What it is called from here on.
        file: u32,
        /// Its path, as the client has it.
        path: Vec<u8>,
        /// Whether it was opened to be written.
        writes: bool,
    },
    /// Bytes of a file went to the client.
    Read {
        /// Which.
        file: u32,
        /// How many.
        bytes: u32,
    },
    /// Bytes of a file came from the client.
    Wrote {
        /// Which.
        file: u32,
        /// How many.
        bytes: u32,
    },
    /// A file was closed.
    Closed {
        /// Which.
        file: u32,
    },
    /// A file or a directory was removed.
    Removed {
        /// Its path.
        path: Vec<u8>,
    },
    /// A file or a directory got another name.
    Renamed {
        /// Its path before.
        from: Vec<u8>,
        /// Its path now.
        to: Vec<u8>,
    },
    /// Something was done beyond what is kept in mind.
    Unseen,
}

/// One stream of SFTP.
///
/// The agent answers one question after the other, so that each answer is known by its turn: numbers
/// are the client's to choose, and one that is used twice must not hide anything.
#[derive(Debug, Default)]
pub struct Watch {
    asked: Heads,
    answered: Heads,
    waiting: VecDeque<(u32, Question)>,
    /// How many of them have names in them.
    names: usize,
    open: BTreeMap<Vec<u8>, u32>,
    next: u32,
}

/// What a question was that has no answer yet.
#[derive(Debug)]
enum Question {
    Open {
        path: Vec<u8>,
        writes: bool,
    },
    Close {
        handle: Vec<u8>,
    },
    Read {
        handle: Vec<u8>,
    },
    Write {
        handle: Vec<u8>,
        bytes: u32,
    },
    Remove {
        path: Vec<u8>,
    },
    Rename {
        from: Vec<u8>,
        to: Vec<u8>,
    },
    /// A link, or what cannot be kept in mind.
    Unseen,
    /// What changes no file and tells nothing of what is in one.
    Other,
}

impl Question {
    const fn has_names(&self) -> bool {
        matches!(self, Self::Open { .. } | Self::Remove { .. } | Self::Rename { .. })
    }
}

impl Watch {
    /// Takes what passes from the client.
    pub fn asks(&mut self, bytes: &[u8], mut found: impl FnMut(Deed)) {
        if self.asked.is_blind {
            return;
        }
        let mut heads = std::mem::take(&mut self.asked);
        heads.feed(bytes, Side::Client, |head| {
            // The first packet has a version where the others have their number, and no answer of its own.
            if head.kind != 1 {
                let (id, question) = (head.id, question(head).unwrap_or(Question::Unseen));
                self.wait(id, question, &mut found);
            }
        });
        self.follow(heads.is_blind, &mut found);
        heads.is_blind |= self.asked.is_blind;
        self.asked = heads;
    }

    /// Takes what passes to the client.
    pub fn answers(&mut self, bytes: &[u8], mut found: impl FnMut(Deed)) {
        if self.answered.is_blind {
            return;
        }
        let mut heads = std::mem::take(&mut self.answered);
        heads.feed(bytes, Side::Server, |head| {
            if head.kind != 2 {
                self.answer(head, &mut found);
            }
        });
        self.follow(heads.is_blind, &mut found);
        heads.is_blind |= self.answered.is_blind;
        self.answered = heads;
    }

    /// Once one direction is not understood, neither is looked at any more.
    fn follow(&mut self, is_blind: bool, found: &mut impl FnMut(Deed)) {
        if is_blind && !(self.asked.is_blind && self.answered.is_blind) {
            self.lose(found);
        }
    }

    fn lose(&mut self, found: &mut impl FnMut(Deed)) {
        (self.asked.is_blind, self.answered.is_blind) = (true, true);
        self.waiting.clear();
        found(Deed::Unseen);
    }

    fn wait(&mut self, id: u32, question: Question, found: &mut impl FnMut(Deed)) {
        if self.asked.is_blind {
            return;
        }
        if self.waiting.len() >= MAX_WAITING {
            return self.lose(found);
        }
        let is_named = question.has_names();
        if is_named && self.names >= MAX_NAMES {
            return self.waiting.push_back((id, Question::Unseen));
        }
        self.names += usize::from(is_named);
        self.waiting.push_back((id, question));
    }

    fn answer(&mut self, mut head: Head<'_>, found: &mut impl FnMut(Deed)) {
        if self.answered.is_blind {
            return;
        }
        let Some((_, question)) = self.waiting.pop_front().filter(|(id, _)| *id == head.id) else {
            return self.lose(found);
        };
        self.names -= usize::from(question.has_names());
        let is_done = head.kind == 101 && head.rest.first_chunk::<4>() == Some(&[0; 4]);
        let deed = match (head.kind, question) {
            (102, Question::Open { path, writes }) => self.opened(&mut head, path, writes),
            (103, Question::Read { handle }) => {
                let bytes = within(head.number().unwrap_or_default());
                Some(self.of(&handle, |file| Deed::Read { file, bytes }))
            }
            (101, Question::Write { handle, bytes }) if is_done => {
                Some(self.of(&handle, |file| Deed::Wrote { file, bytes: within(bytes) }))
            }
            // A directory's handle was never entered.
            (101, Question::Close { handle }) if is_done => {
                self.open.remove(&handle).map(|file| Deed::Closed { file })
            }
            (101, Question::Remove { path }) if is_done => Some(Deed::Removed { path }),
            (101, Question::Rename { from, to }) if is_done => Some(Deed::Renamed { from, to }),
            (101, Question::Unseen) if !is_done => None,
            (_, Question::Unseen) => Some(Deed::Unseen),
            // It did not go well, or nothing was done by it.
            _ => None,
        };
        deed.into_iter().for_each(found);
    }

    fn opened(&mut self, head: &mut Head<'_>, path: Vec<u8>, writes: bool) -> Option<Deed> {
        let handle = head.bytes().filter(|_| self.open.len() < MAX_OPEN);
        let Some(handle) = handle else { return Some(Deed::Unseen) };
        let file = self.next;
        self.next = self.next.wrapping_add(1);
        self.open.insert(handle.to_vec(), file);
        Some(Deed::Opened { file, path, writes })
    }

    fn of(&self, handle: &[u8], deed: impl FnOnce(u32) -> Deed) -> Deed {
        self.open.get(handle).map_or(Deed::Unseen, |file| deed(*file))
    }
}

/// What is asked; none when it cannot be read.
fn question(mut head: Head<'_>) -> Option<Question> {
    Some(match head.kind {
        3 => {
            let (path, flags) = (head.text()?, head.number()?);
            Question::Open { path, writes: flags & WRITES != 0 }
        }
        4 => Question::Close { handle: head.text()? },
        5 => Question::Read { handle: head.text()? },
        6 => {
            let handle = head.text()?;
            let _offset = (head.number()?, head.number()?);
            Question::Write { handle, bytes: head.number()? }
        }
        13 | 15 => Question::Remove { path: head.text()? },
        18 => Question::Rename { from: head.text()?, to: head.text()? },
        20 => Question::Unseen,
        200 => match head.bytes()? {
            b"posix-rename@openssh.com" => {
                Question::Rename { from: head.text()?, to: head.text()? }
            }
            b"hardlink@openssh.com" => Question::Unseen,
            _ => Question::Other,
        },
        _ => Question::Other,
    })
}

fn within(bytes: u32) -> u32 {
    bytes.min(u32::try_from(MAX_PACKET).unwrap_or(u32::MAX))
}

/// Who says the packets of a direction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    Client,
    Server,
}

/// Where packets begin in bytes that come in any pieces.
#[derive(Debug, Default)]
struct Heads {
    held: Vec<u8>,
    /// Bytes of the packet that are not looked at and still to come.
    left: usize,
    /// What came is no SFTP: whoever serves it ends it, and nothing of it is looked at.
    is_blind: bool,
}

/// The beginning of a packet behind its number.
struct Head<'a> {
    kind: u8,
    id: u32,
    rest: &'a [u8],
}

impl Heads {
    fn feed(&mut self, mut bytes: &[u8], side: Side, mut found: impl FnMut(Head<'_>)) {
        while !bytes.is_empty() && !self.is_blind {
            if self.left > 0 {
                let n = self.left.min(bytes.len());
                self.left -= n;
                bytes.advance(n);
                continue;
            }
            let wanted = self.wanted(side);
            let n = wanted.saturating_sub(self.held.len()).min(bytes.len());
            self.held.extend(bytes.iter().take(n));
            bytes.advance(n);
            let Some(packet) = self.packet() else { continue };
            if packet <= 4 || packet > 4 + MAX_PACKET {
                self.is_blind = true;
            } else if self.held.len() >= self.wanted(side) {
                if let Some((&[_, _, _, _, kind, a, b, c, d], rest)) = self.held.split_first_chunk()
                {
                    found(Head { kind, id: u32::from_be_bytes([a, b, c, d]), rest });
                }
                self.left = packet.saturating_sub(self.held.len());
                self.held.clear();
            }
        }
    }

    /// Bytes of the packet whose beginning is held, with its length.
    fn packet(&self) -> Option<usize> {
        let len = self.held.first_chunk::<4>()?;
        Some(4 + u32::from_be_bytes(*len) as usize)
    }

    /// How many bytes of it are looked at, as far as that is known.
    fn wanted(&self, side: Side) -> usize {
        let Some(packet) = self.packet() else { return 4 };
        let Some(kind) = self.held.get(4).copied().filter(|_| self.held.len() >= HEADER) else {
            return packet.min(HEADER);
        };
        packet.min(match (side, kind) {
            (Side::Client, 3 | 13 | 15 | 18 | 200) => MAX_NAMED,
            (Side::Client, 4..=6) | (Side::Server, 101..=103) => MAX_HANDLED,
            (Side::Client | Side::Server, _) => HEADER,
        })
    }
}

impl<'a> Head<'a> {
    fn number(&mut self) -> Option<u32> {
        let (four, rest) = self.rest.split_first_chunk::<4>()?;
        self.rest = rest;
        Some(u32::from_be_bytes(*four))
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let len = self.number()? as usize;
        let (bytes, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        Some(bytes)
    }

    fn text(&mut self) -> Option<Vec<u8>> {
        self.bytes().map(<[u8]>::to_vec)
    }
}

#[cfg(test)]
#[path = "sftp_watch_tests.rs"]
mod tests;
