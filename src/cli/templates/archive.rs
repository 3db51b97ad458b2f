//! Directories as tar archives and back, within the server's limits.

use std::path::{Component, Path, PathBuf};

use anyhow::{Context as _, bail, ensure};

use crate::files::is_executable;

/// Largest archive the server takes.
pub const MAX_BYTES: usize = 100 << 20;
/// Most files in an archive that the server takes.
const MAX_FILES: usize = 10_000;
/// What Terraform and others leave behind; it is not part of a template.
const LEFT_OUT: &[&str] = &[".terraform", ".git", ".terraform.tfstate.lock.info"];

/// Packs a directory: regular files and directories, sorted, with times and owners left out so that
/// the same files give the same archive.
///
/// # Errors
/// When it cannot be read, holds no Terraform, or is larger than the server takes.
pub fn pack(directory: &Path) -> anyhow::Result<Vec<u8>> {
    let mut files = Vec::new();
    collect(directory, Path::new(""), &mut files)?;
    let is_terraform = |p: &PathBuf| {
        let name = p.to_string_lossy();
        name.ends_with(".tf") || name.ends_with(".tf.json")
    };
    ensure!(
        files.iter().any(|p| p.components().count() == 1 && is_terraform(p)),
        "{} holds no .tf file. Begin with `steading templates init`.",
        directory.display()
    );
    let mut tar = tar::Builder::new(Vec::new());
    for path in files {
        let full = directory.join(&path);
        let content =
            std::fs::read(&full).with_context(|| format!("Reading {}", full.display()))?;
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(if is_executable(&full) { 0o755 } else { 0o644 });
        header.set_mtime(0);
        tar.append_data(&mut header, &path, &*content)?;
        ensure!(
            tar.get_ref().len() < MAX_BYTES,
            "The template is larger than {} MiB. Leave out what it does not need.",
            MAX_BYTES >> 20
        );
    }
    Ok(tar.into_inner()?)
}

fn collect(root: &Path, below: &Path, files: &mut Vec<PathBuf>) -> anyhow::Result<()> {
    let directory = root.join(below);
    let entries = std::fs::read_dir(&directory)
        .with_context(|| format!("Reading the directory {}", directory.display()))?;
    let mut entries = entries.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(std::fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        let left_out =
            LEFT_OUT.iter().any(|n| name == **n) || name.to_string_lossy().contains(".tfstate");
        if left_out {
            continue;
        }
        let path = below.join(&name);
        let kind = std::fs::metadata(entry.path())
            .with_context(|| format!("Reading {}", entry.path().display()))?;
        if kind.is_dir() {
            ensure!(path.components().count() < 32, "{} is too deep", path.display());
            collect(root, &path, files)?;
        } else if kind.is_file() {
            files.push(path);
            ensure!(files.len() <= MAX_FILES, "The template holds more than {MAX_FILES} files.");
        }
    }
    Ok(())
}

/// Unpacks into a directory; nothing is written outside of it. Gives the number of files.
///
/// # Errors
/// When the archive is broken, reaches out of the directory, or cannot be written.
pub fn unpack(archive: &[u8], directory: &Path) -> anyhow::Result<usize> {
    let mut count = 0;
    for entry in tar::Archive::new(archive).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let plain =
            path.components().all(|c| matches!(c, Component::Normal(_) | Component::CurDir));
        if !plain {
            bail!("The archive holds {}, which leads out of the directory.", path.display());
        }
        let target = directory.join(&path);
        let kind = entry.header().entry_type();
        if kind.is_dir() {
            std::fs::create_dir_all(&target)?;
        } else if kind.is_file() {
            if let Some(parent) = target.parent() {
                std::fs::create_dir_all(parent)?;
            }
            entry.unpack(&target)?;
            count += 1;
        }
    }
    Ok(count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_directory_comes_back_without_what_terraform_left() {
        let dir = tempfile::tempdir().unwrap();
        let from = dir.path().join("from");
        std::fs::create_dir_all(from.join("scripts")).unwrap();
        std::fs::create_dir_all(from.join(".terraform")).unwrap();
        std::fs::write(from.join("main.tf"), "x").unwrap();
        std::fs::write(from.join("terraform.tfstate"), "secret").unwrap();
        std::fs::write(from.join("scripts/a.sh"), "y").unwrap();
        let archive = pack(&from).unwrap();
        assert_eq!(archive, pack(&from).unwrap());
        let to = dir.path().join("to");
        assert_eq!(unpack(&archive, &to).unwrap(), 2);
        assert_eq!(std::fs::read_to_string(to.join("scripts/a.sh")).unwrap(), "y");
        assert!(!to.join("terraform.tfstate").exists());
    }

    #[test]
    fn a_directory_without_terraform_is_refused() {
        let dir = tempfile::tempdir().unwrap();
        assert!(pack(dir.path()).unwrap_err().to_string().contains("no .tf file"));
    }

    #[test]
    fn nothing_is_written_outside() {
        let dir = tempfile::tempdir().unwrap();
        let mut header = tar::Header::new_gnu();
        header.as_mut_bytes()[..9].copy_from_slice(b"../escape");
        header.set_size(1);
        header.set_cksum();
        let mut tar = tar::Builder::new(Vec::new());
        tar.append(&header, &b"x"[..]).unwrap();
        let archive = tar.into_inner().unwrap();
        assert!(unpack(&archive, &dir.path().join("in")).is_err());
        assert!(!dir.path().join("escape").exists());
    }
}
