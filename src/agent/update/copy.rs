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
/// older than this program, or does not run.
///
/// # Errors
/// When it cannot be made, or cannot be run.
pub async fn run_instead(path: &Path) -> anyhow::Result<()> {
    let this = std::env::current_exe().context("Finding this program")?;
    if this == path {
        return Ok(());
    }
    let is_good = match fetch::version_of(path).await {
        Ok(theirs) => theirs == version() || is_newer(&theirs, version()),
        Err(_) => false,
    };
    if !is_good {
        make(&this, path).with_context(|| format!("Copying this program to {}", path.display()))?;
    }
    let error = init::again(path).exec();
    Err(error).with_context(|| format!("Running {}", path.display()))
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
