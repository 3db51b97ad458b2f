//! What passes a recorded session and is in no recording: files by SFTP, ports, sockets. Each leaves a
//! row, with its name and how much passed. Pure: what is seen goes in, rows come out.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::id::{SessionId, UserId, WorkspaceId};
use crate::model::text;
use crate::model::time::Timestamp;
use crate::model::user::{UserRef, define_words};

define_words! {
    /// What passed.
    TransferKind {
        /// A file that was opened to be read.
        Download = "download",
        /// A file that was opened to be written.
        Upload = "upload",
        /// A file or a directory was removed.
        Remove = "remove",
        /// A file or a directory got another name.
        Rename = "rename",
        /// A port in the workspace.
        Port = "port",
        /// A Unix socket in the workspace.
        Socket = "socket",
        /// A port or a socket that is listened on in the workspace.
        Listener = "listener",
        /// All that came beyond the rows of one session.
        Rest = "rest",
    }
}

/// Rows of one session. What comes beyond is counted in one row: a copy of many small files is told by
/// its first thousand.
pub const MAX_ROWS: i64 = 1000;
/// Characters of a name that are kept.
pub const MAX_NAME: usize = 1024;

/// One row as it is written, and written again as it grows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Row {
    /// Its place in the session, from 0.
    pub number: i64,
    /// What passed.
    pub kind: TransferKind,
    /// The file's path as the client had it, the port as `HOST:PORT`, or the socket's path.
    pub name: String,
    /// The new name of what was renamed; empty otherwise.
    pub to_name: String,
    /// How often: connections to a port, files in the rest.
    pub n: i64,
    /// Bytes to the person.
    pub bytes_out: i64,
    /// Bytes from the person.
    pub bytes_in: i64,
    /// When it began.
    pub began_at: Timestamp,
    /// When it ended; none while it lasts.
    pub ended_at: Option<Timestamp>,
}

/// Whose session it is that rows belong to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whose {
    /// The session.
    pub session: SessionId,
    /// Who.
    pub user: UserId,
    /// Where.
    pub workspace: WorkspaceId,
}

/// What passed, with whose it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Transfer {
    /// The session.
    pub session: SessionId,
    /// Who.
    pub user: UserRef,
    /// Where.
    pub workspace_id: WorkspaceId,
    /// That workspace's name.
    pub workspace_name: String,
    /// Whose workspace it is.
    pub owner: UserRef,
    /// What.
    pub row: Row,
}

/// The rows of one session as they are made: bounded, whatever is sent.
#[derive(Debug, Default)]
pub struct Tally {
    rows: BTreeMap<i64, Row>,
    /// Rows that are one each, however often they come.
    places: BTreeMap<(&'static str, String), i64>,
    changed: BTreeSet<i64>,
    next: i64,
}

impl Tally {
    /// Something begins that is a row of its own. Returns its number.
    pub fn begin(
        &mut self,
        kind: TransferKind,
        (name, to_name): (&str, &str),
        now: Timestamp,
    ) -> i64 {
        let number = self.next.min(MAX_ROWS);
        self.changed.insert(number);
        if number == MAX_ROWS {
            let rest = self.rows.entry(number).or_insert_with(|| Row::new(number, now));
            rest.n = rest.n.saturating_add(1);
            return number;
        }
        self.next += 1;
        let (name, to_name) = (kept(name), kept(to_name));
        self.rows.insert(number, Row { kind, name, to_name, n: 1, ..Row::new(number, now) });
        number
    }

    /// Something begins of which there is one row, however often it comes. Returns its number.
    pub fn again(&mut self, kind: TransferKind, name: &str, now: Timestamp) -> i64 {
        let key = (kind.as_str(), kept(name));
        let known = self.places.get(&key).copied();
        let Some((number, row)) = known.and_then(|n| Some((n, self.rows.get_mut(&n)?))) else {
            let number = self.begin(kind, (name, ""), now);
            if number < MAX_ROWS {
                self.places.insert(key, number);
            }
            return number;
        };
        row.n = row.n.saturating_add(1);
        row.ended_at = None;
        self.changed.insert(number);
        number
    }

    /// Counts bytes to the person, and from them.
    pub fn count(&mut self, number: i64, out: u64, inward: u64) {
        let Some(row) = self.rows.get_mut(&number) else { return };
        let add = |sum: i64, n: u64| sum.saturating_add(i64::try_from(n).unwrap_or(i64::MAX));
        (row.bytes_out, row.bytes_in) = (add(row.bytes_out, out), add(row.bytes_in, inward));
        self.changed.insert(number);
    }

    /// Something ended. It may come again, if it is one that does.
    pub fn end(&mut self, number: i64, now: Timestamp) {
        if let Some(row) = self.rows.get_mut(&number) {
            row.ended_at = Some(now);
            self.changed.insert(number);
        }
    }

    /// The session ended, and all of it that lasted.
    pub fn end_all(&mut self, now: Timestamp) {
        for (number, row) in self.rows.iter_mut().filter(|(_, row)| row.ended_at.is_none()) {
            row.ended_at = Some(now);
            self.changed.insert(*number);
        }
    }

    /// Takes out what changed since the last time. What ended is not kept in mind any more.
    pub fn take(&mut self) -> Vec<Row> {
        let changed = std::mem::take(&mut self.changed);
        let taken: Vec<Row> = changed.iter().filter_map(|n| self.rows.get(n).cloned()).collect();
        let comes_again: BTreeSet<i64> = self.places.values().copied().collect();
        for row in taken.iter().filter(|row| row.ended_at.is_some()) {
            if row.number < MAX_ROWS && !comes_again.contains(&row.number) {
                self.rows.remove(&row.number);
            }
        }
        taken
    }
}

impl Row {
    /// The row of what is beyond the others, to be made another.
    fn new(number: i64, now: Timestamp) -> Self {
        Self {
            number,
            kind: TransferKind::Rest,
            name: String::new(),
            to_name: String::new(),
            n: 0,
            bytes_out: 0,
            bytes_in: 0,
            began_at: now,
            ended_at: None,
        }
    }
}

/// A name as it is kept: on one line, with what would not be seen written out, and not too long.
fn kept(name: &str) -> String {
    let seen = name.replace(['\n', '\r', '\t'], " ");
    let seen = text::shown(&seen);
    match seen.char_indices().nth(MAX_NAME - 1) {
        Some((end, _)) => format!("{}…", seen.get(..end).unwrap_or_default()),
        None => seen.into_owned(),
    }
}

/// A path as text: bytes that are no text are written out.
#[must_use]
pub fn path_text(path: &[u8]) -> String {
    let mut out = String::with_capacity(path.len());
    for chunk in path.utf8_chunks() {
        out.push_str(chunk.valid());
        for byte in chunk.invalid() {
            out.push_str(&format!("\\x{byte:02x}"));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const NOW: Timestamp = Timestamp(1_795_000_000);

    #[test]
    fn a_file_is_a_row_that_grows_and_ends() {
        let mut tally = Tally::default();
        let number = tally.begin(TransferKind::Upload, ("/srv/a", ""), NOW);
        tally.count(number, 0, 7);
        let first = tally.take();
        assert_eq!((first.len(), first[0].bytes_in, first[0].ended_at), (1, 7, None));
        assert!(tally.take().is_empty(), "nothing changed since");
        tally.count(number, 0, 3);
        tally.end(number, NOW);
        let last = tally.take();
        assert_eq!((last[0].bytes_in, last[0].ended_at), (10, Some(NOW)));
        tally.count(number, 1, 1);
        assert!(tally.take().is_empty(), "what ended is forgotten");
    }

    #[test]
    fn a_port_is_one_row_however_often_it_is_used() {
        let mut tally = Tally::default();
        for _ in 0..5000 {
            let number = tally.again(TransferKind::Port, "db:5432", NOW);
            tally.count(number, 10, 1);
            tally.end(number, NOW);
        }
        let rows = tally.take();
        assert_eq!((rows.len(), rows[0].n, rows[0].bytes_out), (1, 5000, 50_000));
        let again = tally.again(TransferKind::Port, "db:5432", NOW);
        assert_eq!((again, tally.take()[0].ended_at), (0, None));
        tally.end_all(NOW);
        assert_eq!(tally.take()[0].ended_at, Some(NOW));
    }

    #[test]
    fn what_is_beyond_the_rows_is_counted_in_one() {
        let mut tally = Tally::default();
        for n in 0..MAX_ROWS + 500 {
            let number = tally.begin(TransferKind::Download, (&format!("f{n}"), ""), NOW);
            tally.count(number, 2, 0);
            tally.end(number, NOW);
        }
        let rows = tally.take();
        assert_eq!(rows.len(), usize::try_from(MAX_ROWS).unwrap() + 1);
        let rest = rows.last().unwrap();
        assert_eq!((rest.kind, rest.n, rest.bytes_out), (TransferKind::Rest, 500, 1000));
        assert!(tally.rows.len() == 1 && tally.places.is_empty());
        for n in 0..500 {
            tally.again(TransferKind::Port, &format!("h:{n}"), NOW);
        }
        assert!(tally.rows.len() == 1 && tally.places.is_empty());
    }

    #[test]
    fn names_are_on_one_line_and_not_too_long() {
        assert_eq!(kept("a\n\u{202e}b\u{7}"), "a \\u{202e}b\\u{7}");
        assert_eq!(kept(&"é".repeat(2000)).chars().count(), MAX_NAME);
        assert_eq!(path_text(b"/caf\xe9/\xc3\xa9"), "/caf\\xe9/é");
    }

    proptest! {
        #[test]
        fn any_name_fits_its_column(name in proptest::collection::vec(any::<u8>(), 0..5000)) {
            let name = kept(&path_text(&name));
            prop_assert!(name.chars().count() <= MAX_NAME);
            prop_assert!(!name.chars().any(char::is_control));
        }
    }
}
