//! Passwords that are known to have leaked: a sorted list of hashes, searched where it lies.

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt as _;
use std::path::Path;

use anyhow::{Context as _, ensure};
use sha1::{Digest as _, Sha1};

/// A hash, as the list has them: SHA-1.
type Hash = [u8; 20];

/// Digits of a hash.
const DIGITS: usize = 40;
/// Bytes of the longest line: a hash, a colon, a count and the end of a line.
const MAX_LINE: u64 = 64;
/// Bytes that are read whole at the end of a search.
const BLOCK: u64 = 4 << 10;

/// A list of leaked passwords: lines `HASH:COUNT`, SHA-1 in hex, in order. It stays on the disk: some
/// have a billion lines.
pub struct Breached {
    file: File,
    length: u64,
}

impl std::fmt::Debug for Breached {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Breached").field("length", &self.length).finish_non_exhaustive()
    }
}

impl Breached {
    /// Opens a list, and looks whether its ends are such lines in order.
    ///
    /// # Errors
    /// Says what is wrong with the file.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        let read = || format!("Reading the leaked passwords in {}", path.display());
        let file = File::open(path).with_context(read)?;
        let metadata = file.metadata().with_context(read)?;
        ensure!(metadata.is_file(), "{} is no file", path.display());
        let list = Self { file, length: metadata.len() };
        let (first, last) = list.ends().with_context(read)?;
        ensure!(
            first <= last,
            "{} is not in order: take a list that is sorted by its hashes",
            path.display()
        );
        Ok(list)
    }

    /// Whether a password is on the list.
    ///
    /// # Errors
    /// When the file cannot be read, or holds something else.
    pub fn holds(&self, password: &str) -> io::Result<bool> {
        let wanted: Hash = Sha1::digest(password.as_bytes()).into();
        // The line that is looked for begins at `low` or after it, and before `high`.
        let (mut low, mut high) = (0, self.length);
        while high - low > BLOCK {
            let middle = low + (high - low) / 2;
            let window = self.read(middle, 2 * MAX_LINE)?;
            let (skipped, line) = after_line(&window).ok_or_else(|| no_line(middle))?;
            let start = middle + skipped;
            if hash(line).ok_or_else(|| no_line(start))? <= wanted {
                low = start;
            } else {
                high = start;
            }
        }
        let block = self.read(low, high - low)?;
        let mut lines = block.split(|b| *b == b'\n').filter(|line| !line.is_empty());
        Ok(lines.any(|line| hash(line) == Some(wanted)))
    }

    /// The first and the last hash.
    fn ends(&self) -> io::Result<(Hash, Hash)> {
        let first = self.read(0, MAX_LINE)?;
        let first = hash(&first).ok_or_else(|| no_line(0))?;
        let from = self.length.saturating_sub(2 * MAX_LINE);
        let end = self.read(from, 2 * MAX_LINE)?;
        let mut lines = end.split(|b| *b == b'\n').rev().filter(|line| !line.is_empty());
        let last = lines.next().and_then(hash).ok_or_else(|| no_line(from))?;
        Ok((first, last))
    }

    /// Up to `length` bytes from a place on.
    fn read(&self, at: u64, length: u64) -> io::Result<Vec<u8>> {
        let length = length.min(self.length.saturating_sub(at));
        let mut bytes = vec![0; usize::try_from(length).unwrap_or_default()];
        self.file.read_exact_at(&mut bytes, at)?;
        Ok(bytes)
    }
}

/// How far the next line is, and what stands there.
fn after_line(window: &[u8]) -> Option<(u64, &[u8])> {
    let end = window.iter().position(|b| *b == b'\n')?;
    let line = window.get(end + 1..)?;
    Some((u64::try_from(end + 1).ok()?, line))
}

/// The hash that a line begins with.
fn hash(line: &[u8]) -> Option<Hash> {
    let (digits, rest) = line.split_at_checked(DIGITS)?;
    let mut hash = Hash::default();
    hex::decode_to_slice(digits, &mut hash).ok()?;
    let ends = rest.first().is_none_or(|b| matches!(b, b':' | b'\r' | b'\n'));
    ends.then_some(hash)
}

fn no_line(at: u64) -> io::Error {
    let why = format!("at byte {at} is no line HASH:COUNT with a SHA-1 hash in hex");
    io::Error::new(io::ErrorKind::InvalidData, why)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(lines: &[String], end: &str) -> tempfile::NamedTempFile {
        let file = tempfile::NamedTempFile::new().unwrap();
        let text: String = lines.iter().map(|line| format!("{line}{end}")).collect();
        std::fs::write(file.path(), text).unwrap();
        file
    }

    fn lines(passwords: impl Iterator<Item = String>) -> Vec<String> {
        let line = |(n, password): (usize, String)| {
            let hash = hex::encode_upper(Sha1::digest(password.as_bytes()));
            format!("{hash}:{}", 7_usize.pow(u32::try_from(n % 9).unwrap()))
        };
        let mut all: Vec<String> = passwords.enumerate().map(line).collect();
        all.sort();
        all
    }

    #[test]
    fn each_of_a_long_list_is_found_and_no_other() {
        for (n, end) in [(1, "\r\n"), (2, "\n"), (90, "\n"), (5_000, "\r\n")] {
            let all = lines((0..n).map(|i| format!("leaked {i}")));
            let file = file(&all, end);
            let list = Breached::open(file.path()).unwrap();
            for i in 0..n {
                assert!(list.holds(&format!("leaked {i}")).unwrap(), "{i} of {n}");
                assert!(!list.holds(&format!("kept {i}")).unwrap(), "{i} of {n}");
            }
        }
    }

    #[test]
    fn what_is_no_such_list_is_refused_at_once() {
        let mut backwards = lines((0..90).map(|i| format!("leaked {i}")));
        backwards.reverse();
        let halves =
            lines((0..9).map(|i| i.to_string())).into_iter().map(|l| l.chars().skip(5).collect());
        for (bad, why) in [
            (backwards, "not in order"),
            (vec![], "no line"),
            (halves.collect(), "no line"),
            (vec!["password".to_owned(); 40], "no line"),
        ] {
            let file = file(&bad, "\n");
            let said = format!("{:#}", Breached::open(file.path()).unwrap_err());
            assert!(said.contains(why), "{said}");
        }
        let said = format!("{:#}", Breached::open(Path::new("/nowhere/at/all")).unwrap_err());
        assert!(said.contains("/nowhere/at/all"), "{said}");
        assert!(Breached::open(Path::new("/tmp")).is_err());
    }
}
