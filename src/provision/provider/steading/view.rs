//! The view of the file system that a process has: which of the kernel's mount namespaces.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;

use anyhow::Context as _;

/// A view, as the kernel tells it from others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(super) struct View {
    dev: u64,
    ino: u64,
}

impl View {
    /// The view of a process, and what leads into it.
    pub(super) fn open(pid: i32) -> anyhow::Result<(Self, File)> {
        let open = || {
            let file = File::open(format!("/proc/{pid}/ns/mnt"))?;
            let there = file.metadata()?;
            Ok::<_, std::io::Error>((Self { dev: there.dev(), ino: there.ino() }, file))
        };
        open().context("Finding the process's view")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_the_view_it_was_started_in() {
        let own = i32::try_from(std::process::id()).unwrap();
        let (view, _) = View::open(own).unwrap();
        let mut child = std::process::Command::new("sleep").arg("600").spawn().unwrap();
        let theirs = View::open(i32::try_from(child.id()).unwrap()).unwrap().0;
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(theirs, view);
        assert!(View::open(-1).is_err());
    }
}
