//! Unpacking a template's archive: regular files and directories, inside, and not too many.

use std::io::{Read, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Component, Path, PathBuf};

use super::dir::create_private;
use super::job::Failure;

/// Largest archive, unpacked. As much as may be uploaded.
const MAX_BYTES: u64 = 100 << 20;
/// Largest file in it. Templates are text; a larger file is an accident.
const MAX_FILE_BYTES: u64 = 10 << 20;
/// Most entries.
const MAX_ENTRIES: usize = 10_000;
/// Deepest path.
const MAX_DEPTH: usize = 32;

/// Unpacks `archive` into `dir`. What Terraform itself leaves in a directory is passed over: a
/// state or a plan from somewhere else has no place in a job.
pub fn unpack(archive: &[u8], dir: &Path) -> Result<(), Failure> {
    let broken = |e: std::io::Error| refuse(format!("the archive cannot be read: {e}"));
    let mut tar = tar::Archive::new(archive);
    let mut bytes = 0;
    for (i, entry) in tar.entries().map_err(broken)?.enumerate() {
        if i >= MAX_ENTRIES {
            return Err(refuse(format!("the archive holds more than {MAX_ENTRIES} entries")));
        }
        let mut entry = entry.map_err(broken)?;
        let shown = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = inside(&entry, &shown)?;
        if path.as_os_str().is_empty() || is_terraforms(&path) {
            continue;
        }
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            create_private(&dir.join(path))?;
            continue;
        }
        if !matches!(kind, tar::EntryType::Regular | tar::EntryType::Continuous) {
            return Err(refuse(format!(
                "the archive's entry {shown:?} is neither a file nor a directory"
            )));
        }
        bytes += entry.size();
        if entry.size() > MAX_FILE_BYTES {
            return Err(refuse(format!("the archive's file {shown:?} is larger than 10 MiB")));
        }
        if bytes > MAX_BYTES {
            return Err(refuse("the archive is larger than 100 MiB".to_owned()));
        }
        write(&mut entry, &dir.join(path), &shown)?;
    }
    Ok(())
}

fn refuse(why: String) -> Failure {
    Failure::Template(why)
}

/// The entry's path, which leads nowhere but down.
fn inside<R: Read>(entry: &tar::Entry<'_, R>, shown: &str) -> Result<PathBuf, Failure> {
    let path = entry
        .path()
        .map_err(|_| refuse(format!("the archive's entry {shown:?} has a name that is no text")))?;
    let mut out = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => out.push(name),
            Component::CurDir => {}
            Component::Prefix(_) | Component::RootDir | Component::ParentDir => {
                return Err(refuse(format!("the archive's entry {shown:?} leads outside of it")));
            }
        }
    }
    if out.components().count() > MAX_DEPTH {
        return Err(refuse(format!(
            "the archive's entry {shown:?} lies deeper than {MAX_DEPTH} directories"
        )));
    }
    Ok(out)
}

/// What Terraform writes beside a template. Modules are kept: they may have come along.
fn is_terraforms(path: &Path) -> bool {
    let mut names = path.components().filter_map(|c| c.as_os_str().to_str());
    match (names.next(), names.next()) {
        (Some(".terraform"), Some("modules")) => false,
        (Some(".terraform" | "terraform.tfstate.d"), _) => true,
        (Some(name), None) => name.starts_with("terraform.tfstate") || name == "errored.tfstate",
        _ => false,
    }
}

fn write<R: Read>(entry: &mut tar::Entry<'_, R>, path: &Path, shown: &str) -> Result<(), Failure> {
    let run = entry.header().mode().is_ok_and(|mode| mode & 0o111 != 0);
    if let Some(parent) = path.parent() {
        create_private(parent).map_err(|_| {
            refuse(format!("the archive's entry {shown:?} lies in a file, not in a directory"))
        })?;
    }
    let failed = |e: std::io::Error| refuse(format!("unpacking {shown:?}: {e}"));
    let mut file = std::fs::OpenOptions::new()
        .create(true)
        .truncate(true)
        .write(true)
        .mode(if run { 0o700 } else { 0o600 })
        .open(path)
        .map_err(failed)?;
    std::io::copy(entry, &mut file).map_err(failed)?;
    file.flush().map_err(failed)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An archive of entries as written, however wrong their names are.
    fn archive(entries: &[(&str, tar::EntryType, &[u8])]) -> Vec<u8> {
        let mut tar = tar::Builder::new(Vec::new());
        for (name, kind, bytes) in entries {
            let mut header = tar::Header::new_gnu();
            header.as_mut_bytes()[..name.len()].copy_from_slice(name.as_bytes());
            header.set_entry_type(*kind);
            header.set_size(bytes.len() as u64);
            header.set_mode(0o644);
            header.set_cksum();
            tar.append(&header, *bytes).unwrap();
        }
        tar.into_inner().unwrap()
    }

    fn unpacked(entries: &[(&str, tar::EntryType, &[u8])]) -> Result<Vec<String>, String> {
        let dir = tempfile::tempdir().unwrap();
        let target = dir.path().join("t");
        create_private(&target).unwrap();
        unpack(&archive(entries), &target).map_err(|e| e.to_string())?;
        let mut names: Vec<String> = std::fs::read_dir(target)
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        Ok(names)
    }

    use tar::EntryType::{Directory, Link, Regular, Symlink};

    #[test]
    fn files_and_directories_are_unpacked_and_states_are_not() {
        let names = unpacked(&[
            ("./", Directory, b""),
            ("./main.tf", Regular, b"x"),
            ("m/main.tf", Regular, b"x"),
            ("terraform.tfstate", Regular, b"{}"),
            (".terraform/providers/x", Regular, b"x"),
        ]);
        assert_eq!(names.unwrap(), ["m", "main.tf"]);
    }

    #[test]
    fn what_leads_elsewhere_is_refused_by_name() {
        let why = |name: &str, kind| unpacked(&[(name, kind, b"")]).unwrap_err();
        assert!(why("../x", Regular).contains("\"../x\" leads outside"));
        assert!(why("/x", Regular).contains("leads outside"));
        assert!(why("a/../../x", Regular).contains("leads outside"));
        assert!(why("l", Symlink).contains("neither a file"));
        assert!(why("l", Link).contains("neither a file"));
        assert!(why(&"a/".repeat(40), Directory).contains("deeper"));
        let big = vec![0; usize::try_from(MAX_FILE_BYTES).unwrap() + 1];
        assert!(unpacked(&[("big", Regular, &big)]).unwrap_err().contains("larger than 10 MiB"));
    }

    #[test]
    fn a_file_in_a_file_is_refused() {
        let why = unpacked(&[("a", Regular, b"x"), ("a/b", Regular, b"x")]).unwrap_err();
        assert!(why.contains("lies in a file"), "{why}");
    }
}
