//! What a client does by SFTP, seen in the bytes that pass: which files, and how much of each. Only the
//! heads of packets are looked at, and nothing is held back or changed. Pure: bytes in, deeds out.

use std::collections::BTreeMap;

use bytes::Buf as _;

use super::sftp::MAX_PACKET;

/// Bytes of a packet's beginning: length, kind, number.
const HEADER: usize = 9;
/// Bytes that are looked at where names are: two of the longest paths there are, and the rest.
const MAX_NAMED: usize = 2 * 4096 + 256;
/// Bytes that are looked at elsewhere: the longest handle, an offset and a length.
const MAX_HANDLED: usize = HEADER + 4 + 256 + 12;
/// Questions with names in them that wait for their answers. `sftp` has one.
const MAX_WAITING: usize = 64;
/// Reads that wait for their data. OpenSSH has 64.
const MAX_READS: usize = 1024;
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
#[derive(Debug, Default)]
pub struct Watch {
    asked: Heads,
    answered: Heads,
    waiting: BTreeMap<u32, Waiting>,
    reads: BTreeMap<u32, u32>,
    open: BTreeMap<Vec<u8>, u32>,
    next: u32,
}

/// What a question was that has no answer yet.
#[derive(Debug)]
enum Waiting {
    Open { path: Vec<u8>, writes: bool },
    Remove { path: Vec<u8> },
    Rename { from: Vec<u8>, to: Vec<u8> },
}

impl Watch {
    /// Takes what passes from the client.
    pub fn asks(&mut self, bytes: &[u8], mut found: impl FnMut(Deed)) {
        let mut heads = std::mem::take(&mut self.asked);
        heads.feed(bytes, Side::Client, |head| {
            if self.ask(head, &mut found).is_none() {
                found(Deed::Unseen);
            }
        });
        self.asked = heads;
    }

    /// Takes what passes to the client.
    pub fn answers(&mut self, bytes: &[u8], mut found: impl FnMut(Deed)) {
        let mut heads = std::mem::take(&mut self.answered);
        heads.feed(bytes, Side::Server, |head| self.answer(head, &mut found));
        self.answered = heads;
    }

    /// None when it is more than is kept in mind, or cannot be read.
    fn ask(&mut self, mut head: Head<'_>, found: &mut impl FnMut(Deed)) -> Option<()> {
        let (id, kind) = (head.id, head.kind);
        match kind {
            3 => {
                let (path, flags) = (head.text()?, head.number()?);
                return self.wait(id, Waiting::Open { path, writes: flags & WRITES != 0 });
            }
            4 => {
                if let Some(file) = self.open.remove(head.bytes()?) {
                    found(Deed::Closed { file });
                }
            }
            5 => {
                let file = self.open.get(head.bytes()?).copied();
                if let Some(file) = file {
                    if self.reads.len() >= MAX_READS {
                        return None;
                    }
                    self.reads.insert(id, file);
                }
            }
            6 => {
                let file = self.open.get(head.bytes()?).copied();
                let _offset = (head.number()?, head.number()?);
                let bytes = head.number()?.min(u32::try_from(MAX_PACKET).unwrap_or(u32::MAX));
                if let Some(file) = file {
                    found(Deed::Wrote { file, bytes });
                }
            }
            13 | 15 => return self.wait(id, Waiting::Remove { path: head.text()? }),
            18 => return self.rename(id, head),
            200 if head.bytes()? == b"posix-rename@openssh.com" => return self.rename(id, head),
            _ => {}
        }
        Some(())
    }

    fn rename(&mut self, id: u32, mut head: Head<'_>) -> Option<()> {
        let (from, to) = (head.text()?, head.text()?);
        self.wait(id, Waiting::Rename { from, to })
    }

    fn wait(&mut self, id: u32, waiting: Waiting) -> Option<()> {
        if self.waiting.len() >= MAX_WAITING {
            return None;
        }
        self.waiting.insert(id, waiting);
        Some(())
    }

    fn answer(&mut self, mut head: Head<'_>, found: &mut impl FnMut(Deed)) {
        if head.kind == 103 {
            let bytes = head.number().unwrap_or_default();
            if let Some(file) = self.reads.remove(&head.id) {
                let bytes = bytes.min(u32::try_from(MAX_PACKET).unwrap_or(u32::MAX));
                found(Deed::Read { file, bytes });
            }
            return;
        }
        // Of a read at its end, and of what was asked for by name.
        self.reads.remove(&head.id);
        let Some(waiting) = self.waiting.remove(&head.id) else { return };
        match (head.kind, waiting) {
            (102, Waiting::Open { path, writes }) => {
                let handle = head.bytes().unwrap_or_default().to_vec();
                if self.open.len() >= MAX_OPEN {
                    return found(Deed::Unseen);
                }
                let file = self.next;
                self.next = self.next.wrapping_add(1);
                if let Some(before) = self.open.insert(handle, file) {
                    found(Deed::Closed { file: before });
                }
                found(Deed::Opened { file, path, writes });
            }
            // The rest did not go well, or is no answer to that.
            (101, waiting) if head.number() == Some(0) => match waiting {
                Waiting::Remove { path } => found(Deed::Removed { path }),
                Waiting::Rename { from, to } => found(Deed::Renamed { from, to }),
                Waiting::Open { .. } => {}
            },
            _ => {}
        }
    }
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
