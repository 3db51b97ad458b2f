//! The homes of workspaces' processes: directories with an owner of their own where there can be.

use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, bail};

/// Holds the last uid that was given out, so that none is given twice.
const LAST_UID: &str = ".last-uid";

/// A process's home, and whose it is.
pub(super) struct Home {
    pub path: PathBuf,
    /// Its own uid; none where it is the server's.
    pub uid: Option<u32>,
}

/// Whether processes get a user of their own.
pub(super) fn can_isolate() -> bool {
    rustix::process::geteuid().is_root()
}

impl Home {
    /// Makes `dir/name` inside `homes`, private to its owner. A home that is there keeps its owner.
    pub(super) fn prepare(
        homes: &Path,
        dir: &Path,
        name: &str,
        first_uid: Option<u32>,
    ) -> anyhow::Result<Self> {
        let mode = if first_uid.is_some() { 0o711 } else { 0o700 };
        for parent in [homes, dir] {
            make_dir(parent, mode)?;
        }
        let path = dir.join(name);
        let Some(first) = first_uid else {
            make_dir(&path, 0o700)?;
            return Ok(Self { path, uid: None });
        };
        check_open(homes)?;
        let uid = match owner_of(&path).filter(|uid| *uid >= first) {
            Some(uid) => uid,
            None => next_uid(homes, first)?,
        };
        make_dir(&path, 0o700)?;
        std::os::unix::fs::lchown(&path, Some(uid), Some(uid))
            .with_context(|| format!("Giving {} to the uid {uid}", path.display()))?;
        Ok(Self { path, uid: Some(uid) })
    }
}

fn make_dir(path: &Path, mode: u32) -> anyhow::Result<()> {
    let say = || format!("Making {}", path.display());
    std::fs::DirBuilder::new().recursive(true).mode(mode).create(path).with_context(say)?;
    let metadata = std::fs::symlink_metadata(path).with_context(say)?;
    if !metadata.is_dir() {
        bail!("{} is not a directory", path.display());
    }
    // The creation mode is cut by the umask, and a directory from before may have another.
    if metadata.permissions().mode() & 0o777 != mode {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).with_context(say)?;
    }
    Ok(())
}

/// Every directory on the way has to let other users through, and a program has to let them run it.
pub(super) fn check_open(path: &Path) -> anyhow::Result<()> {
    let path = path.canonicalize().with_context(|| format!("Finding {}", path.display()))?;
    for dir in path.ancestors() {
        let mode =
            std::fs::metadata(dir).with_context(|| format!("Looking at {}", dir.display()))?;
        if mode.permissions().mode() & 0o001 == 0 {
            bail!(
                "workspaces cannot use {}: {} is closed to other users",
                path.display(),
                dir.display(),
            );
        }
    }
    Ok(())
}

/// The owner of a home that is there.
pub(super) fn owner_of(home: &Path) -> Option<u32> {
    let metadata = std::fs::symlink_metadata(home).ok()?;
    (metadata.is_dir() && metadata.uid() != 0).then(|| metadata.uid())
}

/// The names of the directories in `dir`, sorted; none when it is not there.
pub(super) fn names(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .filter(|e| e.file_type().is_ok_and(|t| t.is_dir()))
        .filter_map(|e| e.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .collect();
    names.sort();
    names
}

/// Removes a home or a directory of homes with all in it.
pub(super) fn remove(path: &Path) -> anyhow::Result<()> {
    match std::fs::remove_dir_all(path) {
        Err(e) if e.kind() != std::io::ErrorKind::NotFound => {
            Err(e).with_context(|| format!("Removing {}", path.display()))
        }
        _ => Ok(()),
    }
}

fn next_uid(homes: &Path, first: u32) -> anyhow::Result<u32> {
    let file = homes.join(LAST_UID);
    let last: Option<u32> = std::fs::read_to_string(&file).ok().and_then(|t| t.trim().parse().ok());
    let in_use = names(homes)
        .into_iter()
        .flat_map(|workspace| {
            let dir = homes.join(workspace);
            names(&dir).into_iter().filter_map(move |name| owner_of(&dir.join(name)))
        })
        .filter(|uid| *uid >= first)
        .max();
    let uid = last
        .filter(|uid| *uid >= first)
        .max(in_use)
        .map_or(Some(first), |uid| uid.checked_add(1))
        .context("There are no more uids")?;
    crate::provision::dir::write_private(&file, uid.to_string().as_bytes())?;
    Ok(uid)
}

/// Where to begin: at the wanted uid, or lower where this container has no such high ones.
pub(super) fn first_uid(wanted: u32) -> anyhow::Result<u32> {
    let map = std::fs::read_to_string("/proc/self/uid_map").unwrap_or_default();
    usable_uid(&map, wanted)
        .context("this container has too few user ids to give each workspace one of its own")
}

/// How many uids are kept for workspaces in a container with few.
const KEPT_UIDS: u64 = 4_096;

fn usable_uid(map: &str, wanted: u32) -> Option<u32> {
    let ranges: Vec<(u64, u64)> = map
        .lines()
        .filter_map(|line| {
            let fields: Vec<u64> = line.split_whitespace().flat_map(str::parse).collect();
            let [inside, _, count] = fields.as_slice() else { return None };
            Some((*inside, inside + count))
        })
        .collect();
    let wanted = u64::from(wanted);
    let fits = |uid: u64| ranges.iter().any(|(from, to)| uid >= *from && uid + KEPT_UIDS <= *to);
    if ranges.is_empty() || fits(wanted) {
        return u32::try_from(wanted).ok();
    }
    let top = ranges.iter().map(|(_, to)| *to).max()?.checked_sub(KEPT_UIDS)?;
    (top > KEPT_UIDS && fits(top)).then(|| u32::try_from(top).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uids_fit_the_container() {
        let whole = "         0          0 4294967295\n";
        assert_eq!(usable_uid(whole, 2_000_000_000), Some(2_000_000_000));
        assert_eq!(usable_uid("0 100000 65536\n", 2_000_000_000), Some(61_440));
        assert_eq!(usable_uid("0 1000 1\n", 2_000_000_000), None);
    }
}
