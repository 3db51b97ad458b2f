//! Login shells that say what they run: started so that they read a few lines of ours beside the
//! person's own files, none of which is touched. Without the lines a shell starts as it always does.
//!
//! bash reads `ENV` in POSIX mode, and ours then what a login shell reads; zsh looks for `.zshenv` in
//! `ZDOTDIR`, and ours puts that back; fish reads `vendor_conf.d` in `XDG_DATA_DIRS`.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crate::files;

/// The variable that holds the secret until the shell has read it.
const SECRET: &str = "STEADING_MARKS";

/// Where fish looks when nothing says so.
const DATA_DIRS: &str = "/usr/local/share:/usr/share";

/// Every file, below the directory that they are written to.
const FILES: [(&str, &str); 3] = [
    ("bash/marks.sh", include_str!("marks/bash.sh")),
    ("zsh/.zshenv", include_str!("marks/zshenv.sh")),
    ("fish/fish/vendor_conf.d/steading.fish", include_str!("marks/marks.fish")),
];

/// How a shell is to be started so that it marks what it runs.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Start {
    /// Its arguments.
    pub(crate) arguments: Vec<&'static str>,
    /// What is set for it.
    pub(crate) environment: BTreeMap<String, String>,
}

/// How to start `shell`, with this secret; none for a shell that cannot, and when the files cannot be
/// written.
pub(crate) fn start(
    shell: &Path,
    dir: &Path,
    secret: &str,
    environment: &BTreeMap<String, String>,
) -> Option<Start> {
    let name = shell.file_name()?.as_encoded_bytes();
    if !matches!(name, b"bash" | b"zsh" | b"fish") {
        return None;
    }
    if let Err(error) = write(dir) {
        tracing::warn!(%error, dir = %dir.display(), "what shells run is not listed");
        return None;
    }
    let path = |name: &str| dir.join(name).to_string_lossy().into_owned();
    let mut start = Start::default();
    let mut set = |name: &str, value: String| start.environment.insert(name.to_owned(), value);
    set(SECRET, secret.to_owned());
    match name {
        b"bash" => {
            set("ENV", path("bash/marks.sh"));
            start.arguments = vec!["--posix"];
        }
        b"zsh" => {
            if let Some(own) = environment.get("ZDOTDIR") {
                set("STEADING_ZDOTDIR", own.clone());
            }
            set("ZDOTDIR", path("zsh"));
        }
        _ => {
            let own = environment.get("XDG_DATA_DIRS");
            if let Some(own) = own {
                set("STEADING_DATA_DIRS", own.clone());
            }
            let others = own.map_or(DATA_DIRS, String::as_str);
            set("XDG_DATA_DIRS", format!("{}:{others}", path("fish")));
        }
    }
    Some(start)
}

/// Writes the files that are not as they should be, each whole before it has its name.
fn write(dir: &Path) -> io::Result<()> {
    for (name, text) in FILES {
        let path = dir.join(name);
        if std::fs::read(&path).is_ok_and(|found| found == text.as_bytes()) {
            continue;
        }
        let parent = path.parent().unwrap_or(dir);
        files::private_dir(parent)?;
        let fresh = PathBuf::from(format!("{}.new", path.display()));
        let mut file = files::private().create(true).truncate(true).open(&fresh)?;
        io::Write::write_all(&mut file, text.as_bytes())?;
        std::fs::rename(&fresh, &path)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_shell_is_started_in_its_own_way() {
        let dir = tempfile::tempdir().unwrap();
        let own = BTreeMap::from([
            ("ZDOTDIR".to_owned(), "/home/ada/zsh".to_owned()),
            ("XDG_DATA_DIRS".to_owned(), "/opt/share".to_owned()),
        ]);
        let of = |shell: &str| start(Path::new(shell), dir.path(), "5ec2e7", &own);
        let bash = of("/bin/bash").unwrap();
        assert_eq!(bash.arguments, ["--posix"]);
        assert!(Path::new(&bash.environment["ENV"]).is_file());
        let zsh = of("/usr/bin/zsh").unwrap();
        assert!(Path::new(&zsh.environment["ZDOTDIR"]).join(".zshenv").is_file());
        assert_eq!(zsh.environment["STEADING_ZDOTDIR"], "/home/ada/zsh");
        let fish = of("/usr/bin/fish").unwrap();
        assert!(fish.environment["XDG_DATA_DIRS"].ends_with("/fish:/opt/share"));
        assert_eq!(fish.environment["STEADING_MARKS"], "5ec2e7");
        assert_eq!(of("/bin/dash"), None);
        let nowhere = start(Path::new("/bin/bash"), Path::new("/proc/none"), "x", &own);
        assert_eq!(nowhere, None, "the shell starts all the same");
    }
}
