//! A script as a file on the workspace's disk, and the program that reads it.

use std::ffi::OsString;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use super::base::private_dir;

/// The program and arguments that run the file at `path` with this text: what its first line names
/// after `#!`, else the shell. Naming the program works where files may not be executed.
#[must_use]
pub fn command_line(text: &str, path: &Path, shell: &Path) -> (PathBuf, Vec<OsString>) {
    let first = text.lines().next().unwrap_or_default();
    let Some(shebang) = first.strip_prefix("#!").map(str::trim).filter(|s| !s.is_empty()) else {
        return (shell.into(), vec![path.into()]);
    };
    // As the kernel reads it: everything after the program is one argument.
    let (program, argument) = shebang.split_once([' ', '\t']).unwrap_or((shebang, ""));
    let mut args = vec![];
    if !argument.trim().is_empty() {
        args.push(argument.trim().into());
    }
    args.push(path.into());
    (program.into(), args)
}

/// Writes the script where only this account reads it. Lines may end as on Windows: a template
/// written there is meant all the same.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        private_dir(parent)?;
    }
    let _ = std::fs::remove_file(path);
    let mut options = std::fs::OpenOptions::new();
    let mut file = options.write(true).create_new(true).mode(0o700).open(path)?;
    file.write_all(text.replace("\r\n", "\n").as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_line_names_the_program() {
        let check = |text: &str, program: &str, args: &[&str]| {
            let (p, a) = command_line(text, Path::new("/s"), Path::new("/bin/zsh"));
            assert_eq!((p.to_str(), a), (Some(program), args.iter().map(Into::into).collect()));
        };
        check("echo hi", "/bin/zsh", &["/s"]);
        check("", "/bin/zsh", &["/s"]);
        check("#!/bin/bash\necho hi", "/bin/bash", &["/s"]);
        check("#! /usr/bin/env -S bash -x\r\n", "/usr/bin/env", &["-S bash -x", "/s"]);
        check("#!\nx", "/bin/zsh", &["/s"]);
    }
}
