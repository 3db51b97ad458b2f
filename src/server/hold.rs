//! One server a data directory: a lock on a file in it, which the system drops with the process.

use std::io::{Read as _, Seek as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use anyhow::Context as _;
use rustix::fs::{FlockOperation, flock};
use rustix::process::Pid;

/// The file that the lock is on. It stays; only the lock on it means something.
const FILE: &str = "lock";
/// Longest text read of who holds it: a process id and a line's end.
const MAX_HOLDER: u64 = 32;
/// A child that a server forked shares its lock until it runs another program. A server that was
/// killed in that moment is gone, and its lock is not yet: so often, and so long apart, it is tried.
const TRIES: u32 = 100;
const BETWEEN: Duration = Duration::from_millis(50);

/// The hold of a server on its data directory, for as long as it lives.
#[derive(Debug)]
pub struct Hold {
    file: std::fs::File,
}

impl Drop for Hold {
    /// Gives the lock back. Closing the file is not enough: a child that is just being forked shares it.
    fn drop(&mut self) {
        let _ = flock(&self.file, FlockOperation::Unlock);
    }
}

/// Takes the data directory for this process.
///
/// # Errors
/// When another server has it; says which.
pub async fn take(data: &Path) -> anyhow::Result<Hold> {
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
    for tries_left in (0..TRIES).rev() {
        match flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => break,
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let pid = holder(&mut file);
                if tries_left == 0 || pid.is_none_or(is_alive) {
                    return Err(taken(pid, data));
                }
            }
            Err(error) => {
                return Err(error).with_context(|| format!("Locking {}", path.display()));
            }
        }
        tokio::time::sleep(BETWEEN).await;
    }
    // Only for the message above, so that a full disk does not keep a server from starting.
    let _ = write_holder(&mut file);
    Ok(Hold { file })
}

/// Who wrote itself into the file.
fn holder(file: &mut std::fs::File) -> Option<Pid> {
    let mut pid = String::new();
    file.rewind().ok()?;
    file.take(MAX_HOLDER).read_to_string(&mut pid).ok()?;
    Pid::from_raw(pid.trim().parse().ok()?)
}

fn is_alive(pid: Pid) -> bool {
    // Somebody else's process may not be signalled, and is one.
    !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

fn taken(pid: Option<Pid>, data: &Path) -> anyhow::Error {
    let who = pid.map(|pid| format!(" (process {})", pid.as_raw_nonzero())).unwrap_or_default();
    anyhow::anyhow!(
        "Another server{who} has the data directory {}. Stop it, or name another directory with \
         --data.",
        data.display()
    )
}

fn write_holder(file: &mut std::fs::File) -> std::io::Result<()> {
    file.set_len(0)?;
    file.rewind()?;
    writeln!(file, "{}", std::process::id())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_second_is_told_who_has_it_and_gets_it_after() {
        let dir = tempfile::tempdir().unwrap();
        let first = take(dir.path()).await.unwrap();
        let refused = take(dir.path()).await.err().unwrap().to_string();
        let holder = format!("(process {})", std::process::id());
        assert!(refused.contains(&holder), "{refused}");
        assert!(refused.contains(&dir.path().display().to_string()), "{refused}");
        drop(first);
        take(dir.path()).await.unwrap();
    }

    #[tokio::test]
    async fn what_a_killed_server_leaves_is_waited_for() {
        let dir = tempfile::tempdir().unwrap();
        let held = take(dir.path()).await.unwrap();
        let mut gone = std::process::Command::new("true").spawn().unwrap();
        gone.wait().unwrap();
        std::fs::write(dir.path().join(FILE), gone.id().to_string()).unwrap();
        let later = async {
            tokio::time::sleep(BETWEEN * 2).await;
            drop(held);
        };
        let (second, ()) = tokio::join!(take(dir.path()), later);
        second.unwrap();
    }
}
