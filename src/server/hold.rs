//! One server a data directory: a lock on a file in it, which the system drops with the process.

use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use anyhow::Context as _;
use rustix::fs::{FlockOperation, flock};

/// The file that the lock is on. It stays; only the lock on it means something.
const FILE: &str = "lock";
/// Longest text read of who holds it: a process id and a line's end.
const MAX_HOLDER: u64 = 32;

/// The hold of a server on its data directory, for as long as it lives.
#[derive(Debug)]
pub struct Hold {
    _file: std::fs::File,
}

/// Takes the data directory for this process.
///
/// # Errors
/// When another server has it; says which.
pub fn take(data: &Path) -> anyhow::Result<Hold> {
    let path = data.join(FILE);
    // Opened close-on-exec, as everything in std: agents outlive the server and must not hold it.
    let mut file = std::fs::OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .open(&path)
        .with_context(|| format!("Opening {}", path.display()))?;
    match flock(&file, FlockOperation::NonBlockingLockExclusive) {
        Ok(()) => {}
        Err(rustix::io::Errno::WOULDBLOCK) => {
            let mut pid = String::new();
            let _ = file.take(MAX_HOLDER).read_to_string(&mut pid);
            anyhow::bail!(
                "Another server{} has the data directory {}. Stop it, or name another directory \
                 with --data.",
                named(pid.trim()),
                data.display()
            );
        }
        Err(error) => {
            return Err(error).with_context(|| format!("Locking {}", path.display()));
        }
    }
    // Only for the message above, so that a full disk does not keep a server from starting.
    let _ = write_holder(&mut file);
    Ok(Hold { _file: file })
}

fn named(pid: &str) -> String {
    match pid.parse::<u32>() {
        Ok(pid) => format!(" (process {pid})"),
        Err(_) => String::new(),
    }
}

fn write_holder(file: &mut std::fs::File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_told_who_has_it_and_gets_it_after() {
        let dir = tempfile::tempdir().unwrap();
        let first = take(dir.path()).unwrap();
        let refused = take(dir.path()).err().unwrap().to_string();
        let holder = format!("(process {})", std::process::id());
        assert!(refused.contains(&holder), "{refused}");
        assert!(refused.contains(&dir.path().display().to_string()), "{refused}");
        drop(first);
        take(dir.path()).unwrap();
    }
}
