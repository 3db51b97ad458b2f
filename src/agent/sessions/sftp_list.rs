//! A line of a directory as `ls -l` prints it, which SFTP clients show as it is.

use std::ffi::OsStr;
use std::fs::Metadata;

use super::disk;
use crate::model::time::Timestamp;

/// Older than this, the year is shown in place of the time.
const RECENT_SECONDS: i64 = 182 * 24 * 60 * 60;

/// The line of one entry.
pub(super) fn line(name: &OsStr, found: &Metadata, now: Timestamp) -> Vec<u8> {
    let attrs = disk::attrs_of(found);
    let (links, user, group) = disk::owners(found);
    let mode = attrs.mode.unwrap_or_default();
    let changed = attrs.times.map_or(0, |(_, changed)| changed.into());
    let head = format!(
        "{}{} {:>4} {:<8} {:<8} {:>8} {} ",
        kind(mode),
        permissions(mode),
        links,
        user,
        group,
        found.len(),
        date(changed, now),
    );
    [head.as_bytes(), &disk::in_line(name)].concat()
}

fn kind(mode: u32) -> char {
    match mode & 0o170_000 {
        0o040_000 => 'd',
        0o120_000 => 'l',
        0o020_000 => 'c',
        0o060_000 => 'b',
        0o010_000 => 'p',
        0o140_000 => 's',
        _ => '-',
    }
}

fn permissions(mode: u32) -> String {
    let special = [mode & 0o4000, mode & 0o2000, mode & 0o1000];
    let mut out = String::with_capacity(9);
    for (triple, special) in special.into_iter().enumerate() {
        let bits = mode >> (6 - 3 * triple);
        out.push(if bits & 4 != 0 { 'r' } else { '-' });
        out.push(if bits & 2 != 0 { 'w' } else { '-' });
        out.push(match (special != 0, bits & 1 != 0, triple < 2) {
            (false, true, _) => 'x',
            (false, false, _) => '-',
            (true, true, true) => 's',
            (true, false, true) => 'S',
            (true, true, false) => 't',
            (true, false, false) => 'T',
        });
    }
    out
}

fn date(at: i64, now: Timestamp) -> String {
    let format = if (now.0 - at).abs() < RECENT_SECONDS { "%b %e %H:%M" } else { "%b %e  %Y" };
    let at = jiff::Timestamp::from_second(at).unwrap_or(jiff::Timestamp::UNIX_EPOCH);
    at.to_zoned(jiff::tz::TimeZone::system()).strftime(format).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn modes_read_as_everywhere() {
        assert_eq!(permissions(0o755), "rwxr-xr-x");
        assert_eq!(permissions(0o4711), "rws--x--x");
        assert_eq!(permissions(0o1776), "rwxrwxrwT");
        assert_eq!(kind(0o100_644), '-');
        assert_eq!(kind(0o040_755), 'd');
    }
}
