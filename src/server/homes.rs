//! Where workspaces that are processes on this machine have their homes, and the program they run.

use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

/// Homes of a server that runs as root: every workspace has a user of its own, which must be able
/// to come this far, and `/root` lets nobody through.
const SHARED: &str = "/var/lib/steading-homes";

/// Where homes are, and the program that agents run.
#[derive(Clone, Debug)]
pub struct Homes {
    /// The homes, one a workspace. They are people's files, not a cache.
    pub dir: PathBuf,
    /// The program.
    pub binary: PathBuf,
}

/// Finds or makes the homes of a deployment. `data` is its data directory, `id` the deployment's.
///
/// # Errors
/// When a directory cannot be made or the program cannot be copied.
pub fn prepare(data: &Path, id: uuid::Uuid) -> anyhow::Result<Homes> {
    let program = std::env::current_exe().context("Finding this program's file")?;
    if !rustix::process::geteuid().is_root() {
        let dir = data.join("homes");
        make_dir(&dir, 0o700)?;
        return Ok(Homes { dir, binary: program });
    }
    let dir = Path::new(SHARED).join(id.to_string());
    make_dir(Path::new(SHARED), 0o711)?;
    make_dir(&dir, 0o711)?;
    let binary = if others_may_run(&program) { program } else { copy_program(&program, &dir)? };
    Ok(Homes { dir, binary })
}

fn make_dir(path: &Path, mode: u32) -> anyhow::Result<()> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(mode)
        .create(path)
        .with_context(|| format!("Making {}", path.display()))?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode))
        .with_context(|| format!("Setting the mode of {}", path.display()))
}

/// Whether any user can reach and run the file.
fn others_may_run(path: &Path) -> bool {
    path.ancestors().all(|p| std::fs::metadata(p).is_ok_and(|m| m.mode() & 0o001 != 0))
}

/// A copy beside the homes, made anew when the program changed.
fn copy_program(program: &Path, dir: &Path) -> anyhow::Result<PathBuf> {
    let bin = dir.join("bin");
    make_dir(&bin, 0o755)?;
    let of = std::fs::metadata(program).context("Reading this program's file")?;
    let copy = bin.join(format!("steading-{:x}-{:x}", of.mtime(), of.len()));
    if !copy.exists() {
        let part = copy.with_extension("part");
        std::fs::copy(program, &part).context("Copying this program for workspaces' users")?;
        std::fs::set_permissions(&part, std::fs::Permissions::from_mode(0o755))?;
        std::fs::rename(&part, &copy)?;
    }
    Ok(copy)
}
