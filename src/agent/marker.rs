//! A note on disk that the start scripts of a build ran in this life of the machine.

use std::path::Path;

use crate::wire::agent::Manifest;

/// Whether the start scripts ran already: by the note, which also knows whether the machine or its
/// container was started again since and has lost what they had started; without a note, by the
/// server's word.
#[must_use]
pub fn ran(state_dir: &Path, manifest: &Manifest) -> bool {
    match std::fs::read_to_string(path(state_dir)) {
        Ok(note) => note == text(manifest, &life_of_machine()),
        Err(_) => manifest.scripts_done,
    }
}

/// Notes that they ran.
pub fn write(state_dir: &Path, manifest: &Manifest) {
    if let Err(error) = std::fs::write(path(state_dir), text(manifest, &life_of_machine())) {
        tracing::debug!(%error, "the end of the start scripts cannot be noted");
    }
}

fn path(state_dir: &Path) -> std::path::PathBuf {
    state_dir.join("started")
}

fn text(manifest: &Manifest, life: &str) -> String {
    let ids: Vec<_> = manifest.scripts.iter().map(|s| s.id.to_string()).collect();
    format!("{life} {} {}\n", manifest.agent_id, ids.join(" "))
}

/// Names this run of the machine and of its container: the boot, and the start of the first process.
fn life_of_machine() -> String {
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    let first = std::fs::read_to_string("/proc/1/stat").unwrap_or_default();
    format!("{} {}", boot.trim(), started(&first))
}

/// The 22nd field of a process's `stat`; the second may hold spaces and brackets.
fn started(stat: &str) -> &str {
    let rest = stat.rsplit_once(')').map_or("", |(_, rest)| rest);
    rest.split_whitespace().nth(19).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::agent::testing::{manifest, script};

    #[test]
    fn the_note_counts_before_the_servers_word() {
        let dir = tempfile::tempdir().unwrap();
        let of_build = |n| Manifest { scripts: vec![script(n, "true")], ..manifest() };
        let done = |m: Manifest| Manifest { scripts_done: true, ..m };
        assert!(!ran(dir.path(), &of_build(1)));
        assert!(ran(dir.path(), &done(of_build(1))));
        write(dir.path(), &of_build(1));
        assert!(ran(dir.path(), &of_build(1)));
        assert!(!ran(dir.path(), &of_build(2)));
        // The container was started again: its first process is another.
        std::fs::write(path(dir.path()), text(&of_build(1), "boot 1")).unwrap();
        assert!(!ran(dir.path(), &done(of_build(1))));
    }

    #[test]
    fn the_start_of_a_process_is_read() {
        let stat = "1 (a (b) c) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 777 9 9";
        assert_eq!(started(stat), "777");
        assert_eq!(started(""), "");
    }
}
