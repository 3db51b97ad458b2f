//! A filesystem mirror of links to this binary, so that stock Terraform finds our providers offline.

use std::io;
use std::path::{Path, PathBuf};

use super::provider;

/// The minor versions of `coder/coder` 2.x with the last patch of each. Older majors have another
/// schema and are not served.
const CODER_VERSIONS: [(u32, u32); 20] = [
    (0, 2),
    (1, 3),
    (2, 1),
    (3, 1),
    (4, 2),
    (5, 3),
    (6, 1),
    (7, 1),
    (8, 1),
    (9, 1),
    (10, 1),
    (11, 1),
    (12, 1),
    (13, 1),
    (14, 0),
    (15, 0),
    (16, 0),
    (17, 0),
    (18, 0),
    (19, 0),
];

/// Terraform's registry and OpenTofu's.
const HOSTS: [&str; 2] = ["registry.terraform.io", "registry.opentofu.org"];

/// What [`write()`] made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// How many links.
    pub links: usize,
    /// Lines for a Terraform CLI configuration file that use the mirror.
    pub config: String,
}

/// Writes the mirror into `dir`: links to `binary`, for `steading provider-mirror DIR`. Links that
/// are there already are pointed at `binary`. Terraform starts the binary through a link, and
/// [`provider::plugin::main`] answers it.
///
/// # Errors
/// When the directory cannot be written.
pub fn write(dir: &Path, binary: &Path) -> io::Result<Written> {
    let binary = binary.canonicalize()?;
    std::fs::create_dir_all(dir)?;
    let dir = dir.canonicalize()?;
    let mut links = 0;
    for host in HOSTS {
        for version in coder_versions() {
            link(&dir.join(host).join("coder/coder"), "coder", &version, &binary)?;
            links += 1;
        }
        let ours = dir.join(host).join("steading/steading");
        link(&ours, "steading", provider::STEADING_VERSION, &binary)?;
        links += 1;
    }
    Ok(Written { links, config: config(&dir) })
}

/// Every version of `coder/coder` that the mirror offers, oldest first.
fn coder_versions() -> impl Iterator<Item = String> {
    CODER_VERSIONS
        .into_iter()
        .flat_map(|(minor, last)| (0..=last).map(move |patch| format!("2.{minor}.{patch}")))
}

/// The newest version of `coder/coder` that the mirror offers.
pub(super) fn newest_coder() -> String {
    coder_versions().last().unwrap_or_default()
}

fn link(package: &Path, name: &str, version: &str, binary: &Path) -> io::Result<()> {
    let platform = format!("{}_{}", provider::go_os(), provider::go_mirror_arch());
    let dir = package.join(version).join(platform);
    std::fs::create_dir_all(&dir)?;
    let link: PathBuf = dir.join(format!("terraform-provider-{name}_v{version}"));
    match std::fs::remove_file(&link) {
        Ok(()) => {}
        Err(e) if e.kind() == io::ErrorKind::NotFound => {}
        Err(e) => return Err(e),
    }
    std::os::unix::fs::symlink(binary, link)
}

/// Everything but our providers still comes from where it came from.
fn config(dir: &Path) -> String {
    let ours: Vec<String> = HOSTS
        .iter()
        .flat_map(|h| [format!("\"{h}/coder/coder\""), format!("\"{h}/steading/steading\"")])
        .collect();
    let ours = ours.join(", ");
    let path = serde_json::Value::from(dir.to_string_lossy());
    format!(
        "provider_installation {{\n  filesystem_mirror {{\n    path    = {path}\n    \
         include = [{ours}]\n  }}\n  direct {{\n    exclude = [{ours}]\n  }}\n}}\n"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mirror_holds_every_version_and_may_be_written_again() {
        let dir = tempfile::tempdir().unwrap();
        let binary = dir.path().join("steading");
        std::fs::write(&binary, "x").unwrap();
        let mirror = dir.path().join("mirror");
        let first = write(&mirror, &binary).unwrap();
        assert_eq!(write(&mirror, &binary).unwrap(), first);
        let platform = format!("{}_{}", provider::go_os(), provider::go_mirror_arch());
        let link = mirror
            .join("registry.terraform.io/coder/coder/2.5.3")
            .join(platform)
            .join("terraform-provider-coder_v2.5.3");
        assert_eq!(std::fs::read_link(link).unwrap(), binary.canonicalize().unwrap());
        assert!(first.config.contains("filesystem_mirror"));
    }
}
