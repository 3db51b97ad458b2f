//! This program as a file: its name for each platform, and the mark in it that says what it is, so
//! that a file for another machine is known without running it.

use super::bootstrap::PLATFORMS;

/// The operating system in the words of templates.
#[cfg(target_os = "macos")]
macro_rules! os {
    () => {
        "darwin"
    };
}
#[cfg(target_os = "linux")]
macro_rules! os {
    () => {
        "linux"
    };
}
#[cfg(windows)]
macro_rules! os {
    () => {
        "windows"
    };
}
#[cfg(not(any(target_os = "macos", target_os = "linux", windows)))]
macro_rules! os {
    () => {
        "other"
    };
}

/// The architecture in the words of templates.
#[cfg(target_arch = "x86_64")]
macro_rules! arch {
    () => {
        "amd64"
    };
}
#[cfg(target_arch = "aarch64")]
macro_rules! arch {
    () => {
        "arm64"
    };
}
#[cfg(target_arch = "arm")]
macro_rules! arch {
    () => {
        "armv7"
    };
}
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64", target_arch = "arm")))]
macro_rules! arch {
    () => {
        "other"
    };
}

/// `linux`, `darwin`, `windows`.
pub const OS: &str = os!();
/// `amd64`, `arm64`, `armv7`.
pub const ARCH: &str = arch!();

/// What a mark begins with. The looking side holds these words too, but not what follows them.
const BEGIN: &str = "\u{1}steading program\0";
/// Its first byte.
const START: u8 = 1;
/// This program's mark: version, operating system, architecture.
static MARK: &str =
    concat!("\u{1}steading program\0", env!("CARGO_PKG_VERSION"), "\0", os!(), "\0", arch!(), "\0");
/// The longest mark there may be.
const MAX_MARK: usize = 128;

/// This program's version. Read out of the mark, so that both are always the same.
#[must_use]
pub fn version() -> &'static str {
    let mark = std::hint::black_box(MARK);
    mark.strip_prefix(BEGIN).and_then(|m| m.split('\0').next()).unwrap_or_default()
}

/// A machine that a program is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Platform {
    /// `linux`, `darwin`, `windows`.
    pub os: &'static str,
    /// `amd64`, `arm64`, `armv7`.
    pub arch: &'static str,
}

impl Platform {
    /// The one that this program was made for.
    pub const OWN: Self = Self { os: OS, arch: ARCH };

    /// One of those that there are programs for.
    #[must_use]
    pub fn new(os: &str, arch: &str) -> Option<Self> {
        let known = PLATFORMS.iter().find(|known| **known == (os, arch));
        known.map(|&(os, arch)| Self { os, arch })
    }

    /// The one that a file is named for: `coder-linux-amd64`, `steading-windows-amd64.exe`.
    #[must_use]
    pub fn of_file(name: &str) -> Option<Self> {
        let rest = name.strip_prefix("coder-").or_else(|| name.strip_prefix("steading-"))?;
        let (os, rest) = rest.split_once('-')?;
        let arch = if os == "windows" { rest.strip_suffix(".exe")? } else { rest };
        Self::new(os, arch)
    }

    /// The name of its file: `steading-linux-amd64`.
    #[must_use]
    pub fn file(self) -> String {
        let end = if self.os == "windows" { ".exe" } else { "" };
        format!("steading-{}-{}{end}", self.os, self.arch)
    }
}

impl std::fmt::Display for Platform {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.os, self.arch)
    }
}

/// What a program's file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// Its version.
    pub version: String,
    /// The machine it is for.
    pub platform: Platform,
}

impl Mark {
    /// Reads what follows [`BEGIN`].
    fn read(rest: &[u8]) -> Option<Self> {
        let rest = rest.get(..MAX_MARK.min(rest.len()))?;
        let mut parts = rest.split(|b| *b == 0).map(std::str::from_utf8);
        let mut next = || parts.next()?.ok();
        let (version, os, arch) = (next()?, next()?, next()?);
        let ended = parts.next().is_some();
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '+');
        let is_version = version.starts_with(|c: char| c.is_ascii_digit());
        let platform = Platform::new(os, arch)?;
        (ended && is_version && version.chars().all(plain))
            .then(|| Self { version: version.to_owned(), platform })
    }
}

/// Looks for a mark in a file that is read piece by piece.
#[derive(Debug, Default)]
pub struct Finder {
    /// The end of what was looked through: a mark may begin in it.
    held: Vec<u8>,
    found: Option<Mark>,
}

impl Finder {
    /// The next piece.
    pub fn feed(&mut self, piece: &[u8]) {
        if self.found.is_some() {
            return;
        }
        self.held.extend_from_slice(piece);
        let mut rest = self.held.as_slice();
        // By its first byte, which is rare: files are large.
        while let Some(at) = rest.iter().position(|byte| *byte == START) {
            rest = rest.get(at..).unwrap_or_default();
            self.found = rest.strip_prefix(BEGIN.as_bytes()).and_then(Mark::read);
            if self.found.is_some() {
                return;
            }
            rest = rest.get(1..).unwrap_or_default();
        }
        let done = self.held.len().saturating_sub(BEGIN.len() + MAX_MARK);
        self.held.drain(..done);
    }

    /// What was found.
    #[must_use]
    pub fn found(self) -> Option<Mark> {
        self.found
    }
}

/// Whether a version is newer than another: by its three numbers; of equal ones, a release is newer
/// than what comes before it. What cannot be read is never newer.
#[must_use]
pub fn is_newer(version: &str, than: &str) -> bool {
    match (order(version), order(than)) {
        (Some(version), Some(than)) => version > than,
        _ => false,
    }
}

fn order(version: &str) -> Option<([u32; 3], bool)> {
    let version = version.split('+').next()?;
    let (numbers, before) = version.split_once('-').map_or((version, ""), |parts| parts);
    let mut parts = numbers.split('.').map(|n| n.parse().ok());
    let mut next = || parts.next().flatten();
    let numbers = [next()?, next()?, next()?];
    parts.next().is_none().then_some((numbers, before.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_program_says_what_it_is_however_it_is_read() {
        assert_eq!(version(), env!("CARGO_PKG_VERSION"));
        let file = [&[7; 500], MARK.as_bytes(), &[0; 500]].concat();
        for size in [1, 7, 64, 2000] {
            let mut finder = Finder::default();
            file.chunks(size).for_each(|piece| finder.feed(piece));
            let mark = finder.found().unwrap();
            assert_eq!((mark.version.as_str(), mark.platform), (version(), Platform::OWN));
        }
    }

    #[test]
    fn what_is_no_mark_is_none() {
        let of = |bytes: &[u8]| {
            let mut finder = Finder::default();
            finder.feed(bytes);
            finder.found()
        };
        let with = |rest: &str| of(format!("{BEGIN}{rest}").as_bytes());
        assert_eq!(of(b"#!/bin/sh\n"), None);
        assert_eq!(with(""), None);
        assert_eq!(with("0.1.0\0linux\0amd64"), None, "it does not end");
        assert_eq!(with("0.1.0\0plan9\0mips\0"), None);
        assert_eq!(with("<b>\0linux\0amd64\0"), None);
        assert!(with("1.2.3-rc.1\0windows\0amd64\0").is_some());
        let twice = format!("{BEGIN}{BEGIN}1.2.3\0linux\0armv7\0");
        assert_eq!(of(twice.as_bytes()).unwrap().platform.to_string(), "linux/armv7");
    }

    #[test]
    fn files_are_named_for_their_platforms() {
        for (os, arch) in PLATFORMS {
            let platform = Platform::new(os, arch).unwrap();
            assert_eq!(Platform::of_file(&platform.file()), Some(platform));
            let theirs = platform.file().replace("steading-", "coder-");
            assert_eq!(Platform::of_file(&theirs), Some(platform));
            assert_eq!(Platform::of_file(&format!("{}.asc", platform.file())), None);
        }
        for name in ["", "coder-", "coder-linux", "coder-linux-mips", "coder-windows-amd64", "ls"] {
            assert_eq!(Platform::of_file(name), None, "{name}");
        }
    }

    #[test]
    fn versions_are_in_order() {
        let check = |version, than, newer| assert_eq!(is_newer(version, than), newer, "{version}");
        check("0.1.1", "0.1.0", true);
        check("0.10.0", "0.9.9", true);
        check("1.0.0", "1.0.0-rc.1", true);
        check("1.0.0+b", "1.0.0", false);
        check("0.1.0", "0.1.0", false);
        check("0.1.0", "0.2.0", false);
        check("new", "0.1.0", false);
        check("1.0.0.0", "0.1.0", false);
    }
}
