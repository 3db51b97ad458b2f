//! How far a command's output was read: what was read is given back to the disk, and a later life
//! of the server has to go on where this one was.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::PathBuf;

use super::dir::write_private;
use super::says::{self, Event, Times};
use super::work::WorkDir;
use crate::model::log::MAX_LINE_BYTES;

/// How much is read at once.
const CHUNK: u64 = 256 << 10;

/// Where reading goes on, and what was under way there.
#[derive(Debug, Default, serde::Serialize, serde::Deserialize)]
pub(super) struct Seen {
    pub at: u64,
    pub open: Vec<Event>,
    /// Some of what came before was never read.
    pub is_partial: bool,
}

impl Seen {
    /// Forgets an earlier run of the command.
    pub(super) fn forget(work: &WorkDir, command: &str) {
        let _ = std::fs::remove_file(path(work, command));
    }

    pub(super) fn write(&self, work: &WorkDir, command: &str) -> anyhow::Result<()> {
        write_private(&path(work, command), &serde_json::to_vec(self)?)
    }

    /// From the beginning, where nothing was written.
    fn read(work: &WorkDir, command: &str) -> Self {
        let seen = std::fs::read(path(work, command)).ok();
        seen.and_then(|seen| serde_json::from_slice(&seen).ok()).unwrap_or_default()
    }
}

fn path(work: &WorkDir, command: &str) -> PathBuf {
    work.file(&format!("{command}.seen"))
}

/// The output of a command that nobody follows any more.
pub(super) struct Orphan {
    path: PathBuf,
    at: u64,
    rest: Vec<u8>,
    times: Times,
    is_partial: bool,
}

impl Orphan {
    pub(super) fn new(work: &WorkDir, command: &str) -> Self {
        let Seen { at, open, is_partial } = Seen::read(work, command);
        let (path, times) = (work.output(command), Times::with(open));
        Self { path, at, rest: vec![], times, is_partial }
    }

    /// The objects that it began with and has not ended, as far as it said by now.
    pub(super) fn under_way(&mut self) -> Vec<String> {
        if let Err(error) = self.read_on() {
            tracing::debug!(%error, path = ?self.path, "an output cannot be read");
        }
        let mut objects = self.times.under_way();
        if objects.is_empty() && self.is_partial {
            objects.push("what its output no longer names".to_owned());
        }
        objects
    }

    fn read_on(&mut self) -> std::io::Result<()> {
        let mut file = File::open(&self.path)?;
        file.seek(SeekFrom::Start(self.at))?;
        loop {
            let read = (&file).take(CHUNK).read_to_end(&mut self.rest)?;
            if read == 0 {
                return Ok(());
            }
            self.at += read as u64;
            let end = self.rest.iter().rposition(|b| *b == b'\n').map_or(0, |i| i + 1);
            let lines: Vec<u8> = self.rest.drain(..end).collect();
            for line in String::from_utf8_lossy(&lines).lines() {
                says::understand(line).event.into_iter().for_each(|event| self.times.add(event));
            }
            // No event is as long.
            if self.rest.len() > MAX_LINE_BYTES * 64 {
                self.rest.clear();
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::model::id::JobId;
    use crate::provision::dir::create_private;
    use crate::provision::tail::Tail;

    fn line(kind: &str, address: &str) -> String {
        format!(
            r#"{{"@level":"info","@message":"m","@timestamp":"2026-11-21T11:00:00Z","type":"{kind}","hook":{{"resource":{{"addr":"{address}","implied_provider":"a"}},"action":"create"}}}}"#
        ) + "\n"
    }

    #[test]
    fn what_is_under_way_is_known_though_its_begin_was_given_back() {
        let dir = tempfile::tempdir().unwrap();
        let work = WorkDir::of(dir.path(), JobId(uuid::Uuid::from_u128(7)));
        create_private(&work.template()).unwrap();
        let mut tail = Tail::new(work.output("apply")).unwrap();
        let mut command = tail.append().unwrap();
        let mut times = Times::default();
        let mut say = |text: &str| command.write_all(text.as_bytes()).unwrap();
        let mut follow = || {
            for line in tail.lines(false).unwrap().lines {
                says::understand(&line).event.into_iter().for_each(|event| times.add(event));
            }
            tail.is_due().then(|| {
                let (at, open) = (tail.done(), times.open().to_vec());
                Seen { at, open, is_partial: false }.write(&work, "apply").unwrap();
                tail.give_back();
            })
        };
        say(&line("apply_start", "a.slow"));
        say(&line("apply_start", "a.quick"));
        assert_eq!(follow(), None);
        assert_eq!(Orphan::new(&work, "apply").under_way(), ["a.slow", "a.quick"]);
        // Little at a time, and never as much as is read at once.
        let mut n_times = 0;
        for _ in 0..300 {
            say(&format!("{}\n", "x".repeat(9_999)));
            n_times += usize::from(follow().is_some());
        }
        assert_eq!(n_times, 2);
        say(&line("apply_complete", "a.quick"));
        let mut orphan = Orphan::new(&work, "apply");
        assert_eq!(orphan.under_way(), ["a.slow"]);
        say(&line("apply_complete", "a.slow"));
        assert!(orphan.under_way().is_empty());

        Seen::forget(&work, "apply");
        Seen { is_partial: true, ..Seen::default() }.write(&work, "apply").unwrap();
        assert_eq!(Orphan::new(&work, "apply").under_way(), ["what its output no longer names"]);
    }
}
