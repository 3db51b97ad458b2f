//! A script as a file on the workspace's disk, and the program that reads it.

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use super::base::private_dir;
use super::platform;

/// The program and arguments that run the file at `path` with this text: what its first line names
/// after `#!`, else the shell. Naming the program works where files may not be executed.
#[must_use]
pub fn command_line(text: &str, path: &Path, shell: &Path) -> (PathBuf, Vec<OsString>) {
    let first = text.lines().next().unwrap_or_default();
    let Some(shebang) = first.strip_prefix("#!").map(str::trim).filter(|s| !s.is_empty()) else {
        return (shell.into(), platform::file_arguments(shell, path));
    };
    // As the kernel reads it: everything after the program is one argument.
    let (program, argument) = shebang.split_once([' ', '\t']).unwrap_or((shebang, ""));
    let program = platform::named_program(program);
    let mut args = vec![];
    if !argument.trim().is_empty() {
        args.push(argument.trim().into());
    }
    args.extend(platform::file_arguments(&program, path));
    (program, args)
}

/// Where the script of a name is written: a shell may ask for an ending.
#[must_use]
pub fn path(dir: &Path, name: &str, text: &str, shell: &Path) -> PathBuf {
    let (program, _) = command_line(text, Path::new(name), shell);
    dir.join(name).with_extension(platform::script_ending(&program))
}

/// Writes the script where only this account reads it. Its lines end as they do here, wherever the
/// template was written.
///
/// # Errors
/// When it cannot be written.
pub fn write(path: &Path, text: &str) -> std::io::Result<()> {
    if let Some(parent) = path.parent() {
        private_dir(parent)?;
    }
    let _ = std::fs::remove_file(path);
    let mut options = crate::files::private();
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o700);
    let text = text.replace("\r\n", "\n");
    let text = if cfg!(windows) { text.replace('\n', "\r\n") } else { text };
    options.create_new(true).open(path)?.write_all(text.as_bytes())
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
