//! A job's directory: private, made for the job, and readable for a later life of the server.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use super::dir::{create_private, write_private};
use super::job::Failure;
use super::plan;
use super::proc::Known;
use super::unpack;
use crate::model::id::JobId;

/// Names the environment of everything that a job starts.
pub(super) const MARK: &str = "STEADING_JOB";

/// Terraform's names for its files.
const STATE: &str = "terraform.tfstate";
const EMERGENCY_STATE: &str = "errored.tfstate";
const LOCK: &str = ".terraform.lock.hcl";
const PROVIDERS: &str = ".terraform/providers";
/// Above a provider are its host, namespace, name, version and platform.
const PROVIDER_DEPTH: usize = 5;

/// A job's directory.
#[derive(Clone, Debug)]
pub(super) struct WorkDir {
    pub job: JobId,
    root: PathBuf,
}

/// The file of a job's state, held open.
pub(super) struct HeldState(File);

/// What a later life of the server has to know of a job.
#[derive(serde::Serialize, serde::Deserialize)]
struct Note {
    job: JobId,
    terraform: Option<Known>,
}

impl WorkDir {
    /// Where a job's directory is, whether it is there or not.
    pub(super) fn of(work_dir: &Path, job: JobId) -> Self {
        Self { job, root: work_dir.join(job.to_string()) }
    }

    /// Makes a job's directory and unpacks its template. What is left of the job from before goes.
    pub(super) fn make(work_dir: &Path, job: JobId, archive: &[u8]) -> Result<Self, Failure> {
        let this = Self::of(work_dir, job);
        this.remove();
        for dir in [work_dir, &this.root, &this.template(), &this.home(), &this.sockets()] {
            create_private(dir)?;
        }
        this.note(None)?;
        unpack::unpack(archive, &this.template())?;
        this.loosen_lock()?;
        Ok(this)
    }

    /// Where Terraform runs.
    pub(super) fn template(&self) -> PathBuf {
        self.root.join("t")
    }

    /// The home directory of Terraform and of what it runs.
    pub(super) fn home(&self) -> PathBuf {
        self.root.join("home")
    }

    /// Where providers listen. A short name: a socket's path may not be long.
    pub(super) fn sockets(&self) -> PathBuf {
        self.root.join("s")
    }

    /// A file of ours beside the template.
    pub(super) fn file(&self, name: &str) -> PathBuf {
        self.root.join(name)
    }

    /// Where a command's output goes.
    pub(super) fn output(&self, command: &str) -> PathBuf {
        self.file(&format!("{command}.out"))
    }

    /// Whether it came so far that objects are changed.
    pub(super) fn applies(&self) -> bool {
        self.output("apply").exists()
    }

    /// Puts in the state of the last build.
    pub(super) fn put_state(&self, state: &[u8]) -> anyhow::Result<()> {
        write_private(&self.template().join(STATE), state)
    }

    /// The state that is there now; none when nothing readable is.
    pub(super) fn state(&self) -> Option<Vec<u8>> {
        // Terraform writes the emergency file when it could not write the other one.
        [EMERGENCY_STATE, STATE]
            .iter()
            .filter_map(|name| std::fs::read(self.template().join(name)).ok())
            .find(|bytes| plan::is_state(bytes))
    }

    /// Opens the state's file, so that it can be read when its directory is removed meanwhile:
    /// Terraform writes it in place.
    pub(super) fn hold_state(&self) -> anyhow::Result<HeldState> {
        let path = self.template().join(STATE);
        let file = std::fs::OpenOptions::new()
            .create(true)
            .truncate(false)
            .read(true)
            .write(true)
            .mode(0o600)
            .open(&path);
        Ok(HeldState(file.with_context(|| format!("Opening {}", path.display()))?))
    }

    /// Why a job failed, where that is what became of its files.
    pub(super) fn explain(&self, failure: Failure) -> Failure {
        if !matches!(failure, Failure::Terraform(_) | Failure::Internal(_)) {
            return failure;
        }
        let why = if !self.template().exists() {
            "The directory that Terraform worked in was removed meanwhile. Start it again"
        } else if has_dangling(&self.template().join(PROVIDERS), PROVIDER_DEPTH) {
            "The providers that were downloaded for it were deleted meanwhile. Start it again: they \
             are fetched anew"
        } else {
            return failure;
        };
        tracing::warn!(job = %self.job, error = format!("{failure:#}"), why, "a job failed");
        Failure::Terraform(why.to_owned())
    }

    /// Notes which process works here.
    pub(super) fn note(&self, terraform: Option<Known>) -> anyhow::Result<()> {
        let note = serde_json::to_vec(&Note { job: self.job, terraform })?;
        write_private(&self.file("job.json"), &note)
    }

    /// The process that was noted.
    pub(super) fn noted(&self) -> Option<Known> {
        let note = std::fs::read(self.file("job.json")).ok()?;
        serde_json::from_slice::<Note>(&note).ok()?.terraform
    }

    /// Removes the directory.
    pub(super) fn remove(&self) {
        match std::fs::remove_dir_all(&self.root) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(%error, job = %self.job, "a job's directory stays");
            }
            _ => {}
        }
    }

    /// All that are there.
    pub(super) fn all(work_dir: &Path) -> Vec<Self> {
        let entries = std::fs::read_dir(work_dir).into_iter().flatten().flatten();
        let mut all: Vec<Self> = entries
            .filter_map(|e| e.file_name().to_str()?.parse().ok())
            .map(|job| Self::of(work_dir, job))
            .collect();
        all.sort_by_key(|w| w.job);
        all
    }

    /// Takes our providers out of the template's lock file: this process is no version of them.
    fn loosen_lock(&self) -> Result<(), Failure> {
        let path = self.template().join(LOCK);
        let Ok(text) = std::fs::read_to_string(&path) else { return Ok(()) };
        let text = without_ours(&text).ok_or_else(|| {
            Failure::Template(format!("{LOCK} is not a lock file of Terraform's"))
        })?;
        write_private(&path, text.as_bytes())?;
        Ok(())
    }

    /// The variables that a later life finds this job's processes by.
    pub(super) fn mark(&self) -> BTreeMap<String, String> {
        BTreeMap::from([(MARK.to_owned(), self.job.to_string())])
    }
}

impl HeldState {
    /// What is in the file now; none when that is no state.
    pub(super) fn read(&mut self) -> Option<Vec<u8>> {
        let mut out = Vec::new();
        self.0.seek(SeekFrom::Start(0)).ok()?;
        self.0.read_to_end(&mut out).ok()?;
        Some(out).filter(|bytes| plan::is_state(bytes))
    }
}

/// Whether a link in here, at most so deep, leads nowhere.
fn has_dangling(dir: &Path, depth: usize) -> bool {
    let entries = std::fs::read_dir(dir).into_iter().flatten().flatten();
    entries.map(|entry| entry.path()).any(|path| {
        if path.is_symlink() { !path.exists() } else { depth > 0 && has_dangling(&path, depth - 1) }
    })
}

fn without_ours(lock: &str) -> Option<String> {
    let body = hcl_edit::parser::parse_body(lock).ok()?;
    let is_ours = |structure: &hcl_edit::structure::Structure| {
        let block = structure.as_block().filter(|b| b.ident.as_str() == "provider");
        let label = block.and_then(|b| b.labels.first());
        label.is_some_and(|label| super::source::is_served(label.as_str()))
    };
    let kept = body.into_iter().filter(|structure| !is_ours(structure));
    Some(kept.collect::<hcl_edit::structure::Body>().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_file_keeps_what_is_not_ours() {
        let lock = "# kept\nprovider \"registry.terraform.io/coder/coder\" {\n  version = \"2.1.0\"\n}\n\nprovider \"registry.terraform.io/kreuzwerker/docker\" {\n  version = \"3.0.2\"\n  hashes = [\n    \"h1:x=\",\n  ]\n}\n";
        let out = without_ours(lock).unwrap();
        assert!(!out.contains("coder"), "{out}");
        assert!(out.contains("kreuzwerker/docker") && out.contains("h1:x="), "{out}");
        assert_eq!(without_ours("{"), None);
    }

    #[test]
    fn only_a_whole_state_is_read_back() {
        let dir = tempfile::tempdir().unwrap();
        let job = JobId(uuid::Uuid::from_u128(7));
        let work = WorkDir::of(dir.path(), job);
        create_private(&work.template()).unwrap();
        assert_eq!(work.state(), None);
        work.put_state(b"").unwrap();
        assert_eq!(work.state(), None);
        work.put_state(b"{\"version\":4}").unwrap();
        assert!(work.state().is_some());
        work.note(None).unwrap();
        assert_eq!(WorkDir::all(dir.path()).len(), 1);
        work.remove();
        assert!(WorkDir::all(dir.path()).is_empty());
    }
}
