//! A file that a command writes to and that is read while it grows.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;

use anyhow::Context as _;

use super::job::Failure;
use crate::model::log::MAX_LINE_BYTES;

/// How much is read at once.
const CHUNK: u64 = 256 << 10;

/// How far reading may be behind before what is older is passed over: eight times what a log keeps,
/// so that nothing is passed over that would have been kept, and what a disk has to spare.
const MAX_BEHIND: u64 = 64 << 20;

/// How much of the newest is read when the rest is passed over: why a command failed comes last.
const NEWEST: u64 = 4 << 20;

/// How much is freed at once, with a note of how far that was.
const FREE_AT: u64 = 1 << 20;

/// Largest answer of a command that is read as a whole. A plan of a thousand objects has 20 MiB.
const MAX_ANSWER_BYTES: u64 = 128 << 20;

/// A file that grows.
pub(super) struct Tail {
    path: PathBuf,
    file: File,
    rest: Vec<u8>,
    /// How much was read.
    at: u64,
    /// How much of that was given back to the disk.
    freed: u64,
    /// Whether what comes next begins within a line.
    is_within: bool,
}

/// What came since the last look.
pub(super) struct Came {
    pub lines: Vec<String>,
    /// Whether there may be more already.
    pub more: bool,
    /// How many bytes were passed over before the lines.
    pub passed_over: u64,
}

impl Tail {
    pub(super) fn new(path: PathBuf) -> Result<Self, Failure> {
        let file = std::fs::OpenOptions::new()
            .create(true)
            .truncate(true)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path)
            .with_context(|| format!("Making {}", path.display()))?;
        Ok(Self { path, file, rest: vec![], at: 0, freed: 0, is_within: false })
    }

    /// The end that a command writes to.
    pub(super) fn append(&self) -> Result<File, Failure> {
        let file = std::fs::OpenOptions::new().append(true).open(&self.path);
        Ok(file.with_context(|| format!("Opening {}", self.path.display()))?)
    }

    /// The whole lines that came. A line that has no end is given out at the end, or once it is
    /// longer than any line that is kept.
    pub(super) fn lines(&mut self, at_end: bool) -> Result<Came, Failure> {
        let passed_over = self.catch_up().context("Reading output")?;
        let mut chunk = Vec::new();
        let read = (&self.file).take(CHUNK).read_to_end(&mut chunk).context("Reading output")?;
        self.rest.extend_from_slice(&chunk);
        let more = read as u64 == CHUNK;
        self.at += read as u64;
        if self.is_within
            && let Some(end) = self.rest.iter().position(|b| *b == b'\n')
        {
            self.rest.drain(..=end);
            self.is_within = false;
        }
        let is_too_long = self.rest.len() > MAX_LINE_BYTES * 64 && !self.rest.contains(&b'\n');
        let end = if (at_end && !more) || is_too_long {
            self.rest.len()
        } else {
            self.rest.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1)
        };
        let whole: Vec<u8> = self.rest.drain(..end).collect();
        let lines = String::from_utf8_lossy(&whole).lines().map(str::to_owned).collect();
        Ok(Came { lines, more, passed_over })
    }

    /// Passes over what is too much; says how much that was.
    fn catch_up(&mut self) -> std::io::Result<u64> {
        let len = self.file.metadata()?.len();
        if len.saturating_sub(self.at) <= MAX_BEHIND {
            return Ok(0);
        }
        let to = len - NEWEST;
        let passed_over = to - self.at;
        self.file.seek(SeekFrom::Start(to))?;
        self.rest.clear();
        (self.at, self.is_within) = (to, true);
        Ok(passed_over)
    }

    /// Up to where all lines were given out.
    pub(super) fn done(&self) -> u64 {
        self.at.saturating_sub(self.rest.len() as u64)
    }

    /// Whether so much was given out that it is worth freeing.
    pub(super) fn is_due(&self) -> bool {
        self.done().saturating_sub(self.freed) >= FREE_AT
    }

    /// Frees the disk of what was given out: a command may print for an hour.
    pub(super) fn give_back(&mut self) {
        self.freed = self.done();
        #[cfg(target_os = "linux")]
        {
            use rustix::fs::{FallocateFlags, fallocate};
            let how = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
            // Where the file system cannot, the file grows as it would.
            let _ = fallocate(&self.file, how, 0, self.freed.max(1));
        }
    }

    /// Whether there is more than is taken as an answer.
    pub(super) fn is_too_much(&self) -> Result<bool, Failure> {
        let len = self.file.metadata().context("Reading an answer")?.len();
        Ok(len > MAX_ANSWER_BYTES)
    }

    /// All of it.
    pub(super) fn whole(mut self) -> Result<Vec<u8>, Failure> {
        let mut out = Vec::new();
        self.file.seek(SeekFrom::Start(0)).context("Reading an answer")?;
        self.file.take(MAX_ANSWER_BYTES).read_to_end(&mut out).context("Reading an answer")?;
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    #[test]
    fn a_reader_that_is_far_behind_goes_on_with_the_newest_whole_lines() {
        let dir = tempfile::tempdir().unwrap();
        let mut tail = Tail::new(dir.path().join("out")).unwrap();
        let mut command = tail.append().unwrap();
        command.write_all(b"first\nhalf").unwrap();
        let came = tail.lines(false).unwrap();
        assert_eq!((came.lines, came.passed_over), (vec!["first".to_owned()], 0));
        let mebibyte = format!("{}\n", "y".repeat(1023)).repeat(1024);
        for _ in 0..70 {
            command.write_all(mebibyte.as_bytes()).unwrap();
        }
        command.write_all(b"last\n").unwrap();
        let (mut lines, mut passed_over) = (vec![], 0);
        loop {
            let came = tail.lines(true).unwrap();
            lines.extend(came.lines);
            passed_over += came.passed_over;
            if !came.more {
                break;
            }
        }
        assert!(passed_over > 60 << 20, "{passed_over}");
        assert_eq!(lines.last().unwrap(), "last");
        assert!(lines.iter().rev().skip(1).all(|l| l.len() == 1023));
        assert!(lines.len() > 1000, "{}", lines.len());
    }
}
