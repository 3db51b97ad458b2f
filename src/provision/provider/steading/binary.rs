//! The program where workspaces' users can reach it: the server's own file may be in a closed place.

use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Links or copies `binary` to a place inside `homes` that every user can read. Each build of the
/// program gets a place of its own: the last one may still be running.
pub(super) fn share(binary: &Path, homes: &Path) -> anyhow::Result<PathBuf> {
    let metadata =
        std::fs::metadata(binary).with_context(|| format!("Looking at {}", binary.display()))?;
    let version = format!("{:x}-{:x}-{:x}", metadata.len(), metadata.mtime(), metadata.ino());
    let bin = homes.join(".bin");
    let dir = bin.join(&version);
    let shared = dir.join("steading");
    if shared.exists() {
        return Ok(shared);
    }
    open_dir(&bin)?;
    open_dir(&dir)?;
    remove_unused(&bin, &version);
    let is_open = metadata.permissions().mode() & 0o005 == 0o005;
    if !(is_open && std::fs::hard_link(binary, &shared).is_ok()) {
        let part = dir.join("part");
        std::fs::copy(binary, &part).context("Copying the program")?;
        std::fs::set_permissions(&part, std::fs::Permissions::from_mode(0o755))?;
        std::fs::rename(&part, &shared)?;
    }
    Ok(shared)
}

fn open_dir(path: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(path).with_context(|| format!("Making {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o755))?;
    Ok(())
}

/// Removes builds of the program that nothing runs.
fn remove_unused(bin: &Path, current: &str) {
    let running: Vec<PathBuf> = std::fs::read_dir("/proc")
        .into_iter()
        .flatten()
        .flatten()
        .filter_map(|entry| std::fs::read_link(entry.path().join("exe")).ok())
        .collect();
    for entry in std::fs::read_dir(bin).into_iter().flatten().flatten() {
        let dir = entry.path();
        if entry.file_name() != *current && !running.iter().any(|exe| exe.starts_with(&dir)) {
            let _ = std::fs::remove_dir_all(dir);
        }
    }
}
