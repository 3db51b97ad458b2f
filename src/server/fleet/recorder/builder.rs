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

/// One recording as it is made.
pub(super) struct Builder {
    /// None where there is no terminal.
    screen: Option<Screen>,
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
    exit_code: Option<i64>,
    has_grown: bool,
}

/// The block that is being made.
struct Open {
    plain: Vec<u8>,
    began_ms: i64,
    ended_ms: i64,
    n_bytes: usize,
    n_events: usize,
}

impl Builder {
    pub(super) fn new(plan: &Plan) -> Self {
        let (cols, rows) = plan.size;
        let mut this = Self {
            screen: (plan.size != (0, 0)).then(|| Screen::without_history(cols, rows)),
            marks: plan.marks.clone().map(Marks::new),
            ledger: Ledger::default(),
            open: None,
            growth: Growth::default(),
            before: [0; 32],
            number: 0,
            closed_bytes: 0,
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
            none => none.insert(Open::new(self.screen.as_mut(), at_ms)),
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
                if let Some(screen) = &mut self.screen {
                    screen.resize(*cols, *rows);
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
            open.n_bytes >= MAX_BLOCK_BYTES
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

    /// What the process ended with, if that was seen.
    pub(super) fn exit_code(&self) -> Option<i64> {
        self.exit_code
    }
}

impl Open {
    fn new(screen: Option<&mut Screen>, at_ms: i64) -> Self {
        let picture = screen.map_or_else(Picture::default, |screen| Picture {
            size: screen.size(),
            drawn: screen.again(),
        });
        let plain = events::begin(&picture);
        Self { plain, began_ms: at_ms, ended_ms: at_ms, n_bytes: 0, n_events: 0 }
    }
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
}
