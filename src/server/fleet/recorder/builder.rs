//! Events become blocks: each begins with a picture of the screen, so that it can be shown without
//! those before it. Pure: events in, blocks and commands out.

use super::Plan;
use super::queue::Piece;
use crate::model::recording::events::{self, Picture, What};
use crate::model::recording::ledger::Ledger;
use crate::model::recording::marks::Marks;
use crate::model::recording::{Block, Extent, Hash};
use crate::server::app::recording_blocks::pack;
use crate::server::app::recordings::Growth;
use crate::ssh::screen::Screen;

/// Bytes that pass in one block: what a player must read to show any moment is no more.
const MAX_BLOCK_BYTES: usize = 256 << 10;
/// Events in one block: a program that writes byte by byte makes blocks, too.
const MAX_BLOCK_EVENTS: usize = 16_384;
/// Time in one block.
const MAX_BLOCK_MS: i64 = 10_000;
/// Columns and rows of the screen that pictures are drawn from, whatever the window's size: what it
/// takes to draw one grows with the area, and the window's size is the client's word.
const MAX_SCREEN: (u16, u16) = (300, 120);
/// Bytes of a picture. A screen that is all colours takes more, and its block begins empty.
const MAX_PICTURE: usize = 1 << 20;
/// What a block begins with in place of a picture that is too large.
const CLEAR: &[u8] = b"\x1b[!p\x1b[?1049l\x1b[H\x1b[2J";
/// Stored bytes of one recording: a day of a session at 100 kB/s, packed eight to one. Beyond that
/// it is a program's output and nobody's work, and would push others' recordings out.
const MAX_RECORDING: i64 = 1 << 30;

/// One recording as it is made.
pub(super) struct Builder {
    /// None where there is no terminal.
    screen: Option<Screen>,
    /// The window's size, which may be larger than the screen.
    window: (u16, u16),
    marks: Option<Marks>,
    ledger: Ledger,
    open: Option<Open>,
    /// What came since the last time.
    growth: Growth,
    /// The hash of the last block that is closed, and the number of the next.
    before: Hash,
    number: i64,
    /// Bytes that closed blocks take.
    closed_bytes: i64,
    /// How far the recording had come, and its hash, when it was last written.
    written: (Extent, Hash),
    exit_code: Option<i64>,
    has_grown: bool,
}

/// The block that is being made.
struct Open {
    plain: Vec<u8>,
    began_ms: i64,
    ended_ms: i64,
    /// Bytes that may pass in it, and that did.
    most_bytes: usize,
    n_bytes: usize,
    n_events: usize,
}

impl Builder {
    pub(super) fn new(plan: &Plan) -> Self {
        let (cols, rows) = within(plan.size);
        let mut this = Self {
            screen: (plan.size != (0, 0)).then(|| Screen::without_history(cols, rows)),
            window: plan.size,
            marks: plan.marks.clone().map(Marks::new),
            ledger: Ledger::default(),
            open: None,
            growth: Growth::default(),
            before: [0; 32],
            number: 0,
            closed_bytes: 0,
            written: (Extent::default(), [0; 32]),
            exit_code: None,
            has_grown: false,
        };
        if !plan.command.is_empty() {
            this.growth.changes.extend(this.ledger.asked(&plan.command));
            this.has_grown = true;
        }
        this
    }

    /// Takes what happened, and says where something is missing.
    pub(super) fn add(&mut self, piece: &Piece) {
        if piece.lost > 0 {
            let lost = i64::try_from(piece.lost).unwrap_or(i64::MAX);
            let total = &mut self.growth.extent.lost_bytes;
            *total = total.saturating_add(lost);
            self.put(piece.at_ms, &What::Marker(format!("{lost} bytes were not recorded")));
        }
        if let Some(what) = &piece.what {
            self.put(piece.at_ms, what);
        }
    }

    fn put(&mut self, at_ms: i64, what: &What) {
        let at_ms = at_ms.max(self.growth.extent.length_ms);
        self.close_if_full(at_ms);
        let open = match &mut self.open {
            Some(open) => open,
            none => none.insert(Open::new(self.screen.as_mut(), self.window, at_ms)),
        };
        let since = u64::try_from(at_ms - open.ended_ms).unwrap_or_default();
        events::put(&mut open.plain, since, what);
        open.ended_ms = at_ms;
        open.n_bytes += what.passed();
        open.n_events += 1;
        let extent = &mut self.growth.extent;
        extent.length_ms = at_ms;
        extent.bytes += i64::try_from(what.passed()).unwrap_or_default();
        self.has_grown = true;
        self.show(at_ms, what);
    }

    fn show(&mut self, at_ms: i64, what: &What) {
        match what {
            What::Output(bytes) => {
                if let Some(screen) = &mut self.screen {
                    screen.feed(bytes);
                }
                if let Some(marks) = &mut self.marks {
                    let (ledger, changes) = (&mut self.ledger, &mut self.growth.changes);
                    marks.feed(bytes, |mark| changes.extend(ledger.mark(mark, at_ms)));
                }
            }
            What::Resize { cols, rows } => {
                self.window = (*cols, *rows);
                if let Some(screen) = &mut self.screen {
                    let (cols, rows) = within(self.window);
                    screen.resize(cols, rows);
                }
            }
            What::Exit(code) => {
                self.exit_code = Some(i64::from(*code));
                self.growth.changes.extend(self.ledger.ended(at_ms, Some(*code)));
            }
            What::Input(_) | What::Marker(_) => {}
        }
    }

    fn close_if_full(&mut self, at_ms: i64) {
        let is_full = |open: &Open| {
            open.n_bytes >= open.most_bytes
                || open.n_events >= MAX_BLOCK_EVENTS
                || at_ms - open.began_ms >= MAX_BLOCK_MS
        };
        // No two blocks begin at the same time: a place in time leads to one of them.
        let Some(open) = self.open.take_if(|open| is_full(open) && at_ms > open.began_ms) else {
            return;
        };
        let block = self.packed(&open);
        self.before = block.hash;
        self.closed_bytes += len(&block);
        self.number += 1;
        self.growth.blocks.push(block);
    }

    fn packed(&self, open: &Open) -> Block {
        pack(&self.before, self.number, (open.began_ms, open.ended_ms), &open.plain)
    }

    /// Whether something came since the last time.
    pub(super) fn has_grown(&self) -> bool {
        self.has_grown
    }

    /// What came since the last time, to be written.
    pub(super) fn growth(&mut self) -> Growth {
        self.has_grown = false;
        let mut growth = Growth {
            blocks: std::mem::take(&mut self.growth.blocks),
            changes: std::mem::take(&mut self.growth.changes),
            extent: self.growth.extent,
            hash: self.before,
        };
        let last = self.open.as_ref().map(|open| self.packed(open));
        growth.hash = last.as_ref().map_or(self.before, |block| block.hash);
        growth.extent = Extent {
            stored_bytes: self.closed_bytes + last.as_ref().map_or(0, len),
            n_commands: self.ledger.len(),
            ..growth.extent
        };
        growth.blocks.extend(last);
        growth
    }

    /// What was handed out last has been written.
    pub(super) fn has_written(&mut self, growth: &Growth) {
        self.written = (growth.extent, growth.hash);
    }

    /// What was handed out last cannot be written: it is left out, and the recording goes on behind
    /// what stands.
    pub(super) fn leave_out(&mut self) {
        let (extent, hash) = self.written;
        let now = self.growth.extent;
        let lost = now.bytes - extent.bytes;
        let lost_bytes = now.lost_bytes.saturating_add(lost);
        self.growth = Growth {
            extent: Extent { length_ms: now.length_ms, lost_bytes, ..extent },
            ..Growth::default()
        };
        (self.open, self.before, self.closed_bytes) = (None, hash, extent.stored_bytes);
        self.number += 1;
        self.mark(format!("{lost} bytes were not recorded"));
    }

    /// Marks the place that the recording has come to.
    pub(super) fn mark(&mut self, text: String) {
        self.put(self.growth.extent.length_ms, &What::Marker(text));
    }

    /// Whether it takes as many bytes as one may.
    pub(super) fn is_at_limit(&self) -> bool {
        self.closed_bytes >= MAX_RECORDING
    }

    /// What the process ended with, if that was seen.
    pub(super) fn exit_code(&self) -> Option<i64> {
        self.exit_code
    }
}

impl Open {
    fn new(screen: Option<&mut Screen>, window: (u16, u16), at_ms: i64) -> Self {
        let picture = screen.map_or_else(Picture::default, |screen| {
            let drawn = screen.again();
            let drawn = if drawn.len() > MAX_PICTURE { CLEAR.to_vec() } else { drawn };
            Picture { size: screen.size(), drawn }
        });
        let mut plain = events::begin(&picture);
        if picture.size != (0, 0) && within(window) != window {
            // What is drawn fits the screen, and what follows is meant for the window.
            let (cols, rows) = window;
            events::put(&mut plain, 0, &What::Resize { cols, rows });
        }
        // Pictures take no more room than twice what they show the way to.
        let most_bytes = MAX_BLOCK_BYTES.max(2 * picture.drawn.len());
        Self { plain, began_ms: at_ms, ended_ms: at_ms, most_bytes, n_bytes: 0, n_events: 0 }
    }
}

/// The size of the screen for a window.
fn within((cols, rows): (u16, u16)) -> (u16, u16) {
    (cols.min(MAX_SCREEN.0), rows.min(MAX_SCREEN.1))
}

fn len(block: &Block) -> i64 {
    i64::try_from(block.data.len()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::model::recording::ledger::Change;
    use crate::model::recording::{RecordingKind, RecordingReason, chained};
    use crate::server::app::recording_blocks::unpack;

    fn plan(command: &str) -> Plan {
        Plan {
            kind: RecordingKind::Shell,
            reason: RecordingReason::Policy,
            command: command.to_owned(),
            size: (80, 24),
            marks: Some("5ec2e7".to_owned()),
        }
    }

    fn output(at_ms: i64, text: &str) -> Piece {
        let what = What::Output(Bytes::copy_from_slice(text.as_bytes()));
        Piece { at_ms, what: Some(what), lost: 0 }
    }

    #[test]
    fn each_block_shows_the_screen_without_those_before_it() {
        let mut builder = Builder::new(&plan(""));
        let mut blocks = std::collections::BTreeMap::new();
        let mut all = String::new();
        for n in 0..20_000i64 {
            let text = format!("line {n}\r\n");
            all.push_str(&text);
            builder.add(&output(n * 3, &text));
            if n % 1000 == 999 {
                let growth = builder.growth();
                blocks.extend(growth.blocks.into_iter().map(|block| (block.number, block)));
                assert_eq!(growth.hash, blocks.last_key_value().unwrap().1.hash);
            }
        }
        assert!(blocks.len() > 5, "{}", blocks.len());
        let (mut before, mut again) = ([0; 32], Vec::new());
        let mut whole = Screen::without_history(80, 24);
        for (n, block) in blocks.values().enumerate() {
            assert_eq!(block.number, i64::try_from(n).unwrap());
            let places = (block.began_ms, block.ended_ms);
            assert_eq!(block.hash, chained(&before, block.number, places, &block.data));
            before = block.hash;
            let (picture, events) = unpack(block).unwrap();
            let mut alone = Screen::without_history(picture.size.0, picture.size.1);
            alone.feed(&picture.drawn);
            assert_eq!(alone.again(), whole.again(), "block {n}");
            for event in events {
                if let What::Output(bytes) = event.what {
                    whole.feed(&bytes);
                    again.extend_from_slice(&bytes);
                }
            }
        }
        assert_eq!(again, all.as_bytes(), "nothing is lost");
        assert!(!builder.has_grown(), "nothing came since");
    }

    #[test]
    fn commands_are_listed_with_their_places() {
        let mut builder = Builder::new(&plan(""));
        builder.add(&output(100, "\x1b]633;E;ls;5ec2e7\x07\x1b]133;C;steading=5ec2e7\x07a b\r\n"));
        builder.add(&output(150, "\x1b]133;D;2;steading=5ec2e7\x07$ "));
        let changes = builder.growth().changes;
        let (text, directory) = ("ls".to_owned(), String::new());
        assert_eq!(
            changes,
            [
                Change::Began { number: 0, text, directory, at_ms: 100 },
                Change::Ended { number: 0, length_ms: 50, code: Some(2) },
            ]
        );
        let mut builder = Builder::new(&plan("uptime"));
        builder.add(&Piece { at_ms: 5, what: Some(What::Exit(0)), lost: 7 });
        assert_eq!(builder.growth.extent.lost_bytes, 7);
        let growth = builder.growth();
        assert_eq!((growth.changes.len(), growth.extent.n_commands), (2, 1));
        assert_eq!(builder.exit_code(), Some(0));
    }

    #[test]
    fn a_window_of_any_size_has_pictures_of_a_small_one() {
        let large = Plan { size: (1000, 1000), ..plan("") };
        let mut builder = Builder::new(&large);
        let colours: String = (0..200_000u32)
            .map(|n| format!("\x1b[38;2;{};{};{}mx", n % 256, n / 256 % 256, n % 7))
            .collect();
        builder.add(&output(5, &colours));
        builder.add(&output(10, "behind"));
        let blocks = builder.growth().blocks;
        assert_eq!(blocks.len(), 2);
        let (picture, events) = unpack(&blocks[1]).unwrap();
        assert_eq!(picture.size, MAX_SCREEN);
        assert!(picture.drawn.len() <= MAX_PICTURE, "{}", picture.drawn.len());
        assert_eq!(events[0].what, What::Resize { cols: 1000, rows: 1000 });
        assert_eq!(events[1].what, What::Output(Bytes::from_static(b"behind")));
    }

    #[test]
    fn a_picture_that_is_too_large_is_left_out() {
        let mut screen = Screen::without_history(1000, 1000);
        for n in 0..100_000u32 {
            screen.feed(format!("\x1b[38;2;{};255;{}mx", n % 256, n % 200).as_bytes());
        }
        assert!(screen.again().len() > MAX_PICTURE);
        let open = Open::new(Some(&mut screen), (80, 24), 0);
        assert!(open.plain.len() < 100 && open.most_bytes == MAX_BLOCK_BYTES);
    }

    #[test]
    fn what_cannot_be_written_is_counted_and_the_chain_goes_on() {
        let mut builder = Builder::new(&plan(""));
        builder.add(&output(1, "kept"));
        let first = builder.growth();
        builder.has_written(&first);
        builder.add(&output(2, "left out"));
        builder.growth();
        builder.leave_out();
        builder.add(&output(3, "again"));
        let next = builder.growth();
        assert_eq!((next.extent.bytes, next.extent.lost_bytes), (4 + 5, 8));
        let block = &next.blocks[0];
        assert_eq!(next.blocks.len(), 1);
        let places = (block.began_ms, block.ended_ms);
        assert_eq!(block.hash, chained(&first.hash, 1, places, &block.data));
        let (_, events) = unpack(block).unwrap();
        assert_eq!(events[0].what, What::Marker("8 bytes were not recorded".to_owned()));
    }
}
