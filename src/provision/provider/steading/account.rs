//! The names of workspaces' users: lines of `/etc/passwd` and `/etc/group` that only a workspace's
//! own processes see. Without them programs that ask who they are (`ssh`, `scp`, `git`) give up.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;

use crate::provision::dir::write_public;
use crate::spawn::StandIn;

/// Where programs look users and groups up.
const PASSWD: &str = "/etc/passwd";
const GROUP: &str = "/etc/group";

/// Most bytes of an account's name, less what a suffix may need.
const MAX_NAME: usize = 26;

/// The machine's own accounts.
pub(super) struct Machine {
    passwd: Vec<u8>,
    group: Vec<u8>,
}

/// Who a workspace's process is.
pub(super) struct Account<'a> {
    pub name: &'a str,
    pub uid: u32,
    pub home: &'a Path,
    pub shell: &'a str,
}

impl Machine {
    /// Reads them; a file that is not there has none.
    pub(super) fn read() -> Self {
        let read = |path| std::fs::read(path).unwrap_or_default();
        Self { passwd: read(PASSWD), group: read(GROUP) }
    }

    /// A name for a workspace's user: its owner's, as far as accounts may be called so, and never
    /// one that is somebody's.
    pub(super) fn name_for(&self, owner: &str) -> String {
        let base = plain(owner);
        let taken = |name: &str| {
            let is = |line: &[u8]| line.split(|b| *b == b':').next() == Some(name.as_bytes());
            self.passwd.split(|b| *b == b'\n').chain(self.group.split(|b| *b == b'\n')).any(is)
        };
        if !taken(&base) {
            return base;
        }
        let with_suffix = |n: u16| match n {
            1 => format!("{base}-ws"),
            _ => format!("{base}-ws{n}"),
        };
        (1..u16::MAX).map(with_suffix).find(|name| !taken(name)).unwrap_or(base)
    }

    /// The shell of the server's own user, or one that every machine has.
    pub(super) fn shell(&self) -> String {
        self.shell_of(rustix::process::geteuid().as_raw())
    }

    fn shell_of(&self, uid: u32) -> String {
        let uid = uid.to_string();
        let text = String::from_utf8_lossy(&self.passwd);
        let own = text.lines().find_map(|line| {
            let fields: Vec<&str> = line.split(':').collect();
            (fields.get(2) == Some(&uid.as_str())).then(|| fields.get(6).copied())?
        });
        let is_shell = |shell: &&str| {
            !shell.ends_with("/nologin") && !shell.ends_with("/false") && Path::new(shell).exists()
        };
        let found = own.into_iter().chain(["/bin/bash"]).find(is_shell);
        found.unwrap_or("/bin/sh").to_owned()
    }

    /// The file of users as the account's processes see it.
    fn passwd_with(&self, account: &Account<'_>) -> Vec<u8> {
        let Account { name, uid, home, shell } = account;
        appended(&self.passwd, &format!("{name}:x:{uid}:{uid}::{}:{shell}", home.display()))
    }

    /// The file of groups as the account's processes see it.
    fn group_with(&self, account: &Account<'_>) -> Vec<u8> {
        appended(&self.group, &format!("{}:x:{}:", account.name, account.uid))
    }

    /// Whether the process sees these accounts and its own.
    pub(super) fn is_seen_by(&self, pid: i32, account: &Account<'_>) -> bool {
        let sees = |path: &str, wanted: Vec<u8>| {
            // Where the machine has none, there is none in its place.
            !Path::new(path).exists()
                || holds(Path::new(&format!("/proc/{pid}/root{path}")), &wanted).unwrap_or(false)
        };
        sees(PASSWD, self.passwd_with(account)) && sees(GROUP, self.group_with(account))
    }

    /// Writes what the account's processes are to see, beside `record`.
    pub(super) fn write(
        &self,
        record: &Path,
        account: &Account<'_>,
    ) -> anyhow::Result<Vec<StandIn>> {
        let [passwd, group] = files(record);
        write_public(&passwd, &self.passwd_with(account))?;
        write_public(&group, &self.group_with(account))?;
        let both = [(passwd, PASSWD), (group, GROUP)];
        // A machine without the file has no place to put one.
        let there = both.into_iter().filter(|(_, place)| Path::new(place).exists());
        Ok(there
            .map(|(file, place)| StandIn::new(&file, Path::new(place)))
            .collect::<Result<_, _>>()?)
    }
}

/// Whether that is all a file holds. Whatever a process has put in its place, it is not waited for
/// and no more of it is read.
fn holds(path: &Path, wanted: &[u8]) -> std::io::Result<bool> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let flags = i32::try_from(flags.bits()).expect("the flags of open are an int");
    let file = File::options().read(true).custom_flags(flags).open(path)?;
    let (there, len) = (file.metadata()?, wanted.len() as u64);
    if !there.is_file() || there.len() != len {
        return Ok(false);
    }
    let mut bytes = Vec::with_capacity(wanted.len());
    file.take(len + 1).read_to_end(&mut bytes)?;
    Ok(bytes == wanted)
}

/// The files beside a process's record.
pub(super) fn files(record: &Path) -> [PathBuf; 2] {
    [record.with_extension("passwd"), record.with_extension("group")]
}

/// A name as accounts have: small letters, digits, hyphens and underscores, not a digit first.
fn plain(owner: &str) -> String {
    let plain = |c: char| match c.to_ascii_lowercase() {
        c if c.is_ascii_alphanumeric() || c == '_' => c,
        _ => '-',
    };
    let name: String = owner.chars().map(plain).take(MAX_NAME).collect();
    match name.trim_matches('-') {
        "" => "workspace".to_owned(),
        name if name.starts_with(|c: char| c.is_ascii_digit()) => format!("_{name}"),
        name => name.to_owned(),
    }
}

fn appended(file: &[u8], line: &str) -> Vec<u8> {
    let mut all = file.to_vec();
    if all.last().is_some_and(|b| *b != b'\n') {
        all.push(b'\n');
    }
    all.extend_from_slice(line.as_bytes());
    all.push(b'\n');
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Machine {
        let passwd = b"root:x:0:0:root:/root:/bin/sh\nada:x:1000:1000::/home/ada:/bin/sh".to_vec();
        Machine { passwd, group: b"root:x:0:\ngrace-ws:x:7:\ngrace:x:8:\n".to_vec() }
    }

    #[test]
    fn names_are_plain_and_nobody_elses() {
        let check = |owner: &str, name: &str| assert_eq!(machine().name_for(owner), name);
        check("linus", "linus");
        check("Linus.T", "linus-t");
        check("ada", "ada-ws");
        check("grace", "grace-ws2");
        check("root", "root-ws");
        check("7up", "_7up");
        check("--", "workspace");
        check("a:b\nc", "a-b-c");
        check(&"x".repeat(90), &"x".repeat(26));
    }

    #[test]
    fn only_a_file_with_just_that_holds_it() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("passwd");
        std::fs::write(&path, "root").unwrap();
        assert!(holds(&path, b"root").unwrap());
        assert!(!holds(&path, b"ro").unwrap());
        assert!(!holds(&path, b"rooty").unwrap());
        std::fs::remove_file(&path).unwrap();
        assert!(holds(&path, b"root").is_err());
        rustix::fs::mkfifoat(rustix::fs::CWD, &path, rustix::fs::Mode::RUSR).unwrap();
        assert!(!holds(&path, b"root").unwrap(), "nobody writes into it");
        assert!(!holds(Path::new("/dev/zero"), b"").unwrap());
    }

    #[test]
    fn a_line_is_added_to_whole_lines() {
        let home = Path::new("/homes/1/main");
        let account = Account { name: "linus", uid: 9, home, shell: "/bin/sh" };
        let passwd = String::from_utf8(machine().passwd_with(&account)).unwrap();
        assert!(passwd.ends_with("/home/ada:/bin/sh\nlinus:x:9:9::/homes/1/main:/bin/sh\n"));
        let group = String::from_utf8(machine().group_with(&account)).unwrap();
        assert!(group.ends_with("\ngrace:x:8:\nlinus:x:9:\n"), "{group}");
        assert_eq!(machine().shell_of(1000), "/bin/sh");
    }
}
