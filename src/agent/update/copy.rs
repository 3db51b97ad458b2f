//! A copy of this program that may be replaced: that of a service belongs to root, and the agent is not.

use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt as _};
use std::os::unix::process::CommandExt as _;
use std::path::Path;

use anyhow::Context as _;

use super::fetch;
use super::place::Place;
use crate::agent::init;
use crate::wire::program::{is_newer, version};

/// Runs the copy at `path` in place of this program, unless this is it. It is made anew when it is
/// older than this program, or does not run. Returns when it cannot be run (a file system that is full,
/// or that lets nothing run): a machine without updates is still a machine.
///
/// # Errors
/// When this program cannot be found.
pub async fn run_instead(path: &Path) -> anyhow::Result<()> {
    let this = std::env::current_exe().context("Finding this program")?;
    if is_same(&this, path) {
        return Ok(());
    }
    let is_good = match fetch::version_of(path).await {
        Ok(theirs) => theirs == version() || is_newer(&theirs, version()),
        Err(_) => false,
    };
    let made = if is_good { Ok(()) } else { make(&this, path) };
    // Returns only when it fails.
    let error = made.map_or_else(|error| error, |()| init::again(path).exec());
    tracing::warn!(
        %error, program = %path.display(),
        "a copy of this program cannot be run; it runs itself, and does not update itself"
    );
    Ok(())
}

/// Whether both are one file, by whatever names.
fn is_same(this: &Path, path: &Path) -> bool {
    matches!((this.canonicalize(), path.canonicalize()), (Ok(this), Ok(path)) if this == path)
}

fn make(this: &Path, path: &Path) -> std::io::Result<()> {
    if let Some(dir) = path.parent() {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    }
    let place = Place::of(path);
    std::fs::copy(this, &place.new)?;
    std::fs::set_permissions(&place.new, std::fs::Permissions::from_mode(0o700))?;
    std::fs::rename(&place.new, path)
}
